"""What only one type has to get right, on the local AWS."""

from __future__ import annotations

import json
from typing import Any

import pytest

from reconciler.model.errors import AwsFault, FaultKind
from reconciler.model.ids import Identifier
from reconciler.model.resource import Observation, Unreadable, Wanted
from reconciler.model.values import Sensitive
from reconciler.ports import Scope
from reconciler.testing.localaws import LocalAws
from tests.contract.providers_native.cases import TAGS, TRUST, document
from tests.contract.providers_native.hands import ACCOUNT, REGION, Hands, owned, owner


def client(aws: LocalAws, service: str) -> Any:
    return aws.client(service, account=ACCOUNT, region=REGION)


def role(name: str, **more: Any) -> dict[str, Any]:
    desired = {"RoleName": name, "AssumeRolePolicyDocument": TRUST, **more}
    return owned(desired, owner(name.title().replace("-", "")), "AWS::IAM::Role")


def test_a_bucket_with_objects_is_not_deleted(aws: LocalAws, scope: Scope) -> None:
    hands = Hands(scope, "AWS::S3::Bucket")
    bucket = hands.create(owned({"BucketName": "specific-full"}, owner("Full"), "AWS::S3::Bucket"))
    client(aws, "s3").put_object(Bucket=bucket, Key="precious", Body=b"1")
    with pytest.raises(AwsFault, match="not emptied automatically") as caught:
        hands.delete(bucket)
    assert caught.value.kind is FaultKind.CONFLICT
    assert client(aws, "s3").get_object(Bucket=bucket, Key="precious")["Body"].read() == b"1"


def test_a_bucket_left_half_made_is_finished(aws: LocalAws, scope: Scope) -> None:
    hands = Hands(scope, "AWS::S3::Bucket")
    desired = owned(
        {"BucketName": "specific-half", "VersioningConfiguration": {"Status": "Enabled"}},
        owner("Half"),
        "AWS::S3::Bucket",
    )
    aws.fail("s3", "PutBucketVersioning", "AccessDenied", status=403)
    with pytest.raises(AwsFault):
        hands.create(desired)
    assert hands.drift(Identifier("specific-half"), desired) != []
    hands.create(desired)
    assert hands.drift(Identifier("specific-half"), desired) == []


def test_a_bucket_has_its_tags_before_anything_can_go_wrong(aws: LocalAws, scope: Scope) -> None:
    """So that one whose creation got no answer is known to be the plan's."""
    hands = Hands(scope, "AWS::S3::Bucket")
    aws.cut("s3", "CreateBucket", applied=True)
    aws.reset_calls()
    with pytest.raises(AwsFault):
        hands.create(owned({"BucketName": "specific-cut"}, owner("Cut"), "AWS::S3::Bucket"))
    assert aws.mutations() == {"s3:CreateBucket": 1}
    tags = client(aws, "s3").get_bucket_tagging(Bucket="specific-cut")["TagSet"]
    assert {"Key": "reconciler:id", "Value": "Cut"} in tags


def test_that_buckets_take_their_tags_with_the_creation_is_found_out_once(aws: LocalAws, scope: Scope) -> None:
    hands, reads = Hands(scope, "AWS::S3::Bucket"), []
    for name in ("specific-first", "specific-second"):
        aws.reset_calls()
        hands.create(owned({"BucketName": name}, owner(name), "AWS::S3::Bucket"))
        reads.append([call.name for call in aws.last_requests].count("s3:GetBucketTagging"))
        assert len(client(aws, "s3").get_bucket_tagging(Bucket=name)["TagSet"]) == 2
    assert reads[1] == 1, "only the look before the creation"
    assert reads[0] in (1, 2)


