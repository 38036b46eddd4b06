"""A plan of functions and what drives them: applied, then left alone, then withdrawn."""

from __future__ import annotations

import json
from typing import Any

from reconciler.model.report import PlanState
from tests.e2e.conftest import SANDBOX, Lab
from tests.e2e.running import plan_text


def _trust(service: str) -> dict[str, Any]:
    principal = {"Service": f"{service}.amazonaws.com"}
    statement = {"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole"}
    return {"Version": "2012-10-17", "Statement": [statement]}


def _resources() -> dict[str, Any]:
    ref, arn = (lambda name: {"Ref": name}), (lambda name: {"Fn::GetAtt": [name, "Arn"]})
    machine = {"StartAt": "Only", "States": {"Only": {"Type": "Task", "Resource": "${target}", "End": True}}}
    return {
        "Role": {"Type": "AWS::IAM::Role", "Properties": {"AssumeRolePolicyDocument": _trust("lambda")}},
        "Function": {
            "Type": "AWS::Lambda::Function",
            "Properties": {
                "Role": arn("Role"),
                "Runtime": "nodejs22.x",
                "Handler": "index.handler",
                "Code": {"ZipFile": "exports.handler = async () => 1"},
            },
        },
        "Version": {"Type": "AWS::Lambda::Version", "Properties": {"FunctionName": ref("Function")}},
        "Alias": {
            "Type": "AWS::Lambda::Alias",
            "Properties": {
                "FunctionName": ref("Function"),
                "Name": "live",
                "FunctionVersion": {"Fn::GetAtt": ["Version", "Version"]},
            },
        },
        "Queue": {"Type": "AWS::SQS::Queue", "Properties": {}},
        "Feed": {
            "Type": "AWS::Lambda::EventSourceMapping",
            "Properties": {"FunctionName": ref("Function"), "EventSourceArn": arn("Queue"), "BatchSize": 5},
        },
        "Rule": {
            "Type": "AWS::Events::Rule",
            "Properties": {
                "ScheduleExpression": "rate(5 minutes)",
                "Targets": [{"Id": "function", "Arn": arn("Function")}],
            },
        },
        "Permission": {
            "Type": "AWS::Lambda::Permission",
            "Properties": {
                "FunctionName": ref("Function"),
                "Action": "lambda:InvokeFunction",
                "Principal": "events.amazonaws.com",
                "SourceArn": arn("Rule"),
            },
        },
        "Machine": {
            "Type": "AWS::StepFunctions::StateMachine",
            "Properties": {
                "RoleArn": arn("Role"),
                "DefinitionString": json.dumps(machine),
                "DefinitionSubstitutions": {"target": arn("Function")},
            },
        },
    }


def _everything(lab: Lab) -> dict[str, list[Any]]:
    """What there is of the plan's types, default bus and all."""
    with lab.aws.uncounted():
        functions = lab.aws.client("lambda", account=SANDBOX)
        return {
            "functions": functions.list_functions()["Functions"],
            "feeds": functions.list_event_source_mappings()["EventSourceMappings"],
            "rules": lab.aws.client("events", account=SANDBOX).list_rules()["Rules"],
            "machines": lab.aws.client("stepfunctions", account=SANDBOX).list_state_machines()["stateMachines"],
        }


def test_functions_and_what_drives_them(lab: Lab) -> None:
    lab.write(plan_text("serverless", _resources()))
    report = lab.run("serverless")
    assert report.state is PlanState.IN_SYNC, report
    assert {name: len(items) for name, items in _everything(lab).items()} == dict.fromkeys(_everything(lab), 1)

    lab.aws.reset_calls()
    again = lab.run("serverless")
    assert (again.state, again.changes, lab.aws.mutations()) == (PlanState.IN_SYNC, (), {})

    lab.write(plan_text("serverless", {"Queue": _resources()["Queue"]}))
    report = lab.run("serverless")
    assert report.state is PlanState.IN_SYNC, report
    assert {name: len(items) for name, items in _everything(lab).items()} == dict.fromkeys(_everything(lab), 0)
