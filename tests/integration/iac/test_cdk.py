"""The cdk delivery with the real CDK command line, against ministack."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from reconciler.model.errors import DeploymentError
from reconciler.model.report import PlanState, StepState
from reconciler.testing.localaws import LocalAws
from tests.e2e.test_cli import People
from tests.integration.iac.conftest import ROOT, Bench
from tests.integration.iac.test_stack import actions, approve, stack_of
from tests.integration.iac.test_terraform import KILLED, gone
from tests.ministack import Ministack

pytestmark = [pytest.mark.ministack, pytest.mark.cdk]
#: The command line takes seconds each time, so some are for the long run only.
slow = pytest.mark.skipif(not os.environ.get("RECONCILER_STRESS"), reason="RECONCILER_STRESS=1 runs it")

#: On the real library; the others write the same assembly by hand, because the library takes seconds to load.
LIBRARY_APP = """
const cdk = require('aws-cdk-lib');
const sqs = require('aws-cdk-lib/aws-sqs');
const app = new cdk.App();
const stack = new cdk.Stack(app, 'Web', {
  env: { account: process.env.CDK_DEFAULT_ACCOUNT, region: process.env.CDK_DEFAULT_REGION },
  synthesizer: new cdk.LegacyStackSynthesizer(),
});
new sqs.Queue(stack, 'Jobs', { queueName: 'cdk-jobs' });
"""
APP = """
const fs = require('fs');
const out = process.env.CDK_OUTDIR;
const context = JSON.parse(process.env.CDK_CONTEXT_JSON || '{}');
const place = `${process.env.CDK_DEFAULT_ACCOUNT}/${process.env.CDK_DEFAULT_REGION}`;
const resources = {
  Jobs: {
    Type: 'AWS::SQS::Queue',
    Properties: { QueueName: 'cdk-jobs', VisibilityTimeout: Number(context.seconds ?? 30) },
  },
};
//MORE
fs.writeFileSync(`${out}/Web.template.json`, JSON.stringify({ Resources: resources }));
const web = {
  type: 'aws:cloudformation:stack', environment: `aws://${place}`,
  properties: { templateFile: 'Web.template.json' },
};
fs.writeFileSync(`${out}/manifest.json`, JSON.stringify({ version: '36.0.0', artifacts: { Web: web } }));
"""
ROLE = """
const trust = { Effect: 'Allow', Principal: { Service: 'ec2.amazonaws.com' }, Action: 'sts:AssumeRole' };
resources.Worker = {
  Type: 'AWS::IAM::Role',
  Properties: { AssumeRolePolicyDocument: { Version: '2012-10-17', Statement: [trust] } },
};
"""
BROKEN = """
const allowed = { Effect: 'Allow', Action: 's3:GetObject', Resource: '*' };
resources.Broken = {
  Type: 'AWS::IAM::Policy', DependsOn: ['Jobs'],
  Properties: {
    PolicyName: 'p', Roles: ['nobody'], PolicyDocument: { Version: '2012-10-17', Statement: [allowed] },
  },
};
"""
PACKAGE = {"name": "app", "version": "1.0.0", "private": True}
LOCK = {"name": "app", "version": "1.0.0", "lockfileVersion": 3, "requires": True, "packages": {"": PACKAGE}}


@pytest.fixture(scope="session")
def modules() -> Path:
    """The CDK's node_modules. Without them the test is skipped, and fails in CI."""
    got = subprocess.run([ROOT / "scripts" / "get-cdk"], capture_output=True, text=True, check=False)
    if got.returncode:
        if os.environ.get("CI") == "true":
            pytest.fail(f"scripts/get-cdk got none; in CI it must: {got.stderr}")
        pytest.skip("no CDK to be had on this machine (scripts/get-cdk says why)")
    return Path(got.stdout.strip())


@pytest.fixture
def cdk(bench: Bench, modules: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Bench]:
    monkeypatch.setenv("NODE_PATH", str(modules))
    bench.tools = {"cdk": {"binary": str(modules / ".bin" / "cdk"), "environment": ["NODE_PATH"]}}
    bench.open()
    yield bench


