"""Where AWS shows more than a plan has: an instance's devices and interfaces, a table's warm throughput."""

from __future__ import annotations

from reconciler.live.compare import compare
from reconciler.schema import schema_for

_ROOT = {"DeviceName": "/dev/xvda", "Ebs": {"VolumeSize": 8, "DeleteOnTermination": True}}
_DATA = {"DeviceName": "/dev/sdf", "Ebs": {"VolumeSize": 20, "DeleteOnTermination": True}}


def _changed(name: str, wanted: object, live: object) -> list[str]:
    schema = schema_for("AWS::EC2::Instance")
    return [change.path for change in compare(schema, {name: wanted}, {name: live})]


def test_a_device_of_the_image_is_no_drift() -> None:
    assert _changed("BlockDeviceMappings", [_DATA], [_ROOT, _DATA]) == []


def test_a_device_that_is_missing_or_differs_is_drift() -> None:
    other = {**_DATA, "Ebs": {"VolumeSize": 30}}
    assert _changed("BlockDeviceMappings", [_DATA], [_ROOT]) == ["/BlockDeviceMappings"]
    assert _changed("BlockDeviceMappings", [_DATA], [_ROOT, other]) == ["/BlockDeviceMappings"]


def test_addresses_that_were_assigned_later_are_no_drift() -> None:
    wanted = {"DeviceIndex": "0", "AssociatePublicIpAddress": True, "SecondaryPrivateIpAddressCount": 1}
    live = {"DeviceIndex": "0", "SubnetId": "subnet-1", "PrivateIpAddresses": [{"PrivateIpAddress": "10.0.0.9"}]}
    assert _changed("NetworkInterfaces", [wanted], [live, {"DeviceIndex": "1"}]) == []
    assert _changed("NetworkInterfaces", [{**wanted, "SubnetId": "subnet-2"}], [live]) == ["/NetworkInterfaces"]


def test_more_warm_throughput_than_wanted_is_no_drift() -> None:
    schema = schema_for("AWS::DynamoDB::Table")
    wanted, warmer = {"ReadUnitsPerSecond": "20000"}, {"ReadUnitsPerSecond": 24000, "WriteUnitsPerSecond": 4000}
    index = {"IndexName": "by-who", "WarmThroughput": wanted}
    desired = {"WarmThroughput": wanted, "GlobalSecondaryIndexes": [index]}
    assert compare(schema, desired, {"WarmThroughput": warmer, "GlobalSecondaryIndexes": [index]}) == ()
    assert (
        compare(
            schema, desired, {"WarmThroughput": wanted, "GlobalSecondaryIndexes": [index | {"WarmThroughput": warmer}]}
        )
        == ()
    )
    colder = {"ReadUnitsPerSecond": 12000}
    live = {"WarmThroughput": colder, "GlobalSecondaryIndexes": [index | {"WarmThroughput": colder}]}
    changes = compare(schema, desired, live)
    assert [change.path for change in changes] == ["/WarmThroughput/ReadUnitsPerSecond", "/GlobalSecondaryIndexes"]
