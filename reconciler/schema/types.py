"""One resource type as its provider schema describes it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from functools import lru_cache
from types import MappingProxyType
from typing import Any, Final, Literal

from reconciler.schema import data

#: A place in the properties: ``("SecurityGroupIngress", "*", "CidrIp")``; ``*`` stands for any array item or map key.
Path = tuple[str, ...]

Normaliser = Callable[[Any], Any]

_COMBINERS = ("oneOf", "anyOf", "allOf")
#: Types that are left alone on purpose, and why.
_REFUSED: Mapping[str, str] = {
    "AWS::IAM::AccessKey": "AWS tells the secret of a key once, when it is made, and the reconciler keeps no secrets, "
    "so that nothing could ever use the key; make a role to be assumed instead, or the key by hand where one is needed"
}
#: What a type's schema should call write-only: said of a new resource, and not what can be seen of it later. A public
#: address comes and goes (with an elastic one, with the instance's being stopped), addresses are added by number; what
#: a cluster has done is forgotten after a while, its passwords are masked; a comment is a change's, not the records'.
_SAID_ONCE: Mapping[str, tuple[Path, ...]] = {
    "AWS::EC2::Instance": tuple(
        ("NetworkInterfaces", "*", name)
        for name in (
            "AssociateCarrierIpAddress",
            "AssociatePublicIpAddress",
            "Ipv6AddressCount",
            "SecondaryPrivateIpAddressCount",
        )
    ),
    "AWS::EMR::Cluster": (
        ("AdditionalInfo",),
        ("Instances", "HadoopVersion"),
        *(
            ("KerberosAttributes", name)
            for name in ("ADDomainJoinPassword", "CrossRealmTrustPrincipalPassword", "KdcAdminPassword")
        ),
        ("Steps",),
    ),
    "AWS::Route53::RecordSetGroup": (("Comment",),),
}
_NEEDED_HANDLERS = frozenset({"create", "read", "delete"})


class Missing(Enum):
    """The type of ``MISSING``: there is no default (``None`` could be one)."""

    MISSING = "missing"

    def __bool__(self) -> Literal[False]:
        return False


MISSING: Final = Missing.MISSING


@dataclass(frozen=True, slots=True, eq=False)
class TypeSchema:
    """What the schema says of a type. Instances are shared; compare them by identity.

    ``primary_identifier``: names whose values joined by ``|`` identify a resource (a nested one is ``A/B``).
    ``transforms``: what AWS makes of a value, as alternative JSONata expressions by path.
    ``conditional_create_only``: may or may not force a replacement, which only AWS can tell.
    ``tag_property``: the top-level property holding tags in plain key-value form; None if there is none.
    ``additional_identifiers``: other sets of properties that identify a resource, written as the primary one.
    ``list_model``: what a listing has to be narrowed by (``handlerSchema``); empty where it needs nothing.
    """

    type_name: str
    region: str
    primary_identifier: tuple[str, ...] = ()
    additional_identifiers: tuple[tuple[str, ...], ...] = ()
    required: frozenset[str] = frozenset()
    properties: frozenset[str] = frozenset()
    read_only: frozenset[Path] = frozenset()
    write_only: frozenset[Path] = frozenset()
    create_only: frozenset[Path] = frozenset()
    conditional_create_only: frozenset[Path] = frozenset()
    tag_property: str | None = None
    tag_style: Literal["list", "map"] | None = None
    handler_permissions: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    transforms: Mapping[Path, tuple[str, ...]] = field(default_factory=dict)
    tag_permissions: tuple[str, ...] = ()
    list_model: Mapping[str, Any] = field(default_factory=dict, repr=False)
    document: Mapping[str, Any] = field(default_factory=dict, repr=False)
    #: compiled on first use by ``canonical``; a cache, not state
    normalisers: dict[Path, Normaliser] = field(default_factory=dict, repr=False)
    #: by top-level property, whether anything in it is write-only: a cache, too
    hiding: dict[str, bool] = field(default_factory=dict, repr=False)

    def node(self, path: Path) -> Mapping[str, Any] | None:
        """The schema of the value at ``path``, references followed; None where the schema says nothing of it."""
        current: Mapping[str, Any] | None = self.document
        for part in path:
            current = None if current is None else self.child(current, part)
        return current

    def child(self, node: Mapping[str, Any], part: str) -> Mapping[str, Any] | None:
        """The schema one step below ``node``: a property, a map's value, or an array's item."""
        found = _step(node, part)
        if found is not None:
            return self.follow(found)
        for keyword in _COMBINERS:
            for alternative in node.get(keyword, ()):
                below = self.child(self.follow(alternative), part)
                if below is not None:
                    return below
        return None

    def follow(self, node: Mapping[str, Any]) -> Mapping[str, Any]:
        """``node`` itself, or what its ``$ref`` points to."""
        for _ in range(16):  # a chain of references longer than this is a loop
            reference = node.get("$ref")
            if not isinstance(reference, str):
                return node
            node = _pointed(self.document, reference)
        return {}

    @property
    def manageable(self) -> bool:
        """Whether AWS has handlers to make, read and delete one: what it takes to be managed by its schema alone."""
        return self.handler_permissions.keys() >= _NEEDED_HANDLERS

    @property
    def settable(self) -> frozenset[str]:
        """The top-level properties that can be given: all but those that AWS alone writes."""
        return frozenset(name for name in self.properties if (name,) not in self.read_only)

    def forces_replacement(self, path: Path) -> bool:
        """Whether changing the value at ``path`` means a new resource.

        So it is where the value, a part or a parent of it is create-only, and everywhere in a type that AWS can't
        update.
        """
        if self.handler_permissions and "update" not in self.handler_permissions:
            return True
        return any(overlaps(path, other) for other in self.create_only)

    def hides(self, name: str) -> bool:
        """Whether a top-level property, or anything in it, is write-only."""
        found = self.hiding.get(name)
        if found is None:
            found = self.hiding[name] = any(overlaps((name,), other) for other in self.write_only)
        return found

    def is_secret(self, path: Path) -> bool:
        """Whether the value at ``path`` is write-only, as itself or as part of something that is."""
        if path and not self.hides(path[0]):
            return False
        return any(len(other) <= len(path) and overlaps(path, other) for other in self.write_only)


def _step(node: Mapping[str, Any], part: str) -> Mapping[str, Any] | None:
    properties = node.get("properties")
    if properties and part in properties:
        found: Mapping[str, Any] = properties[part]
        return found
    if isinstance(node.get("items"), Mapping) and (part == "*" or part.isdigit()):
        items: Mapping[str, Any] = node["items"]
        return items
    for pattern in node.get("patternProperties", {}).values():
        if isinstance(pattern, Mapping):
            return pattern
    extra = node.get("additionalProperties")
    return extra if isinstance(extra, Mapping) else None


def _pointed(document: Mapping[str, Any], reference: str) -> Mapping[str, Any]:
    node: Any = document
    for part in reference.removeprefix("#/").split("/"):
        node = node.get(part.replace("~1", "/").replace("~0", "~")) if isinstance(node, Mapping) else None
    return node if isinstance(node, Mapping) else {}


def overlaps(path: Path, other: Path) -> bool:
    """Whether one path is the other or lies on the way to it; ``*`` matches anything."""
    return all(left == right or "*" in (left, right) for left, right in zip(path, other, strict=False))


@lru_cache(maxsize=512)
def schema_for(type_name: str, region: str = data.FALLBACK_REGION) -> TypeSchema | None:
    """The schema of a type in a region, or None where the region doesn't have the type.

    Reads one file on first use. Raises ConfigurationError when the packaged schemas can't be read.
    """
    digest = data.type_index(region).get(type_name)
    if digest is None:
        return None
    return _parse(data.read_schema(digest), type_name, region)


@lru_cache(maxsize=64)
def known_types(region: str = data.FALLBACK_REGION) -> frozenset[str]:
    """Every type that exists in a region."""
    return frozenset(data.type_index(region))


def why_unmanageable(type_name: str) -> str:
    """Why a type can't be managed by its schema, in words after its name; empty if it can."""
    if type_name in _REFUSED:
        return f"is not supported: {_REFUSED[type_name]}"
    schema = schema_for(type_name)
    if schema is None:
        return "is not supported: its schema isn't known"
    if not schema.handler_permissions:
        return "is not supported: the type has no handlers, so that AWS offers no way to manage it but CloudFormation"
    missing = sorted(_NEEDED_HANDLERS - schema.handler_permissions.keys())
    return f"is not supported: the type has no handler to {' or '.join(missing)} it" if missing else ""


