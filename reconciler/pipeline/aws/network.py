"""AWS::EC2: networks, addresses, security groups, instances and volumes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from reconciler.pipeline.aws.rules import (
    TAGS,
    As,
    AwsType,
    Decoded,
    Inside,
    Keyed,
    Nested,
    Pairs,
    Rule,
    assuming,
    names,
    never,
)

_RULE: dict[str, Rule] = {
    "CidrIp": As("cidr_blocks", many=True),
    "CidrIpv6": As("ipv6_cidr_blocks", many=True),
    "Description": As("description"),
    "FromPort": As("from_port"),
    "IpProtocol": As("protocol"),
    "ToPort": As("to_port"),
}


def _parts(identifier: str, separator: str, *order: int) -> str | None:
    parts = identifier.split("|")
    return separator.join(parts[index] for index in order) if len(parts) > max(order) else None


def _association(_identifier: str, live: Mapping[str, Any]) -> str | None:
    subnet, table = live.get("SubnetId"), live.get("RouteTableId")
    return f"{subnet}/{table}" if isinstance(subnet, str) and isinstance(table, str) else None


def _attachment(_identifier: str, live: Mapping[str, Any]) -> str | None:
    gateway, vpc = live.get("InternetGatewayId"), live.get("VpcId")
    return f"{gateway}:{vpc}" if isinstance(gateway, str) and isinstance(vpc, str) else None


def _vpn_association(identifier: str, live: Mapping[str, Any]) -> str | None:
    endpoint = live.get("ClientVpnEndpointId")
    return f"{endpoint},{identifier}" if isinstance(endpoint, str) else None


_ALL_OUT = {"CidrIp": "0.0.0.0/0", "FromPort": 0, "IpProtocol": "-1", "ToPort": 0}

TYPES: Mapping[str, AwsType] = {
    "AWS::EC2::VPC": AwsType(
        "aws_vpc",
        names("CidrBlock EnableDnsHostnames EnableDnsSupport InstanceTenancy Ipv4IpamPoolId Ipv4NetmaskLength") | TAGS,
        attributes={
            "CidrBlock": "cidr_block",
            "DefaultNetworkAcl": "default_network_acl_id",
            "DefaultSecurityGroup": "default_security_group_id",
            "VpcId": "id",
        },
    ),
    "AWS::EC2::Subnet": AwsType(
        "aws_subnet",
        names(
            "AssignIpv6AddressOnCreation AvailabilityZone AvailabilityZoneId CidrBlock EnableDns64 Ipv6CidrBlock "
            "Ipv6Native MapPublicIpOnLaunch OutpostArn VpcId",
            EnableLniAtDeviceIndex="enable_lni_at_device_index",
        )
        | TAGS,
        attributes={
            "AvailabilityZone": "availability_zone",
            "CidrBlock": "cidr_block",
            "SubnetId": "id",
            "VpcId": "vpc_id",
        },
    ),
    "AWS::EC2::InternetGateway": AwsType("aws_internet_gateway", TAGS, attributes={"InternetGatewayId": "id"}),
    "AWS::EC2::VPCGatewayAttachment": AwsType(
        "aws_internet_gateway_attachment",
        names("InternetGatewayId VpcId"),
        imported=_attachment,
        needs=("InternetGatewayId",),
    ),
    "AWS::EC2::RouteTable": AwsType("aws_route_table", names("VpcId") | TAGS, attributes={"RouteTableId": "id"}),
    "AWS::EC2::Route": AwsType(
        "aws_route",
        names(
            "CarrierGatewayId CoreNetworkArn DestinationCidrBlock DestinationIpv6CidrBlock DestinationPrefixListId "
            "GatewayId LocalGatewayId NatGatewayId NetworkInterfaceId RouteTableId TransitGatewayId VpcEndpointId "
            "VpcPeeringConnectionId",
            EgressOnlyInternetGatewayId="egress_only_gateway_id",
        ),
        imported=lambda identifier, _live: _parts(identifier, "_", 0, 1),
    ),
    "AWS::EC2::SubnetRouteTableAssociation": AwsType(
        "aws_route_table_association",
        names("RouteTableId SubnetId"),
        attributes={"Id": "id"},
        imported=_association,
    ),
    "AWS::EC2::NatGateway": AwsType(
        "aws_nat_gateway",
        names(
            "AllocationId ConnectivityType SecondaryAllocationIds SecondaryPrivateIpAddressCount "
            "SecondaryPrivateIpAddresses SubnetId VpcId",
            PrivateIpAddress="private_ip",
        )
        | TAGS,
        attributes={"NatGatewayId": "id"},
    ),
    "AWS::EC2::EIP": AwsType(
        "aws_eip",
        names(
            "Domain NetworkBorderGroup",
            InstanceId="instance",
            IpamPoolId="ipam_pool_id",
            PublicIpv4Pool="public_ipv4_pool",
        )
        | TAGS,
        ref="public_ip",
        attributes={"AllocationId": "allocation_id", "PublicIp": "public_ip"},
        imported=lambda identifier, _live: identifier.split("|")[-1],
    ),
    "AWS::EC2::SecurityGroup": AwsType(
        "aws_security_group",
        {
            **names("VpcId", GroupName="name", GroupDescription="description"),
            "SecurityGroupIngress": Nested(
                "ingress",
                _RULE
                | {
                    "SourcePrefixListId": As("prefix_list_ids", many=True),
                    "SourceSecurityGroupId": As("security_groups", many=True),
                },
            ),
            "SecurityGroupEgress": Nested(
                "egress",
                _RULE
                | {
                    "DestinationPrefixListId": As("prefix_list_ids", many=True),
                    "DestinationSecurityGroupId": As("security_groups", many=True),
                },
            ),
            **TAGS,
        },
        attributes={"GroupId": "id", "GroupName": "name", "VpcId": "vpc_id"},
        # a group made by Terraform lets nothing out unless told to
        read=assuming(SecurityGroupEgress=[_ALL_OUT]),
    ),
    "AWS::EC2::SecurityGroupIngress": AwsType(
        "aws_vpc_security_group_ingress_rule",
        names(
            "Description FromPort IpProtocol ToPort",
            CidrIp="cidr_ipv4",
            CidrIpv6="cidr_ipv6",
            GroupId="security_group_id",
            SourcePrefixListId="prefix_list_id",
            SourceSecurityGroupId="referenced_security_group_id",
        ),
        attributes={"Id": "id"},
        needs=("GroupId",),
    ),
    "AWS::EC2::SecurityGroupEgress": AwsType(
        "aws_vpc_security_group_egress_rule",
        names(
            "Description FromPort IpProtocol ToPort",
            CidrIp="cidr_ipv4",
            CidrIpv6="cidr_ipv6",
            DestinationPrefixListId="prefix_list_id",
            DestinationSecurityGroupId="referenced_security_group_id",
            GroupId="security_group_id",
        ),
        attributes={"Id": "id"},
    ),
    "AWS::EC2::NetworkAclEntry": AwsType(
        "aws_network_acl_rule",
        {
            **names("CidrBlock Egress Ipv6CidrBlock NetworkAclId Protocol RuleAction RuleNumber"),
            "Icmp": Inside({"Code": As("icmp_code"), "Type": As("icmp_type")}),
            "PortRange": Inside({"From": As("from_port"), "To": As("to_port")}),
        },
        imported=never,
    ),
    "AWS::EC2::Instance": AwsType(
        "aws_instance",
        {
            **names(
                "AvailabilityZone DisableApiTermination EbsOptimized HostId HostResourceGroupArn IamInstanceProfile "
                "InstanceInitiatedShutdownBehavior InstanceType Ipv6AddressCount KeyName Monitoring SecurityGroups "
                "SourceDestCheck SubnetId Tenancy",
                ImageId="ami",
                PlacementGroupName="placement_group",
                PrivateIpAddress="private_ip",
                SecurityGroupIds="vpc_security_group_ids",
            ),
            "UserData": Decoded("user_data", "user_data_base64"),
            "CreditSpecification": Nested("credit_specification", {"CPUCredits": As("cpu_credits")}),
            **TAGS,
        },
        attributes={
            "AvailabilityZone": "availability_zone",
            "InstanceId": "id",
            "PrivateDnsName": "private_dns",
            "PrivateIp": "private_ip",
            "PublicDnsName": "public_dns",
            "PublicIp": "public_ip",
        },
    ),
    "AWS::EC2::Volume": AwsType(
        "aws_ebs_volume",
        names(
            "AvailabilityZone Encrypted Iops KmsKeyId OutpostArn Size SnapshotId Throughput",
            MultiAttachEnabled="multi_attach_enabled",
            VolumeType="type",
        )
        | TAGS,
        attributes={"VolumeId": "id"},
        needs=("AvailabilityZone",),
    ),
    "AWS::EC2::VPCEndpoint": AwsType(
        "aws_vpc_endpoint",
        names(
            "IpAddressType PrivateDnsEnabled RouteTableIds SecurityGroupIds ServiceName SubnetIds VpcEndpointType VpcId"
        )
        | TAGS,
        attributes={"Id": "id"},
    ),
    "AWS::EC2::ClientVpnEndpoint": AwsType(
        "aws_ec2_client_vpn_endpoint",
        {
            **names(
                "ClientCidrBlock Description DisconnectOnSessionTimeout DnsServers EndpointIpAddressType "
                "SecurityGroupIds SelfServicePortal ServerCertificateArn SessionTimeoutHours SplitTunnel "
                "TrafficIpAddressType TransportProtocol VpcId VpnPort"
            ),
            "AuthenticationOptions": Nested(
                "authentication_options",
                {
                    **names("Type"),
                    "ActiveDirectory": Inside(names("", DirectoryId="active_directory_id")),
                    "FederatedAuthentication": Inside(
                        names(
                            "",
                            SAMLProviderArn="saml_provider_arn",
                            SelfServiceSAMLProviderArn="self_service_saml_provider_arn",
                        )
                    ),
                    "MutualAuthentication": Inside(
                        names("", ClientRootCertificateChainArn="root_certificate_chain_arn")
                    ),
                },
            ),
            "ClientConnectOptions": Nested("client_connect_options", names("Enabled LambdaFunctionArn")),
            "ClientLoginBannerOptions": Nested("client_login_banner_options", names("BannerText Enabled")),
            "ClientRouteEnforcementOptions": Nested("client_route_enforcement_options", names("Enforced")),
            "ConnectionLogOptions": Nested(
                "connection_log_options",
                names(
                    "Enabled",
                    CloudwatchLogGroup="cloudwatch_log_group",
                    CloudwatchLogStream="cloudwatch_log_stream",
                ),
            ),
            "TagSpecifications": Keyed("ResourceType", "Tags", {"client-vpn-endpoint": Pairs()}),
        },
        attributes={"Id": "id"},
    ),
    "AWS::EC2::ClientVpnTargetNetworkAssociation": AwsType(
        "aws_ec2_client_vpn_network_association",
        names("ClientVpnEndpointId SubnetId"),
        ref="association_id",
        attributes={"Id": "association_id"},
        imported=_vpn_association,
        needs=("SubnetId",),
    ),
}
