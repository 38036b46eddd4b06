"""Lines of styled text, and the words and colours that every page shares."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from datetime import datetime

from rich.text import Text

from reconciler.model.report import PlanState

STATE_STYLES = {
    PlanState.IN_SYNC: "green",
    PlanState.DRIFTED: "yellow",
    PlanState.APPLYING: "cyan",
    PlanState.PENDING_APPROVAL: "yellow",
    PlanState.PIPELINE_OPEN: "blue",
    PlanState.DENIED: "red",
    PlanState.FAILED: "red",
    PlanState.SUSPENDED: "bright_black",
    PlanState.INVALID: "red",
}

#: What a terminal would act on: escape sequences and other control characters, tab and newline apart.
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")


def clean(text: str) -> str:
    """``text`` from outside (a plan, AWS, Git) without anything that a terminal would act on."""
    return _CONTROL.sub("�", text)


class Page:
    """Collects lines; ``text`` is the whole."""

    def __init__(self) -> None:
        self._lines: list[Text] = []

    def line(self, text: str = "", style: str = "") -> None:
        """Add a line (or several, where ``text`` has newlines)."""
        self._lines.append(Text(clean(text), style=style))

    def parts(self, *parts: str | tuple[str, str]) -> None:
        """Add a line of pieces, each plain or with a style."""
        pieces = [(clean(part), "") if isinstance(part, str) else (clean(part[0]), part[1]) for part in parts]
        self._lines.append(Text.assemble(*pieces))

    def add(self, lines: Iterable[Text]) -> None:
        """Add lines made elsewhere, such as another page's."""
        self._lines.extend(lines)

    def __iter__(self) -> Iterator[Text]:
        return iter(self._lines)

    @property
    def text(self) -> Text:
        """All lines."""
        return Text("\n").join(self._lines)


def count(number: int, noun: str) -> str:
    """``1 step``, ``2 steps``."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def moment(at: datetime | None) -> str:
    """A time in UTC to the second, or a dash."""
    return at.strftime("%Y-%m-%d %H:%M:%SZ") if at else "-"


def ago(at: datetime | None, now: datetime) -> str:
    """How long ago, in the two largest units that matter: ``just now``, ``42s ago``, ``3h ago``."""
    if at is None:
        return "never"
    seconds = max(0, int((now - at).total_seconds()))
    if seconds < 5:
        return "just now"
    for size, unit in ((86400, "d"), (3600, "h"), (60, "m"), (1, "s")):
        if seconds >= size:
            return f"{seconds // size}{unit} ago"
    return "just now"


def short_digest(digest: str) -> str:
    """Enough of a digest to tell two apart."""
    return digest.removeprefix("sha256:")[:12]
