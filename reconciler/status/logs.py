"""Logging: structlog and the standard library through one handler, as JSON lines or for a terminal, secrets masked.

The run in hand is bound with ``structlog.contextvars.bound_contextvars(run=…, plan=…)`` and appears on every line
that is logged meanwhile, whoever logs it.
"""

from __future__ import annotations

import dataclasses
import logging
import os
import re
import sys
from collections.abc import Mapping
from datetime import datetime
from typing import Any, TextIO

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

from reconciler.model.codec import masked
from reconciler.model.secrecy import MASK, scrub

STYLES = ("auto", "json", "console")
LEVELS = ("debug", "info", "warning", "error")

#: Libraries that tell requests, headers or credentials at lower levels, or merely talk a lot.
_QUIET = ("alembic", "apscheduler", "asyncio", "boto3", "botocore", "cfnlint", "git", "s3transfer", "urllib3")
_QUIET_TOO = ("uvicorn", "uvicorn.access", "uvicorn.error", "watchfiles", "werkzeug")

_SECRET_KEY = re.compile(
    r"(^|[_.\-])(password|passwd|passphrase|secret|token|credentials?|authorization|cookie"
    r"|(api|private|access|secret)[_\-]?key)$",
    re.IGNORECASE,
)
_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_URL_PASSWORD = re.compile(r"(?<=://)[^/\s:@]*:[^/\s@]+(?=@)")
_BEARER = re.compile(r"(?i)\b(bearer|basic)\s+[a-z0-9._~+/=\-]{8,}")


def configure(level: str = "info", style: str = "auto", stream: TextIO | None = None) -> None:
    """Send every log line of the process to ``stream`` (default: standard error). May be called again.

    ``style``: json (one object a line), console (colour only on a terminal), or auto (console on a terminal).
    Raises ValueError for an unknown level or style.
    """
    if style not in STYLES:
        raise ValueError(f"log format {style!r}: use one of {', '.join(STYLES)}")
    if level.lower() not in LEVELS:
        raise ValueError(f"log level {level!r}: use one of {', '.join(LEVELS)}")
    out = stream or sys.stderr
    terminal = out.isatty()
    shared = _shared_processors()
    handler = logging.StreamHandler(out)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                *_renderers(console=style == "console" or (style == "auto" and terminal), terminal=terminal),
            ],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    for name in (*_QUIET, *_QUIET_TOO):
        logging.getLogger(name).setLevel(max(logging.WARNING, root.level))
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *shared,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,  # a reload may change the level
    )


def mask_secrets(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """A structlog processor: masks secret values, values under secret names, and credentials inside texts."""
    return {key: _mask(key, value) for key, value in event.items()}


def _shared_processors() -> list[Processor]:
    return [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.stdlib.PositionalArgumentsFormatter(),
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.StackInfoRenderer(),
        structlog.processors.format_exc_info,
        mask_secrets,
    ]


def _renderers(*, console: bool, terminal: bool) -> list[Processor]:
    if console:
        colors = terminal and not os.environ.get("NO_COLOR")
        return [structlog.dev.ConsoleRenderer(colors=colors)]
    return [
        _order,
        structlog.processors.JSONRenderer(default=_plain, ensure_ascii=False),
    ]


def _order(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    first = [key for key in ("timestamp", "level", "event", "run", "plan") if key in event]
    return {key: event[key] for key in (*first, *(key for key in event if key not in first))}


def _mask(key: str, value: Any) -> Any:
    if _SECRET_KEY.search(_CAMEL.sub("_", key)) and value is not None:
        return MASK
    value = masked(value)
    if isinstance(value, str):
        return _BEARER.sub(rf"\1 {MASK}", _URL_PASSWORD.sub(MASK, scrub(value)))
    if isinstance(value, Mapping):
        return {name: _mask(str(name), item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [_mask("", item) for item in value]
    if isinstance(value, BaseException):
        return _mask("", str(value))
    return value


def _plain(value: Any) -> Any:
    """JSON for what isn't: the last resort is its text."""
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, set | frozenset):
        return sorted(value, key=str)
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}
    return str(value)