def defaults(schema: TypeSchema, path: Path) -> Any:
    """The value that stands where none is given at ``path``, or ``MISSING`` when the schema names none."""
    node = schema.node(path)
    return MISSING if node is None else node.get("default", MISSING)


def _parse(document: Mapping[str, Any], type_name: str, region: str) -> TypeSchema:
    tag_property, tag_style = _tags(document)
    handlers: Mapping[str, Mapping[str, Any]] = document.get("handlers", {})
    return TypeSchema(
        type_name=type_name,
        region=region,
        primary_identifier=_names(document.get("primaryIdentifier", ())),
        additional_identifiers=tuple(_names(pointers) for pointers in document.get("additionalIdentifiers", ())),
        required=frozenset(document.get("required", ())),
        properties=frozenset(document.get("properties", ())),
        read_only=frozenset(_paths(document.get("readOnlyProperties", ()))),
        write_only=frozenset([*_paths(document.get("writeOnlyProperties", ())), *_SAID_ONCE.get(type_name, ())]),
        create_only=frozenset(_paths(document.get("createOnlyProperties", ()))),
        conditional_create_only=frozenset(_paths(document.get("conditionalCreateOnlyProperties", ()))),
        tag_property=tag_property,
        tag_style=tag_style,
        handler_permissions=MappingProxyType(
            {name: tuple(handler.get("permissions", ())) for name, handler in handlers.items()}
        ),
        transforms=_transforms(document),
        tag_permissions=tuple(document.get("tagging", {}).get("permissions", ())),
        list_model=handlers.get("list", {}).get("handlerSchema", {}),
        document=document,
    )


