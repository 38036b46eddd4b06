"""Opening scopes: roles, identities, wrong accounts, bad credentials, sharing."""

from __future__ import annotations

import json
import threading
from dataclasses import replace
from pathlib import Path
from urllib.parse import parse_qs

import pytest

from reconciler.model.errors import AwsFault, FaultKind
from reconciler.model.plan import Target
from reconciler.providers.access import Access, AccessSettings
from reconciler.providers.sessions import ConnectionSettings
from reconciler.testing.localaws import LocalAws
from reconciler.testing.memory import FakeClock, SilentTelemetry
from tests.integration.providers.conftest import ACCOUNT, PRODUCTION, REGION, SANDBOX


def test_a_scope_is_in_the_account_that_the_role_pattern_leads_to(access: Access) -> None:
    scope = access.open(SANDBOX, read_only=False)
    assert (scope.account, scope.region, scope.partition) == (ACCOUNT, REGION, "aws")
    assert scope.identity.arn == f"arn:aws:sts::{ACCOUNT}:assumed-role/reconciler/reconciler"


def test_identity_is_asked_once_a_pass_and_the_role_assumed_once_at_all(access: Access, aws: LocalAws) -> None:
    access.open(SANDBOX, read_only=False)
    aws.reset_calls()
    for _ in range(3):
        access.open(SANDBOX, read_only=False)
    assert aws.calls() == {"sts:GetCallerIdentity": 3}


def test_credentials_of_another_account_are_refused_before_anything_else(access: Access, aws: LocalAws) -> None:
    elsewhere = replace(SANDBOX, role_arn="arn:aws:iam::444455556666:role/reconciler")
    aws.reset_calls()
    with pytest.raises(AwsFault, match=r"belong to account 444455556666 .* plan is for 111122223333") as refused:
        access.open(elsewhere, read_only=False)
    assert refused.value.kind is FaultKind.WRONG_ACCOUNT
    assert set(aws.calls()) == {"sts:AssumeRole", "sts:GetCallerIdentity"}


def test_an_external_id_is_passed_on(access: Access, aws: LocalAws) -> None:
    role = f"arn:aws:iam::{ACCOUNT}:role/shared"
    access.open(replace(SANDBOX, role_arn=role, external_id="shared-secret-1"), read_only=False)
    assumed = [call for call in aws.last_requests if call.operation == "AssumeRole"][-1]
    assert b"ExternalId=shared-secret-1" in assumed.body
    assert b"Polic" not in assumed.body


def test_a_read_only_target_gets_a_read_only_session_policy(access: Access, aws: LocalAws) -> None:
    access.open(PRODUCTION, read_only=True)
    assumed = [call for call in aws.last_requests if call.operation == "AssumeRole"][-1]
    assert b"PolicyArns.member.1.arn=arn%3Aaws%3Aiam%3A%3Aaws%3Apolicy%2FReadOnlyAccess" in assumed.body


@pytest.mark.parametrize("partition", ["aws", "aws-cn", "aws-us-gov"])
def test_read_only_sessions_are_denied_secrets_in_every_partition(
    access: Access, aws: LocalAws, partition: str
) -> None:
    role = f"arn:{partition}:iam::{ACCOUNT}:role/ops"
    access.open(replace(PRODUCTION, role_arn=role), read_only=True)
    assumed = parse_qs([call for call in aws.last_requests if call.operation == "AssumeRole"][-1].body.decode())
    assert assumed["PolicyArns.member.1.arn"] == [f"arn:{partition}:iam::aws:policy/ReadOnlyAccess"]
    (statement,) = json.loads(assumed["Policy"][0])["Statement"]
    assert (statement["Effect"], statement["Resource"]) == ("Deny", "*")
    assert {"secretsmanager:GetSecretValue", "kms:Decrypt", "ec2:GetPasswordData"} <= set(statement["Action"])


def test_a_role_that_may_not_be_assumed_is_explained(access: Access, aws: LocalAws) -> None:
    aws.fail("sts", "AssumeRole", "AccessDenied", status=403)
    with pytest.raises(AwsFault, match=r"can't assume arn:aws:iam::111122223333:role/reconciler") as refused:
        access.open(SANDBOX, read_only=False)
    assert (refused.value.kind, refused.value.operation) == (FaultKind.ACCESS_DENIED, "AssumeRole")
    assert access.open(SANDBOX, read_only=False).account == ACCOUNT


