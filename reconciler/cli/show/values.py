"""Property values for people: JSON, secrets masked, long ones over several lines."""

from __future__ import annotations

import json
from typing import Any

from reconciler.model.values import Sensitive, Unknown, mask

_ONE_LINE = 56


def shown(value: Any, indent: int = 0) -> str:
    """``value`` as JSON; a long one is spread over lines, each after the first indented by ``indent`` spaces."""
    if isinstance(value, Sensitive | Unknown):
        return str(value)
    plain = mask(value)
    line = json.dumps(plain, ensure_ascii=False, default=str)
    if len(line) <= _ONE_LINE or not isinstance(plain, dict | list):
        return line
    spread = json.dumps(plain, ensure_ascii=False, default=str, indent=2)
    return spread.replace("\n", "\n" + " " * indent)
