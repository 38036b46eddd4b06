"""Identifiers in what is looked up by them stay as they are, whatever word in them is a secret; all else is masked."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from reconciler.model import secrecy
from reconciler.model.change import Verb
from reconciler.model.codec import from_json, to_json
from reconciler.model.ids import ClientToken, Identifier, LogicalId, PlanName, RunId, StepId, TypeName
from reconciler.model.journal import JournalEntry
from reconciler.model.progress import Handle
from reconciler.model.resource import Record

QUEUE = TypeName("AWS::SQS::Queue")
RECORD = Record(
    PlanName("shop"), LogicalId("Jobs"), QUEUE, Identifier("admin-jobs"), "1", "us-east-1", {"Note": "ask admin"}
)
ENTRY = JournalEntry(
    RunId("r"), PlanName("shop"), StepId("s"), LogicalId("Jobs"), QUEUE, Verb.CREATE, ClientToken("t"), "1", "x",
    datetime(2026, 1, 1, tzinfo=UTC), identifier=Identifier("admin-jobs"), handle=Handle(Identifier("admin-jobs"), "x"),
    record=RECORD, error="admin was refused",
)  # fmt: skip


@pytest.fixture(autouse=True)
def _secret() -> Iterator[None]:
    secrecy.know("admin")
    yield
    secrecy.forget_all()


def test_a_record_is_found_by_its_identifier() -> None:
    read = from_json(Record, to_json(RECORD))
    assert (read.identifier, read.applied) == ("admin-jobs", {"Note": f"ask {secrecy.MASK}"})


def test_so_is_what_the_journal_tells_of() -> None:
    read = from_json(JournalEntry, to_json(ENTRY))
    assert read.handle is not None
    assert read.record is not None
    assert {read.identifier, read.handle.identifier, read.record.identifier} == {"admin-jobs"}
    assert read.error == f"{secrecy.MASK} was refused"
