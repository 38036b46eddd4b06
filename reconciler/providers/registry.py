"""Which provider serves which resource type: a native one where there is one, else Cloud Control by the type's schema.

Modules are imported when a type of theirs is first asked for.
"""

from __future__ import annotations

import importlib
import threading
from collections.abc import Mapping

from reconciler.model.ids import TypeName
from reconciler.ports import ResourceProvider
from reconciler.schema import schema_for

_NATIVE = "reconciler.providers.native"

#: The types with a native provider, by the module that has it.
MODULES: Mapping[str, tuple[str, ...]] = {
    "ec2_vpc": ("AWS::EC2::VPC", "AWS::EC2::Subnet"),
    "ec2_gateway": ("AWS::EC2::InternetGateway", "AWS::EC2::VPCGatewayAttachment"),
    "ec2_route": ("AWS::EC2::RouteTable", "AWS::EC2::Route", "AWS::EC2::SubnetRouteTableAssociation"),
    "ec2_nat": ("AWS::EC2::EIP", "AWS::EC2::NatGateway"),
    "ec2_security_group": ("AWS::EC2::SecurityGroup",),
    "s3": ("AWS::S3::Bucket", "AWS::S3::BucketPolicy"),
    "iam": ("AWS::IAM::Role", "AWS::IAM::ManagedPolicy", "AWS::IAM::InstanceProfile"),
    "sqs": ("AWS::SQS::Queue",),
    "sns": ("AWS::SNS::Topic",),
    "dynamodb": ("AWS::DynamoDB::Table",),
    "logs": ("AWS::Logs::LogGroup",),
    "ssm": ("AWS::SSM::Parameter",),
    "kms": ("AWS::KMS::Key", "AWS::KMS::Alias"),
    "ec2_volume": ("AWS::EC2::Volume",),
    "ecr": ("AWS::ECR::Repository",),
    "kinesis": ("AWS::Kinesis::Stream",),
    "elbv2": ("AWS::ElasticLoadBalancingV2::LoadBalancer",),
    "elbv2_targets": ("AWS::ElasticLoadBalancingV2::TargetGroup",),
    "elbv2_listener": ("AWS::ElasticLoadBalancingV2::Listener", "AWS::ElasticLoadBalancingV2::ListenerRule"),
    "ecs": ("AWS::ECS::Cluster", "AWS::ECS::TaskDefinition"),
    "efs": ("AWS::EFS::FileSystem", "AWS::EFS::AccessPoint", "AWS::EFS::MountTarget"),
    "cloudwatch": ("AWS::CloudWatch::Alarm", "AWS::CloudWatch::Dashboard"),
    "logs_policy": ("AWS::Logs::ResourcePolicy",),
    "ssm_document": ("AWS::SSM::Document",),
    "iam_user": ("AWS::IAM::User", "AWS::IAM::Group"),
    "iam_inline": ("AWS::IAM::Policy",),
    "iam_oidc": ("AWS::IAM::OIDCProvider",),
    "sqs_policy": ("AWS::SQS::QueuePolicy",),
    "sns_policy": ("AWS::SNS::TopicPolicy",),
    "sns_subscription": ("AWS::SNS::Subscription",),
    "secrets": ("AWS::SecretsManager::Secret",),
    "cloudtrail": ("AWS::CloudTrail::Trail",),
    "acm": ("AWS::CertificateManager::Certificate",),
    "lambda_function": ("AWS::Lambda::Function",),
    "lambda_parts": (
        "AWS::Lambda::Alias",
        "AWS::Lambda::EventSourceMapping",
        "AWS::Lambda::Url",
        "AWS::Lambda::Version",
    ),
    "lambda_layer": ("AWS::Lambda::LayerVersion",),
    "lambda_permission": ("AWS::Lambda::Permission",),
    "events": ("AWS::Events::Rule", "AWS::Events::EventBus", "AWS::Events::Archive"),
    "stepfunctions": ("AWS::StepFunctions::StateMachine",),
    "scheduler": ("AWS::Scheduler::Schedule",),
    "ec2_transit": ("AWS::EC2::TransitGateway", "AWS::EC2::TransitGatewayAttachment", "AWS::EC2::VPNGateway"),
    "ec2_peering": ("AWS::EC2::VPCPeeringConnection",),
    "ec2_flow_log": ("AWS::EC2::FlowLog",),
    "ec2_endpoint": ("AWS::EC2::VPCEndpoint",),
    "ec2_acl": ("AWS::EC2::NetworkAcl", "AWS::EC2::NetworkAclEntry"),
    "ec2_dhcp": ("AWS::EC2::DHCPOptions",),
    "ec2_key_pair": ("AWS::EC2::KeyPair",),
    "ec2_interface": ("AWS::EC2::NetworkInterface",),
    "ec2_group_rule": ("AWS::EC2::SecurityGroupIngress", "AWS::EC2::SecurityGroupEgress"),
    "ec2_attachment": ("AWS::EC2::VolumeAttachment",),
    "ec2_launch_template": ("AWS::EC2::LaunchTemplate",),
    "autoscaling": ("AWS::AutoScaling::LaunchConfiguration",),
    "iot": (
        "AWS::IoT::Thing",
        "AWS::IoT::ThingType",
        "AWS::IoT::Policy",
        "AWS::IoT::RoleAlias",
        "AWS::IoT::BillingGroup",
        "AWS::IoT::JobTemplate",
    ),
    "rds_groups": ("AWS::RDS::DBParameterGroup", "AWS::RDS::DBSecurityGroup", "AWS::RDS::DBSubnetGroup"),
    "rds": ("AWS::RDS::DBInstance", "AWS::RDS::DBCluster"),
    "redshift": (
        "AWS::Redshift::Cluster",
        "AWS::Redshift::ClusterParameterGroup",
        "AWS::Redshift::ClusterSubnetGroup",
    ),
    "emr": ("AWS::EMR::SecurityConfiguration",),
    "emr_cluster": ("AWS::EMR::Cluster",),
    "emr_groups": ("AWS::EMR::InstanceGroupConfig",),
    "sagemaker": ("AWS::SageMaker::Model", "AWS::SageMaker::EndpointConfig", "AWS::SageMaker::Endpoint"),
    "sagemaker_notebook": ("AWS::SageMaker::NotebookInstance", "AWS::SageMaker::NotebookInstanceLifecycleConfig"),
    "datapipeline": ("AWS::DataPipeline::Pipeline",),
    "route53": ("AWS::Route53::HostedZone",),
    "route53_health": ("AWS::Route53::HealthCheck",),
    "route53_records": ("AWS::Route53::RecordSet",),
    "route53_group": ("AWS::Route53::RecordSetGroup",),
    "elb": ("AWS::ElasticLoadBalancing::LoadBalancer",),
    "ecs_service": ("AWS::ECS::Service",),
    "batch": ("AWS::Batch::ComputeEnvironment", "AWS::Batch::JobQueue"),
    "batch_job": ("AWS::Batch::JobDefinition",),
    "apigateway": ("AWS::ApiGateway::RestApi", "AWS::ApiGateway::Resource"),
    "apigateway_method": ("AWS::ApiGateway::Method",),
    "apigateway_stage": ("AWS::ApiGateway::Deployment", "AWS::ApiGateway::Stage"),
    "ec2_instance": ("AWS::EC2::Instance",),
    "autoscaling_group": ("AWS::AutoScaling::AutoScalingGroup",),
    "autoscaling_policy": ("AWS::AutoScaling::ScheduledAction", "AWS::AutoScaling::ScalingPolicy"),
    "ec2_spot_fleet": ("AWS::EC2::SpotFleet",),
    "elbv2_certificate": ("AWS::ElasticLoadBalancingV2::ListenerCertificate",),
    "codebuild": ("AWS::CodeBuild::Project",),
    "ec2_association": ("AWS::EC2::SubnetNetworkAclAssociation", "AWS::EC2::VPCDHCPOptionsAssociation"),
}
_MODULE_OF = {type_name: module for module, types in MODULES.items() for type_name in types}


class Registry:
    """``ports.Providers`` over AWS. Thread-safe."""

    def __init__(self) -> None:
        self._providers: dict[str, ResourceProvider] = {}
        self._lock = threading.Lock()

    @property
    def types(self) -> frozenset[TypeName]:
        """Every type that has a native provider, without importing any."""
        return frozenset(TypeName(name) for name in _MODULE_OF)

    def get(self, type_name: TypeName) -> ResourceProvider | None:
        """The provider of a type, or None for one that AWS has no handlers for (``schema.why_unmanageable``)."""
        module = _MODULE_OF.get(type_name)
        schema = schema_for(type_name) if module is None else None
        if module is None and (schema is None or not schema.manageable):
            return None
        with self._lock:
            if type_name not in self._providers:
                self._load(type_name, module)
            return self._providers[type_name]

    def _load(self, type_name: TypeName, module: str | None) -> None:
        if module is None:
            from reconciler.providers.cloudcontrol import CloudControl

            self._providers[type_name] = CloudControl(type_name)
            return
        for provider in importlib.import_module(f"{_NATIVE}.{module}").PROVIDERS:
            self._providers[provider.type_name] = provider