def write(bench: Bench, app: str = APP, environment: str = "sandbox", **spec: Any) -> None:
    bench.file("web-cdk/app.js", app)
    bench.file("web-cdk/cdk.json", '{"app": "node app.js"}')
    bench.file("web-cdk/package.json", json.dumps(PACKAGE))
    bench.file("web-cdk/package-lock.json", json.dumps(LOCK))
    bench.plan("web", environment, cdk={"directory": "web-cdk"}, **spec)


def wrapped(bench: Bench, script: str) -> None:
    """The command line behind a script: ``$@`` are its arguments."""
    path = bench.directory / "cdk"
    real = bench.tools["cdk"]["binary"]
    path.write_text(f'#!/bin/sh\n{script}\nexec {real} "$@"\n')
    path.chmod(0o755)
    bench.tools = {"cdk": {**bench.tools["cdk"], "binary": str(path)}}
    bench.open()


def queues(aws: Ministack) -> dict[str, str]:
    sqs = aws.client("sqs")
    return {
        url.rsplit("/", 1)[-1]: sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["VisibilityTimeout"])[
            "Attributes"
        ]["VisibilityTimeout"]
        for url in sqs.list_queues().get("QueueUrls", [])
    }


#: A stage for the plan's place and one for another, as the library writes them.
STAGES = """
const fs = require('fs');
const out = process.env.CDK_OUTDIR;
const place = `${process.env.CDK_DEFAULT_ACCOUNT}/${process.env.CDK_DEFAULT_REGION}`;
const artifacts = {};
for (const [stage, where] of [['Dev', place], ['Prod', '999999999999/eu-west-1']]) {
  fs.mkdirSync(`${out}/assembly-${stage}`, { recursive: true });
  const queue = { Type: 'AWS::SQS::Queue', Properties: { QueueName: `${stage}-jobs` } };
  fs.writeFileSync(`${out}/assembly-${stage}/web.template.json`, JSON.stringify({ Resources: { Jobs: queue } }));
  const web = {
    type: 'aws:cloudformation:stack', environment: `aws://${where}`, displayName: `${stage}/Web`,
    properties: { templateFile: 'web.template.json', stackName: `${stage}-Web` },
  };
  const inner = { version: '36.0.0', artifacts: { [`${stage}Web1A2B`]: web } };
  fs.writeFileSync(`${out}/assembly-${stage}/manifest.json`, JSON.stringify(inner));
  artifacts[`assembly-${stage}`] = {
    type: 'cdk:cloud-assembly', properties: { directoryName: `assembly-${stage}`, displayName: stage },
  };
}
fs.writeFileSync(`${out}/manifest.json`, JSON.stringify({ version: '36.0.0', artifacts }));
"""


def test_a_stage_for_the_place_of_the_plan(cdk: Bench, ministack: Ministack) -> None:
    write(cdk, STAGES)
    refused = cdk.run("web")
    assert refused.state is PlanState.FAILED
    assert "the stack Prod/Web is for account 999999999999, eu-west-1" in refused.message
    cdk.plan("web", "sandbox", cdk={"directory": "web-cdk", "stacks": ["Dev/*"]})
    report = cdk.run("web")
    assert report.state is PlanState.IN_SYNC, report.message
    assert queues(ministack) == {"Dev-jobs": "30"}
    assert stack_of(ministack, name="Dev-Web") is not None
    assert cdk.run("web").changes == ()


