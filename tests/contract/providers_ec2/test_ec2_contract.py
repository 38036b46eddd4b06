"""The contract of ports.ResourceProvider, kept by every EC2 type against a local AWS."""

from __future__ import annotations

from typing import Any

import pytest

from reconciler.model.errors import AwsFault, FaultKind
from reconciler.model.ids import Identifier, LogicalId, Owner, PlanName
from reconciler.model.resource import Located, Sought, Wanted
from reconciler.model.values import Unknown
from reconciler.ports import Scope, Seeking
from reconciler.schema import identifier_of
from reconciler.testing.localaws import LocalAws
from tests.contract.providers_ec2.cases import CASES, OWNER, Case
from tests.contract.providers_ec2.conftest import ACCOUNT, Hands, provider

each_type = pytest.mark.parametrize("case", CASES, ids=lambda case: case.type_name.rpartition("::")[2])


@pytest.fixture
def hands(scope: Scope, case: Case) -> Hands:
    return Hands(scope, case.type_name)


@pytest.fixture
def desired(ec2: Any, case: Case) -> dict[str, Any]:
    return case.build(ec2)


@each_type
def test_what_was_created_reads_as_desired(hands: Hands, desired: dict[str, Any]) -> None:
    identifier = hands.create(desired)
    assert hands.differences(identifier, desired) == {}
    hands.delete(identifier)


@each_type
def test_identifier_is_the_schemas_primary_identifier(hands: Hands, desired: dict[str, Any]) -> None:
    identifier = hands.create(desired)
    observation = hands.read(identifier)
    assert observation is not None and hands.schema is not None
    assert identifier_of(hands.schema, observation.properties) == identifier
    hands.delete(identifier)


@each_type
def test_every_changeable_property_changes_alone(
    hands: Hands, desired: dict[str, Any], case: Case, ec2: Any, aws: LocalAws
) -> None:
    identifier = hands.create(desired)
    goal = dict(desired)
    for name, value in case.changes(ec2, desired):
        goal[name] = value
        aws.reset_calls()
        hands.update(identifier, goal, name)
        assert aws.mutations(ACCOUNT).total() > 0
        assert hands.differences(identifier, goal) == {}, name
    hands.delete(identifier)


@each_type
def test_a_second_update_to_the_same_state_does_no_harm(
    hands: Hands, desired: dict[str, Any], case: Case, ec2: Any
) -> None:
    identifier = hands.create(desired)
    for name, value in case.changes(ec2, desired)[:1]:
        goal = desired | {name: value}
        hands.update(identifier, goal, name)
        hands.update(identifier, goal, name)
        assert hands.differences(identifier, goal) == {}
    hands.delete(identifier)


@each_type
def test_deleted_is_absent_and_deleting_again_is_fine(hands: Hands, desired: dict[str, Any]) -> None:
    identifier = hands.create(desired)
    hands.delete(identifier)
    assert hands.read(identifier) is None
    hands.delete(identifier)
    hands.delete(identifier)


@each_type
def test_located_by_its_owner_or_its_place_until_deleted(hands: Hands, desired: dict[str, Any], case: Case) -> None:
    assert hands.locate(desired, OWNER) is None
    identifier = hands.create(desired)
    found = hands.locate(desired, OWNER)
    assert found.identifier == identifier
    assert found.owner == (OWNER if case.tagged else None)
    stranger = Owner(PlanName("other"), LogicalId("Thing"))
    other = hands.locate(desired, stranger)
    assert (other is not None) == case.placed
    hands.delete(identifier)
    assert hands.locate(desired, OWNER) is None


@pytest.mark.parametrize(
    "case",
    [case for case in CASES if case.tagged and not case.placed and not case.type_name.endswith("NatGateway")],
    ids=lambda case: case.type_name.rpartition("::")[2],
)
def test_all_that_carry_the_owners_tags_are_found(hands: Hands, desired: dict[str, Any]) -> None:
    made = {hands.create(desired, token="token-1"), hands.create(desired, token="token-2")}
    found = hands.provider.locate(hands.scope, desired, OWNER)
    assert {located.identifier for located in found} == made
    assert {located.owner for located in found} == {OWNER}
    for identifier in made:
        hands.delete(identifier)
    assert hands.provider.locate(hands.scope, desired, OWNER) == ()


