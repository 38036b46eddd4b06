"""Terraform names: CloudFormation's types and properties as the awscc provider spells them, and labels for the rest.

The provider is generated from the same schemas, so its names follow mechanically; the rules are the generator's.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable

# The generator's own exceptions: brand names that its rules would otherwise cut in two.
_BRANDS = (
    ("CloudFormation", "Cloudformation"),
    ("CloudFront", "Cloudfront"),
    ("CloudWatch", "Cloudwatch"),
    ("FSx", "Fsx"),
)
_WORD_END = re.compile(r"([a-z])([A-Z0-9])")
_RUN_END = re.compile(r"([A-Z])([A-Z])([a-z])")
_AFTER_NUMBER = re.compile(r"([0-9])([A-Za-z])")
# What Terraform doesn't take as the name of a variable.
_RESERVED_LABELS = frozenset(
    {"source", "version", "providers", "count", "for_each", "lifecycle", "depends_on", "locals"}
)


def attribute_name(name: str) -> str:
    """The awscc attribute of a CloudFormation property: ``CidrBlock`` is ``cidr_block``."""
    for brand, plain in _BRANDS:
        name = name.replace(brand, plain)
    name = _RUN_END.sub(r"\1_\2\3", name)
    name = _WORD_END.sub(r"\1_\2", name)
    name = _AFTER_NUMBER.sub(r"\1_\2", name)
    return re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_")


def top_level_name(type_name: str, name: str) -> str:
    """As ``attribute_name``, for a resource's own property: Terraform keeps ``id`` and ``provider`` for itself."""
    if name == "Id":
        return f"{attribute_name(type_name.rsplit('::', 1)[-1])}_id"
    if name == "Provider":
        return "provider_name"
    return attribute_name(name)


def resource_type(type_name: str) -> str:
    """The awscc resource of a CloudFormation type: ``AWS::EC2::VPC`` is ``awscc_ec2_vpc``. ValueError for others."""
    parts = type_name.split("::")
    if len(parts) != 3 or parts[0] != "AWS":
        raise ValueError(f"{type_name} is not a type of AWS: the awscc provider has no resource for it")
    return f"awscc_{parts[1].lower()}_{attribute_name(parts[2])}"


def labels(names: Iterable[str]) -> dict[str, str]:
    """A distinct Terraform label for each name: ``PublicSubnetA`` is ``public_subnet_a``.

    Names that would share a label, or whose label Terraform reserves, keep their own spelling with an ending.
    """
    ordered = sorted(set(names))
    wanted = {name: attribute_name(name) or "_" for name in ordered}
    taken = Counter(wanted.values())
    result: dict[str, str] = {}
    used: set[str] = set()
    for name in ordered:
        label = wanted[name]
        if taken[label] > 1:
            label = re.sub(r"[^A-Za-z0-9_]", "_", name)
        if not re.match(r"[A-Za-z_]", label):
            label = f"_{label}"
        while label in used or label in _RESERVED_LABELS:
            label += "_"
        used.add(label)
        result[name] = label
    return result
