"""What AWS's documentation says and moto doesn't do, found on a second emulator."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs

import pytest

from reconciler.model.errors import AwsFault, FaultKind
from reconciler.model.ids import Identifier
from reconciler.ports import Scope
from reconciler.providers.native.ec2_base import Ec2Provider
from reconciler.testing.localaws import LocalAws
from tests.contract.providers_native.hands import ACCOUNT, REGION, Hands, owned, owner, provider
from tests.contract.providers_native.test_specifics_data import database

_TABLE = {
    "TableName": "documented",
    "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}],
    "AttributeDefinitions": [{"AttributeName": "id", "AttributeType": "S"}],
    "BillingMode": "PROVISIONED",
    "ProvisionedThroughput": {"ReadCapacityUnits": 2, "WriteCapacityUnits": 1},
}


def _sent(aws: LocalAws, name: str) -> list[bytes]:
    return [call.body for call in aws.last_requests if call.name == name]


@pytest.mark.parametrize(("said", "sent"), [({}, "true"), ({"ApplyImmediately": False}, "false")])
def test_a_database_is_changed_at_once_unless_the_plan_lets_it_wait(
    aws: LocalAws, scope: Scope, said: dict[str, Any], sent: str
) -> None:
    hands = Hands(scope, "AWS::RDS::DBInstance")
    desired = database(
        f"at-once-{sent}", AllocatedStorage="20", MasterUsername="admin", MasterUserPassword="secret-one"
    )
    made = hands.create(desired | said)
    aws.reset_calls()
    hands.update(made, desired | said | {"AllocatedStorage": "40"}, "AllocatedStorage")
    [body] = _sent(aws, "rds:ModifyDBInstance")
    assert parse_qs(body.decode())["ApplyImmediately"] == [sent]
    hands.delete(made)


def test_a_tables_capacity_that_is_there_is_not_asked_for_again(aws: LocalAws, scope: Scope) -> None:
    hands = Hands(scope, "AWS::DynamoDB::Table")
    made = hands.create(_TABLE)
    aws.reset_calls()
    hands.update(made, _TABLE, "ProvisionedThroughput")
    assert not aws.mutations()
    on_demand = {**_TABLE, "BillingMode": "PAY_PER_REQUEST"}
    del on_demand["ProvisionedThroughput"]
    hands.update(made, on_demand, "BillingMode", "ProvisionedThroughput")
    hands.update(made, _TABLE, "BillingMode", "ProvisionedThroughput")
    assert hands.drift(made, _TABLE) == []
    hands.delete(made)


def test_a_table_that_is_not_there_may_be_refused_instead(aws: LocalAws, scope: Scope) -> None:
    hands, who = Hands(scope, "AWS::DynamoDB::Table"), owner("Documented")
    desired = owned(_TABLE, who, "AWS::DynamoDB::Table")
    aws.fail("dynamodb", "ListTagsOfResource", "AccessDeniedException", status=400)
    assert hands.locate(desired, who) is None
    made = hands.create(desired)
    aws.fail("dynamodb", "ListTagsOfResource", "AccessDeniedException", status=400)
    with pytest.raises(AwsFault) as caught:
        hands.locate(desired, who)
    assert caught.value.kind is FaultKind.ACCESS_DENIED
    hands.delete(made)


def test_a_zones_comment_goes_by_being_empty(aws: LocalAws, scope: Scope) -> None:
    hands = Hands(scope, "AWS::Route53::HostedZone")
    desired = {"Name": "documented.example.com", "HostedZoneConfig": {"Comment": "one"}}
    made = hands.create(desired)
    aws.reset_calls()
    hands.update(made, {"Name": desired["Name"]}, "HostedZoneConfig")
    [body] = _sent(aws, "route53:UpdateHostedZoneComment")
    assert b"<Comment" in body
    live = hands.read(made, "HostedZoneConfig")
    assert live is not None
    assert "HostedZoneConfig" not in live.properties
    hands.delete(made)


def test_a_rule_that_says_no_state_is_enabled_by_name(aws: LocalAws, scope: Scope) -> None:
    hands = Hands(scope, "AWS::Events::Rule")
    desired = {"Name": "documented", "ScheduleExpression": "rate(1 hour)", "State": "DISABLED"}
    wanted = owned(desired, owner("Documented"), "AWS::Events::Rule")
    made = hands.create(wanted)
    aws.reset_calls()
    hands.update(made, {name: value for name, value in wanted.items() if name != "State"}, "State")
    [body] = _sent(aws, "events:PutRule")
    assert b'"State": "ENABLED"' in body
    hands.delete(made)


def test_what_is_looked_up_is_what_was_asked_for(aws: LocalAws, scope: Scope, monkeypatch: pytest.MonkeyPatch) -> None:
    """An endpoint that takes no notice of a filter shows what is others', which must not be written to."""
    groups, ec2 = provider("AWS::EC2::SecurityGroup"), aws.client("ec2", account=ACCOUNT, region=REGION)
    assert isinstance(groups, Ec2Provider)
    mine = ec2.create_security_group(GroupName="documented", Description="mine")["GroupId"]
    monkeypatch.setattr(Ec2Provider, "find", lambda *_: ec2.describe_security_groups()["SecurityGroups"])
    found = groups.find_one(scope, Identifier(mine))
    assert found is not None
    assert found["GroupId"] == mine
    assert groups.find_one(scope, Identifier("sg-0123456789abcdef0")) is None
