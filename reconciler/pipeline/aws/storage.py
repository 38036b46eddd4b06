"""AWS::S3, AWS::DynamoDB, AWS::RDS, AWS::DocDB, AWS::ECR: what keeps data."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

from reconciler.pipeline.aws.rules import (
    TAGS,
    Apart,
    As,
    AwsType,
    Implied,
    Inside,
    Into,
    Json,
    Keyed,
    Nested,
    Pairs,
    Rules,
    Wrapped,
    names,
)

_ACLS = {
    "AuthenticatedRead": "authenticated-read",
    "AwsExecRead": "aws-exec-read",
    "BucketOwnerFullControl": "bucket-owner-full-control",
    "BucketOwnerRead": "bucket-owner-read",
    "LogDeliveryWrite": "log-delivery-write",
    "Private": "private",
    "PublicRead": "public-read",
    "PublicReadWrite": "public-read-write",
}


#: A part of a bucket that is a resource of its own; Terraform knows it by the bucket's name.
_of_bucket = partial(Apart, label="", back="bucket", imported=lambda identifier, _item: identifier)


_ENCRYPTION = Inside(
    {
        "ServerSideEncryptionConfiguration": Nested(
            "rule",
            {
                "BucketKeyEnabled": As("bucket_key_enabled"),
                "ServerSideEncryptionByDefault": Nested(
                    "apply_server_side_encryption_by_default",
                    {"KMSMasterKeyID": As("kms_master_key_id"), "SSEAlgorithm": As("sse_algorithm")},
                ),
            },
        )
    }
)
_CORS: Rules = names(
    "AllowedHeaders AllowedMethods AllowedOrigins Id", ExposedHeaders="expose_headers", MaxAge="max_age_seconds"
)
_LIFECYCLE: Rules = {
    **names("Id Status"),
    "AbortIncompleteMultipartUpload": Nested(
        "abort_incomplete_multipart_upload", {"DaysAfterInitiation": As("days_after_initiation")}
    ),
    "ExpirationInDays": Wrapped("expiration", "days"),
    "NoncurrentVersionExpiration": Nested(
        "noncurrent_version_expiration", names("NewerNoncurrentVersions NoncurrentDays")
    ),
    "Prefix": Wrapped("filter", "prefix"),
    "Transitions": Nested("transition", names("StorageClass", TransitionInDays="days")),
}
_BUCKET: Rules = {
    **names("ObjectLockEnabled", BucketName="bucket"),
    "AccessControl": _of_bucket("aws_s3_bucket_acl", item=As("acl", _ACLS)),
    "BucketEncryption": _of_bucket("aws_s3_bucket_server_side_encryption_configuration", item=_ENCRYPTION),
    "CorsConfiguration": _of_bucket(
        "aws_s3_bucket_cors_configuration", item=Inside({"CorsRules": Nested("cors_rule", _CORS)})
    ),
    "LifecycleConfiguration": _of_bucket(
        "aws_s3_bucket_lifecycle_configuration", item=Inside({"Rules": Nested("rule", _LIFECYCLE, needs=("Id",))})
    ),
    "LoggingConfiguration": _of_bucket(
        "aws_s3_bucket_logging",
        item=Inside(
            names("", DestinationBucketName="target_bucket", LogFilePrefix="target_prefix"),
            needs=("DestinationBucketName",),
        ),
        constant={"target_prefix": ""},
    ),
    "OwnershipControls": _of_bucket(
        "aws_s3_bucket_ownership_controls",
        item=Inside({"Rules": Nested("rule", names("ObjectOwnership"), needs=("ObjectOwnership",))}),
    ),
    "PublicAccessBlockConfiguration": _of_bucket(
        "aws_s3_bucket_public_access_block",
        rules=names("BlockPublicAcls BlockPublicPolicy IgnorePublicAcls RestrictPublicBuckets"),
    ),
    "VersioningConfiguration": _of_bucket(
        "aws_s3_bucket_versioning", item=Nested("versioning_configuration", names("Status"))
    ),
    "WebsiteConfiguration": _of_bucket(
        "aws_s3_bucket_website_configuration",
        rules={
            "ErrorDocument": Wrapped("error_document", "key"),
            "IndexDocument": Wrapped("index_document", "suffix"),
            "RedirectAllRequestsTo": Nested("redirect_all_requests_to", names("HostName Protocol")),
        },
    ),
    **TAGS,
}

_KEYS = Keyed("KeyType", "AttributeName", {"HASH": As("hash_key"), "RANGE": As("range_key")})
_CAPACITY = Inside(names("", ReadCapacityUnits="read_capacity", WriteCapacityUnits="write_capacity"))
_PROJECTION = Inside(names("NonKeyAttributes ProjectionType"), needs=("ProjectionType",))
_TABLE: Rules = {
    **names("BillingMode DeletionProtectionEnabled TableClass", TableName="name"),
    "AttributeDefinitions": Nested("attribute", names("", AttributeName="name", AttributeType="type")),
    "GlobalSecondaryIndexes": Nested(
        "global_secondary_index",
        {
            **names("", IndexName="name"),
            "KeySchema": _KEYS,
            "Projection": _PROJECTION,
            "ProvisionedThroughput": _CAPACITY,
        },
    ),
    "KeySchema": _KEYS,
    "LocalSecondaryIndexes": Nested(
        "local_secondary_index",
        {
            **names("", IndexName="name"),
            "KeySchema": Keyed("KeyType", "AttributeName", {"HASH": Implied(), "RANGE": As("range_key")}),
            "Projection": _PROJECTION,
        },
    ),
    "PointInTimeRecoverySpecification": Nested(
        "point_in_time_recovery",
        names("RecoveryPeriodInDays", PointInTimeRecoveryEnabled="enabled"),
        needs=("PointInTimeRecoveryEnabled",),
    ),
    "ProvisionedThroughput": _CAPACITY,
    "SSESpecification": Nested("server_side_encryption", names("", KMSMasterKeyId="kms_key_arn", SSEEnabled="enabled")),
    "StreamSpecification": Inside(names("StreamViewType"), {"stream_enabled": True}),
    "TimeToLiveSpecification": Nested("ttl", names("AttributeName Enabled")),
    **TAGS,
}

_RESTORED = names(
    "RestoreToTime RestoreType UseLatestRestorableTime", SourceDBClusterIdentifier="source_cluster_identifier"
)

TYPES: Mapping[str, AwsType] = {
    "AWS::S3::Bucket": AwsType(
        "aws_s3_bucket",
        _BUCKET,
        attributes={
            "Arn": "arn",
            "DomainName": "bucket_domain_name",
            "RegionalDomainName": "bucket_regional_domain_name",
        },
    ),
    "AWS::S3::BucketPolicy": AwsType(
        "aws_s3_bucket_policy", {**names("Bucket"), "PolicyDocument": Json("policy")}, ref="bucket"
    ),
    "AWS::DynamoDB::Table": AwsType(
        "aws_dynamodb_table",
        _TABLE,
        ref="name",
        attributes={"Arn": "arn", "StreamArn": "stream_arn"},
        needs=("TableName",),
    ),
    "AWS::RDS::DBInstance": AwsType(
        "aws_db_instance",
        names(
            "AllocatedStorage AllowMajorVersionUpgrade AutoMinorVersionUpgrade AvailabilityZone BackupRetentionPeriod "
            "CharacterSetName CopyTagsToSnapshot DBName DBSubnetGroupName DeletionProtection Engine EngineVersion Iops "
            "KmsKeyId LicenseModel ManageMasterUserPassword MaxAllocatedStorage MonitoringInterval MonitoringRoleArn "
            "NetworkType OptionGroupName Port PubliclyAccessible StorageEncrypted StorageThroughput StorageType "
            "Timezone",
            CACertificateIdentifier="ca_cert_identifier",
            DBInstanceClass="instance_class",
            DBInstanceIdentifier="identifier",
            DBParameterGroupName="parameter_group_name",
            DBSnapshotIdentifier="snapshot_identifier",
            EnableCloudwatchLogsExports="enabled_cloudwatch_logs_exports",
            EnableIAMDatabaseAuthentication="iam_database_authentication_enabled",
            EnablePerformanceInsights="performance_insights_enabled",
            MasterUserPassword="password",
            MasterUsername="username",
            MultiAZ="multi_az",
            PreferredBackupWindow="backup_window",
            PreferredMaintenanceWindow="maintenance_window",
            SourceDBInstanceIdentifier="replicate_source_db",
            VPCSecurityGroups="vpc_security_group_ids",
        )
        | TAGS,
        ref="identifier",
        attributes={
            "DBInstanceArn": "arn",
            "DbiResourceId": "resource_id",
            "Endpoint.Address": "address",
            "Endpoint.HostedZoneId": "hosted_zone_id",
            "Endpoint.Port": "port",
        },
        needs=("DBInstanceClass",),
    ),
    "AWS::RDS::DBSubnetGroup": AwsType(
        "aws_db_subnet_group",
        names("SubnetIds", DBSubnetGroupDescription="description", DBSubnetGroupName="name") | TAGS,
        ref="name",
    ),
    "AWS::DocDB::DBCluster": AwsType(
        "aws_docdb_cluster",
        {
            **names(
                "AvailabilityZones BackupRetentionPeriod DeletionProtection EngineVersion GlobalClusterIdentifier "
                "KmsKeyId ManageMasterUserPassword MasterUsername NetworkType Port PreferredBackupWindow "
                "PreferredMaintenanceWindow SnapshotIdentifier StorageEncrypted StorageType VpcSecurityGroupIds",
                DBClusterIdentifier="cluster_identifier",
                DBClusterParameterGroupName="db_cluster_parameter_group_name",
                DBSubnetGroupName="db_subnet_group_name",
                EnableCloudwatchLogsExports="enabled_cloudwatch_logs_exports",
                MasterUserPassword="master_password",
            ),
            **{name: Into("restore_to_point_in_time", rule) for name, rule in _RESTORED.items()},
            "ServerlessV2ScalingConfiguration": Nested(
                "serverless_v2_scaling_configuration", names("MaxCapacity MinCapacity")
            ),
            **TAGS,
        },
        ref="cluster_identifier",
        attributes={
            "ClusterResourceId": "cluster_resource_id",
            "Endpoint": "endpoint",
            "Port": "port",
            "ReadEndpoint": "reader_endpoint",
        },
    ),
    "AWS::DocDB::DBInstance": AwsType(
        "aws_docdb_cluster_instance",
        names(
            "AutoMinorVersionUpgrade AvailabilityZone EnablePerformanceInsights PreferredMaintenanceWindow",
            CACertificateIdentifier="ca_cert_identifier",
            DBClusterIdentifier="cluster_identifier",
            DBInstanceClass="instance_class",
            DBInstanceIdentifier="identifier",
        )
        | TAGS,
        ref="identifier",
        attributes={"Endpoint": "endpoint", "Port": "port"},
    ),
    "AWS::ECR::Repository": AwsType(
        "aws_ecr_repository",
        {
            **names("ImageTagMutability", RepositoryName="name"),
            "EncryptionConfiguration": Nested("encryption_configuration", names("EncryptionType KmsKey")),
            "ImageScanningConfiguration": Nested(
                "image_scanning_configuration", names("ScanOnPush"), needs=("ScanOnPush",)
            ),
            "LifecyclePolicy": Apart(
                "aws_ecr_lifecycle_policy",
                "",
                "repository",
                to="name",
                item=Inside({"LifecyclePolicyText": As("policy")}, needs=("LifecyclePolicyText",)),
                imported=lambda identifier, _item: identifier,
            ),
            "RepositoryPolicyText": Apart(
                "aws_ecr_repository_policy",
                "",
                "repository",
                to="name",
                item=Json("policy"),
                imported=lambda identifier, _item: identifier,
            ),
            **TAGS,
        },
        ref="name",
        attributes={"Arn": "arn", "RepositoryUri": "repository_url"},
        needs=("RepositoryName",),
    ),
    "AWS::SSM::Parameter": AwsType(
        "aws_ssm_parameter",
        {**names("AllowedPattern DataType Description Name Tier Type Value"), "Tags": Pairs()},
        ref="name",
        attributes={"Type": "type", "Value": "value"},
        needs=("Name",),
    ),
}
