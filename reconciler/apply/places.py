"""What stands where creates would go, looked for just before them: several of a type together if that saves calls."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field

from reconciler.apply.act import Actor
from reconciler.live import desired_of, look_for
from reconciler.model.change import ChangeSet, Step, Verb
from reconciler.model.errors import AwsFault
from reconciler.model.ids import Owner, StepId, TypeName
from reconciler.model.resource import Located, Sought
from reconciler.model.values import Properties, has_unknown, reveal
from reconciler.ports import Guarding, Seeking

#: Seconds for which a look holds. What appears later than it began is met as if it had appeared during the call.
_FRESH = 10.0
#: How many steps ahead are looked for: about as many as are begun while a look holds.
_AHEAD = 50


@dataclass(frozen=True, slots=True)
class _Look:
    sought: Sought
    found: tuple[Located, ...] | AwsFault
    begun: float


@dataclass(frozen=True, slots=True)
class Places:
    """The looks of one run. Thread-safe: steps of one type wait for each other's look."""

    actor: Actor
    changes: ChangeSet
    looks: dict[StepId, _Look] = field(default_factory=dict)
    used: set[StepId] = field(default_factory=set)
    locks: dict[TypeName, threading.Lock] = field(default_factory=dict)

    def located(self, step: Step, desired: Properties) -> tuple[Located, ...]:
        """As ``locate`` of the step's provider says, by a look of at most a few seconds ago that nobody has used.

        Nothing where the create itself refuses what has the name. Raises AwsFault.
        """
        provider, sought = self.actor.provider(step), self._sought(step, desired)
        if isinstance(provider, Guarding):
            return ()
        with self.locks.setdefault(step.type, threading.Lock()):
            self.used.add(step.id)
            look = self.looks.pop(step.id, None)
            if look is None or look.sought != sought or self.actor.clock.monotonic() - look.begun > _FRESH:
                ahead = self._ahead(step) if isinstance(provider, Seeking) else {}
                look = self._look({step.id: sought, **ahead}, step)
        if isinstance(look.found, AwsFault):
            raise look.found
        return look.found

    def _look(self, sought: dict[StepId, Sought], step: Step) -> _Look:
        actor = self.actor
        begun = actor.clock.monotonic()
        found = look_for(actor.provider(step), actor.scope, list(sought.values()))
        looks = {name: _Look(one, what, begun) for (name, one), what in zip(sought.items(), found, strict=True)}
        own = looks.pop(step.id)
        self.looks.update(looks)
        return own

    def _ahead(self, step: Step) -> dict[StepId, Sought]:
        """What the next creates of the type will look for, as far as that is known by now."""
        found: dict[StepId, Sought] = {}
        for other in self.changes.steps:
            if other.verb is not Verb.CREATE or other.type != step.type or other.id in self.used or other.id == step.id:
                continue
            desired = desired_of(self.actor.plan.resources[other.logical_id], self.actor.view)
            if not has_unknown(desired):
                found[other.id] = self._sought(other, desired)
            if len(found) == _AHEAD:
                break
        return found

    def _sought(self, step: Step, desired: Properties) -> Sought:
        return Sought(reveal(desired), Owner(self.actor.plan.name, step.logical_id))
