"""What is particular to single EC2 types: attributes read only where wanted, default rules, asynchronous gateways."""

from __future__ import annotations

from typing import Any

import pytest

from reconciler.apply.settling import unanswered
from reconciler.model.errors import AwsFault, FaultKind
from reconciler.model.ids import ClientToken, Identifier
from reconciler.model.progress import Done, Handle, Pending
from reconciler.model.resource import Observation, Wanted
from reconciler.ports import Scope
from reconciler.testing.localaws import LocalAws
from tests.contract.providers_ec2 import cases
from tests.contract.providers_ec2.conftest import ACCOUNT, Hands, provider

ALL = {"IpProtocol": "-1", "CidrIp": "0.0.0.0/0"}


def test_dns_attributes_cost_calls_only_where_they_are_wanted(scope: Scope, ec2: Any, aws: LocalAws) -> None:
    hands, vpcs = Hands(scope, "AWS::EC2::VPC"), [Identifier(cases.new_vpc(ec2)) for _ in range(3)]
    aws.reset_calls()
    hands.provider.read_many(scope, [Wanted(vpc, frozenset({"CidrBlock", "Tags"})) for vpc in vpcs])
    assert aws.calls(ACCOUNT) == {"ec2:DescribeVpcs": 1}
    aws.reset_calls()
    hands.provider.read_many(scope, [Wanted(vpc, frozenset({"EnableDnsSupport"})) for vpc in vpcs])
    assert aws.calls(ACCOUNT) == {"ec2:DescribeVpcs": 1, "ec2:DescribeVpcAttribute": 3}


def test_defaults_of_many_vpcs_come_in_one_call_each(scope: Scope, ec2: Any, aws: LocalAws) -> None:
    hands, vpcs = Hands(scope, "AWS::EC2::VPC"), [Identifier(cases.new_vpc(ec2)) for _ in range(3)]
    aws.reset_calls()
    wanted = frozenset({"DefaultSecurityGroup", "DefaultNetworkAcl"})
    found = hands.provider.read_many(scope, [Wanted(vpc, wanted) for vpc in vpcs])
    assert aws.calls(ACCOUNT).total() == 3
    for vpc in vpcs:
        answer = found[vpc]
        assert isinstance(answer, Observation)
        assert answer.properties["DefaultSecurityGroup"].startswith("sg-")
        assert answer.properties["DefaultNetworkAcl"].startswith("acl-")


def test_a_vpc_not_yet_known_everywhere_is_finished_later(scope: Scope, aws: LocalAws) -> None:
    hands = Hands(scope, "AWS::EC2::VPC")
    aws.fail("ec2", "ModifyVpcAttribute", "InvalidVpcID.NotFound")
    desired = {"CidrBlock": "10.251.0.0/16", "EnableDnsHostnames": True}
    pending = hands.provider.create(scope, desired, ClientToken("t"))
    assert isinstance(pending, Pending)
    # The handle alone is enough, in another process too.
    again = Handle(Identifier(str(pending.handle.identifier)), str(pending.handle.kind))
    assert hands.provider.poll(scope, again) == Done(pending.handle.identifier)
    assert hands.differences(pending.handle.identifier, desired) == {}


def test_removed_properties_go_back_to_the_defaults(scope: Scope) -> None:
    hands = Hands(scope, "AWS::EC2::VPC")
    vpc = hands.create({"CidrBlock": "10.252.0.0/16", "EnableDnsHostnames": True, "EnableDnsSupport": True})
    hands.update(vpc, {"CidrBlock": "10.252.0.0/16"}, "EnableDnsHostnames")
    assert hands.differences(vpc, {"EnableDnsHostnames": False, "EnableDnsSupport": True}) == {}


def group(scope: Scope, ec2: Any, **properties: Any) -> tuple[Hands, Identifier]:
    hands = Hands(scope, "AWS::EC2::SecurityGroup")
    desired = {"VpcId": cases.new_vpc(ec2), "GroupDescription": "d", **properties}
    return hands, hands.create(desired)


