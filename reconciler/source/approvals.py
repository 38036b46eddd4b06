"""Approvals: reading, checking, signing and writing them. They are facts for policy; nothing is decided here.

What is signed is the canonical JSON (see ``digest.canonical_json``) of the whole approval document without
``spec.signature``. The name is part of it, so that a used-up approval can't be brought back under another name; times
are signed as they are written. By hand: ``ssh-keygen -Y sign -n reconciler -f KEY payload.json``.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import yaml

from reconciler.model.errors import ConfigurationError
from reconciler.model.ids import Digest, PlanName
from reconciler.model.plan import Approval, Plan
from reconciler.source.atomic import write_atomically
from reconciler.source.digest import canonical_json
from reconciler.source.document import Document
from reconciler.source.errors import validated
from reconciler.source.models import SCOPES, ApprovalDocument
from reconciler.source.signature import BadSignature, SignedBy, check, sign
from reconciler.source.signers import Signers

#: how far the approver's clock may be ahead of ours
SKEW = timedelta(minutes=2)


class ReadApproval:
    """An approval as written. The signature is checked once, on first use; who and when are asked every time."""

    def __init__(self, document: Document) -> None:
        """Raises SourceError if the document is not an approval."""
        shape = validated(ApprovalDocument, document)
        self.document = document
        self.spec = shape.spec
        self.name = shape.metadata.name
        self.plan = PlanName(shape.spec.plan)
        self._checked: SignedBy | str | None = None

    def verified(self, plan: Plan | None, signers: Signers, now: datetime, *, namesakes: bool = False) -> Approval:
        """The approval as a fact about ``plan`` now. ``namesakes``: another approval of the plan has the same name."""
        reason = "another approval of the plan has the same name" if namesakes else self._objection(plan, signers, now)
        return Approval(
            name=self.name,
            plan=self.plan,
            digest=Digest(self.spec.digest),
            approver=self.spec.approver,
            approved_at=self.spec.approved_at,
            expires_at=self.spec.expires_at,
            scope=frozenset(self.spec.scope),
            ticket=self.spec.ticket,
            verified=not reason,
            reason=reason,
            file=self.document.file,
            change=Digest(self.spec.change),
        )

    def _objection(self, plan: Plan | None, signers: Signers, now: datetime) -> str:
        if plan is None:
            return f"there is no plan {self.plan}"
        if self.spec.digest != plan.digest:
            return f"it approves {_short(self.spec.digest)}, but the plan is {_short(plan.digest)}: approve it again"
        if not self.spec.signature.strip():
            return "it is not signed"
        signed_by = self._signed_by()
        if isinstance(signed_by, str):
            return f"the signature is not valid: {signed_by}"
        if objection := signers.objection(self.spec.approver, signed_by, now):
            return objection
        if self.spec.approved_at > now + SKEW:
            return f"approvedAt lies in the future ({self.spec.approved_at.isoformat()})"
        if now >= self.spec.expires_at:
            return f"it expired at {self.spec.expires_at.isoformat()}"
        return ""

    def _signed_by(self) -> SignedBy | str:
        """The key that made the signature, or why it is not valid."""
        if self._checked is None:
            try:
                self._checked = check(signed_payload(self.document.data), self.spec.signature)
            except BadSignature as error:
                self._checked = str(error)
        return self._checked


def signed_payload(document: Mapping[str, Any]) -> bytes:
    """The bytes that an approval's signature covers."""
    spec = {key: value for key, value in document["spec"].items() if key != "signature"}
    return canonical_json({**document, "spec": spec})


def sign_approval(document: Mapping[str, Any], private_key: Path, passphrase: str | None = None) -> dict[str, Any]:
    """A copy of an approval document with its signature by the private key in a file. Raises ConfigurationError."""
    signature = sign(signed_payload(document), private_key, passphrase)
    return {**document, "spec": {**document["spec"], "signature": signature}}


def approval_document(
    plan: Plan,
    *,
    approver: str,
    approved_at: datetime,
    expires_at: datetime,
    scope: Sequence[str] = ("create", "update", "adopt"),
    ticket: str = "",
    name: str = "",
    change: Digest | None = None,
) -> dict[str, Any]:
    """The unsigned approval of exactly this content of ``plan``, and with ``change`` of that one change set only.

    Without a ``name``, one that no earlier approval has: a used-up name stays used up. Raises ConfigurationError.
    """
    unknown = sorted(set(scope) - set(SCOPES))
    if unknown or not scope:
        raise ConfigurationError(f"scope is a list of {', '.join(SCOPES)}; found {', '.join(unknown) or 'none'}")
    if expires_at <= approved_at:
        raise ConfigurationError("an approval must expire after it is given")
    spec: dict[str, Any] = {
        "plan": plan.name,
        "digest": plan.digest,
        "approver": approver,
        "approvedAt": _written(approved_at),
        "expiresAt": _written(expires_at),
        "scope": [item for item in SCOPES if item in scope],
    }
    if ticket:
        spec["ticket"] = ticket
    if change:
        spec["change"] = change
    unique = f"{plan.name}-{_slug(approver)}-{approved_at:%Y%m%dt%H%M%S}{_mark(change)}"
    return {"apiVersion": "reconciler/v1", "kind": "Approval", "metadata": {"name": name or unique}, "spec": spec}


def write_approval(
    plan: Plan,
    root: Path,
    *,
    key: Path,
    approver: str,
    approved_at: datetime,
    expires_at: datetime,
    scope: Sequence[str] = ("create", "update", "adopt"),
    ticket: str = "",
    passphrase: str | None = None,
    name: str = "",
    change: Digest | None = None,
) -> Path:
    """Approve ``plan``: write a signed approval next to its file below ``root``, whole or not at all.

    A second approval by the same person replaces the first; one of an exact ``change`` stands beside those of any, so
    that it can be used up without taking the other along. Returns the file. Raises ConfigurationError.
    """
    document = approval_document(
        plan,
        approver=approver,
        approved_at=approved_at,
        expires_at=expires_at,
        scope=scope,
        ticket=ticket,
        name=name,
        change=change,
    )
    usual = f"{plan.name}-{_slug(approver)}{'-change' if change else ''}"
    file = (root / plan.origin.file).parent / f"{name or usual}.approval.yaml"
    text = yaml.dump(sign_approval(document, key, passphrase), Dumper=_Dumper, sort_keys=False, allow_unicode=True)
    try:
        write_atomically(file, text.encode(), mode=0o644)
    except OSError as error:
        raise ConfigurationError(f"{file} can't be written: {error.strerror}") from None
    return file


class _Dumper(yaml.SafeDumper):
    """Writes text of several lines, which is what a signature is, as a block."""

    def represent_str(self, data: str) -> yaml.ScalarNode:
        return self.represent_scalar("tag:yaml.org,2002:str", data, style="|" if "\n" in data else None)


_Dumper.add_representer(str, _Dumper.represent_str)


def _written(moment: datetime) -> str:
    return moment.isoformat(timespec="seconds").replace("+00:00", "Z")


def _slug(person: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", person.split("@")[0].lower()).strip("-") or "approver"


def _mark(change: Digest | None) -> str:
    """Two changes approved within a second are two approvals."""
    return f"-{change.removeprefix('sha256:')[:12]}" if change else ""


def _short(digest: str) -> str:
    return digest[: len("sha256:") + 12] + "…"
