"""One contract, held by every type: create, read, update, reset, delete, find again, and never guess."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

import pytest

from reconciler.model.errors import AwsFault, FaultKind
from reconciler.model.ids import Identifier
from reconciler.model.resource import Located, Observation, Sought, Unreadable, Wanted
from reconciler.model.values import Unknown
from reconciler.ports import Scope, Seeking
from reconciler.providers.registry import Registry
from reconciler.testing.localaws import LocalAws
from tests.contract.providers_native.cases import ABSENT, Case, resolved
from tests.contract.providers_native.collected import CASES
from tests.contract.providers_native.hands import ACCOUNT, REGION, Hands, owned, owner

NAMED = [case for case in CASES if case.name]
COVETED = [case for case in CASES if case.foreign]
REPEATABLE = [case for case in CASES if case.twice]
FINDABLE = [case for case in CASES if case.findable]
SEARCHABLE = [case for case in CASES if case.tagged and case.searchable]
SEEKING = [case for case in SEARCHABLE if isinstance(Registry().get(case.type), Seeking)]


def only(cases: list[Case]) -> pytest.MarkDecorator:
    """The cases that a test means something for."""
    return pytest.mark.parametrize("bench", cases, indirect=True, ids=[case.id for case in cases])


class Bench:
    """A case set up in the local AWS, once a module."""

    def __init__(self, case: Case, aws: LocalAws, scope: Scope, prepared: set[str]) -> None:
        self.case = case
        self.aws = aws
        self.hands = Hands(scope, case.type)
        self.owner = owner(f"Thing{case.id.replace('-', '')}")
        self._aws = aws
        if case.id not in prepared:  # pytest may come back to a case
            prepared.add(case.id)
            case.setup(self.client)
        self.desired = owned(resolved(case.desired), self.owner, case.type)

    def client(self, service: str) -> Any:
        return self._aws.client(service, account=ACCOUNT, region=REGION)

    def with_owner(self, value: dict[str, Any]) -> dict[str, Any]:
        return owned(resolved(value), self.owner, self.case.type)


@pytest.fixture(scope="module")
def prepared() -> set[str]:
    """Cases whose surroundings are there."""
    return set()


@pytest.fixture(scope="module", params=CASES, ids=lambda case: case.id)
def bench(request: pytest.FixtureRequest, aws: LocalAws, scope: Scope, prepared: set[str]) -> Bench:
    return Bench(request.param, aws, scope, prepared)


@pytest.fixture
def made(bench: Bench) -> Iterator[Identifier]:
    identifier = bench.hands.create(bench.desired)
    yield identifier
    bench.aws.clear_faults()
    bench.hands.delete(identifier)


def test_what_was_created_is_as_desired(bench: Bench, made: Identifier) -> None:
    assert bench.hands.drift(made, bench.desired) == []
    live = bench.hands.read(made, *bench.desired)
    assert live is not None
    assert all(live.properties.get(name) for name in bench.case.attributes), live.properties


def test_reading_changes_nothing(bench: Bench, made: Identifier) -> None:
    bench.aws.reset_calls()
    bench.hands.read(made, *bench.desired)
    assert not bench.aws.mutations()


def test_a_read_only_target_can_be_read(bench: Bench, made: Identifier, reader: Scope) -> None:
    hands = Hands(reader, bench.case.type)
    assert hands.drift(made, bench.desired) == []
    assert (hands.locate(bench.desired, bench.owner) is not None) == bench.case.findable


@only(REPEATABLE)
def test_creating_again_makes_nothing_new(bench: Bench, made: Identifier) -> None:
    bench.aws.reset_calls()
    assert bench.hands.create(bench.desired) == made
    created = [name for name in bench.aws.mutations() if ":Create" in name]
    assert [name for name in created if not _harmless(bench, name)] == []
    assert bench.hands.drift(made, bench.desired) == []


def _harmless(bench: Bench, name: str) -> bool:
    """Services whose create call refuses an existing resource, or one of another owner, are simply called."""
    if getattr(bench.hands.provider, "tags_guard", False):
        return True
    return all(call.status >= 400 for call in bench.aws.last_requests if call.name == name)


def test_each_property_can_be_changed(bench: Bench, made: Identifier) -> None:
    target = dict(bench.desired)
    for name, value in bench.case.changes.items():
        target[name] = bench.with_owner({name: resolved(value)}).get(name) if name.endswith("Tags") else resolved(value)
        bench.hands.update(made, target, name)
        assert bench.hands.drift(made, {name: target[name]}) == [], name
    others = {name: value for name, value in target.items() if name not in bench.case.changes}
    assert bench.hands.drift(made, others) == []


def test_everything_can_be_changed_at_once_and_again(bench: Bench, made: Identifier) -> None:
    target = {**bench.desired, **bench.with_owner({**bench.case.changes})}
    if not bench.case.tagged:
        target = {**bench.desired, **resolved(bench.case.changes)}
    names = tuple(bench.case.changes)
    bench.hands.update(made, target, *names)
    bench.hands.update(made, target, *names)
    assert bench.hands.drift(made, {name: target[name] for name in names}) == []


def test_a_dropped_property_is_reset(bench: Bench, made: Identifier) -> None:
    for name, left in bench.case.resets.items():
        if name in bench.case.changes and name not in bench.desired:
            bench.hands.update(made, {**bench.desired, name: bench.case.changes[name]}, name)
        after = {key: value for key, value in bench.desired.items() if key != name}
        bench.hands.update(made, after, name)
        live = bench.hands.read(made, name)
        assert live is not None
        value = live.properties.get(name, ABSENT)
        assert value == left or (isinstance(left, dict) and left.items() <= value.items()), name


def test_deleted_is_absent_and_deleting_again_is_fine(bench: Bench) -> None:
    identifier = bench.hands.create(bench.desired)
    bench.hands.delete(identifier)
    assert bench.hands.read(identifier, *bench.desired) is None
    assert bench.hands.locate(bench.desired, bench.owner) is None
    bench.hands.delete(identifier)
    assert bench.hands.read(identifier) is None


@only(FINDABLE)
def test_found_by_what_the_plan_says(bench: Bench, made: Identifier) -> None:
    found = bench.hands.locate(bench.desired, bench.owner)
    assert found == Located(made, bench.owner if bench.case.tagged else None)


@only(SEARCHABLE)
def test_found_by_owner_when_the_name_is_not_known(bench: Bench, made: Identifier) -> None:
    unknown = {**bench.desired, bench.case.name or "Description": Unknown("Other.Name")}
    assert bench.hands.locate(unknown, bench.owner) == Located(made, bench.owner)
    assert bench.hands.locate(unknown, owner("SomebodyElse")) is None


@only(SEEKING)
def test_looking_for_many_finds_what_looking_for_each_does(bench: Bench, made: Identifier) -> None:
    provider, name = bench.hands.provider, bench.case.name
    assert isinstance(provider, Seeking)
    absent = [owner(f"Absent{number}") for number in range(10)]
    others = [Sought({**bench.desired, name: f"contract-absent-{one.logical_id.lower()}"}, one) for one in absent]
    renamed = Sought({**bench.desired, name: "contract-renamed"}, bench.owner)
    unknown = Sought({**bench.desired, name: Unknown("Other.Name")}, bench.owner)
    for sought in ([Sought(bench.desired, bench.owner), *others], [renamed, *others], [unknown], [*others, unknown]):
        bench.aws.reset_calls()
        found = list(provider.locate_many(bench.hands.scope, sought))
        assert sum(bench.aws.calls().values()) <= len(sought) + 3
        assert found == [provider.locate(bench.hands.scope, one.desired, one.owner) for one in sought]
        assert [one for one in found if one] == [(Located(made, bench.owner),)]


def test_nothing_is_found_where_nothing_is(bench: Bench) -> None:
    assert bench.hands.locate(bench.desired, bench.owner) is None


@only(COVETED)
def test_a_foreign_resource_has_no_owner_and_is_not_taken(bench: Bench) -> None:
    assert bench.case.foreign is not None
    bench.case.foreign(bench.client)
    mine = {**bench.desired, bench.case.name: "contract-foreign"}
    found = bench.hands.locate(mine, bench.owner)
    assert found is not None
    assert found.owner is None
    bench.aws.reset_calls()
    with pytest.raises(AwsFault) as caught:
        bench.hands.create(mine)
    assert caught.value.kind is FaultKind.ALREADY_EXISTS
    assert all(call.status >= 400 for call in bench.aws.last_requests if call.mutating)


@only(NAMED)
def test_another_plans_resource_is_not_taken(bench: Bench, made: Identifier) -> None:
    theirs = owned(resolved(bench.case.desired), owner("Thing", plan="other"), bench.case.type)
    with pytest.raises(AwsFault, match="belongs to plan contract") as caught:
        bench.hands.create(theirs)
    assert caught.value.kind is FaultKind.ALREADY_EXISTS
    assert bench.hands.drift(made, bench.desired) == []


def test_what_is_not_supported_is_refused_before_anything_is_written(bench: Bench, made: Identifier) -> None:
    bench.aws.reset_calls()
    wanted = {**bench.desired, "Frobnication": 1}
    with pytest.raises(AwsFault, match=f"property Frobnication of {bench.case.type} is not supported") as caught:
        bench.hands.create(wanted)
    assert caught.value.kind is FaultKind.INVALID_REQUEST
    with pytest.raises(AwsFault, match="not supported"):
        bench.hands.provider.update(bench.hands.scope, made, {}, wanted, frozenset({"Frobnication"}))
    assert not bench.aws.mutations()


def test_a_read_that_is_refused_is_unknown_not_absent(bench: Bench, made: Identifier) -> None:
    service, operation = bench.case.deny
    bench.aws.fail(service, operation, "AccessDenied", times=bench.case.denials, status=403)
    other = Identifier(f"{made}-missing")
    answers = bench.hands.provider.read_many(bench.hands.scope, [Wanted(made, frozenset(bench.desired))])
    answer = answers[made]
    assert isinstance(answer, Unreadable)
    assert answer.kind is FaultKind.ACCESS_DENIED
    assert isinstance(bench.hands.answer(made, *bench.desired), Observation)
    assert other not in answers


@only(NAMED)
def test_generated_names_are_repeatable_and_findable(bench: Bench) -> None:
    nameless = {key: value for key, value in bench.desired.items() if key != bench.case.name}
    first = bench.hands.create(nameless)
    try:
        assert bench.hands.create(nameless, token="token-2") == first
        assert bench.hands.locate(nameless, bench.owner) == Located(first, bench.owner)
        assert bench.hands.drift(first, nameless) == []
    finally:
        bench.hands.delete(first)


@pytest.mark.parametrize("case", [case for case in CASES if case.many], ids=lambda case: case.id)
def test_reading_a_hundred_costs_what_it_must(case: Case, aws: LocalAws, scope: Scope) -> None:
    assert case.many is not None
    hands = Hands(scope, case.type)
    desired = [owned(case.many(number), owner(f"Many{number}"), case.type) for number in range(100)]
    made = scope.gather([partial(hands.create, properties) for properties in desired])
    wanted = [Wanted(identifier, frozenset(properties)) for identifier, properties in zip(made, desired, strict=True)]
    aws.reset_calls()
    found = hands.provider.read_many(scope, wanted)
    calls = aws.calls()
    assert len(found) == 100
    for properties, identifier in zip(desired, made, strict=True):
        live = found[identifier]
        assert isinstance(live, Observation)
        assert set(properties) <= set(live.properties)
    assert set(calls) == set(case.calls), calls
    assert all(calls[name] <= most for name, most in case.calls.items()), calls
