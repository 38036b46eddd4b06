"""What we make of templates that nobody here wrote, before any is rendered: `pytest tests/corpus -s` prints it."""

from __future__ import annotations

from reconciler.model.change import Action
from tests.corpus.loader import accepted, by_reason, entries, faulty, resource_types, table


def test_every_template_is_taken_or_refused_for_a_reason() -> None:
    rows = entries()
    print("\n" + "\n".join(table("templates", by_reason(rows))))
    print("\n".join(table("resources in the accepted ones", resource_types(accepted()))))
    print("\n".join(table("resources in those that only the schemas refuse", resource_types(faulty()))))
    assert len(rows) >= 320
    assert len(accepted()) >= 85
    assert len(faulty()) >= 60
    for entry in rows:
        assert (entry.reason == "") == (entry in accepted()), entry.name
        for problem in entry.problems:
            assert problem.message and problem.file, entry.name


def test_an_accepted_template_creates_all_its_resources() -> None:
    for entry in accepted():
        changes = entry.change_set
        assert {change.logical_id for change in changes.changes} == set(changes.plan.resources), entry.name
        assert {change.action for change in changes.changes} == {Action.CREATE}, entry.name
        assert not changes.conflicts, entry.name
        assert not changes.unknown, entry.name
