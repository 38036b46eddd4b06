"""A resource type through the Cloud Control API. Everything that is known of it, its schema says."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping

from reconciler.model.errors import AwsFault, FaultKind
from reconciler.model.ids import ClientToken, Identifier, Owner, TypeName
from reconciler.model.progress import Done, Handle, Progress
from reconciler.model.resource import Located, Observation, Unreadable, Wanted
from reconciler.model.values import Properties, reveal
from reconciler.ports import Scope
from reconciler.providers.cloudcontrol.locating import Description, Search, described
from reconciler.providers.cloudcontrol.patches import patch
from reconciler.providers.cloudcontrol.progress import SERVICE, progress_of
from reconciler.providers.cloudcontrol.shapes import concealed, desired_state
from reconciler.providers.native.frame import refuse_unsupported
from reconciler.providers.native.reading import read_each
from reconciler.providers.readable import readable_secrets
from reconciler.schema import TypeSchema, schema_for


class CloudControl:
    """``ports.ResourceProvider`` for one type that has handlers.

    Reads are one call each: a listing needn't show more than identifiers, so that it spares none. Writes are requests
    that AWS works on; they are polled by their token. A create that is repeated with its client token within 36 hours
    is AWS's first one.
    """

    def __init__(self, type_name: TypeName) -> None:
        self.type_name = type_name

    @property
    def supported(self) -> frozenset[str]:
        """See ``ports.ResourceProvider``: what isn't read-only."""
        schema = schema_for(self.type_name)
        return schema.settable if schema else frozenset()

    def read_many(self, scope: Scope, wanted: Collection[Wanted]) -> Mapping[Identifier, Observation | Unreadable]:
        """See ``ports.ResourceProvider``."""
        secret = readable_secrets(self.type_name)

        def read(item: Wanted) -> Observation:
            found = self._read(scope, item.identifier)
            return Observation(item.identifier, concealed(found.properties, secret))

        return read_each(scope, wanted, read)

    def locate(self, scope: Scope, desired: Properties, owner: Owner) -> tuple[Located, ...]:
        """See ``ports.ResourceProvider``."""
        return Search(self._schema(scope), scope, lambda place: self._read(scope, place)).run(desired, owner)

    def create(self, scope: Scope, desired: Properties, token: ClientToken) -> Progress:
        """See ``ports.ResourceProvider``."""
        desired = reveal(desired)
        self._refuse(desired)
        state = json.dumps(desired_state(self._schema(scope), desired))
        answer = scope.call(SERVICE, "create_resource", TypeName=self.type_name, DesiredState=state, ClientToken=token)
        return progress_of(answer, Identifier(""))

    def update(
        self, scope: Scope, identifier: Identifier, before: Properties, after: Properties, changed: frozenset[str]
    ) -> Progress:
        """See ``ports.ResourceProvider``."""
        self._refuse(changed)
        operations = patch(self._schema(scope), reveal(before), reveal(after), changed)
        if not operations:
            return Done(identifier)
        answer = scope.call(
            SERVICE,
            "update_resource",
            TypeName=self.type_name,
            Identifier=identifier,
            PatchDocument=json.dumps(operations),
        )
        return progress_of(answer, identifier)

    def delete(self, scope: Scope, identifier: Identifier) -> Progress:
        """See ``ports.ResourceProvider``."""
        try:
            answer = scope.call(SERVICE, "delete_resource", TypeName=self.type_name, Identifier=identifier)
        except AwsFault as fault:
            if fault.kind is FaultKind.NOT_FOUND:
                return Done(identifier)
            raise
        return progress_of(answer, identifier)

    def poll(self, scope: Scope, handle: Handle) -> Progress:
        """See ``ports.ResourceProvider``. AWS remembers a request for seven days."""
        answer = scope.call(SERVICE, "get_resource_request_status", RequestToken=handle.kind)
        return progress_of(answer, handle.identifier)

    def _read(self, scope: Scope, identifier: str) -> Description:
        answer = scope.call(SERVICE, "get_resource", TypeName=self.type_name, Identifier=identifier)
        return described(answer.get("ResourceDescription", {}))

    def _refuse(self, names: Iterable[str]) -> None:
        refuse_unsupported(self.type_name, self.supported, names)

    def _schema(self, scope: Scope) -> TypeSchema:
        schema = schema_for(self.type_name, scope.region)
        if schema is None:
            message = f"{self.type_name} doesn't exist in {scope.region}"
            raise AwsFault(FaultKind.INVALID_REQUEST, message)
        return schema
