"""A process that has everything imported and forks a child for each order: what is killed is a real process.

Orders come as JSON lines on standard input; the answer to each is one JSON line. A child makes passes over one plan and
may kill itself (SIGKILL) at the n-th boundary: just before or after a commit of the store, or a mutating AWS call.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from reconciler import wiring
from reconciler.clock import SystemClock
from reconciler.model.ids import PlanName, TypeName
from reconciler.model.report import PlanState
from reconciler.providers import scope
from reconciler.providers.registry import Registry
from reconciler.settings import Settings
from reconciler.status.logs import configure
from reconciler.store.database import Database
from tests.crash.plans import estate, estate_changed


class Boundaries:
    """Counts the instants between which something durable or mutating happens; dies at the one it was told."""

    def __init__(self, at: int) -> None:
        self._at, self._lock, self.passed = at, threading.Lock(), 0

    def cross(self) -> None:
        """One more."""
        with self._lock:
            self.passed += 1
            if self.passed == self._at:
                os.kill(os.getpid(), signal.SIGKILL)

    def install(self) -> None:
        """Wrap the store's commits and the calls that write."""
        write, once = Database.write, scope._once

        @contextmanager
        def guarded(database: Database) -> Iterator[Any]:
            self.cross()
            with write(database) as connection:
                yield connection
            self.cross()

        def called(tools: Any, method: Any, parameters: Any) -> Any:
            if not method.writes:
                return once(tools, method, parameters)
            self.cross()
            answer = once(tools, method, parameters)
            self.cross()
            return answer

        Database.write = guarded  # type: ignore[method-assign]
        SystemClock.sleep = _short  # type: ignore[method-assign]
        scope._once = called


def _short(_clock: SystemClock, seconds: float) -> None:
    """The emulator shows at once what was done: what is waited for on AWS's account need not take long here."""
    time.sleep(min(seconds, 0.02))


def work(order: dict[str, Any]) -> dict[str, Any]:
    """What a child does: passes until in sync, at most as many as ordered."""
    configure("error", "json")
    app = wiring.build(Settings.model_validate(order["settings"]))
    boundaries = Boundaries(order.get("at", 0))
    boundaries.install()
    snapshot = app.source.load()
    name = PlanName("estate")
    plan = snapshot.plans[name]
    states, messages = [], []
    app.cycle.recover(plan)
    for _ in range(order.get("passes", 1)):
        report = app.cycle.run(plan, tuple(snapshot.approvals.get(name, ())), "crash")
        states.append(report.state.value)
        messages.append(report.message)
        if report.state is PlanState.IN_SYNC and not report.steps:
            break
    return {
        "states": states,
        "messages": messages,
        "boundaries": boundaries.passed,
        "open": len(app.store.unfinished(name)) + len(app.store.unresolved(name)),
        "records": sorted(app.store.records(name)),
    }


def import_everything() -> None:
    """What the program imports only when it is needed, so that no child has to: half of its time otherwise."""
    with tempfile.TemporaryDirectory() as empty:
        wiring.build(Settings.model_validate({"source": {"path": empty}, "state_dir": empty})).close()
    registry = Registry()
    for resource in (*estate().values(), *estate_changed().values()):
        registry.get(TypeName(resource["Type"]))
    assert threading.active_count() == 1, "a fork takes no other thread along"


def serve() -> None:
    """Take orders until there are no more."""
    import_everything()
    for line in sys.stdin:
        order = json.loads(line)
        result = Path(order["result"])
        child = os.fork()
        if child == 0:
            _child(lambda order=order: work(order), result)
        ended = _ended(child, order.get("after"))
        answer = json.loads(result.read_text()) if ended == 0 else {"signal": ended}
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()


def _child(work: Callable[[], dict[str, Any]], result: Path) -> None:
    try:
        result.write_text(json.dumps(work()))
        os._exit(0)
    except BaseException:
        import traceback

        traceback.print_exc()
        os._exit(1)


def _ended(child: int, after: float | None) -> int:
    """Wait for the child, and kill it after so many seconds; 0, or what it died of."""
    if after is not None:
        time.sleep(after)
        with suppress(ProcessLookupError):
            os.kill(child, signal.SIGKILL)
    return os.waitpid(child, 0)[1]


if __name__ == "__main__":
    serve()
