"""Changes of an instance that AWS makes only while it is stopped: stop it, change it, start it again.

An instance that a change has stopped is tagged until it runs again. One that is found stopped with that tag (its
handle was lost) is started after the change; one that somebody else has stopped stays so.
"""

from __future__ import annotations

import json
from typing import Any

from reconciler.model.errors import AwsFault, FaultKind
from reconciler.model.ids import Identifier
from reconciler.model.progress import Done, Handle, Pending, Progress
from reconciler.model.secrecy import scrub
from reconciler.model.values import Properties, Sensitive, leaves, reveal
from reconciler.ports import Scope
from reconciler.providers.declared import Declared
from reconciler.providers.native.frame import refuse_fixed, refuse_unsupported
from reconciler.providers.native.tagging import as_map

#: what AWS takes of an instance that is stopped
STOPPED = frozenset(
    {"Affinity", "EbsOptimized", "HostId", "InstanceType", "KernelId", "RamdiskId", "Tenancy", "UserData"}
)
_DNS = "PrivateDnsNameOptions"
_MARK = "reconciler:restart"
_RESTART, _STARTED = "restart:", "update:started"
_POLL_AFTER = 5.0


class Restarted(Declared):
    """A type whose resources are stopped for some of their changes."""

    def update(
        self, scope: Scope, identifier: Identifier, before: Properties, after: Properties, changed: frozenset[str]
    ) -> Progress:
        """See ``ports.ResourceProvider``. What can be changed while it runs comes first."""
        refuse_unsupported(self.type_name, self.supported, changed)
        refuse_fixed(self.type_name, self.supported - self._updated, changed)
        stopped = changed & (STOPPED | self._renaming(before, after))
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
        if handle.kind == _STARTED:
            return self._started(scope, handle.identifier)
        return super().poll(scope, handle)

    def _renaming(self, before: Properties, after: Properties) -> frozenset[str]:
        """The names that an instance is given by are its only DNS options that can't be changed while it runs."""
        old, new = before.get(_DNS) or {}, after.get(_DNS) or {}
        kinds = [one.get("HostnameType") for one in (old, new)]
        return frozenset({_DNS}) if kinds[1] is not None and kinds[0] != kinds[1] else frozenset()

    def _while_stopped(
        self, scope: Scope, identifier: Identifier, values: dict[str, Any], *, secret: bool = False
    ) -> Progress:
        """Change a stopped instance; stop one that runs, and be asked again. Raises AwsFault."""
        item = self._reader.item(scope, identifier)
        state = str((item.get("State") or {}).get("Name"))
        text = json.dumps(values)
        if state != "stopped" and (secret or scrub(text) != text):
            # what is to follow would be kept in the handle, where a secret has no place
            message = f"{', '.join(sorted(values))} of {self.type_name} hold a secret, so that they can only be changed"
            raise AwsFault(FaultKind.INVALID_REQUEST, f"{message} while it is stopped: stop {identifier} first")
        handle = Handle(identifier, _RESTART + text)
        if state == "running":
            scope.call("ec2", "create_tags", Resources=[identifier], Tags=[{"Key": _MARK, "Value": "true"}])
            scope.call("ec2", "stop_instances", InstanceIds=[identifier])
        if state != "stopped":
            return Pending(handle, _POLL_AFTER, f"{identifier} is to be stopped, it is {state}")
        self._change_all(scope, identifier, {}, values, frozenset(values))
        if _MARK not in as_map(item.get("Tags")):
            return Done(identifier)
        scope.call("ec2", "start_instances", InstanceIds=[identifier])
        return self._started(scope, identifier)

    def _started(self, scope: Scope, identifier: Identifier) -> Progress:
        """Wait until it runs again, and take the tag away."""
        state = str((self._reader.item(scope, identifier).get("State") or {}).get("Name"))
        if state in ("pending", "stopped"):
            return Pending(Handle(identifier, _STARTED), _POLL_AFTER, f"{identifier} is {state}")
        scope.call("ec2", "delete_tags", Resources=[identifier], Tags=[{"Key": _MARK}])
        return Done(identifier)
