"""Bytes to documents: everything that can be wrong with a file before anyone looks at what it means."""

from __future__ import annotations

import codecs
import re
from typing import Any

from reconciler.model.errors import SourceError
from reconciler.source.document import MIB, Document, Limits, Marks, failure
from reconciler.source.jsontext import json_marks, read_json
from reconciler.source.yamltext import read_yaml

_ESCAPE = re.compile(r"\\[uUx0]")
_UNUSABLE = re.compile("[\x00\ud800-\udfff]")


def parse(data: bytes, file: str, limits: Limits | None = None) -> tuple[Document, ...]:
    """Every document in ``data``, which was read from ``file`` (a name for messages; ``.json`` is held to be JSON).

    Raises SourceError (and nothing else) for a file that is empty, too large, not UTF-8, not YAML or JSON, nested too
    deep, or that holds duplicate keys, alias bombs, foreign tags or numbers that JSON can't carry.
    """
    limits = limits or Limits()
    text = _decode(data, file, limits)
    try:
        documents = _documents(text, file, limits)
    except RecursionError:
        raise failure("nested too deep", file, reason="size") from None
    if not documents:
        raise failure("the file holds no document", file, reason="empty")
    if _ESCAPE.search(text):
        for document in documents:
            _check_strings(document.data, document)
    return documents


def _documents(text: str, file: str, limits: Limits) -> tuple[Document, ...]:
    is_json = file.lower().endswith(".json")
    if is_json or text.lstrip()[:1] == "{":
        try:
            value = read_json(text, file, limits) if text.strip() else None
        except SourceError:
            if is_json:
                raise
            return read_yaml(text, file, limits)  # a flow mapping, comments, several documents …
        return () if value is None else (_json_document(value, text, file),)
    return read_yaml(text, file, limits)


def _json_document(value: Any, text: str, file: str) -> Document:
    return Document(value, file, json_marks(text) if isinstance(value, dict | list) else Marks(1))


def _decode(data: bytes, file: str, limits: Limits) -> str:
    if len(data) > limits.size:
        raise failure(
            f"the file is larger than {limits.size / MIB:g} MiB",
            file,
            suggestion="split it into several plans",
            reason="size",
        )
    if b"\0" in data:
        line = data[: data.index(b"\0")].count(b"\n") + 1
        raise failure("the file holds a NUL byte; it must be UTF-8 text", file, line, reason="encoding")
    try:
        return data.removeprefix(codecs.BOM_UTF8).decode("utf-8")
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        raise failure("the file is not UTF-8", file, line, suggestion="save it as UTF-8", reason="encoding") from None


def _check_strings(value: Any, document: Document, place: tuple[str | int, ...] = ()) -> None:
    """Escapes can smuggle in what the bytes may not hold."""
    if isinstance(value, str):
        if _UNUSABLE.search(value):
            message = "the text holds a NUL or half a surrogate pair"
            raise SourceError([document.problem(place, message, reason="encoding")])
    elif isinstance(value, dict):
        for key, item in value.items():
            _check_strings(key, document, (*place, key))
            _check_strings(item, document, (*place, key))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            _check_strings(item, document, (*place, index))
