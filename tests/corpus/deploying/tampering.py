"""Changes every mutable property of a plan's resources behind its back, one at a time.

Somebody else makes the change, as another identity, with the call that the service has for it. Whether it was made at
all is judged by describe calls, and so is whether everything is as before after the pass.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from reconciler.live import with_ownership
from reconciler.model.errors import AwsFault
from reconciler.model.ids import TypeName
from reconciler.model.plan import Plan
from reconciler.model.progress import Pending, Progress
from reconciler.model.report import PlanState, RunReport
from reconciler.model.resource import Observation, Record, Wanted
from reconciler.ports import ResourceProvider, Scope
from reconciler.providers.registry import Registry
from reconciler.schema import TypeSchema, schema_for
from tests.corpus.deploying.variations import variations

_REGISTRY = Registry()


@dataclass(frozen=True, slots=True)
class Part:
    """One mutable property of one resource, with its live value; ``why``: why it can't be changed by others.

    ``beside``: items of a list that belong to other resources of the plan, and stay as they are.
    """

    logical_id: str
    type: str
    name: str
    value: Any = None
    why: str = ""
    beside: tuple[Any, ...] = ()

    @property
    def title(self) -> str:
        """``Queue/DelaySeconds``."""
        return f"{self.logical_id}/{self.name}"


def provider_of(type_name: str) -> ResourceProvider | None:
    """The native provider of a type."""
    return _REGISTRY.get(TypeName(type_name)) if type_name in _REGISTRY.types else None


def parts(plan: Plan, records: Mapping[str, Record], scope: Scope) -> Iterator[Part]:
    """The properties that the plan sets and AWS can change in place."""
    for name, planned in with_ownership(plan).resources.items():
        record, provider = records.get(str(name)), provider_of(planned.type)
        schema = schema_for(planned.type)
        if record is None or provider is None or schema is None:
            continue
        names = [one for one in planned.properties if one in provider.supported and _mutable(schema, provider, one)]
        live = read(provider, scope, record)
        for one in sorted(names):
            value, beside = own(live.get(one), planned.properties[one])
            named = value == record.identifier.split("|")[0]
            why = "part of its identity" if named else _unfit(schema, one, value)
            yield Part(str(name), str(planned.type), one, value, why, beside)


def own(live: Any, wanted: Any) -> tuple[Any, tuple[Any, ...]]:
    """A value without the inline policies that other resources of the plan add to it, and those."""
    if not isinstance(live, list) or not isinstance(wanted, list):
        return live, ()
    names = [_policy_name(item) for item in wanted]
    others = tuple(item for item in live if isinstance(_policy_name(item), str) and _policy_name(item) not in names)
    return [item for item in live if item not in others], others


def _policy_name(item: Any) -> Any:
    return item.get("PolicyName") if isinstance(item, Mapping) else None


def _mutable(schema: TypeSchema, provider: ResourceProvider, name: str) -> bool:
    fixed = name in getattr(provider, "fixed", frozenset()) or name in provider_create_only(schema)
    without_update = bool(schema.handler_permissions) and "update" not in schema.handler_permissions
    return not fixed and not without_update and (name,) not in schema.read_only


def provider_create_only(schema: TypeSchema) -> frozenset[str]:
    """The top-level properties that are set for good."""
    return frozenset(path[0] for path in schema.create_only | schema.conditional_create_only if len(path) == 1)


def _unfit(schema: TypeSchema, name: str, value: Any) -> str:
    if (name,) in schema.write_only:
        return "write-only"
    if value in (None, {}, []):
        return "empty"
    return ""


def read(provider: ResourceProvider, scope: Scope, record: Record) -> dict[str, Any]:
    """Everything that can be set, as it is."""
    seen = provider.read_many(scope, [Wanted(record.identifier, provider.supported)]).get(record.identifier)
    if not isinstance(seen, Observation):
        return {}
    return {name: value for name, value in seen.properties.items() if name in provider.supported}


def changes(scope: Scope, record: Record, part: Part) -> Iterator[str]:
    """Change the property to other values in turn; each time what was changed, or after ``!`` why it couldn't be."""
    provider, schema = provider_of(part.type), schema_for(part.type)
    assert provider is not None
    assert schema is not None
    for other in variations(schema, (part.name,), part.value, record.applied.get(part.name)):
        live = read(provider, scope, record)
        after = {**live, part.name: [*other, *part.beside] if part.beside else other}
        try:
            progress = provider.update(scope, record.identifier, live, after, frozenset({part.name}))
            _finish(provider, scope, progress)
        except AwsFault as fault:
            yield f"!{fault.service}:{fault.operation} {fault.code or fault.kind}: {fault}"
        else:
            yield str(other)


def _finish(provider: ResourceProvider, scope: Scope, progress: Progress) -> None:
    for _ in range(20):
        if not isinstance(progress, Pending):
            return
        progress = provider.poll(scope, progress.handle)


def misjudged(report: RunReport, part: Part) -> str:
    """What is wrong with a pass after a change of this one property; empty if nothing is."""
    seen = {(change.logical_id, str(field["path"])) for change in report.changes for field in change.fields}
    wanted = f"/{part.name}"
    others = sorted(
        f"{name}{path}"
        for name, path in seen
        if name != part.logical_id or not (path == wanted or path.startswith(f"{wanted}/"))
    )
    if others:
        return f"drift reported of {', '.join(others)} too"
    actions = {str(change.action) for change in report.changes}
    if actions - {"update"}:
        return f"answered by {', '.join(sorted(actions))}"
    if report.state is not PlanState.IN_SYNC:
        return f"not repaired: {report.message or report.error}"
    return ""
