"""EC2: of Amazon's images there are a few dozen, not every one of lately; volumes keep all that is said of them."""

from __future__ import annotations

from typing import Any

from moto.core.responses import ActionResult, EmptyResult
from moto.ec2.models import amis
from moto.ec2.responses.elastic_block_store import ElasticBlockStore

from reconciler.testing.taught.lesson import Lesson, changes, remembered

_create_volume = ElasticBlockStore.create_volume


def load_resource(path: str) -> Any:
    """None of a region's latest. Raises FileNotFoundError, as for a region that moto has no list of."""
    raise FileNotFoundError(path)


def create_volume(self: Any) -> Any:
    """CreateVolume."""
    answer: Any = _create_volume(self)
    answer.result.volume_initialization_rate = self._get_param("VolumeInitializationRate")
    return answer


def modify_volume_attribute(self: Any) -> Any:
    """ModifyVolumeAttribute."""
    volume = self.ec2_backend.get_volume(self._get_param("VolumeId"))
    remembered(volume, "attributes")["AutoEnableIO"] = self._get_param("AutoEnableIO")
    return EmptyResult()


def describe_volume_attribute(self: Any) -> Any:
    """DescribeVolumeAttribute."""
    volume = self.ec2_backend.get_volume(self._get_param("VolumeId"))
    known = {"AutoEnableIO": {"Value": False}, **remembered(volume, "attributes")}
    shown = known if self._get_param("Attribute") == "autoEnableIO" else {}
    return ActionResult({"VolumeId": volume.id, **shown})


LESSONS = (
    Lesson(
        call="ec2:CreateVolume",
        aws="keeps how fast a volume is to be filled from its snapshot",
        moto="forgets it",
        given=(changes(ElasticBlockStore, create_volume),),
    ),
    Lesson(
        call="ec2:DescribeVolumeAttribute",
        aws="keeps whether a volume is used again after it may have lost data",
        moto="has neither of the two operations",
        given=(changes(ElasticBlockStore, modify_volume_attribute, describe_volume_attribute),),
    ),
    Lesson(
        call="ec2:DescribeImages",
        aws="keeps its images when an account is new",
        moto="makes over a thousand anew for each region of each account, a third of a second whenever it is reset",
        given=(changes(amis, load_resource),),
    ),
)