def test_synthesized_deployed_changed_and_deleted(cdk: Bench, ministack: Ministack) -> None:
    write(cdk)
    report = cdk.run("web")
    assert report.state is PlanState.IN_SYNC, report.message
    assert set(actions(report).values()) == {"create"}
    assert any(name.startswith("Jobs") for name in actions(report))
    assert {step.state for step in report.steps} == {StepState.DONE}
    assert queues(ministack) == {"cdk-jobs": "30"}
    stack = stack_of(ministack, name="Web")
    assert stack is not None
    assert {tag["Key"]: tag["Value"] for tag in stack["Tags"]} == {"reconciler:plan": "web", "reconciler:id": "Web"}
    again = cdk.run("web")
    assert (again.state, again.changes) == (PlanState.IN_SYNC, ()), again.message
    write(cdk, parameters={"seconds": 45})
    shown = cdk.preview("web").changes
    assert shown is not None
    assert "VisibilityTimeout" in shown.output, "cdk diff's own words are shown"
    assert cdk.run("web").state is PlanState.IN_SYNC
    assert queues(ministack) == {"cdk-jobs": "45"}
    assert not (cdk.desired / "web-cdk" / "cdk.out").exists(), "nothing is done in the source"
    write(cdk, state="absent")
    gone_now = cdk.run("web")
    assert gone_now.state is PlanState.IN_SYNC, gone_now.message
    assert (stack_of(ministack, name="Web"), queues(ministack)) == (None, {})


def test_an_app_on_the_real_library(cdk: Bench, ministack: Ministack) -> None:
    write(cdk, LIBRARY_APP)
    report = cdk.run("web")
    assert report.state is PlanState.IN_SYNC, report.message
    assert any(name.startswith("Jobs") for name in actions(report))
    assert queues(ministack) == {"cdk-jobs": "30"}


@slow
def test_what_opens_something_further_needs_an_approval_even_in_a_sandbox(cdk: Bench, ministack: Ministack) -> None:
    (cdk.directory / "keys").mkdir()
    people = People(cdk.directory / "keys", cdk.policies)
    write(cdk, APP.replace("//MORE", ROLE))
    report = cdk.run("web")
    assert report.state is PlanState.PENDING_APPROVAL, report.message
    assert "opens" in report.message
    assert stack_of(ministack, name="Web") is None
    approve(cdk, people, ["create"])
    assert cdk.run("web").state is PlanState.IN_SYNC


def test_a_failed_deployment_is_told_by_the_stack(cdk: Bench, ministack: Ministack) -> None:
    data = yaml.safe_load((cdk.policies / "data.yaml").read_text())
    data["approvals"]["sandbox"]["broadening"] = []
    (cdk.policies / "data.yaml").write_text(yaml.safe_dump(data))
    write(cdk)
    assert cdk.run("web").state is PlanState.IN_SYNC
    write(cdk, APP.replace("?? 30", "?? 60").replace("//MORE", BROKEN))
    report = cdk.run("web")
    assert report.state is PlanState.FAILED
    assert "nobody cannot be found" in report.message, report.message
    assert report.message.endswith("rolled back")
    assert queues(ministack) == {"cdk-jobs": "30"}


def test_what_is_refused_before_anything_is_run(cdk: Bench) -> None:
    write(cdk)
    (cdk.desired / "web-cdk" / "package-lock.json").unlink()
    report = cdk.run("web")
    assert (report.state, report.explanations[0].title) == (PlanState.FAILED, "Lock file missing")
    assert "npm install --package-lock-only" in report.explanations[0].options[0]
    write(cdk)
    cdk.open(iac={"cdk": {**cdk.tools["cdk"], "version": "<2"}})
    report = cdk.run("web")
    assert (report.state, report.explanations[0].title) == (PlanState.FAILED, "Wrong version")
    cdk.open(iac={"cdk": {"binary": "/nowhere/cdk"}})
    report = cdk.run("web")
    assert (report.state, report.explanations[0].title) == (PlanState.FAILED, "Program missing")


@slow
def test_another_account_is_refused(cdk: Bench, ministack: Ministack) -> None:
    write(cdk, APP.replace("process.env.CDK_DEFAULT_ACCOUNT", "'999999999999'"))
    report = cdk.run("web")
    assert report.state is PlanState.FAILED
    assert "is for account 999999999999" in report.message


