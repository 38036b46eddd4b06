"""EMR: what isn't a cluster is said not to be one; clusters have switches and policies, groups are told when added."""

from __future__ import annotations

from functools import partialmethod
from typing import Any

from moto.core.responses import ActionResult, EmptyResult
from moto.emr.exceptions import InvalidCluster
from moto.emr.models import ElasticMapReduceBackend, InstanceGroup
from moto.emr.responses import ElasticMapReduceResponse

from reconciler.testing.taught.lesson import Lesson, adds, changes

_begin = ElasticMapReduceBackend.__init__
#: policies of clusters, by what the operations are called
_POLICIES = {
    "auto_termination_policy": "AutoTerminationPolicy",
    "managed_scaling_policy": "ManagedScalingPolicy",
}


class Clusters(dict[str, Any]):
    """Clusters by their ids."""

    def __missing__(self, key: str) -> Any:
        raise InvalidCluster(key)


def ebs_optimized(self: Any) -> Any:
    """Whether a group's instances are."""
    return (self.ebs_configuration or {}).get("ebs_optimized")


def ebs_block_devices(self: Any) -> list[dict[str, Any]]:
    """A group's volumes, one by one."""
    names = {"volume_type": "VolumeType", "iops": "Iops", "size_in_gb": "SizeInGB", "throughput": "Throughput"}
    kinds = (self.ebs_configuration or {}).get("ebs_block_device_configs", [])
    return [
        {
            "Device": f"/dev/sd{number}",
            "VolumeSpecification": {names[key]: kind["volume_specification"].get(key) for key in names},
        }
        for kind in kinds
        for number in range(kind.get("volumes_per_instance") or 1)
    ]


def begin(self: Any, *args: Any, **more: Any) -> None:
    """The backend's beginning."""
    _begin(self, *args, **more)
    self.clusters = Clusters()


def add_instance_groups(self: Any) -> Any:
    """AddInstanceGroups."""
    identifier = self._get_param("JobFlowId")
    made = self.backend.add_instance_groups(identifier, self._get_param("InstanceGroups", []))
    return ActionResult({"JobFlowId": identifier, "InstanceGroupIds": [group.id for group in made]})


def set_unhealthy_node_replacement(self: Any) -> Any:
    """SetUnhealthyNodeReplacement."""
    for identifier in self._get_param("JobFlowIds"):
        self.backend.clusters[identifier].unhealthy_node_replacement = self._get_param("UnhealthyNodeReplacement")
    return EmptyResult()


def set_keep_job_flow_alive_when_no_steps(self: Any) -> Any:
    """SetKeepJobFlowAliveWhenNoSteps."""
    alive = self._get_param("KeepJobFlowAliveWhenNoSteps")
    for identifier in self._get_param("JobFlowIds"):
        self.backend.clusters[identifier].keep_job_flow_alive_when_no_steps = alive
    return EmptyResult()


def _cluster(self: Any) -> Any:
    return self.backend.clusters[self._get_param("ClusterId")]


def put_policy(self: Any, name: str) -> Any:
    """PutManagedScalingPolicy, PutAutoTerminationPolicy."""
    setattr(_cluster(self), f"policy_{name}", self._get_param(name))
    return EmptyResult()


def get_policy(self: Any, name: str) -> Any:
    """GetManagedScalingPolicy, GetAutoTerminationPolicy."""
    policy = getattr(_cluster(self), f"policy_{name}", None)
    return ActionResult({} if policy is None else {name: policy})


def remove_policy(self: Any, name: str) -> Any:
    """RemoveManagedScalingPolicy, RemoveAutoTerminationPolicy."""
    setattr(_cluster(self), f"policy_{name}", None)
    return EmptyResult()


LESSONS = (
    Lesson(
        call="emr:ListInstances",
        aws="says InvalidRequestException of what isn't a cluster, as all operations on one do",
        moto="crashes, in all but DescribeCluster",
        given=(changes(ElasticMapReduceBackend, __init__=begin),),
    ),
    Lesson(
        call="emr:AddInstanceGroups",
        aws="tells the ids of the groups that it has made",
        moto="tells nothing that a client could read",
        given=(changes(ElasticMapReduceResponse, add_instance_groups),),
    ),
    Lesson(
        call="emr:ListInstanceGroups",
        aws="shows each volume of a group's instances, with its throughput, and whether they are optimized for them",
        moto="shows neither the one nor the other, and no volume where their number isn't said",
        given=(
            adds(InstanceGroup, ebs_optimized=property(ebs_optimized)),
            changes(InstanceGroup, ebs_block_devices=property(ebs_block_devices)),
        ),
    ),
    Lesson(
        call="emr:SetUnhealthyNodeReplacement",
        aws="switches it, and keeping a cluster alive, for clusters that run",
        moto="has neither of the two operations",
        given=(adds(ElasticMapReduceResponse, set_unhealthy_node_replacement, set_keep_job_flow_alive_when_no_steps),),
    ),
    Lesson(
        call="emr:PutManagedScalingPolicy",
        aws="keeps policies that scale a cluster, or end it when it is idle",
        moto="has none of the six operations",
        given=(
            adds(
                ElasticMapReduceResponse,
                **{
                    f"{verb}_{operation}": partialmethod(method, name)
                    for operation, name in _POLICIES.items()
                    for verb, method in {"put": put_policy, "get": get_policy, "remove": remove_policy}.items()
                },
            ),
        ),
    ),
)
