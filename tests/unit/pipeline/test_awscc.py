"""The rules for awscc names and shapes, held against the published provider: every type, every property."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from reconciler.pipeline import awscc
from reconciler.schema import known_types, schema_for
from tests.awsccdeviations import deviations
from tests.providertable import camel, provider_table

#: Provider resources without a CloudFormation type in our schemas: retired services, and types newer than the schemas.
NO_TYPE = 14


def test_a_json_property_without_a_type_is_free_form() -> None:
    schema = schema_for("AWS::IAM::ManagedPolicy", "eu-central-1")
    assert schema is not None
    node = schema.node(("PolicyDocument",))
    assert node is not None
    assert awscc.shape(schema, node, ("PolicyDocument",)) is awscc.Shape.JSON


def test_every_type_and_property_is_named_and_shaped_as_the_provider_has_it() -> None:
    """All the exceptions stand in awscc.json, no others, and none that isn't one (any more)."""
    table = provider_table("awscc")
    found = deviations(table)
    print("\nas the rules say:", ", ".join(f"{count:,} {what}" for what, count in found.agreeing.items()))
    print(
        f"exceptions: {len(found.types)} types without a resource, "
        f"{sum(map(len, found.properties.values()))} properties of {len(found.properties)} types not there, "
        f"{sum(map(len, found.shapes.values()))} of another shape"
    )
    known = json.loads((Path(awscc.__file__).with_name("awscc.json")).read_text())
    assert known == found.document(table.version), "run scripts/provider-table"
    assert found.agreeing["types"] == len(table.resources) - NO_TYPE
    assert found.agreeing["names"] > 41_000
    assert found.agreeing["kinds"] > 41_000


def test_a_type_has_a_resource_exactly_if_the_provider_has_it() -> None:
    table = provider_table("awscc")
    for type_name in known_types():
        schema = schema_for(type_name)
        assert schema is not None
        try:
            assert table.resource(awscc.resource_type(schema)) is not None, type_name
        except ValueError:
            assert type_name in awscc.deviations().types or not type_name.startswith("AWS::")


@pytest.mark.parametrize(("name", "expected"), [("cidr_block", "cidrBlock"), ("ipv_6_cidr_blocks", "ipv6CidrBlocks")])
def test_the_bindings_spelling(name: str, expected: str) -> None:
    assert camel(name) == expected
    structure = provider_table("awscc").resource("awscc_ec2_vpc")
    assert structure is not None
    assert structure.get(name) is not None
    assert structure.get(f"{name}_x") is None
