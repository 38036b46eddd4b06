"""Steps in words: the command that is shown before a step runs. Secrets are masked."""

from __future__ import annotations

import json
from typing import Any

from reconciler.model.change import Step, Verb
from reconciler.model.values import Properties, mask

_VALUE_WIDTH = 60


def command(step: Step) -> str:
    """One line saying what a step will do to which resource, with which properties."""
    where = f" {step.identifier}" if step.identifier else ""
    shown = _shown(step)
    return f"{step.verb.value} {step.type} {step.logical_id}{where}{' ' + shown if shown else ''}"


def _shown(step: Step) -> str:
    if step.verb is Verb.DELETE or step.after is None:
        return ""
    names = sorted(step.changed) if step.changed else sorted(step.after)
    return " ".join(f"{name}={_short(step.after, name)}" for name in names)


def _short(properties: Properties, name: str) -> str:
    if name not in properties:
        return "(default)"
    value: Any = mask(properties[name])
    text = value if isinstance(value, str) else json.dumps(value, default=str, separators=(",", ":"))
    return text if len(text) <= _VALUE_WIDTH else text[: _VALUE_WIDTH - 1] + "…"
