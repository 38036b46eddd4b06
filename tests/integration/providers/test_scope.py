"""One owner of retries, seen from the server: how often each call arrived, and what came of it."""

from __future__ import annotations

import threading
import time

import pytest

from reconciler.model.errors import AwsFault, FaultKind
from reconciler.ports import Scope
from reconciler.providers.access import Access
from reconciler.testing.localaws import LocalAws
from reconciler.testing.memory import CountingTelemetry, FakeClock
from tests.integration.providers.conftest import ACCOUNT, REGION, SANDBOX


@pytest.fixture
def scope(access: Access, aws: LocalAws) -> Scope:
    opened = access.open(SANDBOX, read_only=False)
    opened.call("ec2", "describe_vpcs")
    aws.reset_calls()
    return opened


def vpcs(aws: LocalAws) -> int:
    return len(aws.client("ec2", account=ACCOUNT, region=REGION).describe_vpcs()["Vpcs"])


@pytest.mark.parametrize(("code", "status"), [("RequestLimitExceeded", 503), ("InternalError", 500)])
def test_a_read_is_repeated_until_it_succeeds(
    scope: Scope, aws: LocalAws, clock: FakeClock, telemetry: CountingTelemetry, code: str, status: int
) -> None:
    aws.fail("ec2", "DescribeVpcs", code, times=3, status=status)
    before = clock.monotonic()
    assert scope.call("ec2", "describe_vpcs")["Vpcs"]
    assert aws.calls() == {"ec2:DescribeVpcs": 4}
    assert clock.monotonic() > before
    assert telemetry.counts[("aws_call", "ec2", "DescribeVpcs", code)] == 3
    assert telemetry.counts[("aws_throttled", "ec2")] == (3 if status == 503 else 0)


def test_a_read_is_given_up_after_bounded_attempts(scope: Scope, aws: LocalAws) -> None:
    aws.fail("ec2", "DescribeVpcs", "Throttling", times=100)
    with pytest.raises(AwsFault) as failed:
        scope.call("ec2", "describe_vpcs")
    assert failed.value.kind is FaultKind.THROTTLED and failed.value.retryable
    assert aws.calls() == {"ec2:DescribeVpcs": 6}


def test_a_throttled_write_is_repeated_and_done_once(scope: Scope, aws: LocalAws) -> None:
    before = vpcs(aws)
    aws.reset_calls()
    aws.fail("ec2", "CreateVpc", "RequestLimitExceeded", times=2, status=503)
    scope.call("ec2", "create_vpc", CidrBlock="10.0.0.0/16")
    assert aws.calls() == {"ec2:CreateVpc": 3}
    assert vpcs(aws) == before + 1


@pytest.mark.parametrize("applied", [True, False])
def test_a_write_whose_answer_is_lost_is_made_once_and_called_ambiguous(
    scope: Scope, aws: LocalAws, applied: bool
) -> None:
    before = vpcs(aws)
    aws.reset_calls()
    aws.cut("ec2", "CreateVpc", applied=applied)
    with pytest.raises(AwsFault) as failed:
        scope.call("ec2", "create_vpc", CidrBlock="10.0.0.0/16")
    assert failed.value.ambiguous and failed.value.kind is FaultKind.UNAVAILABLE
    assert aws.calls() == {"ec2:CreateVpc": 1}
    assert vpcs(aws) == before + (1 if applied else 0)


def test_a_lost_read_is_made_again(scope: Scope, aws: LocalAws) -> None:
    aws.cut("ec2", "DescribeVpcs", applied=True)
    assert scope.call("ec2", "describe_vpcs")["Vpcs"]
    assert aws.calls() == {"ec2:DescribeVpcs": 2}


def test_a_5xx_of_a_write_is_ambiguous_and_not_repeated(scope: Scope, aws: LocalAws) -> None:
    aws.fail("ec2", "CreateVpc", "InternalError", status=500)
    with pytest.raises(AwsFault) as failed:
        scope.call("ec2", "create_vpc", CidrBlock="10.0.0.0/16")
    assert failed.value.ambiguous
    assert aws.calls() == {"ec2:CreateVpc": 1}


