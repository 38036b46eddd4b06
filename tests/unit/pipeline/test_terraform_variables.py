"""Parameters as variables: referred to where they are used, with what the template demands of them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from pipeline_builders import CANARY, att, creating, plan_of, ref, resource
from pipeline_terraform import Terraform

from reconciler.model.plan import Constraints, Output, Parameter, PlannedResource
from reconciler.model.values import PARAMETER, Deferred, Sensitive
from reconciler.pipeline import render
from reconciler.pipeline.hcl import document
from reconciler.pipeline.terraform_variables import variable_block
from reconciler.pipeline.variables import parameter_variable


def param(name: str) -> Deferred:
    return Deferred(PARAMETER, name)


def files(*resources: PlannedResource, **settings: Any) -> dict[str, str]:
    return {file.path: file.content for file in render(creating(plan_of(*resources, **settings)), "terraform")}


def block(parameter: Parameter) -> str:
    return document("", [variable_block(parameter_variable(parameter), "x")])


@pytest.mark.parametrize(
    ("constraints", "kind", "value", "condition", "message"),
    [
        (
            Constraints(allowed_values=("a", "b")),
            "String",
            "a",
            'contains(["a", "b"], var.x)',
            "X must be one of a, b.",
        ),
        (Constraints(allowed_values=("1", "2")), "Number", 1, "contains([1, 2], var.x)", "X must be one of 1, 2."),
        (
            Constraints(allowed_pattern="[a-z]{2,3}"),
            "String",
            "ab",
            'can(regex("^(?:[a-z]{2,3})$", var.x))',
            "X must match [a-z]{2,3}.",
        ),
        (Constraints(least_length="2"), "String", "ab", "length(var.x) >= 2", "X must have at least 2 characters."),
        (Constraints(most_value="1.5"), "Number", 1, "var.x <= 1.5", "X must be at most 1.5."),
        (
            Constraints(allowed_values=("a", "b")),
            "CommaDelimitedList",
            ["a", "b"],
            'alltrue([for item in var.x : contains(["a", "b"], item)])',
            "X must be one of a, b.",
        ),
        (
            Constraints(least_length="1", explanation="say who you are"),
            "String",
            "me",
            "length(var.x) >= 1",
            "Say who you are.",
        ),
    ],
)
def test_demands_become_validations(
    constraints: Constraints, kind: str, value: Any, condition: str, message: str
) -> None:
    text = block(Parameter("X", kind, value, constraints=constraints))
    assert f"condition     = {condition}\n" in text
    assert f"error_message = {json.dumps(message)}\n" in text


@pytest.mark.parametrize("pattern", ["(?=x)y", r"(a)\1", "a{2000}", "(?>a)"])
def test_a_pattern_beyond_terraform_is_said_not_checked(pattern: str) -> None:
    text = block(Parameter("X", "String", "a", constraints=Constraints(allowed_pattern=pattern)))
    assert "validation" not in text
    assert "Terraform can't check" in text


@pytest.mark.terraform
def test_terraform_evaluates_them(terraform: Terraform, tmp_path: Path) -> None:
    demands = Constraints(("ab", "abc"), r"[a-z\"${}]+", "2", "3", explanation='letters, "two" or ${three}')
    (tmp_path / "variables.tf").write_text(block(Parameter("X", "String", "ab", constraints=demands)))
    assert terraform("fmt", "-check", "-diff").returncode == 0
    good = terraform("plan", "-input=false", "-no-color")
    assert good.returncode == 0, good.stderr
    bad = terraform("plan", "-input=false", "-no-color", "-var=x=nope")
    assert bad.returncode == 1
    assert 'Letters, "two" or ${three}.' in bad.stderr


def test_what_depends_on_a_parameter_refers_to_it() -> None:
    name = Deferred("Fn::Join", ["-", [param("Env"), "jobs"]])
    jobs = resource(
        "Jobs",
        "AWS::SQS::Queue",
        {"QueueName": "dev-jobs", "DelaySeconds": 5},
        written={"QueueName": name, "DelaySeconds": param("Delay")},
    )
    parameters = (Parameter("Env", "String", "dev"), Parameter("Delay", "Number", 5), Parameter("Other", "String", "x"))
    outputs = (Output("Env", "dev", written=param("Env")),)
    rendered = files(jobs, parameters=parameters, outputs=outputs)
    assert 'queue_name    = "${var.env}-jobs"' in rendered["main.tf"]
    assert "delay_seconds = var.delay" in rendered["main.tf"]
    assert "value = var.env" in rendered["outputs.tf"]
    assert rendered["variables.tf"].count("change it in the plan") == 1  # of Other, which only decided something


def test_a_written_form_that_says_something_else_is_not_used() -> None:
    jobs = resource("Jobs", "AWS::SQS::Queue", {"QueueName": "a"}, written={"QueueName": param("Env")})
    main = files(jobs, parameters=(Parameter("Env", "String", "b"),))["main.tf"]
    assert 'queue_name = "a"' in main
    assert "var.env" not in main


def test_what_cannot_be_written_with_the_parameter_is_written_with_its_value() -> None:
    secret = Deferred("Fn::Join", ["", ["{{resolve:ssm:/", param("Env"), "}}"]])
    topic = resource(
        "Topic",
        "AWS::SNS::Topic",
        {"DisplayName": Deferred("Resolve", ["ssm", "/dev"])},
        written={"DisplayName": secret},
    )
    rendered = files(topic, parameters=(Parameter("Env", "String", "dev"),))
    assert "display_name = var.ssm_dev" in rendered["main.tf"]


def test_a_parameter_that_stands_for_a_secret_loses_its_value() -> None:
    """It isn't NoEcho, but the property that it is used for is a password."""
    database = resource(
        "Db",
        "AWS::RDS::DBInstance",
        {"MasterUserPassword": CANARY},
        written={"MasterUserPassword": param("Password")},
    )
    outputs = (Output("Again", CANARY, written=param("Password")),)
    rendered = files(database, parameters=(Parameter("Password", "String", CANARY),), outputs=outputs)
    assert "canary" not in "".join(rendered.values())
    assert "master_user_password = var.password" in rendered["main.tf"]
    assert 'variable "password" {\n  type      = string\n  sensitive = true\n}' in rendered["variables.tf"]
    assert "sensitive = true" in rendered["outputs.tf"]


