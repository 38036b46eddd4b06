"""What IAM asks for the calls of the native providers: a table, one entry a type.

Tests hold it against the calls that the providers make; whoever adds a call there adds its action here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

#: A bucket's settings by property: what reads and what writes (and takes back) each.
_BUCKET = {
    "VersioningConfiguration": ("GetBucketVersioning", "PutBucketVersioning"),
    "BucketEncryption": ("GetEncryptionConfiguration", "PutEncryptionConfiguration"),
    "PublicAccessBlockConfiguration": ("GetBucketPublicAccessBlock", "PutBucketPublicAccessBlock"),
    "OwnershipControls": ("GetBucketOwnershipControls", "PutBucketOwnershipControls"),
    "LifecycleConfiguration": ("GetLifecycleConfiguration", "PutLifecycleConfiguration"),
    "LoggingConfiguration": ("GetBucketLogging", "PutBucketLogging"),
    "CorsConfiguration": ("GetBucketCORS", "PutBucketCORS"),
    "WebsiteConfiguration": ("GetBucketWebsite", "PutBucketWebsite DeleteBucketWebsite"),
    "AccelerateConfiguration": ("GetAccelerateConfiguration", "PutAccelerateConfiguration"),
    "AccessControl": ("", "PutBucketAcl"),
    "NotificationConfiguration": ("GetBucketNotification", "PutBucketNotification"),
    "ReplicationConfiguration": ("GetReplicationConfiguration", "PutReplicationConfiguration iam:PassRole"),
    **dict.fromkeys(
        ("ObjectLockConfiguration", "ObjectLockEnabled"),
        ("GetBucketObjectLockConfiguration", "PutBucketObjectLockConfiguration"),
    ),
    **{
        f"{kind}Configurations": (f"Get{kind}Configuration", f"Get{kind}Configuration Put{kind}Configuration")
        for kind in ("Analytics", "IntelligentTiering", "Inventory", "Metrics")
    },
}
_RULES = {
    f"SecurityGroup{side}": (
        "",
        f"AuthorizeSecurityGroup{side} RevokeSecurityGroup{side} UpdateSecurityGroupRuleDescriptions{side}",
    )
    for side in ("Ingress", "Egress")
}
_SUBNET_SWITCHES = (
    "MapPublicIpOnLaunch", "AssignIpv6AddressOnCreation", "EnableDns64", "PrivateDnsNameOptionsOnLaunch",
    "EnableLniAtDeviceIndex",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Needs:
    """Actions of one service, without its prefix, in one string each.

    ``read`` and ``write`` are needed for any resource of the type, ``change`` where properties beyond the given ones
    are set. ``untag`` where the plan sets tags of its own, which it may stop doing. ``settings``: what properties need
    besides, to be read and to be written. ``name``: the property that ``arn`` is made with. ``tagged``: found through
    the tagging API.
    """

    service: str
    read: str
    write: str
    arn: str = "*"
    name: str = ""
    untag: str = ""
    change: str = ""
    given: frozenset[str] = frozenset()
    settings: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    tagged: bool = False
    #: whether a complete reading reads all settings; not where they are alternatives
    whole: bool = True


_EC2 = "DeleteTags"


def _network(read: str, write: str, *, settings: Mapping[str, tuple[str, str]] | None = None) -> Needs:
    """A type of EC2 with tags."""
    return Needs("ec2", read, f"{write} CreateTags", untag=_EC2, settings=settings or {})


NEEDS: Mapping[str, Needs] = {
    "AWS::EC2::VPC": _network(
        "DescribeVpcs",
        "CreateVpc DeleteVpc",
        settings={
            "EnableDnsSupport": ("DescribeVpcAttribute", "ModifyVpcAttribute"),
            "EnableDnsHostnames": ("DescribeVpcAttribute", "ModifyVpcAttribute"),
            "InstanceTenancy": ("", "ModifyVpcTenancy"),
        },
    ),
    "AWS::EC2::Subnet": _network(
        "DescribeSubnets",
        "CreateSubnet DeleteSubnet",
        settings={
            **dict.fromkeys(_SUBNET_SWITCHES, ("", "ModifySubnetAttribute")),
            "Ipv6CidrBlock": ("", "AssociateSubnetCidrBlock DisassociateSubnetCidrBlock"),
        },
    ),
    "AWS::EC2::InternetGateway": _network("DescribeInternetGateways", "CreateInternetGateway DeleteInternetGateway"),
    "AWS::EC2::VPCGatewayAttachment": Needs(
        "ec2",
        "",
        "",
        settings={
            "InternetGatewayId": ("DescribeInternetGateways", "AttachInternetGateway DetachInternetGateway"),
            "VpnGatewayId": ("DescribeVpnGateways", "AttachVpnGateway DetachVpnGateway"),
        },
        whole=False,
    ),
    "AWS::EC2::RouteTable": _network("DescribeRouteTables", "CreateRouteTable DeleteRouteTable"),
    "AWS::EC2::Route": Needs("ec2", "DescribeRouteTables", "CreateRoute ReplaceRoute DeleteRoute"),
    "AWS::EC2::SubnetRouteTableAssociation": Needs(
        "ec2", "DescribeRouteTables", "AssociateRouteTable DisassociateRouteTable"
    ),
    "AWS::EC2::EIP": _network(
        "DescribeAddresses",
        "AllocateAddress ReleaseAddress",
        settings={
            "TransferAddress": ("", "AcceptAddressTransfer"),
            "InstanceId": ("", "AssociateAddress DisassociateAddress"),
        },
    ),
    "AWS::EC2::NatGateway": _network("DescribeNatGateways", "CreateNatGateway DeleteNatGateway"),
    "AWS::EC2::SecurityGroup": _network(
        "DescribeSecurityGroups", "CreateSecurityGroup DeleteSecurityGroup", settings=_RULES
    ),
    "AWS::EC2::NetworkAclEntry": Needs(
        "ec2", "DescribeNetworkAcls", "CreateNetworkAclEntry ReplaceNetworkAclEntry DeleteNetworkAclEntry"
    ),
    **{
        f"AWS::EC2::SecurityGroup{side}": Needs(
            "ec2",
            "DescribeSecurityGroupRules",
            f"AuthorizeSecurityGroup{side} RevokeSecurityGroup{side} UpdateSecurityGroupRuleDescriptions{side}",
        )
        for side in ("Ingress", "Egress")
    },
    "AWS::EC2::VolumeAttachment": Needs("ec2", "DescribeVolumes", "AttachVolume DetachVolume"),
    "AWS::EC2::SubnetNetworkAclAssociation": Needs("ec2", "DescribeNetworkAcls", "ReplaceNetworkAclAssociation"),
    "AWS::EC2::VPCDHCPOptionsAssociation": Needs("ec2", "DescribeVpcs", "AssociateDhcpOptions"),
    "AWS::ElasticLoadBalancingV2::ListenerCertificate": Needs(
        "elasticloadbalancing",
        "DescribeListenerCertificates",
        "AddListenerCertificates RemoveListenerCertificates",
    ),
    "AWS::S3::Bucket": Needs(
        "s3",
        "GetBucketTagging GetBucketVersioning",
        "CreateBucket DeleteBucket PutBucketTagging TagResource",
        arn="arn:{partition}:s3:::{name}",
        name="BucketName",
        settings=_BUCKET,
        tagged=True,
    ),
    "AWS::S3::BucketPolicy": Needs(
        "s3",
        "GetBucketPolicy",
        "PutBucketPolicy DeleteBucketPolicy",
        arn="arn:{partition}:s3:::{name}",
        name="Bucket",
    ),
    "AWS::IAM::Role": Needs(
        "iam",
        "GetRole",
        "CreateRole DeleteRole TagRole UpdateAssumeRolePolicy ListInstanceProfilesForRole ListRolePolicies"
        " ListAttachedRolePolicies",
        arn="arn:{partition}:iam::{account}:role/{path}{name}",
        name="RoleName",
        untag="UntagRole",
        settings={
            "Description": ("", "UpdateRole"),
            "MaxSessionDuration": ("", "UpdateRole"),
            "PermissionsBoundary": ("", "PutRolePermissionsBoundary DeleteRolePermissionsBoundary"),
            "ManagedPolicyArns": ("ListAttachedRolePolicies", "AttachRolePolicy DetachRolePolicy"),
            "Policies": ("ListRolePolicies GetRolePolicy", "PutRolePolicy DeleteRolePolicy"),
        },
        tagged=True,
    ),
    "AWS::IAM::ManagedPolicy": Needs(
        "iam",
        "GetPolicy GetPolicyVersion",
        "CreatePolicy DeletePolicy ListPolicyVersions CreatePolicyVersion DeletePolicyVersion ListEntitiesForPolicy",
        arn="arn:{partition}:iam::{account}:policy/{path}{name}",
        name="ManagedPolicyName",
        settings={
            f"{kind}s": (
                "ListEntitiesForPolicy",
                f"ListPolicyTags TagPolicy UntagPolicy Attach{kind}Policy Detach{kind}Policy",
            )
            for kind in ("Role", "User", "Group")
        },
    ),
    "AWS::IAM::InstanceProfile": Needs(
        "iam",
        "GetInstanceProfile",
        "CreateInstanceProfile DeleteInstanceProfile",
        arn="arn:{partition}:iam::{account}:instance-profile/{path}{name}",
        name="InstanceProfileName",
        settings={"Roles": ("", "AddRoleToInstanceProfile RemoveRoleFromInstanceProfile PassRole")},
    ),
    "AWS::IAM::User": Needs(
        "iam",
        "GetUser",
        "CreateUser DeleteUser TagUser ListAccessKeys ListGroupsForUser GetLoginProfile ListUserPolicies"
        " ListAttachedUserPolicies",
        arn="arn:{partition}:iam::{account}:user/{path}{name}",
        name="UserName",
        untag="UntagUser",
        settings={
            "Path": ("", "UpdateUser"),
            "PermissionsBoundary": ("", "PutUserPermissionsBoundary DeleteUserPermissionsBoundary"),
            "Groups": ("ListGroupsForUser", "AddUserToGroup RemoveUserFromGroup"),
            "LoginProfile": ("GetLoginProfile", "CreateLoginProfile UpdateLoginProfile DeleteLoginProfile"),
            "ManagedPolicyArns": ("ListAttachedUserPolicies", "AttachUserPolicy DetachUserPolicy"),
            "Policies": ("ListUserPolicies GetUserPolicy", "PutUserPolicy DeleteUserPolicy"),
        },
        tagged=True,
    ),
    "AWS::IAM::Group": Needs(
        "iam",
        "GetGroup",
        "CreateGroup DeleteGroup ListGroupPolicies ListAttachedGroupPolicies",
        arn="arn:{partition}:iam::{account}:group/{path}{name}",
        name="GroupName",
        settings={
            "Path": ("", "UpdateGroup"),
            "ManagedPolicyArns": ("ListAttachedGroupPolicies", "AttachGroupPolicy DetachGroupPolicy"),
            "Policies": ("ListGroupPolicies GetGroupPolicy", "PutGroupPolicy DeleteGroupPolicy"),
        },
    ),
    "AWS::IAM::Policy": Needs(
        "iam",
        "",
        "",
        settings={
            f"{kind}s": (f"Get{kind}Policy", f"Put{kind}Policy Delete{kind}Policy")
            for kind in ("Role", "User", "Group")
        },
        whole=False,
    ),
    "AWS::IAM::OIDCProvider": Needs(
        "iam",
        "GetOpenIDConnectProvider",
        "CreateOpenIDConnectProvider DeleteOpenIDConnectProvider TagOpenIDConnectProvider",
        arn="arn:{partition}:iam::{account}:oidc-provider/*",
        untag="UntagOpenIDConnectProvider",
        settings={
            "ThumbprintList": ("", "UpdateOpenIDConnectProviderThumbprint"),
            "ClientIdList": ("", "AddClientIDToOpenIDConnectProvider RemoveClientIDFromOpenIDConnectProvider"),
        },
        tagged=True,
    ),
    "AWS::Lambda::Permission": Needs("lambda", "GetPolicy", "AddPermission RemovePermission"),
    "AWS::SQS::Queue": Needs(
        "sqs",
        "GetQueueUrl GetQueueAttributes ListQueueTags",
        "CreateQueue DeleteQueue TagQueue",
        arn="arn:{partition}:sqs:{region}:{account}:{name}",
        name="QueueName",
        untag="UntagQueue",
        change="SetQueueAttributes",
        given=frozenset({"QueueName", "FifoQueue", "Tags"}),
        tagged=True,
    ),
    "AWS::SNS::Topic": Needs(
        "sns",
        "GetTopicAttributes ListTagsForResource",
        "CreateTopic DeleteTopic TagResource",
        arn="arn:{partition}:sns:{region}:{account}:{name}",
        name="TopicName",
        untag="UntagResource",
        change="SetTopicAttributes",
        given=frozenset({"TopicName", "FifoTopic", "Tags", "Subscription"}),
        settings={
            "DataProtectionPolicy": ("GetDataProtectionPolicy", "PutDataProtectionPolicy"),
            "DeliveryStatusLogging": ("", "iam:PassRole"),
            "Subscription": ("ListSubscriptionsByTopic", "Subscribe Unsubscribe"),
        },
        tagged=True,
    ),
    "AWS::SQS::QueuePolicy": Needs("sqs", "GetQueueAttributes", "SetQueueAttributes"),
    "AWS::SNS::TopicPolicy": Needs("sns", "GetTopicAttributes", "SetTopicAttributes"),
    "AWS::DynamoDB::Table": Needs(
        "dynamodb",
        "DescribeTable ListTagsOfResource",
        "CreateTable DeleteTable TagResource",
        arn="arn:{partition}:dynamodb:{region}:{account}:table/{name}",
        name="TableName",
        untag="UntagResource",
        change="UpdateTable",
        given=frozenset(
            {
                "AttributeDefinitions", "KeySchema", "LocalSecondaryIndexes", "TableName", "Tags",
                "PointInTimeRecoverySpecification", "TimeToLiveSpecification", "ContributorInsightsSpecification",
                "KinesisStreamSpecification", "ResourcePolicy",
            }
        ),
        settings={
            "ContributorInsightsSpecification": (
                "DescribeContributorInsights",
                "UpdateContributorInsights iam:CreateServiceLinkedRole",
            ),
            "KinesisStreamSpecification": (
                "DescribeKinesisStreamingDestination",
                "EnableKinesisStreamingDestination DisableKinesisStreamingDestination UpdateKinesisStreamingDestination"
                " kinesis:DescribeStream kinesis:PutRecord kinesis:PutRecords",
            ),
            "ResourcePolicy": ("GetResourcePolicy", "PutResourcePolicy DeleteResourcePolicy"),
            "TimeToLiveSpecification": ("DescribeTimeToLive", "UpdateTimeToLive"),
            "PointInTimeRecoverySpecification": ("DescribeContinuousBackups", "UpdateContinuousBackups"),
        },
        tagged=True,
    ),
    "AWS::Logs::LogGroup": Needs(
        "logs",
        "DescribeLogGroups ListTagsForResource",
        "CreateLogGroup DeleteLogGroup TagResource",
        arn="arn:{partition}:logs:{region}:{account}:log-group:{name}",
        name="LogGroupName",
        untag="UntagResource",
        settings={
            "RetentionInDays": ("", "PutRetentionPolicy DeleteRetentionPolicy"),
            "KmsKeyId": ("", "AssociateKmsKey DisassociateKmsKey"),
            "BearerTokenAuthenticationEnabled": ("", "PutBearerTokenAuthentication"),
            "DataProtectionPolicy": (
                "GetDataProtectionPolicy",
                "PutDataProtectionPolicy DeleteDataProtectionPolicy CreateLogDelivery",
            ),
            "DeletionProtectionEnabled": ("", "PutLogGroupDeletionProtection"),
            "FieldIndexPolicies": ("DescribeIndexPolicies", "PutIndexPolicy DeleteIndexPolicy"),
        },
        tagged=True,
    ),
    "AWS::SSM::Parameter": Needs(
        "ssm",
        "GetParameters ListTagsForResource",
        "PutParameter DeleteParameter AddTagsToResource",
        arn="arn:{partition}:ssm:{region}:{account}:parameter/{name}",
        name="Name",
        untag="RemoveTagsFromResource",
        tagged=True,
    ),
    "AWS::KMS::Key": Needs(
        "kms",
        "ListKeys DescribeKey ListResourceTags",
        "CreateKey ScheduleKeyDeletion CancelKeyDeletion EnableKey TagResource",
        arn="arn:{partition}:kms:{region}:{account}:key/*",
        untag="UntagResource",
        settings={
            "Description": ("", "UpdateKeyDescription"),
            "KeyPolicy": ("GetKeyPolicy", "PutKeyPolicy"),
            "EnableKeyRotation": ("GetKeyRotationStatus", "EnableKeyRotation DisableKeyRotation"),
            "RotationPeriodInDays": ("", "EnableKeyRotation"),
            "Enabled": ("", "EnableKey DisableKey"),
        },
        tagged=True,
    ),
    "AWS::KMS::Alias": Needs(
        "kms",
        "DescribeKey",
        "CreateAlias UpdateAlias DeleteAlias",
        arn="arn:{partition}:kms:{region}:{account}:{name}",
        name="AliasName",
    ),
    "AWS::Route53::RecordSet": Needs(
        "route53",
        "ListResourceRecordSets ListHostedZonesByName",
        "ChangeResourceRecordSets GetChange",
    ),
    "AWS::Route53::RecordSetGroup": Needs(
        "route53",
        "ListResourceRecordSets ListHostedZonesByName GetHostedZone",
        "ChangeResourceRecordSets GetChange",
    ),
}  # fmt: skip

#: Actions that are checked against what a property of the type names: the property, and the type of what it names.
NAMED: Mapping[tuple[str, str], tuple[str, str]] = {
    ("AWS::IAM::InstanceProfile", "iam:PassRole"): ("Roles", "role"),
    **{
        ("AWS::IAM::ManagedPolicy", f"iam:{verb}{kind}Policy"): (f"{kind}s", kind.lower())
        for verb in ("Attach", "Detach")
        for kind in ("Role", "User", "Group")
    },
    **{
        ("AWS::IAM::Policy", f"iam:{verb}{kind}Policy"): (f"{kind}s", kind.lower())
        for verb in ("Get", "Put", "Delete")
        for kind in ("Role", "User", "Group")
    },
    **{("AWS::IAM::User", f"iam:{verb}Group"): ("Groups", "group") for verb in ("AddUserTo", "RemoveUserFrom")},
}
#: Actions that are checked against other resources than the type's own: ARN patterns of those.
ELSEWHERE: Mapping[str, tuple[str, ...]] = {
    "kms:DescribeKey": ("arn:{partition}:kms:{region}:{account}:key/*",),
    # an API's ARN has no account, and its parts and tags are paths
    **dict.fromkeys(
        [f"apigateway:{method}" for method in ("DELETE", "GET", "PATCH", "POST", "PUT", "UpdateRestApiPolicy")],
        ("arn:{partition}:apigateway:{region}::/restapis*", "arn:{partition}:apigateway:{region}::/tags/*"),
    ),
}
#: Actions that are checked against other resources besides.
ALSO: Mapping[str, tuple[str, ...]] = dict.fromkeys(
    ("kms:CreateAlias", "kms:UpdateAlias", "kms:DeleteAlias"), ("arn:{partition}:kms:{region}:{account}:key/*",)
)
#: Attributes of other resources that cost a call of their own, by type.
ATTRIBUTES: Mapping[tuple[str, str], str] = {
    ("AWS::EC2::VPC", "DefaultSecurityGroup"): "ec2:DescribeSecurityGroups",
    ("AWS::EC2::VPC", "DefaultNetworkAcl"): "ec2:DescribeNetworkAcls",
    ("AWS::EC2::Subnet", "NetworkAclAssociationId"): "ec2:DescribeNetworkAcls",
}
#: From so many resources of a type on, one listing is tried before asking for each.
LISTINGS: Mapping[str, tuple[int, str]] = {
    "AWS::S3::Bucket": (5, "s3:ListAllMyBuckets"),
    "AWS::IAM::Role": (5, "iam:GetAccountAuthorizationDetails"),
    "AWS::KMS::Alias": (5, "kms:ListAliases"),
    "AWS::SQS::Queue": (5, "sqs:ListQueues"),
    "AWS::SNS::Topic": (5, "sns:ListTopics"),
    "AWS::DynamoDB::Table": (5, "dynamodb:ListTables"),
}
#: What explains failures: the quota behind an error, and who changed what the plan had set.
EXPLAINING = ("servicequotas:GetServiceQuota", "servicequotas:ListServiceQuotas", "cloudtrail:LookupEvents")