def test_buckets_of_which_only_tags_are_wanted_are_seen_to_exist(aws: LocalAws, scope: Scope) -> None:
    hands = Hands(scope, "AWS::S3::Bucket")
    names = [f"specific-bare-{number}" for number in range(12)]
    for name in names:
        hands.create(owned({"BucketName": name}, owner(name), "AWS::S3::Bucket"))
    client(aws, "s3").delete_bucket(Bucket=names[3])
    aws.reset_calls()
    wanted = [Wanted(Identifier(name), frozenset({"Tags"})) for name in names]
    found = hands.provider.read_many(scope, wanted)
    assert set(found) == {Identifier(name) for name in names if name != names[3]}
    assert sum(aws.calls().values()) <= 3


def test_a_bucket_gets_its_access_control_list_once_ownership_allows_it(aws: LocalAws, scope: Scope) -> None:
    hands = Hands(scope, "AWS::S3::Bucket")
    ownership = {"Rules": [{"ObjectOwnership": "ObjectWriter"}]}
    desired = {"BucketName": "specific-open", "AccessControl": "PublicRead", "OwnershipControls": ownership}
    aws.reset_calls()
    name = hands.create(desired)
    written = [call.operation for call in aws.last_requests if call.mutating]
    assert written.index("PutBucketOwnershipControls") < written.index("PutBucketAcl")
    assert _readers(aws, name) == {"http://acs.amazonaws.com/groups/global/AllUsers"}
    hands.update(name, {**desired, "AccessControl": "LogDeliveryWrite"}, "AccessControl")
    assert _readers(aws, name) == {"http://acs.amazonaws.com/groups/s3/LogDelivery"}
    without = {key: value for key, value in desired.items() if key != "AccessControl"}
    hands.update(name, without, "AccessControl")
    assert _readers(aws, name) == set()


def _readers(aws: LocalAws, bucket: str) -> set[str]:
    grants = client(aws, "s3").get_bucket_acl(Bucket=bucket)["Grants"]
    return {grant["Grantee"]["URI"] for grant in grants if "URI" in grant["Grantee"]}


def test_a_key_policy_that_is_no_document_is_left_to_the_service(aws: LocalAws, scope: Scope) -> None:
    hands = Hands(scope, "AWS::KMS::Key")
    key = hands.create(owned({"KeyPolicy": "a policy"}, owner("Odd"), "AWS::KMS::Key"))
    assert client(aws, "kms").get_key_policy(KeyId=key, PolicyName="default")["Policy"] == "a policy"
    assert hands.drift(key, {"KeyPolicy": "a policy"}) == []


def test_a_role_in_an_instance_profile_is_left_as_it_was(aws: LocalAws, scope: Scope) -> None:
    hands = Hands(scope, "AWS::IAM::Role")
    policies = [{"PolicyName": "p", "PolicyDocument": document("s3:GetObject")}]
    name = hands.create(role("specific-used", Policies=policies))
    iam = client(aws, "iam")
    iam.create_instance_profile(InstanceProfileName="specific-holder")
    iam.add_role_to_instance_profile(InstanceProfileName="specific-holder", RoleName=name)
    with pytest.raises(AwsFault, match="specific-holder") as caught:
        hands.delete(name)
    assert caught.value.kind is FaultKind.CONFLICT
    assert hands.drift(name, {"Policies": policies}) == []


def test_changing_one_description_of_a_role_keeps_the_other(scope: Scope) -> None:
    hands = Hands(scope, "AWS::IAM::Role")
    desired = role("specific-described", Description="one", MaxSessionDuration=7200)
    name = hands.create(desired)
    hands.update(name, {**desired, "Description": "two"}, "Description")
    assert hands.drift(name, {**desired, "Description": "two"}) == []


def test_roles_are_read_one_by_one_where_the_listing_is_refused(aws: LocalAws, scope: Scope) -> None:
    hands = Hands(scope, "AWS::IAM::Role")
    names = [hands.create(role(f"specific-many-{number}")) for number in range(12)]
    aws.fail("iam", "GetAccountAuthorizationDetails", "AccessDenied", times=5, status=403)
    aws.fail("iam", "GetRole", "AccessDenied", times=1, status=403)
    found = hands.provider.read_many(scope, [Wanted(name, frozenset({"Tags"})) for name in names])
    kinds = [type(found[name]) for name in names]
    assert (kinds.count(Observation), kinds.count(Unreadable)) == (11, 1)


