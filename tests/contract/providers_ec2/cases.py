"""What each EC2 type is tried with: the desired properties, and every property that can change in place."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from reconciler.model.ids import LogicalId, Owner, PlanName

OWNER = Owner(PlanName("net"), LogicalId("Thing"))
TAGS = [{"Key": "reconciler:plan", "Value": "net"}, {"Key": "reconciler:id", "Value": "Thing"}]
_numbers = itertools.count(1)


@dataclass(frozen=True)
class Case:
    """``build`` makes what the resource needs by a plain client; ``changes`` are (property, new value) after that."""

    type_name: str
    build: Callable[[Any], dict[str, Any]]
    changes: Callable[[Any, dict[str, Any]], list[tuple[str, Any]]]
    tagged: bool = True
    #: located by tags, or by standing in the place
    placed: bool = False


def tags(**more: str) -> list[dict[str, str]]:
    return TAGS + [{"Key": key, "Value": value} for key, value in more.items()]


def new_vpc(ec2: Any) -> str:
    return str(ec2.create_vpc(CidrBlock=f"10.{next(_numbers)}.0.0/16")["Vpc"]["VpcId"])


def cidr_of(ec2: Any, vpc: str) -> str:
    return str(ec2.describe_vpcs(VpcIds=[vpc])["Vpcs"][0]["CidrBlock"])


def new_subnet(ec2: Any, vpc: str | None = None) -> str:
    vpc = vpc or new_vpc(ec2)
    block = cidr_of(ec2, vpc).replace("0.0/16", "1.0/24")
    return str(ec2.create_subnet(VpcId=vpc, CidrBlock=block)["Subnet"]["SubnetId"])


def new_gateway(ec2: Any) -> str:
    return str(ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"])


def new_table(ec2: Any, vpc: str | None = None) -> str:
    return str(ec2.create_route_table(VpcId=vpc or new_vpc(ec2))["RouteTable"]["RouteTableId"])


def attached_gateway(ec2: Any, vpc: str) -> str:
    gateway = new_gateway(ec2)
    ec2.attach_internet_gateway(InternetGatewayId=gateway, VpcId=vpc)
    return gateway


def nat_gateway(ec2: Any, subnet: str) -> str:
    allocation = ec2.allocate_address(Domain="vpc")["AllocationId"]
    return str(ec2.create_nat_gateway(SubnetId=subnet, AllocationId=allocation)["NatGateway"]["NatGatewayId"])


def _retag(ec2: Any, desired: dict[str, Any]) -> list[tuple[str, Any]]:
    return [("Tags", tags(team="web", tier="b")), ("Tags", tags(team="core")), ("Tags", tags())]


def _vpc(ec2: Any) -> dict[str, Any]:
    return {
        "CidrBlock": "10.250.0.0/16",
        "InstanceTenancy": "default",
        "EnableDnsHostnames": True,
        "EnableDnsSupport": "true",
        "Tags": tags(team="web"),
    }


def _vpc_changes(ec2: Any, desired: dict[str, Any]) -> list[tuple[str, Any]]:
    return [
        ("EnableDnsHostnames", False),
        ("EnableDnsSupport", False),
        ("EnableDnsSupport", True),
        *_retag(ec2, desired),
    ]


def _subnet(ec2: Any) -> dict[str, Any]:
    vpc = new_vpc(ec2)
    block = cidr_of(ec2, vpc).replace("0.0/16", "7.0/24")
    return {
        "VpcId": vpc,
        "CidrBlock": block,
        "AvailabilityZone": "eu-central-1a",
        "MapPublicIpOnLaunch": True,
        "Tags": tags(),
    }


def _subnet_changes(ec2: Any, desired: dict[str, Any]) -> list[tuple[str, Any]]:
    return [("MapPublicIpOnLaunch", False), ("MapPublicIpOnLaunch", "true"), *_retag(ec2, desired)]


def _attachment(ec2: Any) -> dict[str, Any]:
    return {"VpcId": new_vpc(ec2), "InternetGatewayId": new_gateway(ec2)}


def _route(ec2: Any) -> dict[str, Any]:
    vpc = new_vpc(ec2)
    gateway = attached_gateway(ec2, vpc)
    return {"RouteTableId": new_table(ec2, vpc), "DestinationCidrBlock": "0.0.0.0/0", "GatewayId": gateway}


def _association(ec2: Any) -> dict[str, Any]:
    vpc = new_vpc(ec2)
    return {"SubnetId": new_subnet(ec2, vpc), "RouteTableId": new_table(ec2, vpc)}


def _nat(ec2: Any) -> dict[str, Any]:
    allocation = ec2.allocate_address(Domain="vpc")["AllocationId"]
    return {
        "SubnetId": new_subnet(ec2),
        "AllocationId": allocation,
        "ConnectivityType": "public",
        "Tags": tags(team="web"),
    }


def _group(ec2: Any) -> dict[str, Any]:
    vpc = new_vpc(ec2)
    other = ec2.create_security_group(GroupName="peer", Description="peer", VpcId=vpc)["GroupId"]
    return {
        "VpcId": vpc,
        "GroupName": "web",
        "GroupDescription": "Web tier",
        "SecurityGroupIngress": [
            {"IpProtocol": "tcp", "FromPort": 443, "ToPort": 443, "CidrIp": "0.0.0.0/0", "Description": "https"},
            {"IpProtocol": "tcp", "FromPort": "443", "ToPort": "443", "CidrIpv6": "::/0"},
            {"IpProtocol": "6", "FromPort": 22, "ToPort": 22, "SourceSecurityGroupId": other},
            {"IpProtocol": "icmp", "FromPort": 8, "ToPort": -1, "CidrIp": "10.0.0.0/8"},
            {"IpProtocol": "tcp", "FromPort": 80, "ToPort": 80, "SourcePrefixListId": "pl-0123456789abcdef0"},
        ],
        "SecurityGroupEgress": [
            {"IpProtocol": "udp", "FromPort": 53, "ToPort": 53, "CidrIp": "10.0.0.2/32", "Description": "dns"},
            {"IpProtocol": "tcp", "FromPort": 5432, "ToPort": 5432, "DestinationSecurityGroupId": other},
        ],
        "Tags": tags(team="web"),
    }


def _group_changes(ec2: Any, desired: dict[str, Any]) -> list[tuple[str, Any]]:
    first, *others = desired["SecurityGroupIngress"]
    everything = {"IpProtocol": "-1", "CidrIp": "0.0.0.0/0"}
    return [
        ("SecurityGroupIngress", [first | {"Description": "TLS"}, *others]),
        ("SecurityGroupIngress", [first, {"IpProtocol": "-1", "CidrIp": "192.168.0.0/24"}]),
        ("SecurityGroupIngress", []),
        ("SecurityGroupEgress", [everything]),
        ("SecurityGroupEgress", []),
        *_retag(ec2, desired),
    ]


def _gateway_swapped(ec2: Any, desired: dict[str, Any]) -> list[tuple[str, Any]]:
    return [("InternetGatewayId", new_gateway(ec2))]


def _nothing(ec2: Any, desired: dict[str, Any]) -> list[tuple[str, Any]]:
    return []


CASES = (
    Case("AWS::EC2::VPC", _vpc, _vpc_changes),
    Case("AWS::EC2::Subnet", _subnet, _subnet_changes, placed=True),
    Case("AWS::EC2::InternetGateway", lambda ec2: {"Tags": tags(team="web")}, _retag),
    Case("AWS::EC2::VPCGatewayAttachment", _attachment, _gateway_swapped, tagged=False, placed=True),
    Case("AWS::EC2::RouteTable", lambda ec2: {"VpcId": new_vpc(ec2), "Tags": tags(team="web")}, _retag),
    Case("AWS::EC2::Route", _route, _nothing, tagged=False, placed=True),
    Case("AWS::EC2::SubnetRouteTableAssociation", _association, _nothing, tagged=False, placed=True),
    Case("AWS::EC2::EIP", lambda ec2: {"Domain": "vpc", "Tags": tags(team="web")}, _retag),
    Case("AWS::EC2::NatGateway", _nat, _retag),
    Case("AWS::EC2::SecurityGroup", _group, _group_changes, placed=True),
)
