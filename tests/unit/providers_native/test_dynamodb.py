"""Tables change one call at a time, and each takes a while: what moto, always ready at once, can't show."""

from __future__ import annotations

import json
from typing import Any

import pytest

from reconciler.model.errors import AwsFault, FaultKind
from reconciler.model.ids import Identifier
from reconciler.model.progress import Done, Handle, Pending
from reconciler.model.resource import Unreadable, Wanted
from reconciler.providers.native.dynamodb import Table
from reconciler.providers.native.dynamodb_changes import calls_of
from reconciler.providers.native.dynamodb_shapes import table_properties
from reconciler.providers.native.frame import Change
from tests.unit.providers_native.scripted import ScriptedScope

NAME = Identifier("t")


def index(name: str, key: str = "k", capacity: int = 1) -> dict[str, Any]:
    return {
        "IndexName": name,
        "KeySchema": [{"AttributeName": key, "KeyType": "HASH"}],
        "Projection": {"ProjectionType": "ALL"},
        "ProvisionedThroughput": {"ReadCapacityUnits": capacity, "WriteCapacityUnits": capacity},
    }


def described(status: str, **more: Any) -> dict[str, Any]:
    return {"Table": {"TableName": "t", "TableArn": "arn", "TableStatus": status, **more}}


def change(before: dict[str, Any], after: dict[str, Any]) -> Change:
    names = {name for name in before.keys() | after.keys() if before.get(name) != after.get(name)}
    return Change(before, after, frozenset(names))


def test_another_stream_view_needs_another_stream() -> None:
    calls = calls_of(
        change({"StreamSpecification": {"StreamViewType": "A"}}, {"StreamSpecification": {"StreamViewType": "B"}})
    )
    assert [call[1]["StreamSpecification"] for call in calls] == [
        {"StreamEnabled": False},
        {"StreamEnabled": True, "StreamViewType": "B"},
    ]


def test_encryption_is_switched_off_by_dropping_it() -> None:
    assert calls_of(change({"SSESpecification": {"SSEEnabled": True}}, {})) == [
        ("update_table", {"SSESpecification": {"Enabled": False}})
    ]


def test_indexes_are_dropped_scaled_and_added_in_that_order() -> None:
    before = {"GlobalSecondaryIndexes": [index("gone"), index("grown"), index("turned", "a")]}
    after = {"GlobalSecondaryIndexes": [index("grown", capacity=9), index("turned", "b"), index("new")]}
    done = [
        next(iter(u)) + ":" + next(iter(u.values()))["IndexName"]
        for _, p in calls_of(change(before, after))
        for u in p["GlobalSecondaryIndexUpdates"]
    ]
    assert done == ["Delete:gone", "Delete:turned", "Update:grown", "Create:new", "Create:turned"]


def test_only_what_is_to_be_warmer_is_asked_for() -> None:
    warm = {"ReadUnitsPerSecond": 24000, "WriteUnitsPerSecond": 4000}
    before = {"WarmThroughput": warm, "GlobalSecondaryIndexes": [{**index("i"), "WarmThroughput": warm}]}
    more, less = {**warm, "WriteUnitsPerSecond": 9000}, {"ReadUnitsPerSecond": 12000}
    after = {"WarmThroughput": more, "GlobalSecondaryIndexes": [{**index("i"), "WarmThroughput": more}]}
    update = {"Update": {"IndexName": "i", "WarmThroughput": {"WriteUnitsPerSecond": 9000}}}
    assert calls_of(change(before, after)) == [
        (
            "update_table",
            {"WarmThroughput": {"WriteUnitsPerSecond": 9000}, "GlobalSecondaryIndexUpdates": [update]},
        )
    ]
    assert calls_of(change(before, {**before, "WarmThroughput": less})) == []


def test_a_table_that_is_getting_warmer_is_busy() -> None:
    rising = described("ACTIVE", WarmThroughput={"Status": "UPDATING"})
    index_rising = described("ACTIVE", GlobalSecondaryIndexes=[{"IndexName": "i", **rising["Table"]}])
    scope = ScriptedScope(describe_table=[rising, index_rising, described("ACTIVE")])
    for _ in range(2):
        waiting = Table().poll(scope, Handle(NAME, "[]"))
        assert isinstance(waiting, Pending)
        assert waiting.message == "table t: warm throughput is rising"
    assert Table().poll(scope, Handle(NAME, "[]")) == Done(NAME)


