"""Leases on virtual time and several machines; and real processes that die, hang or live on."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import pytest

from reconciler.clock import SystemClock
from reconciler.model.errors import LeaseLost, PlanBusy, StoreError
from reconciler.model.ids import PlanName
from reconciler.model.lease import Holder, LeaseRow
from reconciler.ports import Store
from reconciler.store import SqlStore
from reconciler.store.leases import StoreLeases
from reconciler.store.liveness import Life, Machine
from reconciler.store.renewal import Terms, held_here
from reconciler.testing.memory import FakeClock, MemoryStore

WEB = PlanName("web")
TTL, CALL = 60.0, 30.0


def no_thread(_run: Callable[[], None]) -> None:
    """Tests call ``tick`` themselves."""


def leases(store: Store, clock: FakeClock, machine: Machine | None = None, **more: float) -> StoreLeases:
    return StoreLeases(store, clock, **{"ttl": TTL, "call": CALL, **more}, machine=machine, start=no_thread)


def elsewhere() -> Machine:
    return Machine(hostname="elsewhere")


def a_row(**holder: object) -> LeaseRow:
    return LeaseRow(WEB, replace(Machine().holder("somebody", TTL), **holder), 0)


@pytest.fixture
def child() -> Iterator[int]:
    """A process that does nothing."""
    pid = os.fork()
    if not pid:
        signal.pause()
    yield pid
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)


def started(pid: int) -> str:
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19]


# having it


def test_a_free_plan_is_had_and_free_again_afterwards() -> None:
    store, clock = MemoryStore(), FakeClock()
    with leases(store, clock).hold(WEB) as lease:
        lease.ensure()
        row = store.lease(WEB)
        assert row is not None
        assert row.holder.pid == os.getpid()
        with leases(store, clock, elsewhere()).hold(PlanName("other")):
            pass
    assert store.lease(WEB) is None


def test_it_is_free_again_after_an_error() -> None:
    store, clock = MemoryStore(), FakeClock()
    with pytest.raises(RuntimeError), leases(store, clock).hold(WEB):
        raise RuntimeError
    assert store.lease(WEB) is None


def test_while_one_has_it_nobody_else_gets_it() -> None:
    store, clock = MemoryStore(), FakeClock()
    for first, second in ((None, None), (None, elsewhere()), (elsewhere(), None)):
        holding, other = leases(store, clock, first), leases(store, clock, second)
        with holding.hold(WEB) as lease:
            for _ in range(40):
                clock.advance(5)
                holding.renewals.tick()
                with pytest.raises(PlanBusy, match=f"by process {os.getpid()} on"), other.hold(WEB):
                    pass
            lease.ensure()
        with other.hold(WEB):
            pass


def test_a_store_that_fails_gives_no_lease() -> None:
    store = MemoryStore()
    store.failing = "disk full"
    with pytest.raises(StoreError, match="disk full"), leases(store, FakeClock()).hold(WEB):
        pass


# taking it over


def test_one_whose_process_is_gone_is_taken_over_at_once(child: int) -> None:
    store, clock = MemoryStore(), FakeClock()
    dead = os.fork()
    if not dead:
        os._exit(0)
    os.waitpid(dead, 0)
    for gone in (a_row(pid=dead), a_row(pid=child, started="1"), a_row(boot="an earlier one")):
        assert store.take_lease(gone, None)
        with leases(store, clock).hold(WEB) as lease:
            lease.ensure()
        assert store.lease(WEB) is None


def test_a_zombie_is_dead(child: int) -> None:
    holder = replace(Machine().holder("x", TTL), pid=child, started=started(child))
    assert Machine().life(holder) is Life.ALIVE
    os.kill(child, signal.SIGKILL)
    until = time.monotonic() + 10
    while Machine().life(holder) is not Life.DEAD:
        assert time.monotonic() < until
    os.kill(child, 0)  # it is still there, because nobody has waited for it


def test_one_that_lives_on_this_machine_is_never_taken_over_however_long_it_is_silent(child: int) -> None:
    store, clock = MemoryStore(), FakeClock()
    os.kill(child, signal.SIGSTOP)
    assert store.take_lease(a_row(pid=child, started=started(child)), None)
    other = leases(store, clock)
    with pytest.raises(PlanBusy, match=f"web is being worked on by process {child} on [^;]*$"), other.hold(WEB):
        pass
    clock.advance(100_000)
    with pytest.raises(PlanBusy, match="no sign of life for 100000 s but still exists"), other.hold(WEB):
        pass


@pytest.mark.parametrize(
    "changed",
    [{"host": "elsewhere/1"}, {"namespace": "pid:[1]"}, {"boot": ""}, {"boot": "another", "namespace": "pid:[1]"}],
    ids=["host", "namespace", "unknown boot", "boot of another container"],
)
def test_one_that_cannot_be_looked_at_is_taken_over_when_it_stood_still_for_the_ttl(changed: dict[str, str]) -> None:
    store, clock = MemoryStore(), FakeClock()
    row = a_row(pid=os.getpid() + 1, **changed)
    assert store.take_lease(row, None)
    other = leases(store, clock)
    for seconds in (0, 30, 29):
        clock.advance(seconds)
        with pytest.raises(PlanBusy), other.hold(WEB):
            pass
    beaten = replace(row, beat=1)
    assert store.take_lease(beaten, row)
    for seconds in (1, 30, 29):
        clock.advance(seconds)
        with pytest.raises(PlanBusy), other.hold(WEB):
            pass
    clock.advance(1)
    with other.hold(WEB) as lease:
        lease.ensure()


def test_the_ttl_of_the_holder_counts_where_it_is_longer() -> None:
    store, clock = MemoryStore(), FakeClock()
    assert store.take_lease(a_row(host="elsewhere/1", ttl=600.0), None)
    other = leases(store, clock)
    for seconds in (0, TTL, 600 - TTL - 1):
        clock.advance(seconds)
        with pytest.raises(PlanBusy), other.hold(WEB):
            pass
    clock.advance(1)
    with other.hold(WEB):
        pass


def test_a_long_absence_of_the_watcher_proves_nothing_about_one_that_went_on() -> None:
    """As when the watching machine was suspended, or its clock jumped."""
    store, clock = MemoryStore(), FakeClock()
    row = a_row(host="elsewhere/1")
    assert store.take_lease(row, None)
    other = leases(store, clock)
    with pytest.raises(PlanBusy), other.hold(WEB):
        pass
    clock.advance(1_000_000)
    assert store.take_lease(replace(row, beat=7), row)
    with pytest.raises(PlanBusy), other.hold(WEB):
        pass


def test_of_two_that_take_it_over_together_one_gets_it() -> None:
    store, clock = MemoryStore(), FakeClock()
    assert store.take_lease(a_row(boot="an earlier one"), None)
    first, second = leases(store, clock), leases(store, clock)
    with ExitStack() as stack:
        take = store.take_lease

        def overtaken(row: LeaseRow, former: LeaseRow | None) -> bool:
            store.take_lease = take  # type: ignore[method-assign]
            stack.enter_context(second.hold(WEB))
            return take(row, former)

        store.take_lease = overtaken  # type: ignore[method-assign]
        with pytest.raises(PlanBusy, match="just begun"), first.hold(WEB):
            pass


def test_without_proc_the_life_of_others_is_unknown(tmp_path: Path) -> None:
    machine = Machine(tmp_path, hostname="mac")
    holder = machine.holder("n", TTL)
    assert (holder.host, holder.pid, holder.boot) == ("mac/", os.getpid(), "")
    assert machine.life(holder) is Life.UNKNOWN
    store, clock = MemoryStore(), FakeClock()
    with leases(store, clock, machine).hold(WEB), pytest.raises(PlanBusy), leases(store, clock, machine).hold(WEB):
        pass


def test_a_proc_of_another_namespace_is_not_believed(tmp_path: Path) -> None:
    (tmp_path / "proc").mkdir()
    (tmp_path / "proc/self").symlink_to(str(os.getpid() + 1))
    (tmp_path / "proc/sys/kernel/random").mkdir(parents=True)
    (tmp_path / "proc/sys/kernel/random/boot_id").write_text("same")
    holder = Machine(tmp_path, hostname="h").holder("n", TTL)
    assert (holder.boot, holder.namespace, holder.started) == ("", "", "")


def a_container(root: Path, boot: str, namespace: str) -> Machine:
    """A machine as /proc shows it."""
    own = root / f"proc/{os.getpid()}"
    (own / "ns").mkdir(parents=True)
    (own / "ns/pid").symlink_to(namespace)
    (own / "stat").write_text(Path("/proc/self/stat").read_text())
    (root / "proc/self").symlink_to(str(os.getpid()))
    (root / "proc/sys/kernel/random").mkdir(parents=True)
    (root / "proc/sys/kernel/random/boot_id").write_text(boot)
    return Machine(root, hostname="reconciler")


@pytest.mark.parametrize(
    ("namespace", "life"), [("pid:[4026531836]", Life.DEAD), ("pid:[4026532001]", Life.UNKNOWN)], ids=["host", "inside"]
)
def test_another_boot_proves_nothing_between_containers_of_one_image(
    tmp_path: Path, namespace: str, life: Life
) -> None:
    one, two = a_container(tmp_path / "1", "b1", namespace), a_container(tmp_path / "2", "b2", namespace)
    assert one.life(two.holder("n", TTL)) is life
    assert one.life(one.holder("n", TTL)) is Life.ALIVE


def test_a_process_of_another_user_is_alive_not_gone() -> None:
    init = replace(Machine().holder("x", TTL), pid=1, started=started(1))
    assert Machine().life(init) is Life.ALIVE
    assert Machine().life(replace(init, pid=2**40)) is Life.UNKNOWN


def test_a_process_name_with_spaces_and_brackets_is_read_right(tmp_path: Path) -> None:
    (tmp_path / "proc/7").mkdir(parents=True)
    (tmp_path / "proc/7/stat").write_text("7 (a) Z (b c) S " + " ".join(str(n) for n in range(4, 30)))
    assert Machine(tmp_path)._state(7) == ("S", "22")


# keeping it


def test_it_is_renewed_for_as_long_as_it_is_held() -> None:
    store, clock = MemoryStore(), FakeClock()
    holding = leases(store, clock)
    with holding.hold(WEB) as lease:
        beats = []
        for _ in range(100):
            clock.advance(holding.renewals.tick())
            lease.ensure()
            row = store.lease(WEB)
            assert row is not None
            beats.append(row.beat)
    assert beats == sorted(beats)
    assert beats[-1] >= 98


def test_one_that_was_suspended_for_too_long_is_lost_for_good() -> None:
    store, clock = MemoryStore(), FakeClock()
    holding = leases(store, clock)
    with holding.hold(WEB) as lease:
        clock.advance(29.9)
        lease.ensure()
        clock.advance(0.1)
        with pytest.raises(LeaseLost, match="suspended"):
            lease.ensure()
        holding.renewals.tick()
        with pytest.raises(LeaseLost):
            lease.ensure()
    assert store.lease(WEB) is None, "it was still ours to give back"


def test_the_thread_that_wakes_up_first_does_not_hide_a_suspension() -> None:
    store, clock = MemoryStore(), FakeClock()
    holding = leases(store, clock)
    with holding.hold(WEB) as lease:
        clock.advance(1000)
        holding.renewals.tick()
        with pytest.raises(LeaseLost):
            lease.ensure()


def test_the_holder_gives_up_a_whole_call_before_anybody_may_take_over() -> None:
    """Two machines, renewals dead: when the second one gets the plan, the first has begun nothing for a call's time."""
    store, clock = MemoryStore(), FakeClock()
    holding, other = leases(store, clock), leases(store, clock, elsewhere())
    with holding.hold(WEB) as lease:
        held_here.clear()  # as it is in another process
        last_good = 0.0
        while clock.monotonic() < 2 * TTL:
            try:
                lease.ensure()
                last_good = clock.monotonic()
            except LeaseLost:
                pass
            try:
                with other.hold(WEB):
                    break
            except PlanBusy:
                clock.advance(0.5)
    assert clock.monotonic() - last_good >= CALL


