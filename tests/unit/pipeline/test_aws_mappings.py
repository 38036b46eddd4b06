"""The mappings to the aws provider against its published schema: every name exists, everything required can be set."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Any

import pytest

from reconciler.pipeline.aws import TYPES, VERSION
from reconciler.pipeline.aws.rules import (
    Apart,
    As,
    AwsType,
    Chosen,
    Decoded,
    Entries,
    First,
    Inside,
    Into,
    Joined,
    Json,
    Keyed,
    Listed,
    Nested,
    Pairs,
    Rule,
    Rules,
    Wrapped,
)
from reconciler.schema import TypeSchema, schema_for
from tests.providertable import Structure, provider_table

#: attributes to the provider that are written as blocks
BLOCKS_ALL_THE_SAME = ("ingress", "egress", "step", "hadoop_jar_step", "placement_group_config")


Path = tuple[str, ...]


def problems(type_name: str, mapping: AwsType) -> Iterator[str]:
    schema = schema_for(type_name)
    assert schema is not None
    check = _Check(schema, mapping)
    yield from check.resource()
    structure = provider_table("aws").resource(mapping.resource)
    assert structure is not None
    for name in (mapping.ref, *mapping.attributes.values()):
        if name.split("|")[0] != "id" and structure.get(name.split("|")[0]) is None:
            yield f"{mapping.resource} has no {name} to refer to"
    for name in mapping.attributes:
        if schema.node(tuple(name.split("."))) is None:
            yield f"{type_name} has no attribute {name}"
    if schema.tag_property is not None and schema.tag_property not in mapping.rules:
        yield f"{type_name} has no rule for {schema.tag_property}, and every resource of ours has tags"
    for name in mapping.needs:
        if name not in mapping.rules:
            yield f"{type_name} needs {name} and has no rule for it"


class _Check:
    """The rules of one mapping against both schemas. ``path``: where a rule's value stands in CloudFormation's."""

    def __init__(self, schema: TypeSchema, mapping: AwsType) -> None:
        self._schema = schema
        self._mapping = mapping

    def resource(self) -> Iterator[str]:
        mapping, resource = self._mapping, self._mapping.resource
        structure = provider_table("aws").resource(resource)
        if structure is None:
            yield f"there is no {resource}"
            return
        for prop in mapping.rules:
            if prop not in self._schema.properties:
                yield f"{self._schema.type_name} has no {prop}"
        for name in sorted(structure.required() - set(self._given(mapping.rules, every=True)) - set(mapping.constant)):
            yield f"{resource} requires {name}"
        certain = self._schema.required | set(mapping.needs) | set(mapping.read({}))
        yield from self._certain(mapping.rules, certain, structure, resource)
        for prop, rule in mapping.rules.items():
            yield from self._rule(rule, structure, resource, (prop,))

    def _certain(
        self, rules: Rules, certain: Collection[str], structure: Structure, where: str, path: Path = ()
    ) -> Iterator[str]:
        """What the provider requires must come from members that are always there."""
        given = set(self._given({name: rules[name] for name in certain if name in rules}, path))
        for name in sorted(structure.required() & set(self._given(rules, path, every=True)) - given):
            yield f"{where} requires {name}, but nothing says that what gives it is set"

    def _given(self, rules: Rules, path: Path = (), *, every: bool = False) -> Iterator[str]:
        """The attributes and blocks that the rules give; ``every``: also for members that may be missing."""
        for prop, rule in rules.items():
            yield from self._gives(rule, (*path, prop), every=every)

    def _gives(self, rule: Rule, path: Path, *, every: bool) -> Iterator[str]:
        if isinstance(rule, As | Json | Joined | Listed | Pairs | Nested | Entries | Wrapped | Into):
            yield rule.name
        elif isinstance(rule, Inside):
            yield from rule.constant
            path, node = self._item(path)
            certain = rule.rules.keys() if every else {*node.get("required", ()), *rule.needs, *rule.read({})}
            members = {name: one for name, one in rule.rules.items() if name in certain}
            yield from self._given(members, path, every=every)
        elif isinstance(rule, Keyed | Chosen):
            for one in rule.rules.values():
                yield from self._gives(one, path, every=every)
        elif isinstance(rule, First):
            yield from self._gives(rule.rule, path, every=every)
        elif isinstance(rule, Apart) and not rule.back:
            yield from self._gives(rule.item or Inside(rule.rules), path, every=every)

    def _rule(self, rule: Rule, structure: Structure, where: str, path: Path) -> Iterator[str]:
        if isinstance(rule, As | Json | Joined | Listed | Pairs):
            yield from _attribute(rule, structure, where)
        elif isinstance(rule, Decoded):
            for name in (rule.name, rule.other):
                yield from _attribute(As(name), structure, where)
        elif isinstance(rule, Nested | Wrapped | Into | Entries):
            yield from self._block(rule, structure, f"{where}.{rule.name}", path)
        elif isinstance(rule, Inside):
            yield from self._members(rule.rules, structure, where, path)
        elif isinstance(rule, Keyed | Chosen):
            inner = (*path, "*", rule.value) if isinstance(rule, Keyed) else path
            for one in rule.rules.values():
                yield from self._rule(one, structure, where, inner)
        elif isinstance(rule, First):
            yield from self._rule(rule.rule, structure, where, path)
        elif isinstance(rule, Apart):
            yield from self._apart(rule, structure, path)

    def _members(self, rules: Rules, structure: Structure, where: str, path: Path) -> Iterator[str]:
        path, node = self._item(path)
        for name, one in rules.items():
            if node.get("properties") and self._schema.child(node, name) is None:
                yield f"{'/'.join(path)} has no {name}"
            yield from self._rule(one, structure, where, (*path, name))

    def _item(self, path: Path) -> tuple[Path, Mapping[str, Any]]:
        """Where the value stands that rules for members are applied to, and its schema."""
        node = self._schema.node(path) or {}
        while node.get("items"):
            path, node = (*path, "*"), self._schema.follow(node["items"])
        return path, node

    def _block(
        self, rule: Nested | Wrapped | Into | Entries, above: Structure, where: str, path: Path
    ) -> Iterator[str]:
        block = above.get(rule.name)
        if block is None or block.fields is None or not (block.block or rule.name in BLOCKS_ALL_THE_SAME):
            yield f"there is no block {where}"
        elif isinstance(rule, Wrapped):
            yield from _attribute(As(rule.attribute), block.fields, where)
        elif isinstance(rule, Into):
            yield from self._rule(rule.rule, block.fields, where, path)
        elif isinstance(rule, Nested) and rule.item is not None:
            yield from self._rule(rule.item, block.fields, where, path)
        else:
            entry = (*path, "*") if isinstance(rule, Entries) else path
            fixed = {rule.key} if isinstance(rule, Entries) else set(rule.constant)
            yield from self._whole(rule, block.fields, where, entry, fixed)

    def _whole(
        self, rule: Nested | Entries | Inside, structure: Structure, where: str, path: Path, fixed: Collection[str]
    ) -> Iterator[str]:
        """``fixed``: attributes that are always there."""
        path, node = self._item(path)
        given = {*self._given(rule.rules, path, every=True), *fixed}
        for name in sorted(structure.required() - given):
            yield f"{where} requires {name}"
        for name in set(rule.needs) - rule.rules.keys():
            yield f"{where} needs {name} and has no rule for it"
        assumed = () if isinstance(rule, Entries) else rule.read({})
        certain = {*node.get("required", ()), *rule.needs, *assumed}
        lacking = self._certain(rule.rules, certain, structure, where, path)
        yield from (one for one in lacking if not any(f"requires {name}," in one for name in fixed))
        yield from self._members(rule.rules, structure, where, path)

    def _apart(self, rule: Apart, first: Structure, path: Path) -> Iterator[str]:
        structure = provider_table("aws").resource(rule.resource)
        if structure is None:
            yield f"there is no {rule.resource}"
            return
        if rule.to != "id" and first.get(rule.to) is None:
            yield f"{self._mapping.resource} has no {rule.to}"
        fixed = {*rule.constant, *filter(None, [rule.back])}
        if not rule.back:
            others = {name: one for name, one in self._mapping.rules.items() if not isinstance(one, Apart)}
            fixed |= set(self._given(others, every=True))
        for name in {*rule.constant, *filter(None, [rule.back])}:
            yield from _attribute(As(name), structure, rule.resource)
        whole = rule.item if isinstance(rule.item, Inside) else Inside(rule.rules)
        if rule.item is None or isinstance(rule.item, Inside):
            yield from self._whole(whole, structure, rule.resource, path, {*fixed, *whole.constant})
            return
        for name in sorted(structure.required() - fixed - set(self._gives(rule.item, path, every=False))):
            yield f"{rule.resource} requires {name}"
        yield from self._rule(rule.item, structure, rule.resource, path)


def _attribute(rule: As | Json | Joined | Listed | Pairs, structure: Structure, where: str) -> Iterator[str]:
    attribute = structure.get(rule.name)
    if attribute is None or not attribute.settable or attribute.block:
        yield f"{where} has no attribute {rule.name}"
    elif isinstance(rule, Pairs) and attribute.kind != "{}s":
        yield f"{where}.{rule.name} is no map"
    elif isinstance(rule, Json | Joined) and attribute.kind != "s":
        yield f"{where}.{rule.name} is no string"
    elif (isinstance(rule, Listed) or (isinstance(rule, As) and rule.many)) and not attribute.kind.startswith("[]"):
        yield f"{where}.{rule.name} is no list"


@pytest.mark.parametrize("type_name", sorted(TYPES))
def test_every_name_exists_and_everything_required_can_be_set(type_name: str) -> None:
    assert list(problems(type_name, TYPES[type_name])) == []


def test_the_check_finds_what_is_wrong() -> None:
    wrong = AwsType(
        "aws_s3_bucket", {"BucketName": As("bucketname"), "Nope": Json("policy"), "Tags": Nested("tags", {})}
    )
    assert sorted(problems("AWS::S3::Bucket", wrong)) == [
        "AWS::S3::Bucket has no Nope",
        "aws_s3_bucket has no attribute bucketname",
        "there is no block aws_s3_bucket.tags",
    ]
    assert list(problems("AWS::S3::BucketPolicy", AwsType("aws_s3_bucket_policy", {"Bucket": As("bucket")}))) == [
        "aws_s3_bucket_policy requires policy"
    ]


def test_the_mappings_are_of_the_provider_that_they_were_checked_against() -> None:
    assert provider_table("aws").version == VERSION
    assert len(TYPES) >= 80
