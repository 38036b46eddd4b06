"""What Terraform says while it works: its JSON lines as progress, its diagnostics as errors. Pure but for the steps."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from reconciler.iac.process import Finished
from reconciler.iac.steps import Progress, kind_of
from reconciler.model.errors import AwsFault, DeploymentError, FaultKind
from reconciler.model.ids import Identifier, LogicalId
from reconciler.model.secrecy import scrub

_LOCKED = "Error acquiring the state lock"
_LOCK_FIELD = re.compile(r"^\s*(ID|Path|Operation|Who|Version|Created):\s*(.*?)\s*$", re.MULTILINE)
_STALE = "Saved plan is stale"
#: Errors that are told of. Each may be long.
_TOLD = 5
_CREDENTIALS = ("no valid credential", "ExpiredToken", "InvalidClientTokenId")


def lines_of(output: str) -> Iterator[Mapping[str, Any]]:
    """The JSON lines of ``-json`` output; whatever else stands between them is passed over."""
    for line in output.splitlines():
        found = _json(line)
        if found is not None:
            yield found


def _json(line: str) -> Mapping[str, Any] | None:
    if not line.startswith("{"):
        return None
    try:
        found = json.loads(line)
    except ValueError:
        return None
    return found if isinstance(found, dict) else None


def errors_in(output: str) -> list[str]:
    """The errors among the diagnostics, with where they are."""
    found = []
    for line in lines_of(output):
        told = line.get("diagnostic")
        if line.get("type") != "diagnostic" or not isinstance(told, dict) or told.get("severity") != "error":
            continue
        place = told.get("range") or {}
        where = f"{place['filename']}:{place.get('start', {}).get('line', '')}: " if place.get("filename") else ""
        detail = " ".join(str(told.get("detail") or "").split("\n")) if _LOCKED not in told.get("summary", "") else ""
        text = told.get("detail") or "" if _LOCKED in told.get("summary", "") else detail
        found.append(f"{where}{told.get('summary', '')}{f': {text}' if text else ''}")
    return found


def failure(what: str, finished: Finished, directory: str, binary: str) -> DeploymentError | AwsFault:
    """What went wrong with a run of Terraform, in our own words and with the ways out."""
    if finished.why:
        return DeploymentError("Terraform stopped", f"{finished.why}; {finished.said}".rstrip("; "))
    if finished.code < 0:
        return DeploymentError("Terraform killed", f"{what} was killed by signal {-finished.code}")
    errors = errors_in(finished.output) or [finished.said or f"exit code {finished.code}"]
    text = scrub("; ".join(errors[:_TOLD]))
    if _LOCKED in text:
        return locked(text, directory, binary)
    kind = kind_of(text)
    if kind == FaultKind.ACCESS_DENIED.value or any(word in text for word in _CREDENTIALS):
        fault = FaultKind.ACCESS_DENIED if kind == FaultKind.ACCESS_DENIED.value else FaultKind.CREDENTIALS
        return AwsFault(fault, f"{what} failed: {text}")
    return DeploymentError("Terraform failed", f"{what} failed: {text}", ("Correct what the message names",))


def locked(text: str, directory: str, binary: str) -> DeploymentError:
    """The state is locked: by whom, since when, and how to remove a lock that nobody holds any more."""
    facts = dict(_LOCK_FIELD.findall(text))
    who, number = facts.get("Who", "somebody"), facts.get("ID", "ID")
    message = f"the state is locked by {who}" + "".join(
        f", {name.lower()} {facts[name]}" for name in ("Operation", "Created", "ID", "Path") if facts.get(name)
    )
    options = (
        "Wait until it is released: the next pass tries again",
        f"If whoever held it is gone for certain, remove the lock:\ncd {directory}\n{binary} force-unlock {number}",
    )
    return DeploymentError("State is locked", message, options, passing=True)


def is_stale(finished: Finished) -> bool:
    """Whether the state has changed since the plan was made."""
    return any(_STALE in text for text in errors_in(finished.output)) or _STALE in finished.errors


@dataclass(frozen=True, slots=True)
class Listener:
    """Turns the lines of ``apply -json`` into progress."""

    progress: Progress

    def hear(self, line: str) -> None:
        """One line of output."""
        told = _json(line)
        if told is None:
            return
        hook = told.get("hook") or {}
        address = LogicalId((hook.get("resource") or {}).get("addr") or "")
        message = str(told.get("@message") or "")
        match told.get("type"):
            case "apply_start":
                self.progress.running(address)
            case "apply_progress" | "provision_start" | "provision_progress" | "provision_complete":
                self.progress.say(address, message)
            case "apply_complete":
                identifier = hook.get("id_value")
                self._completed(address, str(hook.get("action") or ""), Identifier(identifier) if identifier else None)
            case "apply_errored":
                self.progress.say(address, message)
            case "diagnostic":
                self._diagnosed(told.get("diagnostic") or {})
            case _:
                pass

    def _completed(self, address: LogicalId, action: str, identifier: Identifier | None) -> None:
        """Of a replacement the deletion is only half."""
        result = self.progress.result_of(address)
        if action == "delete" and result is not None and result.verb.value != "delete":
            self.progress.say(address, "the old one is deleted")
        else:
            self.progress.done(address, identifier, action or "complete")

    def _diagnosed(self, diagnostic: Mapping[str, Any]) -> None:
        address = LogicalId(diagnostic.get("address") or "")
        if diagnostic.get("severity") == "error" and self.progress.result_of(address) is not None:
            self.progress.failed(address, f"{diagnostic.get('summary', '')}: {diagnostic.get('detail', '')}")
