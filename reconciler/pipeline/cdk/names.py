"""The CDK's typed (L1) classes and their names in the languages that are rendered.

``l1.zip`` beside this file is what ``scripts/cdk-table`` reduces the published library to: there is no rule that gives
all of its names, because the library keeps those that it once had.
"""

from __future__ import annotations

import json
import keyword
import re
import zipfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import as_file, files
from typing import Any

#: CloudFormation's name of a property → the CDK's name, its type, whether the class insists on it
Fields = Mapping[str, tuple[str, Any, bool]]

_BEFORE_CAPITAL = re.compile(r"([a-z\d])([A-Z])")
_LAST_OF_RUN = re.compile(r"([A-Z]+)([A-Z][a-z]+)")
_UNITS = re.compile(r"(KiB|MiB|GiB)(?=[A-Z]|$)")
_TYPESCRIPT_WORDS = frozenset(
    re.findall(
        r"\w+",
        "arguments await break case catch class const continue debugger default delete do else enum eval export "
        "extends false finally for function if implements import in instanceof interface let new null package private "
        "protected public return static super switch this throw true try typeof undefined var void while with yield "
        "cdk Construct props scope id",
    )
)
_PYTHON_WORDS = frozenset(keyword.kwlist) | {"self", "scope", "construct_id", "kwargs", "cdk", "Construct"}


@dataclass(frozen=True, slots=True)
class L1:
    """One typed class. ``module`` is as in ``aws_ec2``; empty for the library's core."""

    module: str
    name: str
    props: Fields
    attributes: Mapping[str, tuple[str, str]]  # Fn::GetAtt's name → the CDK's name and type
    structs: Mapping[str, Fields]  # by their name below the module
    tags: tuple[str, str] | None = None  # the property that the class manages as tags, and its form (MAP or a list's)


@lru_cache(maxsize=1)
def versions() -> Mapping[str, str]:
    """The versions of aws-cdk-lib and constructs that the table was made from."""
    found: Mapping[str, str] = _read("versions")
    return found


def l1_class(type_name: str) -> L1 | None:
    """The typed class of a resource type; None where the library has none."""
    parts = type_name.split("::")
    row = _service(parts[1]).get(type_name) if len(parts) == 3 else None
    return None if row is None else _l1(row)


def _l1(row: Mapping[str, Any]) -> L1:
    structs = {name: _fields(struct) for name, struct in row["structs"].items()}
    attributes = {name: (attribute[0], attribute[1]) for name, attribute in row["attributes"].items()}
    tags = (row["tags"][0], row["tags"][1]) if row["tags"] else None
    return L1(row["module"], row["class"], _fields(row["props"]), attributes, structs, tags)


def _fields(struct: Mapping[str, Any]) -> Fields:
    return {name: (field[0], field[1], bool(field[2])) for name, field in struct.items()}


@lru_cache(maxsize=64)
def _service(name: str) -> Mapping[str, Any]:
    try:
        found: Mapping[str, Any] = _read(name)
    except KeyError:
        return {}
    return found


def _read(name: str) -> Any:
    with as_file(files(__package__) / "l1.zip") as path, zipfile.ZipFile(path) as archive:
        return json.loads(archive.read(f"{name}.json"))


def snake_case(name: str) -> str:
    """A name of the CDK as its Python edition spells it: ``attrVpcId`` is ``attr_vpc_id``."""
    name = _UNITS.sub(lambda match: match[1].capitalize(), name)
    name = _BEFORE_CAPITAL.sub(r"\1_\2", name)
    name = _LAST_OF_RUN.sub(r"\1_\2", name).lower()
    return f"{name}_" if keyword.iskeyword(name) else name


def typescript_module(module: str) -> str:
    """What a program imports: ``aws-cdk-lib/aws-ec2``."""
    return f"aws-cdk-lib/{module.replace('_', '-')}"


def alias(module: str) -> str:
    """How a program calls a module of the library: ``aws_ec2`` is ``ec2``; ``cdk`` is the core."""
    return module.removeprefix("aws_").replace("_", "") or "cdk"


def python_alias(module: str) -> str:
    """As ``alias``, where it may be a word of Python."""
    name = alias(module)
    return f"{name}_" if keyword.iskeyword(name) else name


def class_name(plan_name: str) -> str:
    """The class of a plan's stack: ``prod-web`` is ``ProdWebStack``."""
    words = "".join(word.capitalize() for word in re.split(r"[^A-Za-z0-9]+", plan_name))
    return f"{words}Stack" if words[:1].isalpha() else f"Plan{words}Stack"


def typescript_variables(logical_ids: Iterable[str], modules: Iterable[str]) -> dict[str, str]:
    """A distinct variable for each logical id: ``DBInstance`` is ``dbInstance``."""
    taken = _TYPESCRIPT_WORDS | {alias(module) for module in modules}
    return _distinct(logical_ids, _camel, taken, "Resource")


def python_variables(logical_ids: Iterable[str], modules: Iterable[str]) -> dict[str, str]:
    """As ``typescript_variables``: ``DBInstance`` is ``db_instance``."""
    taken = _PYTHON_WORDS | {python_alias(module) for module in modules}
    return _distinct(logical_ids, snake_case, taken, "_resource")


def _camel(name: str) -> str:
    return re.sub(r"^([A-Z]+)(?=[A-Z][a-z])|^[A-Z]+", lambda match: match[0].lower(), name)


def _distinct(names: Iterable[str], spell: Any, taken: frozenset[str], ending: str) -> dict[str, str]:
    found: dict[str, str] = {}
    used = set(taken)
    for name in sorted(names):
        spelled = spell(re.sub(r"\W", "", name))
        if not re.match(r"[A-Za-z_]", spelled):
            spelled = f"_{spelled}"
        while spelled in used:
            spelled += ending
        used.add(spelled)
        found[name] = spelled
    return found
