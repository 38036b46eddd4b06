from __future__ import annotations

from reconciler.pipeline import awscc
from reconciler.schema import schema_for


def test_a_json_property_without_a_type_is_free_form() -> None:
    schema = schema_for("AWS::IAM::ManagedPolicy", "eu-central-1")
    assert schema is not None
    node = schema.node(("PolicyDocument",))
    assert node is not None
    assert awscc.is_free_form(schema, node)
