"""A pass that deletes or changes everything and fails at the end: AWS afterwards is AWS before.

One of each native type over the local AWS. What AWS names by itself is compared by whose it is.
"""

from __future__ import annotations

import json
import re
from typing import Any

import yaml

from reconciler.model.report import PlanState, RunReport, StepState
from tests.e2e.conftest import ESTATE, SANDBOX, Lab
from tests.world import world_of

#: What AWS gives anew to what was made again, beside what it names after it.
_NEW = {
    "PublicIp",
    "PrivateIp",
    "PrivateIpAddress",
    "NetworkInterfaceId",
    "SecurityGroupRuleId",
    "AssociationId",
    "RouteTableAssociationId",
}
_ID = re.compile(r"\b(?:vpc|subnet|igw|rtb|nat|sg|eipalloc|rtbassoc|sgr|acl|dopt)-[0-9a-f]+\b")


def comparable(lab: Lab) -> dict[str, list[str]]:
    """Everything there is, with generated identifiers made the same."""

    def steady(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: steady(item) for key, item in value.items() if key not in _NEW and "Time" not in key}
        if isinstance(value, list):
            return sorted((steady(item) for item in value), key=json.dumps)
        return _ID.sub(lambda found: found[0].split("-")[0], value) if isinstance(value, str) else value

    world = world_of(lab.aws, SANDBOX)
    found = {
        kind: sorted(json.dumps(steady(item), sort_keys=True) for item in of.values()) for kind, of in world.items()
    }
    found["key"] = [text for text in found.get("key", ()) if "Default master key" not in text]  # the emulator's own
    return found


def estate(lab: Lab, keep: set[str] | None = None, **changed: dict[str, Any]) -> None:
    """Write the plan, whole, cut down to some resources, or with properties changed."""
    document = yaml.load(ESTATE.read_text(), _Loader)
    resources = document["spec"]["resources"]
    for name in set(resources) - (keep or set(resources)):
        del resources[name]
    for name, properties in changed.items():
        resources[name]["Properties"].update(properties)
    lab.write(yaml.safe_dump(document))


def told(report: RunReport) -> str:
    """Why a rollback isn't complete."""
    return "\n".join(f"{step.id}: {step.state} {step.result} {step.error}" for step in report.steps)


class _Loader(yaml.SafeLoader):
    """Reads CloudFormation's short tags in their long form."""


_Loader.add_constructor("!Ref", lambda loader, node: {"Ref": loader.construct_scalar(node)})
_Loader.add_constructor("!Sub", lambda loader, node: {"Fn::Sub": loader.construct_scalar(node)})
_Loader.add_constructor("!GetAtt", lambda loader, node: {"Fn::GetAtt": loader.construct_scalar(node).split(".", 1)})


def test_everything_deleted_comes_back(lab: Lab) -> None:
    estate(lab)
    assert lab.run("estate").state is PlanState.IN_SYNC
    before, keys = comparable(lab), world_of(lab.aws, SANDBOX)["key"]
    estate(lab, keep={"Setting"})
    lab.aws.fail("ec2", "DeleteVpc", "InvalidParameterValue", times=1)

    report = lab.run("estate")

    assert report.message.endswith("; rolled back"), told(report)
    assert comparable(lab) == before
    assert keys.items() <= world_of(lab.aws, SANDBOX)["key"].items()  # its deletion was taken back
    results = {step.id: step.result for step in report.steps}
    assert "the items in it" in results["Items:delete"]
    assert "its public address" in results["Address:delete"]
    assert results["Key:delete"].endswith("took the deletion of " + next(iter(keys)) + " back")
    assert {step.state for step in report.steps if step.id != "Vpc:delete"} == {StepState.ROLLED_BACK}
    estate(lab)
    again = lab.run("estate")
    assert (again.state, again.changes) == (PlanState.IN_SYNC, ())


def test_everything_created_goes_again(lab: Lab) -> None:
    before = comparable(lab)
    estate(lab)
    lab.aws.fail("kms", "CreateAlias", "ValidationException", times=1)
    report = lab.run("estate")
    assert report.message.endswith("; rolled back"), told(report)
    assert comparable(lab) == before
    assert lab.app.store.records("estate") == {}  # type: ignore[arg-type]
