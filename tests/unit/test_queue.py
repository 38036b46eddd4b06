"""The work queue: single flight, coalescing, requests answered by passes that began after them."""

from __future__ import annotations

import threading
from collections import defaultdict

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from reconciler.model.ids import RequestId
from reconciler.queue import WorkQueue
from reconciler.testing.memory import CountingTelemetry, FakeClock, SilentTelemetry

KEYS = st.sampled_from(["a", "b", "c"])


def make() -> tuple[WorkQueue, FakeClock]:
    clock = FakeClock()
    return WorkQueue(clock, SilentTelemetry()), clock


def test_requests_while_waiting_are_one_pass() -> None:
    queue, _ = make()
    for number in range(1000):
        queue.add("a", "sighup", RequestId(f"r{number}"))
    work = queue.get(0)
    assert work is not None
    assert work.requests == tuple(RequestId(f"r{number}") for number in range(1000))
    queue.done("a")
    assert queue.get(0) is None


def test_requests_during_a_pass_are_exactly_one_more() -> None:
    queue, _ = make()
    queue.add("a", "start")
    assert queue.get(0) is not None
    for number in range(1000):
        queue.add("a", "http", RequestId(f"r{number}"))
    assert queue.get(0) is None, "the key is in flight"
    queue.done("a")
    second = queue.get(0)
    assert second is not None
    assert len(second.requests) == 1000
    queue.done("a")
    assert queue.get(0) is None


def test_keys_are_served_in_the_order_they_came() -> None:
    queue, _ = make()
    for key in ("b", "a", "c", "a"):
        queue.add(key, "change")
    assert [work.key for work in iter(lambda: queue.get(0), None)] == ["b", "a", "c"]


def test_a_requests_trigger_names_the_pass() -> None:
    queue, _ = make()
    queue.add("a", "interval")
    queue.add("a", "SIGHUP", RequestId("r1"))
    queue.add("a", "http", RequestId("r2"))
    queue.add("a", "change")
    work = queue.get(0)
    assert work is not None
    assert work.trigger == "SIGHUP"


def test_delayed_work_comes_when_it_is_due_and_not_before() -> None:
    queue, clock = make()
    queue.add_after("a", 30, "retry")
    queue.add_after("a", 60, "retry")
    clock.advance(29.9)
    assert queue.get(0) is None
    clock.advance(0.1)
    work = queue.get(0)
    assert work is not None
    assert work.trigger == "retry"
    queue.done("a")
    clock.advance(1000)
    assert queue.get(0) is None, "the later one was the same work"


def test_a_pass_voids_the_delayed_one() -> None:
    queue, clock = make()
    queue.add_after("a", 30, "retry")
    queue.add("a", "change")
    assert queue.get(0) is not None
    queue.done("a")
    clock.advance(60)
    assert queue.get(0) is None


def test_a_retry_asked_for_by_the_pass_itself_stays() -> None:
    queue, clock = make()
    queue.add("a", "change")
    assert queue.get(0) is not None
    queue.add_after("a", 5, "retry")
    queue.done("a")
    assert queue.delays() == {"a": 5.0}
    clock.advance(5)
    assert queue.get(0) is not None


def test_requests_wait_with_a_delayed_key_and_keep_its_trigger() -> None:
    queue, clock = make()
    queue.add_after("a", 2, "SIGHUP", (RequestId("r1"), RequestId("r2")))
    queue.add_after("a", 1, "retry")
    clock.advance(1)
    work = queue.get(0)
    assert work is not None
    assert (work.trigger, work.requests) == ("SIGHUP", ("r1", "r2"))
    queue.done("a")
    clock.advance(10)
    assert queue.get(0) is None


def test_an_earlier_pass_answers_the_requests_that_wait_with_the_delayed_one() -> None:
    queue, clock = make()
    queue.add_after("a", 2, "http", (RequestId("r1"),))
    queue.add("a", "SIGHUP", RequestId("r2"))
    work = queue.get(0)
    assert work is not None
    assert set(work.requests) == {"r1", "r2"}
    queue.done("a")
    clock.advance(10)
    assert queue.get(0) is None