def test_expired_credentials_are_read_anew_at_the_next_pass(access: Access, aws: LocalAws) -> None:
    access.open(SANDBOX, read_only=False)
    aws.fail("sts", "GetCallerIdentity", "ExpiredToken", status=403)
    with pytest.raises(AwsFault, match="log in again") as refused:
        access.open(SANDBOX, read_only=False)
    assert refused.value.kind is FaultKind.CREDENTIALS
    aws.reset_calls()
    access.open(SANDBOX, read_only=False)
    assert aws.calls()["sts:AssumeRole"] == 1


def test_a_disabled_region_is_named(access: Access, aws: LocalAws) -> None:
    aws.fail("sts", "GetCallerIdentity", "OptInRequired", status=403)
    with pytest.raises(AwsFault, match="region eu-central-1 isn't enabled") as refused:
        access.open(SANDBOX, read_only=False)
    assert refused.value.kind is FaultKind.REGION_DISABLED


def test_a_profile_that_does_not_exist_is_a_credentials_fault(access: Access, aws: LocalAws) -> None:
    aws.reset_calls()
    with pytest.raises(AwsFault, match="profile 'nobody'") as refused:
        access.open(replace(SANDBOX, profile="nobody"), read_only=True)
    assert refused.value.kind is FaultKind.CREDENTIALS
    assert aws.calls() == {}


def test_a_profile_that_assumes_a_role_works_for_read_only_targets_too(
    aws: LocalAws, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = tmp_path / "config"
    config.write_text(
        f"[profile base]\naws_access_key_id = {aws.access_key}\naws_secret_access_key = x\n"
        f"[profile ops]\nsource_profile = base\nrole_arn = arn:aws:iam::{ACCOUNT}:role/ops\nregion = {REGION}\n"
    )
    monkeypatch.setenv("AWS_CONFIG_FILE", str(config))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_ENDPOINT_URL", aws.endpoint)
    access = Access(FakeClock(), SilentTelemetry(), AccessSettings(ConnectionSettings(endpoint_url=aws.endpoint)))
    target = Target("production", ACCOUNT, REGION, profile="ops")
    assert "assumed-role/ops" in access.open(target, read_only=True).identity.arn
    access.close()


def test_no_credentials_at_all_is_said_without_a_call(
    aws: LocalAws, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    access = Access(FakeClock(), SilentTelemetry(), AccessSettings(ConnectionSettings(endpoint_url=aws.endpoint)))
    aws.reset_calls()
    with pytest.raises(AwsFault, match="no valid credentials") as refused:
        access.open(SANDBOX, read_only=False)
    assert refused.value.kind is FaultKind.CREDENTIALS
    assert aws.calls() == {}
    access.close()


def test_a_region_that_is_none_is_refused_at_once(access: Access, aws: LocalAws) -> None:
    aws.reset_calls()
    with pytest.raises(AwsFault, match="is not an AWS region"):
        access.open(replace(SANDBOX, region="@evil.example/"), read_only=False)
    assert aws.calls() == {}


def test_opening_from_many_threads_assumes_the_role_once(access: Access, aws: LocalAws) -> None:
    aws.reset_calls()
    threads = [threading.Thread(target=access.open, args=(SANDBOX,), kwargs={"read_only": False}) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert aws.calls() == {"sts:AssumeRole": 1, "sts:GetCallerIdentity": 8}


def test_calls_say_who_makes_them(access: Access, aws: LocalAws) -> None:
    access.open(SANDBOX, read_only=False)
    assert "reconciler/" in aws.last_requests[-1].user_agent


def test_passes_that_were_asked_for_before_a_verification_began_share_it(
    access: Access, aws: LocalAws, clock: FakeClock
) -> None:
    since = clock.monotonic()
    aws.reset_calls()
    threads = [
        threading.Thread(target=access.open, args=(SANDBOX,), kwargs={"read_only": False, "since": since})
        for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert aws.calls()["sts:GetCallerIdentity"] == 1
    clock.sleep(1.0)
    access.open(SANDBOX, read_only=False, since=clock.monotonic())
    access.open(SANDBOX, read_only=False)
    assert aws.calls()["sts:GetCallerIdentity"] == 3, "one asked for later, and one that shares nothing"
    access.open(PRODUCTION, read_only=True, since=since)
    assert aws.calls()["sts:GetCallerIdentity"] == 4, "another identity"