def test_what_the_listing_of_roles_lacks_is_asked_for(aws: LocalAws, scope: Scope) -> None:
    hands = Hands(scope, "AWS::IAM::Role")
    desired = [role(f"specific-full-{number}", Description=f"d{number}") for number in range(11)]
    names = [hands.create(item) for item in desired]
    aws.reset_calls()
    found = hands.provider.read_many(
        scope,
        [
            Wanted(name, frozenset({"Description", "Tags"} if index == 4 else {"Tags"}))
            for index, name in enumerate(names)
        ],
    )
    fourth = found[names[4]]
    assert isinstance(fourth, Observation)
    assert fourth.properties["Description"] == "d4"
    assert aws.calls() == {"iam:GetAccountAuthorizationDetails": 1, "iam:GetRole": 1}


def test_a_role_that_moves_gets_another_generated_name(scope: Scope) -> None:
    hands = Hands(scope, "AWS::IAM::Role")
    nameless = {key: value for key, value in role("x").items() if key != "RoleName"}
    here = hands.create(nameless)
    there = hands.create({**nameless, "Path": "/elsewhere/"})
    assert here != there
    assert hands.create({**nameless, "Path": "/"}) == here


def test_a_role_at_another_path_is_not_taken_for_its_replacement(scope: Scope) -> None:
    hands = Hands(scope, "AWS::IAM::Role")
    hands.create(role("specific-moved"))
    with pytest.raises(AwsFault, match="with another Path") as caught:
        hands.create(role("specific-moved", Path="/elsewhere/"))
    assert caught.value.kind is FaultKind.ALREADY_EXISTS


def test_a_policy_keeps_within_its_five_versions(aws: LocalAws, scope: Scope) -> None:
    hands = Hands(scope, "AWS::IAM::ManagedPolicy")
    desired = {"ManagedPolicyName": "specific-versions", "PolicyDocument": document("s3:Get0")}
    arn = hands.create(desired)
    for number in range(1, 8):
        desired["PolicyDocument"] = document(f"s3:Get{number}")
        hands.update(arn, desired, "PolicyDocument")
        assert hands.drift(arn, desired) == []
    hands.update(arn, desired, "PolicyDocument")
    versions = client(aws, "iam").list_policy_versions(PolicyArn=arn)["Versions"]
    assert len(versions) == 5
    assert [item["VersionId"] for item in versions if item["IsDefaultVersion"]] == ["v8"]
    hands.delete(arn)
    assert hands.read(arn) is None


def test_a_policy_that_others_attached_is_not_deleted(aws: LocalAws, scope: Scope) -> None:
    roles, hands = Hands(scope, "AWS::IAM::Role"), Hands(scope, "AWS::IAM::ManagedPolicy")
    ours, theirs = roles.create(role("specific-ours")), roles.create(role("specific-theirs"))
    desired = {"ManagedPolicyName": "specific-shared", "PolicyDocument": document("s3:Get"), "Roles": [ours]}
    arn = hands.create(desired)
    iam = client(aws, "iam")
    iam.attach_role_policy(RoleName=theirs, PolicyArn=arn)
    with pytest.raises(AwsFault, match="specific-theirs") as caught:
        hands.delete(arn)
    assert caught.value.kind is FaultKind.CONFLICT
    assert hands.drift(arn, {"Roles": [ours, theirs]}) == []
    iam.detach_role_policy(RoleName=theirs, PolicyArn=arn)
    hands.delete(arn)
    assert iam.list_attached_role_policies(RoleName=ours)["AttachedPolicies"] == []


def test_a_policy_without_a_name_is_made_once_a_token(scope: Scope) -> None:
    hands = Hands(scope, "AWS::IAM::ManagedPolicy")
    desired = {"PolicyDocument": document("s3:Get")}
    assert hands.create(desired, token="a") == hands.create(desired, token="a") != hands.create(desired, token="b")


