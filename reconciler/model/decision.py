"""What policy says of a plan or a change set. Policy only narrows: nothing here can add a permission."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from reconciler.model.ids import Digest
from reconciler.model.plan import Approval


class Mode(StrEnum):
    """Where a pass goes from here, from most to least permissive."""

    APPLY = "apply"
    PIPELINE = "pipeline"
    WAIT = "wait"
    DENY = "deny"


@dataclass(frozen=True, slots=True)
class Ruling:
    """The decision on one action: ``allow`` says whether the operation itself is permitted."""

    allow: bool
    reasons: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Reason:
    """Why: the rule that spoke and what it said."""

    rule: str
    message: str


@dataclass(frozen=True, slots=True)
class ChecklistItem:
    """One line of the pre-execution checklist."""

    ok: bool
    message: str = ""


@dataclass(frozen=True, slots=True)
class Decision:
    """A complete answer. ``revision`` identifies the policy set that gave it.

    ``single_use``: scopes for which an approval is used up by the pass that it allowed.
    """

    mode: Mode
    actions: Mapping[str, Ruling] = field(default_factory=dict)
    reasons: tuple[Reason, ...] = ()
    checklist: Mapping[str, ChecklistItem] = field(default_factory=dict)
    revision: str = ""
    single_use: frozenset[str] = frozenset({"replace", "delete", "rollback"})


@dataclass(frozen=True, slots=True)
class Identity:
    """Who the credentials turned out to be, by sts:GetCallerIdentity."""

    account: str
    arn: str


@dataclass(frozen=True, slots=True)
class Facts:
    """What policy is told beside the plan. ``identity`` is None before any AWS call (admission).

    ``operation``: cli_mutation, iac_deploy or git. ``missing_permissions``: IAM actions found denied while reading.
    ``change``: the digest that an approval of exactly this change set names; empty at admission.
    """

    now: datetime
    approvals: tuple[Approval, ...] = ()
    identity: Identity | None = None
    operation: str = "cli_mutation"
    missing_permissions: tuple[str, ...] = ()
    change: Digest = Digest("")


def deny(rule: str, message: str) -> Decision:
    """A refusal made outside Rego: an engine failure, a wrong account, a configuration limit."""
    return Decision(mode=Mode.DENY, reasons=(Reason(rule, message),))
