"""A CloudFormation stack as subjects: its resources in its template's order, under its own logical ids. Reads only.

The physical id that CloudFormation shows is what Ref gives, which isn't always what identifies a resource. The rest of
a compound identifier is what the template says, with references to other resources filled in by their physical ids; a
resource that this doesn't find is looked for in its place, and by the tags that CloudFormation puts on it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from reconciler.adoption.found import Declared, Guess, Left, Subject
from reconciler.iac import stacks, templates
from reconciler.model.errors import AwsFault, ConfigurationError, DeploymentError, SourceError
from reconciler.model.ids import OWNER_PLAN_TAG, Identifier, LogicalId, TypeName
from reconciler.model.plan import Target
from reconciler.model.values import Properties, Unknown, has_unknown
from reconciler.ports import Scope
from reconciler.schema import TypeSchema, identifier_of, schema_for
from reconciler.template import resolve

#: what means something to CloudFormation only, so that there is nothing to take over
_OF_STACKS = frozenset(
    {"AWS::CDK::Metadata", "AWS::CloudFormation::WaitCondition", "AWS::CloudFormation::WaitConditionHandle"}
)
#: stands for any type: only properties are evaluated
_ANY = "AWS::SNS::Topic"
_NESTED = "AWS::CloudFormation::Stack"


@dataclass(frozen=True, slots=True)
class StackSubjects:
    """What a stack is made of, and what of it can't be taken over."""

    name: str
    subjects: tuple[Subject, ...]
    left: tuple[Left, ...]


@dataclass(frozen=True, slots=True)
class _Physical:
    """``template.Lookup`` over physical ids: what Ref gives is known, nothing else is."""

    ids: Mapping[LogicalId, str]

    def reference(self, logical_id: str) -> Any:
        return self.ids.get(LogicalId(logical_id)) or Unknown(logical_id)

    def attribute(self, logical_id: str, name: str) -> Any:
        return Unknown(f"{logical_id}.{name}")

    def zones(self, region: str) -> Any:
        return Unknown(f"zones of {region}")

    def imported(self, name: str) -> Any:
        return Unknown(name)

    def parameter(self, name: str) -> Any:
        return Unknown(name)

    def dynamic(self, service: str, key: str) -> Any:  # noqa: ARG002 - never resolved here
        return Unknown(service)


def stack_subjects(scope: Scope, name: str, target: Target) -> StackSubjects:
    """The resources of a stack. Raises AwsFault; ConfigurationError for a stack that can't be taken over now."""
    stack = stacks.read(scope, name)
    if stack is None:
        raise ConfigurationError(
            f"there is no stack {name} in account {target.account}, {target.region}: check --stack, --account, --region"
        )
    _check(stack)
    found = stacks.resources_of(scope, stack)
    template = _template(scope, stack)
    ids = {key: str(physical) for key, (_, physical) in found.items()}
    declared, present = _declared(template, stack, target, ids)
    order = {LogicalId(key): index for index, key in enumerate(template.get("Resources") or {})}
    subjects, left = [], []
    for logical_id in sorted(found, key=lambda key: order.get(key, len(order))):
        type_name, physical = found[logical_id]
        why = _staying(type_name, physical, stack)
        shown = f"{logical_id} ({type_name} {physical})" if physical else f"{logical_id} ({type_name})"
        if why:
            left.append(Left(shown, why))
        else:
            subjects.append(_subject(logical_id, type_name, physical, shown, declared.get(logical_id), target))
    left += [
        Left(name, "in the template, but not among the stack's resources") for name in present if name not in found
    ]
    return StackSubjects(stack.name, tuple(subjects), tuple(left))


def tagged_arns(scope: Scope, stack: str) -> dict[str, str]:
    """ARNs of a stack's resources by logical id, as CloudFormation's own tags tell; none where that can't be asked."""
    filters = [{"Key": "aws:cloudformation:stack-name", "Values": [stack]}]
    try:
        items = scope.pages("resourcegroupstaggingapi", "get_resources", "ResourceTagMappingList", TagFilters=filters)
    except AwsFault:
        return {}
    found = {}
    for item in items:
        tags = {tag["Key"]: tag.get("Value", "") for tag in item.get("Tags", ())}
        if logical_id := tags.get("aws:cloudformation:logical-id"):
            found[logical_id] = str(item["ResourceARN"])
    return found


def _check(stack: stacks.Stack) -> None:
    if stack.busy or stack.empty:
        what = "is being deployed" if stack.busy else "was never deployed"
        raise ConfigurationError(f"the stack {stack.name} {what} ({stack.status}): import it when that has ended")
    if owner := stack.tags.get(OWNER_PLAN_TAG):
        raise ConfigurationError(
            f"the stack {stack.name} is the stack plan {owner}'s: to manage its resources one by one, withdraw that "
            "plan from the stack first, or change the plan's delivery from stack to template"
        )


