"""Classic load balancers: what a change of listeners and of their policies costs, and what it leaves alone."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from reconciler.model.ids import Identifier
from reconciler.ports import Scope
from reconciler.testing.localaws import LocalAws
from tests.contract.providers_native.cases import TARGETS
from tests.contract.providers_native.cases_elb import network
from tests.contract.providers_native.hands import ACCOUNT, REGION, Hands, owned, owner

TYPE = "AWS::ElasticLoadBalancing::LoadBalancer"
CERTIFICATE = f"arn:aws:iam::{ACCOUNT}:server-certificate/"
PLAIN = {"Protocol": "TCP", "LoadBalancerPort": "80", "InstancePort": "80"}
SECURE = {
    "Protocol": "HTTPS",
    "LoadBalancerPort": "443",
    "InstancePort": "8443",
    "SSLCertificateId": f"{CERTIFICATE}one",
}
TLS = {
    "PolicyName": "tls",
    "PolicyType": "SSLNegotiationPolicyType",
    "Attributes": [{"Name": "Reference-Security-Policy", "Value": "ELBSecurityPolicy-TLS-1-2-2017-01"}],
    "LoadBalancerPorts": ["443"],
}


@pytest.fixture(scope="module")
def hands(aws: LocalAws, scope: Scope) -> Hands:
    network(lambda service: aws.client(service, account=ACCOUNT, region=REGION), "specific")
    return Hands(scope, TYPE)


@pytest.fixture
def desired(hands: Hands) -> dict[str, Any]:
    settings = {
        "LoadBalancerName": "specific",
        "Subnets": [TARGETS["@specific-subnet-a"]],
        "SecurityGroups": [TARGETS["@specific-group-one"]],
        "Listeners": [PLAIN, SECURE],
        "Policies": [TLS],
    }
    return owned(settings, owner("Specific"), hands.type_name)


@pytest.fixture
def made(hands: Hands, desired: dict[str, Any], aws: LocalAws) -> Iterator[Identifier]:
    identifier = hands.create(desired)
    assert hands.drift(identifier, desired) == []
    aws.reset_calls()
    yield identifier
    hands.delete(identifier)


def calls(aws: LocalAws) -> dict[str, int]:
    return {name.partition(":")[2]: count for name, count in aws.mutations().items()}


def test_another_certificate_is_set_without_touching_anything_else(
    hands: Hands, made: Identifier, desired: dict[str, Any], aws: LocalAws
) -> None:
    after = {**desired, "Listeners": [PLAIN, {**SECURE, "SSLCertificateId": f"{CERTIFICATE}two"}]}
    hands.update(made, after, "Listeners")
    assert calls(aws) == {"SetLoadBalancerListenerSSLCertificate": 1}
    assert hands.drift(made, after) == []


def test_a_listener_comes_and_goes_by_itself(
    hands: Hands, made: Identifier, desired: dict[str, Any], aws: LocalAws
) -> None:
    after = {**desired, "Listeners": [SECURE, {**PLAIN, "LoadBalancerPort": "81"}]}
    hands.update(made, after, "Listeners")
    assert calls(aws) == {"DeleteLoadBalancerListeners": 1, "CreateLoadBalancerListeners": 1}
    assert hands.drift(made, after) == []


def test_a_policy_that_changes_is_made_anew_where_it_was(
    hands: Hands, made: Identifier, desired: dict[str, Any], aws: LocalAws
) -> None:
    changed = {**TLS, "Attributes": [{"Name": "Reference-Security-Policy", "Value": "ELBSecurityPolicy-2016-08"}]}
    after = {**desired, "Policies": [changed]}
    hands.update(made, after, "Policies")
    assert calls(aws) == {
        "SetLoadBalancerPoliciesOfListener": 2,
        "DeleteLoadBalancerPolicy": 1,
        "CreateLoadBalancerPolicy": 1,
    }
    assert hands.drift(made, after) == []


def test_a_policy_leaves_the_ports_that_it_is_not_for_any_more(
    hands: Hands, made: Identifier, desired: dict[str, Any], aws: LocalAws
) -> None:
    after = {**desired, "Policies": [{**TLS, "LoadBalancerPorts": []}]}
    hands.update(made, after, "Policies")
    assert calls(aws) == {"SetLoadBalancerPoliciesOfListener": 1}
    assert hands.drift(made, after) == []
