"""AWS::EMR::Cluster."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from reconciler.model.ids import Identifier, TypeName
from reconciler.model.values import Properties
from reconciler.ports import ResourceProvider, Scope
from reconciler.providers.declared import Call, Declaration, Declared, Listing, Read, Tagging, Update, Waiting
from reconciler.providers.declared.finding import Finder
from reconciler.providers.declared.reading import Item, Reader
from reconciler.providers.native.emr_groups import configured
from reconciler.providers.native.emr_instances import ROLES, change_instances, instances_shown
from reconciler.providers.native.reading import without_empty

_INSTANCES, _BOOTSTRAP = "Instances", "BootstrapActions"
_THIS = {"ClusterId": "{Id}"}
_THESE = {"JobFlowIds": ["{Id}"]}
_STEPS = {"Steps/HadoopJarStep/StepProperties": "Properties"}
_GROUPS = dict(configured(f"{_INSTANCES}/InstanceGroups/"))
_FLEETS = dict(configured(f"{_INSTANCES}/InstanceFleets/InstanceTypeConfigs/"))

_CLUSTER = Declaration(
    type=TypeName("AWS::EMR::Cluster"),
    service="emr",
    renames=dict(configured()),
    arn="arn:{partition}:elasticmapreduce:{region}:{account}:cluster/{Id}",
    read=Read(
        "describe_cluster",
        "Cluster",
        renames={"MasterPublicDNS": "MasterPublicDnsName", "PlacementGroupConfigs": "PlacementGroups"},
        constants=_THIS,
    ),
    extras=(
        Read("list_instance_groups", shows=(_INSTANCES,)),
        Read("list_bootstrap_actions", shows=(_BOOTSTRAP,)),
        *(
            Read(f"get_{operation}", name, constants=_THIS, shows=(name,), into=name)
            for name, operation in (
                ("AutoTerminationPolicy", "auto_termination_policy"),
                ("ManagedScalingPolicy", "managed_scaling_policy"),
            )
        ),
    ),
    create=Call("run_job_flow", renames={**_STEPS, **_GROUPS, **_FLEETS}),
    updates=(
        Update(Call("modify_instance_groups", (_INSTANCES,))),
        Update(Call("modify_cluster", ("StepConcurrencyLevel",), constants=_THIS)),
        Update(Call("set_visible_to_all_users", ("VisibleToAllUsers",), constants=_THESE)),
        Update(
            Call("put_auto_termination_policy", ("AutoTerminationPolicy",), constants=_THIS),
            clear=Call("remove_auto_termination_policy", constants=_THIS),
        ),
        Update(
            Call("put_managed_scaling_policy", ("ManagedScalingPolicy",), constants=_THIS),
            clear=Call("remove_managed_scaling_policy", constants=_THIS),
        ),
    ),
    delete=Call("terminate_job_flows", constants=_THESE),
    listing=Listing(
        "list_clusters",
        "Clusters",
        {"ClusterStates": ["STARTING", "BOOTSTRAPPING", "RUNNING", "WAITING"]},
        whole=False,
    ),
    tagging=Tagging("add_tags", "remove_tags", {"ResourceId": "{Id}"}, inline="Tags", create="Tags"),
    waiting=Waiting(
        "Status.State",
        pending=frozenset({"BOOTSTRAPPING", "STARTING"}),
        failed=frozenset({"TERMINATED_WITH_ERRORS"}),
        gone=frozenset({"TERMINATED", "TERMINATED_WITH_ERRORS"}),
        leaving=frozenset({"TERMINATING"}),
        why="Status.StateChangeReason.Message",
        seconds=30.0,
    ),
    looks_first=True,  # names needn't be unique, and a second cluster would cost as much as the first
    resets={"StepConcurrencyLevel": 1, "VisibleToAllUsers": True},
    also=(
        "iam:PassRole",
        "elasticmapreduce:AddInstanceGroups",
        "elasticmapreduce:ModifyInstanceFleet",
        "elasticmapreduce:PutAutoScalingPolicy",
        "elasticmapreduce:RemoveAutoScalingPolicy",
        "elasticmapreduce:SetKeepJobFlowAliveWhenNoSteps",
        "elasticmapreduce:SetTerminationProtection",
        "elasticmapreduce:SetUnhealthyNodeReplacement",
    ),
    also_reads=("elasticmapreduce:ListInstanceFleets",),
)


class _Reader(Reader):
    def _further(self, scope: Scope, extra: Read, identity: Mapping[str, str], known: Item) -> dict[str, Any]:
        """See ``Reader``."""
        if _INSTANCES in extra.shows:
            return {_INSTANCES: instances_shown(scope, known.answer)}
        if _BOOTSTRAP in extra.shows:
            actions = scope.pages("emr", "list_bootstrap_actions", "BootstrapActions", ClusterId=identity["Id"])
            return {_BOOTSTRAP: [_action(one) for one in actions]}
        return super()._further(scope, extra, identity, known)


def _action(answer: Mapping[str, Any]) -> dict[str, Any]:
    script = without_empty({"Path": answer.get("ScriptPath"), "Args": list(answer.get("Args") or ())})
    return {"Name": answer.get("Name"), "ScriptBootstrapAction": script}


class Cluster(Declared):
    """A cluster. What a plan describes is to stay, so that it is kept alive without steps unless the plan says no."""

    def __init__(self, declaration: Declaration) -> None:
        super().__init__(declaration)
        self._reader = _Reader(declaration, self.schema_in, self.adapt_observed)
        self._finder = Finder(declaration, self._reader, self._tagger)

    def adapt_given(self, scope: Scope, call: Call, values: dict[str, Any]) -> dict[str, Any]:  # noqa: ARG002
        """See ``Declared``. The API has groups and fleets in lists, each with its role."""
        if call.operation != "run_job_flow":
            return values
        given = {"KeepJobFlowAliveWhenNoSteps": True, **values[_INSTANCES]}
        for kind, label in (("Group", "InstanceRole"), ("Fleet", "InstanceFleetType")):
            found = [
                {label: role, **one}
                for role, (name, many) in ROLES.items()
                for one in [
                    *([given.pop(f"{name}Instance{kind}")] if f"{name}Instance{kind}" in given else []),
                    *(given.pop(f"{name}Instance{kind}s", None) or [] if many else []),
                ]
            ]
            given |= {f"Instance{kind}s": found} if found else {}
        return {**values, _INSTANCES: given}

    def _identifier(self, scope: Scope, desired: Properties, answer: Any) -> Identifier:  # noqa: ARG002
        return Identifier(answer["JobFlowId"])

    def adapt_observed(self, scope: Scope, item: Item, properties: dict[str, Any]) -> dict[str, Any]:  # noqa: ARG002
        """See ``Declared``."""
        profile = (item.answer.get("Ec2InstanceAttributes") or {}).get("IamInstanceProfile")
        return without_empty({**properties, "JobFlowRole": profile})

    def change(
        self, scope: Scope, identifier: Identifier, update: Update, before: Properties, after: Properties
    ) -> None:
        """See ``Declared``."""
        if update.names == {_INSTANCES}:
            change_instances(scope, identifier, before.get(_INSTANCES) or {}, after[_INSTANCES])
        else:
            super().change(scope, identifier, update, before, after)


PROVIDERS: tuple[ResourceProvider, ...] = (Cluster(_CLUSTER),)
