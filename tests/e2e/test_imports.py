"""One plan takes what another exports: it waits for it, says for whom, and follows every change of it."""

from __future__ import annotations

from typing import Any

import yaml

from reconciler.model.report import PlanState
from tests.e2e.conftest import SANDBOX, Lab
from tests.e2e.running import Running, plan_text, queue, until

IMPORTED: Any = {"Fn::Sub": ["after-${Name}", {"Name": {"Fn::ImportValue": "jobs-name"}}]}


def exporter(lab: Lab, value: str) -> None:
    document = {
        "Resources": {"Source": queue("source")},
        "Outputs": {"Name": {"Value": value, "Export": {"Name": "jobs-name"}}},
    }
    lab.write(yaml.safe_dump(document), "_exporter.cfn.yaml")
    plan = yaml.safe_load(plan_text("exporter", {}, template="_exporter.cfn.yaml"))
    del plan["spec"]["resources"]
    lab.write(yaml.safe_dump(plan), "exporter.yaml")


def importer(lab: Lab) -> None:
    follower = queue("follower", Tags=[{"Key": "of", "Value": IMPORTED}])
    lab.write(plan_text("importer", {"Follower": follower}), "importer.yaml")


def tag(lab: Lab) -> str:
    client = lab.aws.client("sqs", account=SANDBOX)
    urls = client.list_queues(QueueNamePrefix="follower").get("QueueUrls", [])
    return str(client.list_queue_tags(QueueUrl=urls[0])["Tags"].get("of", "")) if urls else ""


def test_a_plan_waits_for_what_it_imports_and_says_for_whom(lab: Lab) -> None:
    importer(lab)
    report = lab.run("importer")
    assert report.state is PlanState.DRIFTED
    assert report.message == "Follower imports jobs-name, which no plan in this account and region exports"
    exporter(lab, "first")
    report = lab.run("importer")
    assert report.state is PlanState.DRIFTED
    assert report.message == "Follower waits for plan exporter, which exports jobs-name"
    assert tag(lab) == ""
    assert lab.run("exporter").state is PlanState.IN_SYNC
    assert lab.run("importer").state is PlanState.IN_SYNC
    assert tag(lab) == "after-first"


def test_an_export_that_is_withdrawn_is_no_longer_imported(lab: Lab) -> None:
    importer(lab)
    exporter(lab, "first")
    lab.run("exporter")
    assert lab.run("importer").state is PlanState.IN_SYNC
    lab.write(yaml.safe_dump({"Resources": {"Source": queue("source")}}), "_exporter.cfn.yaml")
    assert lab.run("exporter").state is PlanState.IN_SYNC
    report = lab.run("importer")
    assert report.state is PlanState.DRIFTED
    assert "which no plan in this account and region exports" in report.message
    assert tag(lab) == "after-first"


def test_the_importer_follows_the_exporter_without_being_asked(lab: Lab) -> None:
    importer(lab)
    with Running(lab, RECONCILER_DAEMON__INTERVAL="1h") as daemon:
        daemon.reaches("importer", PlanState.DRIFTED)
        exporter(lab, "first")
        daemon.reaches("exporter", PlanState.IN_SYNC)
        daemon.reaches("importer", PlanState.IN_SYNC)
        assert tag(lab) == "after-first"
        exporter(lab, "second")
        until(lambda: tag(lab) == "after-second", "the importer to follow")
        assert daemon.said("importers asked for", plan="exporter", importers=["importer"])
