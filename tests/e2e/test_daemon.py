"""A real ``reconciler run`` process: files come, go and break under it, signals arrive, it is killed."""

from __future__ import annotations

import json
import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from reconciler.model.ids import PlanName
from reconciler.model.journal import JournalState
from reconciler.model.report import PlanState
from tests.e2e.conftest import SANDBOX, Lab
from tests.e2e.running import REGION, TOKEN, Running, plan_text, queue, until, vpc

IN_SYNC = PlanState.IN_SYNC


def queues(lab: Lab) -> set[str]:
    """Names of the queues that there are in the sandbox."""
    answer = lab.aws.client("sqs", account=SANDBOX, region=REGION).list_queues()
    return {url.rsplit("/", 1)[1] for url in answer.get("QueueUrls", [])}


def vpcs(lab: Lab, plan: str) -> list[str]:
    """The VPCs that carry a plan's ownership tag."""
    wanted = [{"Name": "tag:reconciler:plan", "Values": [plan]}]
    found = lab.aws.client("ec2", account=SANDBOX, region=REGION).describe_vpcs(Filters=wanted)["Vpcs"]
    return [item["VpcId"] for item in found]


def writes(lab: Lab) -> dict[str, int]:
    return {name: count for name, count in lab.aws.mutations().items() if name != "sts:AssumeRole"}


@pytest.fixture
def daemon(lab: Lab) -> Iterator[Running]:
    lab.write(plan_text("first", {"Jobs": queue("first-jobs")}), "first.yaml")
    with Running(lab) as running:
        running.reaches("first", IN_SYNC)
        yield running


def test_files_come_break_and_vanish(daemon: Running, lab: Lab) -> None:
    dropped = time.monotonic()
    lab.write(plan_text("second", {"Jobs": queue("second-jobs")}), "second.yaml")
    daemon.reaches("second", IN_SYNC)
    assert time.monotonic() - dropped < 30  # noticed by watching: the poll is at 60 s
    assert queues(lab) == {"first-jobs", "second-jobs"}

    digest = daemon.status("second").digest  # type: ignore[union-attr]
    (lab.desired / "second.yaml").write_text(
        plan_text("second", {"Jobs": {"Type": "AWS::SQS::Queue", "Properties": {"QueueNam": "x"}}})
    )

    def refused() -> list[dict[str, Any]]:
        return daemon.said("plan rejected", plan="second", last_good_version_in_force=True)

    rejected = until(refused, "the broken file to be noticed")[0]
    assert "QueueNam" in rejected["problems"][0]
    assert daemon.metric("reconciler_plan_errors_total") >= 1
    broken = until(lambda: (found := daemon.status("second")) and found.problems and found, "the status to say it")
    assert (broken.state, broken.digest) == (IN_SYNC, digest)
    assert "second.yaml" in broken.problems[0]

    # the last good version is still in force, and the other plan was harmed in no way
    lab.aws.client("sqs", account=SANDBOX, region=REGION).delete_queue(
        QueueUrl=f"{lab.aws.endpoint}/{SANDBOX}/second-jobs"
    )
    assert daemon.shell("sync").code == 0
    assert queues(lab) == {"first-jobs", "second-jobs"}
    assert daemon.status("second").problems == broken.problems  # type: ignore[union-attr]

    lab.write(plan_text("second", {"Jobs": queue("second-jobs")}), "second.yaml")
    until(lambda: not daemon.status("second").problems, "the mended file to be noticed")  # type: ignore[union-attr]

    lab.aws.reset_calls()
    (lab.desired / "second.yaml").unlink()
    until(lambda: (found := daemon.status("second")) and found.orphaned, "the plan to be reported as orphaned")
    assert daemon.said("plan orphaned", plan="second", resources=1)
    assert daemon.metric("reconciler_plan_orphaned", plan="second") == 1
    assert "orphaned" in daemon.shell("status", "second").text
    assert daemon.shell("sync").code == 0
    assert queues(lab) == {"first-jobs", "second-jobs"}
    assert writes(lab) == {}

    lab.write(plan_text("second", {"Jobs": queue("second-jobs")}), "second.yaml")
    until(lambda: not daemon.status("second").orphaned, "the plan to claim its resources again")  # type: ignore[union-attr]
    daemon.reaches("second", IN_SYNC)
    assert daemon.metric("reconciler_plan_orphaned", plan="second") == 0
    assert writes(lab) == {}