def test_going_on_demand_names_no_capacity() -> None:
    before = {"BillingMode": "PROVISIONED", "ProvisionedThroughput": {"ReadCapacityUnits": 1, "WriteCapacityUnits": 1}}
    assert calls_of(change(before, {"BillingMode": "PAY_PER_REQUEST"})) == [
        ("update_table", {"BillingMode": "PAY_PER_REQUEST"})
    ]


def test_a_create_waits_and_goes_on_after_a_restart() -> None:
    scope = ScriptedScope(create_table=[{"TableDescription": {"TableName": "t", "TableStatus": "CREATING"}}])
    desired = {
        "TableName": "t",
        "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}],
        "TimeToLiveSpecification": {"AttributeName": "x", "Enabled": True},
        "PointInTimeRecoverySpecification": {"PointInTimeRecoveryEnabled": True},
    }
    progress = Table()._create(scope, "t", desired, {})
    assert isinstance(progress, Pending)
    assert [name for name, _ in scope.asked] == ["create_table"]
    later = ScriptedScope(describe_table=[described("ACTIVE")])
    assert Table().poll(later, progress.handle) == Done(NAME)
    assert [name for name, _ in later.asked if name != "describe_table"] == [
        "update_time_to_live",
        "update_continuous_backups",
    ]


def test_an_index_being_built_is_waited_for() -> None:
    busy = described("ACTIVE", GlobalSecondaryIndexes=[{"IndexName": "i", "IndexStatus": "CREATING"}])
    scope = ScriptedScope(describe_table=[described("ACTIVE"), busy])
    after = {"GlobalSecondaryIndexes": [index("i")], "TableClass": "STANDARD"}
    progress = Table().update(scope, NAME, {}, after, frozenset(after))
    assert isinstance(progress, Pending)
    assert [operation for operation, _ in json.loads(progress.handle.kind)] == ["update_table"]
    assert "index i is CREATING" in progress.message


def test_a_table_made_this_moment_may_not_be_seen_yet() -> None:
    made = {"TableDescription": {"TableName": "t", "TableStatus": "ACTIVE", "TableArn": "arn:t"}}
    scope = ScriptedScope(create_table=[made], update_time_to_live=[AwsFault(FaultKind.NOT_FOUND, "no")])
    desired = {"KeySchema": [], "TimeToLiveSpecification": {"AttributeName": "x", "Enabled": True}}
    assert isinstance(Table()._create(scope, "t", desired, {}), Pending)


def test_deleting_is_done_when_the_table_is_gone() -> None:
    scope = ScriptedScope(describe_table=[described("ACTIVE"), described("DELETING")])
    progress = Table().delete(scope, NAME)
    assert isinstance(progress, Pending)
    gone = ScriptedScope(describe_table=[AwsFault(FaultKind.NOT_FOUND, "no")])
    assert Table().poll(gone, progress.handle) == Done(NAME)


def test_a_table_being_deleted_is_unknown_not_absent() -> None:
    scope = ScriptedScope(describe_table=[described("DELETING")])
    assert isinstance(Table().read_many(scope, [Wanted(NAME)])[NAME], Unreadable)


def test_a_table_that_will_never_be_ready_is_an_error() -> None:
    scope = ScriptedScope(describe_table=[described("INACCESSIBLE_ENCRYPTION_CREDENTIALS")])
    with pytest.raises(AwsFault, match="INACCESSIBLE"):
        Table().update(scope, NAME, {}, {"TableClass": "STANDARD"}, frozenset({"TableClass"}))


def test_on_demand_tables_show_no_capacity() -> None:
    zero = {"ReadCapacityUnits": 0, "WriteCapacityUnits": 0}
    table = described("ACTIVE", BillingModeSummary={"BillingMode": "PAY_PER_REQUEST"}, ProvisionedThroughput=zero)[
        "Table"
    ]
    assert "ProvisionedThroughput" not in table_properties(table)
