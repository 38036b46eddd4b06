"""Policies that several other resources hold: what they are identified by changes with their holders."""

from __future__ import annotations

import json
from typing import Any

import pytest

from reconciler.model.errors import AwsFault, FaultKind
from reconciler.model.ids import ClientToken, Identifier
from reconciler.model.progress import Done
from reconciler.ports import Scope
from reconciler.testing.localaws import LocalAws
from tests.contract.providers_native.cases import TRUST, document
from tests.contract.providers_native.hands import ACCOUNT, REGION, Hands


def policy(action: str) -> dict[str, Any]:
    principal = {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}
    return {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Principal": principal, "Action": action, "Resource": "*"}],
    }


def moved(hands: Hands, identifier: Identifier, after: dict[str, Any], *changed: str) -> Identifier:
    live = hands.read(identifier, *after)
    assert live is not None
    progress = hands.provider.update(hands.scope, identifier, live.properties, after, frozenset(changed))
    assert isinstance(progress, Done)
    return progress.identifier


@pytest.fixture
def roles(aws: LocalAws) -> Any:
    iam = aws.client("iam", account=ACCOUNT, region=REGION)
    for name in ("moving-a", "moving-b", "moving-c"):
        iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(TRUST))
    yield iam
    for name in ("moving-a", "moving-b", "moving-c"):
        for inline in iam.list_role_policies(RoleName=name)["PolicyNames"]:
            iam.delete_role_policy(RoleName=name, PolicyName=inline)
        iam.delete_role(RoleName=name)


def held(iam: Any, name: str) -> list[str]:
    found: list[str] = iam.list_role_policies(RoleName=name)["PolicyNames"]
    return found


def test_an_inline_policy_moves_from_role_to_role(scope: Scope, roles: Any) -> None:
    hands = Hands(scope, "AWS::IAM::Policy")
    first = {"PolicyName": "p", "PolicyDocument": document("s3:GetObject"), "Roles": ["moving-b", "moving-a"]}
    identifier = hands.create(first)
    assert identifier == "p|r:moving-a|r:moving-b"
    after = {**first, "Roles": ["moving-a", "moving-c"]}
    identifier = moved(hands, identifier, after, "Roles")
    assert identifier == "p|r:moving-a|r:moving-c"
    assert [held(roles, f"moving-{end}") for end in "abc"] == [["p"], [], ["p"]]
    assert hands.drift(identifier, after) == []
    renamed = {**after, "PolicyName": "q"}
    identifier = moved(hands, identifier, renamed, "PolicyName")
    assert [held(roles, f"moving-{end}") for end in "abc"] == [["q"], [], ["q"]]
    assert hands.drift(identifier, renamed) == []
    hands.delete(identifier)
    assert [held(roles, f"moving-{end}") for end in "abc"] == [[], [], []]


def test_an_inline_policy_that_somebody_changed_in_one_role_has_drifted(scope: Scope, roles: Any) -> None:
    hands = Hands(scope, "AWS::IAM::Policy")
    desired = {"PolicyName": "p", "PolicyDocument": document("s3:GetObject"), "Roles": ["moving-a", "moving-b"]}
    identifier = hands.create(desired)
    other = json.dumps(document("s3:PutObject"))
    roles.put_role_policy(RoleName="moving-b", PolicyName="p", PolicyDocument=other)
    assert [path for path, _, _ in hands.drift(identifier, desired)] == ["/Roles"]
    assert moved(hands, identifier, desired, "Roles") == identifier
    assert hands.drift(identifier, desired) == []
    roles.delete_role_policy(RoleName="moving-a", PolicyName="p")
    assert [path for path, _, _ in hands.drift(identifier, desired)] == ["/Roles"]
    moved(hands, identifier, desired, "Roles")
    assert hands.drift(identifier, desired) == []


def test_an_inline_policy_is_not_taken_from_somebody_else(scope: Scope, roles: Any) -> None:
    hands = Hands(scope, "AWS::IAM::Policy")
    roles.put_role_policy(RoleName="moving-a", PolicyName="p", PolicyDocument=json.dumps(document("s3:PutObject")))
    desired = {"PolicyName": "p", "PolicyDocument": document("s3:GetObject"), "Roles": ["moving-a"]}
    with pytest.raises(AwsFault, match="with another PolicyDocument") as caught:
        hands.create(desired)
    assert caught.value.kind is FaultKind.ALREADY_EXISTS


def test_a_queue_policy_moves_from_queue_to_queue(aws: LocalAws, scope: Scope) -> None:
    sqs = aws.client("sqs", account=ACCOUNT, region=REGION)
    one, two, three = (sqs.create_queue(QueueName=f"moving-{name}")["QueueUrl"] for name in ("1", "2", "3"))
    hands = Hands(scope, "AWS::SQS::QueuePolicy")
    desired = {"Queues": [two, one], "PolicyDocument": policy("sqs:SendMessage")}
    identifier = hands.create(desired)
    after = {**desired, "Queues": [three, two]}
    identifier = moved(hands, identifier, after, "Queues")
    assert identifier == f"{two}|{three}"
    assert hands.drift(identifier, after) == []
    attributes = sqs.get_queue_attributes(QueueUrl=one, AttributeNames=["Policy"]).get("Attributes", {})
    assert not attributes.get("Policy")
    sqs.delete_queue(QueueUrl=three)
    assert [path for path, _, _ in hands.drift(identifier, after)] == ["/Queues"]
    hands.delete(identifier)
    assert hands.read(identifier) is None


def test_a_topic_without_a_policy_has_the_one_that_new_topics_have(aws: LocalAws, scope: Scope) -> None:
    sns = aws.client("sns", account=ACCOUNT, region=REGION)
    arn = sns.create_topic(Name="moving")["TopicArn"]
    new = json.loads(sns.get_topic_attributes(TopicArn=arn)["Attributes"]["Policy"])
    hands = Hands(scope, "AWS::SNS::TopicPolicy")
    assert hands.read(Identifier(arn)) is None
    identifier = hands.create({"Topics": [arn], "PolicyDocument": policy("sns:Publish")})
    hands.delete(identifier)
    left = json.loads(sns.get_topic_attributes(TopicArn=arn)["Attributes"]["Policy"])
    assert left["Id"] == new["Id"]
    assert {statement["Effect"] for statement in left["Statement"]} == {"Allow"}
    assert [statement["Condition"] for statement in left["Statement"]] == [
        statement["Condition"] for statement in new["Statement"]
    ]


def test_an_identifier_that_is_none_is_refused(scope: Scope) -> None:
    hands = Hands(scope, "AWS::IAM::Policy")
    for text in ("p", "p|x:role", "|r:role", "p|r:"):
        with pytest.raises(AwsFault, match="is no identifier"):
            hands.provider.delete(scope, Identifier(text))
    refused = hands.provider.update(scope, Identifier("p|r:a"), {}, {}, frozenset())
    assert refused == Done(Identifier("p|r:a"))
    with pytest.raises(AwsFault, match="needs a name"):
        hands.provider.create(scope, {"PolicyName": "p", "PolicyDocument": {}}, ClientToken("t"))
