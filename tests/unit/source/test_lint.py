"""Validation by cfn-lint: kept out of the import path, asked once per content, and not to be weakened."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from reconciler.source import lint
from reconciler.source.lint import Linter

BAD = {"Resources": {"Queue": {"Type": "AWS::SQS::Queue", "Properties": {"QueueNam": "x"}}}}


def test_importing_the_source_imports_nothing_heavy() -> None:
    heavy = "{'cfnlint', 'git', 'boto3', 'sqlalchemy'}"
    code = f"import sys, reconciler.source; print(sorted({heavy} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.strip() == "[]"


def test_a_finding_names_its_place_and_what_was_meant() -> None:
    (finding,) = Linter().check(BAD, "eu-central-1")
    assert finding.place == ("Resources", "Queue", "Properties", "QueueNam")
    assert finding.suggestion == "did you mean QueueName?"
    assert "Did you mean" not in finding.message


def test_the_same_content_is_looked_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    linter = Linter(tmp_path / "cache")
    first = linter.check(BAD, "eu-central-1")

    def refuse(*_: Any) -> Any:
        raise AssertionError("the engine was asked again")

    monkeypatch.setattr(lint, "_run", refuse)
    assert linter.check(BAD, "eu-central-1") == first
    assert Linter(tmp_path / "cache").check(BAD, "eu-central-1") == first
    with pytest.raises(AssertionError):
        linter.check(BAD, "eu-west-1")


def test_a_damaged_cache_is_no_answer(tmp_path: Path) -> None:
    first = Linter(tmp_path).check(BAD, "eu-central-1")
    (entry,) = tmp_path.glob("*.json")
    for damage in ("", "[[1]]", "{}x", '[["a", [], "b"]]'):
        entry.write_text(damage)
        assert Linter(tmp_path).check(BAD, "eu-central-1") == first


def test_a_full_cache_forgets_what_was_asked_for_longest_ago(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lint, "_KEPT_ON_DISK", 4)
    monkeypatch.setattr(lint, "_run", lambda *_: ())
    regions = [f"region-{number}" for number in range(4)]
    for number, region in enumerate(regions):
        Linter(tmp_path).check(BAD, region)
        newest = max(tmp_path.glob("*.json"), key=lambda entry: entry.stat().st_mtime)
        os.utime(newest, (number + 1, number + 1))
    Linter(tmp_path).check(BAD, regions[0])  # asked for again
    Linter(tmp_path).check(BAD, "region-4")
    assert len(list(tmp_path.glob("*.json"))) == 3

    def refuse(*_: Any) -> Any:
        raise AssertionError("the engine was asked again")

    monkeypatch.setattr(lint, "_run", refuse)
    for region in (regions[0], regions[3], "region-4"):
        assert Linter(tmp_path).check(BAD, region) == ()


def test_an_unwritable_cache_only_costs_time(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    assert Linter(tmp_path / "file").check(BAD, "eu-central-1")


def test_configuration_files_of_cfn_lint_are_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / ".cfnlintrc").write_text("ignore_checks: [E]\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    lint._runner.cache_clear()
    try:
        assert Linter().check(BAD, "eu-central-1")
    finally:
        lint._runner.cache_clear()


@pytest.mark.parametrize(
    "config",
    [
        {"ignore_checks": ["E"]},
        {"append_rules": ["/nowhere"]},
        {"regions": ["mars-1"]},
    ],
)
def test_a_template_cannot_configure_cfn_lint(config: Any) -> None:
    resource = {**BAD["Resources"]["Queue"], "Metadata": {"cfn-lint": {"config": config}, "Other": 1}}
    template = {"Metadata": {"cfn-lint": {"config": config}}, "Resources": {"Queue": resource}}
    assert [finding.rule for finding in Linter().check(template, "eu-central-1")] == ["E3002"]
    assert template["Metadata"] == {"cfn-lint": {"config": config}}


@pytest.mark.parametrize(
    "template",
    [{"Resources": 5}, {"Resources": {"A": None}}, {"Resources": {"A": {"Type": ["x"], "Properties": []}}}, {}],
)
def test_whatever_is_in_a_template_it_is_refused_in_words(template: Any) -> None:
    assert all(finding.message for finding in Linter().check(template, "eu-central-1"))
    assert Linter().check(template, "eu-central-1")


def _said(*resources: dict[str, Any], **more: Any) -> list[str]:
    """What is said of resources, the first of which is R0."""
    template = {"Resources": {f"R{number}": one for number, one in enumerate(resources)}, **more}
    return [item.message for item in Linter().check(template, "us-east-1")]


def _group(**rule: Any) -> dict[str, Any]:
    ingress = [{"IpProtocol": "tcp", "FromPort": 80, "ToPort": 80, **rule}]
    return {"Type": "AWS::EC2::SecurityGroup", "Properties": {"GroupDescription": "x", "SecurityGroupIngress": ingress}}


@pytest.mark.parametrize(
    ("network", "taken"),
    [("10.0.0.1/8", True), ("10.0.0.0/8", True), ("10.0.0.0/33", False), ("anywhere", False)],
)
def test_bits_of_a_host_in_a_rule_are_no_fault(network: str, taken: bool) -> None:
    assert (_said(_group(CidrIp=network)) == []) is taken


def test_bits_of_a_host_are_no_fault_in_a_filter_and_are_in_a_route_of_a_gateway() -> None:
    kept = {"Filter": {"IpFilter": {"Cidr": "10.0.0.1/24", "Policy": "Block"}}}
    assert _said({"Type": "AWS::SES::ReceiptFilter", "Properties": kept}) == []
    route = {"DestinationCidrBlock": "10.0.0.1/24", "TransitGatewayRouteTableId": "tgw-rtb-1", "Blackhole": True}
    assert _said({"Type": "AWS::EC2::TransitGatewayRoute", "Properties": route}) != []


def test_the_group_of_a_load_balancer_is_given_by_name() -> None:
    listener = {"LoadBalancerPort": "80", "InstancePort": "80", "Protocol": "HTTP"}
    balancer = {
        "Type": "AWS::ElasticLoadBalancing::LoadBalancer",
        "Properties": {"AvailabilityZones": ["us-east-1a"], "Listeners": [listener]},
    }
    given = {"Fn::GetAtt": ["R0", "SourceSecurityGroup.GroupName"]}
    assert _said(balancer, _group(SourceSecurityGroupName=given)) == []
    assert _said(balancer, _group(SourceSecurityGroupId=given)) != []


ROLE = {
    "Type": "AWS::IAM::Role",
    "Properties": {"AssumeRolePolicyDocument": {"Version": "2012-10-17", "Statement": []}},
}


@pytest.mark.parametrize(
    ("role", "taken"), [({"Ref": "R0"}, True), ("my-role", True), ("my role", False), ("arn:aws:iam::1:role/x", False)]
)
def test_a_task_names_its_role(role: Any, taken: bool) -> None:
    container = {"Name": "a", "Image": "b", "Memory": 128}
    for name in ("ExecutionRoleArn", "TaskRoleArn"):
        properties = {"ContainerDefinitions": [container], name: role}
        assert (_said(ROLE, {"Type": "AWS::ECS::TaskDefinition", "Properties": properties}) == []) is taken


def test_elsewhere_a_role_is_given_by_its_arn() -> None:
    properties = {"EventPattern": {"source": ["a"]}, "RoleArn": {"Ref": "R0"}}
    assert _said(ROLE, {"Type": "AWS::Events::Rule", "Properties": properties}) != []


def test_a_dependency_that_a_condition_leaves_out_is_no_fault() -> None:
    topic, condition = {"Type": "AWS::SNS::Topic"}, {"Fn::Equals": [{"Ref": "Size"}, "big"]}
    more = {
        "Parameters": {"Size": {"Type": "String", "Default": "small"}},
        "Conditions": {"Big": condition},
    }
    assert _said({**topic, "Condition": "Big"}, {**topic, "DependsOn": ["R0"]}, **more) == []
    assert _said({**topic, "Condition": "Big"}, {**topic, "DependsOn": ["R9"]}, **more) != []


def test_a_rule_that_breaks_on_nonsense_is_not_what_is_said_of_it() -> None:
    properties = {"KeySchema": ["nonsense"], "AttributeDefinitions": [], "BillingMode": "PAY_PER_REQUEST"}
    said = _said({"Type": "AWS::DynamoDB::Table", "Properties": properties})
    assert said
    assert not [message for message in said if "exception" in message]
