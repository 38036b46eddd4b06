"""AWS::Kinesis::Stream."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from reconciler.model.ids import Identifier, TypeName
from reconciler.model.values import Properties
from reconciler.ports import ResourceProvider, Scope
from reconciler.providers.declared import Call, Declaration, Declared, Read, Tagging, Update, Waiting
from reconciler.providers.declared.reading import Item
from reconciler.providers.native.naming import NameRule

_ENCRYPTION = ("StreamEncryption",)
_MONITORED = "DesiredShardLevelMetrics"
_WARM = "WarmThroughputMiBps"
_SHORTEST = 24  # hours

_STREAM = Declaration(
    type=TypeName("AWS::Kinesis::Stream"),
    service="kinesis",
    renames={
        "Name": "StreamName",
        "Arn": "StreamARN",
        "ShardCount": "OpenShardCount",
    },
    naming=NameRule("Name", 128),
    arn="arn:{partition}:kinesis:{region}:{account}:stream/{Name}",
    read=Read("describe_stream_summary", "StreamDescriptionSummary"),
    create=Call(
        "create_stream",
        ("MaxRecordSizeInKiB", "Name", "ShardCount", "StreamModeDetails", _WARM),
        {"ShardCount": "ShardCount"},
    ),
    updates=(
        Update(Call("update_stream_mode", ("StreamModeDetails",), constants={"StreamARN": "{arn}"})),
        Update(
            Call(
                "update_shard_count",
                ("ShardCount",),
                {"ShardCount": "TargetShardCount"},
                {"ScalingType": "UNIFORM_SCALING"},
            )
        ),
        Update(Call("increase_stream_retention_period", ("RetentionPeriodHours",)), later=True),
        Update(
            Call("start_stream_encryption", _ENCRYPTION, spread=_ENCRYPTION),
            clear=Call("stop_stream_encryption", _ENCRYPTION, spread=_ENCRYPTION),
            later=True,
        ),
        Update(
            Call("enable_enhanced_monitoring"), of=(_MONITORED,), clear=Call("disable_enhanced_monitoring"), later=True
        ),
        Update(Call("update_stream_warm_throughput", (_WARM,))),
        Update(Call("update_max_record_size", ("MaxRecordSizeInKiB",), constants={"StreamARN": "{arn}"})),
    ),
    delete=Call("delete_stream", constants={"EnforceConsumerDeletion": True}),
    also=("kinesis:DecreaseStreamRetentionPeriod",),
    tagging=Tagging(
        "add_tags_to_stream",
        "remove_tags_from_stream",
        {"StreamName": "{Name}"},
        read="list_tags_for_stream",
        create="Tags",
        kind="kinesis:stream",
        checked=True,
    ),
    waiting=Waiting("StreamStatus", pending=frozenset({"CREATING", "UPDATING"}), gone=frozenset({"DELETING"})),
    resets={
        "MaxRecordSizeInKiB": 1024,
        "StreamModeDetails": {"StreamMode": "PROVISIONED"},
        "RetentionPeriodHours": _SHORTEST,
    },
)


class Stream(Declared):
    """A stream. What encrypts it is one property in the schema and two parameters in the API."""

    def adapt_observed(self, scope: Scope, item: Item, properties: dict[str, Any]) -> dict[str, Any]:  # noqa: ARG002
        """See ``Declared``."""
        if item.answer.get("EncryptionType", "NONE") != "NONE":
            properties["StreamEncryption"] = {
                "EncryptionType": item.answer["EncryptionType"],
                "KeyId": item.answer.get("KeyId"),
            }
        warm = item.answer.get("WarmThroughput")
        if warm:
            properties |= {"WarmThroughputObject": dict(warm), _WARM: warm.get("TargetMiBps")}
        levels = item.answer.get("EnhancedMonitoring") or [{}]
        metrics = sorted(levels[0].get("ShardLevelMetrics") or ())
        return {**properties, _MONITORED: metrics} if metrics else properties

    def change(
        self, scope: Scope, identifier: Identifier, update: Update, before: Properties, after: Properties
    ) -> None:
        """See ``Declared``: keeping records for longer is one operation, for a shorter time another."""
        if update.names == {_MONITORED}:
            _monitor(scope, identifier, set(before.get(_MONITORED) or ()), set(after.get(_MONITORED) or ()))
            return
        hours = int(before.get("RetentionPeriodHours") or _SHORTEST)
        if int(after.get("RetentionPeriodHours") or hours) < hours:
            update = replace(update, call=replace(update.call, operation="decrease_stream_retention_period"))
        super().change(scope, identifier, update, before, after)


def _monitor(scope: Scope, stream: str, before: set[str], after: set[str]) -> None:
    """Measure shards by what is wanted, and by nothing else."""
    if stale := sorted(before - after):
        scope.call("kinesis", "disable_enhanced_monitoring", StreamName=stream, ShardLevelMetrics=stale)
    if fresh := sorted(after - before):
        scope.call("kinesis", "enable_enhanced_monitoring", StreamName=stream, ShardLevelMetrics=fresh)


PROVIDERS: tuple[ResourceProvider, ...] = (Stream(_STREAM),)
