"""AWS::StepFunctions::StateMachine and AWS::Scheduler::Schedule."""

from __future__ import annotations

import json

from tests.contract.providers_native.cases import ABSENT, OTHER_TAGS, TAGS, Case
from tests.contract.providers_native.hands import ACCOUNT, REGION

ROLE = f"arn:aws:iam::{ACCOUNT}:role/contract-states"
GROUP = f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:contract-states:*"


def _definition(comment: str) -> str:
    return json.dumps({"Comment": comment, "StartAt": "Only", "States": {"Only": {"Type": "Pass", "End": True}}})


MACHINE = Case(
    "AWS::StepFunctions::StateMachine",
    {
        "StateMachineName": "contract-machine",
        "StateMachineType": "EXPRESS",
        "DefinitionString": _definition("for ${who}"),
        "DefinitionSubstitutions": {"who": "the contract"},
        "RoleArn": ROLE,
        "LoggingConfiguration": {
            "Level": "ALL",
            "IncludeExecutionData": True,
            "Destinations": [{"CloudWatchLogsLogGroup": {"LogGroupArn": GROUP}}],
        },
        "TracingConfiguration": {"Enabled": True},
        "Tags": TAGS,
    },
    changes={
        "DefinitionString": _definition("changed"),
        "RoleArn": f"{ROLE}-other",
        "LoggingConfiguration": {"Level": "ERROR"},
        "TracingConfiguration": {"Enabled": False},
        "Tags": OTHER_TAGS,
    },
    resets={
        "LoggingConfiguration": {"Level": "OFF"},
        "TracingConfiguration": {"Enabled": False},
        "Tags": ABSENT,
    },
    attributes=("Arn", "Name"),
    foreign=lambda clients: clients("stepfunctions").create_state_machine(
        name="contract-foreign", roleArn=ROLE, definition=_definition("x")
    ),
    deny=("states", "DescribeStateMachine"),
    name="StateMachineName",
)

TARGET = {
    "Arn": f"arn:aws:sqs:{REGION}:{ACCOUNT}:contract-scheduled",
    "RoleArn": ROLE,
    "Input": '{"a": 1}',
    "RetryPolicy": {"MaximumEventAgeInSeconds": 60, "MaximumRetryAttempts": 1},
}

# moto doesn't give a schedule that is updated without a state the one that AWS gives it
SCHEDULE = Case(
    "AWS::Scheduler::Schedule",
    {
        "Name": "contract-schedule",
        "GroupName": "contract-group",
        "Description": "as wanted",
        "ScheduleExpression": "rate(5 minutes)",
        "ScheduleExpressionTimezone": "Europe/Berlin",
        "FlexibleTimeWindow": {"Mode": "FLEXIBLE", "MaximumWindowInMinutes": 5},
        "StartDate": "2030-01-01T00:00:00Z",
        "EndDate": "2031-01-01T00:00:00Z",
        "KmsKeyArn": f"arn:aws:kms:{REGION}:{ACCOUNT}:key/contract",
        "State": "DISABLED",
        "Target": TARGET,
    },
    changes={
        "Description": "otherwise",
        "ScheduleExpression": "rate(6 minutes)",
        "ScheduleExpressionTimezone": "UTC",
        "FlexibleTimeWindow": {"Mode": "OFF"},
        "EndDate": "2032-01-01T00:00:00Z",
        "State": "ENABLED",
        "Target": {**TARGET, "Input": '{"a": 2}'},
    },
    resets={"Description": ABSENT, "KmsKeyArn": ABSENT},
    attributes=("Arn",),
    setup=lambda clients: clients("scheduler").create_schedule_group(Name="contract-group"),
    deny=("scheduler", "GetSchedule"),
)

CASES = (MACHINE, SCHEDULE)
