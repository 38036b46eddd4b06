"""What Terraform has to be told about what exists: import, moved and removed blocks."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from reconciler.model.change import Action, ChangeSet
from reconciler.model.ids import LogicalId
from reconciler.model.resource import SyncState
from reconciler.pipeline import aws
from reconciler.pipeline.aws.bodies import Part
from reconciler.pipeline.aws.rules import Apart
from reconciler.pipeline.files import Place
from reconciler.pipeline.hcl import Block, Raw
from reconciler.pipeline.terraform_addresses import Addresses
from reconciler.schema import schema_for


class States:
    """The blocks of one change set. ``parts``: what belongs to a resource but is one of its own in Terraform."""

    def __init__(
        self, changes: ChangeSet, addresses: Addresses, parts: Mapping[LogicalId, list[tuple[str, Part]]]
    ) -> None:
        self._changes = changes
        self._planned = {} if changes.plan.absent else changes.plan.resources
        self._addresses = addresses
        self._parts = parts
        adopted = {name: item.adopt for name, item in self._planned.items() if item.adopt}
        existing = {name: found for name, found in changes.identifiers.items() if name in self._planned and found}
        self._known: dict[LogicalId, str] = {**adopted, **existing}

    def imports(self) -> list[Block]:
        """An import block for each resource that exists, so that it is taken over and not made again.

        What belongs to it is imported where live state has it.
        """
        found: list[Block] = []
        for name in sorted(self._known):
            identifier, live = self._known[name], self._changes.live.get(name, {})
            mapping = self._addresses.mapped.get(name)
            own = identifier if mapping is None else mapping.imported(identifier, live)
            if own is not None:
                found.append(_import(self._addresses.of[name], own))
            for address, part in self._parts.get(name, ()):
                wanted = part.rule.imported(identifier, part.item) if part.rule.imported else None
                if wanted is not None and _is_live(part, live):
                    found.append(_import(address, wanted))
        return found

    def moved(self) -> list[Block]:
        """A moved block for what had another logical id in this plan. What another plan had is imported."""
        found: list[Block] = []
        for name in sorted(self._planned):
            former = self._planned[name].moved_from
            if former is None or former.plan != self._changes.plan.name or former.logical_id in self._planned:
                continue
            before = self._addresses.label(former.logical_id)
            now = self._addresses.of[name].split(".")[1]
            mapping = self._addresses.mapped.get(name)
            own = [] if mapping is not None and mapping.several else [self._addresses.of[name]]
            for address in (*own, *(address for address, _ in self._parts.get(name, ()))):
                kind, label = address.split(".")
                found.append(_moved(f"{kind}.{before}{label.removeprefix(now)}", address))
        return found

    def kept(self) -> list[Block]:
        """A removed block for what Terraform would destroy otherwise and is to stay.

        That is what has left the plan and has a retaining DeletionPolicy, or is another plan's now, or a plan's that
        doesn't prune; and the address that an existing resource would have with the other provider.
        """
        gone = [address for name, type_name in self._orphans() for address in self._former(type_name, name)]
        others = [address for name in sorted(self._known) for address in self._addresses.elsewhere(name)]
        return [_removed(address) for address in (*gone, *others)]

    def _orphans(self) -> Iterator[tuple[LogicalId, str]]:
        moving = {item.moved_from.logical_id for item in self._planned.values() if item.moved_from is not None}
        deleted = {change.logical_id for change in self._changes.changes if change.action is Action.DELETE}
        for state in sorted(self._changes.resources, key=lambda state: state.logical_id):
            name = state.logical_id
            if state.state is SyncState.ORPHANED and name not in self._planned and name not in moving | deleted:
                yield name, state.type

    def _former(self, type_name: str, name: LogicalId) -> Iterator[str]:
        schema = schema_for(type_name, self._changes.plan.target.region)
        if type_name in aws.TYPES and aws.TYPES[type_name].several:
            raise Place(name).refuse(
                f"it has left the plan and is to stay, but Terraform has a resource for each part of {type_name}, and "
                "nothing says any more what they are called there: put it back, or let the plan delete it"
            )
        for address in self._addresses.former(schema, name) if schema is not None else ():
            yield address
            yield from _belonging(address, type_name)


def _is_live(part: Part, live: Mapping[str, Any]) -> bool:
    value = live.get(part.prop)
    if not isinstance(value, list | tuple):
        return bool(value)
    if not isinstance(part.item, Mapping):
        return part.item in value
    keys = part.rule.key or [key for key in ("PolicyName", "Id", "Name") if key in part.item][:1]
    return bool(keys) and any(isinstance(one, Mapping) and _is_same(one, part.item, keys) for one in value)


def _is_same(one: Mapping[str, Any], other: Mapping[str, Any], keys: Iterable[str]) -> bool:
    """Whether two items have the same name; with or without the dot at its end that the DNS knows."""
    return all(str(one.get(key, "")).rstrip(".") == str(other.get(key, "")).rstrip(".") for key in keys)


def _belonging(address: str, type_name: str) -> list[str]:
    """The addresses of what is one of its own in Terraform but belongs to a resource, once for each property."""
    kind, label = address.split(".")
    mapping, schema = aws.TYPES.get(type_name), schema_for(type_name)
    if mapping is None or mapping.resource != kind or schema is None:
        return []
    parts = {name: rule for name, rule in mapping.rules.items() if isinstance(rule, Apart)}
    single = (name for name in parts if (schema.node((name,)) or {}).get("type") != "array")
    return [f"{parts[name].resource}.{label}" for name in single]


def _import(address: str, identifier: str) -> Block:
    return Block("import", (), {"to": Raw(address), "id": identifier})


def _moved(before: str, now: str) -> Block:
    return Block("moved", (), {"from": Raw(before), "to": Raw(now)})


def _removed(address: str) -> Block:
    return Block("removed", (), {"from": Raw(address)}, (Block("lifecycle", (), {"destroy": False}),))
