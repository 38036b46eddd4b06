"""Diff: live state read in batches, compared by meaning, turned into ordered steps.

``observe`` reads; ``build`` judges every resource and puts the change set together (pure), ``order`` makes its
steps (pure). How two resources are compared is in ``reconciler.live``, because apply validates with the same code.
"""

from __future__ import annotations

from datetime import datetime

from reconciler.diff.build import build
from reconciler.diff.digest import change_digest
from reconciler.diff.observe import observe
from reconciler.live import Outside, View, with_ownership
from reconciler.model.change import ChangeSet
from reconciler.model.plan import Plan
from reconciler.ports import Claims, Providers, Reads, Scope, Store

__all__ = ["build", "change_digest", "diff", "observe"]


def diff(
    plan: Plan,
    scope: Scope,
    providers: Providers,
    store: Store,
    outside: Outside,
    claims: Claims,
    at: datetime,
    *,
    strangers: bool = False,
    reads: Reads | None = None,
) -> tuple[ChangeSet, View]:
    """Observe and build in one go. ``at`` is when the pass began: every resource state is dated so.

    ``claims`` tells a resource that moved between plans from one that is gone or new. ``strangers``: an import that no
    plan exports may be somebody else's, and is left to whoever deploys the change. ``reads``: shared with other passes;
    what comes of them is dated when the oldest of them began.
    """
    owned = with_ownership(plan)
    view = observe(owned, scope, providers, store, outside, claims, reads)
    view.strangers = strangers
    since = reads.since if reads is not None else None
    return build(owned, view, at if since is None else min(at, since)), view
