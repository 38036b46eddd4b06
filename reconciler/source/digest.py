"""What a plan's digest covers: its whole canonical content, referenced files included, and nothing of its layout."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from reconciler.model.ids import Digest


def canonical_json(value: Any) -> bytes:
    """JSON with one spelling per meaning, after RFC 8785: keys sorted, no white space, UTF-8, ``1.0`` written ``1``.

    ``Fn::GetAtt`` is brought to its list form, so that the short tag, the dotted string and the list are one.
    """
    return json.dumps(
        _canonical(value), sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False
    ).encode()


def _canonical(value: Any) -> Any:
    if isinstance(value, Mapping):
        if len(value) == 1 and isinstance(attribute := value.get("Fn::GetAtt"), str):
            return {"Fn::GetAtt": attribute.split(".", 1)}
        return {key: _canonical(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_canonical(item) for item in value]
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return value


def content_digest(value: Any) -> Digest:
    """``sha256:<hex>`` of a value's canonical JSON."""
    return bytes_digest(canonical_json(value))


def bytes_digest(data: bytes) -> Digest:
    """``sha256:<hex>`` of bytes as they are."""
    return Digest("sha256:" + hashlib.sha256(data).hexdigest())


def plan_digest(document: Mapping[str, Any], files: Mapping[str, Any] | None = None) -> Digest:
    """The digest of a plan.

    ``document`` is the parsed plan; ``files`` maps each referenced file, by its path as the plan gives it, to its
    parsed content (templates) or to the digest of its bytes (everything else). Secret parameter values take part like
    any other content; only the hash ever leaves.
    """
    return content_digest({"plan": document, "files": dict(files or {})})
