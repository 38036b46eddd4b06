"""AWS::CloudWatch::Alarm and Dashboard."""

from __future__ import annotations

from typing import Any

from reconciler.model.ids import TypeName
from reconciler.ports import ResourceProvider, Scope
from reconciler.providers.declared import Call, Declaration, Declared, Many, Read, Update, arn_tagging
from reconciler.providers.native.naming import NameRule
from reconciler.providers.native.reading import without_empty

_LONGEST = 255

#: All that an alarm is but its name and tags: one call sets all of it.
_SETTINGS = (
    "ActionConfiguration",
    "ActionsEnabled",
    "AlarmActions",
    "AlarmDescription",
    "ComparisonOperator",
    "DatapointsToAlarm",
    "Dimensions",
    "EvaluateLowSampleCountPercentile",
    "EvaluationCriteria",
    "EvaluationInterval",
    "EvaluationPeriods",
    "EvaluationWindow",
    "ExtendedStatistic",
    "InsufficientDataActions",
    "MetricName",
    "Metrics",
    "Namespace",
    "OKActions",
    "Period",
    "Statistic",
    "Threshold",
    "ThresholdMetricId",
    "TreatMissingData",
    "Unit",
    "WarmUpConfiguration",
)

_ALARM = Declaration(
    type=TypeName("AWS::CloudWatch::Alarm"),
    service="cloudwatch",
    renames={"Arn": "AlarmArn"},
    naming=NameRule("AlarmName", _LONGEST),
    arn="arn:{partition}:cloudwatch:{region}:{account}:alarm:{AlarmName}",
    read=Read("describe_alarms", "MetricAlarms", many=Many("AlarmNames", "AlarmName")),
    create=Call("put_metric_alarm", ("AlarmName", *_SETTINGS)),
    updates=(Update(Call("put_metric_alarm", _SETTINGS), whole=True),),
    delete=Call("delete_alarms", constants={"AlarmNames": ["{AlarmName}"]}),
    tagging=arn_tagging("ResourceARN", kind="cloudwatch:alarm"),
    looks_first=True,
)

_DASHBOARD = Declaration(
    type=TypeName("AWS::CloudWatch::Dashboard"),
    service="cloudwatch",
    naming=NameRule("DashboardName", _LONGEST),
    arn="arn:{partition}:cloudwatch::{account}:dashboard/{DashboardName}",  # of the account, in no region
    read=Read("get_dashboard"),
    create=Call("put_dashboard"),
    updates=(Update(Call("put_dashboard", ("DashboardBody",))),),
    delete=Call("delete_dashboards", constants={"DashboardNames": ["{DashboardName}"]}),
    tagging=arn_tagging("ResourceARN"),
    looks_first=True,
)


class Alarm(Declared):
    """An alarm. AWS shows lists without anything in them, some of which it doesn't take together with others."""

    def adapt_given(self, scope: Scope, call: Call, values: dict[str, Any]) -> dict[str, Any]:  # noqa: ARG002
        """See ``Declared``: what isn't said is reset."""
        return without_empty(values)


PROVIDERS: tuple[ResourceProvider, ...] = (Alarm(_ALARM), Declared(_DASHBOARD))
