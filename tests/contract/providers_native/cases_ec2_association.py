"""What subnets and VPCs are associated with."""

from __future__ import annotations

from tests.contract.providers_native.cases import TARGETS, Case, Clients
from tests.contract.providers_native.cases_ec2_networks import vpc_of


def _acl(clients: Clients) -> None:
    vpc_of("acl-of", "10.95")(clients)
    made = clients("ec2").create_network_acl(VpcId=TARGETS["@acl-of"])
    TARGETS["@acl-own"] = made["NetworkAcl"]["NetworkAclId"]


ACL = Case(
    "AWS::EC2::SubnetNetworkAclAssociation",
    {"NetworkAclId": "@acl-own", "SubnetId": "@acl-of-a"},
    attributes=("AssociationId",),
    setup=_acl,
    deny=("ec2", "DescribeNetworkAcls"),
)


def _options(clients: Clients) -> None:
    vpc_of("dhcp-of", "10.96")(clients)
    ec2 = clients("ec2")
    made = ec2.create_dhcp_options(DhcpConfigurations=[{"Key": "domain-name", "Values": ["example.com"]}])
    TARGETS["@dhcp-own"] = made["DhcpOptions"]["DhcpOptionsId"]


DHCP = Case(
    "AWS::EC2::VPCDHCPOptionsAssociation",
    {"DhcpOptionsId": "@dhcp-own", "VpcId": "@dhcp-of"},
    setup=_options,
    deny=("ec2", "DescribeVpcs"),
)

CASES = (ACL, DHCP)