def test_without_egress_rules_the_default_stays(scope: Scope, ec2: Any) -> None:
    hands, created = group(scope, ec2)
    assert hands.differences(created, {"SecurityGroupEgress": [ALL], "SecurityGroupIngress": []}) == {}


def test_with_egress_rules_the_default_goes(scope: Scope, ec2: Any) -> None:
    rule = {"IpProtocol": "tcp", "FromPort": 443, "ToPort": 443, "CidrIp": "0.0.0.0/0"}
    hands, created = group(scope, ec2, SecurityGroupEgress=[rule])
    assert hands.differences(created, {"SecurityGroupEgress": [rule]}) == {}


def test_the_default_egress_rule_named_in_the_plan_is_left_alone(scope: Scope, ec2: Any, aws: LocalAws) -> None:
    aws.reset_calls()
    hands, created = group(scope, ec2, SecurityGroupEgress=[ALL])
    assert hands.differences(created, {"SecurityGroupEgress": [ALL]}) == {}
    assert aws.mutations(ACCOUNT)["ec2:RevokeSecurityGroupEgress"] == 0


def test_no_egress_and_egress_removed_from_the_plan(scope: Scope, ec2: Any) -> None:
    hands, created = group(scope, ec2, SecurityGroupEgress=[])
    assert hands.differences(created, {"SecurityGroupEgress": []}) == {}
    hands.update(created, {}, "SecurityGroupEgress")
    assert hands.differences(created, {"SecurityGroupEgress": [ALL]}) == {}


def test_only_the_rules_that_differ_are_touched(scope: Scope, ec2: Any, aws: LocalAws) -> None:
    rules = [{"IpProtocol": "tcp", "FromPort": port, "ToPort": port, "CidrIp": "10.0.0.0/8"} for port in (1, 2, 3)]
    hands, created = group(scope, ec2, SecurityGroupIngress=rules)
    aws.reset_calls()
    hands.update(created, {"SecurityGroupIngress": rules[1:]}, "SecurityGroupIngress")
    assert aws.mutations(ACCOUNT) == {"ec2:RevokeSecurityGroupIngress": 1}
    aws.reset_calls()
    hands.update(created, {"SecurityGroupIngress": rules[1:]}, "SecurityGroupIngress")
    assert aws.mutations(ACCOUNT) == {}


def test_a_rule_may_name_the_group_itself(scope: Scope, ec2: Any) -> None:
    hands, created = group(scope, ec2)
    rule = {"IpProtocol": "-1", "SourceSecurityGroupId": str(created), "Description": "among us"}
    hands.update(created, {"SecurityGroupIngress": [rule]}, "SecurityGroupIngress")
    assert hands.differences(created, {"SecurityGroupIngress": [rule]}) == {}


def test_a_generated_name_makes_a_repeated_create_safe(scope: Scope, ec2: Any) -> None:
    hands = Hands(scope, "AWS::EC2::SecurityGroup")
    desired = {"VpcId": cases.new_vpc(ec2), "GroupDescription": "d", "Tags": cases.tags()}
    created = hands.create(desired, "one-token")
    live = hands.read(created)
    assert live is not None and live.properties["GroupName"].startswith("net-Thing-")
    with pytest.raises(AwsFault) as repeated:
        hands.create(desired, "one-token")
    assert repeated.value.kind is FaultKind.ALREADY_EXISTS
    assert hands.create(desired, "another-token") != created


def test_a_group_in_use_is_a_conflict_and_stays(scope: Scope, ec2: Any, aws: LocalAws) -> None:
    hands, created = group(scope, ec2)
    aws.fail("ec2", "DeleteSecurityGroup", "DependencyViolation")
    with pytest.raises(AwsFault) as refused:
        hands.delete(created)
    assert refused.value.kind is FaultKind.CONFLICT
    assert hands.read(created) is not None


