"""The types of EC2 that networks are made of, beside those in ``cases``."""

from __future__ import annotations

from typing import Any

from tests.contract.providers_native.cases import ABSENT, OTHER_TAGS, TAGS, TARGETS, Case, Clients
from tests.contract.providers_native.hands import ACCOUNT, REGION


def vpc_of(name: str, cidr: str) -> Any:
    """A VPC, two subnets, a route table, two groups: ``@name``, and with ``-a``, ``-b``, ``-routes``, ``-group``."""

    def setup(clients: Clients) -> None:
        ec2 = clients("ec2")
        vpc = ec2.create_vpc(CidrBlock=f"{cidr}.0.0/16")["Vpc"]["VpcId"]
        TARGETS[f"@{name}"] = vpc
        for number, zone in enumerate("ab"):
            given = {"CidrBlock": f"{cidr}.{number}.0/24", "AvailabilityZone": REGION + zone}
            TARGETS[f"@{name}-{zone}"] = ec2.create_subnet(VpcId=vpc, **given)["Subnet"]["SubnetId"]
        TARGETS[f"@{name}-routes"] = ec2.create_route_table(VpcId=vpc)["RouteTable"]["RouteTableId"]
        for which in ("group", "other"):
            made = ec2.create_security_group(GroupName=f"{name}-{which}", Description="x", VpcId=vpc)
            TARGETS[f"@{name}-{which}"] = made["GroupId"]

    return setup


VPN_GATEWAY = Case(
    "AWS::EC2::VPNGateway",
    {"Type": "ipsec.1", "AmazonSideAsn": 65001, "Tags": TAGS},
    changes={"Tags": OTHER_TAGS},
    resets={"Tags": ABSENT},
    attributes=("VPNGatewayId",),
    deny=("ec2", "DescribeVpnGateways"),
)

TRANSIT_GATEWAY = Case(
    "AWS::EC2::TransitGateway",
    {
        "AmazonSideAsn": 65002,
        "AutoAcceptSharedAttachments": "enable",
        "DefaultRouteTableAssociation": "enable",
        "DefaultRouteTablePropagation": "enable",
        "Description": "contract",
        "DnsSupport": "disable",
        "MulticastSupport": "enable",
        # moto doesn't change SecurityGroupReferencingSupport's likes, TransitGatewayCidrBlocks: it keeps Add… as such
        "TransitGatewayCidrBlocks": ["10.99.0.0/24"],
        "VpnEcmpSupport": "disable",
        "Tags": TAGS,
    },
    changes={
        "AutoAcceptSharedAttachments": "disable",
        "Description": "changed",
        "DnsSupport": "enable",
        "VpnEcmpSupport": "enable",
        "Tags": OTHER_TAGS,
    },
    resets={"VpnEcmpSupport": "enable", "DnsSupport": "enable", "Tags": ABSENT},
    attributes=("Id", "TransitGatewayArn", "AssociationDefaultRouteTableId"),
    deny=("ec2", "DescribeTransitGateways"),
)


def _attached(clients: Clients) -> None:
    vpc_of("tgw-vpc", "10.80")(clients)
    made = clients("ec2").create_transit_gateway(Description="contract")
    TARGETS["@tgw"] = made["TransitGateway"]["TransitGatewayId"]


TRANSIT_ATTACHMENT = Case(
    "AWS::EC2::TransitGatewayAttachment",
    {
        "TransitGatewayId": "@tgw",
        "VpcId": "@tgw-vpc",
        "SubnetIds": ["@tgw-vpc-a"],
        "Options": {"DnsSupport": "disable", "ApplianceModeSupport": "enable"},
        "Tags": TAGS,
    },
    changes={
        "SubnetIds": ["@tgw-vpc-b"],
        "Options": {"DnsSupport": "enable", "ApplianceModeSupport": "disable"},
        "Tags": OTHER_TAGS,
    },
    resets={"Options": {"DnsSupport": "enable", "ApplianceModeSupport": "disable"}, "Tags": ABSENT},
    attributes=("Id",),
    setup=_attached,
    deny=("ec2", "DescribeTransitGatewayVpcAttachments"),
)


def _peers(clients: Clients) -> None:
    vpc_of("peer-one", "10.81")(clients)
    vpc_of("peer-two", "10.82")(clients)


