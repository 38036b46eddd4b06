"""Who wrote last, from answers of CloudTrail's documented shape: an emulator records too little to try all this."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from reconciler.model.decision import Identity
from reconciler.model.errors import AwsFault, FaultKind
from reconciler.model.ids import Identifier
from reconciler.providers.trail import last_writer

AT = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
OURS = "arn:aws:sts::111111111111:assumed-role/reconciler/run-1"
MALLORY = "arn:aws:iam::111111111111:user/mallory"
JOBS = Identifier("https://sqs.us-east-1.amazonaws.com/111111111111/jobs")


def event(who: str, name: str = "SetQueueAttributes", minute: int = 0, **more: Any) -> dict[str, Any]:
    """As LookupEvents documents it: strings for ReadOnly, the whole record as JSON inside."""
    record = {"eventVersion": "1.09", "userIdentity": {"type": "IAMUser", "arn": who}, "eventName": name}
    record |= more.pop("record", {})
    return {
        "EventId": f"{minute}",
        "EventName": name,
        "ReadOnly": "false",
        "EventTime": AT + timedelta(minutes=minute),
        "EventSource": "sqs.amazonaws.com",
        "Username": who.rsplit("/", 1)[-1],
        "Resources": [{"ResourceType": "AWS::SQS::Queue", "ResourceName": str(JOBS)}],
        "CloudTrailEvent": json.dumps(record),
        **more,
    }


class Trail:
    """A scope whose CloudTrail holds events by resource name."""

    identity = Identity("111111111111", OURS)

    def __init__(self, answer: Any, name: str = JOBS) -> None:
        self.answer, self.name, self.asked = answer, name, []

    def call(self, service: str, operation: str, /, **parameters: Any) -> Mapping[str, Any]:
        assert (service, operation) == ("cloudtrail", "lookup_events")
        self.asked.append(parameters)
        if isinstance(self.answer, Exception):
            raise self.answer
        (attribute,) = parameters["LookupAttributes"]
        return self.answer if attribute["AttributeValue"] == self.name else {"Events": []}


def told(*events: dict[str, Any], name: str = JOBS) -> str:
    return last_writer(Trail({"Events": list(events)}, name), JOBS, AT)  # type: ignore[arg-type]


def test_the_newest_write_of_somebody_else_is_named() -> None:
    eve = MALLORY.replace("mallory", "eve")
    assert (
        told(event(MALLORY, minute=3), event(eve, minute=1), event(OURS, minute=5)) == f"{MALLORY} (SetQueueAttributes)"
    )


def test_reads_refused_calls_and_ourselves_dont_count() -> None:
    assert told(event(MALLORY, "GetQueueAttributes", ReadOnly="true")) == ""
    assert told(event(MALLORY, record={"errorCode": "AccessDenied"})) == ""
    assert told(event(OURS), event(OURS.replace("run-1", "run-2"))) == ""


def test_it_asks_from_the_last_repair_on_and_by_the_name_too() -> None:
    trail = Trail({"Events": [event(MALLORY)]}, "jobs")
    assert last_writer(trail, JOBS, AT) != ""  # type: ignore[arg-type]
    assert [asked["LookupAttributes"][0]["AttributeValue"] for asked in trail.asked] == [JOBS, "jobs"]
    assert {asked["StartTime"] for asked in trail.asked} == {AT}


def test_an_aws_service_is_named_by_its_name() -> None:
    by = {"userIdentity": {"type": "AWSService", "invokedBy": "autoscaling.amazonaws.com"}}
    assert told(event("", record=by)) == "autoscaling.amazonaws.com (SetQueueAttributes)"


def test_names_of_others_stay_on_one_short_line() -> None:
    answer = told(event("arn:aws:iam::1:user/a\nb\x1b[31m" + "x" * 500))
    assert answer.isprintable()
    assert len(answer) == 200


@pytest.mark.parametrize(
    "answer",
    [
        AwsFault(FaultKind.ACCESS_DENIED, "no cloudtrail:LookupEvents"),
        AwsFault(FaultKind.INTERNAL, "not implemented here"),
        {},
        {"Events": [{"EventTime": AT}]},
        {"Events": [{}]},
        {"Events": [event(MALLORY, CloudTrailEvent="{")]},
        {"Events": [event(MALLORY, CloudTrailEvent="[]")]},
        {"Events": 5},
    ],
    ids=str,
)
def test_whatever_it_answers_nothing_breaks(answer: Any) -> None:
    assert last_writer(Trail(answer), JOBS, AT) == ""  # type: ignore[arg-type]