def test_an_orphan_is_still_reported_after_a_restart(lab: Lab) -> None:
    lab.write(plan_text("other", {"Jobs": queue("other-jobs")}), "other.yaml")
    path = lab.write(plan_text("left", {"Jobs": queue("left-jobs")}), "left.yaml")
    assert lab.run("left").state is IN_SYNC
    path.unlink()
    with Running(lab) as daemon:
        until(lambda: (found := daemon.status("left")) and found.orphaned, "the orphan")
        assert daemon.metric("reconciler_plan_orphaned", plan="left") == 1
        daemon.reaches("other", IN_SYNC)
        assert daemon.stop() == 0
    with Running(lab) as daemon:
        assert daemon.metric("reconciler_plan_orphaned", plan="left") == 1
        assert daemon.status("left").orphaned  # type: ignore[union-attr]
    assert queues(lab) == {"left-jobs", "other-jobs"}


def test_an_unreadable_source_is_not_delete_everything(daemon: Running, lab: Lab) -> None:
    lab.desired.rename(lab.directory / "away")
    until(lambda: daemon.said("source not readable"), "the missing directory to be noticed")
    assert daemon.metric("reconciler_source_healthy") == 0
    assert daemon.get("/readyz")[0] == 503
    assert not daemon.status("first").orphaned  # type: ignore[union-attr]
    (lab.directory / "away").rename(lab.desired)
    until(lambda: daemon.metric("reconciler_source_healthy") == 1, "the directory to be noticed again")
    until(lambda: daemon.get("/readyz")[0] == 200, "the daemon to be ready again")


def test_a_policy_file_broken_while_running_keeps_the_last_good_set(daemon: Running, lab: Lab) -> None:
    matrix = lab.policies / "matrix.rego"
    good = matrix.read_text()
    matrix.write_text("package reconciler\nallow if {")
    until(lambda: daemon.metric("reconciler_policy_stale") == 1, "the broken policy to be noticed")
    code, ready = daemon.get("/readyz")
    assert code == 503
    assert "matrix.rego" in ready
    assert daemon.said("policies rejected")
    lab.write(plan_text("later", {"Jobs": queue("later-jobs")}), "later.yaml")
    daemon.reaches("later", IN_SYNC)  # by the set that was good
    data = lab.policies / "data.yaml"
    data.write_text(data.read_text().replace("sandbox: {cli_mutation: allowed", "sandbox: {cli_mutation: read-only"))
    matrix.write_text(good)
    until(lambda: daemon.metric("reconciler_policy_stale") == 0, "the mended policy to be noticed")
    assert daemon.get("/readyz")[0] == 200
    lab.aws.client("sqs", account=SANDBOX, region=REGION).delete_queue(
        QueueUrl=f"{lab.aws.endpoint}/{SANDBOX}/later-jobs"
    )
    daemon.shell("sync", "later")
    assert daemon.status("later").state is PlanState.PIPELINE_OPEN  # type: ignore[union-attr]
    assert queues(lab) == {"first-jobs"}