def test_a_number_that_would_be_printed_differently_stays_text() -> None:
    text = block(Parameter("X", "Number", "1.50"))
    assert 'type    = string\n  default = "1.50"' in text


def test_secrets_of_parameters_have_no_default() -> None:
    text = block(Parameter("X", "String", Sensitive(CANARY), no_echo=True, constraints=Constraints(least_length="8")))
    assert "default" not in text
    assert "length(var.x) >= 8" in text


def test_subnets_are_cut_from_the_variable() -> None:
    block_of = Deferred("Fn::Cidr", [param("Range"), 4, 8])
    subnet = resource(
        "Net",
        "AWS::EC2::Subnet",
        {"VpcId": ref("Vpc"), "CidrBlock": "10.0.1.0/24"},
        written={"VpcId": ref("Vpc"), "CidrBlock": Deferred("Fn::Select", [1, block_of])},
    )
    vpc = resource("Vpc", "AWS::EC2::VPC", {"CidrBlock": "10.0.0.0/16"}, written={"CidrBlock": param("Range")})
    main = files(vpc, subnet, parameters=(Parameter("Range", "String", "10.0.0.0/16"),))["main.tf"]
    assert 'cidr_block = cidrsubnet(var.range, 32 - 8 - tonumber(split("/", var.range)[1]), 1)' in main
    assert att("Vpc", "CidrBlock")  # the other way to get there is covered among the functions