def test_a_store_that_fails_for_a_while_costs_nothing() -> None:
    store, clock = MemoryStore(), FakeClock()
    holding = leases(store, clock)
    with holding.hold(WEB) as lease:
        clock.advance(10)
        store.failing = "locked"
        for _ in range(15):
            clock.advance(holding.renewals.tick())
            lease.ensure()
        store.failing = ""
        holding.renewals.tick()
        clock.advance(20)
        lease.ensure()


def test_a_store_that_fails_for_long_costs_the_lease_in_time() -> None:
    store, clock = MemoryStore(), FakeClock()
    holding = leases(store, clock)
    with holding.hold(WEB) as lease:
        store.failing = "locked"
        while clock.monotonic() < 29:
            clock.advance(holding.renewals.tick())
            lease.ensure()
        clock.advance(1)
        with pytest.raises(LeaseLost, match="store failing"):
            lease.ensure()
        store.failing = ""
        holding.renewals.tick()
        with pytest.raises(LeaseLost):
            lease.ensure()


def test_a_renewal_that_was_written_although_it_failed_is_ours() -> None:
    store, clock = MemoryStore(), FakeClock()
    holding = leases(store, clock)
    take = store.take_lease

    def lost_answer(row: LeaseRow, former: LeaseRow | None) -> bool:
        store.take_lease = take  # type: ignore[method-assign]
        take(row, former)
        raise StoreError("connection lost")

    with holding.hold(WEB) as lease:
        store.take_lease = lost_answer  # type: ignore[method-assign]
        clock.advance(10)
        for _ in range(100):
            clock.advance(holding.renewals.tick())
            lease.ensure()
    assert store.lease(WEB) is None


