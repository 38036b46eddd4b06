"""A process that deploys a stack is killed (-9) at every instant; the next one brings it to its end, nothing twice."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

import pytest
import yaml

from tests.crash.dying import Dying
from tests.crash.plans import plan_text
from tests.integration.iac.conftest import ACCOUNTS
from tests.integration.iac.test_stack import TEMPLATE, changed, stack_of, waiting
from tests.ministack import Ministack

pytestmark = [pytest.mark.ministack, pytest.mark.timeout(600)]
#: Every how manieth instant is tried.
EVERY = 1 if os.environ.get("RECONCILER_STRESS") else 11
NEW_QUEUE = {"Type": "AWS::SQS::Queue", "Properties": {"QueueName": "jobs-two"}}


class Stacks(Dying):
    """The plan is a stack."""

    def write(self, template: dict[str, Any], **spec: Any) -> None:
        (self.case / "desired" / "web.cfn.yaml").write_text(yaml.safe_dump(template))
        text = plan_text({}, stack={"template": "web.cfn.yaml"}, parameters={"Key": "k-e-y"}, **spec)
        document = yaml.safe_load(text)
        del document["spec"]["resources"]
        (self.case / "desired" / "estate.yaml").write_text(yaml.safe_dump(document))


@pytest.fixture(scope="module")
def dying(tmp_path_factory: pytest.TempPathFactory, ministack: Ministack) -> Iterator[Stacks]:
    made = Stacks(tmp_path_factory.mktemp("dying"), ministack, threads=2)
    yield made
    made.close()


def begin(dying: Stacks, scenario: str) -> None:
    """An empty world, or one with the stack in it, and the plan as it is to be."""
    dying.fresh()
    dying.write(TEMPLATE)
    if scenario != "create":
        assert dying.passes()["states"] == ["in_sync"]
    if scenario == "change":
        dying.write(changed(Jobs=NEW_QUEUE, News=None))
    if scenario == "absent":
        dying.write(TEMPLATE, state="absent")


@pytest.mark.parametrize("scenario", ["create", "change", "absent"])
def test_killed_at_every_instant(dying: Stacks, ministack: Ministack, scenario: str) -> None:
    begin(dying, scenario)
    whole = dying.passes()
    assert whole["states"] == ["in_sync"], whole
    assert whole["boundaries"] >= 12, whole
    for at in range(1 + EVERY // 2, whole["boundaries"] + 1, EVERY):
        begin(dying, scenario)
        assert dying.passes(at=at) == {"signal": 9}
        ended = dying.passes(4)
        assert ended["states"][-1] == "in_sync", (at, ended)
        assert ended["open"] == 0, (at, ended)
        assert ended["records"] == ([] if scenario == "absent" else ["Stack"]), (at, ended)
        _in_the_world(ministack, scenario, at)


def _in_the_world(aws: Ministack, scenario: str, at: int) -> None:
    stack = stack_of(aws, name="estate")
    queues = [url.rsplit("/", 1)[-1] for url in aws.client("sqs").list_queues().get("QueueUrls", [])]
    if scenario == "absent":
        assert (stack, queues) == (None, []), at
        return
    assert stack is not None, at
    assert stack["StackStatus"] == {"create": "CREATE_COMPLETE", "change": "UPDATE_COMPLETE"}[scenario], at
    assert queues == [{"create": "jobs", "change": "jobs-two"}[scenario]], at
    assert waiting(aws, ACCOUNTS["sandbox"], "estate") == [], at
