"""Plans that import from each other: who waits for whom, and circles, which are refused on every plan in them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from reconciler.source.claims import ClaimedSource
from reconciler.source.directory import DirectorySource
from reconciler.testing.memory import FakeClock

ACCOUNT = "111111111111"


def plan(name: str, exports: list[str], imports: list[str], region: str = "us-east-1") -> str:
    body: dict[str, Any] = {
        "Resources": {
            f"Queue{index}": {"Type": "AWS::SQS::Queue", "Properties": {"QueueName": {"Fn::ImportValue": wanted}}}
            for index, wanted in enumerate(imports)
        }
        | {"Own": {"Type": "AWS::SQS::Queue", "Properties": {"QueueName": name}}},
        "Outputs": {
            f"Out{index}": {"Value": {"Ref": "Own"}, "Export": {"Name": given}} for index, given in enumerate(exports)
        },
    }
    return yaml.safe_dump(body)


def write(root: Path, name: str, exports: list[str], imports: list[str], region: str = "us-east-1") -> None:
    (root / f"_{name}.cfn.yaml").write_text(plan(name, exports, imports))
    document = {
        "apiVersion": "reconciler/v1",
        "kind": "Plan",
        "metadata": {"name": name, "author": "alice@example.com"},
        "spec": {
            "target": {"environment": "sandbox", "account": ACCOUNT, "region": region},
            "guardrail": {"status": "passed", "reference": "x"},
            "rollback": "automatic",
            "template": f"_{name}.cfn.yaml",
        },
    }
    (root / f"{name}.yaml").write_text(yaml.safe_dump(document))


def source(root: Path) -> ClaimedSource:
    return ClaimedSource(DirectorySource(root, allowed_signers=None, clock=FakeClock()))


def test_a_circle_is_reported_on_every_plan_in_it_and_on_no_other(tmp_path: Path) -> None:
    write(tmp_path, "a", ["of-a"], ["of-b"])
    write(tmp_path, "b", ["of-b"], ["of-c"])
    write(tmp_path, "c", ["of-c"], ["of-a"])
    write(tmp_path, "d", ["of-d"], ["of-a"])
    snapshot = source(tmp_path).load()
    assert set(snapshot.plans) == {"d"}
    assert set(snapshot.invalid) == {"a", "b", "c"}
    (problem,) = snapshot.invalid["b"]
    assert problem.message == "plans import from each other in a circle: b -> c -> a -> b"
    assert (problem.file, problem.reason) == ("b.yaml", "cycle")


def test_a_plan_that_imports_its_own_export_is_a_circle(tmp_path: Path) -> None:
    write(tmp_path, "a", ["of-a"], ["of-a"])
    assert set(source(tmp_path).load().invalid) == {"a"}


def test_two_circles_through_one_plan_are_both_found(tmp_path: Path) -> None:
    write(tmp_path, "a", ["of-a"], ["of-b", "of-c"])
    write(tmp_path, "b", ["of-b"], ["of-a"])
    write(tmp_path, "c", ["of-c"], ["of-a"])
    assert set(source(tmp_path).load().invalid) == {"a", "b", "c"}


def test_the_same_name_in_another_region_makes_no_circle(tmp_path: Path) -> None:
    write(tmp_path, "a", ["x"], ["y"])
    write(tmp_path, "b", ["y"], ["x"], region="eu-west-1")
    assert source(tmp_path).load().invalid == {}


def test_an_edit_that_closes_a_circle_leaves_the_last_good_version_in_force(tmp_path: Path) -> None:
    write(tmp_path, "a", ["of-a"], [])
    write(tmp_path, "b", ["of-b"], ["of-a"])
    loaded = source(tmp_path)
    good = loaded.load()
    assert good.invalid == {}
    write(tmp_path, "a", ["of-a"], ["of-b"])
    snapshot = loaded.load()
    assert set(snapshot.invalid) == {"a", "b"}
    assert snapshot.plans == good.plans
    write(tmp_path, "a", ["of-a"], [])
    assert loaded.load().invalid == {}


def test_claims_know_who_exports(tmp_path: Path) -> None:
    write(tmp_path, "a", ["of-a"], [])
    write(tmp_path, "b", [], ["of-a"])
    loaded = source(tmp_path)
    snapshot = loaded.load()
    assert loaded.claims.exporter(snapshot.plans["b"], "of-a") == "a"
    assert loaded.claims.exporter(snapshot.plans["b"], "of-z") == ""
