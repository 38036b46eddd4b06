"""How one step is undone: a create by deleting, an update by putting back, a delete by making the resource again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from reconciler.apply.act import Call
from reconciler.apply.attempt import Keep
from reconciler.apply.former import Former, beside
from reconciler.apply.looking import look_until, when_free
from reconciler.apply.renames import PLACE, mentions, own_names
from reconciler.apply.settling import UNDO, Settled, Settler, old_halves
from reconciler.live import loss_of, name_for_old
from reconciler.model.change import Step, Verb
from reconciler.model.errors import AwsFault, FaultKind
from reconciler.model.ids import ClientToken, Identifier, LogicalId, StepId
from reconciler.model.journal import JournalEntry, JournalState
from reconciler.model.progress import Progress
from reconciler.model.report import StepResult, StepState
from reconciler.model.resource import Observation, Record
from reconciler.model.values import Properties, reveal
from reconciler.ports import ResourceProvider, Revivable
from reconciler.schema import TypeSchema

_OPEN = frozenset({JournalState.INTENT, JournalState.PENDING})


@dataclass(slots=True)
class Undoing:
    """Undoes single steps. ``remade``: new names by old ones of what was made again, by the step that deleted it."""

    former: Former
    remade: dict[StepId, dict[str, str]] = field(default_factory=dict)
    #: properties of updated resources that could not be put back yet
    later: list[tuple[Step, frozenset[str]]] = field(default_factory=list)

    def reverse(self, step: Step, result: StepResult, entry: JournalEntry | None) -> str:
        """Undo a step, and see to it; what was done, in words. ``entry``: what the journal says of its call.

        Raises AwsFault, GuardBlocked or StoreError.
        """
        if entry is None and step.verb in (Verb.CREATE, Verb.DELETE):
            return "nothing had been called"
        match step.verb:
            case Verb.CREATE:
                assert entry is not None
                return self._uncreate(step, result, entry)
            case Verb.DELETE:
                assert entry is not None
                return self._undelete(step, result, entry)
            case Verb.UPDATE | Verb.ADOPT:
                return self._revert(step, entry)

    # create

    def _uncreate(self, step: Step, result: StepResult, entry: JournalEntry) -> str:
        actor = self.former.actor
        settled = self._settled(step, entry)
        identifier = result.identifier or (settled.identifier if settled else entry.identifier)
        if identifier is None:
            return "nothing was created"
        actor.perform(
            step,
            lambda provider, _token: provider.delete(actor.scope, identifier),
            before={},
            after={},
            suffix=UNDO,
            identifier=identifier,
            keep=lambda _identifier: self._unmake_record(step),
        )
        if look_until(actor.clock, lambda: actor.read(step, identifier, frozenset()) is None or None) is None:
            raise AwsFault(FaultKind.CONFLICT, f"{identifier} is still there after its deletion")
        return f"deleted {identifier} again"

    def _unmake_record(self, step: Step) -> None:
        """The old half of a replacement is the resource again; if it isn't there yet, its own undo remembers it."""
        actor, record = self.former.actor, self.former.record(step)
        if record is None or self.former.renames.dangles(str(record.identifier)) or step.deleted_first:
            actor.forget(step.logical_id)
            return
        actor.remember(record)
        actor.rejoin(step.logical_id)

    def _settled(self, step: Step, entry: JournalEntry) -> Settled | None:
        """What became of a call that isn't known to have ended; None if that is known."""
        if entry.state not in _OPEN:
            return None
        actor = self.former.actor
        settler = Settler(actor.provider(step), actor.scope, actor.clock)
        settled = settler.settle(entry, reveal(entry.after), old_halves(entry, actor.records))
        if settled.state is JournalState.UNDECIDABLE:
            raise AwsFault(FaultKind.CONFLICT, settled.error)
        return settled

    # update and adopt

    def _revert(self, step: Step, entry: JournalEntry | None) -> str:
        """Put back what the step changed; what names something that isn't there again yet comes later."""
        if entry is None:
            self._restore_record(step)
            return "nothing had been changed"
        snapshot, renames = self.former.snapshot(step), self.former.renames
        touched = entry.before.keys() | entry.after.keys()
        held = {name for name in touched if renames.dangles(snapshot.properties.get(name))}
        touched -= held
        if held:
            self.later.append((step, frozenset(held)))
        wanted = {name: renames(value) for name, value in snapshot.properties.items() if name in touched}
        changed, _ = self.former.restored(
            step,
            entry.identifier or snapshot.identifier,
            wanted,
            {name: value for name, value in entry.after.items() if name in touched},
            record=self.former.record(step),
            keep=lambda _identifier: self._restore_record(step),
        )
        if not changed:
            self._restore_record(step)
        return f"put {', '.join(sorted(changed)) or 'nothing'} back"

    def completed(self, step: Step, names: frozenset[str]) -> None:
        """Put back what had to wait. Raises as ``reverse``."""
        snapshot, renames = self.former.snapshot(step), self.former.renames
        wanted = {name: snapshot.properties[name] for name in names}
        if renames.dangles(wanted):
            raise AwsFault(FaultKind.NOT_FOUND, f"{', '.join(sorted(names))} named what could not be made again")
        there = beside(step, "later", snapshot.identifier)
        self.former.restored(there, snapshot.identifier, renames(wanted), {})

    def _restore_record(self, step: Step) -> None:
        actor = self.former.actor
        record, moved = self.former.record(step), actor.view.seen[step.logical_id].moved
        if moved is not None and step.verb is Verb.ADOPT:
            actor.give_back(moved, step.logical_id)
        elif record is None:
            actor.forget(step.logical_id)
        else:
            actor.remember(record)

    # delete

    def _undelete(self, step: Step, result: StepResult, entry: JournalEntry) -> str:
        """Take the deletion back where AWS can, else make the resource again from what was read of it."""
        former, snapshot = self.former, self.former.snapshot(step)
        wanted = settable(former.schema(step), former.actor.provider(step), snapshot.properties)
        if result.state is StepState.FAILED:
            self._settled(step, entry)
            if former.actor.read(step, snapshot.identifier, frozenset()) is not None:
                there = beside(step, "kept", snapshot.identifier)
                changed, _ = former.restored(there, snapshot.identifier, former.renames(wanted), {})
                return f"it was not deleted; put {', '.join(sorted(changed)) or 'nothing'} back"
            former.renames.lost(own_names(former.schema(step), snapshot))
        record = former.record(step)
        name = self._free_name(step)

        def keep(identifier: Identifier) -> None:
            if record is not None:
                former.actor.remember(replace(record, logical_id=name, identifier=identifier))

        remembered = None if record is None else replace(record, logical_id=name, identifier=Identifier(""))
        revived, identifier = self._made_again(step, snapshot, wanted, remembered, keep)
        given = self._finish(step, snapshot, identifier, wanted)
        keep(identifier)
        if revived:
            return f"took the deletion of {identifier} back"
        known = record.applied if record else {}
        lost = loss_of(former.schema(step), step.type, snapshot.properties, known, made_again=True)
        lost = (*lost, *(f"its {name}: AWS chose another" for name in sorted(given)))
        return f"made again as {identifier}{'; lost: ' + ', '.join(lost) if lost else ''}"

    def _made_again(
        self, step: Step, snapshot: Observation, wanted: Properties, record: Record | None, keep: Keep
    ) -> tuple[bool, Identifier]:
        """Whether it is the very same, and its identifier."""
        provider, scope = self.former.actor.provider(step), self.former.actor.scope
        if isinstance(provider, Revivable):
            old, before = snapshot.identifier, snapshot.properties
            return True, self._called(
                step, lambda _p, _t: provider.revive(scope, old, before), wanted, record, keep, old
            )
        schema = self.former.schema(step)
        names = {text for path, text in own_names(schema, snapshot).items() if path != PLACE}
        needed = schema.required if schema else frozenset()
        # What names itself is set when the new name is known.
        first = {key: value for key, value in wanted.items() if key in needed or not mentions(value, names)}
        after = self.former.veiled(step, self.former.renames(first))

        def create(known: ResourceProvider, token: ClientToken) -> Progress:
            return known.create(scope, reveal(after), token)

        return False, self._called(step, create, after, record, keep)

    def _called(
        self,
        step: Step,
        call: Call,
        after: Properties,
        record: Record | None,
        keep: Keep,
        identifier: Identifier | None = None,
    ) -> Identifier:
        """Call, again for a minute as long as AWS says that the name of what was deleted isn't free yet."""
        actor = self.former.actor
        called = when_free(
            actor.clock,
            lambda: actor.perform(
                step, call, before={}, after=after, suffix=UNDO, identifier=identifier, record=record, keep=keep
            ),
        )
        return actor.seen(step, called)

    def _finish(self, step: Step, snapshot: Observation, identifier: Identifier, wanted: Properties) -> frozenset[str]:
        """Learn the new names, set what needed them, and see that all is as it was, but for what AWS has chosen."""
        former, schema = self.former, self.former.schema(step)
        names = frozenset(snapshot.properties)
        live = look_until(former.actor.clock, lambda: former.actor.read(step, identifier, names))
        if live is None:
            raise AwsFault(FaultKind.NOT_FOUND, f"{identifier} can't be found after it was made again")
        renames = former.renames
        self.remade[step.id] = renames.found(own_names(schema, snapshot), own_names(schema, live))
        return former.restored(beside(step, "finish", identifier), identifier, renames(wanted), {}, given=True)[1]

    def _free_name(self, step: Step) -> LogicalId:
        """What to remember it under: as long as its replacement stands, it is an old half."""
        records = self.former.actor.records
        own = records.get(step.logical_id)
        if own is None or own.identifier == step.identifier:
            return step.logical_id
        return name_for_old(records, step.logical_id, step.identifier or Identifier(""))


