"""The embedded engine: Rego evaluated in this process, by regopy."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from reconciler.model.decision import Decision
from reconciler.model.errors import PolicyUnavailable
from reconciler.policy.answers import Question, combine, read_answer
from reconciler.policy.bundle import PACKAGE, RULE, PolicySet
from reconciler.policy.deadline import Deadline
from reconciler.policy.document import Document
from reconciler.policy.engine import RegoEngine
from reconciler.policy.keeper import Keeper
from reconciler.policy.machine import Machine
from reconciler.policy.probe import probe
from reconciler.ports import Clock, Telemetry

_ENTRY = f"{PACKAGE}/{RULE}"
#: An evaluation costs more than its input is long; beyond this many actions parts are cheaper than the whole.
CHUNK = 100


class EmbeddedEngine(RegoEngine):
    """Decides by the policies of a directory, following their changes; a set that is no good leaves the last one.

    ``timeout``: seconds for one evaluation (of at most ``CHUNK`` actions).
    """

    def __init__(self, policy_dir: Path, telemetry: Telemetry, clock: Clock, *, timeout: float = 5.0) -> None:
        super().__init__(telemetry, clock)
        self._deadline = Deadline(timeout)
        self._keeper = Keeper(policy_dir, self._install)
        self._keeper.reload()

    @property
    def revision(self) -> str:
        """Identifies the policy set in force; empty when there is none."""
        in_force = self._keeper.in_force
        return in_force.policies.revision if in_force else ""

    @property
    def problem(self) -> str:
        """What is wrong with the policy files now; empty when they are in force."""
        return self._keeper.problem

    def reload(self) -> bool:
        """Read and compile the files again. True if they are in force now."""
        return self._keeper.reload()

    def matrix(self) -> Mapping[str, Mapping[str, str]]:
        """The effective permission matrix. Raises PolicyUnavailable when no policies are in force."""
        return self._keeper.current().policies.matrix()

    def _install(self, policies: PolicySet) -> _Compiled:
        compiled = _Compiled(policies, self._deadline)
        probe(compiled.ask)
        return compiled

    def _ask(self, document: Document) -> Decision:
        in_force = self._keeper.current()
        policies = in_force.policies
        parts = [
            read_answer(in_force.installed.ask(part), Question.of(part), policies.revision) for part in _parts(document)
        ]
        return replace(combine(parts), single_use=policies.single_use(document["plan"]["environment"]))


class _Compiled:
    """A compiled set with a time limit. A machine that doesn't come back is left behind and a new one compiled."""

    def __init__(self, policies: PolicySet, deadline: Deadline) -> None:
        self._policies = policies
        self._deadline = deadline
        self._lock = threading.Lock()
        self._machine = self._compile()

    def _compile(self) -> Machine:
        return Machine(self._policies.modules, self._policies.data, [_ENTRY])

    def ask(self, document: Document) -> Any:
        """The answer as parsed JSON. Raises PolicyUnavailable."""
        machine = self._machine
        try:
            return self._deadline.run(lambda: machine.ask(_ENTRY, document, patience=self._deadline.seconds))
        except TimeoutError as error:
            self._replace(machine)
            raise PolicyUnavailable("timeout", f"the embedded policy engine: {error}") from error

    def _replace(self, stuck: Machine) -> None:
        with self._lock:
            if self._machine is stuck:
                self._machine = self._compile()


def _parts(document: Document) -> Iterator[Document]:
    """The question in parts of at most CHUNK actions. Totals and facts stay those of the whole."""
    actions = document["actions"]
    if len(actions) <= CHUNK:
        yield document
        return
    for start in range(0, len(actions), CHUNK):
        yield {**document, "actions": actions[start : start + CHUNK]}
