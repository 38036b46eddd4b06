"""How moto's stacks differ from their templates, by the call that shows it: what they leave out and what they add."""

from __future__ import annotations

#: (place, as a pattern; a word that the template has then; how moto's stack differs from its template there)
STACKS: tuple[tuple[str, str, str], ...] = (
    (r"^s3:GetBucketAcl .*/Grants", "AccessControl", "AWS::S3::Bucket: AccessControl isn't set (s3:GetBucketAcl)"),
    (
        r"^s3:GetBucketLifecycle",
        "LifecycleConfiguration",
        "AWS::S3::Bucket: LifecycleConfiguration isn't set (s3:GetBucketLifecycleConfiguration)",
    ),
    (
        r"^ec2:DescribeAddresses\w* .*/(AllocationId|Domain)$",
        "EIP",
        "AWS::EC2::EIP: an address of EC2-Classic, which AWS has no more (ec2:DescribeAddresses)",
    ),
    (
        r"^ec2:DescribeRouteTables .*/Associations\[",
        "SubnetRouteTableAssociation",
        "AWS::EC2::SubnetRouteTableAssociation: associates nothing (ec2:DescribeRouteTables)",
    ),
    (
        r"^ec2:DescribeSubnets .*/(DefaultForAz|MapPublicIpOnLaunch)$",
        "Subnet",
        "AWS::EC2::Subnet: taken for a default one (ec2:DescribeSubnets)",
    ),
    (
        r"^ec2:DescribeNatGateways .*/ConnectivityType$",
        "NatGateway",
        "AWS::EC2::NatGateway: the API forgets the default (ec2:DescribeNatGateways)",
    ),
    (
        r"^ec2:DescribeVpcAttribute .*/EnableDns(Hostnames|Support)/Value$",
        "EnableDns",
        "AWS::EC2::VPC: EnableDnsHostnames and EnableDnsSupport aren't set (ec2:DescribeVpcAttribute)",
    ),
    (
        r"^ecs:DescribeTaskDefinition .*/(cpu|memory|essential|networkMode|compatibilities\[\]|status)$",
        "ECS::TaskDefinition",
        "AWS::ECS::TaskDefinition: defaults aren't filled in (ecs:DescribeTaskDefinition)",
    ),
    (
        r"^ec2:(DescribeVolumeAttribute "
        r"|(DescribeVolumes|DescribeInstances|GetLaunchTemplateData) .*(BlockDeviceMappings|Volumes\[))",
        "EC2::Instance",
        "AWS::EC2::Instance: has no root volume (ec2:DescribeVolumes)",
    ),
    (
        r"^lambda:.*/CodeSize$",
        "ZipFile",
        "AWS::Lambda::Function: code in the template is packed otherwise (lambda:GetFunction)",
    ),
    (
        r"^lambda:.*/Environment/Variables/",
        "Environment",
        "AWS::Lambda::Function: numbers in Environment aren't made strings (lambda:GetFunction)",
    ),
    (
        r"^lambda:.*/Tags/",
        "AWS::Stack",
        "AWS::Lambda::Function: tags with the stack's name or id aren't set (lambda:ListTags)",
    ),
    (
        r"^lambda:GetPolicy .*/Policy/Statement\[",
        "Lambda::Permission",
        "AWS::Lambda::Permission: the statement has the function's name beside its ARN (lambda:GetPolicy)",
    ),
    (
        r"^elb:DescribeLoadBalancerAttributes ",
        "ElasticLoadBalancing::LoadBalancer",
        "AWS::ElasticLoadBalancing::LoadBalancer: policies aren't set (elb:DescribeLoadBalancerAttributes)",
    ),
    (
        r"^elb:DescribeLoadBalancers .*/(AvailabilityZones|Subnets)\[\]$",
        "ElasticLoadBalancing::LoadBalancer",
        "AWS::ElasticLoadBalancing::LoadBalancer: is in no zone (elb:DescribeLoadBalancers)",
    ),
    (
        r"^route53:(GetHostedZone|ListHostedZones|ListHostedZonesByName|ListResourceRecordSets) "
        r".*(/Name|/ResourceRecordSets\[my_zone\.?\]/.*)$",
        "my_zone",
        "AWS::Route53::HostedZone: the zone's name is left without its final dot (route53:ListHostedZones)",
    ),
    (
        r"^efs:DescribeFileSystems .*/ProvisionedThroughputInMibps$",
        "EFS::FileSystem",
        "AWS::EFS::FileSystem: has a throughput of nothing where none is set (efs:DescribeFileSystems)",
    ),
    (
        r"^rds:DescribeDBInstances .*/(AutoMinorVersionUpgrade|BackupRetentionPeriod|CopyTagsToSnapshot|MultiAZ"
        r"|StorageEncrypted)$",
        "RDS::DBInstance",
        "AWS::RDS::DBInstance: defaults aren't filled in (rds:DescribeDBInstances)",
    ),
    (
        r"^autoscaling:DescribeLaunchConfigurations "
        r".*/(AssociatePublicIpAddress|DeleteOnTermination|EbsOptimized|Enabled"
        r"|NoDevice)$",
        "AutoScaling::LaunchConfiguration",
        "AWS::AutoScaling::LaunchConfiguration: defaults aren't filled in (autoscaling:DescribeLaunchConfigurations)",
    ),
    (
        r"^redshift:DescribeCluster(s|Snapshots) .*/(AllowVersionUpgrade|Encrypted|EnhancedVpcRouting"
        r"|ParameterApplyStatus|PubliclyAccessible)$",
        "Redshift::Cluster",
        "AWS::Redshift::Cluster: defaults aren't filled in (redshift:DescribeClusters)",
    ),
    (r"^redshift:DescribeTags ", "Redshift::Cluster", "AWS::Redshift::Cluster: has no tags (redshift:DescribeTags)"),
    (
        r"^ec2:DescribeSecurityGroupRules .*/(IsEgress|SecurityGroupRuleId)$",
        "CidrIpv6",
        "AWS::EC2::SecurityGroup: rules for IPv6 networks aren't made (ec2:DescribeSecurityGroupRules)",
    ),
    (
        r"^redshift:DescribeClusterParameters .*/(ParameterValue|Source)$",
        "Redshift::ClusterParameterGroup",
        "AWS::Redshift::ClusterParameterGroup: Parameters aren't set (redshift:DescribeClusterParameters)",
    ),
    (r"^kms:DescribeKey .*/KeyMetadata/", "KMS::Key", "AWS::KMS::Key: can't be described (kms:DescribeKey crashes)"),
    (
        r"^emr:",
        "EMR::Cluster",
        "AWS::EMR::Cluster: has no groups, no steps and few of its settings, and ends at once (emr:DescribeCluster)",
    ),
    (
        r"^dynamodb:DescribeContinuousBackups .*/PointInTimeRecoveryDescription/",
        "PointInTimeRecoverySpecification",
        "AWS::DynamoDB::Table: PointInTimeRecoverySpecification isn't set (dynamodb:DescribeContinuousBackups)",
    ),
    (
        r"^dynamodb:DescribeTable .*/Table/SSEDescription/",
        "SSESpecification",
        "AWS::DynamoDB::Table: SSESpecification isn't taken as CloudFormation spells it (dynamodb:DescribeTable)",
    ),
    (
        r"^ec2:(DescribeInternetGateways|DescribeNatGateways|DescribeRouteTables|DescribeTags) .*/Tags\[",
        "Tags",
        "AWS::EC2::InternetGateway, NatGateway, RouteTable: Tags aren't set (ec2:DescribeTags)",
    ),
    (
        r"^dynamodb:DescribeKinesisStreamingDestination ",
        "KinesisStreamSpecification",
        "AWS::DynamoDB::Table: KinesisStreamSpecification isn't set (dynamodb:DescribeKinesisStreamingDestination)",
    ),
    (
        r"^ecr:GetRepositoryPolicy .*/(registryId|repositoryName)$",
        "RepositoryPolicyText",
        "AWS::ECR::Repository: no policy is set (ecr:GetRepositoryPolicy)",
    ),
)
