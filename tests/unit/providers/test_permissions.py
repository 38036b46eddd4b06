"""The table of permissions against the providers' code, and the documents made of it."""

from __future__ import annotations

import ast
import json
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import botocore.session
import pytest
from botocore import xform_name

from reconciler.model.ids import Digest, LogicalId, PlanName, TypeName
from reconciler.model.plan import Guardrail, Origin, Plan, PlannedResource, RollbackPolicy, Target
from reconciler.model.values import Deferred
from reconciler.providers import native
from reconciler.providers.actions import action_of
from reconciler.providers.declared import Declared
from reconciler.providers.levels import READ_LEVELS, access_level, known_action
from reconciler.providers.needs import ATTRIBUTES, ELSEWHERE, LISTINGS, NAMED, NEEDS, Needs
from reconciler.providers.permissions import AccountPolicy, assume_role, needs_for, policies_for
from reconciler.providers.policydocs import LONGEST, Grant, documents_of, size, statements_of
from reconciler.providers.registry import MODULES, Registry
from reconciler.schema import schema_for

ACCOUNT, REGION = "111122223333", "eu-central-1"
SERVICES = {
    "ec2": "ec2", "s3": "s3", "iam": "iam", "sqs": "sqs", "sns": "sns", "dynamodb": "dynamodb", "logs": "logs",
    "ssm": "ssm", "kms": "kms",
}  # fmt: skip
#: What AWS checks along with a call, without being one.
NO_CALLS = {
    "s3:TagResource", "s3:GetObject", "s3:GetObjectVersion", "iam:PassRole",
    "logs:CreateLogDelivery", "logs:DeleteLogDelivery", "iam:CreateServiceLinkedRole",
    "ec2:CreateNetworkInterfacePermission", "ec2:DeleteNetworkInterfacePermission", "kms:CreateGrant", "kms:Decrypt",
}  # fmt: skip


# the table


@cache
def operations(service: str) -> dict[str, str]:
    """API operations of a service by boto3's method name."""
    names = botocore.session.Session().get_service_model(service).operation_names
    return {xform_name(name): name for name in names}


def words(tree: ast.AST) -> Iterator[str]:
    """Every text in a module, with what may stand in an f-string's only gap."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value
        elif isinstance(node, ast.JoinedStr):
            for gap in ("ingress", "egress"):
                yield "".join(str(part.value) if isinstance(part, ast.Constant) else gap for part in node.values)


def called_by_code() -> set[str]:
    """The IAM action of every operation that the providers' modules name."""
    found: set[str] = set()
    for path in Path(native.__path__[0]).glob("*.py"):
        service = SERVICES.get(path.stem.partition("_")[0])
        if service is None:
            continue
        found |= actions_named(path, service)
    return found


def actions_named(path: Path, service: str) -> set[str]:
    """The IAM actions of the operations of a service that a module names."""
    named = set(words(ast.parse(path.read_text()))) & operations(service).keys()
    return {action_of(service, operations(service)[word]) for word in named}


def allowed_by_table() -> set[str]:
    found = {action for _, action in LISTINGS.values()} | set(ATTRIBUTES.values())
    for needs in every_need().values():
        strings = [needs.read, needs.write, needs.untag, needs.change]
        strings += [text for pair in needs.settings.values() for text in pair]
        names = " ".join(strings).split()
        found |= {name if ":" in name else f"{needs.service}:{name}" for name in names}
    return found


@cache
def every_need() -> dict[str, Needs]:
    """By type: what the table says, and what follows from declarations."""
    found = {name: needs_for(name) for name in Registry().types}
    assert None not in found.values(), "a native type is neither in the table nor declared"
    return {name: needs for name, needs in found.items() if needs is not None}


def test_the_table_has_exactly_the_actions_of_the_calls_in_the_code() -> None:
    assert "" not in called_by_code()
    assert called_by_code() - allowed_by_table() == set()
    assert {action for action in allowed_by_table() - called_by_code() if in_table(action)} == NO_CALLS


def in_table(action: str) -> bool:
    return action.partition(":")[0] in {*SERVICES, "s3"}


def test_a_declared_type_needs_what_its_module_calls() -> None:
    for module, types in MODULES.items():
        declared = [
            provider.declaration for name in types if isinstance(provider := Registry().get(TypeName(name)), Declared)
        ]
        for service in {declaration.service for declaration in declared}:
            allowed = {word for name in types for word in _actions(every_need()[name])}
            named = actions_named(Path(native.__path__[0]) / f"{module}.py", service)
            assert named - allowed == set(), module


def _actions(needs: Needs) -> set[str]:
    strings = [
        needs.read,
        needs.write,
        needs.untag,
        needs.change,
        *(text for pair in needs.settings.values() for text in pair),
    ]
    return {name if ":" in name else f"{needs.service}:{name}" for name in " ".join(strings).split()}


