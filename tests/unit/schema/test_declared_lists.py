"""Lists whose schemas don't say what their items are: sets, and settings of which AWS answers all."""

from __future__ import annotations

from reconciler.schema import schema_for
from reconciler.schema.likeness import same

SCHEMA = schema_for("AWS::ElasticLoadBalancing::LoadBalancer", "eu-central-1")


def test_the_order_of_a_set_means_nothing() -> None:
    assert same(SCHEMA, ("Subnets",), ["subnet-1", "subnet-2"], ["subnet-2", "subnet-1"])
    assert not same(SCHEMA, ("Subnets",), ["subnet-1", "subnet-2"], ["subnet-2", "subnet-3"])
    assert not same(SCHEMA, ("Subnets",), ["subnet-1"], ["subnet-1", "subnet-2"])


def test_a_policy_is_shown_with_more_attributes_than_it_was_given() -> None:
    given = {"PolicyName": "tls", "PolicyType": "SSLNegotiationPolicyType"}
    reference = {"Name": "Reference-Security-Policy", "Value": "ELBSecurityPolicy-TLS-1-2-2017-01"}
    cipher = {"Name": "ECDHE-RSA-AES128-SHA", "Value": "false"}
    live = [{**given, "Attributes": [cipher, reference]}]
    assert same(SCHEMA, ("Policies",), [{**given, "Attributes": [reference]}], live)
    assert not same(SCHEMA, ("Policies",), [{**given, "Attributes": [{**cipher, "Value": "true"}]}], live)
