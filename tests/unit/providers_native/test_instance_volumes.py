"""Volumes that come to an instance and leave it take their time, which moto doesn't show."""

from __future__ import annotations

from typing import Any

import pytest

from reconciler.model.errors import AwsFault, FaultKind
from reconciler.model.ids import Identifier
from reconciler.model.progress import Done, Pending
from reconciler.providers.native.ec2_instance import PROVIDERS
from tests.unit.providers_native.scripted import ScriptedScope

NAME = Identifier("i-1")
INSTANCE = PROVIDERS[0]


def described(**devices: tuple[str, str]) -> dict[str, Any]:
    mappings = [
        {"DeviceName": f"/dev/{name}", "Ebs": {"VolumeId": volume, "Status": status}}
        for name, (volume, status) in devices.items()
    ]
    one = {"InstanceId": NAME, "State": {"Name": "running"}, "RootDeviceName": "/dev/xvda"}
    return {"Reservations": [{"Instances": [{**one, "BlockDeviceMappings": mappings}]}]}


def volumes(**devices: str) -> dict[str, Any]:
    return {"Volumes": [{"Device": f"/dev/{name}", "VolumeId": one} for name, one in devices.items()]}


def test_what_is_on_its_way_is_waited_for() -> None:
    on_its_way = described(sdf=("vol-1", "attaching"))
    scope = ScriptedScope(describe_instances=[on_its_way, on_its_way, described(sdf=("vol-1", "attached"))])
    progress = INSTANCE.update(scope, NAME, {}, volumes(sdf="vol-1"), frozenset({"Volumes"}))
    assert isinstance(progress, Pending)
    assert progress.message == "/dev/sdf of i-1 is attaching"
    assert INSTANCE.poll(scope, progress.handle) == Done(NAME)


def test_a_device_is_free_when_its_volume_has_gone() -> None:
    scope = ScriptedScope(detach_volume=[{}], describe_instances=[described(sdf=("vol-1", "detaching"))])
    with pytest.raises(AwsFault, match="/dev/sdf of i-1 isn't free for vol-2 yet") as caught:
        INSTANCE.update(scope, NAME, volumes(sdf="vol-1"), volumes(sdf="vol-2"), frozenset({"Volumes"}))
    assert caught.value.kind is FaultKind.UNAVAILABLE
    assert [name for name, _ in scope.asked] == ["detach_volume", "describe_instances"]


def test_a_volume_that_stays_is_left_alone() -> None:
    scope = ScriptedScope(detach_volume=[{}], describe_instances=[described()])
    before, after = volumes(sdf="vol-1", sdg="vol-2"), volumes(sdg="vol-2")
    assert INSTANCE.update(scope, NAME, before, after, frozenset({"Volumes"})) == Done(NAME)
    assert ("detach_volume", {"VolumeId": "vol-1", "InstanceId": NAME}) in scope.asked
