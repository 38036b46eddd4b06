"""The written form beside the folded one: parameters left open where nothing is decided by them."""

from __future__ import annotations

from typing import Any

import pytest

from reconciler.model.plan import Constraints, Target
from reconciler.model.values import PARAMETER, Deferred
from reconciler.template import LoadedTemplate, load_template, with_parameters

TEMPLATE: dict[str, Any] = {
    "Parameters": {
        "Env": {"Type": "String", "AllowedValues": ["dev", "prod"], "ConstraintDescription": "dev or prod"},
        "Secret": {"Type": "String", "NoEcho": True, "Default": "hunter22", "MinLength": 8},
    },
    "Conditions": {"IsProd": {"Fn::Equals": [{"Ref": "Env"}, "prod"]}},
    "Mappings": {"Sizes": {"dev": {"Delay": 1}, "prod": {"Delay": 2}}},
    "Resources": {
        "Queue": {
            "Type": "AWS::SQS::Queue",
            "Properties": {
                "QueueName": {"Fn::Sub": "${Env}-jobs"},
                "DelaySeconds": {"Fn::FindInMap": ["Sizes", {"Ref": "Env"}, "Delay"]},
                "KmsMasterKeyId": {"Fn::If": ["IsProd", {"Ref": "Env"}, {"Ref": "AWS::NoValue"}]},
                "Tags": [{"Key": "s", "Value": {"Ref": "Secret"}}],
            },
        },
        "Plain": {"Type": "AWS::SQS::Queue", "Properties": {"QueueName": "plain"}},
        "Host": {"Type": "AWS::EC2::Instance", "Properties": {"UserData": {"Fn::Base64": "echo"}}},
    },
    "Outputs": {"Env": {"Value": {"Ref": "Env"}}, "Fixed": {"Value": "x"}},
}


def loaded(env: str) -> LoadedTemplate:
    target = Target("development", "111122223333", "eu-central-1")
    return load_template(
        TEMPLATE, parameters={"Env": env}, target=target, plan_name="p", locate=lambda place: ("t.yaml", 1)
    )


@pytest.mark.parametrize("env", ["dev", "prod"])
def test_what_is_decided_by_a_parameter_is_decided_and_the_rest_refers_to_it(env: str) -> None:
    template = loaded(env)
    queue = template.resources["Queue"]  # type: ignore[index]  # a plain string is enough to look up
    env_parameter = Deferred(PARAMETER, "Env")
    assert queue.written is not None
    assert queue.written["QueueName"] == Deferred("Fn::Join", ["", [env_parameter, "-jobs"]])
    assert queue.written["DelaySeconds"] == (1 if env == "dev" else 2)
    assert queue.written.get("KmsMasterKeyId") == (None if env == "dev" else env_parameter)
    assert queue.written["Tags"] == queue.properties["Tags"]  # a secret stays one
    values = {parameter.name: parameter.value for parameter in template.parameters}
    assert with_parameters(queue.written, values) == queue.properties


def test_only_what_differs_is_kept() -> None:
    template = loaded("dev")
    assert template.resources["Plain"].written is None  # type: ignore[index]  # as above
    assert template.resources["Host"].written == {"UserData": Deferred("Fn::Base64", "echo")}  # type: ignore[index]
    assert [output.written for output in template.outputs] == [Deferred(PARAMETER, "Env"), None]


def test_what_the_template_allows_is_remembered() -> None:
    constraints = {parameter.name: parameter.constraints for parameter in loaded("dev").parameters}
    assert constraints["Env"] == Constraints(("dev", "prod"), explanation="dev or prod")
    assert constraints["Secret"] == Constraints(least_length="8")
