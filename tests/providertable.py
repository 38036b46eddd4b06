"""What Terraform's providers take, from ``tests/data`` (``scripts/provider-table`` writes it).

A table has ``structures``, each with its attributes as ``name: "<use><kind>"``, and says which one a resource is. Use:
``!`` required, ``?`` optional, ``=`` computed. A ``#`` after it: a block rather than an attribute. Kind: ``s`` string,
``n`` number, ``b`` boolean, ``a`` any, ``[]`` list or set of, ``{}`` map of, or the number of another structure.
The bindings spell computed attributes in camel case (``publicIp``), so these are looked up like that.
"""

from __future__ import annotations

import json
import lzma
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

_DATA = Path(__file__).resolve().parent / "data"


@dataclass(frozen=True, slots=True)
class Attribute:
    """An attribute or block as the provider declares it; ``many``: list or map of; ``fields``: None for a scalar."""

    use: str
    block: bool
    many: str
    scalar: str
    fields: Structure | None

    @property
    def settable(self) -> bool:
        """Whether a configuration may set it."""
        return self.use != "="

    @property
    def kind(self) -> str:
        """The kind in the table's signs, with ``{...}`` for an object."""
        return self.many + ("object" if self.fields is not None else self.scalar)


@dataclass(frozen=True, slots=True)
class Structure:
    """The attributes of a resource, or of an object or block in one."""

    table: Table
    number: int

    def get(self, name: str) -> Attribute | None:
        """The attribute with the Terraform name ``name``."""
        entries = self.table.structures[self.number]
        code = entries.get(name)
        if code is None or code[0] == "=":
            code = entries.get(camel(name), code)
        return None if code is None else self.table.attribute(code)

    def required(self) -> frozenset[str]:
        """What a configuration has to set."""
        return frozenset(name for name, code in self.table.structures[self.number].items() if code[0] == "!")

    def names(self) -> Iterator[str]:
        """Every name, the computed ones in camel case."""
        yield from self.table.structures[self.number]


@dataclass(frozen=True, slots=True, eq=False)
class Table:
    """One provider."""

    version: str
    resources: Mapping[str, int]
    structures: tuple[Mapping[str, str], ...]

    def resource(self, name: str) -> Structure | None:
        """The structure of the resource type ``name``; None if the provider has no such type."""
        number = self.resources.get(name)
        return None if number is None else Structure(self, number)

    def attribute(self, code: str) -> Attribute:
        """What a code of the table stands for."""
        match = re.fullmatch(r"([!?=])(#?)((?:\[\]|\{\})*)(.+)", code)
        assert match is not None, code
        use, block, many, kind = match.groups()
        fields = Structure(self, int(kind)) if kind.isdigit() else None
        return Attribute(use, bool(block), many, "" if fields else kind, fields)


@lru_cache(maxsize=2)
def provider_table(provider: str) -> Table:
    """The table of ``awscc`` or ``aws``."""
    data: dict[str, Any] = json.loads(lzma.decompress((_DATA / f"{provider}-schema.json.xz").read_bytes()))
    return Table(data["version"], data["resources"], tuple(data["structures"]))


def camel(name: str) -> str:
    """A Terraform name as the bindings spell it: ``ipv_6_cidr_blocks`` is ``ipv6CidrBlocks``."""
    first, *rest = [part for part in name.split("_") if part]
    return first + "".join(part[:1].upper() + part[1:] for part in rest)
