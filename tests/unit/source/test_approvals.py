"""Approvals: what makes one count, and each way in which it doesn't."""

from __future__ import annotations

import base64
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import sshsig
import yaml
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)
from hypothesis import given
from hypothesis import strategies as st

from reconciler.model.errors import ConfigurationError
from reconciler.model.ids import Digest
from reconciler.model.plan import Approval
from reconciler.source.approvals import approval_document, sign_approval, signed_payload, write_approval
from reconciler.source.signature import BadSignature, SignedBy, check, sign
from reconciler.source.signers import load_signers, parse_signers
from tests.unit.source._plans import NOW, PLAN, QUICK, plan, source, write

BOB = "bob@example.com"
MAKERS: dict[str, Callable[[], Any]] = {
    "ed25519": ed25519.Ed25519PrivateKey.generate,
    "ecdsa-256": lambda: ec.generate_private_key(ec.SECP256R1()),
    "ecdsa-384": lambda: ec.generate_private_key(ec.SECP384R1()),
    "ecdsa-521": lambda: ec.generate_private_key(ec.SECP521R1()),
    "rsa": lambda: rsa.generate_private_key(65537, 2048),
}


def save(key: Any, path: Path, passphrase: str = "", form: PrivateFormat = PrivateFormat.OpenSSH) -> Path:
    protection = BestAvailableEncryption(passphrase.encode()) if passphrase else NoEncryption()
    path.write_bytes(key.private_bytes(Encoding.PEM, form, protection))
    return path


def public(key: Any) -> str:
    return str(key.public_key().public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH).decode())


class World:
    """A source with one plan, and Bob, who may approve."""

    def __init__(self, root: Path) -> None:
        self.plans = root / "desired"
        self.allowed = root / "allowed_signers"
        self.private = ed25519.Ed25519PrivateKey.generate()
        self.key = save(self.private, root / "bob")
        write(self.plans, team__web=PLAN)
        self.allow(f"{BOB} {public(self.private)}")
        self.plan = source(self.plans).load().plans["dev-web"]

    def allow(self, *lines: str) -> None:
        self.allowed.write_text("\n".join(lines) + "\n")

    def approve(self, **changes: Any) -> Path:
        given: dict[str, Any] = {
            "key": self.key,
            "approver": BOB,
            "approved_at": NOW - timedelta(hours=1),
            "expires_at": NOW + timedelta(days=30),
            "ticket": "CAB-1234",
        }
        return write_approval(self.plan, self.plans, **{**given, **changes})

    def read(self, now: datetime = NOW) -> tuple[Approval, ...]:
        return source(self.plans, allowed_signers=self.allowed, now=now).load().approvals.get(self.plan.name, ())

    def refusal(self, now: datetime = NOW) -> str:
        (approval,) = self.read(now)
        assert not approval.verified
        assert approval.reason
        return approval.reason


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def edit(path: Path, change: Callable[[dict[str, Any]], None]) -> None:
    document = yaml.safe_load(path.read_text())
    change(document)
    path.write_text(yaml.safe_dump(document))


def test_a_written_approval_counts(world: World) -> None:
    path = world.approve(scope=["update", "create", "delete"])
    assert path == world.plans / "team" / "dev-web-bob.approval.yaml"
    assert "signature: |\n    -----BEGIN SSH SIGNATURE-----" in path.read_text()
    (approval,) = world.read()
    assert (approval.verified, approval.reason) == (True, "")
    assert (approval.plan, approval.digest, approval.approver) == ("dev-web", world.plan.digest, BOB)
    assert approval.scope == {"create", "update", "delete"}
    assert (approval.ticket, approval.expires_at) == ("CAB-1234", NOW + timedelta(days=30))
    assert approval.file == "team/dev-web-bob.approval.yaml"


def test_layout_is_not_signed(world: World) -> None:
    path = world.approve()
    edit(path, lambda document: None)
    path.write_text("# approved by Bob\n" + path.read_text())
    assert world.read()[0].verified


def test_a_second_approval_replaces_the_first_under_a_new_name(world: World) -> None:
    world.approve()
    (first,) = world.read()
    world.approve(approved_at=NOW)
    (second,) = world.read()
    assert first.name != second.name


CHANGE, ANOTHER = Digest("sha256:" + "a" * 64), Digest("sha256:" + "b" * 64)