@pytest.mark.parametrize(
    ("destination", "property_name"),
    [("10.99.0.0/16", "DestinationCidrBlock"), ("2001:db8::/32", "DestinationIpv6CidrBlock")],
)
def test_routes_by_kind_of_destination(scope: Scope, ec2: Any, destination: str, property_name: str) -> None:
    vpc = cases.new_vpc(ec2)
    desired = {
        "RouteTableId": cases.new_table(ec2, vpc),
        property_name: destination,
        "GatewayId": cases.attached_gateway(ec2, vpc),
    }
    hands = Hands(scope, "AWS::EC2::Route")
    route = hands.create(desired)
    assert route == f"{desired['RouteTableId']}|{destination}"
    assert hands.differences(route, desired) == {}
    hands.delete(route)
    assert hands.read(route) is None


def test_a_route_moves_to_a_nat_gateway(scope: Scope, ec2: Any) -> None:
    vpc = cases.new_vpc(ec2)
    nat = cases.nat_gateway(ec2, cases.new_subnet(ec2, vpc))
    desired = {
        "RouteTableId": cases.new_table(ec2, vpc),
        "DestinationCidrBlock": "0.0.0.0/0",
        "GatewayId": cases.attached_gateway(ec2, vpc),
    }
    hands = Hands(scope, "AWS::EC2::Route")
    route = hands.create(desired)
    goal = {key: value for key, value in desired.items() if key != "GatewayId"} | {"NatGatewayId": nat}
    hands.update(route, goal, "GatewayId", "NatGatewayId")
    assert hands.differences(route, goal) == {}


def test_many_routes_of_one_table_are_one_call(scope: Scope, ec2: Any, aws: LocalAws) -> None:
    vpc = cases.new_vpc(ec2)
    table, gateway = cases.new_table(ec2, vpc), cases.attached_gateway(ec2, vpc)
    hands = Hands(scope, "AWS::EC2::Route")
    routes = [
        hands.create({"RouteTableId": table, "DestinationCidrBlock": f"172.16.{number}.0/24", "GatewayId": gateway})
        for number in range(5)
    ]
    aws.reset_calls()
    assert set(hands.provider.read_many(scope, [Wanted(route) for route in routes])) == set(routes)
    assert aws.calls(ACCOUNT) == {"ec2:DescribeRouteTables": 1}


@pytest.mark.parametrize("targets", [{}, {"GatewayId": "igw-1", "NatGatewayId": "nat-1"}])
def test_a_route_needs_one_target(scope: Scope, targets: dict[str, str]) -> None:
    with pytest.raises(AwsFault, match="exactly one target"):
        Hands(scope, "AWS::EC2::Route").create(
            {"RouteTableId": "rtb-1", "DestinationCidrBlock": "0.0.0.0/0", **targets}
        )


def test_create_repeated_after_a_lost_answer_finds_its_own(scope: Scope, ec2: Any) -> None:
    for type_name, build in (
        ("AWS::EC2::Route", cases._route),
        ("AWS::EC2::VPCGatewayAttachment", cases._attachment),
        ("AWS::EC2::SubnetRouteTableAssociation", cases._association),
    ):
        hands, desired = Hands(scope, type_name), build(ec2)
        assert hands.create(desired) == hands.create(desired), type_name


class Described:
    """A scope in which a NAT gateway goes through given states, one a look."""

    def __init__(self, *states: str, **more: str) -> None:
        self.states, self.more = list(states), more

    def pages(self, service: str, operation: str, key: str, **parameters: Any) -> list[Any]:
        state = self.states.pop(0)
        return [] if state == "gone" else [{"NatGatewayId": "nat-1", "State": state, **self.more}]

    def call(self, service: str, operation: str, **parameters: Any) -> Any:
        return {"NatGateway": {"NatGatewayId": "nat-1", "State": "pending"}, "NatGatewayId": "nat-1"}


