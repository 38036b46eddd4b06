"""CloudFormation change sets: made, read, turned into our own vocabulary, and cleaned up."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import structlog

from reconciler.iac import bodies
from reconciler.iac.stacks import Stack, is_absent
from reconciler.iac.templates import lost_with
from reconciler.model.change import Action, Change, FieldChange
from reconciler.model.errors import AwsFault, DeploymentError, FaultKind, ReconcilerError
from reconciler.model.ids import Identifier, LogicalId, TypeName
from reconciler.model.plan import Plan
from reconciler.model.secrecy import seal
from reconciler.ports import Clock, Scope
from reconciler.schema import conceal, schema_for

log = structlog.get_logger(__name__)

PREFIX = "reconciler-"
#: How often a change set is asked for while AWS works it out, and for how long. Seconds.
_PAUSE, _PATIENCE = 2.0, 600.0
_NOTHING = ("didn't contain changes", "no updates are to be performed")
_ACTIONS = {"Add": Action.CREATE, "Remove": Action.DELETE, "Import": Action.ADOPT, "Modify": Action.UPDATE}
_KEEPS = frozenset({"Retain", "Snapshot"})


@dataclass(frozen=True, slots=True)
class Request:
    """What a stack is to be: everything that a change set is made from. ``parameters`` in the clear.

    ``bucket``: where a template goes that is too long for a call; empty: nowhere.
    """

    stack: str
    body: str
    parameters: Mapping[str, str]
    tags: Mapping[str, str]
    capabilities: tuple[str, ...]
    creates: bool
    keep_failed: bool
    bucket: str = ""

    def arguments(self) -> dict[str, Any]:
        """As CreateChangeSet takes them, the template apart."""
        given: dict[str, Any] = {
            "StackName": self.stack,
            "Parameters": [
                {"ParameterKey": name, "ParameterValue": value} for name, value in sorted(self.parameters.items())
            ],
            "Tags": [{"Key": name, "Value": value} for name, value in sorted(self.tags.items())],
            "Capabilities": list(self.capabilities),
            "ChangeSetType": "CREATE" if self.creates else "UPDATE",
        }
        if self.creates:
            given["OnStackFailure"] = "DO_NOTHING" if self.keep_failed else "DELETE"
        return given


@dataclass(frozen=True, slots=True)
class Described:
    """A change set of AWS's. ``id``: its ARN. ``changes``: its resource changes, as AWS words them."""

    id: str
    name: str
    stack: Identifier
    status: str
    execution: str
    reason: str
    changes: tuple[Mapping[str, Any], ...] = ()

    @property
    def nothing(self) -> bool:
        """Whether AWS found nothing to change."""
        return self.status == "FAILED" and any(text in self.reason.lower() for text in _NOTHING)

    @property
    def ready(self) -> bool:
        """Whether it can be executed."""
        return self.status == "CREATE_COMPLETE" and self.execution == "AVAILABLE"


def name_for(plan: Plan, stack: Stack | None, request: Request) -> str:
    """One name for one change: as long as plan, stack and request stay the same it is found again."""
    known = [stack.id, stack.status, stack.updated] if stack is not None and not stack.empty else []
    facts = [plan.name, plan.digest, plan.rolling_back, request.stack, request.body, dict(request.tags), known]
    text = json.dumps([*facts, seal(dict(request.parameters))], sort_keys=True)
    return PREFIX + hashlib.sha256(text.encode()).hexdigest()[:32]


def find(scope: Scope, stack: str, name: str) -> Described | None:
    """A change set with all its pages, None if there is none. Raises AwsFault."""
    try:
        pages = _pages(scope, stack, name)
    except AwsFault as fault:
        if fault.kind is FaultKind.NOT_FOUND or is_absent(fault) or "ChangeSetNotFound" in fault.code:
            return None
        raise
    first = pages[0]
    return Described(
        id=first.get("ChangeSetId") or name,
        name=first.get("ChangeSetName") or name,
        stack=Identifier(first.get("StackId") or stack),
        status=first.get("Status") or "",
        execution=first.get("ExecutionStatus") or "",
        reason=first.get("StatusReason") or "",
        changes=tuple(
            one["ResourceChange"] for page in pages for one in page.get("Changes") or () if one.get("ResourceChange")
        ),
    )


