"""The ``stack`` delivery: a CloudFormation stack through change sets, which are shown, decided on and executed."""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

from reconciler.iac import changesets, stacks
from reconciler.iac.digest import change_digest
from reconciler.iac.looking import Look, Looker, WantedStack
from reconciler.iac.stackrun import StackRun, record_of
from reconciler.iac.stacks import STACK_TYPE
from reconciler.iac.steps import Progress, steps_of
from reconciler.iac.templates import parse
from reconciler.model.change import ChangeSet, SourceFile
from reconciler.model.errors import DeploymentError, ReconcilerError
from reconciler.model.ids import Identifier, LogicalId, TypeName
from reconciler.model.plan import Plan
from reconciler.model.values import mask
from reconciler.ports import Clock, Deployed, Deployment, EventSink, Scope, Store

#: How a plan's one stack is called in plan, journal, store and tags.
STACK = LogicalId("Stack")


@dataclass(frozen=True, slots=True)
class PreparedStacks:
    """Implements ports.Prepared for the stacks of a plan, carried out in their order."""

    plan: Plan
    scope: Scope
    looks: tuple[Look, ...]
    changes: ChangeSet
    run: StackRun
    store: Store
    clock: Clock
    events: EventSink

    def execute(self, deployment: Deployment) -> Deployed:
        """See ports.Prepared."""
        tool = "CloudFormation"
        progress = Progress(deployment.run, self.plan, self.changes, self.clock, self.events, tool)
        progress.start(deployment.context)
        rolled_back: bool | None = None
        for look in self.looks:
            if not look.changes:
                continue
            rolled_back = self.run.execute(self.plan, self.scope, look, deployment, progress.part(look.prefix))
            if progress.any_failed or deployment.stopping():
                break
        return Deployed(progress.ended(), rolled_back)

    def close(self, *, keep: bool) -> None:
        """See ports.Prepared: change sets that were made for this, and a stack that consists of nothing else."""
        if keep:
            return
        for look in self.looks:
            if look.described is None or not look.made:
                continue
            changesets.remove(self.scope, look.described)
            if look.stack is None:
                _remove_empty(self.scope, look.described.stack)

    def remember(self) -> None:
        """See ports.Prepared."""
        records = self.store.records(self.plan.name)
        for look in self.looks:
            name, known = look.wanted.logical_id, records.get(look.wanted.logical_id)
            if look.stack is None or look.changes or look.conflict is not None:
                if look.stack is None and known is not None and look.wanted.absent:
                    self.store.drop_record(self.plan.name, name)
                continue
            wanted = record_of(self.plan, self.scope, look.wanted, look.stack.id, self.clock)
            if known is None or (known.identifier, known.applied) != (wanted.identifier, wanted.applied):
                self.store.save_record(wanted)


@dataclass(frozen=True, slots=True)
class StackDeployer:
    """Implements ports.Deployer for ``stack``."""

    store: Store
    clock: Clock
    events: EventSink
    looker: Looker
    run: StackRun

    def prepare(self, plan: Plan, scope: Scope, *, writable: bool) -> PreparedStacks:
        """See ports.Deployer. Where it may be written, CloudFormation is asked for a change set if anything differs."""
        source = plan.stack
        assert source is not None
        check_delivery(self.store, plan, {STACK_TYPE})
        parameters = {parameter.name: parameter.value for parameter in plan.parameters}
        wanted = WantedStack(STACK, source.name, source.body, parse(source.body), parameters, plan.absent)
        look = self.looker.look(plan, scope, wanted, asking=writable)
        files = () if writable else _files(plan, wanted)
        changes = change_set(plan, (look,), files)
        return PreparedStacks(plan, scope, (look,), changes, self.run, self.store, self.clock, self.events)

    def settle(self, plan: Plan, scope: Scope) -> None:
        """See ports.Deployer: the stack's events tell."""
        for entry in self.store.unfinished(plan.name):
            if entry.type == STACK_TYPE:
                self.run.settle(scope, entry)


def change_set(plan: Plan, looks: Sequence[Look], files: Sequence[SourceFile] = ()) -> ChangeSet:
    """What was found of a plan's stacks as the one change set that is decided on."""
    changes = tuple(change for look in looks for change in look.changes)
    found = ChangeSet(
        plan,
        changes,
        steps_of(changes),
        resources=tuple(state for look in looks for state in look.states),
        conflicts=tuple(look.conflict for look in looks if look.conflict is not None),
        identifiers={look.wanted.logical_id: look.stack.id for look in looks if look.stack is not None},
        notes=tuple(note for look in looks for note in look.notes),
        files=tuple(files),
    )
    return replace(found, digest=change_digest(found, [look.basis for look in looks]))


def check_delivery(store: Store, plan: Plan, kinds: Collection[TypeName]) -> None:
    """Raise DeploymentError if the plan still manages something in another way, which would be forgotten now."""
    left = sorted(name for name, record in store.records(plan.name).items() if record.type not in kinds)
    if left:
        text = (
            f"plan {plan.name} manages {', '.join(left[:5])}{' and more' if len(left) > 5 else ''} in the way that it "
            f"was delivered before; as {plan.delivery.value} that would be forgotten"
        )
        options = (
            "Put the former delivery back with state: absent, which deletes them; then deliver it anew",
            "Leave them to the former plan: use another plan name",
        )
        raise DeploymentError("Delivery has changed", text, options)


def _files(plan: Plan, wanted: WantedStack) -> tuple[SourceFile, ...]:
    """The template as it is in the source, and its parameters as ``aws cloudformation deploy`` reads them."""
    assert plan.stack is not None
    given = {p.name: mask(p.value) for p in plan.parameters if not p.no_echo}
    name = plan.stack.path.rsplit("/", 1)[-1]
    document = {"Parameters": given, "Tags": {"reconciler:plan": plan.name, "reconciler:id": wanted.logical_id}}
    return (
        SourceFile(name, plan.stack.body),
        SourceFile("parameters.json", json.dumps(document, indent=2, sort_keys=True) + "\n"),
    )


def _remove_empty(scope: Scope, stack: Identifier) -> None:
    """Delete a stack in which nothing was ever executed and no change set waits any more. Never raises."""
    try:
        found = stacks.read(scope, stack)
        waiting = scope.pages("cloudformation", "list_change_sets", "Summaries", StackName=stack)
        if found is not None and found.empty and not waiting:
            scope.call("cloudformation", "delete_stack", StackName=stack)
    except ReconcilerError:
        return