@pytest.mark.parametrize("taken", [True, False])
def test_a_renewal_that_finds_the_row_changed_ends_the_lease(taken: bool) -> None:
    store, clock = MemoryStore(), FakeClock()
    holding = leases(store, clock)
    with holding.hold(WEB) as lease:
        row = store.lease(WEB)
        assert row is not None
        store.drop_lease(row)
        if taken:
            assert store.take_lease(a_row(host="elsewhere/1"), None)
        lease.ensure()
        clock.advance(10)
        holding.renewals.tick()
        with pytest.raises(LeaseLost, match="taken over by process .* on elsewhere" if taken else "gone"):
            lease.ensure()
    left = store.lease(WEB)
    assert (left is not None and left.holder.host == "elsewhere/1") is taken


def test_a_lease_too_short_for_a_call_is_made_longer() -> None:
    assert Terms.of(10, 30).ttl == pytest.approx(50)
    assert Terms.of(60, 30) == Terms(60, 30)
    for terms in (Terms.of(10, 30), Terms.of(60, 35), Terms.of(600, 35)):
        assert 2 * terms.every < terms.good_for < terms.ttl - terms.call + 1


# giving it back


def test_a_release_that_fails_is_not_an_error_of_the_pass_and_is_made_up_for() -> None:
    store, clock = MemoryStore(), FakeClock()
    holding = leases(store, clock)
    with holding.hold(WEB):
        store.failing = "disk full"
    holding.renewals.tick()
    store.failing = ""
    assert store.lease(WEB) is not None
    holding.renewals.tick()
    assert store.lease(WEB) is None