def test_an_approval_of_an_exact_change(world: World) -> None:
    path = world.approve(change=CHANGE, scope=["delete"])
    assert path.name == "dev-web-bob-change.approval.yaml"
    (approval,) = world.read()
    assert (approval.verified, approval.change, approval.scope) == (True, CHANGE, {"delete"})


def test_it_stands_beside_one_of_any_change_and_replaces_its_like(world: World) -> None:
    world.approve()
    world.approve(change=CHANGE)
    world.approve(change=ANOTHER)
    found = world.read()
    assert {(approval.change, approval.verified) for approval in found} == {("", True), (ANOTHER, True)}


def test_two_changes_approved_within_a_second_are_two_approvals(world: World) -> None:
    """Else the second would count as used up with the first."""
    world.approve(change=CHANGE)
    (first,) = world.read()
    world.approve(change=ANOTHER)
    (second,) = world.read()
    assert first.name != second.name


def test_one_of_any_change_says_nothing_of_a_change(world: World) -> None:
    assert "change" not in yaml.safe_load(world.approve().read_text())["spec"]
    assert world.read()[0].change == ""


@pytest.mark.parametrize(
    "value", ["", "any", "sha256:" + "A" * 64, "sha256:" + "a" * 63, None, 7, ["sha256:" + "a" * 64]]
)
def test_a_change_that_is_no_digest_makes_no_approval(world: World, value: object) -> None:
    """Not even one of any change: null isn't "left out"."""
    path = world.approve(change=CHANGE)
    document = yaml.safe_load(path.read_text())
    document["spec"]["change"] = value
    path.write_text(yaml.safe_dump(sign_approval(document, world.key)))
    assert world.read() == ()
    snapshot = source(world.plans, allowed_signers=world.allowed).load()
    assert "change" in str(next(iter(snapshot.invalid.values()))[0])


