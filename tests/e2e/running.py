"""What the end-to-end tests share: plans as text, the command line, and a real ``reconciler run`` process."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from typer.testing import CliRunner

from reconciler.cli.app import app
from reconciler.clock import SystemClock
from reconciler.model.ids import PlanName
from reconciler.model.report import PlanState, PlanStatus
from reconciler.source import DirectorySource
from tests.e2e.conftest import DEVELOPMENT, PRODUCTION, SANDBOX, STAGING, Lab

ACCOUNTS = {"sandbox": SANDBOX, "development": DEVELOPMENT, "staging": STAGING, "production": PRODUCTION}
REGION = "us-east-1"
TOKEN = "let-me-in"
#: Seconds until a test gives up waiting: the machines that run it may be slow and shared.
PATIENCE = 45.0
#: Words that may be longer than a line: digests, ARNs, paths, identifiers.
_LONG = re.compile(r"\S{24,}")


def queue(name: str, **properties: Any) -> dict[str, Any]:
    """An SQS queue."""
    return {"Type": "AWS::SQS::Queue", "Properties": {"QueueName": name, **properties}}


def vpc(cidr: str = "10.0.0.0/16") -> dict[str, Any]:
    """A VPC, which AWS would gladly create twice."""
    return {"Type": "AWS::EC2::VPC", "Properties": {"CidrBlock": cidr}}


def plan_text(name: str, resources: Mapping[str, Any], environment: str = "sandbox", **spec: Any) -> str:
    """A whole plan file."""
    document = {
        "apiVersion": "reconciler/v1",
        "kind": "Plan",
        "metadata": {"name": name, "author": "alice@example.com", "description": f"What {name} needs"},
        "spec": {
            "target": {"environment": environment, "account": ACCOUNTS[environment], "region": REGION},
            "guardrail": {"status": "passed", "reference": "https://ci.example.com/guardrail/4711"},
            "rollback": "automatic",
            "resources": dict(resources),
            **spec,
        },
    }
    return yaml.safe_dump(document, sort_keys=False)


def environment_of(lab: Lab, **more: str) -> dict[str, str]:
    """The variables with which any ``reconciler`` works on the lab's files and state."""
    return {
        **lab.aws.environment(),
        "RECONCILER_SOURCE__PATH": str(lab.desired),
        "RECONCILER_POLICY__DIRECTORY": str(lab.policies),
        "RECONCILER_STATE_DIR": str(lab.directory / "state"),
        "RECONCILER_AWS__ENDPOINT_URL": lab.aws.endpoint,
        "RECONCILER_AWS__ROLE_PATTERN": "arn:aws:iam::{account}:role/reconciler",
        "RECONCILER_PIPELINE__REPOSITORY": str(lab.repository),
        "RECONCILER_HTTP__TOKEN": TOKEN,
        "COLUMNS": "80",
        **more,
    }


@dataclass(frozen=True)
class Answer:
    """What a command printed, and its exit code."""

    code: int
    out: str
    err: str

    @property
    def text(self) -> str:
        """Everything, on one line: what is said doesn't depend on where lines break."""
        return " ".join((self.out + " " + self.err).split())

    @property
    def json(self) -> Any:
        """Standard output as JSON."""
        return json.loads(self.out)

    def too_wide(self) -> list[str]:
        """Lines of standard output over 80 columns that aren't so because of one long word."""
        return [line for line in self.out.splitlines() if len(line) > 80 and not _LONG.search(line[60:])]


class Shell:
    """Runs commands: in this process, which is quick, or in one of their own."""

    def __init__(self, lab: Lab, **more: str) -> None:
        self.environment = environment_of(lab, **more)

    def __call__(self, *arguments: str | Path, **more: str) -> Answer:
        result = CliRunner().invoke(app, [str(word) for word in arguments], env={**self.environment, **more})
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        return Answer(result.exit_code, result.stdout, result.stderr)

    def process(self, *arguments: str | Path, timeout: float = 60) -> Answer:
        done = subprocess.run(
            [*COMMAND, *map(str, arguments)],
            env={**os.environ, **self.environment},
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
        )
        return Answer(done.returncode, done.stdout, done.stderr)


COMMAND = (sys.executable, "-c", "from reconciler.cli import main; main()")
#: The same, where AWS shows at once what was done, as the local one does: nothing is looked for half a minute.
HURRIED = (
    sys.executable,
    "-c",
    """
from reconciler.cli import main
from reconciler.clock import SystemClock
sleep = SystemClock.sleep
SystemClock.sleep = lambda clock, seconds: sleep(clock, min(seconds, 0.05))
main()
""",
)


