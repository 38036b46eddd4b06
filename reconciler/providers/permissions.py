"""The least-privilege IAM policies that plans need, account by account. Pure: asks AWS nothing."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

from reconciler.model.ids import Owner, TypeName
from reconciler.model.plan import Plan, PlannedResource
from reconciler.model.values import Deferred, has_unknown, leaves
from reconciler.ports import Scope
from reconciler.providers.declared import Declared
from reconciler.providers.declared.needs import needs_of
from reconciler.providers.levels import READ_LEVELS, access_level, takes_resource
from reconciler.providers.native.naming import NameRule
from reconciler.providers.needs import ALSO, ATTRIBUTES, ELSEWHERE, EXPLAINING, LISTINGS, NAMED, NEEDS, Needs
from reconciler.providers.policydocs import Grant, document, documents_of, statement, statements_of
from reconciler.providers.readable import type_reveals
from reconciler.providers.registry import Registry
from reconciler.schema import schema_for

_CLOUD_CONTROL_READS = ("cloudformation:GetResource", "cloudformation:ListResources")
_CLOUD_CONTROL_WRITES = (
    "cloudformation:CreateResource",
    "cloudformation:UpdateResource",
    "cloudformation:DeleteResource",
    "cloudformation:GetResourceRequestStatus",
)
#: What is asked of CloudFormation about a stack, and what deploys one.
STACK_READS = frozenset(
    {
        "DescribeChangeSet",
        "DescribeStackDriftDetectionStatus",
        "DescribeStackEvents",
        "DescribeStackResourceDrifts",
        "DescribeStacks",
        "DetectStackDrift",
        "DetectStackResourceDrift",
        "GetTemplate",
        "ListChangeSets",
        "ListStackResources",
    }
)
STACK_WRITES = frozenset({"CreateChangeSet", "DeleteChangeSet", "DeleteStack", "ExecuteChangeSet", "TagResource"})
#: Where long templates are put in their bucket.
TEMPLATES = "reconciler/templates/"
_REGISTRY = Registry()
_PARTITIONS = (("cn-", "aws-cn"), ("us-gov-", "aws-us-gov"))


@dataclass(frozen=True, slots=True)
class AccountPolicy:
    """What the identity that works in an account needs. ``documents``: each fits into one managed policy."""

    account: str
    environments: tuple[str, ...]
    plans: tuple[str, ...]
    read_only: bool
    documents: tuple[Mapping[str, Any], ...]


def policies_for(plans: Iterable[Plan], writable: Collection[str], bucket: str = "") -> tuple[AccountPolicy, ...]:
    """The policies for a set of plans. ``writable``: environments that are written directly; others are only read.

    ``bucket``: where templates go that are too long for a call, as configured.
    """
    by_account: dict[str, list[Plan]] = defaultdict(list)
    for plan in plans:
        by_account[plan.target.account].append(plan)
    return tuple(_policy(account, chosen, writable, bucket) for account, chosen in sorted(by_account.items()))


def assume_role(roles: Iterable[str]) -> Mapping[str, Any] | None:
    """What the process itself needs, before it is anybody in an account; None where it assumes no role."""
    arns = sorted(set(roles))
    return document([statement("AssumeRoles", ["sts:AssumeRole"], arns, None)]) if arns else None


def grants(plan: Plan, *, writes: bool, bucket: str = "") -> frozenset[Grant]:
    """Everything that passes over a plan may call. ``bucket``: as for ``policies_for``."""
    return frozenset([*_grants(plan, writes=writes), *(_templates(plan, bucket) if writes else ())])


def needs_for(type_name: TypeName) -> Needs | None:
    """What a type with a native provider needs: by the table, or by its declaration."""
    if type_name in NEEDS or type_name not in _REGISTRY.types:
        return NEEDS.get(type_name)
    provider = _REGISTRY.get(type_name)
    return needs_of(provider.declaration) if isinstance(provider, Declared) else None


def _policy(account: str, plans: Sequence[Plan], writable: Collection[str], bucket: str) -> AccountPolicy:
    found = (grants(plan, writes=plan.target.environment in writable, bucket=bucket) for plan in plans)
    needed = {grant for each in found for grant in each}
    return AccountPolicy(
        account,
        tuple(sorted({plan.target.environment for plan in plans})),
        tuple(sorted(plan.name for plan in plans)),
        not any(plan.target.environment in writable for plan in plans),
        tuple(documents_of(statements_of(needed))),
    )


# what a plan needs


def _grants(plan: Plan, *, writes: bool) -> Iterator[Grant]:
    region = plan.target.region
    yield Grant("sts:GetCallerIdentity", "*", region)
    for resource in plan.resources.values():
        needs = needs_for(resource.type)
        yield from _native(plan, resource, needs, writes) if needs else _by_schema(plan, resource, writes)
    for type_name, (few, action) in LISTINGS.items():
        if sum(resource.type == type_name for resource in plan.resources.values()) > few:
            yield Grant(action, "*", region)
    yield from _stacks(plan, writes=writes)
    yield from _outside(plan, writes=writes)
    if writes:
        yield from (Grant(action, "*", region) for action in EXPLAINING)


def _native(plan: Plan, resource: PlannedResource, needs: Needs, writes: bool) -> Iterator[Grant]:
    names = _actions(needs, resource, writes)
    arns = _arns(plan, resource, needs)
    for name in names:
        action = name if ":" in name else f"{needs.service}:{name}"
        for arn in _where(plan, resource, action, arns):
            yield Grant(action, arn, plan.target.region)
    if needs.tagged:
        yield Grant("tag:GetResources", "*", plan.target.region)


def _actions(needs: Needs, resource: PlannedResource, writes: bool) -> set[str]:
    """A delete is undone from a complete reading, so that whoever may write may read every setting of the type."""
    given = resource.properties.keys()
    found = {
        needs.read,
        *(read for name, (read, _) in needs.settings.items() if (writes and needs.whole) or name in given),
    }
    if writes:
        found |= {needs.write, *(write for name, (_, write) in needs.settings.items() if name in given)}
        found |= {needs.untag} if any(name.endswith("Tags") for name in given) else set()
        found |= {needs.change} if given - needs.given else set()
    return {action for several in found for action in several.split()}


def _where(plan: Plan, resource: PlannedResource, action: str, arns: Sequence[str]) -> Sequence[str]:
    """What an action is to be allowed on: ``*`` where IAM knows no narrower resource for it."""
    if not takes_resource(*action.split(":")):
        return ("*",)
    if action == "iam:PassRole" and not resource.type.startswith("AWS::IAM::"):
        return _filled(plan, ("arn:{partition}:iam::{account}:role/*",))  # a role that is handed over, not the resource
    if action in ELSEWHERE:
        return _filled(plan, ELSEWHERE[action])
    if (resource.type, action) in NAMED:
        return _referred(plan, resource, *NAMED[resource.type, action])
    return (*arns, *_filled(plan, ALSO.get(action, ())))


def _referred(plan: Plan, resource: PlannedResource, name: str, kind: str) -> Sequence[str]:
    """ARNs of the roles, users or groups that a property names; of all, where a name isn't known or may have a path."""
    entities = resource.properties.get(name)
    found: list[str] = []
    for entity in entities if isinstance(entities, list) else [None]:
        other = (
            plan.resources.get(entity.argument) if isinstance(entity, Deferred) and entity.function == "Ref" else None
        )
        if other is not None and other.type == "AWS::IAM::Role":
            found += _arns(plan, other, NEEDS[other.type])
        elif isinstance(entity, str):
            found += _filled(plan, (f"arn:{{partition}}:iam::{{account}}:{kind}/{way}{entity}" for way in ("", "*/")))
        else:
            return _filled(plan, (f"arn:{{partition}}:iam::{{account}}:{kind}/*",))
    return found