def test_every_action_exists_in_iam() -> None:
    every = allowed_by_table() | ELSEWHERE.keys() | {action for _, action in NAMED}
    assert [action for action in every if not known_action(*action.split(":"))] == []


def test_every_native_type_and_only_properties_that_it_has() -> None:
    assert NEEDS.keys() <= Registry().types
    for type_name, needs in every_need().items():
        schema = schema_for(TypeName(type_name))
        assert schema is not None
        named = {*needs.settings, *needs.given, *([needs.name] if needs.name else [])}
        assert named - schema.properties == set(), type_name


# plans


def resource(name: str, type_name: str, **properties: Any) -> PlannedResource:
    return PlannedResource(LogicalId(name), TypeName(type_name), properties)


def plan(*resources: PlannedResource, environment: str = "sandbox", account: str = ACCOUNT, **target: Any) -> Plan:
    return Plan(
        name=PlanName("web"),
        author="alice@example.com",
        target=Target(environment, account, REGION, **target),
        guardrail=Guardrail("passed"),
        rollback=RollbackPolicy("automatic"),
        digest=Digest("sha256:" + "a" * 64),
        origin=Origin("web.yaml"),
        resources={one.logical_id: one for one in resources},
    )


def policy(*plans: Plan) -> AccountPolicy:
    (only,) = policies_for(plans, {"sandbox", "development"})
    return only


def allowed(found: AccountPolicy) -> dict[str, Any]:
    """Action → resource, of all documents."""
    return {
        action: statement["Resource"]
        for document in found.documents
        for statement in document["Statement"]
        for action in statement["Action"]
    }


def test_names_narrow_what_is_allowed() -> None:
    found = allowed(
        policy(
            plan(
                resource("Queue", "AWS::SQS::Queue", QueueName="jobs"),
                resource("Bucket", "AWS::S3::Bucket", BucketName="logs"),
                resource("Rules", "AWS::S3::BucketPolicy", Bucket=Deferred("Ref", "Bucket"), PolicyDocument={}),
                resource("Param", "AWS::SSM::Parameter", Name="/a/b", Type="String", Value="x"),
                resource("Role", "AWS::IAM::Role", RoleName="app", Path="/svc/", AssumeRolePolicyDocument={}),
                resource("Profile", "AWS::IAM::InstanceProfile", Roles=[Deferred("Ref", "Role")]),
                resource("Vpc", "AWS::EC2::VPC", CidrBlock="10.0.0.0/16"),
            )
        )
    )
    assert found["sqs:CreateQueue"] == f"arn:aws:sqs:{REGION}:{ACCOUNT}:jobs"
    assert found["s3:PutBucketPolicy"] == "arn:aws:s3:::logs"
    assert found["ssm:PutParameter"] == f"arn:aws:ssm:{REGION}:{ACCOUNT}:parameter/a/b"
    assert found["iam:CreateRole"] == found["iam:PassRole"] == f"arn:aws:iam::{ACCOUNT}:role/svc/app"
    assert found["iam:CreateInstanceProfile"] == f"arn:aws:iam::{ACCOUNT}:instance-profile/*"
    assert found["ec2:CreateVpc"] == found["tag:GetResources"] == "*"


def test_a_generated_name_is_known_before_it_is_made() -> None:
    name = allowed(policy(plan(resource("Queue", "AWS::SQS::Queue"))))["sqs:CreateQueue"].rpartition(":")[2]
    assert name.startswith("web-Queue-")
    found = allowed(policy(plan(resource("Queue", "AWS::SQS::Queue", QueueName=Deferred("Fn::Join", ["", ["a"]])))))
    assert found["sqs:CreateQueue"] == f"arn:aws:sqs:{REGION}:{ACCOUNT}:*"


def test_what_a_property_needs_is_there_only_where_it_is_set() -> None:
    plain = allowed(policy(plan(resource("Queue", "AWS::SQS::Queue", QueueName="q"))))
    tuned = allowed(policy(plan(resource("Queue", "AWS::SQS::Queue", QueueName="q", DelaySeconds=1, Tags=[]))))
    assert tuned.keys() - plain.keys() == {"sqs:SetQueueAttributes", "sqs:UntagQueue"}


@pytest.mark.parametrize("environment", ["staging", "production", "test"])
def test_read_only_targets_get_reads_and_nothing_else(environment: str) -> None:
    every = [resource(f"R{number}", name, Tags=[]) for number, name in enumerate(sorted(NEEDS))]
    odd = resource("Odd", "AWS::AppRunner::Service", ServiceName="{{x}}")
    found = policy(plan(*every, odd, environment=environment))
    assert found.read_only
    actions = allowed(found)
    assert {access_level(*action.split(":")) for action in actions} <= READ_LEVELS
    assert "cloudformation:GetResource" in actions
    writing = policy(plan(*every, odd))
    assert not writing.read_only
    assert allowed(writing).keys() > actions.keys()


