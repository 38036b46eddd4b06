"""AWS::EMR, AWS::Elasticsearch: clusters that work on data."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from reconciler.pipeline.aws.rules import (
    TAGS,
    Apart,
    As,
    AwsType,
    Entries,
    Inside,
    Into,
    Joined,
    Json,
    Listed,
    Nested,
    Pairs,
    Rules,
    names,
)


def _group(value: Mapping[str, Any]) -> Mapping[str, Any]:
    """A group of instances. To Terraform a bid alone says which market they are from."""
    market = "SPOT" if "BidPrice" in value else "ON_DEMAND"
    return {name: item for name, item in value.items() if name != "Market" or item != market}


_VOLUME: Rules = names("Iops", SizeInGB="size", VolumeType="type")


def _disks(volume: Rules) -> Inside:
    disks = Nested("ebs_config", {**names("VolumesPerInstance"), "VolumeSpecification": Inside(volume)})
    return Inside({"EbsBlockDeviceConfigs": disks})


_GROUP: Rules = {
    **names("BidPrice InstanceCount InstanceType Name"),
    "EbsConfiguration": _disks({**_VOLUME, **names("Throughput")}),
}
_FLEET: Rules = {
    **names("Name TargetOnDemandCapacity TargetSpotCapacity"),
    "InstanceTypeConfigs": Nested(
        "instance_type_configs",
        {
            **names("BidPrice BidPriceAsPercentageOfOnDemandPrice InstanceType WeightedCapacity"),
            "Configurations": Nested(
                "configurations",
                {"Classification": As("classification"), "ConfigurationProperties": Pairs("properties")},
            ),
            "EbsConfiguration": _disks(_VOLUME),
        },
    ),
    "LaunchSpecifications": Nested(
        "launch_specifications",
        {
            "OnDemandSpecification": Nested("on_demand_specification", names("AllocationStrategy")),
            "SpotSpecification": Nested(
                "spot_specification",
                names("AllocationStrategy BlockDurationMinutes TimeoutAction TimeoutDurationMinutes"),
                needs=("AllocationStrategy",),
            ),
        },
    ),
}
_PLACE: Rules = {
    "Ec2KeyName": As("key_name"),
    "Ec2SubnetId": As("subnet_id"),
    "Ec2SubnetIds": As("subnet_ids"),
    "EmrManagedMasterSecurityGroup": As("emr_managed_master_security_group"),
    "EmrManagedSlaveSecurityGroup": As("emr_managed_slave_security_group"),
    "ServiceAccessSecurityGroup": As("service_access_security_group"),
    "AdditionalMasterSecurityGroups": Joined("additional_master_security_groups"),
    "AdditionalSlaveSecurityGroups": Joined("additional_slave_security_groups"),
}
_INSTANCES: Rules = {
    **{name: Into("ec2_attributes", rule) for name, rule in _PLACE.items()},
    **names("KeepJobFlowAliveWhenNoSteps UnhealthyNodeReplacement", TerminationProtected="termination_protection"),
    "CoreInstanceFleet": Nested("core_instance_fleet", _FLEET),
    "CoreInstanceGroup": Nested(
        "core_instance_group", {**_GROUP, "AutoScalingPolicy": Json("autoscaling_policy")}, read=_group
    ),
    "MasterInstanceFleet": Nested("master_instance_fleet", _FLEET),
    "MasterInstanceGroup": Nested("master_instance_group", _GROUP, read=_group),
}
_CLUSTER: Rules = {
    **names(
        "CustomAmiId EbsRootVolumeSize LogEncryptionKmsKeyId LogUri Name ReleaseLabel ScaleDownBehavior "
        "SecurityConfiguration ServiceRole StepConcurrencyLevel VisibleToAllUsers",
        AutoScalingRole="autoscaling_role",
        OSReleaseLabel="os_release_label",
    ),
    "AdditionalInfo": Json("additional_info"),
    "Applications": Listed("applications", "Name"),
    "AutoTerminationPolicy": Nested("auto_termination_policy", names("IdleTimeout")),
    "BootstrapActions": Nested(
        "bootstrap_action", {**names("Name"), "ScriptBootstrapAction": Inside(names("Args Path"))}
    ),
    "Configurations": Json("configurations_json", {"ConfigurationProperties": "Properties"}),
    "Instances": Inside(_INSTANCES),
    "JobFlowRole": Into("ec2_attributes", As("instance_profile")),
    "KerberosAttributes": Nested(
        "kerberos_attributes",
        names(
            "CrossRealmTrustPrincipalPassword KdcAdminPassword Realm",
            ADDomainJoinPassword="ad_domain_join_password",
            ADDomainJoinUser="ad_domain_join_user",
        ),
    ),
    "ManagedScalingPolicy": Apart(
        "aws_emr_managed_scaling_policy",
        "",
        "cluster_id",
        item=Inside(
            {
                "ComputeLimits": Nested(
                    "compute_limits",
                    names(
                        "MaximumCapacityUnits MaximumCoreCapacityUnits MinimumCapacityUnits UnitType",
                        MaximumOnDemandCapacityUnits="maximum_ondemand_capacity_units",
                    ),
                ),
                **names("ScalingStrategy UtilizationPerformanceIndex"),
            },
            needs=("ComputeLimits",),
        ),
        imported=lambda identifier, _item: identifier,
    ),
    "PlacementGroupConfigs": Nested("placement_group_config", names("InstanceRole PlacementStrategy")),
    "Steps": Nested(
        "step",
        {
            **names("ActionOnFailure Name"),
            "HadoopJarStep": Nested(
                "hadoop_jar_step", {**names("Args Jar MainClass"), "StepProperties": Pairs("properties")}
            ),
        },
        needs=("ActionOnFailure",),
    ),
    **TAGS,
}
_DOMAIN: Rules = {
    **names("DomainName ElasticsearchVersion"),
    "AccessPolicies": Json("access_policies"),
    "AdvancedOptions": Pairs("advanced_options"),
    "AdvancedSecurityOptions": Nested(
        "advanced_security_options",
        {
            **names("Enabled InternalUserDatabaseEnabled"),
            "MasterUserOptions": Nested(
                "master_user_options",
                names("MasterUserName MasterUserPassword", MasterUserARN="master_user_arn"),
            ),
        },
        needs=("Enabled",),
    ),
    "CognitoOptions": Nested(
        "cognito_options",
        names("Enabled IdentityPoolId RoleArn UserPoolId"),
        needs=("IdentityPoolId", "RoleArn", "UserPoolId"),
    ),
    "DomainEndpointOptions": Nested(
        "domain_endpoint_options",
        names(
            "CustomEndpoint CustomEndpointCertificateArn CustomEndpointEnabled",
            EnforceHTTPS="enforce_https",
            TLSSecurityPolicy="tls_security_policy",
        ),
    ),
    "EBSOptions": Nested(
        "ebs_options", names("Iops VolumeSize VolumeType", EBSEnabled="ebs_enabled"), needs=("EBSEnabled",)
    ),
    "ElasticsearchClusterConfig": Nested(
        "cluster_config",
        {
            **names(
                "DedicatedMasterCount DedicatedMasterEnabled DedicatedMasterType InstanceCount InstanceType WarmCount "
                "WarmEnabled WarmType ZoneAwarenessEnabled"
            ),
            "ColdStorageOptions": Nested("cold_storage_options", names("Enabled")),
            "ZoneAwarenessConfig": Nested("zone_awareness_config", names("AvailabilityZoneCount")),
        },
    ),
    "EncryptionAtRestOptions": Nested("encrypt_at_rest", names("Enabled KmsKeyId"), needs=("Enabled",)),
    "LogPublishingOptions": Entries(
        "log_publishing_options",
        "log_type",
        names("Enabled", CloudWatchLogsLogGroupArn="cloudwatch_log_group_arn"),
        needs=("CloudWatchLogsLogGroupArn",),
    ),
    "NodeToNodeEncryptionOptions": Nested("node_to_node_encryption", names("Enabled"), needs=("Enabled",)),
    "SnapshotOptions": Nested(
        "snapshot_options", names("AutomatedSnapshotStartHour"), needs=("AutomatedSnapshotStartHour",)
    ),
    "VPCOptions": Nested("vpc_options", names("SecurityGroupIds SubnetIds")),
    **TAGS,
}

TYPES: Mapping[str, AwsType] = {
    "AWS::EMR::Cluster": AwsType(
        "aws_emr_cluster",
        _CLUSTER,
        attributes={"Id": "id", "MasterPublicDNS": "master_public_dns"},
        needs=("ReleaseLabel",),
    ),
    "AWS::Elasticsearch::Domain": AwsType(
        "aws_elasticsearch_domain",
        _DOMAIN,
        ref="domain_name",
        attributes={"Arn": "arn", "DomainArn": "arn", "DomainEndpoint": "endpoint", "Id": "domain_name"},
        needs=("DomainName",),
    ),
}
