"""Secrets: what is made up, what is never said again, and what is kept although it was deleted."""

from __future__ import annotations

import json
import string
from typing import Any

import pytest

from reconciler.model.errors import AwsFault, FaultKind
from reconciler.model.progress import Done
from reconciler.model.secrecy import scrub
from reconciler.ports import Revivable, Scope
from reconciler.providers.native.secrets import generated
from reconciler.testing.localaws import LocalAws
from tests.contract.providers_native.hands import ACCOUNT, REGION, Hands, owned, owner


@pytest.fixture
def hands(scope: Scope) -> Hands:
    return Hands(scope, "AWS::SecretsManager::Secret")


def value_of(aws: LocalAws, identifier: str) -> str:
    client = aws.client("secretsmanager", account=ACCOUNT, region=REGION)
    found: str = client.get_secret_value(SecretId=identifier)["SecretString"]
    return found


def mine(name: str, **properties: Any) -> dict[str, Any]:
    return owned({"Name": name, **properties}, owner(name), "AWS::SecretsManager::Secret")


def test_a_value_is_made_up_once_and_known_as_a_secret(aws: LocalAws, hands: Hands) -> None:
    rules = {"SecretStringTemplate": '{"user": "admin"}', "GenerateStringKey": "password", "PasswordLength": 20}
    desired = mine("made-up", GenerateSecretString=rules)
    identifier = hands.create(desired)
    value = json.loads(value_of(aws, identifier))
    assert value["user"] == "admin"
    assert len(value["password"]) == 20
    assert value["password"] not in scrub(f"it is {value['password']} now")
    assert hands.create(desired) == identifier
    assert json.loads(value_of(aws, identifier)) == value
    assert hands.drift(identifier, desired) == []
    with pytest.raises(AwsFault, match="GenerateSecretString of AWS::SecretsManager::Secret can't be changed in place"):
        hands.update(identifier, desired, "GenerateSecretString")
    hands.delete(identifier)


def test_a_value_is_never_read(aws: LocalAws, hands: Hands) -> None:
    identifier = hands.create(mine("unread", SecretString="very-quiet"))
    aws.reset_calls()
    live = hands.read(identifier, "SecretString", "GenerateSecretString", "Description")
    assert live is not None
    assert "very-quiet" not in repr(live)
    assert set(aws.calls()) == {"secretsmanager:DescribeSecret"}
    hands.delete(identifier)


def test_a_repeated_create_writes_the_value_that_is_wanted_now(aws: LocalAws, hands: Hands) -> None:
    identifier = hands.create(mine("again", SecretString="one-value"))
    assert hands.create(mine("again", SecretString="two-value")) == identifier
    assert value_of(aws, identifier) == "two-value"
    hands.delete(identifier)


def test_what_is_about_to_be_deleted_is_taken_back(aws: LocalAws, hands: Hands) -> None:
    desired = mine("back", SecretString="same-value")
    identifier = hands.create(desired)
    hands.delete(identifier)
    assert hands.read(identifier) is None
    assert isinstance(hands.provider, Revivable)
    assert hands.provider.revive(hands.scope, identifier, desired) == Done(identifier)
    assert value_of(aws, identifier) == "same-value"
    hands.delete(identifier)
    assert hands.create(desired) == identifier
    assert value_of(aws, identifier) == "same-value"
    hands.delete(identifier)


def test_what_somebody_else_is_about_to_delete_is_left_alone(aws: LocalAws, hands: Hands) -> None:
    client = aws.client("secretsmanager", account=ACCOUNT, region=REGION)
    client.create_secret(Name="theirs", SecretString="x")
    client.delete_secret(SecretId="theirs")
    with pytest.raises(AwsFault):
        hands.create(mine("theirs", SecretString="y"))
    assert client.describe_secret(SecretId="theirs").get("DeletedDate")


def test_both_values_are_refused(hands: Hands) -> None:
    with pytest.raises(AwsFault, match="give one of them") as caught:
        hands.create(mine("both", SecretString="x", GenerateSecretString={}))
    assert caught.value.kind is FaultKind.INVALID_REQUEST


# what is made up


def test_a_password_has_every_kind_that_is_not_excluded() -> None:
    for _ in range(50):
        value = generated({"ExcludePunctuation": True, "ExcludeCharacters": "0O1l", "PasswordLength": "8"})
        assert len(value) == 8
        assert not set(value) & set(string.punctuation + "0O1l ")
        for kind in (string.ascii_lowercase, string.ascii_uppercase, string.digits):
            assert set(value) & set(kind)
    assert len(generated({})) == 32
    assert set(generated({"IncludeSpace": True, "PasswordLength": 5})) >= {" "}


@pytest.mark.parametrize(
    "rules",
    [
        {"PasswordLength": 3},
        {"PasswordLength": 5000},
        {"ExcludeLowercase": True, "ExcludeUppercase": True, "ExcludeNumbers": True, "ExcludePunctuation": "true"},
    ],
)
def test_rules_that_leave_nothing_over_are_refused(rules: dict[str, Any]) -> None:
    with pytest.raises(AwsFault, match="no secret can be made"):
        generated(rules)


@pytest.mark.parametrize("template", ["not json", "[]"])
def test_a_template_that_is_no_object_is_refused(template: str) -> None:
    with pytest.raises(AwsFault, match="is no JSON object"):
        generated({"SecretStringTemplate": template, "GenerateStringKey": "k"})
