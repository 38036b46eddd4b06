"""Records: how names are spelled, whose they are, and groups that lose members."""

from __future__ import annotations

from typing import Any

import pytest

from reconciler.model.errors import AwsFault, FaultKind
from reconciler.model.ids import Identifier
from reconciler.model.resource import Observation, Unreadable, Wanted
from reconciler.ports import Scope
from reconciler.testing.localaws import LocalAws
from tests.contract.providers_native.hands import ACCOUNT, REGION, Hands, owned, owner

RECORD, GROUP = "AWS::Route53::RecordSet", "AWS::Route53::RecordSetGroup"
ME = owner("Name")


@pytest.fixture(scope="module")
def zone(aws: LocalAws) -> str:
    route53 = aws.client("route53", account=ACCOUNT, region=REGION)
    made = route53.create_hosted_zone(Name="special.example.com", CallerReference="special")
    return str(made["HostedZone"]["Id"].removeprefix("/hostedzone/"))


def text(name: str, value: str = "one", **more: Any) -> dict[str, Any]:
    return {
        "Name": f"{name}.special.example.com",
        "Type": "TXT",
        "TTL": "60",
        "ResourceRecords": [f'"{value}"'],
        **more,
    }


def test_queries_are_logged_elsewhere_and_no_more(scope: Scope, aws: LocalAws) -> None:
    logs = aws.client("logs", account=ACCOUNT, region="us-east-1")
    arns = [f"arn:aws:logs:us-east-1:{ACCOUNT}:log-group:/aws/route53/{name}:*" for name in ("one", "two")]
    for name in ("one", "two"):
        logs.create_log_group(logGroupName=f"/aws/route53/{name}")
    one, two = ({"QueryLoggingConfig": {"CloudWatchLogsLogGroupArn": arn}} for arn in arns)
    hands = Hands(scope, "AWS::Route53::HostedZone")
    desired = owned({"Name": "logged.example.com", **one}, ME, "AWS::Route53::HostedZone")
    made = hands.create(desired)
    assert hands.drift(made, desired) == []
    hands.update(made, {**desired, **two}, "QueryLoggingConfig")
    assert hands.drift(made, two) == []
    plain = {name: value for name, value in desired.items() if name != "QueryLoggingConfig"}
    hands.update(made, plain, "QueryLoggingConfig")
    live = hands.read(made, *desired)
    assert live is not None
    assert "QueryLoggingConfig" not in live.properties
    assert live.properties["NameServers"]
    hands.update(made, desired, "QueryLoggingConfig")
    hands.delete(made)
    client = aws.client("route53", account=ACCOUNT, region=REGION)
    assert client.list_query_logging_configs()["QueryLoggingConfigs"] == []


def test_a_zone_may_be_named_and_a_name_has_several_spellings(scope: Scope, zone: str) -> None:
    hands = Hands(scope, RECORD)
    named = text("*.spelled", HostedZoneName="Special.Example.Com")
    made = hands.create(named)
    assert made == f"*.spelled.special.example.com|{zone}|TXT|"
    found = hands.locate({**named, "Name": r"\052.Spelled.special.example.com."}, ME)
    assert found is not None
    assert found.identifier == made
    assert hands.drift(made, {**named, "Name": r"\052.Spelled.special.example.com."}) == []
    hands.delete(made)


def test_a_zone_that_is_yet_to_be_made_has_no_records(scope: Scope) -> None:
    hands = Hands(scope, RECORD)
    desired = text("any", HostedZoneName="missing.example.com")
    assert hands.locate(desired, ME) is None
    with pytest.raises(AwsFault, match="none has that name"):
        hands.create(desired)


def test_an_identifier_may_be_spelled_otherwise_and_one_that_is_none_spoils_no_other(scope: Scope, zone: str) -> None:
    hands = Hands(scope, RECORD)
    desired = text("*.imported", HostedZoneId=zone)
    hands.create(desired)
    spelled, none = Identifier(rf"\052.imported.special.example.com.|{zone}|TXT"), Identifier("nonsense")
    found = hands.provider.read_many(scope, [Wanted(spelled, frozenset(desired)), Wanted(none, frozenset())])
    assert isinstance(found[spelled], Observation)
    assert isinstance(found[none], Unreadable)
    hands.update(spelled, {**desired, "TTL": "30"}, "TTL")
    assert hands.drift(spelled, {**desired, "TTL": "30"}) == []
    hands.delete(spelled)
    assert hands.read(spelled) is None


def test_a_record_with_other_values_is_not_taken(scope: Scope, zone: str) -> None:
    hands = Hands(scope, RECORD)
    made = hands.create(text("taken", HostedZoneId=zone))
    with pytest.raises(AwsFault) as caught:
        hands.create(text("taken", "two", HostedZoneId=zone))
    assert caught.value.kind is FaultKind.ALREADY_EXISTS
    assert hands.drift(made, text("taken", HostedZoneId=zone)) == []
    hands.delete(made)


def test_another_type_takes_the_place_of_a_record_in_one_step(scope: Scope, zone: str, aws: LocalAws) -> None:
    hands = Hands(scope, RECORD)
    before = text("changing", HostedZoneId=zone)
    made = hands.create(before)
    after = {**before, "Type": "A", "ResourceRecords": ["192.0.2.1"]}
    aws.reset_calls()
    moved = hands.wait(hands.provider.update(scope, made, before, after, frozenset({"Type", "ResourceRecords"})))
    assert aws.mutations() == {"route53:ChangeResourceRecordSets": 1}
    assert hands.read(made) is None
    assert hands.drift(moved, after) == []
    hands.delete(moved)


def test_many_records_of_a_zone_cost_one_call(scope: Scope, zone: str, aws: LocalAws) -> None:
    hands = Hands(scope, RECORD)
    made = [hands.create(text(f"many{number}", HostedZoneId=zone)) for number in (3, 2, 1, 0, 5, 4)]
    aws.reset_calls()
    found = hands.provider.read_many(scope, [Wanted(one, frozenset()) for one in made])
    assert found.keys() == set(made)
    assert aws.calls() == {"route53:ListResourceRecordSets": 1}
    for one in made:
        hands.delete(one)


def test_a_group_that_loses_a_member_deletes_it_and_keeps_the_others(scope: Scope, zone: str, aws: LocalAws) -> None:
    hands = Hands(scope, GROUP)
    before = {"HostedZoneId": zone, "RecordSets": [text("left"), text("gone"), text("kept")]}
    made = hands.create({**before, "RecordSets": [text("left"), text("gone"), text("kept")]})
    after = {**before, "RecordSets": [text("left", "two"), text("kept"), text("new")]}
    aws.reset_calls()
    now = hands.wait(hands.provider.update(scope, made, before, after, frozenset({"RecordSets"})))
    assert aws.mutations() == {"route53:ChangeResourceRecordSets": 1}
    assert hands.drift(now, after) == []
    gone = Hands(scope, RECORD)
    assert gone.locate(text("gone", HostedZoneId=zone), ME) is None
    hands.delete(now)
    assert hands.read(now) is None


def test_a_group_is_made_whole_or_not_at_all(scope: Scope, zone: str) -> None:
    single = Hands(scope, RECORD)
    there = single.create(text("zz", HostedZoneId=zone))
    hands = Hands(scope, GROUP)
    with pytest.raises(AwsFault) as caught:
        hands.create({"HostedZoneId": zone, "RecordSets": [text("zz", "two"), text("yy")]})
    assert caught.value.kind is FaultKind.ALREADY_EXISTS
    assert single.locate(text("yy", HostedZoneId=zone), ME) is None
    single.delete(there)
