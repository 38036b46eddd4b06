"""The token budget and the retry policy, on virtual time."""

from __future__ import annotations

import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.model.errors import AwsFault, FaultKind
from reconciler.providers.budget import Bucket, Budget, BudgetSettings
from reconciler.providers.retry import RetryPolicy, came_too_early, certainly_not_executed
from reconciler.testing.memory import FakeClock


def test_a_burst_is_free_and_then_calls_are_spread_at_the_rate_less_the_reserve() -> None:
    clock = FakeClock()
    bucket = Bucket(clock, BudgetSettings(rate=10, reserve=0.2))
    start = clock.monotonic()
    for _ in range(8):
        bucket.take()
    assert clock.monotonic() == start
    for _ in range(80):
        bucket.take()
    assert clock.monotonic() - start == pytest.approx(10, rel=0.05)


def test_throttling_halves_the_rate_down_to_a_floor_and_time_brings_it_back() -> None:
    clock = FakeClock()
    bucket = Bucket(clock, BudgetSettings(rate=10, reserve=0, floor=1, recovery=0.1))
    bucket.throttled()
    assert bucket.rate == 5
    for _ in range(10):
        bucket.throttled()
    assert bucket.rate == 1
    clock.advance(5)
    bucket.take()
    assert bucket.rate == pytest.approx(6)
    clock.advance(60)
    bucket.take()
    assert bucket.rate == 10


@given(st.lists(st.sampled_from(["take", "throttled", "wait"]), max_size=60))
def test_never_more_calls_in_a_second_than_twice_the_rate(events: list[str]) -> None:
    clock = FakeClock()
    bucket = Bucket(clock, BudgetSettings(rate=5, reserve=0, recovery=1))
    taken: list[float] = []
    for event in events:
        if event == "take":
            bucket.take()
            taken.append(clock.monotonic())
        elif event == "throttled":
            bucket.throttled()
        else:
            clock.advance(0.3)
    assert 0 < bucket.rate <= 5
    for at in taken:
        assert sum(1 for other in taken if at <= other < at + 1) <= 2 * 5 + 1


def test_buckets_are_shared_per_account_region_and_service_and_no_further() -> None:
    budget = Budget(FakeClock())
    assert budget.bucket("1", "eu", "ec2") is budget.bucket("1", "eu", "ec2")
    assert budget.bucket("1", "eu", "ec2") is not budget.bucket("2", "eu", "ec2")
    assert budget.bucket("1", "eu", "ec2") is not budget.bucket("1", "us", "ec2")
    assert budget.bucket("1", "eu", "s3").rate > budget.bucket("1", "eu", "ec2").rate


def test_taking_from_many_threads_loses_no_token() -> None:
    clock = FakeClock()
    bucket = Bucket(clock, BudgetSettings(rate=10, reserve=0))
    threads = [threading.Thread(target=lambda: [bucket.take() for _ in range(25)]) for _ in range(4)]
    start = clock.monotonic()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert clock.monotonic() - start >= 8.9


def fault(kind: FaultKind, code: str = "X", ambiguous: bool = False) -> AwsFault:
    return AwsFault(kind, "m", code=code, ambiguous=ambiguous)


@pytest.mark.parametrize("kind", list(FaultKind))
def test_reads_are_repeated_for_what_passes_and_writes_only_when_not_executed(kind: FaultKind) -> None:
    policy = RetryPolicy()
    passing = kind in (FaultKind.THROTTLED, FaultKind.UNAVAILABLE, FaultKind.TIMEOUT)
    assert policy.again(fault(kind), writes=False, attempt=1, elapsed=0) == passing
    assert policy.again(fault(kind), writes=True, attempt=1, elapsed=0) == (kind is FaultKind.THROTTLED)


def test_a_refused_connection_never_sent_the_write() -> None:
    assert certainly_not_executed(fault(FaultKind.UNAVAILABLE, "EndpointConnectionError"))
    assert not certainly_not_executed(fault(FaultKind.UNAVAILABLE, "ConnectionClosedError", ambiguous=True))


def test_attempts_and_time_are_bounded() -> None:
    policy = RetryPolicy(attempts=3, total=10)
    throttled = fault(FaultKind.THROTTLED)
    assert policy.again(throttled, writes=False, attempt=2, elapsed=9.9)
    assert not policy.again(throttled, writes=False, attempt=3, elapsed=0)
    assert not policy.again(throttled, writes=False, attempt=1, elapsed=10)


@given(st.integers(min_value=1, max_value=40))
def test_pauses_are_jittered_below_a_growing_cap(attempt: int) -> None:
    policy = RetryPolicy(base=0.25, cap=10)
    assert 0 <= policy.pause(attempt) <= min(10, 0.25 * 2**attempt)


#: What AWS says to a call that came too early, and the kinds that such refusals have.
TOO_EARLY = (
    "The role defined for the function cannot be assumed by Lambda.",
    "Neither the global service principal states.amazonaws.com, nor the regional one is authorized to assume the"
    " provided role.",
    "The execution role you provide must allow AWS EventBridge Scheduler to assume the role.",
    "CodeBuild is not authorized to perform: sts:AssumeRole on arn:aws:iam::111122223333:role/build",
    "The operation cannot be performed at this time. An update is in progress for resource: f",
)
REFUSALS = (FaultKind.INVALID_REQUEST, FaultKind.CONFLICT, FaultKind.ACCESS_DENIED)


def refused(message: str, kind: FaultKind = FaultKind.INVALID_REQUEST, *, ambiguous: bool = False) -> AwsFault:
    return AwsFault(kind, message, code="InvalidParameterValueException", ambiguous=ambiguous)


@pytest.mark.parametrize("writes", [True, False])
@pytest.mark.parametrize("kind", REFUSALS)
@pytest.mark.parametrize("message", TOO_EARLY)
def test_a_call_that_came_too_early_is_repeated_more_often_than_others(
    message: str, kind: FaultKind, writes: bool
) -> None:
    policy = RetryPolicy()
    early = refused(message, kind)
    assert came_too_early(early)
    assert certainly_not_executed(early)
    attempts = [attempt for attempt in range(1, 30) if policy.again(early, writes=writes, attempt=attempt, elapsed=1)]
    assert attempts == list(range(1, policy.early))
    assert policy.early > policy.attempts
    assert not policy.again(early, writes=writes, attempt=1, elapsed=policy.total)


@pytest.mark.parametrize("kind", sorted(set(FaultKind) - set(REFUSALS)))
def test_only_a_refusal_says_that_a_call_came_too_early(kind: FaultKind) -> None:
    assert not came_too_early(refused(TOO_EARLY[0], kind))


def test_what_may_have_been_done_or_says_something_else_did_not_come_too_early() -> None:
    assert not came_too_early(refused(TOO_EARLY[0], ambiguous=True))
    assert not RetryPolicy().again(refused(TOO_EARLY[0], ambiguous=True), writes=True, attempt=1, elapsed=0)
    for message in ("The role is not well-formed.", "User: x is not authorized to perform: iam:PassRole", ""):
        assert not came_too_early(refused(message))
        assert not RetryPolicy().again(refused(message), writes=True, attempt=1, elapsed=0)
