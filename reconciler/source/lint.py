"""Resources against AWS's own schemas, by cfn-lint's engine: before any AWS call, and only for content not seen before.

cfn-lint takes most of a second to import and start, so it is imported when the first plan needs it, its rules are
loaded once per region, and every answer is kept by the digest of what was asked (in memory, and on disk if given a
directory). A plan can't weaken it: cfn-lint's own metadata is removed from templates, and its configuration files in
the working and home directories are not read.
"""

from __future__ import annotations

import json
import os
import re
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

import structlog

from reconciler.model.secrecy import scrub
from reconciler.schema import known_types
from reconciler.source.atomic import write_atomically
from reconciler.source.digest import content_digest
from reconciler.source.overruled import overruled
from reconciler.template.problems import did_you_mean

log = structlog.get_logger(__name__)

#: Limits of a stack (size, counts), parameters of nested stacks, where a stack may use ssm-secure: not ours.
_NOT_OURS = ["E1002", "E1003", "E1027", "E2010", "E3010", "E3043", "E6010", "E7010", "W", "I"]
#: Answers kept in memory, and on disk: there the half that was asked for longest ago goes when there are more.
_KEPT, _KEPT_ON_DISK = 2_000, 5_000
#: cfn-lint's word for a rule of its own that raised something
_BROKEN_RULE = "E0002"
_MEANT = re.compile(r"\.? ?Did you mean '([^']+)'\?")
_NOT_ONE_OF = re.compile(r"^'(?P<found>.*?)' is not one of \[(?P<options>.*)\](?P<rest>.*)$", re.DOTALL)
_NO_SUCH_TYPE = re.compile(r"Resource type '(?P<found>[^']*)' does not exist")


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing wrong with a template. ``place`` is a path inside it."""

    rule: str
    place: tuple[str | int, ...]
    message: str
    suggestion: str = ""


#: cfn-lint keeps schemas in globals and is not thread-safe: one template is looked at at a time, process-wide
_engine = threading.Lock()


class Linter:
    """Validates templates, each content once. Thread-safe. ``cache`` is a directory for answers that outlive us."""

    def __init__(self, cache: Path | None = None) -> None:
        self._cache = cache
        self._known: dict[str, tuple[Finding, ...]] = {}

    def check(self, template: Mapping[str, Any], region: str) -> tuple[Finding, ...]:
        """Every error in ``template`` for ``region``, in the order that cfn-lint found them; not what AWS takes."""
        key = content_digest([version("cfn-lint"), _NOT_OURS, region, template]).removeprefix("sha256:")
        with _engine:
            found = self._known.get(key)
            if found is None:
                found = self._remembered(key)
            if found is None:
                found = _run(template, region)
                self._remember(key, found)
            if len(self._known) >= _KEPT:
                self._known.clear()
            self._known[key] = found
            return tuple(item for item in found if not overruled(template, item.place, item.message))

    def _remembered(self, key: str) -> tuple[Finding, ...] | None:
        if self._cache is None:
            return None
        entry = self._cache / f"{key}.json"
        try:
            rows = json.loads(entry.read_bytes())
            os.utime(entry)
            return tuple(Finding(row[0], tuple(row[1]), row[2], row[3]) for row in rows)
        except (OSError, ValueError, LookupError, TypeError):
            return None  # absent or damaged: look again

    def _remember(self, key: str, found: tuple[Finding, ...]) -> None:
        if self._cache is None:
            return
        rows = [[item.rule, list(item.place), item.message, item.suggestion] for item in found]
        try:
            self._cache.mkdir(parents=True, exist_ok=True, mode=0o700)
            write_atomically(self._cache / f"{key}.json", json.dumps(rows).encode())
            _prune(self._cache)
        except OSError as error:
            log.warning("validation cache not written", error=error.strerror)


def _prune(cache: Path) -> None:
    """A daemon sees new contents for years."""
    entries = list(cache.glob("*.json"))
    if len(entries) > _KEPT_ON_DISK:
        for entry in sorted(entries, key=lambda entry: entry.stat().st_mtime)[: len(entries) // 2]:
            entry.unlink(missing_ok=True)


@lru_cache(maxsize=4)
def _runner(region: str) -> Any:
    """cfn-lint with its rules loaded. Raises ValueError for a region that it doesn't know."""
    from cfnlint.config import ConfigMixIn
    from cfnlint.helpers import REGIONS
    from cfnlint.runner import Runner

    if region not in REGIONS:
        raise ValueError(did_you_mean(region, REGIONS))
    return Runner(ConfigMixIn(regions=[region], ignore_checks=_NOT_OURS, config_file=os.devnull))


def _run(template: Mapping[str, Any], region: str) -> tuple[Finding, ...]:
    from cfnlint.decode import convert_dict

    try:
        runner = _runner(region)
    except ValueError as error:
        return (Finding("region", (), f"{region} is not a region that the schemas know", str(error)),)
    try:
        matches = list(runner.validate_template(convert_dict(_without_directives(template))))
    except Exception as error:
        # Whatever a hostile template provokes in there: the template is refused, the others go on.
        log.warning("validation engine failed", error=type(error).__name__)
        return (Finding("engine", (), f"the template can't be validated ({type(error).__name__})"),)
    errors = [match for match in matches if match.rule.id.startswith("E")]
    # a rule that breaks on nonsense says less than the others, which find fault with it
    told = [match for match in errors if match.rule.id != _BROKEN_RULE]
    return tuple(_finding(match, region) for match in told or errors)


def _without_directives(value: Any) -> Any:
    """A copy without cfn-lint's own metadata, which can switch rules off or load code."""
    if isinstance(value, Mapping):
        return {
            key: (
                {name: part for name, part in item.items() if name != "cfn-lint"}
                if key == "Metadata" and isinstance(item, Mapping)
                else _without_directives(item)
            )
            for key, item in value.items()
        }
    if isinstance(value, list):
        return [_without_directives(item) for item in value]
    return value


def _finding(match: Any, region: str) -> Finding:
    place = tuple(part for part in (getattr(match, "path", None) or ()) if isinstance(part, str | int))
    message, suggestion = _worded(scrub(str(match.message)), region)
    return Finding(match.rule.id, tuple(_plain(part) for part in place), message, suggestion)


def _plain(part: str | int) -> str | int:
    """cfn-lint's keys are strings that carry positions."""
    return int(part) if isinstance(part, int) else str.__str__(part)


def _worded(message: str, region: str) -> tuple[str, str]:
    """The message without its suggestion, and the suggestion; long lists of options are left out."""
    if meant := _MEANT.search(message):
        return message.replace(meant[0], ""), f"did you mean {meant[1]}?"
    if (missing := _NO_SUCH_TYPE.search(message)) and (near := did_you_mean(missing["found"], known_types(region))):
        return message, near
    if choice := _NOT_ONE_OF.match(message):
        options = re.findall(r"'([^']*)'", choice["options"])
        near = did_you_mean(choice["found"], options)
        if len(options) > 8:
            message = f"'{choice['found']}' is not one of the {len(options)} possible values"
        return message, near
    return message, ""
