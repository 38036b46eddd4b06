"""Changes that AWS makes only while a resource is stopped: stop it, change it, start it again.

What a change has stopped is tagged until it runs again. Something that is found stopped with that tag (its handle was
lost) is started after the change; what somebody else has stopped stays so.
"""

from __future__ import annotations

import json
from abc import abstractmethod
from collections.abc import Mapping
from typing import Any, ClassVar

from reconciler.model.errors import AwsFault, FaultKind
from reconciler.model.ids import Identifier
from reconciler.model.progress import Done, Handle, Pending, Progress
from reconciler.model.secrecy import scrub
from reconciler.model.values import Properties, Sensitive, leaves, reveal
from reconciler.ports import Scope
from reconciler.providers.declared import Call, Declared
from reconciler.providers.native.frame import refuse_fixed, refuse_unsupported
from reconciler.providers.native.tagging import Tags

RUNNING, STOPPED = "running", "stopped"
_MARK = "reconciler:restart"
_RESTART, _CHANGED, _STARTED = "restart:", "update:changed", "update:started"


class Restarted(Declared):
    """A type whose resources are stopped for some of their changes."""

    #: the calls that stop and start one
    stopping: ClassVar[Call]
    starting: ClassVar[Call]
    #: what a resource that is to run again shows until it does
    before_running: ClassVar[frozenset[str]]
    #: how long until it is looked at again
    seconds: ClassVar[float]

    @abstractmethod
    def stopped_for(self, before: Properties, after: Properties, changed: frozenset[str]) -> frozenset[str]:
        """The properties among ``changed`` that AWS takes of what is stopped alone."""

    @abstractmethod
    def state_of(self, item: Mapping[str, Any]) -> str:
        """The state in what the read answers: ``RUNNING``, ``STOPPED``, or AWS's word for another."""

    def update(
        self, scope: Scope, identifier: Identifier, before: Properties, after: Properties, changed: frozenset[str]
    ) -> Progress:
        """See ``ports.ResourceProvider``. What can be changed while it runs comes first."""
        refuse_unsupported(self.type_name, self.supported, changed)
        refuse_fixed(self.type_name, self.supported - self._updated, changed)
        stopped = self.stopped_for(before, after, changed)
        secret = any(isinstance(leaf, Sensitive) for name in stopped for leaf in leaves(after.get(name)))
        running = changed - stopped
        progress: Progress = Done(identifier)
        if running:
            progress = super().update(scope, identifier, before, after, running)
        if not stopped:
            return progress
        before, after = reveal(before), reveal(after)
        values: dict[str, Any] = {}
        for update in self.declaration.updates:
            if update.names & stopped:
                values |= self._target(update, before, after, stopped)
        return self._while_stopped(scope, identifier, values, secret=secret)

    def poll(self, scope: Scope, handle: Handle) -> Progress:
        """See ``ports.ResourceProvider``."""
        if handle.kind.startswith(_RESTART):
            values = json.loads(handle.kind.removeprefix(_RESTART))
            return self._while_stopped(scope, handle.identifier, values)
        if handle.kind == _CHANGED:
            return self._changed(scope, handle.identifier)
        if handle.kind == _STARTED:
            return self._started(scope, handle.identifier)
        return super().poll(scope, handle)

    def _while_stopped(
        self, scope: Scope, identifier: Identifier, values: dict[str, Any], *, secret: bool = False
    ) -> Progress:
        """Change what is stopped; stop what runs, and be asked again. Raises AwsFault."""
        item = self._reader.item(scope, identifier)
        state = self.state_of(item)
        text = json.dumps(values)
        if state != STOPPED and (secret or scrub(text) != text):
            # what is to follow would be kept in the handle, where a secret has no place
            message = f"{', '.join(sorted(values))} of {self.type_name} hold a secret, so that they can only be changed"
            raise AwsFault(FaultKind.INVALID_REQUEST, f"{message} while it is stopped: stop {identifier} first")
        if state == RUNNING:
            self._mark(scope, identifier, {}, {_MARK: "true"})
            self._send(scope, self.stopping, self._reader.identity(scope, identifier), {})
        if state != STOPPED:
            handle = Handle(identifier, _RESTART + text)
            return Pending(handle, self.seconds, f"{identifier} is to be stopped, it is {state}")
        self._change_all(scope, identifier, {}, values, frozenset(values))
        return self._changed(scope, identifier)

    def _changed(self, scope: Scope, identifier: Identifier) -> Progress:
        """Wait until the change is made, and start again what ran before."""
        item = self._reader.item(scope, identifier)
        state = self.state_of(item)
        if state != STOPPED:
            return Pending(Handle(identifier, _CHANGED), self.seconds, f"{identifier} is {state}")
        if _MARK not in self._marks(scope, identifier, item):
            return Done(identifier)
        self._send(scope, self.starting, self._reader.identity(scope, identifier), {})
        return self._started(scope, identifier)

    def _started(self, scope: Scope, identifier: Identifier) -> Progress:
        """Wait until it runs again, and take the tag away."""
        state = self.state_of(self._reader.item(scope, identifier))
        if state in self.before_running:
            return Pending(Handle(identifier, _STARTED), self.seconds, f"{identifier} is {state}")
        self._mark(scope, identifier, {_MARK: "true"}, {})
        return Done(identifier)

    def _mark(self, scope: Scope, identifier: Identifier, before: Tags, after: Tags) -> None:
        assert self._tagger is not None
        self._tagger.change(scope, self._finder.fields(scope, identifier), before, after)

    def _marks(self, scope: Scope, identifier: Identifier, item: Mapping[str, Any]) -> Tags:
        assert self._tagger is not None
        if self._tagger.separate:
            return self._tagger.read(scope, self._finder.fields(scope, identifier))
        return self._tagger.inline(item)