def _by_schema(plan: Plan, resource: PlannedResource, writes: bool) -> Iterator[Grant]:
    """A type without a native provider: what its handlers say that they need, through the Cloud Control API."""
    if not writes and type_reveals(resource.type):
        return  # the guard refuses to read it
    schema = schema_for(resource.type, plan.target.region)
    handlers = schema.handler_permissions if schema else {}
    tags = schema.tag_permissions if schema and schema.tag_property else ()
    reads = {action for name in ("read", "list") for action in handlers.get(name, ())}
    # Handlers are careless: some name a write among what they need to read.
    found = {action for action in reads if access_level(*action.partition(":")[::2]) in READ_LEVELS}
    found |= {action for action in tags if access_level(*action.partition(":")[::2]) in READ_LEVELS}
    found |= {*_CLOUD_CONTROL_READS, *(["tag:GetResources"] if tags else [])}
    if writes:
        found |= reads.union(tags, *(handlers.get(name, ()) for name in ("create", "update", "delete")))
        found |= set(_CLOUD_CONTROL_WRITES)
    yield from (Grant(action, "*", plan.target.region) for action in found)


def _stacks(plan: Plan, *, writes: bool) -> Iterator[Grant]:
    """What stacks take: CloudFormation itself, and, as it works as whoever calls it, every type in the template.

    The CDK works through the roles that ``cdk bootstrap`` makes. What Terraform needs only its configuration knows.
    """
    region = plan.target.region
    if plan.stack is None and plan.cdk is None:
        return
    name = plan.stack.name if plan.stack is not None else "*"
    arns = _filled(plan, (f"arn:{{partition}}:cloudformation:{{region}}:{{account}}:stack/{name}/*",))
    names = STACK_READS | (STACK_WRITES if writes else frozenset())
    for action in (f"cloudformation:{each}" for each in names):
        for arn in arns if takes_resource(*action.split(":")) else ("*",):
            yield Grant(action, arn, region)
    if plan.cdk is not None and writes:
        for arn in _filled(plan, ("arn:{partition}:iam::{account}:role/cdk-*",)):
            yield Grant("sts:AssumeRole", arn, region)
    for type_name in plan.stack.types if plan.stack is not None else ():
        schema = schema_for(type_name, region)
        handlers = schema.handler_permissions if schema else {}
        found = {action for name in ("read", "list") for action in handlers.get(name, ())}
        found = {action for action in found if access_level(*action.partition(":")[::2]) in READ_LEVELS}
        if writes:
            found |= {action for actions in handlers.values() for action in actions}
        yield from (Grant(action, "*", region) for action in found)


