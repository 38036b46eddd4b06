"""What AWS normalises beyond what its schemas say: declared property by property, each from its documentation.

A row is added when a service's documentation (or its answers) say that it stores a value in another spelling. Nothing
here is guessed from a name: a spelling too few is a difference that people see, one too many is drift that nobody sees.
"""

from __future__ import annotations

from collections.abc import Iterable

from reconciler.schema.types import Path


def _at(type_name: str, *paths: str) -> Iterable[tuple[str, Path]]:
    return ((type_name, tuple(path.split("/"))) for path in paths)


def _table(*rows: Iterable[tuple[str, Path]]) -> frozenset[tuple[str, Path]]:
    return frozenset(entry for row in rows for entry in row)


#: stored in lower case, whatever was given ("This parameter is stored as a lowercase string")
LOWER_CASE = _table(
    _at("AWS::DMS::Endpoint", "EndpointIdentifier", "EngineName"),
    _at("AWS::DMS::EventSubscription", "SubscriptionName"),
    _at("AWS::DMS::ReplicationInstance", "ReplicationInstanceIdentifier", "ReplicationSubnetGroupIdentifier"),
    _at("AWS::DMS::ReplicationSubnetGroup", "ReplicationSubnetGroupIdentifier"),
    _at("AWS::DMS::ReplicationTask", "ReplicationTaskIdentifier"),
    _at("AWS::DocDB::DBCluster", "DBClusterIdentifier", "DBClusterParameterGroupName", "DBSubnetGroupName"),
    _at("AWS::DocDB::DBClusterParameterGroup", "Name"),
    _at("AWS::DocDB::DBInstance", "DBClusterIdentifier", "DBInstanceIdentifier"),
    _at("AWS::DocDB::DBSubnetGroup", "DBSubnetGroupName"),
    _at("AWS::ElastiCache::CacheCluster", "CacheParameterGroupName", "CacheSubnetGroupName", "ClusterName"),
    _at("AWS::ElastiCache::ParameterGroup", "CacheParameterGroupName"),
    _at("AWS::ElastiCache::ReplicationGroup", "CacheParameterGroupName", "CacheSubnetGroupName"),
    _at("AWS::ElastiCache::ServerlessCache", "ServerlessCacheName"),
    _at("AWS::ElastiCache::SubnetGroup", "CacheSubnetGroupName"),
    _at("AWS::MemoryDB::Cluster", "ClusterName", "ParameterGroupName", "SubnetGroupName"),
    _at("AWS::MemoryDB::ParameterGroup", "ParameterGroupName"),
    _at("AWS::MemoryDB::SubnetGroup", "SubnetGroupName"),
    _at("AWS::RDS::ClusterSnapshot", "DBClusterIdentifier", "DBClusterSnapshotIdentifier"),
    _at("AWS::RDS::DBClusterEndpoint", "DBClusterEndpointIdentifier", "DBClusterIdentifier"),
    _at("AWS::RDS::DBSnapshot", "DBInstanceIdentifier", "DBSnapshotIdentifier"),
    _at("AWS::Redshift::Cluster", "ClusterIdentifier", "ClusterParameterGroupName", "ClusterSubnetGroupName", "DBName"),
    _at("AWS::Redshift::ClusterParameterGroup", "ParameterGroupName"),
    _at("AWS::Redshift::ClusterSubnetGroup", "ClusterSubnetGroupName"),
)

#: stored in one letter case or compared without it: header names (RFC 9110), load balancer protocols, what of a
#: key S3 filters by
ANY_CASE = _table(
    _at("AWS::ElasticLoadBalancing::LoadBalancer", "Listeners/*/InstanceProtocol", "Listeners/*/Protocol"),
    _at("AWS::ElasticLoadBalancingV2::ListenerRule", "Conditions/*/HttpHeaderConfig/HttpHeaderName"),
    _at("AWS::CloudFront::Distribution", "DistributionConfig/Origins/*/OriginCustomHeaders/*/HeaderName"),
    _at(
        "AWS::S3::Bucket",
        *(
            f"NotificationConfiguration/{kind}Configurations/*/Filter/S3Key/Rules/*/Name"
            for kind in ("Lambda", "Queue", "Topic")
        ),
    ),
)

#: DNS names as Route 53 keeps them: lower case, with or without the final dot, ``\052`` for an asterisk
DNS_NAME = _table(
    _at("AWS::Route53::HostedZone", "Name"),
    _at("AWS::Route53::RecordSet", "AliasTarget/DNSName", "HostedZoneName", "Name"),
    _at("AWS::Route53::RecordSetGroup", "HostedZoneName"),
    _at("AWS::Route53::RecordSetGroup", *(f"RecordSets/*/{name}" for name in ("AliasTarget/DNSName", "Name"))),
    _at("AWS::Route53::RecordSetGroup", "RecordSets/*/HostedZoneName"),
    _at("AWS::Route53Resolver::ResolverRule", "DomainName"),
)