PEERING = Case(
    "AWS::EC2::VPCPeeringConnection",
    {"VpcId": "@peer-one", "PeerVpcId": "@peer-two", "PeerOwnerId": ACCOUNT, "PeerRegion": REGION, "Tags": TAGS},
    changes={"Tags": OTHER_TAGS},
    resets={"Tags": ABSENT},
    attributes=("Id",),
    setup=_peers,
    deny=("ec2", "DescribeVpcPeeringConnections"),
)


def _logged(clients: Clients) -> None:
    vpc_of("flow", "10.83")(clients)
    clients("logs").create_log_group(logGroupName="contract-flow")


FLOW_LOG = Case(
    "AWS::EC2::FlowLog",
    # moto keeps no DestinationOptions, TagFieldSpecifications or DeliverCrossAccountRole
    {
        "ResourceId": "@flow",
        "ResourceType": "VPC",
        "TrafficType": "REJECT",
        "LogDestinationType": "cloud-watch-logs",
        "LogGroupName": "contract-flow",
        "LogFormat": "${version} ${srcaddr}",
        "DeliverLogsPermissionArn": f"arn:aws:iam::{ACCOUNT}:role/flow",
        "MaxAggregationInterval": 60,
        "Tags": TAGS,
    },
    changes={"Tags": OTHER_TAGS},
    resets={"Tags": ABSENT},
    attributes=("Id",),
    setup=_logged,
    deny=("ec2", "DescribeFlowLogs"),
)


def _endpoint_policy(action: str) -> dict[str, Any]:
    statement = {"Effect": "Allow", "Principal": "*", "Action": action, "Resource": "*"}
    return {"Version": "2012-10-17", "Statement": [statement]}


ENDPOINT = Case(
    "AWS::EC2::VPCEndpoint",
    {
        "VpcId": "@endpoint",
        "ServiceName": f"com.amazonaws.{REGION}.ssm",
        "VpcEndpointType": "Interface",
        "SubnetIds": ["@endpoint-a"],
        "SecurityGroupIds": ["@endpoint-group"],
        "PolicyDocument": _endpoint_policy("ssm:*"),
        "PrivateDnsEnabled": True,
        "Tags": TAGS,
    },
    changes={
        "SubnetIds": ["@endpoint-a", "@endpoint-b"],
        "PolicyDocument": _endpoint_policy("ssm:Get*"),
        "Tags": OTHER_TAGS,
    },
    resets={"Tags": ABSENT},
    attributes=("Id", "DnsEntries"),
    setup=vpc_of("endpoint", "10.84"),
    deny=("ec2", "DescribeVpcEndpoints"),
    twice=False,
)

ACL = Case(
    "AWS::EC2::NetworkAcl",
    {"VpcId": "@acl-vpc", "Tags": TAGS},
    changes={"Tags": OTHER_TAGS},
    resets={"Tags": ABSENT},
    attributes=("Id",),
    setup=vpc_of("acl-vpc", "10.85"),
    deny=("ec2", "DescribeNetworkAcls"),
    twice=False,
)


def _acl(clients: Clients) -> None:
    vpc_of("entry", "10.86")(clients)
    TARGETS["@acl"] = clients("ec2").create_network_acl(VpcId=TARGETS["@entry"])["NetworkAcl"]["NetworkAclId"]


ACL_ENTRY = Case(
    "AWS::EC2::NetworkAclEntry",
    {
        "NetworkAclId": "@acl",
        "RuleNumber": 100,
        "Egress": True,
        "Protocol": 6,
        "RuleAction": "allow",
        "CidrBlock": "10.0.0.0/8",
        "PortRange": {"From": 80, "To": 90},
    },
    changes={"RuleAction": "deny", "CidrBlock": "10.1.0.0/16", "PortRange": {"From": 443, "To": 443}},
    attributes=("Id",),
    setup=_acl,
    deny=("ec2", "DescribeNetworkAcls"),
)

