"""Reading all of a resource where an endpoint lacks a call for part of it."""

from __future__ import annotations

from reconciler.live import as_far_as_known
from reconciler.model.errors import FaultKind
from reconciler.model.ids import Identifier
from reconciler.model.resource import Observation, Unreadable

IT = Identifier("it")
EVERY = frozenset({"A", "B", "C"})


class Endpoint:
    """``fails``: the properties that can't be read, and how."""

    def __init__(self, **fails: FaultKind) -> None:
        self.fails = fails
        self.asked: list[frozenset[str]] = []

    def read(self, names: frozenset[str]) -> Observation | Unreadable | None:
        self.asked.append(names)
        kinds = [self.fails[name] for name in sorted(names) if name in self.fails]
        if kinds:
            return Unreadable(IT, kinds[0], "no")
        return Observation(IT, {name: f"live {name}" for name in names})


def test_one_read_is_enough_where_every_call_is_there() -> None:
    endpoint = Endpoint()
    answer = as_far_as_known(endpoint.read, frozenset({"A"}), EVERY)
    assert isinstance(answer, Observation) and set(answer.properties) == EVERY
    assert endpoint.asked == [EVERY]


def test_what_there_is_no_call_for_is_left_out() -> None:
    answer = as_far_as_known(Endpoint(B=FaultKind.INTERNAL).read, frozenset({"A"}), EVERY)
    assert isinstance(answer, Observation)
    assert answer.properties == {"A": "live A", "C": "live C"}


def test_what_is_needed_is_never_left_out() -> None:
    answer = as_far_as_known(Endpoint(A=FaultKind.INTERNAL).read, frozenset({"A"}), EVERY)
    assert isinstance(answer, Unreadable) and answer.kind is FaultKind.INTERNAL


def test_another_failure_is_no_missing_call() -> None:
    for fails in ({"B": FaultKind.ACCESS_DENIED}, {"B": FaultKind.INTERNAL, "C": FaultKind.THROTTLED}):
        answer = as_far_as_known(Endpoint(**fails).read, frozenset({"A"}), EVERY)
        assert isinstance(answer, Unreadable) and answer.kind is not FaultKind.INTERNAL


def test_what_goes_meanwhile_is_gone() -> None:
    answers = iter([Unreadable(IT, FaultKind.INTERNAL, "no"), Observation(IT, {"A": 1}), None])
    assert as_far_as_known(lambda _names: next(answers), frozenset({"A"}), EVERY) is None
