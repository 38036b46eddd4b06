"""What follows from a declaration and the type's schema, without a look at AWS."""

from __future__ import annotations

from functools import cached_property

from reconciler.model.errors import AwsFault, FaultKind
from reconciler.model.ids import Owner
from reconciler.model.values import Properties
from reconciler.ports import Scope
from reconciler.providers.declared.changing import created, updated
from reconciler.providers.declared.declaration import Declaration
from reconciler.providers.native.naming import NameRule
from reconciler.schema import TypeSchema, schema_for


class Derived:
    """A declared type's properties: which a create takes, which an update, which hold name and tags."""

    def __init__(self, declaration: Declaration) -> None:
        self.declaration = declaration
        self.type_name = declaration.type

    @cached_property
    def supported(self) -> frozenset[str]:
        """See ``ports.ResourceProvider``."""
        return self._created | self._updated

    @property
    def fixed(self) -> frozenset[str]:
        """The properties that only a create sets."""
        return self.supported - self._updated

    @property
    def naming(self) -> NameRule | None:
        """How a resource gets a name if its plan gives none."""
        return self.declaration.naming

    def schema_in(self, scope: Scope) -> TypeSchema:
        """The type's schema in the scope's region, else wherever it is known. Raises INVALID_REQUEST."""
        schema = schema_for(self.type_name, scope.region) or schema_for(self.type_name)
        if schema is None:
            raise AwsFault(FaultKind.INVALID_REQUEST, f"{self.type_name} doesn't exist in {scope.region}")
        return schema

    @cached_property
    def _schema(self) -> TypeSchema:
        schema = schema_for(self.type_name)
        assert schema is not None, self.type_name
        return schema

    @cached_property
    def _tags_name(self) -> str:
        return (self._schema.tag_property or "Tags") if self.declaration.tagging else ""

    @cached_property
    def _tags_are_list(self) -> bool:
        return self._schema.tag_style != "map"

    @cached_property
    def _tags_names(self) -> frozenset[str]:
        return frozenset({self._tags_name} - {""})

    @cached_property
    def _created(self) -> frozenset[str]:
        return created(self.declaration, self._schema, self._tags_names)

    @cached_property
    def _updated(self) -> frozenset[str]:
        return updated(self.declaration, self._tags_names)

    def _with_name(self, scope: Scope, desired: Properties, owner: Owner | None) -> Properties:
        naming = self.declaration.naming
        if naming is None or desired.get(naming.property) is not None:
            return desired
        name = naming.name(desired, owner, scope)
        return desired if name is None else {**desired, naming.property: name}
