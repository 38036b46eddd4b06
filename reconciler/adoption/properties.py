"""Live state to what a plan says: the properties that can be set, as they are, without what goes without saying. Pure.

Left out: what AWS alone writes, what is at the schema's default, empty values, ownership tags and AWS's own. What is
secret or never shown becomes a ``Gap``, and so does what a plan would read as something else than the text that it is.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Iterator, Mapping
from datetime import date
from typing import Any

from reconciler.adoption.found import Declared, Gap
from reconciler.live.compare import compare, pointer
from reconciler.model.ids import OWNER_ID_TAG, OWNER_PLAN_TAG
from reconciler.model.secrecy import scrub
from reconciler.model.values import Properties, Sensitive, Unknown, leaves
from reconciler.pipeline.writeonly import may_be_written
from reconciler.schema import EMPTY, MISSING, Path, TypeSchema, absent, canonical, defaults, whole
from reconciler.schema.declared import AT_LEAST

SECRET = "left out: a secret; fill it in if the plan is to manage it"  # noqa: S105 - a reason
HIDDEN = "left out: AWS doesn't show it; fill it in if the plan is to manage it"
FUNCTION = "left out: a plan would read it as a function"
UNSUPPORTED = "left out: not supported by this version"
ELSEWHERE = "left out: the stack's template sets it, AWS hasn't got it"
DRIFTED = "not as in the stack's template: the plan has what AWS has"
#: where nothing given and an empty list mean different things
_EMPTY_MEANS = frozenset(
    {("AWS::EC2::SecurityGroup", "SecurityGroupIngress"), ("AWS::EC2::SecurityGroup", "SecurityGroupEgress")}
)
#: what AWS shows of every resource and a plan may say of some only
_UNSAID = frozenset(
    {
        ("AWS::S3::Bucket", "ObjectLockEnabled", False),
        ("AWS::SQS::Queue", "ContentBasedDeduplication", False),
        ("AWS::SQS::Queue", "FifoQueue", False),
    }
)
_OPENING = "{{resolve:"
_DROP = object()


def plan_properties(
    schema: TypeSchema, supported: frozenset[str], live: Properties, declared: Declared | None = None
) -> tuple[dict[str, Any], tuple[Gap, ...]]:
    """The properties that a plan gives a live resource, and what it can't give.

    ``declared``: only what a stack's template sets is taken, at its live value; what AWS doesn't show, from there.
    """
    return _Taker(schema, supported, live, declared).taken()


class _Taker:
    """One resource."""

    def __init__(
        self, schema: TypeSchema, supported: frozenset[str], live: Properties, declared: Declared | None
    ) -> None:
        self._schema, self._supported, self._live, self._declared = schema, supported, live, declared
        self._gaps: dict[str, Gap] = {}

    def taken(self) -> tuple[dict[str, Any], tuple[Gap, ...]]:
        found: dict[str, Any] = {}
        for name in self._names():
            value = self._property(name)
            if value is not _DROP:
                found[name] = value
        if self._declared is None:
            found = _without_others(self._schema.document, found)
        for name in self._unseen(found):
            self._gap((name,), HIDDEN, needed=name in self._schema.required)
        return found, tuple(self._gaps.values())

    def _names(self) -> list[str]:
        """The properties to take, in order: the template's, else as they are in the schema, tags last."""
        if self._declared is not None:
            for name in self._declared.names:
                if name not in self._supported and (name,) not in self._schema.read_only:
                    self._gap((name,), UNSUPPORTED)
            return [name for name in self._declared.names if name in self._supported]
        last = self._schema.tag_property
        return sorted(self._supported & self._live.keys(), key=lambda name: (name == last, name))

    def _property(self, name: str) -> Any:
        path, value = (name,), self._live.get(name)
        if self._declared is None and self._goes_without_saying(name, value):
            return _DROP
        if value is None:
            return self._from_template(name)
        self._compare(path, value)
        taken = self._value(path, value, needed=name in self._schema.required)
        if taken is _DROP or name in self._schema.required:
            return taken
        if taken in EMPTY:
            return taken if (self._schema.type_name, name) in _EMPTY_MEANS and isinstance(taken, list) else _DROP
        return _DROP if self._declared is None and self._is_default(path, taken) else taken

    def _goes_without_saying(self, name: str, value: Any) -> bool:
        kind = self._schema.type_name
        return name in _said_twice(kind, self._live) or (isinstance(value, bool) and (kind, name, value) in _UNSAID)

    def _compare(self, path: Path, value: Any) -> None:
        """Say so where AWS has another value than the template."""
        wanted = self._declared.properties.get(path[0]) if self._declared is not None else None
        if wanted is None or any(isinstance(leaf, Unknown | Sensitive) for leaf in leaves(wanted)):
            return
        if compare(self._schema, {path[0]: wanted}, {path[0]: value}):
            self._gap(path, DRIFTED)

    def _from_template(self, name: str) -> Any:
        """What the template says where AWS shows nothing: a write-only value, or one that stands for nothing."""
        declared = self._declared
        wanted = declared.properties.get(name) if declared is not None else None
        if wanted is None or absent(self._schema, (name,), wanted):
            return _DROP
        if any(isinstance(leaf, Sensitive) for leaf in leaves(wanted)):
            self._gap((name,), SECRET, needed=name in self._schema.required)
            return _DROP
        hidden = any(path[0] == name for path in self._schema.write_only)
        plain = not any(isinstance(leaf, Unknown) for leaf in leaves(wanted))
        if (
            hidden
            and plain
            and all(may_be_written(self._schema, path, leaf) for path, leaf in _leaves((name,), wanted))
        ):
            return wanted
        self._gap((name,), HIDDEN if hidden else ELSEWHERE, needed=name in self._schema.required)
        return _DROP

    def _unseen(self, found: Mapping[str, Any]) -> Iterator[str]:
        """Properties that the resource may have and that AWS doesn't show, as far as they aren't told of yet."""
        told = {gap.pointer.split("/")[1] for gap in self._gaps.values() if gap.why != DRIFTED}
        hidden = {path[0] for path in self._schema.write_only if len(path) == 1} & self._supported
        wanted = self._schema.required & self._supported | (hidden if self._declared is None else frozenset())
        yield from sorted(wanted - found.keys() - told)

    def _value(self, path: Path, value: Any, *, needed: bool = False) -> Any:
        """``value`` as a plan has it, ``_DROP`` if it has none of it."""
        if self._covered(self._schema.read_only, path) or value is None or self._grown(path):
            return _DROP
        if isinstance(value, Sensitive):
            return self._gap(path, SECRET, needed=needed)
        if path in ((self._schema.tag_property,), ("Tags",)):
            return _tags(value)
        if isinstance(value, str):
            return self._text(path, value, needed=needed)
        if isinstance(value, Mapping):
            return self._mapping(path, value, needed=needed)
        if isinstance(value, list | tuple | set | frozenset):
            items = sorted(value, key=str) if isinstance(value, set | frozenset) else value
            return self._list(path, items, needed=needed)
        if isinstance(value, date):
            return value.isoformat()
        return value if self._may_be_shown(path, value) else self._gap(path, SECRET, needed=needed)

    def _grown(self, path: Path) -> bool:
        """Whether a number is what AWS made of it meanwhile, which a new resource would have to pay for."""
        return self._declared is None and (self._schema.type_name, path) in AT_LEAST

    def _text(self, path: Path, value: str, *, needed: bool) -> Any:
        if not self._may_be_shown(path, value) or scrub(value) != value:
            return self._gap(path, SECRET, needed=needed)
        parsed = _document(self._schema, path, value)
        if parsed is not None:
            return self._mapping(path, parsed, needed=needed)
        return self._gap(path, FUNCTION, needed=needed) if _OPENING in value else value

    def _mapping(self, path: Path, value: Mapping[str, Any], *, needed: bool) -> Any:
        if len(value) == 1 and _is_function(next(iter(value))):
            return self._gap(path, FUNCTION, needed=needed)
        free = whole(self._schema, path, value) or self._schema.is_secret(path)
        known = set(self._gaps)
        items = {str(key): self._value((*path, str(key)), item) for key, item in value.items()}
        if free and self._gaps.keys() - known:
            return self._gap_for_all(path, known, needed=needed)
        kept = {key: item for key, item in items.items() if item is not _DROP}
        if free:
            return kept
        node = self._schema.node(path) or {}
        kept = _without_others(node, kept)
        must = frozenset(node.get("required", ()))
        said = {
            key: item
            for key, item in kept.items()
            if key in must or not (item in EMPTY or self._is_default((*path, key), item))
        }
        return said or kept

    def _list(self, path: Path, value: Iterable[Any], *, needed: bool) -> Any:
        known = set(self._gaps)
        items = [self._value((*path, "*"), item) for item in value]
        if any(item is _DROP for item in items) and self._gaps.keys() - known:
            return self._gap_for_all(path, known, needed=needed)
        return [item for item in items if item is not _DROP]

    def _gap_for_all(self, path: Path, known: Collection[str], *, needed: bool) -> Any:
        """What changes as one is left out as one: without a part of it the plan would take that part away in AWS."""
        why = [self._gaps.pop(at).why for at in [at for at in self._gaps if at not in known]]
        return self._gap(path, why[0], needed=needed)

    def _may_be_shown(self, path: Path, value: Any) -> bool:
        return not self._schema.is_secret(path) or may_be_written(self._schema, path, value)

    def _is_default(self, path: Path, value: Any) -> bool:
        default = defaults(self._schema, path)
        return default is not MISSING and bool(
            canonical(self._schema, path, value) == canonical(self._schema, path, default)
        )

    def _covered(self, paths: Iterable[Path], path: Path) -> bool:
        """Whether one of ``paths`` is ``path``; ``*`` matches any item."""
        return path in paths or any(
            len(other) == len(path) and all(a == b or a == "*" for a, b in zip(other, path, strict=True))
            for other in paths
        )

    def _gap(self, path: Path, why: str, *, needed: bool = False) -> Any:
        at = pointer(path)
        self._gaps.setdefault(at, Gap(at, why, needed))
        return _DROP


