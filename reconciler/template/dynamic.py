"""Dynamic references: ``{{resolve:ssm:/path:3}}`` inside strings.

They become ``Deferred("Resolve", [service, key])`` and are looked up at use. Only text that a template or parameter
spells out is searched for them; a value read from AWS never is, or whoever can set a tag could read secrets.
"""

from __future__ import annotations

import re
from typing import Any

from reconciler.model.values import Deferred
from reconciler.template.problems import FunctionError, did_you_mean

RESOLVE = "Resolve"
#: the value of a parameter of type ``AWS::SSM::Parameter::Value<…>``: plain text, looked up at use
STORED = "Stored"
OPENING = "{{resolve:"
_REFERENCE = re.compile(r"\{\{resolve:([^:{}]*):([^{}]*)\}\}")
_SERVICES = ("ssm", "ssm-secure", "secretsmanager")


def split_references(value: str) -> list[Any]:
    """``value`` as a list of literal strings and ``Deferred`` references; itself alone where there is none.

    Raises FunctionError for an unknown service or an empty key.
    """
    if OPENING not in value:
        return [value]
    parts: list[Any] = []
    end = 0
    for match in _REFERENCE.finditer(value):
        service, key = match.groups()
        _check(service, key)
        parts += [value[end : match.start()], Deferred(RESOLVE, [service, key])]
        end = match.end()
    parts.append(value[end:])
    return [part for part in parts if part != ""] or [value]


def _check(service: str, key: str) -> None:
    if service not in _SERVICES:
        hint = did_you_mean(service, _SERVICES) or f"there are {', '.join(_SERVICES)}"
        raise FunctionError(f"dynamic reference to unknown service {service!r}: {hint}")
    if not key.strip():
        raise FunctionError(f"dynamic reference to {service} names nothing")
