"""AWS::CloudWatch. moto has no tags of dashboards (``testing/taught`` adds them)."""

from __future__ import annotations

import json
from typing import Any

from tests.contract.providers_native.cases import ABSENT, OTHER_TAGS, TAGS, Case
from tests.contract.providers_native.hands import ACCOUNT, REGION


def _topic(name: str) -> str:
    return f"arn:aws:sns:{REGION}:{ACCOUNT}:{name}"


def _queries(period: int) -> list[dict[str, Any]]:
    metric = {"Namespace": "AWS/SQS", "MetricName": "NumberOfMessagesSent"}
    return [
        {"Id": "sent", "MetricStat": {"Metric": metric, "Period": period, "Stat": "Sum"}, "ReturnData": False},
        {"Id": "half", "Expression": "sent / 2", "Label": "half of them", "ReturnData": True},
    ]


_SMALL = {
    "Namespace": "AWS/SQS",
    "MetricName": "NumberOfMessagesSent",
    "Statistic": "Sum",
    "Period": 60,
    "EvaluationPeriods": 1,
    "Threshold": 1,
    "ComparisonOperator": "GreaterThanThreshold",
}

# moto keeps neither ActionConfiguration nor what alarms on logs and on PromQL have (EvaluationCriteria and its likes).
ALARM = Case(
    "AWS::CloudWatch::Alarm",
    {
        "AlarmName": "contract-alarm",
        "AlarmDescription": "as wanted",
        "ActionsEnabled": False,
        "AlarmActions": [_topic("one"), _topic("two")],
        "OKActions": [_topic("one")],
        "InsufficientDataActions": [_topic("three")],
        "Namespace": "AWS/EC2",
        "MetricName": "CPUUtilization",
        "Dimensions": [{"Name": "InstanceId", "Value": "i-1"}, {"Name": "AnotherOne", "Value": "x"}],
        "Statistic": "Average",
        "Unit": "Percent",
        "Period": 300,
        "EvaluationPeriods": 3,
        "DatapointsToAlarm": 2,
        "Threshold": 80.5,
        "ComparisonOperator": "GreaterThanThreshold",
        "TreatMissingData": "breaching",
        "Tags": TAGS,
    },
    changes={
        "AlarmDescription": "otherwise",
        "ActionsEnabled": True,
        "AlarmActions": [_topic("three")],
        "OKActions": [],
        "InsufficientDataActions": [_topic("one"), _topic("two")],
        "Namespace": "AWS/RDS",
        "MetricName": "CPUCreditBalance",
        "Dimensions": [{"Name": "DBInstanceIdentifier", "Value": "db"}],
        "Statistic": "Maximum",
        "Unit": "Count",
        "Period": 60,
        "EvaluationPeriods": 4,
        "DatapointsToAlarm": 3,
        "Threshold": 5,
        "ComparisonOperator": "LessThanThreshold",
        "TreatMissingData": "notBreaching",
        "Tags": OTHER_TAGS,
    },
    resets={
        "AlarmDescription": ABSENT,
        "ActionsEnabled": True,
        "AlarmActions": [],
        "InsufficientDataActions": [],
        "Unit": ABSENT,
        "DatapointsToAlarm": ABSENT,
        "TreatMissingData": ABSENT,
        "Tags": ABSENT,
    },
    attributes=("Arn",),
    foreign=lambda clients: clients("cloudwatch").put_metric_alarm(AlarmName="contract-foreign", **_SMALL),
    deny=("monitoring", "DescribeAlarms"),
    many=lambda number: {"AlarmName": f"many-alarm-{number}", **_SMALL, "Tags": TAGS},
    calls={"monitoring:DescribeAlarms": 2, "tagging:GetResources": 5},
    name="AlarmName",
)

EXPRESSION = Case(
    "AWS::CloudWatch::Alarm",
    {
        "AlarmName": "contract-expression",
        "Metrics": _queries(60),
        "EvaluationPeriods": 1,
        "Threshold": 1,
        "ComparisonOperator": "GreaterThanThreshold",
        "Tags": TAGS,
    },
    changes={"Metrics": _queries(120)},
    deny=("monitoring", "DescribeAlarms"),
    name="AlarmName",
    label="AlarmOnMetrics",
)


def _body(text: str, width: int = 6) -> str:
    return json.dumps({"widgets": [{"type": "text", "width": width, "properties": {"markdown": text}}]})


DASHBOARD = Case(
    "AWS::CloudWatch::Dashboard",
    {"DashboardName": "contract-dashboard", "DashboardBody": _body("as wanted"), "Tags": TAGS},
    changes={"DashboardBody": _body("otherwise", 12), "Tags": OTHER_TAGS},
    resets={"Tags": ABSENT},
    foreign=lambda clients: clients("cloudwatch").put_dashboard(
        DashboardName="contract-foreign", DashboardBody=_body("theirs")
    ),
    deny=("monitoring", "GetDashboard"),
    name="DashboardName",
    searchable=False,
)

CASES = (ALARM, EXPRESSION, DASHBOARD)
