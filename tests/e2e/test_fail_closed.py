"""Whatever fails, fails closed, visibly, for the plans it concerns, and is tried again: OPA, AWS, Git, the store."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from reconciler.model.errors import StoreError
from reconciler.model.report import PlanState
from reconciler.testing.localaws import LocalAws
from reconciler.testing.policy import OpaServer, opa_binary
from tests.e2e.conftest import DEVELOPMENT, SANDBOX, Lab
from tests.e2e.running import REGION, Running, plan_text, queue, until

IN_SYNC = PlanState.IN_SYNC


def queues(aws: LocalAws) -> set[str]:
    answer = aws.client("sqs", account=SANDBOX, region=REGION).list_queues()
    return {url.rsplit("/", 1)[1] for url in answer.get("QueueUrls", [])}


def writes(lab: Lab) -> dict[str, int]:
    return {name: count for name, count in lab.aws.mutations().items() if name != "sts:AssumeRole"}


def drift(lab: Lab, name: str, seconds: str) -> None:
    client = lab.aws.client("sqs", account=SANDBOX, region=REGION)
    url = client.get_queue_url(QueueName=name)["QueueUrl"]
    client.set_queue_attributes(QueueUrl=url, Attributes={"VisibilityTimeout": seconds})


def timeout_of(lab: Lab, name: str) -> str:
    client = lab.aws.client("sqs", account=SANDBOX, region=REGION)
    url = client.get_queue_url(QueueName=name)["QueueUrl"]
    return str(client.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]["VisibilityTimeout"])


@pytest.fixture(scope="session")
def opa() -> Path:
    named = os.environ.get("RECONCILER_OPA")
    binary = Path(named) if named else opa_binary()
    if binary is None:
        if os.environ.get("CI") == "true":
            pytest.fail("scripts/get-opa found no OPA; in CI it must")
        pytest.skip("no OPA to be had on this machine (scripts/get-opa says why)")
    return binary


@pytest.fixture
def server(opa: Path) -> Iterator[OpaServer]:
    with OpaServer(opa) as running:
        yield running


@pytest.fixture
def daemon(lab: Lab, server: OpaServer) -> Iterator[Running]:
    lab.write(plan_text("first", {"Jobs": queue("first-jobs", VisibilityTimeout=60)}), "first.yaml")
    more = {"RECONCILER_POLICY__OPA__ADDRESS": server.address, "RECONCILER_POLICY__OPA__TIMEOUT": "2s"}
    with Running(lab, **more) as running:
        running.reaches("first", IN_SYNC)
        yield running


@pytest.mark.opa
def test_opa_killed_between_two_passes(daemon: Running, server: OpaServer, lab: Lab) -> None:
    assert daemon.get("/readyz")[0] == 200
    server.kill()
    drift(lab, "first-jobs", "5")
    lab.aws.reset_calls()
    errors = daemon.metric("reconciler_policy_errors_total")
    daemon.shell("sync")
    status = daemon.reaches("first", PlanState.DENIED)
    assert "no policy decision, so nothing is applied" in status.message
    assert status.failures >= 1
    assert daemon.metric("reconciler_policy_errors_total") > errors
    assert daemon.metric("reconciler_plan_status", plan="first", status="denied") == 1
    code, ready = daemon.get("/readyz")
    assert (code, "policy" in ready) == (503, True)
    assert daemon.get("/healthz")[0] == 200
    assert writes(lab) == {}
    server.start()  # empty: the policies are uploaded again, and the pass is tried again, by itself
    daemon.reaches("first", IN_SYNC)
    assert timeout_of(lab, "first-jobs") == "60"
    until(lambda: daemon.get("/readyz")[0] == 200, "the daemon to be ready again")


@pytest.mark.opa
def test_opa_killed_in_the_middle_of_a_pass(daemon: Running, server: OpaServer, lab: Lab) -> None:
    """Admitted, then the engine is gone before the review: looking was allowed, changing is not."""
    drift(lab, "first-jobs", "5")
    lab.aws.reset_calls()
    with lab.aws.hold("sqs", "GetQueueAttributes") as held, lab.aws.hold("sqs", "GetQueueUrl") as other:
        lab.write(plan_text("second", {"Jobs": queue("second-jobs")}), "second.yaml")
        daemon.get("/api/v1/sync", post=True, token="let-me-in")
        assert held.arrived.wait(30)
        server.kill()
        held.release()
        other.release()  # nor may the second have been looked at and reviewed by then
        daemon.reaches("first", PlanState.DENIED)
    assert writes(lab) == {}
    assert queues(lab.aws) == {"first-jobs"}
    server.start()
    daemon.reaches("first", IN_SYNC)
    daemon.reaches("second", IN_SYNC)


@pytest.mark.opa
def test_opa_hangs(daemon: Running, server: OpaServer, lab: Lab) -> None:
    drift(lab, "first-jobs", "5")
    lab.aws.reset_calls()
    server.pause()
    try:
        daemon.get("/api/v1/sync", post=True, token="let-me-in")
        daemon.reaches("first", PlanState.DENIED)
        assert daemon.metric("reconciler_policy_errors_total", reason="timeout") >= 1
        assert writes(lab) == {}
    finally:
        server.resume()
    daemon.reaches("first", IN_SYNC)


@pytest.mark.opa
def test_no_opa_at_the_start(lab: Lab, opa: Path) -> None:
    server = OpaServer(opa)
    lab.write(plan_text("first", {"Jobs": queue("first-jobs")}))
    with Running(lab, RECONCILER_POLICY__OPA__ADDRESS=server.address) as daemon:
        daemon.reaches("first", PlanState.DENIED)
        assert daemon.get("/readyz")[0] == 503
        assert sum(lab.aws.calls().values()) == 0  # not even looked at
        with server:
            daemon.reaches("first", IN_SYNC)


def test_aws_fails_for_one_account_and_the_other_plans_go_on(lab: Lab) -> None:
    lab.write(plan_text("first", {"Jobs": queue("first-jobs")}), "first.yaml")
    lab.write(plan_text("dev", {"Jobs": queue("dev-jobs")}, "development"), "dev.yaml")
    lab.aws.fail("*", "*", "ServiceUnavailable", times=100_000, status=503, account=DEVELOPMENT)
    with Running(lab) as daemon:
        daemon.reaches("first", IN_SYNC)
        failed = daemon.reaches("dev", PlanState.FAILED)
        assert failed.run is not None
        report = lab.app.store.run(failed.run)
        assert report is not None
        assert report.retry_after is not None
        until(lambda: (found := daemon.status("dev")) and found.failures >= 2, "the pass to be tried again")
        assert daemon.metric("reconciler_plan_status", plan="dev", status="failed") == 1
        assert daemon.get("/readyz")[0] == 200  # it is AWS that is down, not the daemon
        lab.aws.clear_faults()
        daemon.reaches("dev", PlanState.PENDING_APPROVAL)


def test_aws_gone_altogether(lab: Lab) -> None:
    lab.write(plan_text("first", {"Jobs": queue("first-jobs")}))
    assert lab.run("first").state is IN_SYNC
    gone = lab.open(
        aws={
            "endpoint_url": "http://127.0.0.1:9",
            "role_pattern": "arn:aws:iam::{account}:role/reconciler",
            "connect_timeout": "200ms",
        }
    )
    report = lab.run("first")
    assert report.state is PlanState.FAILED
    assert report.retry_after is not None
    status = gone.store.status(report.plan)
    assert status is not None
    assert status.last_success_at is not None
    assert gone.store.records(report.plan), "what is managed is not forgotten because it can't be seen"


def test_throttling_is_waited_out_and_counted(lab: Lab) -> None:
    lab.write(plan_text("first", {"Jobs": queue("first-jobs")}))
    lab.aws.fail("sqs", "*", "ThrottlingException", times=2, status=400, message="Rate exceeded")
    report = lab.run("first")
    assert report.state is IN_SYNC, report.message
    assert queues(lab.aws) == {"first-jobs"}
    exposed = lab.app.metrics.exposition()[0].decode()
    assert 'reconciler_aws_throttles_total{service="sqs"} 2.0' in exposed
    assert lab.aws.mutations(SANDBOX)["sqs:CreateQueue"] <= 3


def test_an_unreadable_resource_is_unknown_and_nothing_is_changed(lab: Lab) -> None:
    lab.write(
        plan_text("first", {"Jobs": queue("first-jobs", VisibilityTimeout=60), "Topic": {"Type": "AWS::SNS::Topic"}})
    )
    assert lab.run("first").state is IN_SYNC
    drift(lab, "first-jobs", "5")
    lab.aws.reset_calls()
    lab.aws.fail("sns", "*", "InternalError", times=100, status=500)
    report = lab.run("first")
    assert report.state is PlanState.FAILED
    assert writes(lab) == {}
    lab.aws.clear_faults()
    assert lab.run("first").state is IN_SYNC
    assert timeout_of(lab, "first-jobs") == "60"


@pytest.mark.parametrize("broken", ["ping", "write_journal"])
def test_a_store_that_can_not_be_written_allows_no_write(
    lab: Lab, broken: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    lab.write(plan_text("first", {"Jobs": queue("first-jobs")}))

    def refuse(*_: object) -> None:
        raise StoreError("attempt to write a readonly database")

    monkeypatch.setattr(lab.app.store, broken, refuse)
    lab.aws.reset_calls()
    report = lab.run("first")
    assert report.state is PlanState.FAILED
    assert "readonly database" in report.message
    assert writes(lab) == {}
    assert queues(lab.aws) == set()


def test_a_store_whose_tables_are_gone_allows_no_write(lab: Lab) -> None:
    lab.write(plan_text("first", {"Jobs": queue("first-jobs")}))
    import sqlite3

    with sqlite3.connect(lab.directory / "state" / "reconciler.db") as connection:
        tables = [row[0] for row in connection.execute("select name from sqlite_master where type='table'")]
        connection.execute(f"drop table {next(name for name in tables if 'journal' in name)}")
    lab.aws.reset_calls()
    assert lab.run("first").state is PlanState.FAILED
    assert writes(lab) == {}


def test_a_lost_store_finds_its_resources_by_their_tags(lab: Lab) -> None:
    text = plan_text("first", {"Vpc": {"Type": "AWS::EC2::VPC", "Properties": {"CidrBlock": "10.0.0.0/16"}}})
    lab.write(text)
    assert lab.run("first").state is IN_SYNC
    lab.app.close()
    shutil.rmtree(lab.directory / "state")
    lab.open()
    lab.aws.reset_calls()
    report = lab.run("first")
    assert (report.state, report.changes) == (IN_SYNC, ())
    assert writes(lab) == {}
