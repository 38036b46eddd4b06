"""What only databases, repositories, groups of logs and IoT's types have to get right, on the local AWS."""

from __future__ import annotations

from typing import Any

import pytest

from reconciler.model.errors import AwsFault, FaultKind
from reconciler.model.ids import Identifier
from reconciler.model.progress import Done, Handle, Pending
from reconciler.model.resource import Observation, Wanted
from reconciler.model.values import Sensitive
from reconciler.ports import Emptying, Scope
from reconciler.testing.localaws import LocalAws
from tests.contract.providers_native.cases import document
from tests.contract.providers_native.hands import ACCOUNT, REGION, Hands, owned, owner


def client(aws: LocalAws, service: str) -> Any:
    return aws.client(service, account=ACCOUNT, region=REGION)


def database(name: str, **more: Any) -> dict[str, Any]:
    desired = {"DBInstanceIdentifier": name, "DBInstanceClass": "db.t3.micro", "Engine": "mysql", **more}
    return owned(desired, owner("Database"), "AWS::RDS::DBInstance")


def test_an_iot_policy_makes_room_for_its_newest_version(aws: LocalAws, scope: Scope) -> None:
    hands, iot = Hands(scope, "AWS::IoT::Policy"), client(aws, "iot")
    desired = owned({"PolicyName": "many", "PolicyDocument": document("iot:A0")}, owner("Many"), "AWS::IoT::Policy")
    made = hands.create(desired)
    for number in range(1, 8):
        desired = {**desired, "PolicyDocument": document(f"iot:A{number}")}
        hands.update(made, desired, "PolicyDocument")
    assert len(iot.list_policy_versions(policyName="many")["policyVersions"]) == 5
    assert hands.drift(made, desired) == []
    hands.delete(made)
    assert hands.read(made) is None


def test_a_thing_type_is_deleted_when_it_was_deprecated_for_long_enough(aws: LocalAws, scope: Scope) -> None:
    hands, iot = Hands(scope, "AWS::IoT::ThingType"), client(aws, "iot")
    made = hands.create(owned({"ThingTypeName": "lamps"}, owner("Lamps"), "AWS::IoT::ThingType"))
    early = "Cannot delete thing type : lamps. Please wait for 5 minutes after deprecation and then retry"
    aws.fail("iot", "DeleteThingType", "InvalidRequestException", message=early, times=2)
    progress = hands.provider.delete(scope, made)
    assert isinstance(progress, Pending)
    assert iot.describe_thing_type(thingTypeName="lamps")["thingTypeMetadata"]["deprecated"]
    progress = hands.provider.poll(scope, progress.handle)
    assert isinstance(progress, Pending)
    assert hands.provider.poll(scope, progress.handle) == Done(made)
    assert hands.read(made) is None
    assert hands.provider.poll(scope, Handle(made, "delete:")) == Done(made)


def test_another_reason_not_to_delete_a_thing_type_is_told(aws: LocalAws, scope: Scope) -> None:
    hands = Hands(scope, "AWS::IoT::ThingType")
    made = hands.create(owned({"ThingTypeName": "doors"}, owner("Doors"), "AWS::IoT::ThingType"))
    aws.fail("iot", "DeleteThingType", "InvalidRequestException", message="things have it")
    with pytest.raises(AwsFault, match="things have it"):
        hands.provider.delete(scope, made)
    hands.delete(made)


def test_an_instance_is_restored_from_a_snapshot(aws: LocalAws, scope: Scope) -> None:
    hands, rds = Hands(scope, "AWS::RDS::DBInstance"), client(aws, "rds")
    old = hands.create(
        database("first", AllocatedStorage="20", MasterUsername="admin", MasterUserPassword="secret-one")
    )
    rds.create_db_snapshot(DBInstanceIdentifier=old, DBSnapshotIdentifier="kept")
    wanted = database("second", DBSnapshotIdentifier=Sensitive("kept"), BackupRetentionPeriod=5)
    aws.reset_calls()
    made = hands.create(wanted)
    assert "rds:RestoreDBInstanceFromDBSnapshot" in aws.mutations()
    live = hands.read(made, *wanted)
    assert live is not None
    assert live.properties["BackupRetentionPeriod"] == 5
    hands.delete(made)
    hands.delete(old)
    assert [one["DBSnapshotIdentifier"] for one in rds.describe_db_snapshots()["DBSnapshots"]] == ["kept"]


def test_a_restored_instance_is_given_no_password(aws: LocalAws, scope: Scope) -> None:
    wanted = database("third", DBSnapshotIdentifier="kept", MasterUserPassword=Sensitive("secret-two"))
    aws.reset_calls()
    with pytest.raises(AwsFault, match="MasterUserPassword of AWS::RDS::DBInstance") as caught:
        Hands(scope, "AWS::RDS::DBInstance").create(wanted)
    assert caught.value.kind is FaultKind.INVALID_REQUEST
    assert "secret-two" not in str(caught.value)
    assert not aws.mutations()


def cluster(name: str, **more: Any) -> dict[str, Any]:
    desired = {"DBClusterIdentifier": name, "Engine": "aurora-mysql", **more}
    return owned(desired, owner(name.title()), "AWS::RDS::DBCluster")