def test_forgetting_returns_the_requests_of_delayed_work_too() -> None:
    queue, _ = make()
    queue.add_after("a", 2, "http", (RequestId("r1"),))
    queue.add("a", "http", RequestId("r2"))
    assert set(queue.forget("a")) == {"r1", "r2"}
    assert queue.get(0) is None


def test_a_worker_waits_for_work_from_another_thread() -> None:
    queue, _ = make()
    got: list[str] = []
    worker = threading.Thread(target=lambda: got.extend(work.key for work in [queue.get()] if work))
    worker.start()
    queue.add("a", "change")
    worker.join(5)
    assert got == ["a"]


def test_forgetting_returns_the_requests_that_lose_their_pass() -> None:
    queue, clock = make()
    queue.add("a", "http", RequestId("r1"))
    queue.add_after("a", 5, "retry")
    assert queue.forget("a") == (RequestId("r1"),)
    clock.advance(10)
    assert queue.get(0) is None
    assert queue.depth == 0


def test_close_hands_out_nothing_and_join_waits_for_what_runs() -> None:
    queue, _ = make()
    queue.add("a", "change")
    queue.add("b", "change")
    assert queue.get(0) is not None
    queue.close()
    assert queue.get() is None
    assert queue.add("c", "change") is False
    assert queue.join(0.01) is False
    queue.done("a")
    assert queue.join(0.01) is True


def test_close_with_drain_hands_out_what_is_ready() -> None:
    queue, _ = make()
    queue.add("a", "change")
    queue.add_after("b", 1, "retry")
    queue.close(drain=True)
    work = queue.get()
    assert work is not None
    assert work.key == "a"
    assert queue.join(0.01) is False
    queue.done("a")
    assert queue.get() is None
    assert queue.join(0.01) is True


def test_depth_counts_waiting_keys() -> None:
    telemetry = CountingTelemetry()
    queue = WorkQueue(FakeClock(), telemetry)
    for key in ("a", "b", "a"):
        queue.add(key, "change")
    assert queue.depth == 2
    assert telemetry.counts["queue_depth", "2"] == 1
    queue.get(0)
    queue.get(0)
    assert telemetry.counts["queue_depth", "0"] == 1


def test_a_storm_from_many_threads_loses_nothing_and_never_runs_a_key_twice_at_once() -> None:
    queue, _ = make()
    flying: dict[str, int] = defaultdict(int)
    answered: list[RequestId] = []
    overlaps: list[str] = []
    passes: list[str] = []
    lock = threading.Lock()

    def work() -> None:
        while (taken := queue.get()) is not None:
            with lock:
                flying[taken.key] += 1
                if flying[taken.key] > 1:
                    overlaps.append(taken.key)
            with lock:
                flying[taken.key] -= 1
                answered.extend(taken.requests)
                passes.append(taken.key)
            queue.done(taken.key)

    def ask(thread: int) -> None:
        for number in range(250):
            queue.add("abc"[number % 3], "http", RequestId(f"{thread}-{number}"))

    workers = [threading.Thread(target=work) for _ in range(4)]
    askers = [threading.Thread(target=ask, args=(thread,)) for thread in range(4)]
    for thread in workers + askers:
        thread.start()
    for thread in askers:
        thread.join(10)
    queue.close(drain=True)
    for thread in workers:
        thread.join(10)
    assert not overlaps
    assert sorted(answered) == sorted(RequestId(f"{t}-{n}") for t in range(4) for n in range(250))
    assert len(passes) <= 1000


