"""What only a listener's certificates have: an identifier that changes with them, and neighbours on the same list."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from reconciler.model.ids import Identifier
from reconciler.ports import Scope
from reconciler.testing.localaws import LocalAws
from tests.contract.providers_native.cases import TARGETS
from tests.contract.providers_native.cases_elb import certified
from tests.contract.providers_native.hands import ACCOUNT, REGION, Hands, owner

WHO = owner("Anybody")
TYPE = "AWS::ElasticLoadBalancingV2::ListenerCertificate"


@pytest.fixture(scope="module")
def listener(aws: LocalAws) -> str:
    certified(lambda service: aws.client(service, account=ACCOUNT, region=REGION))
    return TARGETS["@certified-listener"]


@pytest.fixture
def hands(aws: LocalAws, scope: Scope, listener: str) -> Iterator[Hands]:
    yield Hands(scope, TYPE)
    elb = aws.client("elbv2", account=ACCOUNT, region=REGION)
    for arn in listed(aws, listener):
        elb.remove_listener_certificates(ListenerArn=listener, Certificates=[{"CertificateArn": arn}])


def wanted(listener: str, *names: str) -> dict[str, object]:
    return {"ListenerArn": listener, "Certificates": [{"CertificateArn": certificate(name)} for name in names]}


def certificate(name: str) -> str:
    return TARGETS[f"@certified-certificate-{name}"]


def listed(aws: LocalAws, listener: str) -> set[str]:
    elb = aws.client("elbv2", account=ACCOUNT, region=REGION)
    found = elb.describe_listener_certificates(ListenerArn=listener)["Certificates"]
    return {one["CertificateArn"] for one in found if not one["IsDefault"]}


def test_another_certificate_takes_the_place_of_one_and_changes_the_identifier(
    aws: LocalAws, hands: Hands, listener: str
) -> None:
    made = hands.create(wanted(listener, "one"))
    after = wanted(listener, "two")
    aws.reset_calls()
    changed = hands.wait(hands.provider.update(hands.scope, made, {}, after, frozenset({"Certificates"})))
    operations = [name.partition(":")[2] for name in aws.mutations()]
    assert operations == ["AddListenerCertificates", "RemoveListenerCertificates"], "never without"
    assert hands.read(made) is None
    assert hands.drift(changed, after) == []
    assert hands.locate(after, WHO) is not None


def test_certificates_of_others_stay(aws: LocalAws, hands: Hands, listener: str) -> None:
    theirs = hands.create(wanted(listener, "two"))
    mine = hands.create(wanted(listener, "one"))
    assert hands.drift(mine, wanted(listener, "one")) == []
    hands.delete(mine)
    assert listed(aws, listener) == {certificate("two")}
    assert hands.drift(theirs, wanted(listener, "two")) == []


def test_a_create_that_was_cut_short_is_completed(aws: LocalAws, hands: Hands, listener: str) -> None:
    hands.create(wanted(listener, "one"))
    both = wanted(listener, "one", "two")
    found = hands.locate(both, WHO)
    assert found is not None
    assert [path for path, _, _ in hands.drift(found.identifier, both)] == ["/Certificates"]
    aws.reset_calls()
    assert hands.create(both) == found.identifier
    assert listed(aws, listener) == {certificate("one"), certificate("two")}
    assert len(aws.mutations()) == 1, "what is there isn't added again"


def test_the_listener_itself_shows_its_own_certificate_alone(aws: LocalAws, hands: Hands, listener: str) -> None:
    hands.create(wanted(listener, "one"))
    shown = Hands(hands.scope, "AWS::ElasticLoadBalancingV2::Listener").read(Identifier(listener), "Certificates")
    assert shown is not None
    assert {"CertificateArn": certificate("one")} not in shown.properties["Certificates"]
    assert len(shown.properties["Certificates"]) == 1
