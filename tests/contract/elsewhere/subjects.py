"""The contract's cases, of both kinds, as what a life needs to know of a resource."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from reconciler.model.ids import Owner
from reconciler.schema import schema_for
from tests.contract.elsewhere import cases as beyond
from tests.contract.elsewhere import cases_data
from tests.contract.providers_ec2 import cases as networks
from tests.contract.providers_native.cases import Case, resolved
from tests.contract.providers_native.collected import CASES
from tests.contract.providers_native.hands import REGION, owned, owner

Clients = Callable[[str], Any]
Fields = dict[str, Any]


@dataclass(frozen=True)
class Subject:
    """A resource that is to live: what is wanted of it, and what a case says of its type."""

    type: str
    owner: Owner
    desired: Fields
    changes: tuple[tuple[str, Any], ...]
    resets: Mapping[str, Any] = field(default_factory=dict)
    attributes: tuple[str, ...] = ()
    tagged: bool = False
    findable: bool = True
    #: the property that says its name, if it is looked for without
    nameless: str = ""
    #: whether a create that is repeated with its token makes nothing new
    repeatable: bool = True


@dataclass(frozen=True)
class Source:
    """A case; ``build`` makes what it needs beside it by plain clients, which may fail."""

    id: str
    type: str
    build: Callable[[Clients], Subject]


def _native(case: Case) -> Source:
    def build(clients: Clients) -> Subject:
        case.setup(clients)
        who = owner(f"Thing{case.id.replace('-', '')}")
        changes = []
        for name, value in resolved(case.changes).items():
            mine = owned({name: value}, who, case.type) if name == _tags(case.type) and case.tagged else {name: value}
            changes.append((name, mine[name]))
        return Subject(
            case.type,
            who,
            owned(resolved(case.desired), who, case.type),
            tuple(changes),
            case.resets,
            case.attributes,
            case.tagged,
            case.findable,
            (case.name or "Description") if case.tagged and case.searchable else "",
        )

    return Source(case.id, case.type, build)


def _tags(type_name: str) -> str | None:
    schema = schema_for(type_name, REGION)
    return schema.tag_property if schema is not None else None


def _network(case: networks.Case) -> Source:
    def build(clients: Clients) -> Subject:
        ec2 = clients("ec2")
        desired = case.build(ec2)
        changes = tuple(case.changes(ec2, desired))
        return Subject(case.type_name, networks.OWNER, desired, changes, tagged=case.tagged, repeatable=False)

    return Source(case.type_name.removeprefix("AWS::").replace("::", "-"), case.type_name, build)


SOURCES = (
    *(_native(case) for case in (*CASES, *beyond.CASES, *cases_data.CASES)),
    *(_network(case) for case in networks.CASES),
)
