"""The mappings to the aws provider against its published schema: every name exists, everything required can be set."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import pytest

from reconciler.pipeline.aws import TYPES, VERSION
from reconciler.pipeline.aws.rules import (
    Apart,
    As,
    AwsType,
    Decoded,
    First,
    Inside,
    Into,
    Json,
    Keyed,
    Nested,
    Pairs,
    Rule,
    Wrapped,
)
from reconciler.schema import TypeSchema, schema_for
from tests.providertable import Structure, provider_table


def problems(type_name: str, mapping: AwsType) -> Iterator[str]:
    schema = schema_for(type_name)
    assert schema is not None
    yield from _resource(mapping.resource, mapping.rules, mapping.constant, schema, mapping)
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


def _resource(
    resource: str,
    rules: Mapping[str, Rule],
    constant: Mapping[str, object],
    schema: TypeSchema,
    mapping: AwsType,
) -> Iterator[str]:
    structure = provider_table("aws").resource(resource)
    if structure is None:
        yield f"there is no {resource}"
        return
    given = {name for prop, rule in rules.items() for name in _given(rule)} | set(constant)
    for name in structure.required() - given:
        yield f"{resource} requires {name}"
    certain = schema.required | set(mapping.needs)
    for prop, rule in rules.items():
        for name in structure.required() & set(_given(rule)):
            if prop not in certain and not any(name in _given(rules[other]) for other in certain if other in rules):
                yield f"{resource} requires {name}, but nothing says that {prop} is set"
        if prop not in schema.properties:
            yield f"{schema.type_name} has no {prop}"
        yield from _rule(rule, structure, resource, schema, mapping)


def _given(rule: Rule) -> Iterator[str]:
    if isinstance(rule, As | Json | Pairs | Nested | Wrapped | Into):
        yield rule.name
    elif isinstance(rule, Inside | Keyed):
        for inner in rule.rules.values():
            yield from _given(inner)
        if isinstance(rule, Inside):
            yield from rule.constant
    elif isinstance(rule, First):
        yield from _given(rule.rule)


def _rule(rule: Rule, structure: Structure, where: str, schema: TypeSchema, mapping: AwsType) -> Iterator[str]:
    if isinstance(rule, As | Json | Pairs):
        yield from _attribute(rule, structure, where)
    elif isinstance(rule, Decoded):
        for name in (rule.name, rule.other):
            yield from _attribute(As(name), structure, where)
    elif isinstance(rule, Nested | Wrapped | Into):
        yield from _block(rule, structure, f"{where}.{rule.name}", schema, mapping)
    elif isinstance(rule, Inside | Keyed):
        for one in rule.rules.values():
            yield from _rule(one, structure, where, schema, mapping)
    elif isinstance(rule, First):
        yield from _rule(rule.rule, structure, where, schema, mapping)
    elif isinstance(rule, Apart):
        yield from _apart(rule, structure, schema, mapping)


def _block(
    rule: Nested | Wrapped | Into, structure: Structure, where: str, schema: TypeSchema, mapping: AwsType
) -> Iterator[str]:
    block = structure.get(rule.name)
    # security groups' rules are attributes to the provider that are written as blocks
    if block is None or block.fields is None or not (block.block or rule.name in ("ingress", "egress")):
        yield f"there is no block {where}"
        return
    if isinstance(rule, Wrapped):
        yield from _attribute(As(rule.attribute), block.fields, where)
        return
    inner = rule.rules if isinstance(rule, Nested) else {"": rule.rule}
    for one in inner.values():
        yield from _rule(one, block.fields, where, schema, mapping)
    if isinstance(rule, Nested):
        given = {name for one in inner.values() for name in _given(one)} | set(rule.constant)
        for name in sorted(block.fields.required() - given):
            yield f"{where} requires {name}"


def _apart(rule: Apart, first: Structure, schema: TypeSchema, mapping: AwsType) -> Iterator[str]:
    structure = provider_table("aws").resource(rule.resource)
    if structure is None:
        yield f"there is no {rule.resource}"
        return
    if rule.to != "id" and first.get(rule.to) is None:
        yield f"{mapping.resource} has no {rule.to}"
    rules = {"": rule.item} if rule.item is not None else dict(rule.rules)
    given = {name for one in rules.values() for name in _given(one)} | {rule.back} | set(rule.constant)
    for name in structure.required() - given:
        yield f"{rule.resource} requires {name}"
    for name in {rule.back} | set(rule.constant):
        yield from _attribute(As(name), structure, rule.resource)
    for one in rules.values():
        yield from _rule(one, structure, rule.resource, schema, mapping)


def _attribute(rule: As | Json | Pairs, structure: Structure, where: str) -> Iterator[str]:
    attribute = structure.get(rule.name)
    if attribute is None or not attribute.settable or attribute.block:
        yield f"{where} has no attribute {rule.name}"
    elif isinstance(rule, Pairs) and attribute.kind != "{}s":
        yield f"{where}.{rule.name} is no map"
    elif isinstance(rule, Json) and attribute.kind != "s":
        yield f"{where}.{rule.name} is no string"
    elif isinstance(rule, As) and rule.many and not attribute.kind.startswith("[]"):
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
    assert len(TYPES) >= 45
