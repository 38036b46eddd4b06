"""The answer of a provider to create, update and delete: done, or pending with a handle to poll."""

from __future__ import annotations

from dataclasses import dataclass

from reconciler.model.ids import Identifier


@dataclass(frozen=True, slots=True)
class Handle:
    """What is needed to find an asynchronous operation again, after a crash too. ``kind`` is the provider's own."""

    identifier: Identifier
    kind: str = ""


@dataclass(frozen=True, slots=True)
class Done:
    """The operation is complete; ``identifier`` is the resource's."""

    identifier: Identifier


@dataclass(frozen=True, slots=True)
class Pending:
    """The operation was accepted; ask ``poll`` again after ``after`` seconds. ``message`` is for people."""

    handle: Handle
    after: float = 2.0
    message: str = ""


Progress = Done | Pending
