"""AWS::Batch::ComputeEnvironment and AWS::Batch::JobQueue.

A name that is taken is refused with a code that says nothing, so that both look first. What is to be deleted has to be
disabled before, which takes a while, too.
"""

from __future__ import annotations

from typing import Any

from reconciler.model.errors import AwsFault, FaultKind
from reconciler.model.ids import ClientToken, Identifier, TypeName
from reconciler.model.progress import Done, Handle, Pending, Progress
from reconciler.model.values import Properties
from reconciler.ports import ResourceProvider, Scope
from reconciler.providers.declared import Call, Declaration, Declared, Many, Read, Tagging, Update, Waiting, arn_tagging
from reconciler.providers.declared.progress import DELETE
from reconciler.providers.native.naming import NameRule

_BUSY = frozenset({"CREATING", "UPDATING", "DELETING"})
_WAITING = Waiting("status", _BUSY, frozenset({"INVALID"}), frozenset({"DELETED"}), why="statusReason", seconds=5.0)


def tagging(kind: str) -> Tagging:
    """The tags of any resource of this service; ``kind``: the type's name in the tagging API."""
    return arn_tagging("resourceArn", tags="tags", keys="tagKeys", create="tags", read="", inline="tags", kind=kind)


class Disabled(Declared):
    """A type that is disabled before it is deleted."""

    def remove(self, scope: Scope, identifier: Identifier) -> None:
        """See ``Declared``: the delete itself follows as soon as it is possible."""
        if self._reader.item(scope, identifier).get("state") != "DISABLED":
            call = self.declaration.updates[0].call
            self._send(scope, call, self._reader.identity(scope, identifier), {"State": "DISABLED"})

    def _gone(self, scope: Scope, identifier: Identifier) -> Progress:
        try:
            item = self._reader.item(scope, identifier)
            if item.get("state") == "DISABLED" and item.get("status") not in _BUSY:
                super().remove(scope, identifier)
                item = self._reader.item(scope, identifier)
        except AwsFault as fault:
            if fault.kind is FaultKind.NOT_FOUND:
                return Done(identifier)
            raise
        message = f"{identifier} is {str(item.get('status', '')).lower()}"
        return Pending(Handle(identifier, DELETE), _WAITING.seconds, message)


_QUEUE = Declaration(
    type=TypeName("AWS::Batch::JobQueue"),
    service="batch",
    naming=NameRule("JobQueueName", 128, distinct=("JobQueueType",)),
    identity={"JobQueueArn": "arn:{partition}:batch:{region}:{account}:job-queue/{JobQueueName}"},
    arn="{JobQueueArn}",
    read=Read("describe_job_queues", "jobQueues", many=Many("jobQueues", "JobQueueArn")),
    create=Call("create_job_queue"),
    looks_first=True,
    updates=(
        Update(
            Call(
                "update_job_queue",
                (
                    "ComputeEnvironmentOrder",
                    "JobStateTimeLimitActions",
                    "Priority",
                    "SchedulingPolicyArn",
                    "ServiceEnvironmentOrder",
                    "State",
                ),
                constants={"jobQueue": "{JobQueueArn}"},
            )
        ),
    ),
    delete=Call("delete_job_queue", constants={"jobQueue": "{JobQueueArn}"}),
    tagging=tagging("batch:job-queue"),
    waiting=_WAITING,
    resets={"JobStateTimeLimitActions": [], "State": "ENABLED"},
)

_ENVIRONMENT = Declaration(
    type=TypeName("AWS::Batch::ComputeEnvironment"),
    service="batch",
    naming=NameRule("ComputeEnvironmentName", 128, distinct=("Type",)),
    identity={
        "ComputeEnvironmentArn": "arn:{partition}:batch:{region}:{account}:compute-environment/{ComputeEnvironmentName}"
    },
    arn="{ComputeEnvironmentArn}",
    read=Read(
        "describe_compute_environments",
        "computeEnvironments",
        many=Many("computeEnvironments", "ComputeEnvironmentArn"),
    ),
    create=Call("create_compute_environment"),
    looks_first=True,
    updates=(
        Update(
            Call(
                "update_compute_environment",
                (
                    "ComputeResources",
                    "Context",
                    "EcsSettings",
                    "EksConfiguration",
                    "ReplaceComputeEnvironment",
                    "ServiceRole",
                    "State",
                    "UnmanagedvCpus",
                    "UpdatePolicy",
                ),
                constants={"computeEnvironment": "{ComputeEnvironmentArn}"},
            ),
            along=("UpdatePolicy",),
        ),
    ),
    delete=Call("delete_compute_environment", constants={"computeEnvironment": "{ComputeEnvironmentArn}"}),
    tagging=tagging("batch:compute-environment"),
    waiting=_WAITING,
    resets={"EcsSettings": {"ContainerInsights": "disabled"}, "State": "ENABLED"},
    also=("iam:PassRole",),
)
#: What is for updates only, and isn't shown.
_LATER = frozenset({"ReplaceComputeEnvironment", "UpdatePolicy"})


class ComputeEnvironment(Disabled):
    """A compute environment. It is changed in place where AWS can, whatever ``ReplaceComputeEnvironment`` says."""

    def create(self, scope: Scope, desired: Properties, token: ClientToken) -> Progress:
        """See ``ports.ResourceProvider``."""
        return super().create(scope, {name: one for name, one in desired.items() if name not in _LATER}, token)

    def adapt_given(self, scope: Scope, call: Call, values: dict[str, Any]) -> dict[str, Any]:  # noqa: ARG002
        """See ``Declared``: not every call takes all parts."""
        values.pop("ReplaceComputeEnvironment", None)
        updating = call.operation == "update_compute_environment"
        if resources := values.get("ComputeResources"):
            values["ComputeResources"] = _resources(resources, updating=updating)
        if updating and (cluster := values.get("EksConfiguration")):
            values["EksConfiguration"] = {"AccessEntry": cluster.get("AccessEntry")}
        return values

    def adapt_reset(self, name: str, before: Properties, after: Properties) -> Any:
        """See ``Declared``: how updates are made is for the next one."""
        return None if name in _LATER else super().adapt_reset(name, before, after)

    def change(
        self, scope: Scope, identifier: Identifier, update: Update, before: Properties, after: Properties
    ) -> None:
        """See ``Declared``: how an update is made is said only with one that replaces instances."""
        if "ComputeResources" not in after:
            after = {name: value for name, value in after.items() if name not in _LATER}
        if after:
            super().change(scope, identifier, update, before, after)


def _resources(resources: Properties, *, updating: bool) -> dict[str, Any]:
    found = dict(resources)
    if not updating:
        found.pop("UpdateToLatestImageVersion", None)
        return found
    found.pop("SpotIamFleetRole", None)
    if managed := found.get("ManagedInstancesProvider"):
        template = dict(managed.get("InstanceLaunchTemplate") or {})
        for name in ("CapacityOptionType", "FipsEnabled"):
            template.pop(name, None)
        found["ManagedInstancesProvider"] = {**managed, "InstanceLaunchTemplate": template}
    return found


PROVIDERS: tuple[ResourceProvider, ...] = (ComputeEnvironment(_ENVIRONMENT), Disabled(_QUEUE))