def _pages(scope: Scope, stack: str, name: str) -> list[Mapping[str, Any]]:
    arguments: dict[str, Any] = {"StackName": stack, "ChangeSetName": name, "IncludePropertyValues": True}
    pages = [scope.call("cloudformation", "describe_change_set", **arguments)]
    while pages[-1].get("NextToken"):
        pages.append(scope.call("cloudformation", "describe_change_set", **arguments, NextToken=pages[-1]["NextToken"]))
    return pages


def obtain(scope: Scope, clock: Clock, plan: Plan, stack: Stack | None, request: Request) -> tuple[Described, bool]:
    """The change set for a request: found again, or made. And whether it was made now.

    Raises AwsFault, or DeploymentError if AWS can't make one of it.
    """
    name = name_for(plan, stack, request)
    found = find(scope, request.stack, name) if stack is not None else None
    if found is not None and (found.ready or found.nothing):
        return found, False
    if found is not None and found.status not in ("CREATE_PENDING", "CREATE_IN_PROGRESS"):
        remove(scope, found)
        found = None
    made = found is None
    if found is None:
        description = f"plan {plan.name}, {plan.digest[:19]}"
        try:
            arguments = {**bodies.given(scope, plan, request.body, request.bucket), **request.arguments()}
            scope.call(
                "cloudformation", "create_change_set", ChangeSetName=name, ClientToken=name, Description=description,
                **arguments,
            )  # fmt: skip
        except AwsFault as fault:
            if fault.kind is not FaultKind.ALREADY_EXISTS and not fault.ambiguous:
                raise
            made = fault.ambiguous
    return _waited_for(scope, clock, request.stack, name), made


def _waited_for(scope: Scope, clock: Clock, stack: str, name: str) -> Described:
    deadline = clock.monotonic() + _PATIENCE
    while True:
        found = find(scope, stack, name)
        if found is not None and (found.ready or found.nothing):
            return found
        if found is not None and found.status == "FAILED":
            remove(scope, found)
            text = f"CloudFormation can't make a change set for the stack {stack}: {found.reason or 'no reason given'}"
            raise DeploymentError("Change set failed", text, ("Correct what the message names",))
        if clock.monotonic() >= deadline:
            status = found.status if found is not None else "nowhere to be seen"
            text = f"the change set {name} of the stack {stack} is still {status} after {_PATIENCE:.0f} s"
            raise AwsFault(FaultKind.TIMEOUT, text, service="cloudformation", operation="CreateChangeSet")
        clock.sleep(_PAUSE)


def remove(scope: Scope, described: Described) -> None:
    """Delete a change set, which never was executed. Never raises: one that stays does nothing."""
    try:
        scope.call("cloudformation", "delete_change_set", ChangeSetName=described.id, StackName=described.stack)
    except ReconcilerError as error:
        log.info("change set not deleted", change_set=described.name, error=str(error))


def tidy(scope: Scope, stack: Stack, *, keep: str = "") -> None:
    """Delete the change sets of ours that were never executed, ``keep`` (a name) apart. Never raises."""
    try:
        listed = scope.pages("cloudformation", "list_change_sets", "Summaries", StackName=stack.name)
    except ReconcilerError as error:
        log.info("change sets not listed", stack=stack.name, error=str(error))
        return
    for one in listed:
        waits = one.get("ExecutionStatus") in ("AVAILABLE", "UNAVAILABLE", "OBSOLETE")
        name = one.get("ChangeSetName") or ""
        if waits and name.startswith(PREFIX) and name != keep:
            remove(scope, Described(one["ChangeSetId"], name, stack.id, "", "", ""))


