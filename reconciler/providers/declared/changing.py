"""Which properties a type's calls take, and what an update is given."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from reconciler.model.errors import AwsFault, FaultKind
from reconciler.model.values import Properties
from reconciler.providers.declared.declaration import Declaration, Update
from reconciler.providers.declared.shaping import input_shape, member
from reconciler.schema import MISSING, TypeSchema, defaults

Names = frozenset[str]
#: A property's name: what AWS gives it when it isn't said; MISSING where that isn't known, None to leave it out.
Reset = Callable[[str], Any]


def created(declaration: Declaration, schema: TypeSchema, tags: Names) -> Names:
    """What the create call takes; ``tags``: the name of the property with the tags, if there is one."""
    call = declaration.create
    if call.takes:
        return (frozenset(call.takes) | tags) - declaration.unsupported
    later = frozenset(name for update in declaration.updates if update.later for name in update.names)
    shape: Any = input_shape(declaration.service, call.operation)
    shape = shape.members[call.under] if call.under else shape
    renames = {**declaration.renames, **call.renames}
    takes = (name for name in schema.settable if member(shape, name, name, renames))
    return (frozenset(takes) | tags) - later - declaration.unsupported


def updated(declaration: Declaration, tags: Names) -> Names:
    """What can be changed."""
    return (tags.union(*(update.names for update in declaration.updates))) - declaration.unsupported


def target(
    schema: TypeSchema, update: Update, before: Properties, after: Properties, changed: Names, reset: Reset
) -> dict[str, Any]:
    """What an update is given. A property that is to be reset has AWS's default, or none where that is how."""
    takes = update.call.takes or tuple(update.names)
    names = set(takes) if update.whole else (update.names & changed & set(takes)) | set(update.along)
    found: dict[str, Any] = {}
    for name in sorted(names):
        value = after.get(name)
        if value is None and name in changed:
            value = _default(schema, update, name, reset)
        elif value is None and (update.whole or name in update.along):
            value = before.get(name)
        if value is not None:
            found[name] = value
    return found


def _default(schema: TypeSchema, update: Update, name: str, reset: Reset) -> Any:
    told = reset(name)
    if told is not MISSING:
        return told
    if update.whole or update.clear is not None:
        return None
    default = defaults(schema, (name,))
    if default is MISSING:
        message = f"property {name} of {schema.type_name} can't be taken back: set it to the value that is wanted"
        raise AwsFault(FaultKind.INVALID_REQUEST, message)
    return default