#: types for which EC2 documents that it "canonicalizes the CIDR block": host bits are cleared
BARE_NETWORKS = frozenset(
    {
        "AWS::EC2::NetworkAclEntry",
        "AWS::EC2::Route",
        "AWS::EC2::SecurityGroup",
        "AWS::EC2::SecurityGroupEgress",
        "AWS::EC2::SecurityGroupIngress",
        "AWS::EC2::Subnet",
        "AWS::EC2::SubnetCidrBlock",
        "AWS::EC2::VPC",
    }
)

#: ``1 vCPU`` is 1024 units and ``2 GB`` 2048 MiB: "converted to an integer when the task definition is registered"
CPU_UNITS = _table(_at("AWS::ECS::TaskDefinition", "Cpu"), _at("AWS::ECS::DaemonTaskDefinition", "Cpu"))
MEBIBYTES = _table(_at("AWS::ECS::TaskDefinition", "Memory"), _at("AWS::ECS::DaemonTaskDefinition", "Memory"))

#: strings holding JSON that the service parses: white space and the order of keys mean nothing
JSON_TEXT = _table(
    _at("AWS::ApiGateway::Model", "Schema"),
    _at("AWS::ApiGatewayV2::Model", "Schema"),
    _at("AWS::CloudWatch::Dashboard", "DashboardBody"),
    _at("AWS::EKS::Addon", "ConfigurationValues"),
    _at("AWS::SSM::Document", "Content"),
    _at("AWS::StepFunctions::StateMachine", "DefinitionString"),
    _at("AWS::VerifiedPermissions::PolicyStore", "Schema/CedarJson"),
)

#: text in lines (keys and certificates) kept with Unix line ends and without white space at the end
TEXT_LINES = _table(
    _at("AWS::ACMPCA::CertificateAuthorityActivation", "Certificate", "CertificateChain"),
    _at("AWS::CloudFront::PublicKey", "PublicKeyConfig/EncodedKey"),
    _at("AWS::DMS::Certificate", "CertificatePem"),
    _at("AWS::IAM::ServerCertificate", "CertificateBody", "CertificateChain", "PrivateKey"),
    _at("AWS::IVS::PlaybackKeyPair", "PublicKeyMaterial"),
    _at("AWS::IVS::PublicKey", "PublicKeyMaterial"),
    _at("AWS::IoT::CACertificate", "CACertificatePem"),
    _at("AWS::IoT::Certificate", "CACertificatePem", "CertificatePem"),
    _at("AWS::RolesAnywhere::CRL", "CrlData"),
    _at("AWS::Transfer::Certificate", "Certificate", "CertificateChain", "PrivateKey"),
)

#: public keys in the format of OpenSSH, whose comment is nobody's business: EC2 says nothing of keeping it
PUBLIC_KEY = _table(_at("AWS::EC2::KeyPair", "PublicKeyMaterial"))

#: given by name or id, answered as an ARN, or the other way round; the ARN's last part is the name or id
ARN_OR_NAME = _table(
    _at("AWS::CloudTrail::Trail", "SnsTopicName"),
    _at("AWS::Batch::JobQueue", "ComputeEnvironmentOrder/*/ComputeEnvironment"),
    _at("AWS::Batch::JobQueue", "ServiceEnvironmentOrder/*/ServiceEnvironment"),
    _at("AWS::CodeBuild::Project", "EncryptionKey", "ServiceRole"),
    _at("AWS::ECS::Service", "Cluster"),
    _at("AWS::ECS::TaskDefinition", "ExecutionRoleArn", "TaskRoleArn"),
    _at("AWS::ECS::TaskSet", "Cluster", "Service"),
    _at("AWS::Events::Rule", "EventBusName"),
    _at("AWS::KMS::Alias", "TargetKeyId"),
    _at("AWS::Lambda::EventInvokeConfig", "FunctionName"),
    _at("AWS::Lambda::Permission", "FunctionName"),
    _at("AWS::SecretsManager::RotationSchedule", "SecretId"),
)

#: free-form objects of texts in which AWS shows more than it was given: keys that a plan doesn't set don't count
FILLED_UP = _table(
    _at("AWS::RDS::DBClusterParameterGroup", "Parameters"),
    _at("AWS::RDS::DBParameterGroup", "Parameters"),
)

