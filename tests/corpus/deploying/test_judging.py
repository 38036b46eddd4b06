"""The judge itself: what it takes for the same, for another thing, and for the emulator's fault."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from reconciler.model.ids import LogicalId, PlanName, RunId, TypeName
from reconciler.model.report import ChangeSummary, PlanState, RunReport
from reconciler.schema import schema_for
from tests.corpus.deploying.comparing import Words, differences, plain_world
from tests.corpus.deploying.emulator import known, says_nothing
from tests.corpus.deploying.tampering import Part, misjudged, own
from tests.corpus.deploying.variations import variations

ONE = Words("111111111111", "shop", {"shop-Jobs-0a1b2c3d4e": "Jobs"}, "Jobs VisibilityTimeout 60")
TWO = Words("222222222222", "shop", {"shop-Jobs-X1Y2Z3A4B5C6": "Jobs"}, "Jobs VisibilityTimeout 60")


def _queue(words: Words, **attributes: Any) -> dict[str, Any]:
    name = next(iter(words.ids))
    url = f"http://127.0.0.1:{len(name)}000/{words.account}/{name}"
    tags = [{"Key": "reconciler:plan", "Value": "shop"}, {"Key": "team", "Value": "web"}]
    answer = {"QueueArn": f"arn:aws:sqs:us-east-1:{words.account}:{name}", "CreatedTimestamp": name, **attributes}
    asked = f'{{"QueueUrl": "{url}"}}'
    return plain_world({("sqs:GetQueueAttributes", asked): {"Attributes": answer, "Tags": tags}}, words)


def test_ids_accounts_times_and_ownership_make_no_difference() -> None:
    assert differences(_queue(ONE, VisibilityTimeout="60"), _queue(TWO, VisibilityTimeout="60")) == []


def test_another_value_is_a_difference_at_its_place() -> None:
    found = differences(_queue(ONE, VisibilityTimeout="60"), _queue(TWO, VisibilityTimeout="61"))
    assert found == [
        ('sqs:GetQueueAttributes {"QueueUrl": "‹Jobs›"} /Attributes/VisibilityTimeout', ['"60"'], ['"61"'])
    ]


def test_a_runtime_is_no_time() -> None:
    found = differences(_queue(ONE, Runtime="python3.12"), _queue(TWO, Runtime="python3.13"))
    assert [place.rpartition("/")[2] for place, _, _ in found] == ["Runtime"]
    assert differences(_queue(ONE, CreationTime="1"), _queue(TWO, CreationTime="2")) == []


def test_an_address_is_random_though_a_network_begins_with_it() -> None:
    words = Words("111111111111", "shop", {}, "Subnet 10.0.0.0/16 host 10.0.1.1")
    assert words.plain("10.0.0.0 10.0.0.0/16 10.0.1.1") == "‹#› 10.0.0.0/16 10.0.1.1"


def test_what_others_add_to_a_role_is_not_changed_with_its_own() -> None:
    mine, other = ({"PolicyName": name, "PolicyDocument": {}} for name in ("mine", "other"))
    assert own([mine, other], [mine]) == ([mine], (other,))
    assert own(["a"], ["a"]) == (["a"], ())


def test_only_what_the_template_spells_out_can_be_left_out_of_a_stack() -> None:
    place = "sqs:GetQueueAttributes {} /Attributes/VisibilityTimeout"
    assert known(place, ['"60"'], [], ONE.literal) == (
        "left out of the stack: VisibilityTimeout, shown by sqs:GetQueueAttributes"
    )
    assert known(place, ['"61"'], [], ONE.literal) == ""
    assert known(place, ['"60"'], ['"30"'], ONE.literal) == ""
    assert known(place, ["true"], [], "Enabled: true") == ""


def _report(*fields: tuple[str, str], action: str = "update", state: PlanState = PlanState.IN_SYNC) -> RunReport:
    now = datetime(2026, 1, 1, tzinfo=UTC)
    changes = tuple(
        ChangeSummary(LogicalId(name), TypeName("AWS::SQS::Queue"), action, fields=({"path": path},))
        for name, path in fields
    )
    return RunReport(RunId("r"), PlanName("shop"), "test", now, now, state, "message", changes=changes)


@pytest.mark.parametrize(
    ("report", "wrong"),
    [
        (_report(("Jobs", "/Tags/team")), ""),
        (_report(("Jobs", "/Tags/team"), ("Dead", "/Tags")), "drift reported of Dead/Tags too"),
        (_report(("Jobs", "/TagsOther")), "drift reported of Jobs/TagsOther too"),
        (_report(("Jobs", "/Tags"), action="replace"), "answered by replace"),
        (_report(("Jobs", "/Tags"), state=PlanState.FAILED), "not repaired: message"),
    ],
)
def test_exactly_the_drift_has_to_be_reported(report: RunReport, wrong: str) -> None:
    assert misjudged(report, Part("Jobs", "AWS::SQS::Queue", "Tags")) == wrong


@pytest.mark.parametrize(
    ("type_name", "name", "value", "first"),
    [
        ("AWS::SQS::Queue", "VisibilityTimeout", 60, 61),
        ("AWS::SQS::Queue", "SqsManagedSseEnabled", True, False),
        ("AWS::Logs::LogGroup", "RetentionInDays", 1, 3),
        ("AWS::IAM::Role", "Description", "mine", "minex"),
        ("AWS::S3::Bucket", "VersioningConfiguration", {"Status": "Enabled"}, {"Status": "Suspended"}),
        (
            "AWS::SQS::Queue",
            "Tags",
            [{"Key": "reconciler:id", "Value": "Jobs"}, {"Key": "a", "Value": "b"}],
            [{"Key": "reconciler:id", "Value": "Jobs"}, {"Key": "a", "Value": "bx"}],
        ),
    ],
)
def test_values_are_changed_to_what_the_schema_allows(type_name: str, name: str, value: Any, first: Any) -> None:
    schema = schema_for(type_name)
    assert schema is not None
    assert next(variations(schema, (name,), value)) == first


def test_what_the_plan_does_not_say_is_not_changed() -> None:
    schema = schema_for("AWS::S3::Bucket")
    assert schema is not None
    live = {"Status": "Enabled", "Other": "default"}
    assert list(variations(schema, ("VersioningConfiguration",), live, {"Status": "Enabled"})) == [
        {"Status": "Suspended", "Other": "default"}
    ]
    assert list(variations(schema, ("VersioningConfiguration",), live, {})) == []


def test_of_a_list_the_keys_are_changed_that_any_of_its_items_has() -> None:
    schema = schema_for("AWS::S3::Bucket")
    assert schema is not None
    live, said = (
        [{"Id": "a", "One": 1, "Own": 1}, {"Id": "b", "Two": 1}],
        [{"Id": "b", "Two": 1}, {"Id": "a", "One": 1}],
    )
    found = list(variations(schema, ("Rules",), live, said))
    assert [{"Id": "a", "One": 2, "Own": 1}, live[1]] in found
    assert [live[0], {"Id": "b", "Two": 2}] in found
    assert [{"Id": "a", "One": 1, "Own": 2}, live[1]] not in found


@pytest.mark.parametrize("key", ["Key", "Other"])
def test_only_what_is_named_says_nothing(key: str) -> None:
    item = {key: "elb.http.desyncmitigationmode", "Value": "defensive"}
    assert says_nothing(item) is (key == "Key")
    assert not says_nothing({"DestinationStatus": "ACTIVE"})
