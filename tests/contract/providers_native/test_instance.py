"""What only instances do: they are stopped for some changes, and started again if they were stopped for them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from reconciler.model.errors import AwsFault, FaultKind
from reconciler.model.ids import Identifier
from reconciler.model.progress import Pending
from reconciler.model.values import Sensitive
from reconciler.ports import Scope
from reconciler.testing.localaws import LocalAws
from tests.contract.providers_native.hands import ACCOUNT, REGION, Hands, owned, owner

_DESIRED = {"ImageId": "ami-12345678", "InstanceType": "t3.micro", "SourceDestCheck": True}
_MARK = "reconciler:restart"


@pytest.fixture
def hands(scope: Scope) -> Hands:
    return Hands(scope, "AWS::EC2::Instance")


@pytest.fixture
def ec2(aws: LocalAws) -> Any:
    return aws.client("ec2", account=ACCOUNT, region=REGION)


@pytest.fixture
def made(hands: Hands, ec2: Any) -> Iterator[Identifier]:
    identifier = hands.create(owned(_DESIRED, owner("Restarted"), hands.type_name))
    yield identifier
    hands.delete(identifier)


def _shown(ec2: Any, identifier: str) -> tuple[str, set[str]]:
    one = ec2.describe_instances(InstanceIds=[identifier])["Reservations"][0]["Instances"][0]
    return one["State"]["Name"], {tag["Key"] for tag in one["Tags"]}


def _grown(hands: Hands, identifier: Identifier) -> Any:
    after = {**_DESIRED, "InstanceType": "t3.large"}
    return hands.provider.update(hands.scope, identifier, _DESIRED, after, frozenset({"InstanceType"}))


def test_a_running_instance_runs_again_after_the_change(hands: Hands, ec2: Any, made: Identifier) -> None:
    progress = _grown(hands, made)
    assert isinstance(progress, Pending)
    state, tags = _shown(ec2, made)
    assert state == "stopped"
    assert _MARK in tags
    hands.wait(progress)
    state, tags = _shown(ec2, made)
    assert state == "running"
    assert _MARK not in tags
    assert hands.drift(made, {"InstanceType": "t3.large"}) == []


def test_one_that_was_stopped_for_a_change_is_started_even_if_the_handle_was_lost(
    hands: Hands, ec2: Any, made: Identifier
) -> None:
    _grown(hands, made)
    hands.wait(_grown(hands, made))
    assert _shown(ec2, made)[0] == "running"


def test_one_that_somebody_stopped_stays_so(hands: Hands, ec2: Any, made: Identifier) -> None:
    ec2.stop_instances(InstanceIds=[made])
    hands.wait(_grown(hands, made))
    assert _shown(ec2, made)[0] == "stopped"
    assert hands.drift(made, {"InstanceType": "t3.large"}) == []


def test_a_secret_is_not_kept_while_an_instance_is_stopped(
    hands: Hands, aws: LocalAws, ec2: Any, made: Identifier
) -> None:
    after = {**_DESIRED, "UserData": Sensitive("c2VjcmV0")}
    aws.reset_calls()
    with pytest.raises(AwsFault, match="while it is stopped") as caught:
        hands.provider.update(hands.scope, made, _DESIRED, after, frozenset({"UserData"}))
    assert caught.value.kind is FaultKind.INVALID_REQUEST
    assert "c2VjcmV0" not in str(caught.value)
    assert not aws.mutations()


def test_a_device_that_would_need_another_instance_is_refused(hands: Hands, aws: LocalAws, made: Identifier) -> None:
    after = {**_DESIRED, "BlockDeviceMappings": [{"DeviceName": "/dev/sdx", "Ebs": {"VolumeSize": 9}}]}
    aws.reset_calls()
    with pytest.raises(AwsFault, match="can't be changed in place"):
        hands.provider.update(hands.scope, made, _DESIRED, after, frozenset({"BlockDeviceMappings"}))
    assert not aws.mutations()


def test_one_that_is_protected_is_not_terminated(hands: Hands, ec2: Any, made: Identifier) -> None:
    hands.update(made, {**_DESIRED, "DisableApiTermination": True}, "DisableApiTermination")
    with pytest.raises(AwsFault, match="disableApiTermination"):
        hands.delete(made)
    assert _shown(ec2, made)[0] == "running"
    hands.update(made, _DESIRED, "DisableApiTermination")


def test_volumes_get_the_tags_but_not_the_owner(hands: Hands, ec2: Any) -> None:
    desired = {**_DESIRED, "PropagateTagsToVolumeOnCreation": True, "Tags": [{"Key": "team", "Value": "web"}]}
    identifier = hands.create(owned(desired, owner("Propagated"), hands.type_name))
    asked = [{"Name": "attachment.instance-id", "Values": [identifier]}]
    volumes = ec2.describe_volumes(Filters=asked)["Volumes"]
    assert [volume["Tags"] for volume in volumes] == [[{"Key": "team", "Value": "web"}]]
    hands.delete(identifier)


def test_another_profile_replaces_the_first(hands: Hands, aws: LocalAws, ec2: Any, made: Identifier) -> None:
    iam = aws.client("iam", account=ACCOUNT, region=REGION)
    for name in ("handed-over-first", "handed-over-then"):
        iam.create_instance_profile(InstanceProfileName=name)
        hands.update(made, {**_DESIRED, "IamInstanceProfile": name}, "IamInstanceProfile")
    found = ec2.describe_iam_instance_profile_associations()["IamInstanceProfileAssociations"]
    held = [one["IamInstanceProfile"]["Arn"].rpartition("/")[2] for one in found if one["InstanceId"] == made]
    assert held == ["handed-over-then"]
