"""Revisions: what is kept of a plan, what comes back of it, and when a rollback begins, holds and ends."""

from __future__ import annotations

import os
from copy import deepcopy
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler.model import secrecy
from reconciler.model.errors import SourceError
from reconciler.model.ids import Digest, LogicalId, Owner, PlanName, RunId, TypeName
from reconciler.model.plan import Constraints, IgnoreRule, Output, Parameter, Plan, PlannedResource, RollbackPolicy
from reconciler.model.plancodec import SecretMissing, plan_from_json, plan_to_json
from reconciler.model.report import PlanState
from reconciler.model.revision import Pin
from reconciler.model.values import Deferred, Sensitive, leaves
from reconciler.revisions import Revisions
from reconciler.testing.memory import START, FakeClock, MemoryStore
from reconciler.testing.samples import a_status
from tests.unit.cycle.conftest import NETWORK, Rig, make_plan

KEY, DEMO, RUN = b"k" * 32, PlanName("demo"), RunId("run")
EXAMPLES = 1000 if os.environ.get("RECONCILER_STRESS") else 100


def digest(letter: str) -> Digest:
    return Digest("sha256:" + letter * 64)


def plan(letter: str = "1", **properties: Any) -> Plan:
    """The network with other properties of the queue."""
    resources = deepcopy(NETWORK)
    resources["Queue"]["Properties"].update(properties)
    return make_plan(resources, digest=digest(letter))


@pytest.fixture
def revisions() -> Revisions:
    return Revisions(MemoryStore(), FakeClock(), KEY)


def store_of(revisions: Revisions) -> MemoryStore:
    store: MemoryStore = revisions._store  # type: ignore[assignment]
    return store


# the codec

texts = st.text(max_size=12)
plain = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | texts
values = st.recursive(
    plain | st.builds(Sensitive, texts.map("a-secret-".__add__) | st.integers()),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(texts | st.sampled_from(["$secret", "$deferred", "$map"]), inner, max_size=3)
        | st.builds(Deferred, st.sampled_from(["Ref", "Fn::Sub"]), inner)
    ),
    max_leaves=12,
)
properties = st.dictionaries(texts, values, max_size=4)


constraints = st.builds(Constraints, st.lists(texts, max_size=2).map(tuple), texts, explanation=texts)


@st.composite
def plans(draw: st.DrawFn) -> Plan:
    """Any plan that a source could give, and some that it could not."""
    resources = {
        LogicalId(name): PlannedResource(
            LogicalId(name),
            TypeName("AWS::SQS::Queue"),
            draw(properties),
            frozenset(draw(st.lists(texts.map(LogicalId), max_size=2))),
            draw(st.sampled_from(["Delete", "Retain"])),
            moved_from=draw(st.none() | st.just(Owner(PlanName("other"), LogicalId("X")))),
            written=draw(st.none() | properties),
        )
        for name in draw(st.lists(texts, max_size=3, unique=True))
    }
    return replace(
        make_plan(NETWORK),
        resources=resources,
        parameters=tuple(
            Parameter(name, "String", draw(values), constraints=draw(constraints))
            for name in draw(st.lists(texts, max_size=2))
        ),
        outputs=tuple(
            Output(name, draw(values), "", draw(values), draw(values)) for name in draw(st.lists(texts, max_size=2))
        ),
        ignore=tuple(IgnoreRule(name, "/x") for name in draw(st.lists(texts, max_size=2))),
    )


@settings(max_examples=EXAMPLES, deadline=None)
@given(given_plan=plans())
def test_a_plan_comes_back_as_it_was_and_no_secret_is_written(given_plan: Plan) -> None:
    secrecy.forget_all()  # else the secrets of other examples are in the way of this one's ordinary texts
    text = plan_to_json(given_plan, KEY)
    assert plan_from_json(text, KEY, given_plan) == given_plan
    carriers = [(r.properties, r.written) for r in given_plan.resources.values()]
    found = [item.value for item in leaves(carriers) if _secret(item)]
    assert not [value for value in found if isinstance(value, str) and value in text]


def _secret(value: Any) -> bool:
    return isinstance(value, Sensitive)


def test_a_secret_is_found_again_wherever_it_stands_now() -> None:
    old = plan(KmsMasterKeyId=Sensitive("hunter2hunter2"))
    text = plan_to_json(old, KEY)
    moved = plan("2", Tags=[{"Key": "k", "Value": Sensitive("hunter2hunter2")}])
    assert plan_from_json(text, KEY, moved).resources == old.resources
    for other in (plan("2", KmsMasterKeyId=Sensitive("hunter3hunter3")), plan("2", KmsMasterKeyId="hunter2hunter2")):
        with pytest.raises(SecretMissing):
            plan_from_json(text, KEY, other)
    with pytest.raises(SecretMissing):
        plan_from_json(text, b"another key", old)


def test_a_text_that_is_a_secret_elsewhere_is_not_written_either() -> None:
    """The store masks every secret in what it writes: a text must not come back masked, and never applied so."""
    Sensitive("swordfish-77")
    before = plan(KmsMasterKeyId="alias/swordfish-77")
    text = plan_to_json(before, KEY)
    assert "swordfish-77" not in text
    assert plan_from_json(text, KEY, before) == before
    with pytest.raises(SecretMissing):
        plan_from_json(text, KEY, plan("2"))
    with pytest.raises(ValueError, match="name or a description"):
        plan_to_json(replace(before, description="it is swordfish-77"), KEY)


# what is kept


