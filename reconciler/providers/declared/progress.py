"""Waiting for AWS: whether what a call began is done, still going on, or has failed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from reconciler.model.errors import AwsFault, FaultKind
from reconciler.model.ids import Identifier
from reconciler.model.progress import Done, Handle, Pending, Progress
from reconciler.ports import Scope
from reconciler.providers.declared.declaration import Declaration, Waiting
from reconciler.providers.declared.reading import Reader
from reconciler.providers.declared.shaping import at

#: Kinds of handle. After a create's there may be properties that are yet to be set, as JSON.
CREATE, UPDATE, DELETE = "create:", "update:", "delete:"


@dataclass(frozen=True, slots=True)
class Waiter:
    """Waits for the resources of one type."""

    declaration: Declaration
    reader: Reader

    def standing_by(self, scope: Scope, identifier: Identifier, kind: str) -> Progress:
        """Done, or Pending while AWS works on it. Raises AwsFault (``failed``) when it failed."""
        waiting = self.declaration.waiting
        if waiting is None:
            return Done(identifier)
        try:
            item = self.reader.item(scope, identifier, gone=True)
        except AwsFault as fault:
            if fault.kind is FaultKind.NOT_FOUND and kind.startswith(CREATE):
                message = f"{identifier} isn't to be seen yet"
                return Pending(Handle(identifier, kind), waiting.seconds, message)
            raise
        state = str(at(item, waiting.at) or "")
        if waiting.then and state not in waiting.failed | waiting.pending:
            state = str(at(item, waiting.then) or "")
        self._refuse_end(waiting, identifier, item, state)
        if state in waiting.pending:
            return Pending(Handle(identifier, kind), waiting.seconds, f"{identifier} is {state.lower()}")
        return Done(identifier)

    def gone(self, scope: Scope, identifier: Identifier) -> Progress:
        """Done when a deletion is complete. Raises AwsFault (``failed``) when it failed."""
        declaration, waiting = self.declaration, self.declaration.waiting
        assert waiting is not None
        try:
            item = self.reader.item(scope, identifier, gone=True)
        except AwsFault as fault:
            if fault.kind is FaultKind.NOT_FOUND:
                return Done(identifier)
            raise
        state = str(at(item, waiting.at) or "")
        if waiting.is_gone(state):
            return Done(identifier)
        if state in waiting.failed:
            message = f"{declaration.type} {identifier} couldn't be deleted, it is in state {state}"
            raise AwsFault(FaultKind.INVALID_REQUEST, message, service=declaration.service, failed=True)
        return Pending(Handle(identifier, DELETE), waiting.seconds, f"{identifier} is {state.lower() or 'there'}")

    def _refuse_end(self, waiting: Waiting, identifier: Identifier, item: Mapping[str, Any], state: str) -> None:
        declaration = self.declaration
        if state in waiting.failed:
            why = at(item, waiting.why) if waiting.why else ""
            message = f"{declaration.type} {identifier} is in state {state}" + (f": {why}" if why else "")
            raise AwsFault(FaultKind.INVALID_REQUEST, message, service=declaration.service, failed=True)
        if state in waiting.leaving or waiting.is_gone(state):
            message = f"{declaration.type} {identifier} went while it was waited for: it is {state.lower()}"
            raise AwsFault(FaultKind.NOT_FOUND, message, service=declaration.service)
