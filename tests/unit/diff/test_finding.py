"""Which resource is meant when several are found, and the names of old halves."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.live import choose, name_for_old, old_names, planned_name, rejoined
from reconciler.live.finding import in_force, replaced
from reconciler.model.errors import AwsFault, FaultKind
from reconciler.model.ids import Identifier, LogicalId, Owner, PlanName, TypeName
from reconciler.model.resource import Located, Record

ME, OTHER = Owner(PlanName("web"), LogicalId("Vpc")), Owner(PlanName("api"), LogicalId("Vpc"))
VPC = LogicalId("Vpc")


def found(**owners: Owner | None) -> tuple[Located, ...]:
    return tuple(Located(Identifier(name), owner) for name, owner in owners.items())


def record(name: str, identifier: str) -> Record:
    return Record(ME.plan, LogicalId(name), TypeName("AWS::EC2::VPC"), Identifier(identifier), "1", "r")


def records(**identifiers: str) -> dict[LogicalId, Record]:
    return {LogicalId(name): record(name, identifier) for name, identifier in identifiers.items()}


@pytest.mark.parametrize(
    ("located", "old", "expected"),
    [
        ((), (), None),
        (found(a=ME), (), "a"),
        (found(a=ME), ("a",), None),
        (found(a=ME, b=ME), ("a",), "b"),
        (found(a=OTHER, b=ME), (), "b"),
        (found(a=None), (), "a"),
        (found(a=OTHER), (), "a"),
        (found(a=ME, b=None), ("a",), "b"),
    ],
)
def test_the_owners_own_is_meant_else_what_is_in_the_place(
    located: tuple[Located, ...], old: tuple[Identifier, ...], expected: str | None
) -> None:
    chosen = choose(located, ME, old)
    assert (chosen.identifier if chosen else None) == expected


def test_two_of_the_owner_are_a_conflict_with_a_way_out() -> None:
    with pytest.raises(
        AwsFault, match=r"2 resources carry the tags of Vpc \(plan web\): a, b;.*delete the one"
    ) as raised:
        choose(found(b=ME, a=ME), ME)
    assert raised.value.kind is FaultKind.CONFLICT


@given(st.lists(st.sampled_from([ME, OTHER, None]), max_size=5), st.sets(st.integers(0, 4)))
def test_it_never_guesses(owners: list[Owner | None], old: set[int]) -> None:
    located = tuple(Located(Identifier(str(number)), owner) for number, owner in enumerate(owners))
    own = [number for number, owner in enumerate(owners) if owner == ME and number not in old]
    try:
        chosen = choose(located, ME, {Identifier(str(number)) for number in old})
    except AwsFault:
        assert len(own) > 1
        return
    assert len(own) <= 1
    assert chosen is None or int(chosen.identifier) not in old
    assert not own or (chosen is not None and int(chosen.identifier) == own[0])


def test_old_halves_have_names_of_their_own() -> None:
    known = records(Vpc="a")
    for number, identifier in enumerate(("b", "c", "d"), 1):
        name = name_for_old(known, VPC, Identifier(identifier))
        assert name == replaced(VPC, number)
        assert planned_name(name) == VPC
        known[name] = record(name, identifier)
    assert name_for_old(known, VPC, Identifier("c")) == replaced(VPC, 2)
    assert old_names(known, VPC) == (replaced(VPC), replaced(VPC, 2), replaced(VPC, 3))
    assert old_names(known, LogicalId("Vp")) == ()
    assert planned_name(LogicalId("Vpc2")) == "Vpc2"


def test_an_old_half_that_nothing_has_replaced_is_the_resource_itself() -> None:
    known = {**records(Vpc="a"), replaced(VPC): record("Vpc#replaced", "a"), replaced(VPC, 2): record("x", "b")}
    assert rejoined(known, VPC) == (replaced(VPC),)
    assert set(in_force(known)) == {VPC, replaced(VPC, 2)}
    assert set(in_force({replaced(VPC): record("x", "b")})) == {replaced(VPC)}
