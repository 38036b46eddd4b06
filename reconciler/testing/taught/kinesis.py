"""Kinesis: streams on demand that are warmed before they are needed."""

from __future__ import annotations

from typing import Any

from moto.core.responses import ActionResult
from moto.kinesis.models import Stream
from moto.kinesis.responses import KinesisResponse

from reconciler.testing.taught.lesson import Lesson, adds, changes, remembered

_create, _summary = KinesisResponse.create_stream, Stream.to_json_summary


def _warm(self: Any, stream: Any) -> dict[str, Any]:
    rate = self._get_param("WarmThroughputMiBps")
    warm = remembered(stream, "warm")
    warm["WarmThroughput"] = {"TargetMiBps": rate, "CurrentMiBps": rate}
    return warm


def create_stream(self: Any) -> Any:
    """CreateStream."""
    answer = _create(self)
    if self._get_param("WarmThroughputMiBps"):
        _warm(self, self.kinesis_backend.streams[self._get_param("StreamName")])
    return answer


def update_stream_warm_throughput(self: Any) -> Any:
    """UpdateStreamWarmThroughput."""
    stream = self.kinesis_backend.describe_stream(self._get_param("StreamARN"), self._get_param("StreamName"))
    return ActionResult({"StreamName": stream.stream_name, **_warm(self, stream)})


def to_json_summary(self: Any) -> dict[str, Any]:
    """What DescribeStreamSummary shows of a stream."""
    shown: dict[str, Any] = _summary(self)["StreamDescriptionSummary"]
    return {"StreamDescriptionSummary": {**shown, **remembered(self, "warm")}}


LESSONS = (
    Lesson(
        call="kinesis:UpdateStreamWarmThroughput",
        aws="keeps how much a stream on demand is to be ready for",
        moto="has no such operation, and forgets what CreateStream says of it",
        given=(
            adds(KinesisResponse, update_stream_warm_throughput),
            changes(KinesisResponse, create_stream),
            changes(Stream, to_json_summary),
        ),
    ),
)
