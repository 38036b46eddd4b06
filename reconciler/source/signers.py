"""Who may sign: the ``allowed_signers`` file, in the format that ssh-keygen and git use."""

from __future__ import annotations

import base64
import binascii
import fnmatch
import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from sshsig.allowed_signers import AllowedSigner

from reconciler.source.signature import NAMESPACE, SignedBy


@dataclass(frozen=True, slots=True)
class Signer:
    """One line: a key, for whom it stands, and under which conditions."""

    principals: str
    key: SignedBy
    line: int
    namespaces: str | None = None
    valid_after: datetime | None = None
    valid_before: datetime | None = None


@dataclass(frozen=True, slots=True)
class Signers:
    """The whole file. ``problem`` is set when it could not be read at all; ``refused`` are lines that don't count."""

    signers: tuple[Signer, ...] = ()
    refused: tuple[str, ...] = ()
    problem: str = ""

    def objection(self, approver: str, key: SignedBy, now: datetime) -> str:
        """Why an approval signed by ``key`` is not ``approver``'s at this time; empty when it is."""
        if self.problem:
            return self.problem
        listed = [signer for signer in self.signers if _matches(approver, signer.principals)]
        if not listed:
            return f"{approver} is not in allowed_signers{self._aside()}"
        own = [signer for signer in listed if signer.key == key]
        if not own:
            others = [signer.principals for signer in self.signers if signer.key == key]
            whose = f"is {others[0]}'s" if others else "is in nobody's name"
            return f"the key {key.fingerprint} is not {approver}'s in allowed_signers: it {whose}{self._aside()}"
        return _least(_condition(signer, NAMESPACE, now) for signer in own)

    def stranger(self, key: SignedBy, namespace: str, now: datetime) -> str:
        """Why a signature by ``key`` is nobody's who may sign in ``namespace`` now; empty when it is somebody's."""
        own = [signer for signer in self.signers if signer.key == key]
        if self.problem or not own:
            return self.problem or f"the key {key.fingerprint} is not in allowed_signers{self._aside()}"
        return _least(_condition(signer, namespace, now) for signer in own)

    def _aside(self) -> str:
        return f" (not counted: {'; '.join(self.refused[:3])})" if self.refused else ""


def load_signers(path: Path | None) -> Signers:
    """Read an allowed_signers file. Never raises: what is wrong with it is in the result, and then nobody may sign."""
    if path is None:
        return Signers(problem="no allowed_signers file is configured")
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        why = getattr(error, "strerror", None) or "it is not UTF-8"
        return Signers(problem=f"the allowed_signers file can't be read: {why}")
    return parse_signers(text)


def parse_signers(text: str) -> Signers:
    """The signers in the text of an allowed_signers file; lines that can't count are named, not fatal."""
    signers: list[Signer] = []
    refused: list[str] = []
    for number, raw in enumerate(text.splitlines(), 1):
        line = raw.strip()
        if not line or line.startswith("#"):
            continue
        try:
            signers.append(_signer(line, number))
        except (ValueError, NotImplementedError, LookupError) as error:
            known = isinstance(error, _Refused)
            refused.append(f"line {number}: {error if known else 'not in the allowed_signers format'}")
    return Signers(tuple(signers), tuple(refused))


class _Refused(ValueError):
    """A line that is well-formed and yet doesn't count."""


def _signer(line: str, number: int) -> Signer:
    entry = AllowedSigner.parse(line)
    options = entry.options or {}
    if "cert-authority" in options:
        raise _Refused("certificate authorities are not supported")
    try:
        blob = base64.b64decode(entry.base64_key, validate=True)
    except binascii.Error:
        raise _Refused("the key is not base64") from None
    if blob[4 : 4 + len(entry.key_type)] != entry.key_type.encode():
        raise _Refused("the key is not of the kind that the line says")
    return Signer(
        entry.principals,
        SignedBy(blob),
        number,
        options.get("namespaces"),
        _moment(options.get("valid-after")),
        _moment(options.get("valid-before")),
    )


def _moment(text: str | None) -> datetime | None:
    """``YYYYMMDD[HHMM[SS]][Z]``; without Z it is in the system's time zone, as for OpenSSH."""
    if text is None:
        return None
    digits = text.removesuffix("Z")
    form = {8: "%Y%m%d", 12: "%Y%m%d%H%M", 14: "%Y%m%d%H%M%S"}.get(len(digits))
    if form is None or not digits.isdigit():
        raise _Refused(f"{text!r} is not a time")
    try:
        moment = datetime.strptime(digits, form)  # noqa: DTZ007 - the zone is added on the next line, from the Z
    except ValueError:
        raise _Refused(f"{text!r} is not a time") from None
    return moment.replace(tzinfo=UTC) if text.endswith("Z") else moment.astimezone(UTC)


def _least(objections: Iterable[str]) -> str:
    """No objection if one line has none, else the first."""
    found = list(objections)
    return "" if "" in found else found[0]


def _condition(signer: Signer, namespace: str, now: datetime) -> str:
    if signer.namespaces is not None and not _matches(namespace, signer.namespaces):
        return f"the key may not sign for the namespace {namespace!r} (allowed_signers line {signer.line})"
    if signer.valid_after is not None and now < signer.valid_after:
        return f"the key is not valid yet (allowed_signers line {signer.line})"
    if signer.valid_before is not None and now >= signer.valid_before:
        return f"the key is no longer valid (allowed_signers line {signer.line})"
    return ""


def _matches(name: str, patterns: str) -> bool:
    """OpenSSH's pattern lists: ``*``, ``?``, and ``!`` to exclude, which wins."""
    found = False
    for pattern in patterns.split(","):
        negated = pattern.startswith("!")
        wanted = re.sub(r"\[", "[[]", pattern[negated:])
        if wanted and fnmatch.fnmatchcase(name, wanted):
            if negated:
                return False
            found = True
    return found