def test_signals_under_load(daemon: Running, lab: Lab) -> None:
    for number in range(6):
        lab.write(plan_text(f"load-{number}", {"Jobs": queue(f"load-{number}")}), f"load-{number}.yaml")
    for _ in range(1000):
        daemon.signal(signal.SIGUSR1)
    received = until(
        lambda: (lines := daemon.said("signals acknowledged", signal="SIGUSR1")) and lines, "an acknowledgement"
    )
    for number in range(6):
        daemon.reaches(f"load-{number}", IN_SYNC)

    def answered() -> bool:
        asked = {line["request"] for line in daemon.said("signals acknowledged")}
        return asked <= {line["request"] for line in daemon.said("resync answered")}

    until(answered, "every request to be answered")
    received = daemon.said("signals acknowledged", signal="SIGUSR1")
    assert sum(line["signals"] for line in received) <= 1000
    passes = [run for run in lab.app.store.history(PlanName("first"), 500) if run.trigger == "SIGUSR1"]
    assert 1 <= len(passes) <= len(received)
    assert len(received) < 200, "a storm of signals is not to become a storm of requests"
    assert daemon.metric("reconciler_resync_total", trigger="SIGUSR1") == len(received)
    assert not [line for line in daemon.log() if line.get("exception")]

    lab.aws.reset_calls()
    daemon.signal(signal.SIGUSR2)
    state = until(lambda: daemon.said("state"), "the state in the log")[0]
    assert state["plans"]["first"].startswith("in_sync")
    assert state["queue_depth"] == 0
    assert writes(lab) == {}


def test_hangup_reloads_plans_policies_and_configuration(lab: Lab) -> None:
    lab.write(plan_text("first", {"Jobs": queue("first-jobs")}), "first.yaml")
    config = lab.directory / "reconciler.yaml"
    config.write_text("daemon: {interval: 10m}\n")
    with Running(lab, RECONCILER_CONFIG=str(config)) as daemon:
        daemon.reaches("first", IN_SYNC)
        config.write_text("daemon: {interval: 7m}\naws: {writable_environments: []}\n")
        lab.aws.client("sqs", account=SANDBOX, region=REGION).delete_queue(
            QueueUrl=f"{lab.aws.endpoint}/{SANDBOX}/first-jobs"
        )
        lab.aws.reset_calls()
        daemon.signal(signal.SIGHUP)
        receipt = until(lambda: daemon.said("resync answered", trigger="SIGHUP"), "the receipt")[0]
        assert daemon.said("configuration reloaded")
        assert daemon.said("signals acknowledged", signal="SIGHUP", request=receipt["request"])
        assert receipt["runs"].keys() == {"first"}
        assert receipt["request"] in daemon.shell("status").text
        assert daemon.status("first").state is PlanState.DENIED  # type: ignore[union-attr]
        assert writes(lab) == {}
        assert queues(lab) == set()

        config.write_text("daemon: {intervall: 7m}\n")
        daemon.signal(signal.SIGHUP)
        until(lambda: daemon.said("configuration rejected"), "the wrong configuration to be refused")
        assert daemon.process.poll() is None


def test_a_pass_asked_for_over_http(daemon: Running) -> None:
    assert daemon.get("/api/v1/sync", post=True)[0] == 401
    assert daemon.get("/api/v1/sync", post=True, token="wrong")[0] == 401
    code, body = daemon.get("/api/v1/sync?wait=30", post=True, token=TOKEN)
    assert code == 200
    receipt = json.loads(body)
    assert receipt["outcomes"] == {"first": "in_sync"}
    run = receipt["runs"]["first"]
    assert json.loads(daemon.get(f"/api/v1/runs/{run}")[1])["requests"] == [receipt["id"]]
    assert daemon.get("/api/v1/plans/nothing/sync", post=True, token=TOKEN)[0] == 404
    assert daemon.get("/healthz")[0] == 200
    assert daemon.get("/readyz")[0] == 200

    answer = daemon.shell("sync", "first")
    assert answer.code == 0
    assert "in_sync" in answer.text
    assert daemon.shell("sync", "nothing").code == 1
    refused = daemon.shell("sync", RECONCILER_HTTP__TOKEN="wrong")
    assert refused.code == 1
    assert "token" in refused.text
    assert daemon.stop() == 0
    gone = daemon.shell("sync")
    assert gone.code == 1
    assert "reconciler run" in gone.text