class TestRefused:
    def test_the_plan_was_edited(self, world: World) -> None:
        world.approve()
        write(world.plans, team__web=plan("10.20.0.0/16", "10.99.0.0/16"))
        assert "approve it again" in world.refusal()

    @pytest.mark.parametrize(
        "change",
        [
            lambda spec: spec.update(scope=["create", "delete"]),
            lambda spec: spec.update(ticket="CAB-9"),
            lambda spec: spec.update(expiresAt="2036-12-23T09:00:00Z"),
            lambda spec: spec.update(change=CHANGE),
        ],
    )
    def test_the_approval_was_edited(self, world: World, change: Callable[[dict[str, Any]], None]) -> None:
        edit(world.approve(), lambda document: change(document["spec"]))
        assert "it doesn't belong to this content" in world.refusal()

    @pytest.mark.parametrize("change", [lambda spec: spec.pop("change"), lambda spec: spec.update(change=ANOTHER)])
    def test_the_change_was_edited(self, world: World, change: Callable[[dict[str, Any]], None]) -> None:
        """One of an exact change can't be made one of any, nor of another."""
        edit(world.approve(change=CHANGE), lambda document: change(document["spec"]))
        assert "it doesn't belong to this content" in world.refusal()

    def test_it_was_renamed(self, world: World) -> None:
        """Else a used-up approval could be used again under another name."""
        edit(world.approve(), lambda document: document["metadata"].update(name="fresh"))
        assert "it doesn't belong to this content" in world.refusal()

    def test_it_has_a_namesake(self, world: World) -> None:
        path = world.approve()
        path.with_name("copy.yaml").write_text(path.read_text())
        assert [approval.verified for approval in world.read()] == [False, False]
        assert "same name" in world.read()[0].reason

    def test_not_signed(self, world: World) -> None:
        edit(world.approve(), lambda document: document["spec"].pop("signature"))
        assert world.refusal() == "it is not signed"

    def test_signed_with_rubbish(self, world: World) -> None:
        edit(world.approve(), lambda document: document["spec"].update(signature="trust me"))
        assert "it is not an SSH signature" in world.refusal()

    def test_signed_in_anothers_name(self, world: World) -> None:
        world.allow(f"{BOB} {public(world.private)}", f"carol@example.com {public(MAKERS['ed25519']())}")
        world.approve(approver="carol@example.com")
        assert f"is not carol@example.com's in allowed_signers: it is {BOB}'s" in world.refusal()

    def test_signed_with_an_unknown_key(self, world: World, tmp_path: Path) -> None:
        world.approve(key=save(MAKERS["ed25519"](), tmp_path / "other"))
        assert "is in nobody's name" in world.refusal()

    def test_unknown_signer(self, world: World) -> None:
        world.approve(approver="mallory@example.com")
        assert world.refusal() == "mallory@example.com is not in allowed_signers"

    def test_signed_for_another_purpose(self, world: World) -> None:
        path = world.approve()
        payload = signed_payload(yaml.safe_load(path.read_text()))
        edit(path, lambda document: document["spec"].update(signature=sign(payload, world.key, namespace="git")))
        assert "signed for the namespace 'git'" in world.refusal()

    def test_expired(self, world: World) -> None:
        world.approve()
        assert world.refusal(NOW + timedelta(days=30)).startswith("it expired at 2026-12-23T09:00:00")

    def test_from_the_future(self, world: World) -> None:
        world.approve(approved_at=NOW + timedelta(minutes=10))
        assert "lies in the future" in world.refusal()

    def test_a_clock_that_is_a_little_ahead_is_forgiven(self, world: World) -> None:
        world.approve(approved_at=NOW + timedelta(seconds=90))
        assert world.read()[0].verified

    @pytest.mark.parametrize(
        ("options", "reason"),
        [
            ('namespaces="git"', "may not sign for the namespace"),
            ('namespaces="git,re*"', ""),
            ('valid-after="20261124Z"', "not valid yet"),
            ('valid-before="20261123Z"', "no longer valid"),
            ('valid-after="202611230000Z",valid-before="20270101000000Z"', ""),
            ("cert-authority", "certificate authorities are not supported"),
            ('valid-after="soon"', "is not a time"),
            ('colour="red"', "not in the allowed_signers format"),
        ],
    )
    def test_options_of_the_signers_line(self, world: World, options: str, reason: str) -> None:
        world.allow("# people", "", f"{BOB} {options} {public(world.private)}")
        world.approve()
        (approval,) = world.read()
        assert approval.verified == (not reason)
        assert reason in approval.reason

    def test_allowed_signers_missing_or_not_configured(self, world: World) -> None:
        world.approve()
        world.allowed.unlink()
        assert "can't be read" in world.refusal()
        (approval,) = source(world.plans).load().approvals["dev-web"]
        assert (approval.verified, approval.reason) == (False, "no allowed_signers file is configured")

    def test_a_plan_that_is_not_there(self, world: World) -> None:
        world.approve()
        (world.plans / "team" / "web.yaml").unlink()
        assert world.refusal() == "there is no plan dev-web"

    def test_an_approval_stays_with_the_last_good_plan(self, world: World) -> None:
        world.approve()
        plans = source(world.plans, allowed_signers=world.allowed)
        plans.load()
        write(world.plans, team__web="x: y: z")
        assert plans.load().approvals["dev-web"][0].verified


@pytest.mark.parametrize(
    ("principals", "matches"),
    [
        (BOB, True),
        (f"alice@example.com,{BOB}", True),
        ("*@example.com", True),
        (f"*@example.com,!{BOB}", False),
        ("bo?@example.com", True),
        ("b[o]b@example.com", False),
        ("BOB@example.com", False),
        (f'"{BOB}"', True),
    ],
)
def test_principals_are_openssh_patterns(principals: str, matches: bool) -> None:
    key = MAKERS["ed25519"]()
    signers = parse_signers(f"{principals} {public(key)} comment")
    blob = SignedBy(base64.b64decode(public(key).split()[1]))
    assert (signers.objection(BOB, blob, NOW) == "") == matches


@QUICK
@given(st.text(max_size=80))
def test_no_text_breaks_the_signers_file(text: str) -> None:
    signers = parse_signers(text)
    assert signers.objection(BOB, SignedBy(b"x"), NOW)


