"""Types whose names AWS stores in lower case, whatever was given."""

from __future__ import annotations

from reconciler.model.ids import Owner
from reconciler.model.values import Properties
from reconciler.ports import Scope
from reconciler.providers.declared import Declared


class Lowered(Declared):
    """A declared type whose name is made, and looked for, in lower case."""

    def _with_name(self, scope: Scope, desired: Properties, owner: Owner | None) -> Properties:
        desired = super()._with_name(scope, desired, owner)
        naming = self.declaration.naming
        assert naming is not None, self.type_name
        name = desired.get(naming.property)
        return {**desired, naming.property: name.lower()} if isinstance(name, str) else desired
