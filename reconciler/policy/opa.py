"""The opa engine: a real OPA server, asked through opa-python-client. The only module that knows that client."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from reconciler.model.decision import Decision
from reconciler.model.errors import PolicyUnavailable
from reconciler.policy.answers import Question, read_answer
from reconciler.policy.bundle import PolicySet
from reconciler.policy.deadline import Deadline
from reconciler.policy.document import Document
from reconciler.policy.engine import RegoEngine
from reconciler.policy.keeper import Keeper
from reconciler.policy.probe import probe
from reconciler.policy.server import Server
from reconciler.policy.upload import Uploader
from reconciler.ports import Clock, Telemetry

#: How often a question is put again because the policies changed underneath it.
_ATTEMPTS = 3


class OpaEngine(RegoEngine):
    """Decides by an OPA server.

    ``manage=True``: the policies of ``policy_dir`` are uploaded, and again whenever they change or OPA lost them.
    ``manage=False``: OPA loads its policies itself (bundles, files); the directory isn't used.
    ``timeout``: seconds for a whole question; OPA takes milliseconds.
    ``ca``/``cert``/``token``: CA bundle, client certificate and bearer token for a server that wants them.
    """

    def __init__(
        self,
        address: str,
        policy_dir: Path,
        telemetry: Telemetry,
        clock: Clock,
        *,
        manage: bool = True,
        timeout: float = 1.5,
        token: str | None = None,
        ca: str | None = None,
        cert: str | None = None,
    ) -> None:
        """Raises ConfigurationError for an address that isn't ``http(s)://host:port``. Doesn't fail if OPA is down."""
        super().__init__(telemetry, clock)
        self._server = Server(address, timeout=timeout, token=token, ca=ca, cert=cert)
        self._deadline = Deadline(timeout, tolerated=64)
        self._manage = manage
        self._uploader = Uploader(self._server)
        self._keeper = Keeper(policy_dir, self._install)
        if manage:
            self._keeper.reload()

    @property
    def revision(self) -> str:
        """Identifies the policy set in force; ``opa`` where OPA has its own."""
        if not self._manage:
            return "opa"
        in_force = self._keeper.in_force
        return in_force.policies.revision if in_force else ""

    @property
    def problem(self) -> str:
        """What is wrong with the policies, or that the server isn't healthy."""
        if self._manage and self._keeper.problem:
            return self._keeper.problem
        return "" if self._server.healthy() else f"OPA at {self._server.address} isn't healthy"

    def reload(self) -> bool:
        """Upload the policies again (or, unmanaged, ask OPA whether it can decide)."""
        if self._manage:
            return self._keeper.reload()
        try:
            probe(self._query)
        except PolicyUnavailable:
            return False
        return True

    def matrix(self) -> Mapping[str, Mapping[str, str]]:
        """The effective permission matrix. Raises PolicyUnavailable."""
        if self._manage:
            return self._keeper.current().policies.matrix()
        return self._foreign({"matrix": self._server.data("matrix")}).matrix()

    def _foreign(self, data: Mapping[str, Any]) -> PolicySet:
        """What stands for the policies of a server that has its own."""
        return PolicySet(modules=(), tests=(), data=data, revision=self.revision)

    def _install(self, policies: PolicySet) -> None:
        self._uploader.install(policies, accept=lambda: probe(self._query))

    def _ask(self, document: Document) -> Decision:
        for _ in range(_ATTEMPTS):
            if self._uploader.lost:
                self._keeper.invalidate()
            policies = self._keeper.current().policies if self._manage else self._foreign({})
            generation = self._uploader.generation
            answer = self._answer(document)
            # An upload that began meanwhile may have shown a mixture of two sets.
            if generation == self._uploader.generation:
                decision = read_answer(answer, Question.of(document), policies.revision)
                return replace(decision, single_use=policies.single_use(document["plan"]["environment"]))
        raise PolicyUnavailable("timeout", "the policies kept changing while the question was open")

    def _answer(self, document: Document) -> Any:
        try:
            return self._query(document)
        except PolicyUnavailable as error:
            if self._manage and error.cause == "undefined":
                self._uploader.lost = True  # OPA was restarted or cleared: upload before the next question
            raise

    def _query(self, document: Document) -> Any:
        try:
            return self._deadline.run(lambda: self._server.query(document))
        except TimeoutError as error:
            raise PolicyUnavailable("timeout", f"OPA at {self._server.address}: {error}") from error
