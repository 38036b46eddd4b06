"""After a rollback: what stood all the while may still name what was made again by its old name."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass

from reconciler.apply.renames import mentions
from reconciler.apply.undoing import Undoing, settable
from reconciler.model.change import Action, Step, Verb
from reconciler.model.errors import ReconcilerError, StoreError
from reconciler.model.ids import LogicalId, StepId
from reconciler.model.resource import Observation
from reconciler.model.values import Properties


@dataclass(frozen=True, slots=True)
class Repointed:
    """One resource that was led to new names. ``because``: the step whose undo gave those; ``problem``: it wasn't."""

    because: StepId
    name: LogicalId
    problem: str = ""


def repoint(undoing: Undoing, left: Collection[LogicalId]) -> Iterator[Repointed]:
    """Lead every standing resource, and the records, to the new names; those in ``left`` stay. Raises StoreError."""
    if not any(undoing.remade.values()):
        return
    for name, before in _standing(undoing):
        because = _because(undoing, before.properties)
        if because is None or name in left:
            continue
        try:
            if _led(undoing, name, before):
                yield Repointed(because, name)
        except StoreError:
            raise
        except Exception as error:
            text = str(error) if isinstance(error, ReconcilerError) else f"{type(error).__name__}: {error}"
            yield Repointed(because, name, text)
    actor = undoing.former.actor
    for record in actor.records.values():
        if (renamed := undoing.former.renamed(record)) is not None and renamed != record:
            actor.remember(renamed)


def _standing(undoing: Undoing) -> Iterator[tuple[LogicalId, Observation]]:
    """What there was before the run, as it was then, under its present identifier."""
    former = undoing.former
    touched = {step.logical_id: step for step in former.changes.steps if step.verb is not Verb.CREATE}
    for name, identifier in former.changes.identifiers.items():
        step = touched.get(name)
        live = former.changes.live.get(name, {})
        properties = former.snapshot(step).properties if step is not None else live
        yield name, Observation(former.renames.place(identifier), properties)


def _because(undoing: Undoing, before: Properties) -> StepId | None:
    return next((step for step, names in undoing.remade.items() if mentions(before, names)), None)


def _led(undoing: Undoing, name: LogicalId, before: Observation) -> bool:
    former = undoing.former
    kind = former.actor.view.seen[name].type
    step = Step(StepId(f"{name}:repoint"), name, kind, Verb.UPDATE, Action.UPDATE, before.identifier)
    own = settable(former.schema(step), former.actor.provider(step), before.properties)
    wanted = {key: former.renames(value) for key, value in own.items() if former.renames.touches(value)}
    return bool(wanted and former.restored(step, before.identifier, wanted, {})[0])