def test_an_instance_profile_without_a_name_follows_its_role(scope: Scope) -> None:
    Hands(scope, "AWS::IAM::Role").create(role("specific-profiled"))
    hands = Hands(scope, "AWS::IAM::InstanceProfile")
    desired = {"Roles": ["specific-profiled"]}
    made = hands.create(desired)
    found = hands.locate(desired, owner("Any"))
    assert found is not None
    assert found.identifier == made
    hands.delete(made)


@pytest.mark.parametrize(("type_name", "name"), [("AWS::SQS::Queue", "QueueName"), ("AWS::SNS::Topic", "TopicName")])
def test_fifo_names_end_in_fifo(type_name: str, name: str, scope: Scope) -> None:
    flag = "FifoQueue" if name == "QueueName" else "FifoTopic"
    hands = Hands(scope, type_name)
    desired = owned({flag: True, "ContentBasedDeduplication": True}, owner("Fifo"), type_name)
    made = hands.create(desired)
    live = hands.read(made, *desired)
    assert live is not None
    assert live.properties[name].endswith(".fifo")
    assert hands.drift(made, desired) == []
    plain = owned({flag: False, "ContentBasedDeduplication": False}, owner("Plain"), type_name)
    assert hands.drift(hands.create(plain), plain) == []


def test_a_queue_with_the_same_attributes_is_not_taken_over(aws: LocalAws, scope: Scope) -> None:
    """CreateQueue answers as if it had made it."""
    client(aws, "sqs").create_queue(QueueName="specific-same")
    with pytest.raises(AwsFault, match="no plan owns it"):
        Hands(scope, "AWS::SQS::Queue").create(owned({"QueueName": "specific-same"}, owner("Same"), "AWS::SQS::Queue"))
    url = client(aws, "sqs").get_queue_url(QueueName="specific-same")["QueueUrl"]
    assert not client(aws, "sqs").list_queue_tags(QueueUrl=url).get("Tags")


def test_a_secret_value_reaches_the_parameter_and_nothing_else(scope: Scope) -> None:
    hands = Hands(scope, "AWS::SSM::Parameter")
    secret = Sensitive("s3cret")
    desired = owned({"Name": "/specific/secret", "Type": "String", "Value": secret}, owner("S"), "AWS::SSM::Parameter")
    name = hands.create(desired)
    live = hands.read(name, "Value")
    assert live is not None
    assert live.properties["Value"] == "s3cret"


def test_one_refused_parameter_does_not_spoil_the_other_nine(aws: LocalAws, scope: Scope) -> None:
    hands = Hands(scope, "AWS::SSM::Parameter")
    names = [
        hands.create(
            owned({"Name": f"/specific/n{n}", "Type": "String", "Value": "v"}, owner(f"N{n}"), hands.type_name)
        )
        for n in range(10)
    ]
    aws.fail("ssm", "GetParameters", "AccessDeniedException", times=2)
    found = hands.provider.read_many(scope, [Wanted(name, frozenset({"Value"})) for name in names])
    kinds = [type(found[name]) for name in names]
    assert (kinds.count(Observation), kinds.count(Unreadable)) == (9, 1)


def test_a_parameters_value_survives_a_change_of_something_else(scope: Scope) -> None:
    hands = Hands(scope, "AWS::SSM::Parameter")
    name = hands.create(
        owned({"Name": "/specific/kept", "Type": "String", "Value": "v"}, owner("Kept"), hands.type_name)
    )
    hands.update(name, {"Description": "new"}, "Description")
    assert hands.drift(name, {"Value": "v", "Type": "String"}) == []


def test_log_groups_that_begin_alike_are_told_apart(aws: LocalAws, scope: Scope) -> None:
    hands = Hands(scope, "AWS::Logs::LogGroup")
    client(aws, "logs").create_log_group(logGroupName="/specific/app-longer")
    assert hands.read(Identifier("/specific/app")) is None
    made = hands.create(owned({"LogGroupName": "/specific/app"}, owner("App"), hands.type_name))
    assert hands.read(made) is not None


