"""The embedded engine: Rego evaluated by regopy, in a process of its own that may crash or hang."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path

from reconciler.model.decision import Decision
from reconciler.model.errors import PolicyUnavailable
from reconciler.policy.answers import Question, combine, read_answer
from reconciler.policy.bundle import PACKAGE, RULE, PolicySet
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

    def __init__(
        self, policy_dir: Path, telemetry: Telemetry, clock: Clock, *, timeout: float = 5.0, load_timeout: float = 15.0
    ) -> None:
        """``load_timeout``: seconds in which a policy set has to compile. Nothing is read or started before it is
        needed.
        """
        super().__init__(telemetry, clock)
        # A set that crashes or hangs would do it again at every question, hence no retry before it changes.
        self._keeper = Keeper(policy_dir, partial(_installed, timeout, load_timeout), passing=frozenset())

    @property
    def revision(self) -> str:
        """Identifies the policy set in force; empty when there is none."""
        self._keeper.ensure()
        in_force = self._keeper.in_force
        return in_force.policies.revision if in_force else ""

    @property
    def problem(self) -> str:
        """What is wrong with the policy files now; empty when they are in force."""
        self._keeper.ensure()
        return self._keeper.problem

    @property
    def pid(self) -> int | None:
        """The worker's process id; None while there is none."""
        in_force = self._keeper.in_force
        return in_force.installed.pid if in_force else None

    def close(self) -> None:
        """End the worker process. Further questions are refused."""
        self._keeper.close()

    def reload(self) -> bool:
        """Read and compile the files again. True if they are in force now."""
        return self._keeper.reload()

    def matrix(self) -> Mapping[str, Mapping[str, str]]:
        """The effective permission matrix. Raises PolicyUnavailable when no policies are in force."""
        return self._keeper.current().policies.matrix()

    def _ask(self, document: Document) -> Decision:
        in_force = self._keeper.current()
        policies = in_force.policies
        parts = [
            read_answer(in_force.installed.ask(_ENTRY, part), Question.of(part), policies.revision)
            for part in _parts(document)
        ]
        return replace(combine(parts), single_use=policies.single_use(document["plan"]["environment"]))


# No methods: the keeper holds on to them, and an engine that is dropped should go at once, with its process.
def _installed(timeout: float, load_timeout: float, policies: PolicySet) -> Machine:
    try:
        return _compiled(timeout, load_timeout, policies)
    except PolicyUnavailable as error:
        if error.cause != "crashed":
            raise
    return _compiled(timeout, load_timeout, policies)  # once more: somebody else may have killed the process


def _compiled(timeout: float, load_timeout: float, policies: PolicySet) -> Machine:
    machine = Machine(policies.modules, policies.data, [_ENTRY], timeout=timeout, load_timeout=load_timeout)
    try:
        probe(lambda document: machine.ask(_ENTRY, document))
    except PolicyUnavailable:
        machine.close()
        raise
    return machine


def _parts(document: Document) -> Iterator[Document]:
    """The question in parts of at most CHUNK actions. Totals and facts stay those of the whole."""
    actions = document["actions"]
    if len(actions) <= CHUNK:
        yield document
        return
    for start in range(0, len(actions), CHUNK):
        yield {**document, "actions": actions[start : start + CHUNK]}
