"""What every engine has in common: time measured, failures counted, nothing but a Decision or PolicyUnavailable out."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping

import structlog

from reconciler.model.change import ChangeSet
from reconciler.model.decision import Decision, Facts
from reconciler.model.errors import PolicyUnavailable
from reconciler.model.plan import Plan
from reconciler.policy.document import Document, policy_input
from reconciler.ports import Clock, Telemetry

log = structlog.get_logger(__name__)


class RegoEngine(ABC):
    """Asks ``data.reconciler.decision``. Implements ports.PolicyEngine; thread-safe."""

    def __init__(self, telemetry: Telemetry, clock: Clock) -> None:
        self._telemetry = telemetry
        self._clock = clock

    def admit(self, plan: Plan, facts: Facts) -> Decision:
        """Before any AWS call: may this plan be looked at? Raises PolicyUnavailable."""
        return self._decide(plan, None, facts)

    def review(self, changes: ChangeSet, facts: Facts) -> Decision:
        """After the diff: may these actions be executed, and how? Raises PolicyUnavailable."""
        return self._decide(changes.plan, changes, facts)

    @property
    @abstractmethod
    def revision(self) -> str:
        """Identifies the policy set in force; empty when there is none."""

    @property
    @abstractmethod
    def problem(self) -> str:
        """What is wrong with the policies or the engine now; empty when decisions are to be had."""

    @abstractmethod
    def reload(self) -> bool:
        """Take the policies in again. True if what is there now is in force; else ``problem`` says why not."""

    @abstractmethod
    def matrix(self) -> Mapping[str, Mapping[str, str]]:
        """The effective permission matrix. Raises PolicyUnavailable."""

    @abstractmethod
    def _ask(self, document: Document) -> Decision:
        """The checked answer to one question. Raises PolicyUnavailable."""

    def _decide(self, plan: Plan, changes: ChangeSet | None, facts: Facts) -> Decision:
        started = self._clock.monotonic()
        try:
            decision = self._ask(policy_input(plan, changes, facts))
        except PolicyUnavailable as error:
            self._failed(plan, error)
            raise
        except Exception as unexpected:  # fail closed: whatever an engine's library raises is no decision
            failure = PolicyUnavailable("malformed", f"the policy engine failed: {type(unexpected).__name__}")
            self._failed(plan, failure)
            raise failure from unexpected
        elapsed = self._clock.monotonic() - started
        self._telemetry.policy_decided(plan.target.environment, str(decision.mode), elapsed)
        return decision

    def _failed(self, plan: Plan, error: PolicyUnavailable) -> None:
        self._telemetry.policy_failed(error.cause)
        log.error("policy gave no decision", plan=plan.name, cause=error.cause, problem=str(error))
