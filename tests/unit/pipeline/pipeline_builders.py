"""Plans and change sets made by hand, as the earlier stages would hand them over."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from reconciler.live import with_ownership
from reconciler.model.change import Action, Change, ChangeSet, FieldChange
from reconciler.model.decision import ChecklistItem, Decision, Mode, Reason
from reconciler.model.ids import Digest, Identifier, LogicalId, PlanName, TypeName
from reconciler.model.plan import (
    Guardrail,
    IgnoreRule,
    Origin,
    Output,
    Parameter,
    PipelineTarget,
    Plan,
    PlannedResource,
    RollbackPolicy,
    Target,
)
from reconciler.model.values import Deferred, Sensitive

CANARY = 'canary-"sécret"-4711'
ACCOUNT = "444455556666"


def ref(name: str) -> Deferred:
    return Deferred("Ref", name)


def att(name: str, attribute: str) -> Deferred:
    return Deferred("Fn::GetAtt", [name, attribute])


def join(delimiter: str, *items: Any) -> Deferred:
    return Deferred("Fn::Join", [delimiter, list(items)])


def resource(
    name: str, type_name: str, properties: Mapping[str, Any] | None = None, **settings: Any
) -> PlannedResource:
    return PlannedResource(LogicalId(name), TypeName(type_name), properties or {}, **settings)


def plan_of(*resources: PlannedResource, name: str = "prod-web", **settings: Any) -> Plan:
    defaults: dict[str, Any] = {
        "author": "alice@example.com",
        "target": Target("production", ACCOUNT, "eu-central-1"),
        "guardrail": Guardrail("passed", "https://ci.example.com/guardrail/4711"),
        "rollback": RollbackPolicy("automatic"),
        "digest": Digest("sha256:" + "ab" * 32),
        "origin": Origin("prod-web.yaml"),
        "description": "Network of the web tier",
        "labels": {"ticket": "CAB-1234", "window": "Sat 22:00-23:00 Europe/Berlin"},
    }
    return Plan(PlanName(name), resources={item.logical_id: item for item in resources}, **{**defaults, **settings})


def creating(plan: Plan, **settings: Any) -> ChangeSet:
    changes = tuple(
        Change(item.logical_id, item.type, Action.CREATE, reason="not there yet") for item in plan.resources.values()
    )
    return ChangeSet(with_ownership(plan), changes, digest=Digest("sha256:" + "cd" * 32), **settings)


def web_plan(*, cidr: str = "10.20.0.0/16", name: str = "prod-web", **settings: Any) -> Plan:
    """A plan with most of what rendering has to deal with."""
    password = Sensitive(CANARY)
    policy = {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Principal": {"Service": "ec2.amazonaws.com"},
                "Action": "sts:AssumeRole",
                "Condition": {"StringEquals": {"aws:SourceVpc": ref("Vpc")}},
            }
        ],
    }
    defaults: dict[str, Any] = {
        "parameters": (
            Parameter("Cidr", "String", cidr, description="The network's block"),
            Parameter("DbPassword", "String", password, no_echo=True, description="Of the owner"),
            Parameter("Zones", "CommaDelimitedList", "a, b"),
            Parameter("Count", "Number", "2"),
        ),
        "outputs": (
            Output("VpcId", ref("Vpc"), "The network"),
            Output("RoleArn", att("Role", "Arn"), export="web-role"),
            Output("Secret", password),
        ),
        "ignore": (IgnoreRule("Vpc", "/EnableDnsSupport"),),
    }
    return plan_of(
        resource(
            "Vpc",
            "AWS::EC2::VPC",
            {"CidrBlock": cidr, "EnableDnsHostnames": True, "Tags": [{"Key": "Name", "Value": 'web ${x} %{y} "q"\n'}]},
        ),
        resource(
            "PublicSubnetA",
            "AWS::EC2::Subnet",
            {"VpcId": ref("Vpc"), "CidrBlock": "10.20.1.0/24", "MapPublicIpOnLaunch": True},
            needs=frozenset({LogicalId("Vpc")}),
        ),
        resource(
            "Gateway",
            "AWS::EC2::InternetGateway",
            {},
        ),
        resource(
            "Attachment",
            "AWS::EC2::VPCGatewayAttachment",
            {"VpcId": ref("Vpc"), "InternetGatewayId": ref("Gateway")},
            needs=frozenset({LogicalId("Vpc"), LogicalId("Gateway"), LogicalId("PublicSubnetA")}),
        ),
        resource(
            "Role",
            "AWS::IAM::Role",
            {
                "AssumeRolePolicyDocument": policy,
                "Description": join("", "for $", ref("Vpc"), " in ", att("Vpc", "CidrBlock"), " ${literal}"),
                "Policies": [{"PolicyName": "p", "PolicyDocument": {"Version": "2012-10-17", "Statement": []}}],
            },
        ),
        resource(
            "Database",
            "AWS::RDS::DBInstance",
            {"DBInstanceClass": "db.t3.micro", "MasterUserPassword": password, "MasterUsername": "web"},
            deletion_policy="Retain",
            update_replace_policy="Retain",
        ),
        name=name,
        **{**defaults, **settings},
    )


def decision() -> Decision:
    return Decision(
        Mode.PIPELINE,
        reasons=(Reason("matrix", "production: changes go through the pipeline"),),
        checklist={
            "guardrail": ChecklistItem(True, "passed"),
            "change_window": ChecklistItem(True, "Sat 22:00-23:00"),
            "approval": ChecklistItem(False, "needed at the pull request"),
        },
        revision="sha256:77",
    )


def updating(plan: Plan, *fields: FieldChange, name: str = "Vpc", identifier: str = "vpc-1") -> ChangeSet:
    change = Change(
        LogicalId(name), plan.resources[LogicalId(name)].type, Action.UPDATE, Identifier(identifier), fields=fields
    )
    return ChangeSet(
        with_ownership(plan),
        (change,),
        identifiers={LogicalId(name): Identifier(identifier)},
        digest=Digest("sha256:" + "ee" * 32),
    )


def target(repository: str, **settings: Any) -> PipelineTarget:
    return PipelineTarget(repository, **settings)