def until(found: Callable[[], Any], what: str, patience: float = PATIENCE) -> Any:
    """Wait for a true answer, and give it back."""
    deadline = time.monotonic() + patience
    while not (answer := found()):
        if time.monotonic() > deadline:
            raise AssertionError(f"waited {patience:.0f} s in vain for {what}")
        time.sleep(0.05)
    return answer


class Running:
    """A ``reconciler run`` process over a lab. A context manager; what is left of it is killed at the end."""

    def __init__(self, lab: Lab, command: Sequence[str] = COMMAND, **more: str) -> None:
        self.lab, self._command = lab, command
        self.port = free_port()
        quick = {
            "RECONCILER_HTTP__PORT": str(self.port),
            "RECONCILER_LOG__FORMAT": "json",
            "RECONCILER_DAEMON__DEBOUNCE": "50ms",
            "RECONCILER_DAEMON__POLL": "60s",
            "RECONCILER_DAEMON__BACKOFF_BASE": "200ms",
            "RECONCILER_DAEMON__BACKOFF_MAX": "1s",
        }
        self.environment = environment_of(lab, **{**quick, **more})
        self.shell = Shell(lab, RECONCILER_HTTP__PORT=str(self.port))
        self._log = lab.directory / f"daemon-{self.port}.log"

    def __enter__(self) -> Running:
        self._validated()
        with self._log.open("wb") as log:
            self.process = subprocess.Popen((*self._command, "run"), env={**os.environ, **self.environment}, stderr=log)
        try:
            until(lambda: self.said("daemon started"), "the daemon to start")
        except AssertionError as error:
            self.process.kill()
            raise AssertionError(f"{error}\n{self._log.read_text()}") from None
        return self

    def __exit__(self, *_: object) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()

    def _validated(self) -> None:
        """The plans that are there have been seen before: a start with cfn-lint costs a second more than one without.

        What comes while the daemon runs, it validates itself.
        """
        cache = self.lab.directory / "state" / "lint"
        DirectorySource(self.lab.desired, allowed_signers=None, clock=SystemClock(), cache=cache).load()

    # what it says

    def log(self) -> list[dict[str, Any]]:
        """Every line of the log so far."""
        lines = self._log.read_text().splitlines()
        return [json.loads(line) for line in lines if line.startswith("{") and line.endswith("}")]

    def said(self, event: str, **fields: Any) -> list[dict[str, Any]]:
        """The log lines of one event with these fields."""
        return [
            line
            for line in self.log()
            if line["event"] == event and all(line.get(key) == value for key, value in fields.items())
        ]

    def status(self, plan: str) -> PlanStatus | None:
        """The stored status of a plan."""
        return self.lab.app.store.status(PlanName(plan))

    def reaches(self, plan: str, state: PlanState) -> PlanStatus:
        """Wait until a plan is in a state."""

        def there() -> PlanStatus | None:
            status = self.status(plan)
            return status if status is not None and status.state is state else None

        try:
            return until(there, f"{plan} to be {state}")  # type: ignore[no-any-return]
        except AssertionError as error:
            raise AssertionError(f"{error}; it is {self.status(plan)}") from None

    def get(self, path: str, *, post: bool = False, token: str = "") -> tuple[int, str]:
        """Ask over HTTP."""
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.port}{path}", method="POST" if post else "GET", headers=headers
        )
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()

    def metric(self, name: str, **labels: str) -> float:
        """The sum of the samples of a metric that have these labels; 0 if there are none."""
        total = 0.0
        for line in self.get("/metrics")[1].splitlines():
            found = re.fullmatch(r"(\w+)(?:\{(.*)\})? (\S+)", line)
            if found and found[1] == name:
                have = dict(re.findall(r'(\w+)="([^"]*)"', found[2] or ""))
                if labels.items() <= have.items():
                    total += float(found[3])
        return total

    # what it is told

    def signal(self, number: signal.Signals) -> None:
        """Send a signal."""
        self.process.send_signal(number)

    def stop(self, patience: float = PATIENCE) -> int:
        """SIGTERM, and the exit code."""
        self.signal(signal.SIGTERM)
        return self.process.wait(timeout=patience)


def free_port() -> int:
    """A loopback port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
