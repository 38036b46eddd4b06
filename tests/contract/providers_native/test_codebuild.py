"""What only build projects have: tags that every update takes, a webhook beside the project, and who may see it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from reconciler.model.ids import Identifier
from reconciler.ports import Scope
from reconciler.testing.localaws import LocalAws
from tests.contract.providers_native.hands import ACCOUNT, REGION, Hands, owned, owner

PROJECT = "AWS::CodeBuild::Project"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/builder"
DESIRED = owned(
    {
        "Name": "special",
        "ServiceRole": ROLE,
        "Source": {"Type": "GITHUB", "Location": "https://github.com/example/shop.git"},
        "Artifacts": {"Type": "NO_ARTIFACTS"},
        "Environment": {"Type": "LINUX_CONTAINER", "ComputeType": "BUILD_GENERAL1_SMALL", "Image": "builder"},
    },
    owner("Special"),
    PROJECT,
)


@pytest.fixture
def hands(scope: Scope) -> Hands:
    return Hands(scope, PROJECT)


@pytest.fixture
def made(aws: LocalAws, hands: Hands) -> Iterator[Identifier]:
    identifier = hands.create(DESIRED)
    aws.reset_calls()
    yield identifier
    hands.delete(identifier)


def shown(aws: LocalAws) -> dict[str, Any]:
    client = aws.client("codebuild", account=ACCOUNT, region=REGION)
    found: dict[str, Any] = client.batch_get_projects(names=["special"])["projects"][0]
    return found


def hook(**parts: Any) -> dict[str, Any]:
    return {**DESIRED, "Triggers": {"Webhook": True, **parts}}


def organisation(name: str) -> dict[str, str]:
    return {"Name": name, "Scope": "GITHUB_ORGANIZATION"}


def test_tags_of_others_stay_whatever_is_changed(aws: LocalAws, hands: Hands, made: Identifier) -> None:
    client = aws.client("codebuild", account=ACCOUNT, region=REGION)
    client.update_project(name="special", tags=[*shown(aws)["tags"], {"key": "theirs", "value": "1"}])
    more = {**DESIRED, "Tags": [*DESIRED["Tags"], {"Key": "ours", "Value": "2"}], "Description": "tagged"}
    changed = frozenset({"Tags", "Description"})
    hands.wait(hands.provider.update(hands.scope, made, DESIRED, more, changed))
    expected = {"theirs": "1", **{tag["Key"]: tag["Value"] for tag in more["Tags"]}}
    assert {tag["key"]: tag["value"] for tag in shown(aws)["tags"]} == expected
    hands.wait(hands.provider.update(hands.scope, made, more, DESIRED, changed))
    del expected["ours"]
    assert {tag["key"]: tag["value"] for tag in shown(aws)["tags"]} == expected


def test_an_update_of_something_else_keeps_the_tags(aws: LocalAws, hands: Hands, made: Identifier) -> None:
    hands.update(made, {**DESIRED, "Description": "new"}, "Description")
    assert shown(aws)["description"] == "new"
    assert hands.drift(made, DESIRED) == []


def test_a_webhook_is_changed_in_place_and_made_anew_for_another_scope(
    aws: LocalAws, hands: Hands, made: Identifier
) -> None:
    for wanted, calls in (
        (hook(ScopeConfiguration=organisation("one")), ["CreateWebhook"]),
        (hook(ScopeConfiguration=organisation("one"), BuildType="BUILD_BATCH"), ["UpdateWebhook"]),
        (hook(ScopeConfiguration=organisation("two")), ["DeleteWebhook", "CreateWebhook"]),
        ({**DESIRED, "Triggers": {"Webhook": False}}, ["DeleteWebhook"]),
        (DESIRED, []),
    ):
        aws.reset_calls()
        hands.update(made, wanted, "Triggers")
        assert [name.partition(":")[2] for name in aws.mutations()] == calls
        assert hands.drift(made, wanted) == []


def test_filters_that_are_dropped_are_taken_from_the_webhook(aws: LocalAws, hands: Hands, made: Identifier) -> None:
    hands.update(made, hook(FilterGroups=[[{"Type": "EVENT", "Pattern": "PUSH"}]], BuildType="BUILD_BATCH"), "Triggers")
    hands.update(made, hook(), "Triggers")
    assert (shown(aws)["webhook"]["filterGroups"], shown(aws)["webhook"]["buildType"]) == ([], "BUILD")


def test_the_role_of_a_public_project_changes_without_hiding_it(aws: LocalAws, hands: Hands, made: Identifier) -> None:
    hands.update(made, {**DESIRED, "Visibility": "PUBLIC_READ"}, "Visibility")
    hands.update(made, {**DESIRED, "ResourceAccessRole": ROLE}, "ResourceAccessRole")
    assert (shown(aws)["projectVisibility"], shown(aws)["resourceAccessRole"]) == ("PUBLIC_READ", ROLE)


def test_a_new_project_that_says_only_the_role_is_private(aws: LocalAws, hands: Hands) -> None:
    made = hands.create({**DESIRED, "ResourceAccessRole": ROLE})
    assert (shown(aws)["projectVisibility"], shown(aws)["resourceAccessRole"]) == ("PRIVATE", ROLE)
    hands.delete(made)


def test_role_and_key_may_be_given_by_name_and_id(aws: LocalAws, hands: Hands) -> None:
    key = "12345678-1234-1234-1234-123456789012"
    desired = {**DESIRED, "ServiceRole": "builder", "EncryptionKey": f"arn:aws:kms:{REGION}:{ACCOUNT}:key/{key}"}
    made = hands.create(desired)
    assert shown(aws)["serviceRole"] == ROLE
    assert hands.drift(made, {**desired, "EncryptionKey": key}) == []
    other = {**desired, "ServiceRole": "other", "EncryptionKey": f"{key[:-1]}3"}
    assert [path for path, _, _ in hands.drift(made, other)] == ["/ServiceRole", "/EncryptionKey"]
    hands.delete(made)
