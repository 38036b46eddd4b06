"""What a pass has seen so far: live resources by logical id, and the values that references to them have."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from reconciler.model.ids import Identifier, LogicalId, TypeName
from reconciler.model.resource import Observation, Record, Unreadable
from reconciler.model.secrecy import is_sealed
from reconciler.model.values import Properties, Sensitive, Unknown, holds
from reconciler.schema import attribute_value, reference_value, schema_for


class Outside(Protocol):
    """Values that come from neither the plan nor its resources: zones, other plans' exports, dynamic references."""

    def zones(self, region: str) -> list[str]: ...
    def imported(self, name: str) -> Any: ...
    def parameter(self, name: str) -> Any: ...
    def dynamic(self, service: str, key: str) -> Any: ...


@dataclass(slots=True)
class Seen:
    """One resource: what the store remembers, what AWS shows, and how it came to be known.

    ``located``: found by tag or name, not by the store. ``foreign``: why it isn't, or can't be made, the plan's.
    ``moved``: another plan's record of it, from which this one takes it over. ``kept``: why it must not be deleted.
    ``wanted``: what the plan wants of it, as far as that is known yet: tells which of its values are secrets.
    """

    type: TypeName
    identifier: Identifier | None = None
    record: Record | None = None
    live: Observation | Unreadable | None = None
    located: bool = False
    adopting: bool = False
    foreign: str = ""
    moved: Record | None = None
    kept: str = ""
    wanted: Properties = field(default_factory=dict)


@dataclass(slots=True)
class View:
    """All resources of a plan as seen in one pass. Implements template.Lookup over what is known."""

    region: str
    outside: Outside
    seen: dict[LogicalId, Seen] = field(default_factory=dict)
    #: who exports what this plan imports, for the messages of what waits for it
    exporter: Callable[[str], str] = lambda _name: ""
    #: whether what no plan exports may be exported by somebody else, as far as this plan's deployment is concerned
    strangers: bool = False
    #: what every plan in the place has, where resources of others may add to this one's
    records: tuple[Record, ...] = ()
    #: resources whose identity is about to change, so that references to them are known after apply
    changing: set[LogicalId] = field(default_factory=set)

    def live(self, logical_id: LogicalId) -> Observation | None:
        """The live resource, if it was read and isn't about to be replaced."""
        entry = self.seen.get(logical_id)
        if entry is None or logical_id in self.changing or entry.foreign:
            return None
        return entry.live if isinstance(entry.live, Observation) else None

    def want(self, logical_id: LogicalId, properties: Properties) -> None:
        """Learn what is wanted of a resource, before anything that refers to it is resolved."""
        if logical_id in self.seen:
            self.seen[logical_id].wanted = properties

    def reference(self, logical_id: str) -> Any:
        """The value of Ref."""
        return self._of(logical_id, None, lambda entry, live: reference_value(_schema(entry.type, self.region), live))

    def attribute(self, logical_id: str, name: str) -> Any:
        """The value of Fn::GetAtt: a secret if the property holds one, as the plan wants it or last set it."""

        def value(entry: Seen, live: Observation) -> Any:
            found = attribute_value(live.properties, name)
            return Sensitive(found) if self._is_secret(entry, name) and found is not None else found

        return self._of(logical_id, name, value)

    def _is_secret(self, entry: Seen, name: str) -> bool:
        schema = _schema(entry.type, self.region)
        if schema is not None and schema.is_secret(tuple(name.split("."))):
            return True
        sides = (entry.wanted, *(record.applied for record in (entry.record, entry.moved) if record is not None))
        return any(_holds_secret(side, name) for side in sides)

    def _of(self, logical_id: str, name: str | None, value: Callable[[Seen, Observation], Any]) -> Any:
        expression = f"{logical_id}.{name}" if name else logical_id
        live = self.live(LogicalId(logical_id))
        if live is None:
            return Unknown(expression)
        try:
            return value(self.seen[LogicalId(logical_id)], live)
        except KeyError:
            return Unknown(expression)

    def zones(self, region: str) -> list[str]:
        """Availability zones of a region ("" for the plan's own)."""
        return self.outside.zones(region or self.region)

    def imported(self, name: str) -> Any:
        """Another plan's exported output."""
        return self.outside.imported(name)

    def parameter(self, name: str) -> Any:
        """A plain value from the Parameter Store."""
        return self.outside.parameter(name)

    def dynamic(self, service: str, key: str) -> Any:
        """A dynamic reference: a secret."""
        return self.outside.dynamic(service, key)

    def identifiers(self) -> Mapping[LogicalId, Identifier]:
        """Identifiers of everything that exists."""
        return {
            name: entry.live.identifier
            for name, entry in self.seen.items()
            if isinstance(entry.live, Observation) and not entry.foreign
        }


def has_secret(value: Any) -> bool:
    """Whether any part of ``value`` is secret, or was before it was masked."""
    return holds(value, lambda leaf: isinstance(leaf, Sensitive) or is_sealed(leaf))


def _holds_secret(properties: Properties, name: str) -> bool:
    """Whether an attribute is, holds or is part of a secret among ``properties``."""
    value: Any = properties
    for part in name.split("."):
        if not isinstance(value, Mapping):
            break
        value = value.get(part)
    return has_secret(value)


def _schema(type_name: TypeName, region: str) -> Any:
    return schema_for(type_name, region)
