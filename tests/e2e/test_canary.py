"""Secrets with a telling spelling, a life in which everything goes wrong, and a search through all that is left."""

from __future__ import annotations

import base64
import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest
import yaml

from reconciler.model.errors import AwsFault
from reconciler.policy.embedded import EmbeddedEngine
from reconciler.providers.native.ssm import Parameter
from reconciler.testing.localaws import LocalAws
from tests.e2e.conftest import PRODUCTION, SANDBOX, Lab
from tests.e2e.running import TOKEN, Answer, Running, Shell, plan_text, until

NOECHO, FETCHED, OLD = 'canary"ñoecho/7351', "canary-fetched-8462", "canary-found-9573"
CANARIES = (NOECHO, FETCHED, OLD)
TEMPLATE = {
    "Parameters": {"Password": {"Type": "String", "NoEcho": True}},
    "Resources": {
        "Plain": {
            "Type": "AWS::SSM::Parameter",
            "Properties": {"Name": "/canary/plain", "Type": "String", "Value": {"Ref": "Password"}},
        },
        "Joined": {
            "Type": "AWS::SSM::Parameter",
            "Properties": {
                "Name": "/canary/joined",
                "Type": "String",
                "Value": {"Fn::Sub": "postgres://user:${Password}@host/db"},
                "Description": {"Fn::Base64": {"Ref": "Password"}},
            },
        },
        "Fetched": {
            "Type": "AWS::SSM::Parameter",
            "Properties": {
                "Name": "/canary/fetched",
                "Type": "String",
                "Value": "{{resolve:secretsmanager:canary:SecretString:password}}",
            },
        },
        "Key": {"Type": "AWS::KMS::Key", "Properties": {"PendingWindowInDays": 7}},
    },
}


def spellings(canary: str) -> Iterator[str]:
    """All the ways in which it could be told."""
    yield canary
    yield json.dumps(canary)[1:-1]
    yield json.dumps(canary, ensure_ascii=False)[1:-1]
    yield quote(canary)
    yield quote(canary, safe="")
    yield base64.b64encode(canary.encode()).decode().rstrip("=")


def told(texts: dict[str, str]) -> list[tuple[str, str]]:
    """Where a canary can be found."""
    return [
        (where, text[max(0, text.index(spelling) - 60) : text.index(spelling) + 60])
        for where, text in texts.items()
        for canary in CANARIES
        for spelling in spellings(canary)
        if spelling in text
    ]


def left_behind(lab: Lab) -> dict[str, str]:
    """Every file but the plans, and every object of every Git repository."""
    found = {}
    for file in lab.directory.rglob("*"):
        if file.is_file() and lab.desired not in file.parents:
            found[str(file)] = file.read_bytes().decode("utf-8", "replace")
    for objects in lab.directory.rglob("objects"):
        command = ["git", "--git-dir", str(objects.parent), "cat-file", "--batch-all-objects", "--batch"]
        found[f"objects of {objects.parent}"] = subprocess.run(command, capture_output=True, check=True).stdout.decode(
            "utf-8", "replace"
        )
    return found


class Life:
    """Commands, and everything that they say."""

    def __init__(self, lab: Lab, aws: LocalAws) -> None:
        self.lab, self.aws, self.shell, self.said = lab, aws, Shell(lab), dict[str, str]()

    def do(self, *arguments: str) -> Answer:
        """One command; ``--debug`` shows tracebacks."""
        answer = self.shell("--debug", *arguments)
        self.said[f"{len(self.said)}: {' '.join(arguments)}"] = answer.out + answer.err
        return answer

    def look(self) -> None:
        """Every way of looking at it; each command builds the whole application, so not all of them each time."""
        for output in ("table", "json"):
            self.do("status", "lab", "--output", output)
        runs = json.loads(self.shell("history", "lab", "--output", "json").out)
        newest = (runs["runs"] if isinstance(runs, dict) else runs)[0]
        self.do("report", newest["run"], "--output", "json")

    def look_closely(self) -> None:
        """The others, once."""
        for output in ("table", "json", "markdown"):
            self.do("diff", "lab", "--output", output)
        for words in (("history", "lab"), ("audit", "export"), ("rollback", "lab", "--list"), ("iam-policy", "lab")):
            self.do(*words)

    def write(self, name: str, environment: str, password: str, file: str) -> None:
        text = plan_text(name, {}, environment, parameters={"Password": password})
        document = yaml.safe_load(text)
        del document["spec"]["resources"]
        document["spec"]["template"] = "canary.cfn.json"
        (self.lab.desired / "canary.cfn.json").write_text(json.dumps(TEMPLATE))
        (self.lab.desired / file).write_text(yaml.safe_dump(document, allow_unicode=True))


