"""One stack: what it is to be against what it is, as changes. Asks for a change set only where it may be written."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from reconciler.iac import changesets, stacks
from reconciler.iac.bodies import bucket_of
from reconciler.iac.broadening import broadens
from reconciler.iac.changesets import Described, Request
from reconciler.iac.drift import Drifts
from reconciler.iac.stacks import HIDDEN, STACK_TYPE, Stack
from reconciler.iac.templates import Resource, Side, changes_between, removed, same
from reconciler.iac.templates import resources_of as resources_in
from reconciler.model.change import Action, Change, Conflict, FieldChange, ResourceState
from reconciler.model.ids import Identifier, LogicalId, Owner
from reconciler.model.plan import Plan
from reconciler.model.resource import Record, SyncState
from reconciler.model.values import Sensitive, reveal, sealed
from reconciler.ports import Clock, Scope, Store

_NAMED = {
    "AWS::IAM::Role": "RoleName",
    "AWS::IAM::User": "UserName",
    "AWS::IAM::Group": "GroupName",
    "AWS::IAM::ManagedPolicy": "ManagedPolicyName",
    "AWS::IAM::InstanceProfile": "InstanceProfileName",
}
_SERVERLESS = "AWS::Serverless-2016-10-31"
_COMPLETE = frozenset(
    {
        "CREATE_COMPLETE",
        "UPDATE_COMPLETE",
        "UPDATE_ROLLBACK_COMPLETE",
        "IMPORT_COMPLETE",
        "IMPORT_ROLLBACK_COMPLETE",
    }
)


@dataclass(frozen=True, slots=True)
class WantedStack:
    """What a stack is to be. ``logical_id``: how plan, journal and store name it. ``absent``: it is to go."""

    logical_id: LogicalId
    name: str
    body: str = ""
    template: Mapping[str, Any] = field(default_factory=dict)
    parameters: Mapping[str, Any] = field(default_factory=dict)
    absent: bool = False

    def applied(self) -> Mapping[str, Any]:
        """What is remembered of it once it is deployed: keyed digests in place of secrets."""
        found: Mapping[str, Any] = sealed({"Parameters": dict(self.parameters)})
        return found


@dataclass(frozen=True, slots=True)
class Look:
    """What was found. ``described``: the change set to execute; ``made``: it was made for this.

    ``prefix``: begins the names of the changes where a plan has several stacks.
    """

    wanted: WantedStack
    stack: Stack | None
    changes: tuple[Change, ...] = ()
    states: tuple[ResourceState, ...] = ()
    notes: tuple[str, ...] = ()
    conflict: Conflict | None = None
    described: Described | None = None
    made: bool = False
    prefix: str = ""

    @property
    def basis(self) -> Any:
        """What the changes were computed from, for the digest."""
        stack = self.stack
        state = [stack.id, stack.status, stack.updated] if stack is not None and not stack.empty else []
        parameters = dict(self.wanted.parameters)
        return {"name": self.wanted.name, "state": state, "template": self.wanted.template, "parameters": parameters}


@dataclass(frozen=True, slots=True)
class Looker:
    """Looks at stacks. ``bucket``: where templates go that are too long, for accounts and regions to be filled in."""

    store: Store
    clock: Clock
    drifts: Drifts
    bucket: str = ""

    def look(self, plan: Plan, scope: Scope, wanted: WantedStack, *, asking: bool) -> Look:
        """``asking``: whether CloudFormation may be asked for a change set; else only what it shows is compared.

        Raises AwsFault, DeploymentError.
        """
        stack = stacks.read(scope, wanted.name)
        if stack is not None and (foreign := stacks.foreign(stack, plan)):
            conflict = Conflict(wanted.logical_id, STACK_TYPE, stack.id, foreign)
            return Look(wanted, stack, conflict=conflict)
        if stack is not None:
            stacks.check_usable(stack, plan, deleting=wanted.absent)
        if wanted.absent:
            return self._removal(plan, scope, wanted, stack)
        old = stacks.template_of(scope, stack) if stack is not None else {}
        former = self._former(wanted, stack, self._record(plan, wanted))
        if stack is not None and self._as_wanted(plan, wanted, stack, old, former):
            return self._in_place(scope, wanted, stack)
        before = Side(old, former, plan.target, wanted.name) if stack is not None and old else None
        expected = changes_between(before, Side(wanted.template, wanted.parameters, plan.target, wanted.name))
        if not asking:
            return self._judged(Look(wanted, stack, expected or (_whole(wanted, stack, old, former),)))
        request = request_of(plan, wanted, stack, bucket_of(self.bucket, plan))
        described, made = changesets.obtain(scope, self.clock, plan, stack, request)
        known = stacks.read(scope, wanted.name) or stack
        if known is not None:
            changesets.tidy(scope, known, keep="" if described.nothing else described.name)
        if described.nothing and known is not None:
            if known.status == "UPDATE_FAILED":
                raise stacks.stuck(known, plan)
            return self._in_place(scope, wanted, known)
        changes = changesets.changes_of(described, expected, plan.target.region)
        changes = changes or (_whole(wanted, stack, old, former),)
        return self._judged(Look(wanted, stack, changes, described=described, made=made))

    def _record(self, plan: Plan, wanted: WantedStack) -> Record | None:
        return self.store.records(plan.name).get(wanted.logical_id)

    def _former(self, wanted: WantedStack, stack: Stack | None, record: Record | None) -> dict[str, Any]:
        """The parameters in force; a hidden one is what it is to be if we remember having set just that."""
        if stack is None:
            return {}
        applied = (record.applied.get("Parameters") or {}) if record is not None else {}
        now = wanted.applied()["Parameters"]

        def value(name: str, shown: str) -> Any:
            if shown != HIDDEN and not isinstance(wanted.parameters.get(name), Sensitive):
                return shown
            known = name in applied and name in now and applied[name] == now[name]
            return wanted.parameters[name] if known else Sensitive(f"(former value of {name})")

        return {name: value(name, shown) for name, shown in stack.parameters.items()}

    def _as_wanted(
        self, plan: Plan, wanted: WantedStack, stack: Stack, old: Mapping[str, Any], former: Mapping[str, Any]
    ) -> bool:
        """Whether the stack was last deployed with just this, as far as AWS shows it."""
        tags = Owner(plan.name, wanted.logical_id).tags()
        return (
            stack.status in _COMPLETE
            and tags.items() <= stack.tags.items()
            and dict(former) == dict(wanted.parameters)
            and same(old, wanted.template)
        )

    def _in_place(self, scope: Scope, wanted: WantedStack, stack: Stack) -> Look:
        """Nothing to deploy: what is left to ask is whether somebody has changed resources behind its back."""
        drift = self.drifts.of(scope, stack, logical_id=wanted.logical_id)
        if drift is None:
            state = ResourceState(wanted.logical_id, STACK_TYPE, SyncState.IN_SYNC, stack.id, "", self.clock.now())
            return Look(wanted, stack, states=(state,), notes=("drift of its resources isn't looked for (iac.drift)",))
        number, names = len(drift.unchecked), ", ".join(drift.unchecked)
        note = f"CloudFormation can't check {number} of its resources for drift: {names}"
        states = drift.states
        if not states:
            states = (ResourceState(wanted.logical_id, STACK_TYPE, SyncState.IN_SYNC, stack.id, "", drift.at),)
        return Look(wanted, stack, states=states, notes=(note,) if number else ())

    def _removal(self, plan: Plan, scope: Scope, wanted: WantedStack, stack: Stack | None) -> Look:
        if stack is None:
            return Look(wanted, None)
        known = resources_in(Side(stacks.template_of(scope, stack), stack.parameters, plan.target, wanted.name))
        region = plan.target.region
        changes = [
            replace(removed(name, known.get(name, Resource(kind)), region, identifier), reason="the stack is to go")
            for name, (kind, identifier) in stacks.resources_of(scope, stack).items()
        ]
        whole = Change(wanted.logical_id, STACK_TYPE, Action.DELETE, stack.id, reason="the plan is to be absent")
        return self._judged(Look(wanted, stack, tuple(changes) or (whole,)))

    def _judged(self, look: Look) -> Look:
        at = self.clock.now()
        changes = tuple(replace(change, broadens=broadens(change)) for change in look.changes)
        states = tuple(
            ResourceState(
                change.logical_id,
                change.type,
                SyncState.MISSING if change.action is Action.CREATE else SyncState.DRIFTED,
                change.identifier,
                change.reason,
                at,
            )
            for change in changes
        )
        return replace(look, changes=changes, states=states)


def request_of(plan: Plan, wanted: WantedStack, stack: Stack | None, bucket: str = "") -> Request:
    """The change set to ask for. Tags of others on the stack stay. ``bucket``: for a template that is too long."""
    tags = {**(stack.tags if stack is not None else {}), **Owner(plan.name, wanted.logical_id).tags()}
    return Request(
        stack=wanted.name,
        body=wanted.body,
        parameters={name: str(reveal(value)) for name, value in wanted.parameters.items()},
        tags=tags,
        capabilities=capabilities(wanted.template),
        creates=stack is None or stack.empty,
        keep_failed=plan.rollback.mode != "automatic",
        bucket=bucket,
    )


def capabilities(template: Mapping[str, Any]) -> tuple[str, ...]:
    """What has to be acknowledged for a template, and no more."""
    resources: Collection[Any] = (template.get("Resources") or {}).values()
    kinds = [(one.get("Type", ""), one.get("Properties") or {}) for one in resources if isinstance(one, Mapping)]
    transforms = template.get("Transform") or []
    transforms = transforms if isinstance(transforms, list) else [transforms]
    found = []
    if any(_NAMED.get(kind) in properties for kind, properties in kinds if kind in _NAMED):
        found.append("CAPABILITY_NAMED_IAM")
    elif any(kind.startswith("AWS::IAM::") for kind, _ in kinds) or _SERVERLESS in transforms:
        found.append("CAPABILITY_IAM")
    if transforms:
        found.append("CAPABILITY_AUTO_EXPAND")
    return tuple(found)


def _whole(wanted: WantedStack, stack: Stack | None, old: Mapping[str, Any], former: Mapping[str, Any]) -> Change:
    """The stack as the one change: parameters, outputs, tags or conditions that no resource shows."""
    sections = sorted(name for name in {*old, *wanted.template} if not same(old.get(name), wanted.template.get(name)))
    fields = [FieldChange(f"/{name}", None, None, reason="plan") for name in sections]
    fields += [
        FieldChange(f"/Parameters/{name}", former.get(name), wanted.parameters.get(name), reason="plan")
        for name in sorted({*former, *wanted.parameters})
        if former.get(name) != wanted.parameters.get(name)
    ]
    action = Action.CREATE if stack is None or stack.empty else Action.UPDATE
    identifier: Identifier | None = stack.id if stack is not None else None
    return Change(
        wanted.logical_id, STACK_TYPE, action, identifier, fields=tuple(fields), reason="no resource of it changes"
    )
