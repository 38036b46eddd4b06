"""Keeps the last good policy set in force while its files come, go and break."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, Protocol, TypeVar, runtime_checkable

import structlog

from reconciler.model.errors import PolicyUnavailable
from reconciler.policy.bundle import PolicySet, Signature, load, signature

log = structlog.get_logger(__name__)

T = TypeVar("T")

#: Causes that have nothing to do with the files: the same set is tried again at the next question.
_PASSING = frozenset({"unreachable", "timeout"})


@runtime_checkable
class Closeable(Protocol):
    """Something installed that holds on to more than memory."""

    def close(self) -> None:
        """Let go of it."""


@dataclass(frozen=True, slots=True)
class InForce(Generic[T]):
    """The policy set that decides now, and what the engine made of it."""

    policies: PolicySet
    installed: T


class Keeper(Generic[T]):
    """Installs the set in ``directory`` and follows its changes.

    ``install`` turns a set into what the engine needs and raises PolicyUnavailable if the set is no good; the set
    in force then stays. While there has never been a good one, ``current`` raises. Thread-safe.
    ``passing``: causes of failure after which the same files are tried again at the next question.
    """

    def __init__(
        self, directory: Path, install: Callable[[PolicySet], T], *, passing: frozenset[str] = _PASSING
    ) -> None:
        self._directory = directory
        self._install = install
        self._passing = passing
        self._looked = False
        self._closed = False
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

    def ensure(self) -> None:
        """Read and install the files if that was never done."""
        if not self._looked:
            with self._lock:
                if not self._looked:
                    self._update(signature(self._directory))

    def close(self) -> None:
        """Let go of what is installed (its own ``close`` is called, if it has one). Nothing is installed again."""
        with self._lock:
            self._closed = True
            gone, self._in_force = self._in_force, None
            self._problem = PolicyUnavailable("unreachable", "the policy engine has been closed")
            self._looked = True
        if gone is not None and isinstance(gone.installed, Closeable):
            gone.installed.close()

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
        self._looked = True
        if self._closed:
            return
        try:
            policies = load(self._directory)
            installed = self._install(policies)
        except PolicyUnavailable as error:
            self._problem = error
            self._seen = None if error.cause in self._passing else seen
            log.error("policies rejected", directory=str(self._directory), cause=error.cause, problem=str(error))
            return
        self._in_force = InForce(policies, installed)
        self._problem = None
        self._seen = seen
        log.info("policies in force", directory=str(self._directory), revision=policies.revision)