# in our own vocabulary


def changes_of(described: Described, expected: Sequence[Change], region: str) -> tuple[Change, ...]:
    """AWS's changes as ours. What AWS doesn't tell (values, types) is taken from ``expected``, our own comparison."""
    known = {change.logical_id: change for change in expected}
    return tuple(_change(one, known.get(LogicalId(one["LogicalResourceId"])), region) for one in described.changes)


def _change(told: Mapping[str, Any], own: Change | None, region: str) -> Change:
    name = LogicalId(told["LogicalResourceId"])
    kind = TypeName(told.get("ResourceType") or (own.type if own else ""))
    action, reason = _action(told)
    if action is Action.UPDATE and "Replacement" not in told and own is not None and own.action is Action.REPLACE:
        action, reason = Action.REPLACE, own.reason
    fields = _merged(tuple(_fields(told, kind, region)), own.fields if own else ())
    identifier = Identifier(told["PhysicalResourceId"]) if told.get("PhysicalResourceId") else None
    before = own.before if own else None
    after = own.after if own and action is not Action.DELETE else None
    keeps = told.get("PolicyAction") in _KEEPS or (own is not None and "keeps it" in own.reason)
    lost = action in (Action.DELETE, Action.REPLACE) and not keeps and told.get("PolicyAction") != "ReplaceAndRetain"
    loss = lost_with(kind, before or {}, region, identifier) if lost else ()
    words = reason or (own.reason if own else "")
    if action is Action.DELETE and keeps:
        words = "no longer in the template; its deletion policy keeps it"
    return Change(name, kind, action, identifier, before, after, fields, words, loss)


def _action(told: Mapping[str, Any]) -> tuple[Action, str]:
    """What AWS will do. Whatever it can't tell yet counts as the worse."""
    action = _ACTIONS.get(told.get("Action", ""))
    if action is None:
        return Action.REPLACE, f"CloudFormation can't tell yet what it does here ({told.get('Action')})"
    if action is Action.UPDATE and told.get("Replacement") == "True":
        return Action.REPLACE, "a new one replaces it"
    if action is Action.UPDATE and told.get("Replacement") == "Conditional":
        return Action.REPLACE, "a new one may replace it: CloudFormation can't tell yet"
    return action, ""


def _fields(told: Mapping[str, Any], kind: TypeName, region: str) -> Iterator[FieldChange]:
    schema = schema_for(kind, region)
    seen: set[str] = set()
    for detail in told.get("Details") or ():
        target = detail.get("Target") or {}
        attribute, name = target.get("Attribute", ""), target.get("Name") or ""
        path = target.get("Path") or (f"/{name}" if name else f"/{attribute}")
        path = path.removeprefix("/Properties") or f"/{attribute}"
        if path in seen:
            continue
        seen.add(path)
        place = tuple(path.split("/")[1:])
        before, after = (
            None if target.get(side) is None else conceal(schema, place, target[side]) if schema else target[side]
            for side in ("BeforeValue", "AfterValue")
        )
        forced = target.get("RequiresRecreation") in ("Always", "Conditionally")
        reason = "plan" if detail.get("ChangeSource") in (None, "DirectModification") else "reference"
        yield FieldChange(path, before, after, forced, reason)


def _merged(told: Sequence[FieldChange], own: Sequence[FieldChange]) -> tuple[FieldChange, ...]:
    """AWS's fields, with the values that we know where AWS gives none; ours where AWS names no field at all."""
    if not told:
        return tuple(own)
    known = {field.path: field for field in own}
    found: list[FieldChange] = []
    for field in told:
        below = [one for path, one in known.items() if path == field.path or path.startswith(f"{field.path}/")]
        if field.before is None and field.after is None and below:
            forced = field.forces_replacement
            found += [replace(one, forces_replacement=forced or one.forces_replacement) for one in below]
        else:
            found.append(field)
    return tuple(found)
