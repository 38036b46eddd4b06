"""AWS::Kinesis::Stream. moto has no MaxRecordSizeInKiB."""

from __future__ import annotations

from tests.contract.providers_native.cases import ABSENT, OTHER_TAGS, TAGS, Case

STREAM = Case(
    "AWS::Kinesis::Stream",
    {
        "Name": "contract-stream",
        "ShardCount": 2,
        "RetentionPeriodHours": 48,
        "DesiredShardLevelMetrics": ["OutgoingBytes", "IncomingBytes"],
        "StreamEncryption": {"EncryptionType": "KMS", "KeyId": "alias/aws/kinesis"},
        "Tags": TAGS,
    },
    changes={
        "ShardCount": 4,
        "RetentionPeriodHours": 72,
        "DesiredShardLevelMetrics": ["IncomingBytes", "IncomingRecords"],
        "Tags": OTHER_TAGS,
    },
    resets={
        "RetentionPeriodHours": 24,
        "DesiredShardLevelMetrics": ABSENT,
        "StreamEncryption": ABSENT,
        "Tags": ABSENT,
    },
    attributes=("Arn",),
    foreign=lambda clients: clients("kinesis").create_stream(StreamName="contract-foreign", ShardCount=1),
    deny=("kinesis", "DescribeStreamSummary"),
    name="Name",
    searchable=False,
)

# moto has no warm throughput: ``testing/taught`` adds it.
WARM = Case(
    "AWS::Kinesis::Stream",
    {
        "Name": "contract-warm",
        "StreamModeDetails": {"StreamMode": "ON_DEMAND"},
        "WarmThroughputMiBps": 100,
        "Tags": TAGS,
    },
    changes={"WarmThroughputMiBps": 50},
    attributes=("Arn", "WarmThroughputObject"),
    deny=("kinesis", "DescribeStreamSummary"),
    name="Name",
    searchable=False,
    label="Kinesis-Stream-on-demand",
)

CASES = (STREAM, WARM)
