"""From a change in AWS to the pager: the daemon, a real Prometheus with the shipped rules, a real Alertmanager.

The shipped configuration and rules are used as they are, but for time, which ``sooner`` and ``configuration`` replace
in their text: scrapes and evaluations every second, ``for`` of one second, drift that counts after two seconds.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.error import URLError
from urllib.request import urlopen

import pytest
import yaml

from reconciler.model.ids import PlanName
from reconciler.model.report import PlanState
from reconciler.testing.localaws import LocalAws
from reconciler.testing.memory import EventLog
from reconciler.testing.stage import Stage

pytestmark = pytest.mark.prometheus

ROOT = Path(__file__).parents[2]
SHIPPED = ROOT / "deploy" / "prometheus"
SANDBOX, STAGING = "111111111111", "333333333333"
REGION = "eu-central-1"
PATIENCE = 60.0

PLAN = """
apiVersion: reconciler/v1
kind: Plan
metadata: {{name: {name}, author: alice@example.com}}
spec:
  target: {{environment: {environment}, account: "{account}", region: eu-central-1}}
  guardrail: {{status: passed, reference: https://ci.example.com/guardrail/1}}
  rollback: automatic
  resources:
    {resource}
"""
QUEUE = "Jobs: {Type: AWS::SQS::Queue, Properties: {QueueName: jobs, VisibilityTimeout: 60}}"
BUCKET = "Uploads: {Type: AWS::S3::Bucket, Properties: {BucketName: somebody-elses}}"
TOPIC = "Alarms: {Type: AWS::SNS::Topic, Properties: {TopicName: alarms}}"
HEALTHY, DRIFTING, FAILING = PlanName("healthy"), PlanName("drifting"), PlanName("failing")


def binary(*names: str) -> str:
    found = next((path for name in names if (path := shutil.which(name))), None)
    if found is None:
        reason = f"{names[0]} is missing: scripts/get-prometheus installs it"
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)
    return found


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def until(reached: Callable[[], bool], what: Callable[[], str] | str) -> None:
    deadline = time.monotonic() + PATIENCE
    while not reached():
        if time.monotonic() > deadline:
            pytest.fail(f"waited {PATIENCE:.0f} s in vain for {what if isinstance(what, str) else what()}")
        time.sleep(0.05)


def sooner(rules: str) -> str:
    """The rules with their times shortened. Everything else of every expression stays."""
    text, waits = re.subn(r"^( +for:) \w+$", r"\1 1s", rules, flags=re.MULTILINE)
    text, thresholds = re.subn(r"(drift_since_timestamp_seconds > 0\)\)) > 1800$", r"\1 > 2", text, flags=re.MULTILINE)
    assert (waits, thresholds) == (12, 1), "the rules changed: look at what is shortened here"
    return text


def configuration(daemon: int, alertmanager: int) -> str:
    """The shipped example, by the second, with this test's addresses."""
    text = (SHIPPED / "prometheus.yml").read_text()
    for old, new, times in (
        ("_interval: 15s", "_interval: 1s", 2),
        ("127.0.0.1:9595", f"127.0.0.1:{daemon}", 1),
        ("127.0.0.1:9093", f"127.0.0.1:{alertmanager}", 1),
    ):
        assert text.count(old) == times
        text = text.replace(old, new)
    return text


class Pager:
    """The webhook that Alertmanager calls. Remembers every alert it was told of."""

    def __init__(self) -> None:
        self.told: list[dict[str, Any]] = []
        pager = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                pager.told += json.loads(body)["alerts"]
                self.send_response(200)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: object) -> None:
                """Silent."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}/"

    def __enter__(self) -> Pager:
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def alerts(self, name: str, plan: PlanName, status: str) -> list[dict[str, Any]]:
        return [
            alert
            for alert in list(self.told)
            if (alert["labels"]["alertname"], alert["labels"].get("plan"), alert["status"]) == (name, plan, status)
        ]

    def wait(self, name: str, plan: PlanName, status: str = "firing") -> dict[str, Any]:
        def heard() -> str:
            return f"{name} of {plan} to be {status}; told of {[(a['status'], a['labels']) for a in self.told]}"

        until(lambda: bool(self.alerts(name, plan, status)), heard)
        return self.alerts(name, plan, status)[-1]


@contextmanager
def running(directory: Path, health: str, *command: str) -> Iterator[None]:
    """A server of Prometheus' family: ready when its health page answers, stopped at the end."""
    log = directory / "log.txt"
    with (
        log.open("wb") as output,
        subprocess.Popen(command, cwd=directory, stdout=output, stderr=subprocess.STDOUT) as process,
    ):
        try:
            until(lambda: process.poll() is not None or answers(health), lambda: f"{health}: {log.read_text()[-2000:]}")
            assert process.poll() is None, log.read_text()[-2000:]
            yield
        finally:
            process.terminate()
            try:
                process.wait(timeout=10)
            except subprocess.TimeoutExpired:
                process.kill()


def answers(url: str) -> bool:
    try:
        with urlopen(url, timeout=2) as answer:
            return bool(answer.status == 200)
    except (URLError, OSError):
        return False


def alertmanager(directory: Path, webhook: str, port: int) -> tuple[Path, str, tuple[str, ...]]:
    directory.mkdir()
    route = {"receiver": "pager", "group_by": ["..."], "group_wait": "0s", "group_interval": "1s"}
    receiver = {"name": "pager", "webhook_configs": [{"url": webhook, "send_resolved": True}]}
    (directory / "config.yaml").write_text(yaml.safe_dump({"route": route, "receivers": [receiver]}))
    command = (
        binary("prometheus-alertmanager", "alertmanager"),
        "--config.file=config.yaml",
        "--storage.path=data",
        f"--web.listen-address=127.0.0.1:{port}",
        "--cluster.listen-address=",
    )
    return directory, f"http://127.0.0.1:{port}/-/ready", command


def prometheus(directory: Path, daemon: int, alerts: int, port: int) -> tuple[Path, str, tuple[str, ...]]:
    directory.mkdir()
    (directory / "reconciler.rules.yaml").write_text(sooner((SHIPPED / "reconciler.rules.yaml").read_text()))
    (directory / "prometheus.yml").write_text(configuration(daemon, alerts))
    command = (
        binary("prometheus"),
        "--config.file=prometheus.yml",
        "--storage.tsdb.path=data",
        f"--web.listen-address=127.0.0.1:{port}",
    )
    return directory, f"http://127.0.0.1:{port}/-/ready", command


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    """Three plans: one that is fine, one only a pipeline may repair, one whose bucket's name is taken."""
    desired = tmp_path / "reconciler" / "desired"
    desired.mkdir(parents=True)
    for name, environment, account, resource in (
        (HEALTHY, "sandbox", SANDBOX, TOPIC),
        (DRIFTING, "staging", STAGING, QUEUE),
        (FAILING, "sandbox", SANDBOX, BUCKET),
    ):
        text = PLAN.format(name=name, environment=environment, account=account, resource=resource)
        (desired / f"{name}.yaml").write_text(text)
    with LocalAws(warm=("s3", "sns", "sqs")) as aws, Stage(tmp_path / "reconciler", aws, EventLog()) as made:
        yield made


def deploy(stage: Stage, attributes: dict[str, str]) -> Any:
    """What the pipeline does after the merge."""
    sqs = stage.aws.client("sqs", account=STAGING, region=REGION)
    owner = {"reconciler:plan": DRIFTING, "reconciler:id": "Jobs"}
    return sqs.create_queue(QueueName="jobs", Attributes=attributes, tags=owner)["QueueUrl"]


def states(stage: Stage) -> dict[str, PlanState | None]:
    found = {name: stage.app.store.status(name) for name in (HEALTHY, DRIFTING, FAILING)}
    return {name: status.state if status else None for name, status in found.items()}


def test_drift_and_failure_reach_the_pager_and_end_there(stage: Stage, tmp_path: Path) -> None:
    other = stage.aws.client("s3", account="555555555555")
    other.create_bucket(Bucket="somebody-elses")
    url = deploy(stage, {"VisibilityTimeout": "60"})
    stage.start()
    fine = {HEALTHY: PlanState.IN_SYNC, DRIFTING: PlanState.IN_SYNC, FAILING: PlanState.FAILED}
    until(lambda: states(stage) == fine, lambda: f"{fine}; it is {states(stage)}")
    alerts, own = free_port(), free_port()
    with ExitStack() as stack:
        pager = stack.enter_context(Pager())
        for directory, health, command in (
            alertmanager(tmp_path / "alertmanager", pager.url, alerts),
            prometheus(tmp_path / "prometheus", stage.server.port, alerts, own),
        ):
            stack.enter_context(running(directory, health, *command))

        failing = pager.wait("ReconcilerReconcileFailing", FAILING)
        assert failing["labels"] == {
            "alertname": "ReconcilerReconcileFailing",
            "instance": f"127.0.0.1:{stage.server.port}",
            "job": "reconciler",
            "plan": "failing",
            "environment": "sandbox",
            "status": "failed",
            "severity": "warning",
        }
        assert failing["annotations"]["summary"] == "failing (sandbox) is failed"
        assert failing["annotations"]["runbook_url"] == "docs/runbook.md#reconcilerreconcilefailing"
        assert not pager.alerts("ReconcilerDriftUnresolved", DRIFTING, "firing")

        sqs = stage.aws.client("sqs", account=STAGING, region=REGION)
        sqs.set_queue_attributes(QueueUrl=url, Attributes={"VisibilityTimeout": "1"})
        (report,) = stage.sync(DRIFTING, patience=PATIENCE)
        assert report.state is PlanState.PIPELINE_OPEN
        drift = pager.wait("ReconcilerDriftUnresolved", DRIFTING)
        assert drift["labels"] == {
            "alertname": "ReconcilerDriftUnresolved",
            "instance": f"127.0.0.1:{stage.server.port}",
            "job": "reconciler",
            "plan": "drifting",
            "environment": "staging",
            "severity": "warning",
        }
        assert drift["annotations"]["summary"].startswith("drifting (staging) has differed from its plan for ")

        sqs.set_queue_attributes(QueueUrl=url, Attributes={"VisibilityTimeout": "60"})
        other.delete_bucket(Bucket="somebody-elses")
        reports = stage.sync(DRIFTING, FAILING, patience=PATIENCE)
        assert {(report.plan, report.state) for report in reports} == {
            (DRIFTING, PlanState.IN_SYNC),
            (FAILING, PlanState.IN_SYNC),
        }
        pager.wait("ReconcilerDriftUnresolved", DRIFTING, "resolved")
        pager.wait("ReconcilerReconcileFailing", FAILING, "resolved")
        assert not [alert for alert in pager.told if alert["labels"].get("plan") == HEALTHY]
