"""What resources of their own add to a list of another one: a role's inline policies, a group's rules.

AWS shows them within that one, and CloudFormation leaves them alone there: only who made them takes them away. So they
are left out of what is seen of it, unless the plan wants them in its list too. Of an instance's volumes, which anybody
may attach, those alone are seen that the plan has named.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from reconciler.live.desired import desired_of
from reconciler.live.view import View
from reconciler.model.ids import LogicalId, TypeName
from reconciler.model.plan import Plan, PlannedResource
from reconciler.model.resource import Observation
from reconciler.model.values import Properties, has_unknown
from reconciler.schema import same, schema_for


@dataclass(frozen=True, slots=True)
class Adding:
    """A resource that may add to others: its identifier (none before it exists), and what is or was wanted of it."""

    type: str
    identifier: str
    properties: Properties


#: Whether an item of a list is there because of a resource: what adds, whom the list belongs to, the item.
Belongs = Callable[[Adding, Observation, Any], bool]


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [] if value is None else [value]


def _inline(holders: str) -> Belongs:
    def belongs(adding: Adding, owner: Observation, item: Any) -> bool:
        named = isinstance(item, Mapping) and item.get("PolicyName") == adding.properties.get("PolicyName")
        return named and owner.identifier in _listed(adding.properties.get(holders))

    return belongs


def _attached(holders: str) -> Belongs:
    return lambda adding, owner, item: (
        item == adding.identifier and owner.identifier in _listed(adding.properties.get(holders))
    )


def _attaches(adding: Adding, owner: Observation, item: Any) -> bool:
    return item == adding.identifier and owner.identifier in _listed(adding.properties.get("ManagedPolicyArns"))


def _member(adding: Adding, owner: Observation, item: Any) -> bool:
    return item == adding.properties.get("GroupName") and owner.identifier in _listed(adding.properties.get("Users"))


def _rule(direction: str) -> Belongs:
    def belongs(adding: Adding, owner: Observation, item: Any) -> bool:
        rule = {name: value for name, value in adding.properties.items() if name not in ("GroupId", "GroupName")}
        schema = schema_for("AWS::EC2::SecurityGroup")
        return adding.properties.get("GroupId") == owner.identifier and same(schema, (direction, "*"), rule, item)

    return belongs


def _subscribed(adding: Adding, owner: Observation, item: Any) -> bool:
    names = ("Endpoint", "Protocol")
    return adding.properties.get("TopicArn") == owner.identifier and all(
        isinstance(item, Mapping) and item.get(name) == adding.properties.get(name) for name in names
    )


#: by the type and the property that shows them: which types add to it, and how what they add is told
_ADDED: Mapping[tuple[str, str], Mapping[str, Belongs]] = {
    ("AWS::IAM::Role", "Policies"): {"AWS::IAM::Policy": _inline("Roles"), "AWS::IAM::RolePolicy": _inline("RoleName")},
    ("AWS::IAM::User", "Policies"): {"AWS::IAM::Policy": _inline("Users"), "AWS::IAM::UserPolicy": _inline("UserName")},
    ("AWS::IAM::Group", "Policies"): {
        "AWS::IAM::Policy": _inline("Groups"),
        "AWS::IAM::GroupPolicy": _inline("GroupName"),
    },
    ("AWS::IAM::Role", "ManagedPolicyArns"): {"AWS::IAM::ManagedPolicy": _attached("Roles")},
    ("AWS::IAM::User", "ManagedPolicyArns"): {"AWS::IAM::ManagedPolicy": _attached("Users")},
    ("AWS::IAM::Group", "ManagedPolicyArns"): {"AWS::IAM::ManagedPolicy": _attached("Groups")},
    ("AWS::IAM::ManagedPolicy", "Roles"): {"AWS::IAM::Role": _attaches},
    ("AWS::IAM::ManagedPolicy", "Users"): {"AWS::IAM::User": _attaches},
    ("AWS::IAM::ManagedPolicy", "Groups"): {"AWS::IAM::Group": _attaches},
    ("AWS::IAM::User", "Groups"): {"AWS::IAM::UserToGroupAddition": _member},
    ("AWS::EC2::SecurityGroup", "SecurityGroupIngress"): {
        "AWS::EC2::SecurityGroupIngress": _rule("SecurityGroupIngress")
    },
    ("AWS::EC2::SecurityGroup", "SecurityGroupEgress"): {"AWS::EC2::SecurityGroupEgress": _rule("SecurityGroupEgress")},
    ("AWS::SNS::Topic", "Subscription"): {"AWS::SNS::Subscription": _subscribed},
}

#: Lists that show more than resources add, by the type and the property: only items that the plan names, or was seen to
#: have set, are the plan's. They are told by a member.
_NAMED = {("AWS::EC2::Instance", "Volumes"): "VolumeId"}


def own_parts(plan: Plan, view: View, name: LogicalId, live: Observation) -> Observation:
    """``live`` without what others have added to it: resources of the plan, and of other plans by their records."""
    planned = plan.resources.get(name)
    if planned is None:
        return live
    live = _named(planned, view, name, live)
    tables = {key[1]: types for key, types in _ADDED.items() if key[0] == planned.type and live.properties.get(key[1])}
    tables = {shown: types for shown, types in tables.items() if shown in planned.properties}
    if not tables:
        return live
    adding = _adding(plan, view, name, frozenset(one for types in tables.values() for one in types))
    if not adding:
        return live
    desired, schema = desired_of(planned, view), schema_for(planned.type, view.region)
    kept = dict(live.properties)
    for shown, types in tables.items():
        wanted = _listed(desired.get(shown))
        kept[shown] = [
            item
            for item in _listed(live.properties[shown])
            if any(same(schema, (shown, "*"), one, item) for one in wanted)
            or not any(one.type in types and types[one.type](one, live, item) for one in adding)
        ]
    return replace(live, properties=kept)


def _named(planned: PlannedResource, view: View, name: LogicalId, live: Observation) -> Observation:
    """``live`` without items that the plan has never named: devices of the image, what somebody else has attached."""
    shown = {prop: member for (kind, prop), member in _NAMED.items() if kind == planned.type}
    shown = {prop: member for prop, member in shown.items() if live.properties.get(prop)}
    if not shown:
        return live
    record = view.seen[name].record
    said = [desired_of(planned, view), record.applied if record is not None else {}]
    kept = dict(live.properties)
    for prop, member in shown.items():
        known = [item.get(member) for one in said for item in _listed(one.get(prop)) if isinstance(item, Mapping)]
        kept[prop] = [item for item in _listed(live.properties[prop]) if item.get(member) in known]
    return replace(live, properties=kept)


def adding_types(plan: Plan) -> frozenset[TypeName]:
    """The types whose resources, in whatever plan, may add to a list that the plan sets."""
    kinds = {(planned.type, name) for planned in plan.resources.values() for name in planned.properties}
    return frozenset(TypeName(adding) for key, types in _ADDED.items() if key in kinds for adding in types)


def _adding(plan: Plan, view: View, name: LogicalId, types: frozenset[str]) -> list[Adding]:
    found = [
        Adding(planned.type, view.seen[other].identifier or "", _known(desired_of(planned, view)))
        for other, planned in plan.resources.items()
        if planned.type in types and other != name
    ]
    return found + [
        Adding(record.type, record.identifier, record.applied)
        for record in view.records
        if record.type in types and (record.plan != plan.name or record.logical_id not in plan.resources)
    ]


def _known(properties: Properties) -> dict[str, Any]:
    """What can be told of a resource now: a reference to what isn't there yet points at nothing here."""
    return {key: value for key, value in properties.items() if not has_unknown(value)}