def test_a_signers_file_that_is_not_text(tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(b"\xff\xfe")
    assert "not UTF-8" in load_signers(tmp_path / "x").problem


class TestSignature:
    @pytest.mark.parametrize("kind", MAKERS)
    def test_every_kind_of_key_signs_and_is_checked(self, kind: str, tmp_path: Path) -> None:
        key = MAKERS[kind]()
        armored = sign(b"payload", save(key, tmp_path / "key"))
        assert check(b"payload", armored).blob == base64.b64decode(public(key).split()[1])
        with pytest.raises(BadSignature, match="doesn't belong to this content"):
            check(b"payloaD", armored)
        if not kind.startswith("ecdsa"):  # an implementation that isn't ours agrees
            assert sshsig.check_signature(b"payload", armored, "reconciler").openssh_str() == public(key)

    @pytest.mark.parametrize("form", [PrivateFormat.OpenSSH, PrivateFormat.PKCS8])
    def test_a_passphrase(self, tmp_path: Path, form: PrivateFormat) -> None:
        path = save(MAKERS["ed25519"](), tmp_path / "key", "secret words", form)
        assert check(b"x", sign(b"x", path, "secret words"))
        for passphrase in (None, "wrong"):
            with pytest.raises(ConfigurationError, match="passphrase") as caught:
                sign(b"x", path, passphrase)
            assert "secret" not in str(caught.value)

    def test_keys_that_are_refused(self, tmp_path: Path) -> None:
        with pytest.raises(ConfigurationError, match="can't be read"):
            sign(b"x", tmp_path / "nowhere")
        (tmp_path / "text").write_text("hello")
        with pytest.raises(ConfigurationError, match="not a private key"):
            sign(b"x", tmp_path / "text")
        with pytest.raises(ConfigurationError, match="fewer than 2048 bits"):
            sign(b"x", save(rsa.generate_private_key(65537, 1024), tmp_path / "small"))
        with pytest.raises(ConfigurationError, match="ed25519, ecdsa or rsa"):
            sign(b"x", save(dsa.generate_private_key(1024), tmp_path / "dsa", form=PrivateFormat.PKCS8))

    def test_no_single_changed_byte_passes(self, tmp_path: Path) -> None:
        armored = sign(b"payload", save(MAKERS["ed25519"](), tmp_path / "key"))
        raw = bytearray(base64.b64decode("".join(armored.splitlines()[1:-1])))
        accepted = []
        for at in range(len(raw)):
            changed = bytes(raw[:at]) + bytes([raw[at] ^ 1]) + bytes(raw[at + 1 :])
            text = (
                "-----BEGIN SSH SIGNATURE-----\n" + base64.b64encode(changed).decode() + "\n-----END SSH SIGNATURE-----"
            )
            try:
                check(b"payload", text)
                accepted.append(at)
            except BadSignature:
                continue
        assert accepted == []

    @QUICK
    @given(st.binary(max_size=120))
    def test_rubbish_is_refused_in_words(self, raw: bytes) -> None:
        for body in (raw, b"SSHSIG\0\0\0\1" + raw):
            text = "-----BEGIN SSH SIGNATURE-----\n" + base64.b64encode(body).decode() + "\n-----END SSH SIGNATURE-----"
            with pytest.raises(BadSignature):
                check(b"payload", text)


class TestDocument:
    def test_scope_and_times_are_checked(self, world: World) -> None:
        times = {"approved_at": NOW, "expires_at": NOW + timedelta(days=1)}
        with pytest.raises(ConfigurationError, match="found destroy"):
            approval_document(world.plan, approver=BOB, scope=["destroy"], **times)
        with pytest.raises(ConfigurationError, match="scope is a list of"):
            approval_document(world.plan, approver=BOB, scope=[], **times)
        with pytest.raises(ConfigurationError, match="must expire after"):
            approval_document(world.plan, approver=BOB, approved_at=NOW, expires_at=NOW)

    def test_signing_again_replaces_the_signature(self, world: World) -> None:
        document = approval_document(
            world.plan, approver=BOB, approved_at=datetime(2026, 1, 1, tzinfo=UTC), expires_at=NOW
        )
        once = sign_approval(document, world.key)
        assert sign_approval(once, world.key)["spec"]["signature"] == once["spec"]["signature"]
        assert "signature" not in document["spec"]

    def test_a_failed_write_leaves_nothing(self, world: World) -> None:
        (world.plans / "team" / "dev-web-bob.approval.yaml").mkdir()
        with pytest.raises(ConfigurationError, match="can't be written"):
            world.approve()
        assert [path.name for path in (world.plans / "team").iterdir() if path.is_file()] == ["web.yaml"]