def _transforms(document: Mapping[str, Any]) -> dict[Path, tuple[str, ...]]:
    """The ``propertyTransform`` expressions by path, each as its alternatives (``$OR`` stands between them)."""
    found: dict[Path, tuple[str, ...]] = {}
    for pointer, expression in (document.get("propertyTransform") or {}).items():
        if isinstance(expression, str):
            path = tuple(pointer.removeprefix("/").removeprefix("properties/").split("/"))
            found[path] = tuple(part.strip() for part in re.split(r"\$OR\b", expression))
    return found


def _paths(pointers: Iterable[str]) -> list[Path]:
    return [
        tuple(part.replace("~1", "/").replace("~0", "~") for part in pointer.removeprefix("/properties/").split("/"))
        for pointer in pointers
    ]


def _names(pointers: Iterable[str]) -> tuple[str, ...]:
    return tuple("/".join(path) for path in _paths(pointers))


def _tags(document: Mapping[str, Any]) -> tuple[str | None, Literal["list", "map"] | None]:
    """Where tags are and how they are written. Types whose tags carry more than key and value have none here."""
    tagging = document.get("tagging", {})
    if tagging.get("taggable") is False:
        return None, None
    pointer = tagging.get("tagProperty", "/properties/Tags")
    name = pointer.removeprefix("/properties/")
    node = document.get("properties", {}).get(name)
    if node is None:
        return None, None
    node = _resolve(document, node)
    if "items" in node:
        item = _resolve(document, node["items"])
        return (name, "list") if is_tag_item(item) else (None, None)
    kinds = node.get("type", "object")
    is_map = "object" in kinds and not node.get("properties")
    return (name, "map") if is_map else (None, None)


def _resolve(document: Mapping[str, Any], node: Mapping[str, Any]) -> Mapping[str, Any]:
    return _pointed(document, node["$ref"]) if isinstance(node.get("$ref"), str) else node


def is_tag_item(node: Mapping[str, Any]) -> bool:
    """Whether an array item is a plain tag: an object of ``Key`` and ``Value`` and nothing else."""
    return set(node.get("properties", ())) == {"Key", "Value"}
