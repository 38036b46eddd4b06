"""Keeps the last good policy set in force while its files come, go and break."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, TypeVar

import structlog

from reconciler.model.errors import PolicyUnavailable
from reconciler.policy.bundle import PolicySet, Signature, load, signature

log = structlog.get_logger(__name__)

T = TypeVar("T")

#: Causes that have nothing to do with the files: the same set is tried again at the next question.
_PASSING = frozenset({"unreachable", "timeout"})


@dataclass(frozen=True, slots=True)
class InForce(Generic[T]):
    """The policy set that decides now, and what the engine made of it."""

    policies: PolicySet
    installed: T


class Keeper(Generic[T]):
    """Installs the set in ``directory`` and follows its changes.

    ``install`` turns a set into what the engine needs and raises PolicyUnavailable if the set is no good; the set
    in force then stays. While there has never been a good one, ``current`` raises. Thread-safe.
    """

    def __init__(self, directory: Path, install: Callable[[PolicySet], T]) -> None:
        self._directory = directory
        self._install = install
        self._lock = threading.Lock()
        self._seen: Signature | None = None
        self._in_force: InForce[T] | None = None
        self._problem: PolicyUnavailable | None = None

    @property
    def problem(self) -> str:
        """What is wrong with the files as they are now; empty when they are in force."""
        return str(self._problem) if self._problem is not None else ""

    @property
    def in_force(self) -> InForce[T] | None:
        """The set that decides now, without looking at the files."""
        return self._in_force

    def reload(self) -> bool:
        """Read and install the files now, whether or not they changed. True if they are in force."""
        with self._lock:
            self._update(signature(self._directory))
            return self._problem is None

    def current(self) -> InForce[T]:
        """The set in force, after following any change of the files. Raises PolicyUnavailable if there is none."""
        seen = signature(self._directory)
        with self._lock:
            if seen != self._seen:
                self._update(seen)
            if self._in_force is not None:
                return self._in_force
            problem = self._problem
        if problem is None:
            raise PolicyUnavailable("empty", f"{self._directory}: no policies are loaded")
        raise PolicyUnavailable(problem.cause, str(problem))

    def invalidate(self) -> None:
        """Install again at the next question: what was installed has been lost."""
        with self._lock:
            self._seen = None
            self._in_force = None

    def _update(self, seen: Signature) -> None:
        try:
            policies = load(self._directory)
            installed = self._install(policies)
        except PolicyUnavailable as error:
            self._problem = error
            self._seen = None if error.cause in _PASSING else seen
            log.error("policies rejected", directory=str(self._directory), cause=error.cause, problem=str(error))
            return
        self._in_force = InForce(policies, installed)
        self._problem = None
        self._seen = seen
        log.info("policies in force", directory=str(self._directory), revision=policies.revision)