def _said_twice(kind: str, live: Properties) -> frozenset[str]:
    """What AWS says a second time in a form that excludes the first."""
    if kind == "AWS::EC2::Subnet":
        return frozenset({"AvailabilityZoneId"})
    if kind == "AWS::EC2::Instance":  # its devices are its volumes
        one_interface = live.get("SubnetId") and len(live.get("NetworkInterfaces") or ()) == 1
        return frozenset({"NetworkInterfaces", "Volumes"} if one_interface else {"Volumes"})
    if kind == "AWS::ElasticLoadBalancingV2::LoadBalancer" and live.get("SubnetMappings"):
        return frozenset({"Subnets"})
    if kind == "AWS::EC2::NetworkInterface":
        several = len(live.get("PrivateIpAddresses") or ()) > 1
        return frozenset({"PrivateIpAddress" if several else "PrivateIpAddresses"})
    return frozenset()


def _without_others(node: Mapping[str, Any], kept: dict[str, Any]) -> dict[str, Any]:
    """Of what the schema takes in one of several ways: no name beside its id, and nothing that only says no."""
    ways = {*node.get("requiredXor", ()), *(name for one in node.get("oneOf", ()) for name in one.get("required", ()))}
    shown = ways & kept.keys()
    beside = {f"{name.removesuffix('Id')}Name" for name in shown if name.endswith("Id")}
    denied = {name for name in shown if kept[name] is False} if len(shown) > 1 else set()
    return {name: item for name, item in kept.items() if name not in shown & (beside | denied)}