def nat_progress(scope: Any, kind: str) -> list[str]:
    provider = Hands(scope, "AWS::EC2::NatGateway").provider
    progress = (
        provider.create(scope, {"SubnetId": "subnet-1"}, ClientToken("t"))
        if kind == "create"
        else provider.delete(scope, Identifier("nat-1"))
    )
    seen = []
    while isinstance(progress, Pending):
        assert progress.after > 0
        seen.append(progress.message)
        progress = provider.poll(scope, progress.handle)
    return seen


def test_a_nat_gateway_is_waited_for_when_created_and_deleted() -> None:
    assert nat_progress(Described("gone", "pending", "pending", "available"), "create") == [
        "nat-1 isn't visible yet",
        "nat-1 is being created",
        "nat-1 is being created",
    ]
    assert len(nat_progress(Described("available", "deleting", "deleted"), "delete")) == 2
    assert nat_progress(Described("gone"), "delete") == []


def test_a_nat_gateway_that_fails_says_why() -> None:
    scope = Described("pending", "failed", FailureCode="InsufficientFreeAddressesInSubnet", FailureMessage="none left")
    with pytest.raises(AwsFault, match="nat-1 failed: none left"):
        nat_progress(scope, "create")


def test_a_nat_gateway_that_vanishes_is_not_waited_for_for_ever() -> None:
    with pytest.raises(AwsFault, match="nat-1 has vanished while it was being created") as gone:
        nat_progress(Described("gone", "pending", "gone"), "create")
    assert gone.value.kind is FaultKind.NOT_FOUND


@pytest.mark.parametrize("code", ["InternalError", "ServiceUnavailable", "UnauthorizedOperation", "Throttling"])
def test_a_failed_nat_gateway_is_never_taken_for_one_that_could_not_be_asked_about(code: str) -> None:
    with pytest.raises(AwsFault) as failed:
        nat_progress(Described("pending", "failed", FailureCode=code), "create")
    assert not unanswered(failed.value)


def test_an_address_of_a_nat_gateway_can_not_be_released_by_accident(scope: Scope, ec2: Any, aws: LocalAws) -> None:
    hands = Hands(scope, "AWS::EC2::EIP")
    address = hands.create({"Domain": "vpc"})
    aws.fail("ec2", "ReleaseAddress", "InvalidIPAddress.InUse")
    with pytest.raises(AwsFault) as refused:
        hands.delete(address)
    assert refused.value.kind is FaultKind.CONFLICT
    assert hands.read(address) is not None


def test_one_failed_chunk_spoils_only_its_own(scope: Scope, ec2: Any, aws: LocalAws) -> None:
    hands, live = Hands(scope, "AWS::EC2::VPC"), Identifier(cases.new_vpc(ec2))
    others = [Wanted(Identifier(f"vpc-{number:017x}")) for number in range(399)]
    aws.fail("ec2", "DescribeVpcs", "UnauthorizedOperation", status=403)
    answers: dict[Any, Any] = dict(hands.provider.read_many(scope, [*others, Wanted(live)]))
    unreadable = [answer for answer in answers.values() if not isinstance(answer, Observation)]
    assert len(unreadable) in (199, 200)
    assert all(answer.kind is FaultKind.ACCESS_DENIED for answer in unreadable)


def test_what_costs_a_call_of_its_own_is_read_of_those_alone_that_want_it(
    scope: Scope, ec2: Any, aws: LocalAws
) -> None:
    one, other = (ec2.create_vpc(CidrBlock=f"10.9{number}.0.0/16")["Vpc"]["VpcId"] for number in range(2))
    aws.reset_calls()
    wanted = [Wanted(Identifier(one), frozenset({"EnableDnsHostnames"})), Wanted(Identifier(other))]
    found = provider("AWS::EC2::VPC").read_many(scope, wanted)
    shown = {
        name: isinstance(seen, Observation) and "EnableDnsHostnames" in seen.properties for name, seen in found.items()
    }
    assert shown == {one: True, other: False}
    assert aws.calls() == {"ec2:DescribeVpcs": 1, "ec2:DescribeVpcAttribute": 1}
