"""Who changed a resource, as CloudTrail tells it."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

import structlog

from reconciler.model.errors import ReconcilerError
from reconciler.model.ids import Identifier
from reconciler.ports import Scope

log = structlog.get_logger(__name__)

#: One page of the newest events is enough: the change that is asked about was minutes ago.
_EVENTS = 50
#: Longest name that is passed on. Characters.
_LONGEST = 200


def last_writer(scope: Scope, identifier: Identifier, since: datetime) -> str:
    """The newest actor other than ourselves who wrote to a resource, and what he called: ``arn:… (SetTags)``.

    Empty if CloudTrail doesn't tell: no permission, no such API, no event (yet; it is up to a quarter of an hour late).
    Never raises.
    """
    for name in dict.fromkeys((identifier, re.split(r"[/:|]", identifier)[-1])):
        try:
            answer = scope.call(
                "cloudtrail",
                "lookup_events",
                LookupAttributes=[{"AttributeKey": "ResourceName", "AttributeValue": name}],
                StartTime=since,
                MaxResults=_EVENTS,
            )
            found = _writers(answer.get("Events") or (), _role(scope.identity.arn))
        except ReconcilerError as error:
            log.debug("CloudTrail doesn't tell", reason=error.reason, error=str(error))
            return ""
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            log.debug("CloudTrail's answer can't be read", error=str(error))
            return ""
        if found:
            return found
    return ""


def _writers(events: Any, ourselves: str) -> str:
    """Who made the newest of these events that is a write of somebody else."""
    newest = sorted(events, key=lambda event: event["EventTime"], reverse=True)
    for event in newest:
        if str(event.get("ReadOnly", "false")).lower() == "true":
            continue
        who = _who(event)
        if who and _role(who) != ourselves:
            return _plain(f"{who} ({event.get('EventName') or 'unknown call'})")
    return ""


def _who(event: Mapping[str, Any]) -> str:
    """The ARN of whoever called; of an AWS service its name."""
    document = json.loads(event.get("CloudTrailEvent") or "{}")
    if document.get("errorCode"):
        return ""  # refused, so it changed nothing
    identity = document.get("userIdentity") or {}
    return str(identity.get("arn") or identity.get("invokedBy") or event.get("Username") or "")


def _role(arn: str) -> str:
    """An identity without the name of its session: every session of a role is the same actor."""
    parts = arn.split("/")
    return "/".join(parts[:2]) if ":assumed-role/" in arn else arn


def _plain(text: str) -> str:
    """Others choose such names: one line, not too long."""
    return re.sub(r"[^\x20-\x7e]", "?", text)[:_LONGEST]
