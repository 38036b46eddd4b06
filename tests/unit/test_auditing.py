"""Which decisions the audit trail gets: each once, each again before something is done under it, never a quiet pass."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from reconciler.auditing import Auditor
from reconciler.model.change import Action, Change, ChangeSet, Conflict
from reconciler.model.decision import Decision, Mode, Reason, Ruling
from reconciler.model.errors import StoreError
from reconciler.model.ids import Digest, Identifier, LogicalId, PlanName, RunId, TypeName
from reconciler.model.plan import Approval, Guardrail, Origin, Plan, RollbackPolicy, Target
from reconciler.model.values import Sensitive
from reconciler.testing.memory import START, FakeClock, MemoryStore
from reconciler.testing.samples import DIGEST

VPC, TYPE = LogicalId("Vpc"), TypeName("AWS::EC2::VPC")
SECRET = "hunter2-never-written"


def a_plan(name: str = "web") -> Plan:
    return Plan(
        PlanName(name),
        "alice@example.com",
        Target("sandbox", "111111111111", "eu-central-1"),
        Guardrail("passed"),
        RollbackPolicy("automatic"),
        DIGEST,
        Origin("web.yaml"),
    )


def changes(*actions: Action, digest: str = "sha256:c", **more: Any) -> ChangeSet:
    made = tuple(Change(LogicalId(f"R{n}"), TYPE, action) for n, action in enumerate(actions))
    return ChangeSet(a_plan(), changes=made, digest=Digest(digest), **more)


BOB = Approval(
    "bob-1",
    PlanName("web"),
    DIGEST,
    "bob@example.com",
    START,
    START + timedelta(days=1),
    frozenset({"delete", "replace"}),
    verified=True,
    change=Digest("sha256:c"),
)
WAIT = Decision(
    Mode.WAIT,
    {"R0": Ruling(False, ("needs approval",)), "R1": Ruling(True), "R2": Ruling(True, ("noted",))},
    (Reason("approval", "none given"),),
    revision="rev-1",
)
APPLY = Decision(Mode.APPLY, revision="rev-1")


class Desk:
    """An auditor with its store: ``decide`` is one pass, ``facts`` is what the trail has."""

    def __init__(self) -> None:
        self.store, self.clock, self.runs = MemoryStore(), FakeClock(), 0

    def decide(
        self,
        decision: Decision,
        made: ChangeSet | None,
        approvals: tuple[Approval, ...] = (),
        plan: str = "web",
    ) -> None:
        self.runs += 1
        self.clock.advance(60)
        run = RunId(f"run-{self.runs}")
        Auditor(self.store, self.clock).decided(run, a_plan(plan), decision, made, approvals)

    @property
    def runs_recorded(self) -> list[str]:
        return [entry.event.run for entry in self.store.audit_entries()]

    @property
    def facts(self) -> dict[str, Any]:
        return dict(self.store.audit_entries()[-1].event.facts)


@pytest.fixture
def desk() -> Desk:
    return Desk()


def test_everything_that_was_weighed_is_in_the_facts(desk: Desk) -> None:
    desk.decide(WAIT, changes(Action.DELETE, Action.CREATE, Action.CREATE), (BOB,))
    (entry,) = desk.store.audit_entries()
    assert (entry.event.kind, entry.event.plan, entry.event.run) == ("decision", "web", "run-1")
    assert entry.event.at == START + timedelta(seconds=60)
    assert desk.facts == {
        "asked": "review",
        "mode": "wait",
        "policy": "rev-1",
        "plan_digest": DIGEST,
        "change_digest": "sha256:c",
        "rolling_back": None,
        "actions": {"create": 2, "delete": 1},
        "reasons": [{"rule": "approval", "message": "none given"}],
        "rulings": {
            "R0": {"allow": False, "reasons": ["needs approval"]},
            "R2": {"allow": True, "reasons": ["noted"]},
        },
        "approvals": [
            {
                "name": "bob-1",
                "approver": "bob@example.com",
                "verified": True,
                "reason": "",
                "scope": ["delete", "replace"],
                "change": "sha256:c",
            }
        ],
        "direct": False,
        "branch": False,
    }


def test_a_refused_admission_is_recorded_once(desk: Desk) -> None:
    for _ in range(3):
        desk.decide(Decision(Mode.DENY, reasons=(Reason("account", "unknown"),)), None)
    assert desk.runs_recorded == ["run-1"]
    assert (desk.facts["asked"], desk.facts["mode"]) == ("admission", "deny")


@pytest.mark.parametrize("mode", [Mode.APPLY, Mode.PIPELINE, Mode.WAIT])
def test_a_pass_in_sync_does_not_grow_the_trail(desk: Desk, mode: Mode) -> None:
    desk.decide(Decision(mode), changes())
    assert desk.runs_recorded == []


def test_a_refusal_is_recorded_even_with_nothing_to_change(desk: Desk) -> None:
    desk.decide(Decision(Mode.DENY), changes())
    assert desk.facts["mode"] == "deny"


def test_the_same_decision_is_recorded_once_as_long_as_nothing_is_done(desk: Desk) -> None:
    for _ in range(3):
        desk.decide(WAIT, changes(Action.DELETE), (BOB,))
        desk.decide(APPLY, changes())
    assert desk.runs_recorded == ["run-1"]


@pytest.mark.parametrize(
    ("decision", "made", "approvals"),
    [
        (replace(WAIT, mode=Mode.DENY), changes(Action.DELETE), (BOB,)),
        (replace(WAIT, revision="rev-2"), changes(Action.DELETE), (BOB,)),
        (replace(WAIT, reasons=()), changes(Action.DELETE), (BOB,)),
        (replace(WAIT, actions={}), changes(Action.DELETE), (BOB,)),
        (WAIT, changes(Action.DELETE, digest="sha256:d"), (BOB,)),
        (WAIT, changes(Action.REPLACE), (BOB,)),
        (WAIT, changes(Action.DELETE), ()),
        (WAIT, changes(Action.DELETE), (replace(BOB, verified=False, reason="expired"),)),
        (WAIT, changes(Action.DELETE), (replace(BOB, scope=frozenset({"delete"})),)),
    ],
)
def test_whatever_differs_makes_it_another_decision(
    desk: Desk, decision: Decision, made: ChangeSet, approvals: tuple[Approval, ...]
) -> None:
    desk.decide(WAIT, changes(Action.DELETE), (BOB,))
    desk.decide(decision, made, approvals)
    desk.decide(WAIT, changes(Action.DELETE), (BOB,))
    assert desk.runs_recorded == ["run-1", "run-2", "run-3"]


def test_a_decision_is_recorded_every_time_that_calls_follow(desk: Desk) -> None:
    for _ in range(2):
        desk.decide(APPLY, changes(Action.CREATE))
    assert desk.runs_recorded == ["run-1", "run-2"]
    assert (desk.facts["direct"], desk.facts["branch"]) == (True, False)


def test_a_decision_for_the_pipeline_is_recorded_once_a_change_as_it_is_committed_once(desk: Desk) -> None:
    pipeline = Decision(Mode.PIPELINE)
    for digest in ("sha256:1", "sha256:1", "sha256:2"):
        desk.decide(pipeline, changes(Action.CREATE, digest=digest))
    assert desk.runs_recorded == ["run-1", "run-3"]
    assert (desk.facts["direct"], desk.facts["branch"]) == (False, True)


def test_a_conflict_lets_nothing_be_done(desk: Desk) -> None:
    conflict = Conflict(VPC, TYPE, Identifier("vpc-1"), "exists")
    for _ in range(2):
        desk.decide(APPLY, changes(Action.CREATE, conflicts=(conflict,)))
    assert desk.runs_recorded == ["run-1"]
    assert desk.facts["direct"] is False


def test_plans_are_apart_and_the_order_of_approvals_does_not_matter(desk: Desk) -> None:
    other = replace(BOB, name="carol-1")
    desk.decide(WAIT, changes(Action.DELETE), (BOB, other))
    desk.decide(WAIT, changes(Action.DELETE), (BOB, other), plan="db")
    desk.decide(WAIT, changes(Action.DELETE), (other, BOB))
    assert desk.runs_recorded == ["run-1", "run-2"]


def test_a_secret_in_a_reason_is_masked_and_equal_all_the_same(desk: Desk) -> None:
    Sensitive(SECRET)
    told = replace(WAIT, reasons=(Reason("approval", f"not {SECRET}"),))
    for _ in range(2):
        desk.decide(told, changes(Action.DELETE))
    assert desk.facts["reasons"][0]["message"] == "not (sensitive)"
    assert desk.runs_recorded == ["run-1"]


def test_a_store_that_fails_stops_the_pass(desk: Desk) -> None:
    desk.store.failing = "disk full"
    for decision, made in ((APPLY, changes(Action.CREATE)), (WAIT, changes(Action.DELETE))):
        with pytest.raises(StoreError):
            desk.decide(decision, made)