#: arrays whose order means nothing, which their schemas don't say: describing answers them in any order, and a
#: certificate is for all of its names alike; a table's indexes are told apart by name
SETS = _table(
    _at("AWS::ApiGateway::Method", "AuthorizationScopes"),
    _at("AWS::AutoScaling::AutoScalingGroup", "NotificationConfigurations"),
    _at("AWS::CertificateManager::Certificate", "SubjectAlternativeNames"),
    _at("AWS::DynamoDB::GlobalTable", "GlobalSecondaryIndexes", "LocalSecondaryIndexes"),
    _at("AWS::DynamoDB::Table", "GlobalSecondaryIndexes", "LocalSecondaryIndexes"),
    _at("AWS::EC2::Instance", "Volumes"),
    _at("AWS::ElasticLoadBalancing::LoadBalancer", "AvailabilityZones", "Instances", "Listeners", "SecurityGroups"),
    _at("AWS::ElasticLoadBalancing::LoadBalancer", "AppCookieStickinessPolicy", "LBCookieStickinessPolicy"),
    _at("AWS::ElasticLoadBalancing::LoadBalancer", "Policies", "Subnets", "Listeners/*/PolicyNames"),
    _at("AWS::ElasticLoadBalancing::LoadBalancer", "Policies/*/InstancePorts", "Policies/*/LoadBalancerPorts"),
    _at(
        "AWS::S3::Bucket",
        *(f"NotificationConfiguration/{kind}Configurations" for kind in ("Lambda", "Queue", "Topic")),
        "ReplicationConfiguration/Rules",
        "ReplicationConfiguration/Rules/*/Filter/And/TagFilters",
        *(f"{kind}Configurations" for kind in ("Analytics", "IntelligentTiering", "Inventory", "Metrics")),
        "InventoryConfigurations/*/OptionalFields",
        "IntelligentTieringConfigurations/*/Tierings",
    ),
    _at("AWS::SNS::Topic", "Subscription"),
)

_VOLUMES = "EbsConfiguration/EbsBlockDeviceConfigs"
#: lists in which AWS shows more than it was given: the devices of an image, what was attached or assigned later, every
#: cipher of an SSL policy, a certificate's validation for each of its names, volumes that every instance has
MORE_SHOWN = _table(
    _at("AWS::CertificateManager::Certificate", "DomainValidationOptions"),
    _at("AWS::EC2::Instance", "BlockDeviceMappings", "NetworkInterfaces"),
    _at("AWS::EC2::Instance", "NetworkInterfaces/*/Ipv6Addresses", "NetworkInterfaces/*/PrivateIpAddresses"),
    _at("AWS::EMR::Cluster", *(f"Instances/{role}InstanceGroup/{_VOLUMES}" for role in ("Core", "Master"))),
    _at("AWS::EMR::Cluster", f"Instances/TaskInstanceGroups/*/{_VOLUMES}"),
    _at(
        "AWS::EMR::Cluster",
        *(f"Instances/{role}InstanceFleet/InstanceTypeConfigs/*/{_VOLUMES}" for role in ("Core", "Master")),
        f"Instances/TaskInstanceFleets/*/InstanceTypeConfigs/*/{_VOLUMES}",
    ),
    _at("AWS::EMR::InstanceGroupConfig", _VOLUMES),
    _at("AWS::ElasticLoadBalancing::LoadBalancer", "Policies/*/Attributes"),
)

#: numbers that AWS raises by itself and never lowers ("Once increased, warm throughput values can't be decreased"):
#: what a plan says is the least
AT_LEAST = _table(
    _at("AWS::DynamoDB::Table", *(f"WarmThroughput/{kind}UnitsPerSecond" for kind in ("Read", "Write"))),
    _at(
        "AWS::DynamoDB::Table",
        *(f"GlobalSecondaryIndexes/*/WarmThroughput/{kind}UnitsPerSecond" for kind in ("Read", "Write")),
    ),
)

#: ISO 8601 durations, which are compared by their length (PT60M is PT1H)
DURATION = _table(
    _at("AWS::FIS::ExperimentTemplate", "ExperimentReportConfiguration/PostExperimentDuration"),
    _at("AWS::FIS::ExperimentTemplate", "ExperimentReportConfiguration/PreExperimentDuration"),
    _at("AWS::SSO::PermissionSet", "SessionDuration"),
)

#: times of day and date beside those that the schemas call ``date-time``
MOMENT = _table(_at("AWS::AutoScaling::ScheduledAction", "EndTime", "StartTime"))

#: ARNs of log groups, which are given with or without the ":*" that stands for their streams
GROUP_ARN = _table(_at("AWS::ApiGateway::Stage", "AccessLogSetting/DestinationArn"))

#: places in S3, which EMR answers with the scheme ``s3n`` and a slash at the end: to its file system it is the same
S3_PLACE = _table(_at("AWS::EMR::Cluster", "LogUri"))

#: paths of an API, whose slashes are written ``~1`` ("the path value /resource/subresource must be encoded as
#: /~1resource~1subresource") or not
METHOD_PATH = _table(_at("AWS::ApiGateway::Stage", "MethodSettings/*/ResourcePath"))
