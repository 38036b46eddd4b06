"""Random plans, changed at random, failing at a random step: afterwards the world is what it was before.

Modulo the identifiers of what had to be made again, which must be the new ones everywhere.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping
from typing import Any

from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from reconciler.live import owner_in
from reconciler.model.errors import AwsFault, FaultKind
from reconciler.model.report import PlanState
from reconciler.schema import schema_for
from tests.unit.cycle.conftest import Rig, make_plan

EXAMPLES = 1500 if os.environ.get("RECONCILER_STRESS") else 120

Resources = dict[str, Any]


def canonical_world(world: Mapping[tuple[str, str], Mapping[str, Any]]) -> list[str]:
    """Everything there is, with what AWS names after itself replaced by whose it is."""
    names: dict[str, str] = {}
    for (kind, identifier), properties in world.items():
        owner = owner_in(properties, schema_for(kind).tag_property)  # type: ignore[union-attr]
        names[identifier] = f"<{kind} of {owner.logical_id if owner else identifier}>"
    pattern = re.compile(
        "|".join(sorted((rf"(?<![\w-]){re.escape(n)}(?![\w-])" for n in names), key=len, reverse=True))
    )
    texts = [f"{kind} {json.dumps(properties, sort_keys=True)}" for (kind, _), properties in world.items()]
    return sorted(pattern.sub(lambda found: names[found[0]], text) for text in texts) if names else texts


def canonical_records(rig: Rig) -> list[str]:
    """What the store knows, in the same way; identifiers must be of what there is."""
    standing = {identifier for _, identifier in rig.world.resources}
    records = rig.store.records("demo").values()  # type: ignore[arg-type]
    assert {record.identifier for record in records} <= standing
    return sorted(f"{record.logical_id} {record.type} {record.adopted}" for record in records)


def node(kind: str, number: int, refs: list[str], salt: int = 0) -> Resources:
    """A resource of a kind; ``refs`` are earlier ones that it names, ``salt`` changes what can be changed in place."""
    name = f"{kind}{number}"
    named: Any = {"Fn::Join": ["/", ["x", *({"Ref": ref} for ref in refs), str(salt)]]}
    match kind:
        case "Vpc":
            properties = {"CidrBlock": f"10.{number}.0.0/16", "Tags": [{"Key": "note", "Value": named}]}
        case "Subnet":
            properties = {
                "VpcId": {"Ref": refs[0]},
                "CidrBlock": f"10.{number}.1.0/24",
                "MapPublicIpOnLaunch": salt > 0,
            }
        case "Group":
            properties = {
                "VpcId": {"Ref": refs[0]},
                "GroupDescription": "g",
                "Tags": [{"Key": "n", "Value": str(salt)}],
            }
        case "Queue":
            arns = [{"Fn::GetAtt": [ref, "Arn"]} for ref in refs if ref.startswith("Queue")]
            redrive = {"RedrivePolicy": {"deadLetterTargetArn": arns[0], "maxReceiveCount": 3}} if arns else {}
            properties = {"QueueName": name, "DelaySeconds": salt, "KmsMasterKeyId": named, **redrive}
        case _:
            properties = {"TopicName": name, "DisplayName": named}
    types = {"Vpc": "EC2::VPC", "Subnet": "EC2::Subnet", "Group": "EC2::SecurityGroup", "Queue": "SQS::Queue"}
    return {"Type": f"AWS::{types.get(kind, 'SNS::Topic')}", "Properties": properties}


REPLACING = {
    "Vpc": ("CidrBlock", "10.99.0.0/16"),
    "Subnet": ("AvailabilityZone", "us-east-1b"),
    "Group": ("GroupDescription", "other"),
    "Queue": ("FifoQueue", True),
    "Topic": ("FifoTopic", True),
}


@st.composite
def estates(draw: st.DrawFn) -> tuple[Resources, Resources]:
    """A plan, and what becomes of it: some stay, change, are replaced (new or old half first), go, or come."""
    before: Resources = {}
    after: Resources = {}
    for number in range(draw(st.integers(2, 7))):
        kind = draw(st.sampled_from(["Vpc", "Subnet", "Group", "Queue", "Queue", "Topic"]))
        fate = draw(st.sampled_from(["same", "changed", "replaced", "renamed", "gone", "new"]))
        name = f"{kind}{number}"
        for plan, salt in ((before, 0), (after, 1)):
            if fate == ("new" if plan is before else "gone"):
                continue
            vpcs = [other for other in plan if other.startswith("Vpc")]
            others = sorted(plan)
            refs = draw(st.lists(st.sampled_from(others), max_size=2, unique=True)) if others else []
            if kind in ("Subnet", "Group"):
                if not vpcs:
                    continue
                refs = [vpcs[0] if fate != "changed" else vpcs[-1]]
            made = node(kind, number, refs, salt if fate == "changed" else 0)
            if plan is after and fate in ("replaced", "renamed"):
                key, value = REPLACING[kind]
                if fate == "renamed" and kind in ("Queue", "Topic"):
                    key, value = f"{kind}Name", f"{name}-new"
                made["Properties"][key] = value
            plan[name] = made
    return before, after


@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck))
@given(plans=estates(), data=st.data())
def test_a_failed_run_leaves_the_world_as_it_was(plans: tuple[Resources, Resources], data: st.DataObject) -> None:
    assume(plans[0] and plans[1])
    first, second = make_plan(plans[0]), make_plan(plans[1])
    rig = Rig()
    assert rig.run(first).state is PlanState.IN_SYNC
    preview = rig.cycle.preview(second, ())
    assume("cycle" not in str(preview.error))  # what can't be put in an order isn't begun
    assert preview.error is None, preview.error
    assert preview.changes is not None
    steps = preview.changes.steps
    assume(steps)
    broken = data.draw(st.sampled_from(steps))
    rig.world.fail[broken.verb.value, broken.logical_id] = [AwsFault(FaultKind.INVALID_REQUEST, "no")]
    if data.draw(st.booleans()):
        rig.world.after_effect.add((broken.verb.value, broken.logical_id))
    world, records = canonical_world(rig.world.resources), canonical_records(rig)

    report = rig.run(second)

    told = [(step.id, step.state, step.error, step.result) for step in report.steps]
    assert report.state is PlanState.FAILED, report.message
    assert report.message.endswith("; rolled back"), told
    assert canonical_world(rig.world.resources) == world, told
    assert canonical_records(rig) == records, told
    assert rig.store.unfinished("demo") == []  # type: ignore[arg-type]
    again = rig.run(first)
    assert (again.changes, again.state) == ((), PlanState.IN_SYNC), told
    assert rig.run(second).state is PlanState.IN_SYNC