DHCP_OPTIONS = Case(
    "AWS::EC2::DHCPOptions",
    # moto has no ipv6-address-preferred-lease-time
    {
        "DomainName": "example.com",
        "DomainNameServers": ["10.2.5.1", "10.2.5.2"],
        "NetbiosNameServers": ["10.2.5.3"],
        "NetbiosNodeType": 2,
        "NtpServers": ["10.2.5.4"],
        "Tags": TAGS,
    },
    changes={"Tags": OTHER_TAGS},
    resets={"Tags": ABSENT},
    attributes=("DhcpOptionsId",),
    deny=("ec2", "DescribeDhcpOptions"),
)

INTERFACE = Case(
    "AWS::EC2::NetworkInterface",
    # moto keeps no prefixes, no tracking of connections and no hostname types
    {
        "SubnetId": "@eni-a",
        "Description": "contract",
        "GroupSet": ["@eni-group"],
        "PrivateIpAddress": "10.87.0.10",
        "SecondaryPrivateIpAddressCount": 2,
        "SourceDestCheck": False,
        "Tags": TAGS,
    },
    changes={
        "Description": "changed",
        "GroupSet": ["@eni-group", "@eni-other"],
        "SecondaryPrivateIpAddressCount": 1,
        "SourceDestCheck": True,
        "Tags": OTHER_TAGS,
    },
    resets={"SourceDestCheck": True, "SecondaryPrivateIpAddressCount": 0, "Tags": ABSENT},
    attributes=("Id", "PrimaryPrivateIpAddress", "VpcId"),
    setup=vpc_of("eni", "10.87"),
    deny=("ec2", "DescribeNetworkInterfaces"),
    twice=False,
)

#: public keys of nobody's
_KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIK+5NoCa+dLQWZIiVNbaolS8z9ZhvdA4nP8gmOSmSvfi me@example.com"

KEY_PAIR = Case(
    "AWS::EC2::KeyPair",
    {"KeyName": "contract", "KeyType": "ed25519", "PublicKeyMaterial": _KEY, "Tags": TAGS},
    changes={"Tags": OTHER_TAGS},
    resets={"Tags": ABSENT},
    attributes=("KeyPairId", "KeyFingerprint"),
    deny=("ec2", "DescribeKeyPairs"),
    searchable=False,  # a plan always has the name, which is what it is found by
)

INGRESS = Case(
    "AWS::EC2::SecurityGroupIngress",
    {
        "GroupId": "@rules-group",
        "IpProtocol": "tcp",
        "FromPort": 80,
        "ToPort": 90,
        "CidrIp": "10.0.0.0/8",
        "Description": "web",
    },
    changes={"Description": "other"},
    attributes=("Id",),
    setup=vpc_of("rules", "10.88"),
    deny=("ec2", "DescribeSecurityGroupRules"),
)

EGRESS = Case(
    "AWS::EC2::SecurityGroupEgress",
    {
        "GroupId": "@out-group",
        "IpProtocol": "udp",
        "FromPort": 53,
        "ToPort": 53,
        "DestinationSecurityGroupId": "@out-other",
        # moto shows the descriptions of rules between groups nowhere
    },
    attributes=("Id",),
    setup=vpc_of("out", "10.89"),
    deny=("ec2", "DescribeSecurityGroupRules"),
)


def _volume(clients: Clients) -> None:
    vpc_of("disk", "10.90")(clients)
    ec2 = clients("ec2")
    image = ec2.describe_images()["Images"][0]["ImageId"]
    made = ec2.run_instances(ImageId=image, MinCount=1, MaxCount=1, SubnetId=TARGETS["@disk-a"])
    TARGETS["@instance"] = made["Instances"][0]["InstanceId"]
    TARGETS["@volume"] = ec2.create_volume(AvailabilityZone=f"{REGION}a", Size=1)["VolumeId"]


VOLUME_ATTACHMENT = Case(
    "AWS::EC2::VolumeAttachment",
    {"InstanceId": "@instance", "VolumeId": "@volume", "Device": "/dev/sdh"},
    setup=_volume,
    deny=("ec2", "DescribeVolumes"),
)

CASES = (
    INGRESS,
    EGRESS,
    VOLUME_ATTACHMENT,
    KEY_PAIR,
    VPN_GATEWAY,
    TRANSIT_GATEWAY,
    TRANSIT_ATTACHMENT,
    PEERING,
    FLOW_LOG,
    ENDPOINT,
    ACL,
    ACL_ENTRY,
    DHCP_OPTIONS,
    INTERFACE,
)
