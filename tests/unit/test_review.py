"""What stands between a plan and its execution: which approvals count, what a pass uses up, what it says."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from reconciler.model.change import Action, Change, ChangeSet, ResourceState
from reconciler.model.decision import Decision, Mode
from reconciler.model.errors import PolicyUnavailable
from reconciler.model.ids import Digest, LogicalId, PlanName, TypeName
from reconciler.model.plan import Approval, Plan
from reconciler.model.report import PlanState
from reconciler.model.resource import SyncState
from reconciler.review import check_same_policy, exact, needed_scopes, reviewed, spent, usable
from reconciler.status.outcome import Outcome
from tests.unit.cycle.conftest import NETWORK, make_plan

NOW = datetime(2026, 11, 23, 9, tzinfo=UTC)
PLAN = make_plan(NETWORK)
THIS, OTHER = Digest("sha256:" + "a" * 64), Digest("sha256:" + "b" * 64)
SINGLE = frozenset({"replace", "delete", "rollback"})


def approval(*scope: str, change: str = "", name: str = "bob-1", **more: object) -> Approval:
    given = Approval(
        name,
        PlanName("demo"),
        PLAN.digest,
        "bob@example.com",
        NOW - timedelta(days=1),
        NOW + timedelta(days=1),
        frozenset(scope),
        verified=True,
        change=Digest(change),
    )
    return replace(given, **more)  # type: ignore[arg-type]


def changes(*actions: Action, plan: Plan = PLAN) -> ChangeSet:
    made = [Change(LogicalId(f"R{n}"), TypeName("AWS::SQS::Queue"), action) for n, action in enumerate(actions)]
    return ChangeSet(plan, tuple(made), digest=THIS)


class TestUsable:
    def test_one_of_exactly_this_change_counts(self) -> None:
        given = approval("delete", change=THIS)
        assert usable(given, (), NOW, THIS) == given

    def test_one_of_another_change_doesnt_and_says_what_to_do(self) -> None:
        answer = usable(approval("delete", change=OTHER), (), NOW, THIS)
        assert not answer.verified
        assert answer.reason == (
            "it approves the change sha256:bbbbbbbbbbbb…, this is sha256:aaaaaaaaaaaa…: "
            "look again, then `reconciler approve demo --change`"
        )

    def test_before_the_change_is_known_it_is_left_as_it_is(self) -> None:
        """Admission has seen nothing yet."""
        given = approval("delete", change=OTHER)
        assert usable(given, (), NOW) == given

    def test_a_change_that_can_not_be_told_is_another_one(self) -> None:
        assert not usable(approval("delete", change=OTHER), (), NOW, Digest("")).verified

    def test_one_of_any_change_counts_for_each(self) -> None:
        given = approval("delete")
        assert usable(given, (), NOW, THIS) == usable(given, (), NOW, OTHER) == given

    def test_an_unverified_one_stays_so_with_its_own_reason(self) -> None:
        given = approval("delete", change=THIS, verified=False, reason="it is not signed")
        assert usable(given, (), NOW, THIS) == given

    def test_it_ends_at_the_moment_it_expires(self) -> None:
        given = approval("delete", change=THIS, expires_at=NOW)
        assert not usable(given, (), NOW, THIS).verified
        assert usable(given, (), NOW - timedelta(seconds=1), THIS).verified

    def test_a_used_up_one_doesnt_count_again(self) -> None:
        answer = usable(
            approval("create", "delete", change=THIS), [("bob-1", "create"), ("bob-1", "delete")], NOW, THIS
        )
        assert (answer.verified, answer.scope) == (False, frozenset())
        assert "used up by an earlier pass" in answer.reason

    def test_what_others_used_up_doesnt_matter(self) -> None:
        given = approval("delete", change=THIS)
        assert usable(given, [("carol-1", "delete")], NOW, THIS) == given


class TestSpent:
    def test_an_exact_one_goes_whole(self) -> None:
        given = approval("create", "update", "delete", change=THIS)
        pairs = spent([given], changes(Action.UPDATE), Decision(Mode.APPLY, single_use=SINGLE))
        assert pairs == (("bob-1", "create"), ("bob-1", "delete"), ("bob-1", "update"))

    def test_also_where_policy_marks_nothing_as_single_use(self) -> None:
        given = approval("update", change=THIS)
        assert spent([given], changes(Action.UPDATE), Decision(Mode.APPLY, single_use=frozenset()))

    def test_one_of_any_change_loses_only_what_is_single_use_and_needed(self) -> None:
        given = approval("update", "delete", "replace")
        pairs = spent([given], changes(Action.UPDATE, Action.DELETE), Decision(Mode.APPLY, single_use=SINGLE))
        assert pairs == (("bob-1", "delete"),)

    @pytest.mark.parametrize(
        "given", [approval("delete", change=THIS), approval("update", change=OTHER, verified=False)]
    )
    def test_one_that_allowed_nothing_is_kept(self, given: Approval) -> None:
        assert spent([given], changes(Action.UPDATE), Decision(Mode.APPLY)) == ()

    def test_a_rollback_uses_up_scope_rollback(self) -> None:
        back = changes(Action.DELETE, plan=replace(PLAN, rolling_back=3))
        given = [approval("rollback", "delete"), approval("delete", name="carol-1")]
        assert spent(given, back, Decision(Mode.APPLY, single_use=SINGLE)) == (("bob-1", "rollback"),)
        assert needed_scopes(back) == {"rollback"}


def test_nothing_to_do_needs_nothing() -> None:
    assert needed_scopes(changes()) == needed_scopes(changes(plan=replace(PLAN, rolling_back=3))) == frozenset()
    assert needed_scopes(changes(Action.CREATE, Action.DELETE, Action.CREATE)) == {"create", "delete"}


def test_the_policy_set_is_part_of_the_exact_change() -> None:
    made = changes(Action.UPDATE)
    assert exact(made, "r1") == exact(made, "r1") != exact(made, "r2")
    assert exact(made, "r1") != exact(replace(made, digest=OTHER), "r1")
    assert exact(made, "r1").startswith("sha256:")


class TestSamePolicy:
    def test_the_same(self) -> None:
        check_same_policy(Decision(Mode.APPLY, revision="r1"), Decision(Mode.WAIT, revision="r1"))

    def test_replaced_in_between(self) -> None:
        with pytest.raises(PolicyUnavailable, match="changed during the pass"):
            check_same_policy(Decision(Mode.APPLY, revision="r1"), Decision(Mode.APPLY, revision="r2"))

    def test_a_refusal_of_our_own_has_no_revision(self) -> None:
        check_same_policy(Decision(Mode.APPLY, revision="r1"), Decision(Mode.DENY))


class TestWords:
    def said(self, given: ChangeSet, mode: Mode = Mode.APPLY) -> tuple[PlanState, str]:
        outcome = reviewed(Outcome(PlanState.DRIFTED, "", changes=given, decision=Decision(mode)))
        return outcome.state, outcome.message

    def states(self, number: int, state: SyncState) -> tuple[ResourceState, ...]:
        return tuple(ResourceState(LogicalId(f"R{n}"), TypeName("T"), state, None, "no answer") for n in range(number))

    @pytest.mark.parametrize(("number", "text"), [(1, "1 change"), (2, "2 changes")])
    def test_changes(self, number: int, text: str) -> None:
        assert self.said(changes(*[Action.UPDATE] * number)) == (PlanState.DRIFTED, text)

    @pytest.mark.parametrize(("number", "text"), [(0, "0 resources"), (1, "1 resource"), (2, "2 resources")])
    def test_in_sync(self, number: int, text: str) -> None:
        given = replace(changes(), resources=self.states(number, SyncState.IN_SYNC))
        assert self.said(given) == (PlanState.IN_SYNC, f"{text} in sync")

    @pytest.mark.parametrize(("number", "text"), [(1, "1 resource"), (2, "2 resources")])
    def test_unknown(self, number: int, text: str) -> None:
        given = replace(changes(Action.UPDATE), resources=self.states(number, SyncState.UNKNOWN))
        assert self.said(given) == (PlanState.FAILED, f"{text} could not be judged; R0: no answer")

    def test_waiting_and_denied(self) -> None:
        assert self.said(changes(Action.UPDATE), Mode.WAIT)[0] is PlanState.PENDING_APPROVAL
        assert self.said(changes(Action.UPDATE), Mode.DENY)[0] is PlanState.DENIED
