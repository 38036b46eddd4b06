"""Two accounts of a local AWS: a stack is deployed in the one, a plan is applied in the other, by the real thing.

The accounts are new for every template, so that nothing is remembered of them. Withdrawing a plan takes an approval, as
in any environment but the shipped sandbox.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import yaml
from botocore.exceptions import BotoCoreError, ClientError
from botocore.parsers import ResponseParserError

from reconciler import wiring
from reconciler.model.ids import PlanName
from reconciler.model.plan import Approval, Plan, Target
from reconciler.model.report import RunReport
from reconciler.model.resource import Record
from reconciler.ports import Scope
from reconciler.providers.access import Access, AccessSettings
from reconciler.providers.budget import BudgetSettings
from reconciler.providers.sessions import ConnectionSettings
from reconciler.settings import Settings
from reconciler.testing.localaws import LocalAws
from reconciler.testing.memory import FakeClock, SilentTelemetry
from reconciler.testing.outsiders import outsider
from tests.corpus.deploying.crawling import World, crawl, learn
from tests.corpus.deploying.direct import shortened
from tests.corpus.deploying.managed import managed_policies
from tests.corpus.deploying.templates import Template
from tests.corpus.loader import REGION, ROOT

_MOST = 600
#: accounts are used up, and applications keep a session for each
_RENEWED_AFTER = 40


class NotDeployable(Exception):
    """moto's CloudFormation can't deploy a template: with its default parameters, or at all."""


class Site:
    """A local AWS and an installation of the reconciler. A context manager; one in a process."""

    def __init__(self, directory: Path) -> None:
        self.directory, self.clock = directory, FakeClock()
        self.aws = LocalAws()
        self._accounts = iter(range(700_000_000_000, 700_000_000_000 + 2 * _MOST))
        self.account = self.stack_account = ""
        self._clients: dict[tuple[str, str], Any] = {}
        self._used = 0
        self._kept: dict[str, str | None] = {}
        self._stack = ExitStack()

    def __enter__(self) -> Site:
        self._stack.enter_context(managed_policies())  # templates refer to them
        self.aws.start()
        more = {"AWS_MAX_ATTEMPTS": "1", "AWS_RETRY_MODE": "standard"}  # what the emulator hasn't got isn't asked again
        self._set({**self.aws.environment(), **more})
        self._install()
        return self

    def __exit__(self, *_: object) -> None:
        self.app.close()
        self._others.close()
        self.aws.stop()
        self._stack.close()
        for key, value in self._kept.items():
            if value is None:
                os.environ.pop(key, None)
            else:
                os.environ[key] = value

    def _set(self, variables: Mapping[str, str]) -> None:
        for key, value in variables.items():
            self._kept[key] = os.environ.get(key)
            os.environ[key] = value

    def begin(self) -> None:
        """Forget everything in AWS and take two new accounts."""
        self.aws.reset()
        self._clients.clear()
        self.account, self.stack_account = str(next(self._accounts)), str(next(self._accounts))
        self._used += 1
        if self._used % _RENEWED_AFTER == 0:
            self.app.close()
            self._others.close()
            self._open()

    # the stack

    def deploy(self, template: Template) -> dict[str, str]:
        """Deploy as a stack with default parameters; physical ids by logical ones. Raises NotDeployable."""
        client = self._client("cloudformation", self.stack_account)
        try:
            client.create_stack(
                StackName=template.plan_name,
                TemplateBody=template.text,
                Capabilities=["CAPABILITY_NAMED_IAM"],
                Parameters=[
                    {"ParameterKey": name, "ParameterValue": _text(value)}
                    for name, value in template.parameters.items()
                ],
            )
            stack = client.describe_stacks(StackName=template.plan_name)["Stacks"][0]
            if stack["StackStatus"] != "CREATE_COMPLETE":
                raise NotDeployable(f"the stack ends in {stack['StackStatus']}")
            found = client.list_stack_resources(StackName=template.plan_name)["StackResourceSummaries"]
        except ClientError as error:
            raise NotDeployable(f"{error.response['Error']['Code']}: {error.response['Error']['Message']}") from None
        except (BotoCoreError, ResponseParserError) as error:
            raise NotDeployable(f"moto crashes: {error}") from None
        return {str(one["LogicalResourceId"]): str(one.get("PhysicalResourceId") or "") for one in found}

    # the plan

    def run(self, plan: Plan, *, approved: frozenset[str] = frozenset()) -> RunReport:
        """One pass, as the daemon would make it; ``approved``: the scopes of somebody else's approval."""
        now = self.clock.now()
        approval = Approval(
            "bob", plan.name, plan.digest, "bob@example.com", now, now + timedelta(days=1), approved, verified=True
        )
        return self.app.cycle.run(plan, (approval,) if approved else (), "test")

    def records(self, plan: PlanName) -> Mapping[str, Record]:
        """What the store knows of a plan's resources."""
        return {str(name): record for name, record in self.app.store.records(plan).items()}

    def mutations(self) -> list[str]:
        """The mutating calls in the plan's account since they were last counted from nothing."""
        return sorted(name for name in self.aws.mutations(self.account) if name != "sts:AssumeRole")

    # others

    def outside(self) -> Scope:
        """The plan's account as somebody else has it."""
        return self._others.open(Target("sandbox", self.account, REGION), read_only=False)

    def world(self, account: str, services: frozenset[str], only: frozenset[str] = frozenset()) -> World:
        """What lives in an account, by describe calls (``only`` these); they aren't counted."""
        with self.aws.uncounted():
            return crawl(lambda service: self._client(service, account), services, only)

    def learn(self, services: frozenset[str]) -> None:
        """Find out, before anything is there, what the emulator's services can't tell."""
        learn(lambda service: self._client(service, self.account), services)

    def client(self, service: str) -> Any:
        """A plain client in the plan's account."""
        return self._client(service, self.account)

    def _client(self, service: str, account: str) -> Any:
        key = (service, account)
        if key not in self._clients:
            self._clients[key] = shortened(self.aws.client(service, account=account), self.aws.answer)
        return self._clients[key]

    # the installation

    def _install(self) -> None:
        policies = self.directory / "policies"
        shutil.copytree(ROOT / "policies", policies)
        data = yaml.safe_load((policies / "data.yaml").read_text())
        data["accounts"] = {str(700_000_000_000 + number): "sandbox" for number in range(2 * _MOST)}
        data["approvals"]["sandbox"] = {"absent": True}
        (policies / "data.yaml").write_text(yaml.safe_dump(data))
        (self.directory / "desired").mkdir()
        self._open()

    def _open(self) -> None:
        pattern = "arn:aws:iam::{account}:role/reconciler"
        settings = {
            "source": {"path": self.directory / "desired"},
            "policy": {"directory": self.directory / "policies"},
            "state_dir": self.directory / "state",
            "store": {"lease": "1h"},  # a machine may be so busy that a thread isn't heard of for long
            "aws": {"endpoint_url": self.aws.endpoint, "role_pattern": pattern, "threads": 4},
            "breaker": {"flips": 1000},  # what the test does again and again must be put right again and again
            "http": {"port": 0, "token": "let-me-in-as-nobody-else"},
        }
        self.app = wiring.build(Settings.model_validate(settings), clock=self.clock)
        with outsider():
            self._others = Access(
                FakeClock(),
                SilentTelemetry(),
                AccessSettings(
                    connection=ConnectionSettings(
                        endpoint_url=self.aws.endpoint, credentials=(self.aws.access_key, self.aws.secret_key)
                    ),
                    role_pattern=pattern.replace("reconciler", "outsider"),
                    budget=BudgetSettings(rate=100_000),
                ),
            )


def _text(value: Any) -> str:
    return ",".join(map(str, value)) if isinstance(value, list) else str(value)


@contextmanager
def site(directory: Path) -> Iterator[Site]:
    """A running site."""
    with Site(directory) as made:
        yield made