def test_what_a_failed_release_left_behind_does_not_keep_this_process_out() -> None:
    store, clock = MemoryStore(), FakeClock()
    holding = leases(store, clock)
    with holding.hold(WEB):
        store.failing = "disk full"
    store.failing = ""
    with leases(store, clock).hold(WEB) as lease:
        holding.renewals.tick()
        assert store.lease(WEB) is not None, "the late release is not of the new lease"
        lease.ensure()


def test_one_that_was_written_although_the_store_said_it_failed_is_given_back() -> None:
    store, clock = MemoryStore(), FakeClock()
    holding, take = leases(store, clock), store.take_lease

    def lost_answer(row: LeaseRow, former: LeaseRow | None) -> bool:
        take(row, former)
        store.failing = "connection lost"
        raise StoreError(store.failing)

    store.take_lease = lost_answer  # type: ignore[method-assign]
    with pytest.raises(StoreError), holding.hold(WEB):
        pass
    store.failing = ""
    holding.renewals.tick()
    assert store.lease(WEB) is None


# threads and processes


def test_one_thread_serves_a_thousand_holds() -> None:
    store = MemoryStore()
    holding = StoreLeases(store, SystemClock(), ttl=TTL, call=CALL)
    before = threading.active_count()
    for number in range(1000):
        with holding.hold(PlanName(f"p{number}")):
            assert threading.active_count() <= before + 1
    assert not held_here


