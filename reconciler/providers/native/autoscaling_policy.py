"""AWS::AutoScaling::ScheduledAction and ScalingPolicy: what changes a group's size, by the clock or by a metric.

Neither has a name that a plan could give, nor tags: the name is made from the token of the create, whose call makes
nothing new when it is repeated.
"""

# ruff: noqa: ARG002 - methods have the signature that the frame gives them, needed or not

from __future__ import annotations

from typing import Any

from reconciler.model.ids import Identifier, TypeName
from reconciler.model.values import Properties
from reconciler.ports import ResourceProvider, Scope
from reconciler.providers.declared import Call, Declaration, Declared, Read, Update
from reconciler.providers.declared.reading import Item
from reconciler.providers.native.naming import NameRule

_SIZES = ("DesiredCapacity", "MaxSize", "MinSize")
_WHEN = ("EndTime", "Recurrence", "StartTime", "TimeZone")
_POLICY = (
    "AdjustmentType",
    "Cooldown",
    "EstimatedInstanceWarmup",
    "MetricAggregationType",
    "MinAdjustmentMagnitude",
    "PolicyType",
    "PredictiveScalingConfiguration",
    "ScalingAdjustment",
    "StepAdjustments",
    "TargetTrackingConfiguration",
)
_PUT_ACTION, _PUT_POLICY = "put_scheduled_update_group_action", "put_scaling_policy"

_ACTION = Declaration(
    type=TypeName("AWS::AutoScaling::ScheduledAction"),
    service="autoscaling",
    naming=NameRule("ScheduledActionName", 255),
    read=Read(
        "describe_scheduled_actions",
        "ScheduledUpdateGroupActions",
        constants={"ScheduledActionNames": ["{ScheduledActionName}"]},
    ),
    create=Call(_PUT_ACTION, ("AutoScalingGroupName", "ScheduledActionName", *_SIZES, *_WHEN)),
    updates=(Update(Call(_PUT_ACTION, (*_SIZES, *_WHEN))),),
    delete=Call("delete_scheduled_action"),
    resets=dict.fromkeys((*_SIZES, *_WHEN)),
)

_SCALING = Declaration(
    type=TypeName("AWS::AutoScaling::ScalingPolicy"),
    service="autoscaling",
    renames={"Arn": "PolicyARN"},
    naming=NameRule("PolicyName", 255),
    parts={
        "Arn": (
            "arn:{partition}:autoscaling:{region}:{account}:scalingPolicy:{Id}"
            ":autoScalingGroupName/{AutoScalingGroupName}:policyName/{PolicyName}",
        )
    },
    read=Read("describe_policies", "ScalingPolicies", constants={"PolicyNames": ["{PolicyName}"]}),
    create=Call(_PUT_POLICY, ("AutoScalingGroupName", "PolicyName", *_POLICY)),
    updates=(Update(Call(_PUT_POLICY, _POLICY)),),
    delete=Call("delete_policy"),
    resets={"MetricAggregationType": "Average"},
)


class Put(Declared):
    """A type whose only call is given all that the plan says, and nothing that AWS has added."""

    def _target(self, update: Update, before: Properties, after: Properties, changed: frozenset[str]) -> dict[str, Any]:
        wanted = {name: after[name] for name in update.names if after.get(name) is not None}
        return {**wanted, **super()._target(update, before, after, changed - wanted.keys())}


class ScheduledAction(Put):
    """A change of a group's size at some time."""

    def change(
        self, scope: Scope, identifier: Identifier, update: Update, before: Properties, after: Properties
    ) -> None:
        """See ``Declared``. AWS keeps what the call doesn't say, so that an action which loses something is made anew.

        It has the same name again, so that a change which is cut short ends in an absence that the plan puts right.
        """
        if any(before.get(name) is not None and name not in after for name in update.names - {"StartTime"}):
            self.remove(scope, identifier)
        super().change(scope, identifier, update, before, after)


class ScalingPolicy(Put):
    """A policy. One that becomes of another kind loses what only its former kind had."""

    def _identifier(self, scope: Scope, desired: Properties, answer: Any) -> Identifier:
        """Not every endpoint tells the ARN of what it has put: it is looked for by its name then."""
        if not answer.get("PolicyARN"):
            own = {"AutoScalingGroupName": desired["AutoScalingGroupName"], "PolicyNames": [desired["PolicyName"]]}
            answer = next(iter(scope.pages("autoscaling", "describe_policies", "ScalingPolicies", **own)), {})
        return super()._identifier(scope, desired, answer)

    def adapt_observed(self, scope: Scope, item: Item, properties: dict[str, Any]) -> dict[str, Any]:
        """See ``Declared``."""
        return {name: value for name, value in properties.items() if name != "Id" and value not in ("", [])}

    def adapt_reset(self, name: str, before: Properties, after: Properties) -> Any:
        """See ``Declared``."""
        if before.get("PolicyType") != after.get("PolicyType", before.get("PolicyType")):
            return None
        return super().adapt_reset(name, before, after)


PROVIDERS: tuple[ResourceProvider, ...] = (ScheduledAction(_ACTION), ScalingPolicy(_SCALING))