def test_each_new_content_is_kept_once(revisions: Revisions) -> None:
    store = store_of(revisions)
    for letter in "1", "1", "2", "2", "1":
        store.save_status(a_status("demo", digest=digest(letter)))
        revisions.reached(plan(letter), RUN)
    assert [(each.number, each.digest) for each in store.revisions(DEMO)] == [
        (3, digest("1")),
        (2, digest("2")),
        (1, digest("1")),
    ]


def test_no_revision_is_read_when_nothing_has_changed(revisions: Revisions, monkeypatch: pytest.MonkeyPatch) -> None:
    store = store_of(revisions)
    store.save_status(a_status("demo", digest=digest("1")))
    revisions.reached(plan(), RUN)
    monkeypatch.setattr(store, "revisions", lambda _plan: pytest.fail("read"))
    revisions.reached(plan(), RUN)


def test_another_process_may_have_been_at_another_content_since(revisions: Revisions) -> None:
    store = store_of(revisions)
    other = Revisions(store, FakeClock(), KEY)
    for who, letter in ((revisions, "1"), (other, "2"), (revisions, "1")):
        who.reached(plan(letter), RUN)
        store.save_status(a_status("demo", digest=digest(letter)))
    assert [each.digest for each in store.revisions(DEMO)] == [digest("1"), digest("2"), digest("1")]


def test_what_cannot_be_written_is_not_kept_and_harms_nothing(revisions: Revisions) -> None:
    revisions.reached(plan(DelaySeconds=float("nan")), RUN)
    revisions.reached(replace(plan("2"), absent=True), RUN)
    assert store_of(revisions).revisions(DEMO) == []


# what comes back


def test_the_content_comes_back_and_all_else_stays_the_files(revisions: Revisions) -> None:
    first = replace(plan(DelaySeconds=1), ignore=(IgnoreRule("Queue", "/x"),), labels={"team": "old"})
    revisions.reached(first, RUN)
    now = replace(plan("2"), author="bob@example.com", rollback=RollbackPolicy("manual"), labels={"team": "new"})
    assert revisions.wanted(now) == now
    revisions.pin(now, 1)
    back = revisions.wanted(now)
    assert back == replace(now, resources=first.resources, ignore=first.ignore, rolling_back=1)
    assert revisions.wanted(replace(now, suspend=True)).rolling_back is None
    assert revisions.wanted(replace(now, absent=True)).rolling_back is None
    assert revisions.wanted(plan("3")).rolling_back is None


def test_it_holds_until_the_file_is_edited(revisions: Revisions) -> None:
    store, now = store_of(revisions), plan("2")
    revisions.reached(plan(), RUN)
    revisions.reached(now, RUN)
    revisions.pin(now, 1)
    revisions.reached(revisions.wanted(now), RUN)
    assert store.pin(DEMO) == Pin(DEMO, now.digest, 1, START, reached=True)
    revisions.renewed(now)
    assert revisions.wanted(now).rolling_back == 1
    assert [each.number for each in store.revisions(DEMO)] == [2, 1]
    revisions.renewed(plan("3"))
    assert store.pin(DEMO) is None
    assert revisions.wanted(now).rolling_back is None
    said = [(entry.event.kind, entry.event.facts["revision"]) for entry in store.audit_entries()]
    assert said == [("rollback", 1), ("rollback", 1)]


def moved(**target: str) -> Plan:
    """Its newer content, for another target."""
    now = plan("2", KmsMasterKeyId=Sensitive("one-secret"))
    return replace(now, target=replace(now.target, **target))


@pytest.mark.parametrize(
    ("now", "number", "why"),
    [
        (plan("2"), 7, "there is no revision 7; kept are 1"),
        (moved(region="eu-west-1"), 1, "111111111111, us-east-1"),
        (moved(account="222222222222"), 1, "isn't applied any more"),
        (plan("2", KmsMasterKeyId=Sensitive("another-one")), 1, "holds a secret that isn't kept"),
    ],
)
def test_what_cannot_be_returned_to_is_refused(revisions: Revisions, now: Plan, number: int, why: str) -> None:
    revisions.reached(plan(KmsMasterKeyId=Sensitive("one-secret")), RUN)
    with pytest.raises(SourceError, match=why):
        revisions.pin(now, number)
    store = store_of(revisions)
    assert (store.pin(DEMO), list(store.audit_entries())) == (None, [])
    store.save_pin(Pin(DEMO, now.digest, number, START))
    with pytest.raises(SourceError, match=why):
        revisions.wanted(now)


# in a pass


def test_a_pass_under_a_rollback_says_so_and_a_preview_ends_none() -> None:
    rig = Rig()
    first, second = plan(), plan("2", DelaySeconds=9)
    assert rig.run(first).state is PlanState.IN_SYNC
    assert rig.run(second).state is PlanState.IN_SYNC
    revisions = Revisions(rig.store, rig.clock, KEY)
    revisions.pin(second, 1)
    assert rig.cycle.preview(plan("3"), ()).error is None
    assert rig.store.pin(DEMO) is not None
    report = rig.run(second)
    assert (report.state, report.rolling_back) == (PlanState.IN_SYNC, 1)
    assert {queue["DelaySeconds"] for queue in rig.world.of("AWS::SQS::Queue").values()} == {5}
    assert rig.policy.reviewed[-1].plan.rolling_back == 1
    pin = rig.store.pin(DEMO)
    assert pin is not None
    assert pin.reached
    assert rig.run(plan("3", DelaySeconds=7)).rolling_back is None
    assert rig.store.pin(DEMO) is None