def test_the_thread_renews_all_that_is_held() -> None:
    """On real time, so only that it happens is checked: how late a renewal comes depends on the machine's load."""
    store = MemoryStore()
    holding = StoreLeases(store, SystemClock(), ttl=3.0, call=0.0)
    names = [PlanName(f"p{number}") for number in range(100)]
    before = threading.active_count()
    with ExitStack() as stack:
        for name in names:
            stack.enter_context(holding.hold(name))
        assert threading.active_count() <= before + 1
        until = time.monotonic() + 20
        while not all((row := store.lease(name)) is not None and row.beat > 0 for name in names):
            assert time.monotonic() < until
            time.sleep(0.005)
    assert not held_here


def test_many_threads_on_one_file_never_hold_a_plan_together(tmp_path: Path) -> None:
    stores = [SqlStore(tmp_path / "state.db") for _ in range(2)]
    sides = [StoreLeases(store, SystemClock(), ttl=TTL, call=CALL) for store in stores]
    inside, had, wrong = threading.Semaphore(1), [0] * 8, []

    def work(number: int) -> None:
        until = time.monotonic() + 20
        while had[number] < 10 and time.monotonic() < until:
            try:
                with sides[number % 2].hold(WEB) as lease:
                    if not inside.acquire(blocking=False):
                        wrong.append(number)
                        return
                    lease.ensure()
                    had[number] += 1
                    inside.release()
            except PlanBusy:
                time.sleep(0.001)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong
    assert had == [10] * 8
    assert stores[0].lease(WEB) is None
    for store in stores:
        store.close()


def _hold_for_ever(path: Path, ready: multiprocessing.synchronize.Event) -> None:
    with StoreLeases(SqlStore(path), SystemClock(), ttl=TTL, call=CALL).hold(WEB):
        ready.set()
        signal.pause()


def test_a_process_keeps_others_out_until_it_is_killed_and_not_a_second_longer(tmp_path: Path) -> None:
    spawn = multiprocessing.get_context("spawn")
    ready = spawn.Event()
    holder = spawn.Process(target=_hold_for_ever, args=(tmp_path / "state.db", ready))
    holder.start()
    assert holder.pid is not None
    store = SqlStore(tmp_path / "state.db")
    other = StoreLeases(store, SystemClock(), ttl=TTL, call=CALL)
    try:
        assert ready.wait(60)
        with pytest.raises(PlanBusy, match=f"by process {holder.pid} on"), other.hold(WEB):
            pass
        os.kill(holder.pid, signal.SIGSTOP)
        with pytest.raises(PlanBusy, match=f"by process {holder.pid} on"), other.hold(WEB):
            pass
    finally:
        os.kill(holder.pid, signal.SIGKILL)
    began = time.monotonic()
    while True:
        try:
            with other.hold(WEB) as lease:
                lease.ensure()
                break
        except PlanBusy:
            time.sleep(0.01)
    assert time.monotonic() - began < 1
    holder.join()
    store.close()


def test_a_holder_reads_well() -> None:
    assert str(Holder("build-7/0a1b", "b", "n", 17, "1", "x")) == "process 17 on build-7"