@pytest.fixture
def life(lab: Lab, local_aws: LocalAws) -> Life:
    for account in (SANDBOX, PRODUCTION):
        secrets = local_aws.client("secretsmanager", account=account)
        secrets.create_secret(Name="canary", SecretString=json.dumps({"password": FETCHED}))
    return Life(lab, local_aws)


@pytest.mark.timeout(600)
def test_no_secret_is_told_whatever_happens(life: Life, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    question = EmbeddedEngine.review

    def listening(engine: EmbeddedEngine, changes: object, facts: object) -> object:
        from reconciler.policy.document import policy_input

        asked.append(json.dumps(policy_input(changes.plan, changes, facts)))  # type: ignore[attr-defined, arg-type]
        return question(engine, changes, facts)  # type: ignore[arg-type]

    monkeypatch.setattr(EmbeddedEngine, "review", listening)
    ssm = life.aws.client("ssm", account=SANDBOX)
    life.write("lab", "sandbox", NOECHO, "lab.yaml")
    assert life.do("apply", "lab").code == 0
    assert ssm.get_parameter(Name="/canary/plain")["Parameter"]["Value"] == NOECHO, "AWS must have it, of course"
    assert ssm.get_parameter(Name="/canary/fetched")["Parameter"]["Value"] == FETCHED
    life.look()

    # somebody changes the secret itself; AWS and the program fail over it in every way
    ssm.put_parameter(Name="/canary/plain", Value=OLD, Overwrite=True)
    life.look_closely()
    for code, status in (("ValidationException", 400), ("AccessDenied", 400), ("InternalServerError", 500)):
        life.aws.fail("ssm", "PutParameter", code, status=status, message=f"the value {NOECHO} of {FETCHED} is bad")
        assert life.do("apply", "lab").code == 1
        life.look()
    life.aws.clear_faults()
    put = Parameter.update

    def explode(*arguments: object) -> object:
        raise RuntimeError(f"can't handle {arguments}: {NOECHO}")

    monkeypatch.setattr(Parameter, "update", explode)
    assert life.do("apply", "lab").code == 1
    monkeypatch.setattr(Parameter, "update", put)
    life.aws.cut("ssm", "PutParameter", applied=False)
    life.do("apply", "lab")
    assert life.do("apply", "lab").code == 0
    assert ssm.get_parameter(Name="/canary/plain")["Parameter"]["Value"] == NOECHO

    # another secret, a rollback for which the old one is gone, a branch for production
    life.write("lab", "sandbox", f"{NOECHO}-changed", "lab.yaml")
    assert life.do("apply", "lab").code == 0
    assert life.do("rollback", "lab").code != 0
    life.do("rollback", "lab", "--cancel")
    life.write("web", "production", NOECHO, "web.yaml")
    assert life.do("apply", "web").code == 0
    for form in ("table", "json"):
        life.do("status", "web", "--output", form)
    life.look_closely()
    assert asked
    assert told(life.said) == []
    assert told({"policy input": "\n".join(asked)}) == []
    assert told(left_behind(life.lab)) == []


def test_nor_by_a_running_daemon(life: Life) -> None:
    life.write("lab", "sandbox", NOECHO, "lab.yaml")
    life.aws.fail("ssm", "PutParameter", "ValidationException", times=2, message=f"the value {NOECHO} is bad")
    with Running(life.lab) as daemon:
        until(lambda: (status := daemon.status("lab")) and status.last_success_at, "a pass that succeeds")
        import signal

        daemon.signal(signal.SIGUSR2)
        until(lambda: daemon.said("state"), "the state in the log")
        answers = {
            path: daemon.get(path)[1]
            for path in (
                "/",
                "/metrics",
                "/readyz",
                "/api/v1/plans",
                "/api/v1/plans/lab",
                "/api/v1/plans/lab/diff",
                "/api/v1/plans/lab/history",
            )
        }
        assert daemon.stop() == 0
    assert told(answers) == []
    left = left_behind(life.lab)
    assert told(left) == []
    logs = "".join(text for name, text in left.items() if Path(name).suffix == ".log")
    assert "(sensitive)" in logs, "AWS's answer quoted the value, so the log tells of it"
    assert TOKEN not in logs


def test_a_fault_with_a_secret_in_it_can_be_printed(life: Life) -> None:
    """What the searches above rely on: with the scrubbing off, they would find something."""
    from reconciler.model.secrecy import know

    know(NOECHO)
    assert not told({"": str(AwsFault.__new__(AwsFault, f"x {NOECHO}"))})
    assert told({"": f"x {NOECHO}"})
