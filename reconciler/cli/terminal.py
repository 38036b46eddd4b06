"""Where output goes: results to standard output, everything else to standard error. Colour only on a terminal."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Any

from reconciler.model.secrecy import scrub

if TYPE_CHECKING:
    from rich.console import Console, RenderableType


def out() -> Console:
    """Standard output for results."""
    return _console(sys.stdout)


def err() -> Console:
    """Standard error for messages."""
    return _console(sys.stderr)


def show(*renderables: RenderableType) -> None:
    """Print results."""
    console = out()
    for renderable in renderables:
        console.print(renderable, markup=False, highlight=False)


def show_json(value: Any) -> None:
    """Print a model value, or plain values, as one JSON document, secrets masked."""
    import json

    from reconciler.model.codec import to_json

    sys.stdout.write(json.dumps(json.loads(to_json(value)), indent=2, ensure_ascii=False) + "\n")


def complain(message: str) -> None:
    """Print an error message for a person, secrets masked."""
    err().print(scrub(message), style="red", markup=False, highlight=False, soft_wrap=True)


def note(message: str) -> None:
    """Print a remark that is not a result, secrets masked."""
    err().print(scrub(message), markup=False, highlight=False, soft_wrap=True)


def _console(stream: Any) -> Console:
    from rich.console import Console

    plain = bool(os.environ.get("NO_COLOR")) or not stream.isatty()
    return Console(file=stream, no_color=plain, force_terminal=None, emoji=False, highlight=False)
