"""What Terraform is told about what exists: nothing that is there may be made again, or destroyed with its address."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest
from pipeline_builders import creating, plan_of, resource

from reconciler.model.change import Action, Change, ChangeSet, ResourceState
from reconciler.model.ids import Identifier, LogicalId, Owner, PlanName, TypeName
from reconciler.model.resource import SyncState
from reconciler.pipeline import render
from tests.terraformcheck import parsed

BUCKET = resource("Logs", "AWS::S3::Bucket", {"BucketName": "logs", "VersioningConfiguration": {"Status": "Enabled"}})
QUEUE = resource("Jobs", "AWS::SQS::Queue", {"QueueName": "jobs"})


def blocks(changes: ChangeSet, file: str, kind: str, provider: str = "awscc") -> list[dict[str, Any]]:
    files = {item.path: item.content for item in render(changes, "terraform", provider=provider)}
    found = parsed(files[file]).get(kind, []) if file in files else []
    return [{name: str(value).strip('${}"') for name, value in block.items() if name[0] != "_"} for block in found]


def imports(changes: ChangeSet, provider: str = "awscc") -> dict[str, str]:
    return {block["to"]: block["id"] for block in blocks(changes, "imports.tf", "import", provider)}


def known(**identifiers: str) -> Mapping[LogicalId, Identifier]:
    return {LogicalId(name): Identifier(value) for name, value in identifiers.items()}


ASSOCIATION = {"SubnetId": "subnet-1", "RouteTableId": "rtb-1"}


@pytest.mark.parametrize(
    ("item", "identifier", "live", "expected"),
    [
        (resource("X", "AWS::EC2::VPC", {"CidrBlock": "10.0.0.0/16"}), "vpc-1", {}, {"aws_vpc.x": "vpc-1"}),
        (resource("X", "AWS::EC2::EIP"), "192.0.2.1|eipalloc-1", {}, {"aws_eip.x": "eipalloc-1"}),
        (
            resource("X", "AWS::EC2::Route", {"RouteTableId": "rtb-1", "DestinationCidrBlock": "0.0.0.0/0"}),
            "rtb-1|0.0.0.0/0",
            {},
            {"aws_route.x": "rtb-1_0.0.0.0/0"},
        ),
        (
            resource("X", "AWS::EC2::SubnetRouteTableAssociation", ASSOCIATION),
            "rtbassoc-1",
            ASSOCIATION,
            {"aws_route_table_association.x": "subnet-1/rtb-1"},
        ),
        (resource("X", "AWS::EC2::SubnetRouteTableAssociation", ASSOCIATION), "rtbassoc-1", {}, {}),
    ],
)
def test_ids_are_those_that_the_aws_provider_wants(
    item: Any, identifier: str, live: Mapping[str, Any], expected: dict[str, str]
) -> None:
    changes = creating(plan_of(item), identifiers=known(X=identifier), live={LogicalId("X"): live})
    assert imports(changes, "aws") == expected


def test_what_belongs_to_a_resource_is_imported_where_it_is_there() -> None:
    live = {LogicalId("Logs"): {"VersioningConfiguration": {"Status": "Suspended"}}}
    with_it = creating(plan_of(BUCKET), identifiers=known(Logs="logs"), live=live)
    assert imports(with_it, "aws") == {"aws_s3_bucket.logs": "logs", "aws_s3_bucket_versioning.logs": "logs"}
    without = creating(plan_of(BUCKET), identifiers=known(Logs="logs"), live={LogicalId("Logs"): {}})
    assert imports(without, "aws") == {"aws_s3_bucket.logs": "logs"}


def test_policies_are_imported_one_by_one() -> None:
    arns = ["arn:aws:iam::aws:policy/A", "arn:aws:iam::aws:policy/B"]
    role = resource("Role", "AWS::IAM::Role", {"AssumeRolePolicyDocument": {}, "ManagedPolicyArns": arns})
    live = {LogicalId("Role"): {"ManagedPolicyArns": arns[:1]}}
    assert imports(creating(plan_of(role), identifiers=known(Role="web"), live=live), "aws") == {
        "aws_iam_role.role": "web",
        "aws_iam_role_policy_attachment.role_a": f"web/{arns[0]}",
    }


def test_a_resource_with_another_logical_id_is_moved() -> None:
    moved = replace(BUCKET, moved_from=Owner(PlanName("prod-web"), LogicalId("OldLogs")))
    changes = creating(plan_of(moved), identifiers=known(Logs="logs"))
    assert blocks(changes, "moved.tf", "moved") == [{"from": "awscc_s3_bucket.old_logs", "to": "awscc_s3_bucket.logs"}]
    assert blocks(changes, "moved.tf", "moved", "aws") == [
        {"from": "aws_s3_bucket.old_logs", "to": "aws_s3_bucket.logs"},
        {"from": "aws_s3_bucket_versioning.old_logs", "to": "aws_s3_bucket_versioning.logs"},
    ]


def test_a_resource_of_another_plan_is_imported_not_moved() -> None:
    moved = replace(BUCKET, moved_from=Owner(PlanName("other"), LogicalId("OldLogs")))
    changes = creating(plan_of(moved), identifiers=known(Logs="logs"))
    assert blocks(changes, "moved.tf", "moved") == []
    assert imports(changes) == {"awscc_s3_bucket.logs": "logs"}


def orphan(name: str, type_name: str, state: SyncState = SyncState.ORPHANED) -> ResourceState:
    return ResourceState(LogicalId(name), TypeName(type_name), state, Identifier(name))


def test_what_has_left_the_plan_and_stays_is_let_go_not_destroyed() -> None:
    deletion = Change(LogicalId("Deleted"), TypeName("AWS::SQS::Queue"), Action.DELETE)
    states = (
        orphan("Kept", "AWS::S3::Bucket"),
        orphan("Deleted", "AWS::SQS::Queue"),
        orphan("Jobs", "AWS::SQS::Queue"),
        orphan("Other", "AWS::SNS::Topic", SyncState.IN_SYNC),
        orphan("Strange", "AWS::CDK::Metadata"),
    )
    changes = ChangeSet(plan_of(QUEUE), (deletion,), resources=states)
    content = {item.path: item.content for item in render(changes, "terraform")}
    assert content["moved.tf"].endswith(
        "\nremoved {\n  from = awscc_s3_bucket.kept\n\n  lifecycle {\n    destroy = false\n  }\n}\n"
    )
    assert content["moved.tf"].count("removed {") == 1
    assert 'required_version = ">= 1.7.0"' in content["versions.tf"]
    let_go = {block["from"] for block in blocks(changes, "moved.tf", "removed", "aws")}
    assert {"aws_s3_bucket.kept", "aws_s3_bucket_versioning.kept", "awscc_s3_bucket.kept"} <= let_go


def test_an_edit_that_changes_the_provider_of_an_existing_resource_does_not_destroy_it() -> None:
    odd = replace(BUCKET, properties={**BUCKET.properties, "IntelligentTieringConfigurations": []})
    before = creating(plan_of(BUCKET), identifiers=known(Logs="logs"))
    after = creating(plan_of(odd), identifiers=known(Logs="logs"))
    assert [block["from"] for block in blocks(before, "moved.tf", "removed", "aws")] == ["awscc_s3_bucket.logs"]
    assert "aws_s3_bucket.logs" in imports(before, "aws")
    assert [block["from"] for block in blocks(after, "moved.tf", "removed", "aws")] == [
        "aws_s3_bucket.logs",
        "aws_s3_bucket_versioning.logs",
    ]
    assert imports(after, "aws") == {"awscc_s3_bucket.logs": "logs"}


def test_a_new_resource_leaves_no_trace_in_either_file() -> None:
    files = {item.path: item.content for item in render(creating(plan_of(BUCKET)), "terraform", provider="aws")}
    assert "moved.tf" not in files
    assert parsed(files["imports.tf"]).keys() == {"__comments__"}