def test_a_listing_of_too_many_other_groups_is_given_up(aws: LocalAws, scope: Scope) -> None:
    logs = client(aws, "logs")
    for number in range(260):
        logs.create_log_group(logGroupName=f"/crowd/{number:03}")
    hands = Hands(scope, "AWS::Logs::LogGroup")
    mine = [f"/crowd/z{number}" for number in range(6)]
    for name in mine:
        logs.create_log_group(logGroupName=name)
    aws.reset_calls()
    found = hands.provider.read_many(scope, [Wanted(Identifier(name)) for name in [*mine, "/crowd/missing"]])
    assert set(found) == set(mine)
    assert sum(aws.calls().values()) <= 3 + 7


def test_a_key_pending_deletion_is_absent_and_a_new_one_takes_its_place(aws: LocalAws, scope: Scope) -> None:
    hands = Hands(scope, "AWS::KMS::Key")
    desired = owned({"Description": "k", "Tags": TAGS}, owner("Reborn"), hands.type_name)
    first = hands.create(desired)
    hands.delete(first)
    assert client(aws, "kms").describe_key(KeyId=first)["KeyMetadata"]["KeyState"] == "PendingDeletion"
    assert hands.locate(desired, owner("Reborn")) is None
    second = hands.create(desired)
    assert second != first
    found = hands.locate(desired, owner("Reborn"))
    assert found is not None
    assert found.identifier == second


def test_a_key_of_another_kind_is_replaced_beside_the_old_one_and_both_are_found(scope: Scope) -> None:
    hands = Hands(scope, "AWS::KMS::Key")
    who = owner("Twice")
    old = hands.create(owned({"KeySpec": "SYMMETRIC_DEFAULT"}, who, hands.type_name))
    wanted = owned({"KeySpec": "RSA_2048", "KeyUsage": "SIGN_VERIFY"}, who, hands.type_name)
    assert {found.identifier for found in hands.provider.locate(scope, wanted, who)} == {old}
    new = hands.create(wanted)
    assert new != old
    assert {found.identifier for found in hands.provider.locate(scope, wanted, who)} >= {new}
    assert hands.create(wanted, token="token-2") == new
    hands.delete(old)
    hands.delete(new)


def test_a_queue_of_another_name_with_the_owners_tags_is_found_too(scope: Scope) -> None:
    hands = Hands(scope, "AWS::SQS::Queue")
    who = owner("Renamed")
    old = hands.create(owned({"QueueName": "specific-old"}, who, hands.type_name))
    wanted = owned({"QueueName": "specific-new"}, who, hands.type_name)
    assert [found.identifier for found in hands.provider.locate(scope, wanted, who)] == [old]
    new = hands.create(wanted)
    assert {found.identifier for found in hands.provider.locate(scope, wanted, who)} == {old, new}
    hands.delete(old)
    hands.delete(new)


def test_a_key_is_found_without_the_tagging_api(aws: LocalAws, scope: Scope) -> None:
    hands = Hands(scope, "AWS::KMS::Key")
    made = hands.create(owned({"Description": "k"}, owner("Untold"), hands.type_name))
    aws.fail("tagging", "GetResources", "AccessDeniedException")
    found = hands.locate({}, owner("Untold"))
    assert found is not None
    assert found.identifier == made


def test_keys_cannot_change_what_they_are(scope: Scope) -> None:
    hands = Hands(scope, "AWS::KMS::Key")
    with pytest.raises(AwsFault, match="KeySpec of AWS::KMS::Key can't be changed") as caught:
        hands.provider.update(scope, Identifier("any"), {}, {"KeySpec": "RSA_2048"}, frozenset({"KeySpec"}))
    assert caught.value.kind is FaultKind.INVALID_REQUEST


