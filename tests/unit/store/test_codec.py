"""JSON out and back: nothing lost, no secret out, nothing accepted that isn't what was asked for."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler.model.change import FieldChange
from reconciler.model.codec import from_json, masked, to_json
from reconciler.model.events import PassFinished
from reconciler.model.journal import JournalEntry
from reconciler.model.plan import Parameter
from reconciler.model.report import PlanStatus, RunReport
from reconciler.model.resource import Record
from reconciler.model.values import Deferred, Sensitive, Unknown
from reconciler.testing.samples import a_full_report, a_record, a_report, a_status, an_entry

SECRET = "hunter2-never-out"

plain = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63) | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)
hidden = st.recursive(
    plain | plain.map(lambda value: Sensitive([SECRET, value])) | st.just(Unknown("Vpc.VpcId")),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.text(max_size=8), inner, max_size=4)
        | inner.map(lambda value: Deferred("Fn::Sub", value))
        | st.tuples(inner, inner)
    ),
    max_leaves=12,
)


@settings(deadline=None)
@given(st.dictionaries(st.text(max_size=8).filter(lambda text: text.isprintable()), plain, max_size=4))
def test_plain_properties_come_back_as_they_were(applied: dict[str, object]) -> None:
    record = a_record(applied=applied)
    assert from_json(Record, to_json(record)) == record


@settings(deadline=None)
@given(hidden)
def test_no_secret_gets_out_and_masking_again_changes_nothing(value: object) -> None:
    text = to_json(a_record(applied={"x": value}))
    assert SECRET not in text
    json.loads(text)
    once = masked(value)
    assert masked(once) == once
    assert json.loads(to_json(value)) == json.loads(to_json(once))


@pytest.mark.parametrize(
    "value",
    [
        Sensitive(SECRET),
        [Sensitive(SECRET)],
        (Sensitive(SECRET),),
        {"a": {"b": Sensitive(SECRET)}},
        Parameter("P", "String", Sensitive(SECRET), no_echo=True),
        FieldChange("/a", Sensitive(SECRET), Deferred("Ref", Sensitive(SECRET))),
        [FieldChange("/a", [Sensitive(SECRET)], None)],
        PassFinished(a_report()),
    ],
)
def test_whatever_holds_a_secret_masks_it(value: object) -> None:
    text = to_json(value)
    assert SECRET not in text
    json.loads(text)


@pytest.mark.parametrize("value", [a_full_report(), a_report(), a_status(), a_record(), an_entry()])
def test_every_stored_kind_comes_back_equal(value: object) -> None:
    assert from_json(type(value), to_json(value)) == value


def test_times_are_rfc_3339() -> None:
    assert json.loads(to_json(a_status()))["verified_at"] == "2026-11-23T09:00:00.123456Z"


def test_what_a_newer_version_added_is_ignored_and_what_an_older_one_lacked_takes_its_default() -> None:
    document = json.loads(to_json(an_entry()))
    document["invented_later"] = {"a": 1}
    del document["error"]
    assert from_json(JournalEntry, json.dumps(document)) == an_entry()


@pytest.mark.parametrize("text", ["", "{", "[]", "null", "{}", '{"plan": 7}', b"\xff", '"text"'])
def test_anything_else_is_refused(text: str | bytes) -> None:
    for kind in (PlanStatus, RunReport, Record):
        with pytest.raises(ValueError):
            from_json(kind, text)


@pytest.mark.parametrize("value", [object(), {"a": object()}, "\ud800"])
def test_what_has_no_json_form_is_an_error_that_says_so(value: object) -> None:
    with pytest.raises(ValueError, match="can't be written as JSON"):
        to_json(replace(a_record(), applied={"x": value}))