@slow
def test_the_app_sees_no_credentials(cdk: Bench, ministack: Ministack) -> None:
    spy = "require('fs').writeFileSync('seen.json', JSON.stringify(process.env));\n"
    write(cdk, spy + APP)
    assert cdk.run("web").state is PlanState.IN_SYNC
    seen = json.loads((cdk.directory / "state" / "iac" / "cdk" / "web" / "source" / "seen.json").read_text())
    assert [name for name in seen if name.startswith(("AWS_ACCESS", "AWS_SECRET", "AWS_SESSION", "RECONCILER"))] == []
    assert seen["CDK_DEFAULT_ACCOUNT"] == "111111111111"


@slow
def test_one_that_takes_too_long_is_stopped(cdk: Bench) -> None:
    wrapped(cdk, '[ "$1" != synth ] || exec sleep 300')
    cdk.open(iac={**cdk.tools, "plan_timeout": "2s"})
    write(cdk)
    report = cdk.run("web")
    assert report.state is PlanState.FAILED
    assert "cdk synth took longer than 2 s and was stopped" in report.message


def test_a_killed_deployment_is_said_and_done_again(cdk: Bench, ministack: Ministack) -> None:
    mark, real = cdk.directory / "asleep", dict(cdk.tools)
    wrapped(cdk, f'[ "$1" != deploy ] || {{ echo $$ > {mark}; exec sleep 300; }}')
    write(cdk)

    def kill() -> None:
        while not mark.exists() or not mark.read_text().strip():
            time.sleep(0.02)
        os.kill(int(mark.read_text()), signal.SIGKILL)

    killer = threading.Thread(target=kill)
    killer.start()
    report = cdk.run("web")
    killer.join()
    assert report.state is PlanState.FAILED
    assert "killed by signal 9" in report.message
    assert stack_of(ministack, name="Web") is None
    cdk.tools = real
    cdk.open()
    assert cdk.run("web").state is PlanState.IN_SYNC
    assert queues(ministack) == {"cdk-jobs": "30"}


def test_we_are_killed_while_it_deploys(cdk: Bench, ministack: Ministack) -> None:
    mark, go = cdk.directory / "asleep", cdk.directory / "go"
    wait = f"while [ ! -e {go} ]; do sleep 0.1; done"
    wrapped(cdk, f'[ "$1" != deploy ] || {{ echo $$ > {mark}; {wait}; }}')
    write(cdk)
    cdk.loaded("web")
    process = subprocess.Popen([sys.executable, "-c", KILLED, json.dumps(cdk.settings())], start_new_session=True)
    while not mark.exists() or not mark.read_text().strip():
        assert process.poll() is None
        time.sleep(0.05)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    child = int(mark.read_text())
    cdk.open()
    with pytest.raises(DeploymentError, match=f"process {child}.*still runs"):
        cdk.run("web")
    go.touch()
    assert gone(child)
    report = cdk.run("web")
    assert report.state is PlanState.IN_SYNC, report.message
    assert report.steps == (), "what the earlier process began has come to its end by itself"
    assert queues(ministack) == {"cdk-jobs": "30"}
    assert cdk.app.store.unfinished(report.plan) == []


@pytest.mark.parametrize("environment", ["staging", "production"])
def test_read_only_environments_get_a_branch(
    moto_bench: Bench, moto: LocalAws, modules: Path, monkeypatch: pytest.MonkeyPatch, environment: str
) -> None:
    monkeypatch.setenv("NODE_PATH", str(modules))
    moto_bench.tools = {"cdk": {"binary": str(modules / ".bin" / "cdk"), "environment": ["NODE_PATH"]}}
    moto_bench.open()
    write(moto_bench, environment=environment)
    report = moto_bench.run("web")
    assert report.state is PlanState.PIPELINE_OPEN, report.message
    assert "create" in actions(report).values()
    ((branch, files),) = moto_bench.branches().items()
    place = "infrastructure/web"
    assert {f"{place}/app.js", f"{place}/cdk.json", f"{place}/package-lock.json"} < set(files)
    assert moto_bench.blob(branch, f"{place}/app.js") == APP
    assert moto.mutations() == {}
