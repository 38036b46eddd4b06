"""What carries messages and what watches: AWS::SQS, SNS, AmazonMQ, Events, CloudWatch, Logs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from reconciler.pipeline.aws.rules import (
    TAGS,
    Apart,
    As,
    AwsType,
    First,
    Inside,
    Json,
    Nested,
    Pairs,
    Rules,
    names,
    never,
)


def _target(identifier: str, item: Any) -> str | None:
    name = item.get("Id") if isinstance(item, Mapping) else None
    return f"{identifier}/{name}" if isinstance(name, str) else None


_METRIC: Rules = {
    **names("MetricName Namespace"),
    "Dimensions": Pairs("dimensions", "Name"),
}

TYPES: Mapping[str, AwsType] = {
    "AWS::SQS::Queue": AwsType(
        "aws_sqs_queue",
        {
            **names(
                "ContentBasedDeduplication DeduplicationScope DelaySeconds FifoQueue FifoThroughputLimit "
                "KmsDataKeyReusePeriodSeconds KmsMasterKeyId SqsManagedSseEnabled",
                MaximumMessageSize="max_message_size",
                MessageRetentionPeriod="message_retention_seconds",
                QueueName="name",
                ReceiveMessageWaitTimeSeconds="receive_wait_time_seconds",
                VisibilityTimeout="visibility_timeout_seconds",
            ),
            "RedriveAllowPolicy": Json("redrive_allow_policy"),
            "RedrivePolicy": Json("redrive_policy"),
            **TAGS,
        },
        ref="url",
        attributes={"Arn": "arn", "QueueName": "name", "QueueUrl": "url"},
    ),
    "AWS::SQS::QueuePolicy": AwsType(
        "aws_sqs_queue_policy",
        {"PolicyDocument": Json("policy"), "Queues": First(As("queue_url"))},
        imported=never,
    ),
    "AWS::SNS::Topic": AwsType(
        "aws_sns_topic",
        {
            **names(
                "ContentBasedDeduplication DisplayName FifoThroughputScope FifoTopic KmsMasterKeyId SignatureVersion "
                "TracingConfig",
                TopicName="name",
            ),
            "ArchivePolicy": Json("archive_policy"),
            "Subscription": Apart("aws_sns_topic_subscription", "", "topic_arn", names("Endpoint Protocol"), to="arn"),
            **TAGS,
        },
        ref="arn",
        attributes={"TopicArn": "arn", "TopicName": "name"},
    ),
    "AWS::SNS::Subscription": AwsType(
        "aws_sns_topic_subscription",
        {
            **names("Endpoint FilterPolicyScope Protocol RawMessageDelivery SubscriptionRoleArn TopicArn"),
            "DeliveryPolicy": Json("delivery_policy"),
            "FilterPolicy": Json("filter_policy"),
            "RedrivePolicy": Json("redrive_policy"),
        },
        ref="arn",
        needs=("Endpoint",),
    ),
    "AWS::SNS::TopicPolicy": AwsType(
        "aws_sns_topic_policy", {"PolicyDocument": Json("policy"), "Topics": First(As("arn"))}, imported=never
    ),
    "AWS::Events::Rule": AwsType(
        "aws_cloudwatch_event_rule",
        {
            **names("Description Name RoleArn ScheduleExpression State"),
            "EventPattern": Json("event_pattern"),
            "Targets": Apart(
                "aws_cloudwatch_event_target",
                "",
                "rule",
                {
                    **names("Arn Input InputPath RoleArn", Id="target_id"),
                    "DeadLetterConfig": Nested("dead_letter_config", names("Arn")),
                    "InputTransformer": Nested(
                        "input_transformer", names("InputTemplate", InputPathsMap="input_paths")
                    ),
                    "RetryPolicy": Nested("retry_policy", names("MaximumEventAgeInSeconds MaximumRetryAttempts")),
                    "SqsParameters": Nested("sqs_target", names("MessageGroupId")),
                },
                to="name",
                imported=_target,
            ),
            **TAGS,
        },
        ref="name",
        attributes={"Arn": "arn"},
        imported=lambda identifier, _live: identifier.split("|")[-1].rsplit("/", 1)[-1],
    ),
    "AWS::CloudWatch::Alarm": AwsType(
        "aws_cloudwatch_metric_alarm",
        {
            **names(
                "ActionsEnabled AlarmActions AlarmDescription AlarmName ComparisonOperator DatapointsToAlarm "
                "EvaluationPeriods ExtendedStatistic InsufficientDataActions Period Statistic Threshold "
                "ThresholdMetricId TreatMissingData Unit",
                EvaluateLowSampleCountPercentile="evaluate_low_sample_count_percentiles",
                OKActions="ok_actions",
            ),
            **_METRIC,
            "Metrics": Nested(
                "metric_query",
                {
                    **names("AccountId Expression Id Label Period ReturnData"),
                    "MetricStat": Nested(
                        "metric",
                        {
                            **names("Period Stat Unit"),
                            "Metric": Inside(_METRIC, needs=("MetricName",)),
                        },
                    ),
                },
            ),
            **TAGS,
        },
        attributes={"Arn": "arn"},
        needs=("AlarmName", "ComparisonOperator", "EvaluationPeriods"),
    ),
    "AWS::AmazonMQ::Broker": AwsType(
        "aws_mq_broker",
        {
            **names(
                "AuthenticationStrategy AutoMinorVersionUpgrade BrokerName DataReplicationMode "
                "DataReplicationPrimaryBrokerArn DeploymentMode EngineType EngineVersion HostInstanceType "
                "PubliclyAccessible SecurityGroups StorageType SubnetIds"
            ),
            "Configuration": Nested("configuration", names("Id Revision")),
            "EncryptionOptions": Nested("encryption_options", names("KmsKeyId UseAwsOwnedKey")),
            "LdapServerMetadata": Nested(
                "ldap_server_metadata",
                names(
                    "Hosts RoleBase RoleName RoleSearchMatching RoleSearchSubtree ServiceAccountPassword "
                    "ServiceAccountUsername UserBase UserRoleName UserSearchMatching UserSearchSubtree"
                ),
            ),
            "Logs": Nested("logs", names("Audit General")),
            "MaintenanceWindowStartTime": Nested(
                "maintenance_window_start_time", names("DayOfWeek TimeOfDay TimeZone")
            ),
            "Users": Nested("user", names("ConsoleAccess Groups Password ReplicationUser Username")),
            **TAGS,
        },
        attributes={"Arn": "arn", "Id": "id"},
        needs=("EngineVersion", "Users"),
    ),
    "AWS::Logs::LogGroup": AwsType(
        "aws_cloudwatch_log_group",
        names("DeletionProtectionEnabled KmsKeyId LogGroupClass RetentionInDays", LogGroupName="name") | TAGS,
        ref="name",
        attributes={"Arn": "arn|:*"},
    ),
}
