"""Whatever comes from outside (answers, errors, settings, stored rows, approvals): a value or the documented errors."""

from __future__ import annotations

import json
import os
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml
from cryptography.hazmat.primitives.asymmetric import ed25519
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from reconciler.model.codec import from_json, to_json
from reconciler.model.decision import Mode
from reconciler.model.errors import ConfigurationError, FaultKind, PolicyUnavailable, SourceError
from reconciler.model.journal import JournalEntry
from reconciler.model.report import PlanStatus, RunReport
from reconciler.model.resource import Record
from reconciler.policy.answers import Question, read_answer, strict_json
from reconciler.providers.faults import kind_of
from reconciler.settings import Settings, load_settings
from reconciler.source import DirectorySource
from reconciler.source.approvals import approval_document, sign_approval
from reconciler.testing.memory import FakeClock
from reconciler.testing.samples import a_full_report, a_record, a_status, an_entry
from tests.unit.source._plans import PLAN

EXAMPLES = 20_000 if os.environ.get("RECONCILER_STRESS") == "1" else 150
MANY = settings(max_examples=EXAMPLES, deadline=2000, suppress_health_check=list(HealthCheck), database=None)

TEXT = st.text(max_size=12) | st.sampled_from(
    ["mode", "allow", "apply", "reasons", "\x00", "\u2028", "é", "${x}", "1e999"]
)
SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | TEXT
JSON = st.recursive(SCALARS, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4))

GOOD_ANSWER: dict[str, Any] = {
    "mode": "apply",
    "actions": {"Vpc": {"allow": True, "reasons": ["fine"]}},
    "reasons": [{"rule": "matrix", "message": "allowed"}],
    "checklist": {"approved": {"ok": True, "message": "by bob"}},
}


def places(value: Any, place: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Every place in a JSON value."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [place, *(found for key, item in items for found in places(item, (*place, key)))]


def replaced(value: Any, place: tuple[Any, ...], new: Any) -> Any:
    """``value`` with something else at a place."""
    if not place:
        return new
    copy = dict(value) if isinstance(value, dict) else list(value)
    copy[place[0]] = replaced(value[place[0]], place[1:], new)
    return copy


@MANY
@given(st.sampled_from(places(GOOD_ANSWER)), JSON)
def test_an_answer_of_policy_is_complete_or_a_denial(place: tuple[Any, ...], odd: Any) -> None:
    """Never "apply" for an action that isn't positively allowed."""
    answer = replaced(GOOD_ANSWER, place, odd)
    try:
        decision = read_answer(answer, Question(("Vpc",)), "r1")
    except PolicyUnavailable:
        return
    if decision.mode is Mode.APPLY:
        assert decision.actions["Vpc"].allow is True
        assert all(item.ok is True for item in decision.checklist.values())
        assert decision.checklist


@MANY
@given(st.text() | JSON.map(lambda value: json.dumps(value)))
def test_text_from_an_engine_is_json_or_refused(text: str) -> None:
    try:
        strict_json(text)
    except (ValueError, RecursionError):
        return


@MANY
@given(st.text(max_size=60), st.integers(100, 599), st.text(max_size=60), st.text(max_size=20))
def test_every_error_code_has_a_kind(code: str, status: int, message: str, operation: str) -> None:
    assert kind_of(code, status, message, operation) in FaultKind


@MANY
@given(st.sampled_from(sorted(Settings.model_fields)), JSON)
def test_a_configuration_is_good_or_explained(section: str, odd: Any) -> None:
    try:
        text = yaml.safe_dump({section: odd}, allow_unicode=True)
    except yaml.YAMLError:
        return
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "reconciler.yaml"
        path.write_text(text, encoding="utf-8", errors="replace")
        try:
            load_settings(path)
        except ConfigurationError as error:
            assert str(path) in str(error)


STORED = {RunReport: a_full_report(), PlanStatus: a_status(), Record: a_record(), JournalEntry: an_entry()}


@pytest.mark.parametrize("kind", list(STORED), ids=lambda kind: kind.__name__)
def test_a_damaged_row_is_refused_or_read(kind: type[Any]) -> None:
    stored = json.loads(to_json(STORED[kind]))

    @MANY
    @given(st.sampled_from(places(stored)), JSON)
    def damaged(place: tuple[Any, ...], odd: Any) -> None:
        try:
            text = json.dumps(replaced(stored, place, odd))
        except ValueError:
            return
        try:
            assert isinstance(from_json(kind, text), kind)
        except ValueError:
            return

    damaged()


class Signed:
    """A plan with an approval that counts, in a directory."""

    def __init__(self, root: Path) -> None:
        self.root, key = root, ed25519.Ed25519PrivateKey.generate()
        private = root / "bob"
        private.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.OpenSSH, NoEncryption()))
        line = key.public_key().public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH).decode()
        (root / "allowed_signers").write_text(f"bob@example.com {line}\n")
        self.desired = root / "desired"
        self.desired.mkdir()
        (self.desired / "plan.yaml").write_text(PLAN)
        clock = FakeClock(datetime(2026, 11, 23, 9, 0, tzinfo=UTC))
        self.source = DirectorySource(
            self.desired, allowed_signers=root / "allowed_signers", clock=clock, cache=root / "cache"
        )
        (plan,) = self.source.load().plans.values()
        now = clock.now()
        document = approval_document(
            plan, approver="bob@example.com", approved_at=now, expires_at=now + timedelta(days=9)
        )
        self.text = json.dumps(sign_approval(document, private)).encode()

    def verified(self, text: bytes) -> int:
        """How many approvals count when this is the file."""
        (self.desired / "approval.json").write_bytes(text)
        snapshot = self.source.load()
        assert len(snapshot.plans) == 1, "the plan beside it is there whatever the approval holds"
        return sum(approval.verified for found in snapshot.approvals.values() for approval in found)


@pytest.fixture(scope="module")
def signed(tmp_path_factory: pytest.TempPathFactory) -> Signed:
    made = Signed(tmp_path_factory.mktemp("signed"))
    assert made.verified(made.text) == 1
    return made


@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck), database=None)
@given(data=st.data())
def test_an_approval_with_any_byte_changed_does_not_count(signed: Signed, data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(signed.text) - 1))
    byte = data.draw(st.integers(0, 255).filter(lambda value: value != signed.text[at]))
    changed = signed.text[:at] + bytes([byte]) + signed.text[at + 1 :]
    try:
        same = json.loads(changed) == json.loads(signed.text)
    except (ValueError, UnicodeDecodeError):
        same = False
    # A signature is armoured text in which some characters carry no meaning (line breaks, unused bits).
    meaningless = signed.text.index(b'"signature"') <= at
    if not same and not meaningless:
        assert signed.verified(changed) == 0


def test_a_source_error_says_where(tmp_path: Path) -> None:
    """The errors above are for people: file and line come with them."""
    from reconciler.source.parse import parse

    with pytest.raises(SourceError) as caught:
        parse(b"a: 1\na: 2\n", "plan.yaml")
    assert "plan.yaml:2" in str(caught.value)
