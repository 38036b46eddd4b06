"""Identities, secrets and messages on a second emulator (ministack), which keeps what moto doesn't."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from reconciler.model.plan import Target
from reconciler.ports import Scope
from reconciler.providers.access import Access, AccessSettings
from reconciler.providers.sessions import ConnectionSettings
from reconciler.testing.memory import CountingTelemetry, FakeClock
from tests.contract.providers_native.cases import TRUST, document
from tests.contract.providers_native.hands import Hands, owned, owner
from tests.ministack import ACCOUNT, REGION, Ministack
from tests.parts import real_part

pytestmark = pytest.mark.ministack


@pytest.fixture(scope="module")
def ministack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ministack]:
    running = Ministack(real_part("ministack"), tmp_path_factory.mktemp("ministack") / "log")
    yield running
    running.stop()


@pytest.fixture
def there(ministack: Ministack) -> Iterator[Scope]:
    settings = AccessSettings(
        connection=ConnectionSettings(endpoint_url=ministack.endpoint, credentials=(ACCOUNT, "test"))
    )
    access = Access(FakeClock(), CountingTelemetry(), settings)
    yield access.open(Target("sandbox", ACCOUNT, REGION), read_only=False)
    access.close()


def lived(scope: Scope, type_name: str, desired: dict[str, Any], **changes: Any) -> None:
    """Made, as wanted, changed, as wanted, and gone."""
    hands = Hands(scope, type_name)
    wanted = owned(desired, owner("Elsewhere"), type_name)
    identifier = hands.create(wanted)
    assert hands.drift(identifier, wanted) == []
    for name, value in changes.items():
        wanted = {**wanted, name: value}
        hands.update(identifier, wanted, name)
        assert hands.drift(identifier, {name: value}) == [], name
    hands.delete(identifier)
    assert hands.read(identifier) is None


def test_a_user_with_a_boundary(ministack: Ministack, there: Scope) -> None:
    iam = ministack.client("iam")
    for name in ("one", "two"):
        iam.create_policy(PolicyName=name, PolicyDocument=json.dumps(document("s3:GetObject")))
    arn = f"arn:aws:iam::{ACCOUNT}:policy"
    desired = {"UserName": "elsewhere", "PermissionsBoundary": f"{arn}/one", "ManagedPolicyArns": [f"{arn}/two"]}
    lived(there, "AWS::IAM::User", desired, PermissionsBoundary=f"{arn}/two", ManagedPolicyArns=[f"{arn}/one"])


def test_an_inline_policy(ministack: Ministack, there: Scope) -> None:
    ministack.client("iam").create_role(RoleName="elsewhere", AssumeRolePolicyDocument=json.dumps(TRUST))
    desired = {"PolicyName": "p", "PolicyDocument": document("s3:GetObject"), "Roles": ["elsewhere"]}
    lived(there, "AWS::IAM::Policy", desired, PolicyDocument=document("s3:PutObject"))


def test_a_secret(there: Scope) -> None:
    desired = {"Name": "elsewhere", "Description": "as wanted", "SecretString": "quiet-word"}
    lived(there, "AWS::SecretsManager::Secret", desired, Description="otherwise", SecretString="other-word")


def test_a_subscription(ministack: Ministack, there: Scope) -> None:
    topic = ministack.client("sns").create_topic(Name="elsewhere")["TopicArn"]
    ministack.client("sqs").create_queue(QueueName="elsewhere")
    endpoint = f"arn:aws:sqs:{REGION}:{ACCOUNT}:elsewhere"
    desired = {"TopicArn": topic, "Protocol": "sqs", "Endpoint": endpoint, "RawMessageDelivery": True}
    lived(there, "AWS::SNS::Subscription", desired, RawMessageDelivery=False, FilterPolicy={"store": ["one"]})


def test_an_alarm(there: Scope) -> None:
    desired = {
        "AlarmName": "elsewhere",
        "Namespace": "AWS/SQS",
        "MetricName": "NumberOfMessagesSent",
        "Statistic": "Sum",
        "Period": 60,
        "EvaluationPeriods": 1,
        "Threshold": 1,
        "ComparisonOperator": "GreaterThanThreshold",
    }
    lived(there, "AWS::CloudWatch::Alarm", desired, Threshold=5, AlarmDescription="otherwise")
