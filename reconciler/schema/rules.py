"""What the schemas don't say in so many words: exceptions, kept as data, each with its reason."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from reconciler.schema import declared
from reconciler.schema.scalars import text
from reconciler.schema.types import Path, TypeSchema

_CASE_CHANGED = re.compile(r"\$(?:lower|upper)case\((?:\w+\.)*(\w+)\)")
_PROTOCOLS = {"1": "icmp", "6": "tcp", "17": "udp", "58": "icmpv6", "all": "-1"}
_WITH_PORTS = frozenset({"tcp", "udp", "icmp", "icmpv6"})

#: arrays whose items are unique but whose order counts, although their schemas don't say so: command lines, things
#: done or tried one after the other, layers that cover each other, columns
_ORDERED = frozenset(
    {
        "Actions",
        "Args",
        "BootstrapActions",
        "Command",
        "DefaultActions",
        "DomainNameServers",
        "EntryPoint",
        "HeaderList",
        "Layers",
        "NetbiosNameServers",
        "NtpServers",
        "Processors",
        "Stages",
        "Steps",
        "TimestampFormats",
    }
)


def ordered(path: Path, node: Mapping[str, Any], type_name: str = "") -> bool:
    """Whether the order of an array's items means something to AWS."""
    if (type_name, path) in declared.SETS:
        return False
    insertion = node.get("insertionOrder")
    if insertion is not None:
        return bool(insertion)
    return not node.get("uniqueItems") or (bool(path) and path[-1] in _ORDERED)


def partial(node: Mapping[str, Any], type_name: str = "", path: Path = ()) -> bool:
    """Whether an array lists settings by key of which AWS returns all, and a plan sets some (``AttributeList``)."""
    return node.get("arrayType") == "AttributeList" or (type_name, path) in declared.MORE_SHOWN


def ignores_case(schema: TypeSchema, path: Path) -> bool:
    """Whether AWS stores the string in one letter case whatever was given, by the schema's ``propertyTransform``."""
    transforms = schema.document.get("propertyTransform")
    if not transforms or not path:
        return False
    expression = transforms.get("/properties/" + "/".join(path))
    match = _CASE_CHANGED.fullmatch(expression.strip()) if isinstance(expression, str) else None
    return match is not None and match.group(1) == path[-1]


def protocol(value: Any) -> Any:
    """An IP protocol by its name where AWS knows one (``6`` is ``tcp``), ``-1`` for all."""
    name = str(text(value)).lower()
    return _PROTOCOLS.get(name, name) if isinstance(value, str | int) else value


def security_group_rule(rule: dict[str, Any]) -> dict[str, Any]:
    """A rule without ports where its protocol has none (AWS answers -1 or nothing)."""
    if not isinstance(rule.get("IpProtocol"), str) or rule["IpProtocol"] in _WITH_PORTS:
        return rule
    return {key: value for key, value in rule.items() if key not in ("FromPort", "ToPort")}
