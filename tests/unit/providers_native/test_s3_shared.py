"""Notifications and replication of buckets, in CloudFormation's words and in the API's."""

from __future__ import annotations

from typing import Any

import pytest

from reconciler.model.errors import AwsFault
from reconciler.providers.native.s3_settings import SETTINGS, in_order
from reconciler.providers.native.s3_shared import (
    notification_of_api,
    notification_to_api,
    replication_of_api,
    replication_to_api,
)
from tests.unit.providers_native.scripted import ScriptedScope


def test_notifications_keep_their_meaning_both_ways() -> None:
    value = {
        "LambdaConfigurations": [{"Event": "s3:ObjectCreated:*", "Function": "arn:f"}],
        "TopicConfigurations": [
            {"Event": "s3:A", "Topic": "arn:t", "Filter": {"S3Key": {"Rules": [{"Name": "prefix", "Value": "in/"}]}}}
        ],
        "EventBridgeConfiguration": {"EventBridgeEnabled": True},
    }
    given = notification_to_api(value)
    assert given == {
        "LambdaFunctionConfigurations": [{"LambdaFunctionArn": "arn:f", "Events": ["s3:ObjectCreated:*"]}],
        "TopicConfigurations": [
            {
                "TopicArn": "arn:t",
                "Events": ["s3:A"],
                "Filter": {"Key": {"FilterRules": [{"Name": "prefix", "Value": "in/"}]}},
            }
        ],
        "EventBridgeConfiguration": {},
    }
    assert notification_of_api(given) == value


def test_an_entry_with_several_events_is_several_and_no_bridge_is_a_bridge_that_is_off() -> None:
    shown = notification_of_api({"QueueConfigurations": [{"Id": "x", "QueueArn": "arn:q", "Events": ["s3:A", "s3:B"]}]})
    assert shown == {
        "QueueConfigurations": [{"Event": "s3:A", "Queue": "arn:q"}, {"Event": "s3:B", "Queue": "arn:q"}],
        "EventBridgeConfiguration": {"EventBridgeEnabled": False},
    }
    assert notification_to_api({"EventBridgeConfiguration": {"EventBridgeEnabled": "false"}}) == {}
    assert notification_of_api({}) == {}


def test_replication_keeps_its_meaning_both_ways() -> None:
    rule: dict[str, Any] = {
        "Id": "one",
        "Priority": 1,
        "Status": "Enabled",
        "Filter": {"And": {"Prefix": "a/", "TagFilters": [{"Key": "k", "Value": "v"}]}},
        "DeleteMarkerReplication": {"Status": "Disabled"},
        "SourceSelectionCriteria": {"SseKmsEncryptedObjects": {"Status": "Enabled"}},
        "Destination": {
            "Bucket": "arn:aws:s3:::copies",
            "EncryptionConfiguration": {"ReplicaKmsKeyID": "arn:key"},
            "Metrics": {"Status": "Enabled", "EventThreshold": {"Minutes": 15}},
            "ReplicationTime": {"Status": "Enabled", "Time": {"Minutes": 15}},
        },
    }
    given = replication_to_api({"Role": "arn:role", "Rules": [{**rule, "Priority": "1"}]})
    assert given["Rules"][0]["ID"] == "one"
    assert given["Rules"][0]["Priority"] == 1
    assert given["Rules"][0]["Filter"] == {"And": {"Prefix": "a/", "Tags": [{"Key": "k", "Value": "v"}]}}
    assert replication_of_api(given) == {"Role": "arn:role", "Rules": [rule]}


def test_versions_come_before_what_needs_them_and_go_after_it() -> None:
    versions, copies = "VersioningConfiguration", "ReplicationConfiguration"
    assert in_order({copies: {"Role": "r"}, versions: {"Status": "Enabled"}, "AccessControl": "Private"}) == [
        versions,
        copies,
        "AccessControl",
    ]
    assert in_order({versions: None, copies: None}) == [copies, versions]


def test_object_lock_is_switched_on_and_never_off() -> None:
    scope = ScriptedScope()
    SETTINGS["ObjectLockEnabled"].apply(scope, "b", "true")
    assert [given["ObjectLockConfiguration"] for _, given in scope.asked] == [{"ObjectLockEnabled": "Enabled"}]
    for value in (False, None):
        with pytest.raises(AwsFault, match="can't be taken back"):
            SETTINGS["ObjectLockEnabled"].apply(scope, "b", value)