@pytest.mark.parametrize(
    "case",
    [case for case in CASES if isinstance(provider(case.type_name), Seeking)],
    ids=lambda case: case.type_name.rpartition("::")[2],
)
def test_looking_for_many_finds_what_looking_for_each_does(hands: Hands, desired: dict[str, Any]) -> None:
    identifier = hands.create(desired)
    strangers = [Owner(PlanName("other"), LogicalId(f"Thing{number}")) for number in range(3)]
    sought = [Sought(desired, OWNER), *(Sought(desired, one) for one in strangers), Sought({}, strangers[0])]
    found = list(hands.provider.locate_many(hands.scope, sought))
    assert found == [hands.provider.locate(hands.scope, one.desired, one.owner) for one in sought]
    assert found[0] == (Located(identifier, OWNER),)
    hands.delete(identifier)
    assert list(hands.provider.locate_many(hands.scope, sought)) == [()] * len(sought)


@each_type
def test_locate_copes_with_values_not_known_yet(hands: Hands, desired: dict[str, Any]) -> None:
    unknown = {name: Unknown("Vpc.VpcId") if name != "Tags" else value for name, value in desired.items()}
    assert hands.locate(unknown, OWNER) is None


@each_type
def test_missing_identifiers_are_left_out_and_harm_no_other(hands: Hands, desired: dict[str, Any]) -> None:
    identifier = hands.create(desired)
    missing = Identifier(f"{identifier}0" if "|" not in identifier else identifier[:-1] + "0")
    wanted = [Wanted(missing), Wanted(identifier)]
    assert set(hands.provider.read_many(hands.scope, wanted)) == {identifier}
    hands.delete(identifier)


@each_type
def test_a_refused_read_makes_its_resources_unknown(hands: Hands, desired: dict[str, Any], aws: LocalAws) -> None:
    identifier = hands.create(desired)
    aws.fail("ec2", "*", "UnauthorizedOperation", times=1, status=403)
    answer: Any = hands.provider.read_many(hands.scope, [Wanted(identifier)])[identifier]
    assert answer.kind is FaultKind.ACCESS_DENIED
    aws.clear_faults()
    hands.delete(identifier)


@each_type
def test_an_unsupported_or_fixed_property_is_refused_before_any_write(
    hands: Hands, desired: dict[str, Any], aws: LocalAws
) -> None:
    identifier = hands.create(desired)
    live = hands.read(identifier)
    assert live is not None
    aws.reset_calls()
    with pytest.raises(AwsFault) as refused:
        hands.provider.update(hands.scope, identifier, live.properties, {}, frozenset({"NoSuchProperty"}))
    assert refused.value.kind is FaultKind.INVALID_REQUEST
    assert aws.mutations(ACCOUNT).total() == 0
    hands.delete(identifier)


@each_type
def test_a_pass_over_many_costs_one_call_in_two_hundred(hands: Hands, aws: LocalAws) -> None:
    wanted = [Wanted(_some_identifier(hands.provider.type_name, number)) for number in range(450)]
    aws.reset_calls()
    assert hands.provider.read_many(hands.scope, wanted) == {}
    assert aws.calls(ACCOUNT).total() == 3
    assert aws.mutations(ACCOUNT).total() == 0


def _some_identifier(type_name: str, number: int) -> Identifier:
    """A well-formed identifier of something that isn't there."""
    hexa = f"{number:017x}"
    shapes = {
        "AWS::EC2::VPC": f"vpc-{hexa}",
        "AWS::EC2::Subnet": f"subnet-{hexa}",
        "AWS::EC2::InternetGateway": f"igw-{hexa}",
        "AWS::EC2::VPCGatewayAttachment": f"IGW|vpc-{hexa}",
        "AWS::EC2::RouteTable": f"rtb-{hexa}",
        "AWS::EC2::Route": f"rtb-{hexa}|0.0.0.0/0",
        "AWS::EC2::SubnetRouteTableAssociation": f"rtbassoc-{hexa}",
        "AWS::EC2::EIP": f"192.0.2.1|eipalloc-{hexa}",
        "AWS::EC2::NatGateway": f"nat-{hexa}",
        "AWS::EC2::SecurityGroup": f"sg-{hexa}",
    }
    return Identifier(shapes[type_name])
