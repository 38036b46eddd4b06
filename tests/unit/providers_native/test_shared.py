"""Names, tags in bulk, and the bucket settings that moto doesn't hold."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.model.errors import AwsFault, FaultKind
from reconciler.model.ids import Identifier, LogicalId, Owner, PlanName
from reconciler.model.progress import Done
from reconciler.model.values import Unknown
from reconciler.providers.native import s3_shapes as shapes
from reconciler.providers.native.logs import LogGroup
from reconciler.providers.native.naming import NameRule
from reconciler.providers.native.s3_settings import SETTINGS
from reconciler.providers.native.tagging import bulk_tags, owned_arns
from reconciler.providers.registry import Registry
from reconciler.schema import schema_for
from tests.unit.providers_native.scripted import ScriptedScope

plans = st.from_regex(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?", fullmatch=True).map(PlanName)
logical_ids = st.from_regex(r"[A-Za-z0-9]{1,255}", fullmatch=True).map(LogicalId)
owners = st.builds(Owner, plans, logical_ids)
ME = Owner(PlanName("web"), LogicalId("Bucket"))


@given(owners)
def test_generated_names_are_what_services_allow(owner: Owner) -> None:
    scope = ScriptedScope()
    bucket = NameRule("BucketName", 63, lower=True).name({}, owner, scope)
    assert bucket is not None
    assert re.fullmatch(r"[a-z0-9][a-z0-9-]{1,61}[a-z0-9]", bucket)
    assert not bucket.startswith(("xn--", "sthree-", "amzn-s3-demo-"))
    queue = NameRule("QueueName", 80, fifo="FifoQueue").name({"FifoQueue": "true"}, owner, scope)
    assert queue is not None
    assert re.fullmatch(r"[A-Za-z0-9_-]{1,75}\.fifo", queue)
    parameter = NameRule("Name", 1000).name({}, owner, scope)
    assert parameter is not None
    assert not parameter.lower().startswith(("aws", "ssm"))


@given(owners, owners)
def test_generated_names_differ_by_owner(one: Owner, other: Owner) -> None:
    rule = NameRule("RoleName", 64)
    names = {rule.name({}, one, ScriptedScope()), rule.name({}, other, ScriptedScope())}
    assert len(names) == len({one, other})


def test_a_name_that_is_not_known_is_none() -> None:
    rule = NameRule("RoleName", 64, distinct=("Path",))
    assert rule.name({"RoleName": Unknown("A.Name")}, ME, ScriptedScope()) is None
    assert rule.name({"Path": Unknown("A.Path")}, ME, ScriptedScope()) is None
    assert rule.name({}, None, ScriptedScope()) is None


def mapping(arn: str, **tags: str) -> dict[str, Any]:
    owned = {"reconciler:plan": "web", "reconciler:id": arn, **tags}
    return {"ResourceARN": arn, "Tags": [{"Key": key, "Value": value} for key, value in owned.items()]}


def test_an_answer_cut_short_is_asked_for_the_rest() -> None:
    scope = ScriptedScope(
        get_resources=[
            {"ResourceTagMappingList": [mapping("a"), mapping("b")], "PaginationToken": "more"},
            {"ResourceTagMappingList": [mapping("c")]},
        ]
    )
    assert set(bulk_tags(scope, ["a", "b", "c", "d"])) == {"a", "b", "c"}
    assert [parameters["ResourceARNList"] for _, parameters in scope.asked] == [["a", "b", "c", "d"], ["c", "d"]]


def test_a_hundred_are_asked_for_at_a_time() -> None:
    scope = ScriptedScope(get_resources=[{"ResourceTagMappingList": []}])
    assert bulk_tags(scope, [str(number) for number in range(250)]) == {}
    assert [len(parameters["ResourceARNList"]) for _, parameters in scope.asked] == [100, 100, 50]


def test_a_refused_search_finds_nothing_and_half_owned_is_not_owned() -> None:
    refused = AwsFault(FaultKind.ACCESS_DENIED, "no")
    assert owned_arns(ScriptedScope(get_resources=[refused]), "sqs:queue", ME) == []
    assert bulk_tags(ScriptedScope(get_resources=[refused]), ["a"]) == {}
    half = {"ResourceARN": "a", "Tags": [{"Key": "reconciler:plan", "Value": "web"}]}
    assert bulk_tags(ScriptedScope(get_resources=[{"ResourceTagMappingList": [half]}]), ["a"]) == {}


@pytest.mark.parametrize(
    "rule",
    [
        {"Id": "a", "Status": "Enabled", "ExpirationInDays": 3},
        {"Status": "Enabled", "Prefix": "p/", "ObjectSizeGreaterThan": "10", "ObjectSizeLessThan": "20"},
        {"Status": "Enabled", "TagFilters": [{"Key": "k", "Value": "v"}], "ExpiredObjectDeleteMarker": True},
        {"Status": "Disabled", "Prefix": "p", "TagFilters": [{"Key": "k", "Value": "v"}, {"Key": "l", "Value": ""}]},
        {"Status": "Enabled", "Transitions": [{"StorageClass": "GLACIER", "TransitionInDays": 1}]},
        {"Status": "Enabled", "NoncurrentVersionTransitions": [{"StorageClass": "GLACIER", "TransitionInDays": 4}]},
        {"Status": "Enabled", "NoncurrentVersionExpiration": {"NoncurrentDays": 1, "NewerNoncurrentVersions": 2}},
    ],
)
def test_a_lifecycle_rule_comes_back_as_it_went(rule: dict[str, Any]) -> None:
    assert shapes.lifecycle_of_api(shapes.lifecycle_to_api({"Rules": [rule]})) == {"Rules": [rule]}


def test_dates_come_back_as_templates_write_them() -> None:
    api = {"Rules": [{"Status": "Enabled", "Expiration": {"Date": datetime(2027, 1, 2, tzinfo=UTC)}}]}
    assert shapes.lifecycle_of_api(api)["Rules"][0]["ExpirationDate"] == "2027-01-02T00:00:00Z"


def test_logging_goes_to_the_named_bucket_or_itself_and_is_switched_off() -> None:
    scope = ScriptedScope()
    logging = SETTINGS["LoggingConfiguration"]
    logging.apply(scope, "b", {"DestinationBucketName": "logs", "LogFilePrefix": "b/"})
    logging.apply(scope, "b", {})
    logging.apply(scope, "b", None)
    assert [parameters["BucketLoggingStatus"] for _, parameters in scope.asked] == [
        {"LoggingEnabled": {"TargetBucket": "logs", "TargetPrefix": "b/"}},
        {"LoggingEnabled": {"TargetBucket": "b", "TargetPrefix": ""}},
        {},
    ]


def test_a_log_groups_key_is_associated_and_taken_back() -> None:
    scope, name = ScriptedScope(), Identifier("g")
    assert LogGroup().update(scope, name, {}, {"KmsKeyId": "arn"}, frozenset({"KmsKeyId"})) == Done(name)
    LogGroup().update(scope, name, {"KmsKeyId": "arn"}, {}, frozenset({"KmsKeyId"}))
    assert [operation for operation, _ in scope.asked] == ["associate_kms_key", "disassociate_kms_key"]


@pytest.mark.parametrize("service", ["S3", "IAM", "SQS", "SNS", "DynamoDB", "Logs", "SSM", "KMS"])
def test_what_is_supported_exists_and_what_is_create_only_is_fixed(service: str) -> None:
    registry = Registry()
    mine = [registry.get(name) for name in registry.types if name.startswith(f"AWS::{service}::")]
    assert mine
    for provider in mine:
        assert provider is not None
        schema = schema_for(provider.type_name)
        assert schema is not None
        supported: frozenset[str] = getattr(provider, "supported", frozenset())
        fixed: frozenset[str] = getattr(provider, "fixed", frozenset())
        assert supported <= schema.properties
        assert not supported & {path[0] for path in schema.read_only if len(path) == 1}
        assert {path[0] for path in schema.create_only if len(path) == 1} & supported <= fixed
