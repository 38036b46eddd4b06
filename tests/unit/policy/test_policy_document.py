"""The question put to Rego: no secret in it, whatever holds it; and the parts of a long one."""

from __future__ import annotations

import json
import threading
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from reconciler.model.change import Action, Change, ChangeSet
from reconciler.model.decision import ChecklistItem, Decision, Facts, Mode, Reason, Ruling
from reconciler.model.errors import PolicyUnavailable
from reconciler.model.ids import Digest, LogicalId, PlanName, TypeName
from reconciler.model.plan import Approval, Plan
from reconciler.model.values import Sensitive, Unknown
from reconciler.policy.answers import combine, strict_json
from reconciler.policy.deadline import Deadline
from reconciler.policy.document import instant, plain, policy_input
from reconciler.policy.embedded import CHUNK, _parts
from reconciler.policy.keeper import Keeper
from tests.unit.cycle.conftest import NETWORK, make_plan


def test_no_secret_in_the_question() -> None:
    value = {"a": [Sensitive("hunter2"), {"b": Sensitive({"c": "hunter2"})}], "d": Unknown("Db.Endpoint")}
    text = json.dumps(plain(value))
    assert "hunter2" not in text
    assert set(plain(value)) == {"a", "d"}


def test_odd_values_become_text() -> None:
    value = {"nan": float("nan"), "day": datetime(2026, 1, 2, tzinfo=UTC), 7: 1.5}
    assert plain(value) == {"nan": "nan", "day": "2026-01-02T00:00:00+00:00", "7": 1.5}
    assert instant(datetime(2026, 1, 2, tzinfo=UTC)).endswith("+00:00")


def asked(plan: Plan, *approvals: Approval, action: Action = Action.DELETE) -> dict[str, Any]:
    change = Change(LogicalId("Queue"), TypeName("AWS::SQS::Queue"), action, loss=("its messages",))
    return policy_input(plan, ChangeSet(plan, (change,)), Facts(datetime(2026, 1, 2, tzinfo=UTC), approvals))


def test_an_action_says_what_is_lost() -> None:
    document = asked(make_plan(NETWORK))
    assert document["plan"]["rolling_back"] is None
    (action,) = document["actions"]
    assert (action["action"], action["original"], action["loss"]) == ("delete", "delete", ["its messages"])


def test_a_rollback_is_asked_about_as_such_and_counted_as_what_it_does() -> None:
    document = asked(make_plan(NETWORK, rolling_back=7))
    assert document["plan"]["rolling_back"] == 7
    (action,) = document["actions"]
    assert (action["action"], action["original"]) == ("rollback", "delete")
    assert (document["totals"]["deletes"], document["totals"]["rollbacks"]) == (1, 0)


@pytest.mark.parametrize(("digest", "word"), [("", "any"), ("sha256:" + "a" * 64, "exact")])
def test_an_approval_says_whether_it_is_of_one_change(digest: str, word: str) -> None:
    day = datetime(2026, 1, 2, tzinfo=UTC)
    given = Approval(
        "bob-1",
        PlanName("demo"),
        Digest("d"),
        "bob@example.com",
        day,
        day,
        frozenset({"delete"}),
        change=Digest(digest),
    )
    (approval,) = asked(make_plan(NETWORK), given)["approvals"]
    assert (approval["name"], approval["change"]) == ("bob-1", word)
    assert json.loads(json.dumps(approval)) == approval


@pytest.mark.parametrize("count", [0, 1, CHUNK, CHUNK + 1, 3 * CHUNK])
def test_every_action_is_asked_about_once(count: int) -> None:
    document = {"actions": [{"id": str(number)} for number in range(count)], "totals": {"deletes": count}}
    parts = list(_parts(document))
    assert [action for part in parts for action in part["actions"]] == document["actions"]
    assert all(len(part["actions"]) <= CHUNK and part["totals"] == document["totals"] for part in parts)
    assert parts


def decision(mode: Mode, name: str, ok: bool) -> Decision:
    return Decision(
        mode=mode,
        actions={name: Ruling(mode is Mode.APPLY)},
        reasons=(Reason("matrix", name),),
        checklist={"approved": ChecklistItem(ok, name)},
        revision="1",
    )


@pytest.mark.parametrize(
    ("modes", "expected"),
    [
        ((Mode.APPLY, Mode.APPLY), Mode.APPLY),
        ((Mode.APPLY, Mode.WAIT), Mode.WAIT),
        ((Mode.DENY, Mode.APPLY), Mode.DENY),
        ((Mode.APPLY, Mode.PIPELINE, Mode.DENY), Mode.DENY),
    ],
)
def test_parts_combine_to_the_strictest(modes: tuple[Mode, ...], expected: Mode) -> None:
    parts = [decision(mode, str(number), mode is Mode.APPLY) for number, mode in enumerate(modes)]
    combined = combine(parts)
    assert combined.mode is expected
    assert set(combined.actions) == {str(number) for number in range(len(modes))}
    assert combined.checklist["approved"].ok is all(mode is Mode.APPLY for mode in modes)
    assert len(combined.reasons) == len(modes)


@pytest.mark.parametrize("text", ['{"a": 1, "a": 2}', '{"a": NaN}', "{", ""])
def test_json_that_can_be_read_two_ways_is_none(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        strict_json(text)


def test_a_deadline_gives_up_and_then_refuses() -> None:
    release = threading.Event()
    deadline = Deadline(0.02, tolerated=1)
    with pytest.raises(TimeoutError, match="no answer"):
        deadline.run(release.wait)
    with pytest.raises(TimeoutError, match="earlier"):
        deadline.run(lambda: 1)
    release.set()


def test_the_last_good_set_stays(tmp_path: Path) -> None:
    (tmp_path / "a.rego").write_text("package reconciler\n")
    bad: list[PolicyUnavailable] = []

    def install(policies: object) -> object:
        if bad:
            raise bad[0]
        return policies

    keeper = Keeper(tmp_path, install)
    good = keeper.current()
    bad.append(PolicyUnavailable("crashed", "it crashed"))
    (tmp_path / "a.rego").write_text("package reconciler\n\nx := 1\n")
    assert keeper.current() is good
    assert keeper.problem == "it crashed"
    assert not keeper.reload()
    bad.clear()
    assert keeper.reload()
    assert keeper.current().policies.revision != good.policies.revision
    keeper.close()
    with pytest.raises(PolicyUnavailable):
        keeper.current()