class QueueMachine(RuleBasedStateMachine):
    """Generated interleavings, compared with the simplest model of what must hold."""

    def __init__(self) -> None:
        super().__init__()
        self.queue, self.clock = make()
        self.asked: dict[str, list[RequestId]] = defaultdict(list)
        self.wanted: set[str] = set()
        self.later: dict[str, float] = {}
        self.running: set[str] = set()
        self.number = 0

    def _due(self) -> None:
        for key in [key for key, due in self.later.items() if due <= self.clock.monotonic()]:
            del self.later[key]
            self.wanted.add(key)

    @rule(key=KEYS)
    def request(self, key: str) -> None:
        self.number += 1
        request = RequestId(str(self.number))
        assert self.queue.add(key, "http", request)
        self.asked[key].append(request)
        self.wanted.add(key)

    @rule(key=KEYS)
    def tick(self, key: str) -> None:
        self.queue.add(key, "interval")
        self.wanted.add(key)

    @rule(key=KEYS, seconds=st.integers(0, 20))
    def delay(self, key: str, seconds: int) -> None:
        self.queue.add_after(key, seconds, "retry")
        self.later[key] = min(self.later.get(key, float("inf")), self.clock.monotonic() + seconds)

    @rule(seconds=st.integers(1, 15))
    def pass_time(self, seconds: int) -> None:
        self.clock.advance(seconds)

    @rule()
    def take(self) -> None:
        self._due()
        work = self.queue.get(0)
        if work is None:
            assert not self.wanted - self.running, "work was there and wasn't handed out"
            return
        assert work.key not in self.running, "two passes of one key at once"
        assert work.key in self.wanted, "a pass that nobody asked for"
        assert list(work.requests) == self.asked.pop(work.key, []), "exactly the requests made before it began"
        self.wanted.discard(work.key)
        self.later.pop(work.key, None)
        self.running.add(work.key)

    @precondition(lambda self: self.running)
    @rule(data=st.data())
    def finish(self, data: st.DataObject) -> None:
        key = data.draw(st.sampled_from(sorted(self.running)))
        self.running.discard(key)
        self.queue.done(key)

    @rule(key=KEYS)
    def forget(self, key: str) -> None:
        self._due()
        lost = self.queue.forget(key)
        assert list(lost) == self.asked.pop(key, [])
        self.wanted.discard(key)
        self.later.pop(key, None)

    @invariant()
    def the_queue_knows_what_runs(self) -> None:
        assert self.queue.running == self.running


QueueMachine.TestCase.settings = settings(max_examples=150, stateful_step_count=40, deadline=None)
TestQueueMachine = QueueMachine.TestCase


def test_work_says_when_it_was_asked_for_last() -> None:
    queue, clock = make()
    start = clock.monotonic()
    queue.add("a", "interval")
    clock.sleep(3.0)
    queue.add("a", "http", RequestId("r1"))
    clock.sleep(3.0)
    queue.add("a", "change", asked=start + 1.0)  # wished before, said now: the later time stays
    work = queue.get(0)
    assert work is not None
    assert work.asked == start + 3.0


def test_delayed_work_counts_as_asked_for_when_it_is_due_or_when_another_pass_takes_it_along() -> None:
    queue, clock = make()
    start = clock.monotonic()
    queue.add_after("due", 5.0, "retry")
    queue.add_after("early", 60.0, "retry")
    clock.sleep(7.0)
    first = queue.get(0)
    assert first is not None
    assert (first.key, first.asked) == ("due", start + 5.0)
    queue.add("early", "change", asked=start - 1.0)
    second = queue.get(0)
    assert second is not None
    assert second.asked == start, "what was put off was asked for when it was put off"


def test_open_keys_are_those_asked_for_whose_pass_has_not_ended() -> None:
    queue, clock = make()
    start = clock.monotonic()
    for key in ("a", "b"):
        queue.add(key, "change")
    queue.add_after("later", 60.0, "retry")
    queue.get(0)
    clock.sleep(2.0)
    assert queue.open() == {"a": start, "b": start}
    queue.add("a", "change")
    assert queue.open() == {"a": start + 2.0, "b": start}, "asked for again during its pass"
    queue.done("a")
    queue.get(0)
    queue.done("b")
    assert queue.open() == {"a": start + 2.0}
