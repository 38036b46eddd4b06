"""What is lost for good when a resource is deleted: said before the approval, and again if it comes to an undo."""

from __future__ import annotations

from collections.abc import Mapping

from reconciler.model.ids import TypeName
from reconciler.model.values import Properties
from reconciler.schema import TypeSchema, identifier_of

#: What may be gone by the time that it is made again. AWS deletes a bucket only when it is empty.
_AT_RISK: Mapping[str, tuple[str, ...]] = {"AWS::S3::Bucket": ("its name, if somebody else takes it meanwhile",)}
#: What goes with a resource of a type, beside its properties.
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
    "AWS::SNS::Topic": ("subscriptions to it",),
    "AWS::SQS::Queue": ("the messages in it",),
    "AWS::SSM::Parameter": ("its earlier versions",),
    "AWS::SecretsManager::Secret": ("30 days from then on, its values",),
}
#: Their deletion is taken back, so that they come back as they were.
_REVIVED = frozenset({"AWS::KMS::Key", "AWS::SecretsManager::Secret"})


def loss_of(
    schema: TypeSchema | None,
    type_name: TypeName,
    live: Properties,
    applied: Properties | None = None,
    *,
    made_again: bool = False,
) -> tuple[str, ...]:
    """What making the resource again from ``live`` would not bring back, in words; empty: all of it comes back.

    ``applied``: what a plan last set, by which write-only properties are known that AWS never returns.
    ``made_again``: it has been, so what was only at risk isn't lost.
    """
    lost = (*(() if made_again else _AT_RISK.get(type_name, ())), *_WITH_IT.get(type_name, ()))
    if schema is None or type_name in _REVIVED:
        return lost
    hidden = sorted(name for name in applied or {} if schema.is_secret((name,)) and name not in live)
    anew = ("its identifier: a new one is given",) if _generated(schema, live) else ()
    return (*anew, *lost, *(f"its {name}, which AWS never returns" for name in hidden))


def _generated(schema: TypeSchema, live: Properties) -> bool:
    """Whether AWS makes the identifier up, rather than from what it is given: a name, or what it belongs to."""
    parts = [name for name in schema.primary_identifier if (*name.split("/"),) in schema.read_only]
    if not parts:
        return False
    identifier = identifier_of(schema, live) or ""
    fixed = [live.get(path[0]) for path in schema.create_only if len(path) == 1 and path not in schema.read_only]
    return not any(isinstance(text, str) and len(text) > 1 and text in identifier for text in fixed)