def test_many_aliases_are_listed(aws: LocalAws, scope: Scope) -> None:
    key = client(aws, "kms").create_key()["KeyMetadata"]["KeyId"]
    hands = Hands(scope, "AWS::KMS::Alias")
    names = [hands.create({"AliasName": f"alias/many-{number}", "TargetKeyId": key}) for number in range(8)]
    aws.reset_calls()
    wanted = [Wanted(name, frozenset({"TargetKeyId"})) for name in [*names, Identifier("alias/none")]]
    found = hands.provider.read_many(scope, wanted)
    assert set(found) == set(names)
    assert aws.calls() == {"kms:ListAliases": 1}


def test_bulk_tags_fall_back_to_the_service_where_the_api_is_refused(aws: LocalAws, scope: Scope) -> None:
    hands = Hands(scope, "AWS::SNS::Topic")
    desired = [owned({"TopicName": f"specific-{n}", "Tags": TAGS}, owner(f"T{n}"), hands.type_name) for n in range(8)]
    topics = [hands.create(item) for item in desired]
    client(aws, "sns").untag_resource(ResourceArn=topics[2], TagKeys=["reconciler:plan"])
    wanted = [Wanted(topic, frozenset({"Tags"})) for topic in topics]
    aws.reset_calls()
    listed = hands.provider.read_many(scope, wanted)
    assert aws.calls()["sns:ListTagsForResource"] == 1  # the one that lost an ownership tag
    aws.fail("tagging", "GetResources", "AccessDeniedException")
    assert hands.provider.read_many(scope, wanted) == listed
    third = listed[topics[2]]
    assert isinstance(third, Observation)
    assert {"Key": "team", "Value": "web"} in third.properties["Tags"]
    assert "reconciler:plan" not in json.dumps(third.properties)


def test_tags_that_can_not_be_read_make_one_resource_unknown(aws: LocalAws, scope: Scope) -> None:
    hands = Hands(scope, "AWS::SQS::Queue")
    queues = [hands.create(owned({"QueueName": f"specific-q{n}"}, owner(f"Q{n}"), hands.type_name)) for n in range(3)]
    aws.fail("sqs", "ListQueueTags", "AccessDenied", status=403)
    found = hands.provider.read_many(scope, [Wanted(queue, frozenset({"Tags"})) for queue in queues])
    kinds = [type(found[queue]) for queue in queues]
    assert (kinds.count(Observation), kinds.count(Unreadable)) == (2, 1)


def test_what_follows_a_create_that_is_waited_for_holds_no_secret(scope: Scope, aws: LocalAws) -> None:
    hands = Hands(scope, "AWS::Kinesis::Stream")
    encryption = {"EncryptionType": "KMS", "KeyId": Sensitive("alias/nobody-may-know")}
    aws.reset_calls()
    with pytest.raises(AwsFault, match="StreamEncryption of AWS::Kinesis::Stream can't hold a secret") as caught:
        hands.create({"Name": "specific-secret", "ShardCount": 1, "StreamEncryption": encryption})
    assert "nobody-may-know" not in str(caught.value)
    assert not aws.mutations()


@pytest.mark.parametrize("code", ["ResourceNotFoundException", "404"])
def test_what_exists_is_not_gone_because_a_part_of_it_is_not_found(aws: LocalAws, scope: Scope, code: str) -> None:
    """Else a withdrawn resource would be taken for deleted, and stay."""
    hands = Hands(scope, "AWS::ECR::Repository")
    name = f"specific-{code.lower()}"
    hands.create(owned({"RepositoryName": name}, owner("Parts"), "AWS::ECR::Repository"))
    aws.fail("ecr", "GetRepositoryPolicy", code, status=404)
    answer = hands.answer(Identifier(name), "RepositoryName", "RepositoryPolicyText")
    assert isinstance(answer, Unreadable)
    assert answer.kind is FaultKind.INTERNAL
    aws.fail("ecr", "GetRepositoryPolicy", code, status=404)
    aws.fail("ecr", "DescribeRepositories", "RepositoryNotFoundException")
    assert hands.answer(Identifier(name), "RepositoryName", "RepositoryPolicyText") is None