def test_a_type_without_provider_needs_what_its_handlers_say() -> None:
    schema = schema_for(TypeName("AWS::AppRunner::Service"), REGION)
    assert schema is not None
    found = allowed(policy(plan(resource("S", "AWS::AppRunner::Service", SourceConfiguration={}))))
    assert {"apprunner:CreateService", "iam:PassRole", "cloudformation:CreateResource"} <= found.keys()
    assert set(schema.handler_permissions["create"]) <= found.keys()


def test_a_role_is_passed_as_a_role_whatever_it_is_passed_to() -> None:
    found = allowed(policy(plan(resource("F", "AWS::Lambda::Function", FunctionName="f", Role="r", Code={}))))
    assert found["iam:PassRole"] == f"arn:aws:iam::{ACCOUNT}:role/*"
    assert found["lambda:CreateFunction"] == f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:f"


def test_values_from_outside_need_their_own_reads() -> None:
    secret = Deferred("Resolve", ["secretsmanager", "db:SecretString:password"])
    text = Deferred("Resolve", ["ssm", "/shared/id:3"])
    zone = Deferred("Fn::Select", [0, Deferred("Fn::GetAZs", "")])
    group = Deferred("Fn::GetAtt", ["Vpc", "DefaultSecurityGroup"])
    resources = (
        resource("Vpc", "AWS::EC2::VPC", CidrBlock="10.0.0.0/16"),
        resource("Subnet", "AWS::EC2::Subnet", AvailabilityZone=zone),
        resource("Param", "AWS::SSM::Parameter", Name="x", Value=Deferred("Fn::Join", ["", [secret, text, group]])),
    )
    found = allowed(policy(plan(*resources)))
    assert found["secretsmanager:GetSecretValue"] == f"arn:aws:secretsmanager:{REGION}:{ACCOUNT}:secret:db-??????"
    assert found["ssm:GetParameter"] == f"arn:aws:ssm:{REGION}:{ACCOUNT}:parameter/shared/id"
    assert {"ec2:DescribeAvailabilityZones", "ec2:DescribeSecurityGroups"} <= found.keys()
    reading = allowed(policy(plan(*resources, environment="production")))
    assert not {"secretsmanager:GetSecretValue", "ssm:GetParameter"} & reading.keys()


def test_accounts_are_kept_apart_and_regions_are_a_condition() -> None:
    vpc = resource("Vpc", "AWS::EC2::VPC", CidrBlock="10.0.0.0/16")
    first, second = policies_for([plan(vpc), plan(vpc, account="444455556666", environment="production")], {"sandbox"})
    assert (first.account, second.account) == (ACCOUNT, "444455556666")
    assert "ec2:CreateVpc" not in allowed(second)
    (network,) = [one for one in first.documents[0]["Statement"] if "ec2:CreateVpc" in one["Action"]]
    assert network["Condition"] == {"StringEquals": {"aws:RequestedRegion": [REGION]}}
    assert assume_role([]) is None
    assumed = assume_role(["arn:aws:iam::1:role/b", "arn:aws:iam::1:role/a", "arn:aws:iam::1:role/b"])
    assert assumed is not None
    assert assumed["Statement"][0]["Resource"] == ["arn:aws:iam::1:role/a", "arn:aws:iam::1:role/b"]


def test_documents_are_cut_to_what_aws_takes_and_lose_nothing() -> None:
    queues = [resource(f"Q{n}", "AWS::SQS::Queue", QueueName=f"a-rather-long-name-{n:04}") for n in range(400)]
    found = policy(plan(*queues))
    assert len(found.documents) > 1
    assert all(size(json.loads(json.dumps(document))) <= LONGEST for document in found.documents)
    resources = {
        arn
        for document in found.documents
        for statement in document["Statement"]
        if "sqs:CreateQueue" in statement["Action"]
        for arn in statement["Resource"]
    }
    assert len(resources) == 400
    for document in found.documents:
        sids = [statement["Sid"] for statement in document["Statement"]]
        assert len(sids) == len(set(sids))
        assert all(sid.isalnum() for sid in sids)


def test_actions_of_one_statement_that_is_too_long_are_cut() -> None:
    grants = [Grant(f"ec2:Describe{'x' * 60}{n}", "*", REGION) for n in range(200)]
    documents = list(documents_of(statements_of(grants)))
    assert len(documents) > 1
    assert all(size(document) <= LONGEST for document in documents)
    assert sum(len(one["Action"]) for document in documents for one in document["Statement"]) == 200
