"""What a request that is about to be sent really asks for, whatever the event that announced it says."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

if TYPE_CHECKING:
    from botocore.model import OperationModel

_WITHOUT_EFFECT = frozenset({"GET", "HEAD"})


def says(request: Any, model: OperationModel) -> bool:
    """Whether the bytes of a prepared request ask for the operation of ``model``.

    Fails closed: False for a protocol that isn't known. A request by GET or HEAD to a REST service can't change
    anything, so its path is not compared.
    """
    protocol = str(model.service_model.resolved_protocol)
    if protocol in ("query", "ec2"):
        return parse_qs(_text(request.body)).get("Action") == [model.name]
    if protocol == "json":
        return _header(request.headers, "X-Amz-Target").rpartition(".")[2] == model.name
    path = urlsplit(_text(request.url)).path
    if protocol == "smithy-rpc-v2-cbor":
        return path.endswith(f"/operation/{model.name}")
    if protocol in ("rest-json", "rest-xml"):
        method = _text(request.method)
        if method != model.http["method"]:
            return False
        return method in _WITHOUT_EFFECT or _path(model.http["requestUri"]).search(path) is not None
    return False


def fields(request: Any) -> Mapping[str, Any]:
    """The parameters of a JSON request; empty where there are none."""
    try:
        found = json.loads(_text(request.body))
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


@lru_cache(maxsize=1024)
def _path(uri: str) -> re.Pattern[str]:
    """The end of the path that a model's request URI stands for: an endpoint may have a path of its own before it."""
    parts = re.split(r"(\{\w+\+?\})", uri.partition("?")[0])
    filled = ("[^/]+" if part.endswith("}") and "+" not in part else ".+" for part in parts[1::2])
    fixed = (re.escape(part) for part in parts[::2])
    pattern = "".join(text for pair in zip(fixed, (*filled, ""), strict=True) for text in pair)
    return re.compile(f"{pattern.rstrip('/')}/?$")


def _header(headers: Any, name: str) -> str:
    return _text(headers.get(name))


def _text(value: Any) -> str:
    if isinstance(value, bytes | bytearray):
        return bytes(value).decode("utf-8", "replace")
    return value if isinstance(value, str) else ""