def test_denials_and_not_found_are_not_repeated(scope: Scope, aws: LocalAws) -> None:
    aws.fail("ec2", "DescribeVpcs", "UnauthorizedOperation", status=403)
    with pytest.raises(AwsFault) as denied:
        scope.call("ec2", "describe_vpcs")
    with pytest.raises(AwsFault) as missing:
        scope.call("ec2", "describe_vpcs", VpcIds=["vpc-00000000"])
    assert (denied.value.kind, missing.value.kind) == (FaultKind.ACCESS_DENIED, FaultKind.NOT_FOUND)
    assert aws.calls() == {"ec2:DescribeVpcs": 2}


@pytest.mark.parametrize("service", ["s3", "sqs", "iam", "lambda", "dynamodb"])
def test_injected_errors_are_understood_in_every_protocol(scope: Scope, aws: LocalAws, service: str) -> None:
    operation = {"s3": "list_buckets", "sqs": "list_queues", "iam": "list_roles", "lambda": "list_functions"}
    aws.fail(service, "*", "AccessDenied", status=403)
    with pytest.raises(AwsFault) as denied:
        scope.call(service, operation.get(service, "list_tables"))
    assert (denied.value.kind, denied.value.code) == (FaultKind.ACCESS_DENIED, "AccessDenied")


def test_a_call_the_endpoint_does_not_implement_is_internal_and_says_so(scope: Scope) -> None:
    with pytest.raises(AwsFault, match="doesn't implement this call") as failed:
        scope.call("cloudcontrol", "list_resources", TypeName="AWS::EC2::VPC")
    assert failed.value.kind is FaultKind.INTERNAL


@pytest.mark.parametrize(
    ("service", "operation"),
    [("ec2", "describe_nonsense"), ("nosuchservice", "list_things"), ("ec2", "_make_api_call")],
)
def test_what_the_sdk_does_not_have_is_an_invalid_request(scope: Scope, service: str, operation: str) -> None:
    with pytest.raises(AwsFault) as failed:
        scope.call(service, operation)
    assert failed.value.kind is FaultKind.INVALID_REQUEST


def test_pages_are_concatenated_each_retried_by_itself(scope: Scope, aws: LocalAws) -> None:
    client = aws.client("sns", account=ACCOUNT, region=REGION)
    names = {client.create_topic(Name=f"t{number:03}")["TopicArn"] for number in range(250)}
    aws.reset_calls()
    aws.fail("sns", "ListTopics", "Throttling", times=2)
    topics = scope.pages("sns", "list_topics", "Topics")
    assert {topic["TopicArn"] for topic in topics} == names
    assert aws.calls()["sns:ListTopics"] == 3 + 2


def test_pages_of_an_unpaginated_operation_are_its_only_page(scope: Scope) -> None:
    assert scope.pages("ec2", "describe_addresses", "Addresses") == []


def test_gather_keeps_order_runs_in_parallel_and_nests(scope: Scope) -> None:
    together = threading.Barrier(4, timeout=5)

    def job(number: int) -> list[int]:
        if number < 4:
            together.wait()
        return scope.gather([lambda: number, lambda: number * 10])

    assert scope.gather([lambda n=n: job(n) for n in range(20)]) == [[n, n * 10] for n in range(20)]  # type: ignore[misc]  # mypy can't infer a lambda with a default


def test_gather_raises_the_first_exception_after_all_have_ended(scope: Scope) -> None:
    ended = []

    def slow() -> None:
        time.sleep(0.05)
        ended.append(True)

    def fails() -> None:
        raise ValueError("first")

    with pytest.raises(ValueError, match="first"):
        scope.gather([fails, slow, slow])
    assert ended == [True, True]