def subnet(number: int) -> dict[str, Any]:
    return {
        "Type": "AWS::EC2::Subnet",
        "DependsOn": f"Subnet{number - 1}" if number else "Vpc",
        "Properties": {"VpcId": {"Ref": "Vpc"}, "CidrBlock": f"10.0.{number}.0/24"},
    }


#: Steps that can only be taken one after the other.
CHAIN = {"Vpc": vpc(), **{f"Subnet{number}": subnet(number) for number in range(6)}}


def journal(lab: Lab, plan: str) -> list[Any]:
    runs = lab.app.store.history(PlanName(plan), 50)
    return [entry for run in runs for entry in lab.app.store.journal(run.run)]


def test_sigterm_finishes_the_step_in_hand(lab: Lab) -> None:
    lab.write(plan_text("chain", CHAIN))
    with Running(lab) as daemon, lab.aws.hold("ec2", "CreateSubnet") as held:
        assert held.arrived.wait(30)
        daemon.signal(signal.SIGTERM)
        until(lambda: daemon.said("stopping"), "the daemon to begin to stop")
        held.release()
        assert daemon.process.wait(timeout=30) == 0
        assert daemon.said("stopped")
    entries = journal(lab, "chain")
    assert {entry.state for entry in entries} == {JournalState.DONE}
    assert not lab.app.store.unfinished(PlanName("chain"))
    status = lab.app.store.status(PlanName("chain"))
    assert status is not None
    assert status.state is PlanState.DRIFTED
    assert "interrupted" in status.message
    assert set(lab.app.store.records(PlanName("chain"))) == {entry.logical_id for entry in entries} < set(CHAIN)


def test_a_second_sigterm_stops_at_once(lab: Lab) -> None:
    lab.write(plan_text("chain", CHAIN))
    with Running(lab) as daemon, lab.aws.hold("ec2", "CreateSubnet") as held:
        assert held.arrived.wait(30)
        daemon.signal(signal.SIGTERM)
        until(lambda: daemon.said("stopping"), "the daemon to begin to stop")
        daemon.signal(signal.SIGTERM)
        assert daemon.process.wait(timeout=5) == 128 + signal.SIGTERM
        held.release()
    with Running(lab) as daemon:
        daemon.reaches("chain", IN_SYNC)
    assert len(vpcs(lab, "chain")) == 1
    assert not lab.app.store.unfinished(PlanName("chain"))


@pytest.mark.parametrize("operation", ["CreateVpc", "CreateSubnet"])
def test_killed_in_the_middle_and_started_again(lab: Lab, operation: str) -> None:
    lab.write(plan_text("chain", CHAIN))
    with Running(lab) as daemon, lab.aws.hold("ec2", operation) as held:
        assert held.arrived.wait(30)
        os.kill(daemon.process.pid, signal.SIGKILL)
        daemon.process.wait()
        held.release()
    assert lab.app.store.unfinished(PlanName("chain"))
    with Running(lab) as daemon:
        daemon.reaches("chain", IN_SYNC)
        assert daemon.said("interrupted step settled")
    assert len(vpcs(lab, "chain")) == 1
    found = lab.aws.client("ec2", account=SANDBOX, region=REGION).describe_subnets(
        Filters=[{"Name": "tag:reconciler:plan", "Values": ["chain"]}]
    )["Subnets"]
    assert sorted(subnet["CidrBlock"] for subnet in found) == [f"10.0.{n}.0/24" for n in range(6)]
    assert not lab.app.store.unfinished(PlanName("chain"))


def test_a_half_written_file_is_taken_when_it_is_whole(daemon: Running, lab: Lab) -> None:
    text = plan_text("slow-hand", {"Jobs": queue("slow-hand")})
    path = Path(lab.desired / "slow-hand.yaml")
    path.write_text(text[: len(text) // 2])
    until(lambda: daemon.said("plan rejected"), "the half file to be refused")
    path.write_text(text)
    daemon.reaches("slow-hand", IN_SYNC)
    assert daemon.status("first").state is IN_SYNC  # type: ignore[union-attr]
