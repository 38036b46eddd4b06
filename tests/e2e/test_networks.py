"""A plan of EC2's network types: made, found as it is, withdrawn with nothing left."""

from __future__ import annotations

from typing import Any

from reconciler.model.report import PlanState
from tests.e2e.conftest import SANDBOX, Lab
from tests.e2e.running import REGION, plan_text


def _ref(name: str) -> dict[str, str]:
    return {"Ref": name}


def _of(type_name: str, **properties: object) -> dict[str, object]:
    return {"Type": f"AWS::EC2::{type_name}", "Properties": properties}


RESOURCES = {
    "Vpc": _of("VPC", CidrBlock="10.0.0.0/16", EnableDnsSupport=True, EnableDnsHostnames=True),
    "Other": _of("VPC", CidrBlock="10.1.0.0/16"),
    "Subnet": _of("Subnet", VpcId=_ref("Vpc"), CidrBlock="10.0.0.0/24", AvailabilityZone=f"{REGION}a"),
    "Routes": _of("RouteTable", VpcId=_ref("Vpc")),
    "Group": _of("SecurityGroup", VpcId=_ref("Vpc"), GroupName="networks", GroupDescription="networks"),
    "In": _of(
        "SecurityGroupIngress", GroupId=_ref("Group"), IpProtocol="tcp", FromPort=80, ToPort=80, CidrIp="10.0.0.0/8"
    ),
    "Out": _of(
        "SecurityGroupEgress", GroupId=_ref("Group"), IpProtocol="tcp", FromPort=443, ToPort=443, CidrIp="10.0.0.0/8"
    ),
    "Interface": _of("NetworkInterface", SubnetId=_ref("Subnet"), GroupSet=[_ref("Group")], SourceDestCheck=False),
    "Acl": _of("NetworkAcl", VpcId=_ref("Vpc")),
    "Entry": _of(
        "NetworkAclEntry",
        NetworkAclId=_ref("Acl"),
        RuleNumber=100,
        Protocol=6,
        RuleAction="allow",
        CidrBlock="0.0.0.0/0",
        PortRange={"From": 80, "To": 80},
    ),
    # of the type Interface: moto's DeleteVpcEndpoints crashes on one of the type Gateway that has route tables
    "Endpoint": _of(
        "VPCEndpoint",
        VpcId=_ref("Vpc"),
        ServiceName=f"com.amazonaws.{REGION}.ssm",
        VpcEndpointType="Interface",
        SubnetIds=[_ref("Subnet")],
    ),
    "Peering": _of("VPCPeeringConnection", VpcId=_ref("Vpc"), PeerVpcId=_ref("Other")),
    "Transit": _of("TransitGateway", Description="networks"),
    "Attached": _of(
        "TransitGatewayAttachment", TransitGatewayId=_ref("Transit"), VpcId=_ref("Vpc"), SubnetIds=[_ref("Subnet")]
    ),
    "Vpn": _of("VPNGateway", Type="ipsec.1"),
    "Dhcp": _of("DHCPOptions", DomainName="example.com", DomainNameServers=["AmazonProvidedDNS"]),
    "Log": _of(
        "FlowLog",
        ResourceId=_ref("Vpc"),
        ResourceType="VPC",
        TrafficType="ALL",
        LogDestinationType="cloud-watch-logs",
        LogGroupName="networks",
        DeliverLogsPermissionArn=f"arn:aws:iam::{SANDBOX}:role/logs",
    ),
    "Template": _of("LaunchTemplate", LaunchTemplateData={"InstanceType": "t3.micro"}),
}
#: what shows what there is; moto goes on showing some of what is gone, as AWS does for a while
_LISTS = {
    "describe_dhcp_options": "DhcpOptions",
    "describe_flow_logs": "FlowLogs",
    "describe_launch_templates": "LaunchTemplates",
    "describe_network_acls": "NetworkAcls",
    "describe_network_interfaces": "NetworkInterfaces",
    "describe_route_tables": "RouteTables",
    "describe_security_groups": "SecurityGroups",
    "describe_subnets": "Subnets",
    "describe_transit_gateway_vpc_attachments": "TransitGatewayVpcAttachments",
    "describe_transit_gateways": "TransitGateways",
    "describe_vpc_endpoints": "VpcEndpoints",
    "describe_vpc_peering_connections": "VpcPeeringConnections",
    "describe_vpcs": "Vpcs",
    "describe_vpn_gateways": "VpnGateways",
}
_GONE = {"deleted", "deleting"}


def _there(lab: Lab) -> dict[str, int]:
    """How many there are of each kind."""
    with lab.aws.uncounted():
        ec2 = lab.aws.client("ec2", account=SANDBOX, region=REGION)
        found = {key: getattr(ec2, operation)()[key] for operation, key in _LISTS.items()}
    return {
        # moto leaves the default ACL of a deleted network behind
        key: sum(_state(item) not in _GONE and not item.get("IsDefault") for item in items)
        for key, items in found.items()
    }


def _state(item: dict[str, Any]) -> str:
    status = item.get("State") or item.get("Status") or ""
    return str(status["Code"] if isinstance(status, dict) else status).lower()


def test_networks_are_made_once_and_withdrawn_whole(lab: Lab) -> None:
    before = _there(lab)
    lab.write(plan_text("networks", RESOURCES))
    report = lab.run("networks")
    assert report.state is PlanState.IN_SYNC, report.message
    assert all(count > before[key] for key, count in _there(lab).items())

    lab.aws.reset_calls()
    report = lab.run("networks")
    assert (report.state, report.changes, lab.aws.mutations()) == (PlanState.IN_SYNC, (), {})

    lab.write(plan_text("networks", RESOURCES, state="absent"))
    report = lab.run("networks")
    assert report.state is PlanState.IN_SYNC, report.message
    assert _there(lab) == before