def test_a_cluster_is_restored_from_another_one(aws: LocalAws, scope: Scope) -> None:
    hands = Hands(scope, "AWS::RDS::DBCluster")
    old = hands.create(cluster("first", MasterUsername="admin", MasterUserPassword="secret-one"))
    how = {"RestoreType": Sensitive("copy-on-write"), "UseLatestRestorableTime": Sensitive(value=True)}
    wanted = cluster("second", SourceDBClusterIdentifier=Sensitive(old), BackupRetentionPeriod=5, **how)
    aws.reset_calls()
    made = hands.create(wanted)
    assert "rds:RestoreDBClusterToPointInTime" in aws.mutations()
    assert "rds:CreateDBCluster" not in aws.mutations()
    live = hands.read(made, "BackupRetentionPeriod", "Tags")
    assert live is not None
    assert live.properties["BackupRetentionPeriod"] == 5
    hands.delete(made)
    hands.delete(old)


def test_how_a_cluster_would_be_restored_says_nothing_of_one_that_is_not(aws: LocalAws, scope: Scope) -> None:
    hands = Hands(scope, "AWS::RDS::DBCluster")
    wanted = cluster(
        "third", MasterUsername="admin", MasterUserPassword="secret-one", RestoreType=Sensitive("full-copy")
    )
    aws.reset_calls()
    made = hands.create(wanted)
    assert dict(aws.mutations()) == {"rds:CreateDBCluster": 1}
    hands.delete(made)


def test_parameters_of_others_stay_theirs(aws: LocalAws, scope: Scope) -> None:
    hands, rds = Hands(scope, "AWS::RDS::DBParameterGroup"), client(aws, "rds")
    desired = {"Family": "mysql8.0", "Description": "shared", "Parameters": {"max_connections": 100}}
    desired = owned(desired, owner("Shared"), "AWS::RDS::DBParameterGroup")
    made = hands.create(desired)
    theirs = {"ParameterName": "sql_mode", "ParameterValue": "ANSI", "ApplyMethod": "immediate"}
    rds.modify_db_parameter_group(DBParameterGroupName=made, Parameters=[theirs])
    assert hands.drift(made, desired) == []
    assert hands.drift(made, {**desired, "Parameters": {"max_connections": 200}}) == [
        ("/Parameters/max_connections", "100", 200)
    ]
    hands.delete(made)


def test_a_repository_goes_with_its_images_only_when_told_to(aws: LocalAws, scope: Scope) -> None:
    hands, ecr = Hands(scope, "AWS::ECR::Repository"), client(aws, "ecr")
    desired = {"RepositoryName": "specific-images", "EmptyOnDelete": True}
    made = hands.create(owned(desired, owner("Images"), "AWS::ECR::Repository"))
    manifest = '{"schemaVersion": 2, "mediaType": "application/vnd.docker.distribution.manifest.v2+json"}'
    ecr.put_image(repositoryName=made, imageManifest=manifest, imageTag="latest")
    with pytest.raises(AwsFault):
        hands.delete(made)
    assert isinstance(hands.provider, Emptying)
    for _ in range(2):  # gone already is fine
        assert hands.provider.delete_whole(scope, made) == Done(made)
    assert hands.read(made, "RepositoryName") is None


def test_a_protected_group_is_not_deleted_until_it_is_told_to_be_free(aws: LocalAws, scope: Scope) -> None:
    hands = Hands(scope, "AWS::Logs::LogGroup")
    desired = {"LogGroupName": "specific-protected", "DeletionProtectionEnabled": "true"}
    group = hands.create(owned(desired, owner("Protected"), "AWS::Logs::LogGroup"))
    assert hands.drift(group, desired) == []
    with pytest.raises(AwsFault, match="protected"):
        hands.delete(group)
    hands.update(group, {"LogGroupName": "specific-protected"}, "DeletionProtectionEnabled")
    hands.delete(group)
    assert hands.read(group) is None


def test_groups_with_settings_are_read_beside_many_without(aws: LocalAws, scope: Scope) -> None:
    hands = Hands(scope, "AWS::Logs::LogGroup")
    names = [f"specific-group-{number}" for number in range(12)]
    indexed = {"FieldIndexPolicies": [{"Fields": ["RequestId"]}]}
    for name in names:
        more = indexed if name.endswith("-3") else {}
        hands.create(owned({"LogGroupName": name, **more}, owner(name.title().replace("-", "")), "AWS::Logs::LogGroup"))
    wanted = [Wanted(Identifier(name), frozenset(indexed if name.endswith("-3") else ())) for name in names]
    aws.reset_calls()
    found = hands.provider.read_many(scope, [*wanted, Wanted(Identifier("specific-group-none"), frozenset())])
    assert set(found) == set(names)
    shown = {name: one.properties for name, one in found.items() if isinstance(one, Observation)}
    assert [name for name, properties in shown.items() if "FieldIndexPolicies" in properties] == ["specific-group-3"]
    assert aws.calls()["logs:DescribeLogGroups"] == 2