def _templates(plan: Plan, bucket: str) -> Iterator[Grant]:
    """Long templates: CloudFormation reads them from the bucket as whoever calls it."""
    if not bucket or (plan.stack is None and plan.cdk is None):
        return
    for arn in _filled(plan, (f"arn:{{partition}}:s3:::{bucket}/{TEMPLATES}*",)):
        yield from (Grant(action, arn, plan.target.region) for action in ("s3:GetObject", "s3:PutObject"))


def _outside(plan: Plan, *, writes: bool) -> Iterator[Grant]:
    """Availability zones, attributes that cost a call, and dynamic references, which writable targets resolve."""
    region = plan.target.region
    for node in leaves([*(one.properties for one in plan.resources.values()), *(one.value for one in plan.outputs)]):
        if not isinstance(node, Deferred):
            continue
        if node.function == "Fn::GetAZs":
            yield Grant("ec2:DescribeAvailabilityZones", "*", region)
        elif node.function == "Fn::GetAtt":
            referred = plan.resources.get(node.argument[0])
            action = ATTRIBUTES.get((referred.type, node.argument[1])) if referred else None
            if action:
                yield Grant(action, "*", region)
        elif node.function == "Stored":
            yield _secret(plan, "ssm", node.argument)
        elif node.function == "Resolve" and writes:
            yield _secret(plan, *node.argument)


def _secret(plan: Plan, service: str, key: str) -> Grant:
    if service != "secretsmanager":
        name = key.partition(":")[0].removeprefix("/")
        arn = _filled(plan, ("arn:{partition}:ssm:{region}:{account}:parameter/",))[0] + name
        return Grant("ssm:GetParameter", arn, plan.target.region)
    if key.startswith("arn:"):
        return Grant("secretsmanager:GetSecretValue", ":".join(key.split(":")[:7]), plan.target.region)
    start = _filled(plan, ("arn:{partition}:secretsmanager:{region}:{account}:secret:",))[0]
    return Grant("secretsmanager:GetSecretValue", f"{start}{key.partition(':')[0]}-??????", plan.target.region)


# names


def _arns(plan: Plan, resource: PlannedResource, needs: Needs) -> tuple[str, ...]:
    if needs.arn == "*":
        return ("*",)
    name = _name(plan, resource, needs) or "*"
    path = resource.properties.get("Path") or "/"
    path = "*" if has_unknown(path) or not isinstance(path, str) else path.strip("/")
    arn = needs.arn.replace("{path}", f"{path}/" if path else "").replace("{name}", name.removeprefix("/"))
    if resource.type == "AWS::Logs::LogGroup":
        arn = needs.arn.replace("{name}", name)
        return _filled(plan, (arn, f"{arn}:*"))
    if resource.type == "AWS::KMS::Alias" and name == "*":
        arn = needs.arn.replace("{name}", "alias/*")
    return _filled(plan, (arn,))


def _filled(plan: Plan, patterns: Iterable[str]) -> tuple[str, ...]:
    target = plan.target
    partition = next((name for start, name in _PARTITIONS if target.region.startswith(start)), "aws")
    values = {"{partition}": partition, "{region}": target.region, "{account}": target.account}
    found = list(patterns)
    for field, value in values.items():
        found = [pattern.replace(field, value) for pattern in found]
    return tuple(found)


def _name(plan: Plan, resource: PlannedResource, needs: Needs) -> str:
    """The physical name: as the plan gives it, of the resource it refers to, or as it will be generated."""
    given = resource.properties.get(needs.name)
    if isinstance(given, str):
        return given
    if isinstance(given, Deferred):
        other = plan.resources.get(given.argument) if given.function == "Ref" else None
        known = needs_for(other.type) if other is not None else None
        return _name(plan, other, known) if other is not None and known is not None else ""
    rule = getattr(_REGISTRY.get(resource.type), "naming", None)
    if given is not None or not isinstance(rule, NameRule):
        return ""
    if any(isinstance(resource.properties.get(name), Deferred) for name in (*rule.distinct, rule.fifo)):
        return ""
    # All that a name is made of is the owner, and where it is.
    return rule.name(resource.properties, Owner(plan.name, resource.logical_id), cast("Scope", plan.target)) or ""
