"""What a pass asks AWS of the resources that it knows: which properties, and a failure as an answer."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from reconciler.model.errors import AwsFault, FaultKind
from reconciler.model.ids import Identifier, LogicalId, TypeName
from reconciler.model.plan import Plan, PlannedResource
from reconciler.model.resource import Observation, Unreadable, Wanted
from reconciler.model.values import nodes
from reconciler.ports import Providers, Scope


@dataclass(frozen=True, slots=True)
class Fresh:
    """``ports.Reads`` that shares nothing."""

    providers: Providers

    def read(
        self, scope: Scope, type_name: TypeName, wanted: Collection[Wanted]
    ) -> Mapping[Identifier, Observation | Unreadable]:
        """See ``ports.Reads``."""
        provider = self.providers.get(type_name)
        if provider is None:
            message = f"{type_name} is not supported by this version"
            return {item.identifier: Unreadable(item.identifier, FaultKind.INTERNAL, message) for item in wanted}
        try:
            return provider.read_many(scope, wanted)
        except AwsFault as fault:
            return {item.identifier: Unreadable(item.identifier, fault.kind, str(fault)) for item in wanted}

    @property
    def since(self) -> datetime | None:
        """See ``ports.Reads``."""
        return None

    def close(self) -> None:
        """Nothing is kept."""


def as_far_as_known(
    read: Callable[[frozenset[str]], Observation | Unreadable | None], needed: frozenset[str], others: frozenset[str]
) -> Observation | Unreadable | None:
    """What ``read`` says of a resource, without those of ``others`` that the endpoint has no call for.

    An older region, another partition or an emulator may lack one; there the property can't be set either. ``needed``
    is read in any case.
    """
    whole = read(needed | others)
    if not has_no_call(whole):
        return whole
    found = read(needed)
    if not isinstance(found, Observation):
        return found
    properties = dict(found.properties)
    for name in sorted(others - needed):
        part = read(frozenset({name}))
        if isinstance(part, Observation):
            properties = {**part.properties, **properties}
        elif not has_no_call(part):
            return part
    return replace(found, properties=properties)


def has_no_call(answer: Observation | Unreadable | None) -> bool:
    """Whether a read failed because the endpoint doesn't have the call, or crashed on it."""
    return isinstance(answer, Unreadable) and answer.kind is FaultKind.INTERNAL


def wanted_properties(planned: PlannedResource | None, *others: Iterable[str]) -> frozenset[str]:
    """Properties worth reading: set by the plan, or among ``others`` (set by it last time, referred to)."""
    return frozenset(planned.properties if planned is not None else ()).union(*others)


def referenced_attributes(plan: Plan) -> dict[LogicalId, frozenset[str]]:
    """The attributes (first segment of GetAtt) that other resources and outputs use, by logical id."""
    found: dict[LogicalId, set[str]] = defaultdict(set)
    expressions = [resource.properties for resource in plan.resources.values()]
    for expression in (*expressions, *(output.value for output in plan.outputs)):
        for node in nodes(expression):
            if node.function == "Fn::GetAtt":
                logical_id, attribute = node.argument[0], node.argument[1]
                found[LogicalId(str(logical_id))].add(str(attribute).split(".")[0])
    return {name: frozenset(attributes) for name, attributes in found.items()}
