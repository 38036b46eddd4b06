"""Reads a YAML configuration file together with the line of every field, so that an error can say where it is."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from reconciler.model.errors import ConfigurationError

_MAX_BYTES = 1_000_000


@dataclass(frozen=True, slots=True)
class ConfigFile:
    """A parsed file: its values, and the line where each path begins."""

    path: Path
    data: dict[str, Any]
    lines: dict[tuple[int | str, ...], int]

    def where(self, loc: tuple[int | str, ...]) -> str:
        """``file:line`` of the field at ``loc``, or of the nearest field around it."""
        for end in range(len(loc), 0, -1):
            if loc[:end] in self.lines:
                return f"{self.path}:{self.lines[loc[:end]]}"
        return str(self.path)


def parse_config(path: Path) -> ConfigFile:
    """Read ``path``. Raises ConfigurationError: missing, too big, not UTF-8, not YAML, not a mapping, a field twice."""
    try:
        if path.stat().st_size > _MAX_BYTES:
            raise ConfigurationError(f"{path}: larger than {_MAX_BYTES} bytes: that is not a configuration file")
        text = path.read_text(encoding="utf-8")
        root = yaml.compose(text, Loader=yaml.CSafeLoader)
    except OSError as error:
        raise ConfigurationError(f"{path}: can't be read: {error.strerror or error}") from None
    except UnicodeDecodeError as error:
        raise ConfigurationError(f"{path}: not UTF-8 (byte {error.start})") from None
    except yaml.YAMLError as error:
        raise ConfigurationError(f"{path}: not valid YAML: {error}") from None
    if root is None:
        return ConfigFile(path, {}, {})
    if not isinstance(root, yaml.MappingNode):
        raise ConfigurationError(f"{path}: must hold a mapping of fields")
    lines: dict[tuple[int | str, ...], int] = {}
    _index(path, root, (), lines, frozenset())
    try:
        data = yaml.load(text, Loader=yaml.CSafeLoader)
    except yaml.YAMLError as error:
        raise ConfigurationError(f"{path}: not valid YAML: {error}") from None
    return ConfigFile(path, {str(key): value for key, value in data.items()}, lines)


def _index(
    path: Path,
    node: yaml.Node,
    at: tuple[int | str, ...],
    lines: dict[tuple[int | str, ...], int],
    above: frozenset[int],
) -> None:
    if id(node) in above or len(lines) > 10_000:
        raise ConfigurationError(f"{path}: aliases that repeat themselves: that is not a configuration file")
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            place = (*at, str(key.value))
            line = key.start_mark.line + 1
            if place in lines:
                raise ConfigurationError(f"{path}:{line}: {key.value}: given twice, first on line {lines[place]}")
            lines[place] = line
            _index(path, value, place, lines, above | {id(node)})
    elif isinstance(node, yaml.SequenceNode):
        for number, value in enumerate(node.value):
            lines[*at, number] = value.start_mark.line + 1
            _index(path, value, (*at, number), lines, above | {id(node)})


def suggestion(wrong: str, known: Iterable[str]) -> str:
    """``; did you mean X?`` if a known name is close, else the known names."""
    names = sorted(known)
    close = difflib.get_close_matches(wrong, names, n=1, cutoff=0.6)
    if close:
        return f"; did you mean {close[0]}?"
    return f"; known are {', '.join(names)}" if names else ""
