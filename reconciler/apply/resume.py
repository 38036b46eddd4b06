"""Resume after a crash: settle what the journal left open, before anything else is done with the plan.

The passes are level-triggered, so nothing is repeated here: what took effect is remembered, what didn't will be
computed again by the next pass. An entry that can't be settled stays open and the plan waits.
"""

from __future__ import annotations

from dataclasses import replace

import structlog

from reconciler.live import record_of
from reconciler.model.change import Verb
from reconciler.model.errors import AwsFault, FaultKind
from reconciler.model.ids import Identifier, Owner
from reconciler.model.journal import JournalEntry, JournalState
from reconciler.model.plan import Plan
from reconciler.model.progress import Pending
from reconciler.model.resource import Unreadable, Wanted
from reconciler.ports import Clock, Providers, ResourceProvider, Scope, Store

log = structlog.get_logger(__name__)


def resume(plan: Plan, scope: Scope, providers: Providers, store: Store, clock: Clock) -> int:
    """Settle every open journal entry of ``plan``; how many there were. Raises AwsFault if AWS can't be asked."""
    entries = [entry for entry in store.unfinished(plan.name) if (entry.account, entry.region) == _place(scope)]
    for entry in entries:
        provider = providers.get(entry.type)
        if provider is None:
            raise AwsFault(FaultKind.INTERNAL, f"{entry.type}, in the journal, is not supported by this version")
        identifier = _settle(entry, provider, scope, clock)
        if identifier is not None and entry.verb is Verb.CREATE and entry.logical_id in plan.resources:
            store.save_record(record_of(plan, entry.logical_id, identifier, entry.after, scope, entry.at))
        state = JournalState.DONE if identifier is not None or entry.verb is Verb.DELETE else JournalState.FAILED
        error = "" if state is JournalState.DONE else "interrupted before it took effect"
        store.write_journal(
            replace(entry, state=state, identifier=identifier or entry.identifier, error=error, at=clock.now())
        )
        log.warning(
            "step resumed after a crash", plan=plan.name, step=entry.step, identifier=identifier, outcome=state.value
        )
    return len(entries)


def _place(scope: Scope) -> tuple[str, str]:
    return scope.account, scope.region


def _settle(entry: JournalEntry, provider: ResourceProvider, scope: Scope, clock: Clock) -> Identifier | None:
    """The resource as it is now: by handle, else by identifier, else by owner and name. None: it isn't there."""
    if entry.handle is not None:
        progress = provider.poll(scope, entry.handle)
        while isinstance(progress, Pending):
            clock.sleep(progress.after)
            progress = provider.poll(scope, progress.handle)
        return progress.identifier
    if entry.identifier is not None:
        answer = provider.read_many(scope, [Wanted(entry.identifier)]).get(entry.identifier)
        if isinstance(answer, Unreadable):
            raise AwsFault(answer.kind, answer.message)
        return answer.identifier if answer else None
    found = provider.locate(scope, entry.after, Owner(entry.plan, entry.logical_id))
    own = found is not None and (found.owner is None or found.owner == Owner(entry.plan, entry.logical_id))
    return found.identifier if found is not None and own and _tagged_or_plain(entry, found.owner) else None


def _tagged_or_plain(entry: JournalEntry, owner: Owner | None) -> bool:
    """A taggable resource without our tags is somebody else's; the next pass reports it as a conflict."""
    return owner is not None or "Tags" not in entry.after
