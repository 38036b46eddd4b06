"""What is lost for good when a resource is deleted: said before the approval, and again if it comes to an undo."""

from __future__ import annotations

from collections.abc import Mapping

from reconciler.model.ids import TypeName
from reconciler.model.values import Properties
from reconciler.schema import TypeSchema

#: What goes with a resource of a type, beside its properties. AWS deletes a bucket only when it is empty.
_WITH_IT: Mapping[str, tuple[str, ...]] = {
    "AWS::CloudWatch::Alarm": ("its history",),
    "AWS::CodeCommit::Repository": ("the commits in it",),
    "AWS::Cognito::UserPool": ("the users in it",),
    "AWS::DynamoDB::GlobalTable": ("the items in it",),
    "AWS::DynamoDB::Table": ("the items in it",),
    "AWS::EC2::EIP": ("its public address",),
    "AWS::EC2::Instance": ("what is on its disks and in its memory",),
    "AWS::EC2::NatGateway": ("connections through it",),
    "AWS::EC2::Volume": ("the data on it",),
    "AWS::ECR::Repository": ("the images in it",),
    "AWS::EFS::FileSystem": ("the files in it",),
    "AWS::ElastiCache::CacheCluster": ("the data in it",),
    "AWS::ElastiCache::ReplicationGroup": ("the data in it",),
    "AWS::IAM::AccessKey": ("its secret",),
    "AWS::IAM::ManagedPolicy": ("its earlier versions",),
    "AWS::IAM::Role": ("its unique id, which policies elsewhere that trust it hold on to",),
    "AWS::IAM::User": ("its unique id, its password and access keys",),
    "AWS::KMS::Key": ("30 days from then on, all that is encrypted with it",),
    "AWS::Kinesis::Stream": ("the records in it",),
    "AWS::Lambda::Function": ("its published versions",),
    "AWS::Logs::LogGroup": ("the log events in it",),
    "AWS::OpenSearchService::Domain": ("the data in it",),
    "AWS::RDS::DBCluster": ("the data in it",),
    "AWS::RDS::DBInstance": ("the data in it",),
    "AWS::Redshift::Cluster": ("the data in it",),
    "AWS::S3::Bucket": ("its name, if somebody else takes it meanwhile",),
    "AWS::SNS::Topic": ("subscriptions to it",),
    "AWS::SQS::Queue": ("the messages in it",),
    "AWS::SSM::Parameter": ("its earlier versions",),
    "AWS::SecretsManager::Secret": ("its earlier versions",),
}
#: Their deletion is taken back, so that they come back as they were.
_REVIVED = frozenset({"AWS::KMS::Key"})


def loss_of(
    schema: TypeSchema | None, type_name: TypeName, live: Properties, applied: Properties | None = None
) -> tuple[str, ...]:
    """What making the resource again from ``live`` would not bring back, in words; empty: all of it comes back.

    ``applied``: what a plan last set, by which write-only properties are known that AWS never returns.
    """
    lost = list(_WITH_IT.get(type_name, ()))
    if schema is None or type_name in _REVIVED:
        return tuple(lost)
    generated = [name for name in schema.primary_identifier if (*name.split("/"),) in schema.read_only]
    if generated:
        lost.insert(0, "its identifier: a new one is given")
    hidden = sorted(name for name in applied or {} if schema.is_secret((name,)) and name not in live)
    return (*lost, *(f"its {name}, which AWS never returns" for name in hidden))