def _leaves(path: Path, value: Any) -> Iterator[tuple[Path, Any]]:
    if isinstance(value, Mapping):
        for key, item in value.items():
            yield from _leaves((*path, str(key)), item)
    elif isinstance(value, list):
        for item in value:
            yield from _leaves((*path, "*"), item)
    else:
        yield path, value


def _is_function(key: Any) -> bool:
    return key == "Ref" or str(key).startswith("Fn::")


def _tags(value: Any) -> Any:
    """Tags without those of AWS and ours, in whatever form they come."""
    if isinstance(value, Mapping):
        kept = {str(key): item for key, item in value.items() if not _reserved(key) and not isinstance(item, Sensitive)}
        return kept or _DROP
    if not isinstance(value, list | tuple):
        return value
    items = [tag for tag in value if not (isinstance(tag, Mapping) and _reserved(tag.get("Key") or tag.get("TagKey")))]
    return [dict(tag) if isinstance(tag, Mapping) else tag for tag in items] or _DROP


def _reserved(key: Any) -> bool:
    return isinstance(key, str) and (key in (OWNER_PLAN_TAG, OWNER_ID_TAG) or key.lower().startswith("aws:"))


def _document(schema: TypeSchema, path: Path, value: str) -> Mapping[str, Any] | None:
    """The object that a text spells, where the schema takes one there and it means the same; a plan shows it better."""
    node = schema.node(path) or {}
    kinds = node.get("type", ())
    if not value.startswith("{") or "object" not in ([kinds] if isinstance(kinds, str) else kinds):
        return None
    try:
        parsed = json.loads(value)
    except ValueError:
        return None
    same = isinstance(parsed, Mapping) and canonical(schema, path, parsed) == canonical(schema, path, value)
    return parsed if same else None