def settable(schema: TypeSchema | None, provider: ResourceProvider, live: Properties) -> dict[str, Any]:
    """What of a live resource can be given to a new one: neither what AWS alone writes, nor AWS's own tags."""
    read_only = schema.read_only if schema else frozenset()
    found = {
        name: _without(value, [path[1:] for path in read_only if path[0] == name])
        for name, value in live.items()
        if name in provider.supported and (name,) not in read_only
    }
    tags = schema.tag_property if schema else None
    if tags in found and isinstance(found[tags], list):
        found[tags] = [tag for tag in found[tags] if not str(tag.get("Key", "")).startswith("aws:")]
    elif tags in found and isinstance(found[tags], Mapping):
        found[tags] = {key: text for key, text in found[tags].items() if not str(key).startswith("aws:")}
    return found


def _without(value: Any, paths: list[tuple[str, ...]]) -> Any:
    """``value`` without what lies at ``paths``, where ``*`` is any item."""
    below = [path for path in paths if path]
    if not below:
        return value
    if isinstance(value, list):
        return [_without(item, [path[1:] for path in below if path[0] == "*"]) for item in value]
    if not isinstance(value, Mapping):
        return value
    gone = {path[0] for path in below if len(path) == 1}
    return {
        key: _without(item, [path[1:] for path in below if path[0] in (key, "*")])
        for key, item in value.items()
        if key not in gone
    }
