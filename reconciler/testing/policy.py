"""Policy for tests: a stub that answers as told, and a real OPA server."""

from __future__ import annotations

import signal
import socket
import subprocess
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType

from reconciler.model.change import ChangeSet
from reconciler.model.decision import ChecklistItem, Decision, Facts, Mode, Ruling
from reconciler.model.errors import PolicyUnavailable
from reconciler.model.plan import Plan
from reconciler.subprocesses import environment

CHECKLIST = ("approved", "guardrail", "environment", "profile_and_region", "permissions", "rollback")

#: Decides for a plan, and for its changes when it is a review.
Rule = Callable[[Plan, ChangeSet | None, Facts], Decision]


def allow_everything(plan: Plan, changes: ChangeSet | None, facts: Facts) -> Decision:
    """Apply, with every action allowed and every check passed."""
    del plan, facts
    actions = changes.changes if changes is not None else ()
    return Decision(
        mode=Mode.APPLY,
        actions={change.logical_id: Ruling(True) for change in actions},
        checklist={item: ChecklistItem(True) for item in CHECKLIST},
        revision="stub",
    )


class StubEngine:
    """Implements ports.PolicyEngine in memory: gives ``decision`` to every question, or does what ``rule`` says.

    Set ``failure`` to have every question raise it. ``asked`` lists the phases asked about, in order.
    """

    def __init__(self, decision: Decision | None = None, *, rule: Rule | None = None) -> None:
        self.decision = decision
        self.rule: Rule = rule or allow_everything
        self.failure: PolicyUnavailable | None = None
        self.asked: list[tuple[str, str]] = []
        self.revision = "stub"
        self.problem = ""
        self.cells: Mapping[str, Mapping[str, str]] = {}
        self._lock = threading.Lock()

    def admit(self, plan: Plan, facts: Facts) -> Decision:
        """The configured decision on a plan."""
        return self._answer("admit", plan, None, facts)

    def review(self, changes: ChangeSet, facts: Facts) -> Decision:
        """The configured decision on a change set."""
        return self._answer("review", changes.plan, changes, facts)

    def reload(self) -> bool:
        """Whether there is no problem."""
        return not self.problem

    def matrix(self) -> Mapping[str, Mapping[str, str]]:
        """The configured matrix."""
        return self.cells

    def _answer(self, phase: str, plan: Plan, changes: ChangeSet | None, facts: Facts) -> Decision:
        with self._lock:
            self.asked.append((phase, plan.name))
        if self.failure is not None:
            raise self.failure
        return self.decision if self.decision is not None else self.rule(plan, changes, facts)


def opa_binary() -> Path | None:
    """The OPA that ``scripts/get-opa`` finds, downloads or builds; None if it can't."""
    script = Path(__file__).resolve().parents[2] / "scripts" / "get-opa"
    if not script.exists():
        return None
    found = subprocess.run([str(script)], capture_output=True, text=True, check=False)  # noqa: S603  # our own script
    return Path(found.stdout.strip()) if found.returncode == 0 else None


class OpaServer:
    """A real OPA server on a free loopback port, empty or loaded from a directory. A context manager."""

    def __init__(self, binary: Path, policies: Path | None = None, *, port: int = 0) -> None:
        self._binary = binary
        self._policies = policies
        self.port = port or _free_port()
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def address(self) -> str:
        """``http://127.0.0.1:<port>``."""
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Start it and wait until it answers. Raises RuntimeError when it doesn't within ten seconds."""
        command = [str(self._binary), "run", "--server", "--addr", f"127.0.0.1:{self.port}", "--log-level", "error"]
        command += ["--skip-version-check", "--disable-telemetry"]
        if self._policies is not None:
            command += ["--ignore", "*_test.rego", str(self._policies)]
        seen = {"HOME": "/", **environment()}
        self._process = subprocess.Popen(command, stdin=subprocess.DEVNULL, env=seen)  # noqa: S603  # fixed words
        self._await()

    def pause(self) -> None:
        """Stop it in its tracks: connections are accepted by the kernel, nothing answers."""
        self._signal(signal.SIGSTOP)

    def resume(self) -> None:
        """Let it go on."""
        self._signal(signal.SIGCONT)

    def kill(self) -> None:
        """Kill it, as a crash would."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def __enter__(self) -> OpaServer:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.kill()

    def _signal(self, number: signal.Signals) -> None:
        if self._process is None:
            raise RuntimeError("the OPA server isn't running")
        self._process.send_signal(number)

    def _await(self) -> None:
        from opa_client.opa import OpaClient

        OpaClient(host="127.0.0.1", port=self.port, retries=0, timeout=1.0).wait_for_ready(timeout=10, interval=0.02)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