def _template(scope: Scope, stack: stacks.Stack) -> Mapping[str, Any]:
    """What the stack was deployed with, macros done; what we can't read tells nothing."""
    try:
        answer = scope.call("cloudformation", "get_template", StackName=stack.id, TemplateStage="Processed")
        return templates.parse(answer.get("TemplateBody") or {})
    except (AwsFault, DeploymentError):
        return {}


def _declared(
    template: Mapping[str, Any], stack: stacks.Stack, target: Target, physical: Mapping[LogicalId, str]
) -> tuple[dict[LogicalId, Declared], tuple[LogicalId, ...]]:
    """What the template says by logical id, and which of its resources exist, as far as we can evaluate that."""
    section = template.get("Resources")
    if not isinstance(section, Mapping):
        return {}, ()
    side = templates.Side(_readable(template, section), stack.parameters, target, stack.name)
    try:
        loaded = {name: one.properties for name, one in templates.loaded(side).resources.items()}
    except SourceError:
        loaded = {}
    found = {}
    for name, node in section.items():
        if isinstance(node, Mapping):
            known = loaded.get(LogicalId(name))
            found[LogicalId(name)] = _of_node(node, known, _Physical(physical))
    return found, tuple(loaded)


def _readable(template: Mapping[str, Any], section: Mapping[str, Any]) -> dict[str, Any]:
    """The template as we evaluate it: macros are done already; what only CloudFormation can make may be referred to."""
    nodes = {
        name: {"Type": _ANY, **{key: node[key] for key in ("Condition", "Properties") if key in node}}
        for name, node in section.items()
        if isinstance(node, Mapping)
    }
    return {**{name: part for name, part in template.items() if name != "Transform"}, "Resources": nodes}


def _of_node(node: Mapping[str, Any], folded: Properties | None, lookup: _Physical) -> Declared:
    written = node.get("Properties")
    names = tuple(written) if isinstance(written, Mapping) else ()
    try:
        known = resolve(dict(folded), lookup) if folded is not None else {}
    except SourceError:
        known = {}
    given = node.get("DependsOn") or ()
    return Declared(
        names=tuple(name for name in names if folded is None or name in folded),
        properties=known,
        depends_on=(given,) if isinstance(given, str) else tuple(str(name) for name in given),
        deletion_policy=_text(node.get("DeletionPolicy")),
        update_replace_policy=_text(node.get("UpdateReplacePolicy")),
    )


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _staying(type_name: TypeName, physical: str, stack: stacks.Stack) -> str:
    """Why a resource isn't taken over; empty if it may be."""
    if type_name == _NESTED:
        nested = physical.split("/")[1] if physical.count("/") > 1 else physical
        return f"a stack of its own: reconciler import --stack {nested}"
    if type_name in _OF_STACKS:
        return "means something inside of the stack only"
    if "::" not in type_name.removeprefix("AWS::") or not type_name.startswith("AWS::"):
        return "a custom or third-party resource: only CloudFormation manages it"
    return "" if physical else f"{stack.name} has not made it"


def _subject(
    logical_id: LogicalId, type_name: TypeName, physical: str, shown: str, declared: Declared | None, target: Target
) -> Subject:
    schema = schema_for(type_name, target.region)
    known = declared.properties if declared is not None else {}
    places = [] if schema is None else [_composed(schema, known, physical)]
    guesses = [Guess(type_name, Identifier(place)) for place in dict.fromkeys((*places, physical)) if place]
    place = {name: value for name, value in known.items() if not has_unknown(value)}
    place |= {} if schema is None else {name: physical for name in _ref_names(schema) if name not in place}
    return Subject(shown, tuple(guesses), logical_id, physical, place=place, declared=declared)


def _composed(schema: TypeSchema, known: Properties, physical: str) -> str:
    """A compound identifier out of the physical id and of what the template says; empty where that isn't all of it."""
    names = schema.primary_identifier
    if len(names) < 2:
        return ""
    if physical.count("|") + 1 == len(names):
        return physical
    missing = [name for name in names if known.get(name) is None or has_unknown(known.get(name))]
    if len(missing) != 1:
        return ""
    return identifier_of(schema, {**known, missing[0]: physical}) or ""


def _ref_names(schema: TypeSchema) -> tuple[str, ...]:
    """The properties that a physical id may be the value of, when it is a name."""
    short = schema.type_name.rpartition("::")[2]
    return tuple(name for name in (f"{short}Name", "Name") if name in schema.settable)
