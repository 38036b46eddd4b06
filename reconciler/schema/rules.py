"""What the schemas don't say in so many words: exceptions, kept as data, each with its reason."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from reconciler.schema.types import Path, TypeSchema

_LOWERCASE = re.compile(r"\$lowercase\((\w+)\)")
_PROTOCOLS = {"1": "icmp", "6": "tcp", "17": "udp", "58": "icmpv6", "all": "-1"}
_WITH_PORTS = frozenset({"tcp", "udp", "icmp", "icmpv6"})

#: arrays whose items are unique but whose order AWS obeys, although their schema doesn't say so
_ORDERED: frozenset[tuple[str, Path]] = frozenset(
    {
        ("AWS::EC2::DHCPOptions", ("DomainNameServers",)),  # resolvers are asked in this order
        ("AWS::EC2::DHCPOptions", ("NetbiosNameServers",)),
        ("AWS::EC2::DHCPOptions", ("NtpServers",)),
        ("AWS::EMR::Cluster", ("Steps", "*", "HadoopJarStep", "Args")),  # a command line
        ("AWS::CodePipeline::Pipeline", ("Stages",)),  # run one after the other
    }
)


def ordered(schema: TypeSchema, path: Path, node: Mapping[str, Any]) -> bool:
    """Whether the order of an array's items means something to AWS."""
    insertion = node.get("insertionOrder")
    if insertion is not None:
        return bool(insertion)
    return not node.get("uniqueItems") or (schema.type_name, path) in _ORDERED


def lower_cased(schema: TypeSchema, path: Path) -> bool:
    """Whether AWS stores the string in lower case whatever was given, by the schema's own ``propertyTransform``."""
    transforms = schema.document.get("propertyTransform")
    if not transforms or not path:
        return False
    expression = transforms.get("/properties/" + "/".join(path))
    match = _LOWERCASE.fullmatch(expression.strip()) if isinstance(expression, str) else None
    return match is not None and match.group(1) == path[-1]


def security_group_rule(rule: dict[str, Any]) -> dict[str, Any]:
    """A rule with its protocol by name; ports dropped where the protocol has none (AWS answers -1 or nothing)."""
    protocol = rule.get("IpProtocol")
    if not isinstance(protocol, str):
        return rule
    name = _PROTOCOLS.get(protocol.lower(), protocol.lower())
    result = {**rule, "IpProtocol": name}
    if name not in _WITH_PORTS:
        result.pop("FromPort", None)
        result.pop("ToPort", None)
    return result
