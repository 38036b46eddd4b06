"""The page for people at ``/``: every plan by environment, rendered here, without scripts or anything from outside."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence
from datetime import UTC, datetime
from html import escape
from itertools import groupby
from urllib.parse import quote

from reconciler.model.report import PlanState, PlanStatus

_ORDER = ("sandbox", "development", "staging", "production")

#: A sign and a tone for each state: the meaning never hangs on colour alone.
_SIGNS = {
    PlanState.IN_SYNC: ("✓", "good"),
    PlanState.DRIFTED: ("≠", "warn"),
    PlanState.APPLYING: ("…", "busy"),
    PlanState.PENDING_APPROVAL: ("?", "warn"),
    PlanState.PIPELINE_OPEN: ("⎇", "busy"),
    PlanState.DENIED: ("⊘", "bad"),
    PlanState.FAILED: ("✗", "bad"),
    PlanState.SUSPENDED: ("‖", "busy"),
    PlanState.INVALID: ("!", "bad"),
}

_STYLE = """
:root { color-scheme: light dark; --line: #8884; --good: #146c2e; --warn: #8a5300; --bad: #b3261e; --busy: #1a5fb4 }
@media (prefers-color-scheme: dark) { :root { --good: #7ddc97; --warn: #ffc46b; --bad: #ff9a91; --busy: #9cc9ff } }
body { font: 1rem/1.5 system-ui, sans-serif; max-width: 75rem; margin: 0 auto; padding: 1rem }
h1 { font-size: 1.5rem } h2 { font-size: 1.15rem; margin-top: 2rem; text-transform: capitalize }
.wide { overflow-x: auto } table { border-collapse: collapse; width: 100% }
th, td { text-align: left; vertical-align: top; padding: .4rem .8rem .4rem 0; border-bottom: 1px solid var(--line) }
td.message { overflow-wrap: anywhere; min-width: 16rem } .state { white-space: nowrap; font-weight: 600 }
.good { color: var(--good) } .warn { color: var(--warn) } .bad { color: var(--bad) } .busy { color: var(--busy) }
a { color: inherit } a:focus-visible { outline: 2px solid var(--busy); outline-offset: 2px }
"""

#: Lets exactly this style sheet in and nothing else.
CONTENT_SECURITY_POLICY = (
    f"default-src 'none'; style-src 'sha256-{base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()}'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


def render(statuses: Sequence[PlanStatus]) -> str:
    """The page as HTML."""
    ordered = sorted(statuses, key=lambda status: (*_rank(status.environment), status.plan))
    sections = [_section(name, list(group)) for name, group in groupby(ordered, key=lambda status: status.environment)]
    body = "".join(sections) or "<p>No plans yet: drop one into the source directory and it appears here.</p>"
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>Reconciler</title>'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<style>{_STYLE}</style></head><body><header><h1>Reconciler</h1><p>{_summary(statuses)} "
        '<a href="/api/v1/plans">JSON</a> · <a href="/metrics">Metrics</a> · <a href="/readyz">Readiness</a> · '
        f'<a href="/openapi.json">API</a></p></header><main>{body}</main></body></html>\n'
    )


def _rank(environment: str) -> tuple[int, str]:
    return (_ORDER.index(environment) if environment in _ORDER else len(_ORDER), environment)


def _summary(statuses: Sequence[PlanStatus]) -> str:
    in_sync = sum(status.state is PlanState.IN_SYNC for status in statuses)
    return f"{in_sync} of {len(statuses)} plans in sync."


def _section(environment: str, statuses: Sequence[PlanStatus]) -> str:
    name = escape(environment or "unknown environment")
    heads = "".join(f'<th scope="col">{head}</th>' for head in ("Plan", "State", "Message", "Last verified"))
    rows = "".join(_row(status) for status in statuses)
    return (
        f"<section><h2>{name}</h2><div class='wide'><table aria-label='Plans in {name}'>"
        f"<thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table></div></section>"
    )


def _row(status: PlanStatus) -> str:
    sign, tone = _SIGNS[status.state]
    marks = "".join(f" ({mark})" for mark, on in (("suspended", status.suspended), ("orphaned", status.orphaned)) if on)
    link = f"/api/v1/plans/{quote(status.plan, safe='')}"
    return (
        f'<tr><th scope="row"><a href="{escape(link)}">{escape(status.plan)}</a></th>'
        f'<td class="state {tone}"><span aria-hidden="true">{sign}</span> '
        f"{escape(status.state.value.replace('_', ' '))}{marks}</td>"
        f'<td class="message">{escape(status.message)}</td><td>{_time(status.verified_at)}</td></tr>'
    )


def _time(at: datetime | None) -> str:
    if at is None:
        return "never"
    utc = at.astimezone(UTC)
    return f'<time datetime="{utc.isoformat()}">{utc:%Y-%m-%d %H:%M:%S} UTC</time>'
