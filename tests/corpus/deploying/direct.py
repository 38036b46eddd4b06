"""Clients whose calls reach the emulator without a network in between: the same requests and answers, but quicker."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable
from typing import Any
from urllib.parse import unquote, urlsplit

from botocore.awsrequest import AWSPreparedRequest, AWSResponse

#: a WSGI application
Application = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


def shortened(client: Any, application: Application) -> Any:
    """``client`` with its requests given to ``application`` instead of being sent."""

    def answer(request: AWSPreparedRequest, **_: Any) -> AWSResponse:
        return _served(request, application)

    client.meta.events.register("before-send", answer)
    return client


def _served(request: AWSPreparedRequest, application: Application) -> AWSResponse:
    body = request.body or b""
    body = body.encode() if isinstance(body, str) else body if isinstance(body, bytes) else body.read()
    answered: list[Any] = []

    def start(status: str, headers: list[tuple[str, str]], _error: Any = None) -> None:
        answered[:] = [int(status.split()[0]), dict(headers)]

    content = b"".join(application(_environ(request, body), start))
    status, headers = answered
    return AWSResponse(request.url, status, headers, _Raw(content))


def _environ(request: AWSPreparedRequest, body: bytes) -> dict[str, Any]:
    url = urlsplit(request.url)
    headers = {key.upper().replace("-", "_"): _text(value) for key, value in request.headers.items()}
    environ: dict[str, Any] = {
        "REQUEST_METHOD": request.method,
        "SCRIPT_NAME": "",
        "PATH_INFO": unquote(url.path, "latin-1") or "/",
        "RAW_URI": f"{url.path}?{url.query}" if url.query else url.path,
        "REQUEST_URI": f"{url.path}?{url.query}" if url.query else url.path,
        "QUERY_STRING": url.query,
        "SERVER_NAME": url.hostname,
        "SERVER_PORT": str(url.port),
        "SERVER_PROTOCOL": "HTTP/1.1",
        "HTTP_HOST": url.netloc,
        "CONTENT_LENGTH": str(len(body)),
        "wsgi.input": io.BytesIO(body),
        "wsgi.errors": io.StringIO(),
        "wsgi.url_scheme": url.scheme,
        "wsgi.version": (1, 0),
        "wsgi.multithread": True,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
    }
    environ |= {f"HTTP_{key}": value for key, value in headers.items() if key not in ("CONTENT_TYPE", "CONTENT_LENGTH")}
    return environ | ({"CONTENT_TYPE": headers["CONTENT_TYPE"]} if "CONTENT_TYPE" in headers else {})


def _text(value: Any) -> str:
    return value.decode() if isinstance(value, bytes) else str(value)


class _Raw(io.BytesIO):
    """A body as urllib3 would give it."""

    def stream(self, *_: Any, **__: Any) -> Iterable[bytes]:
        """All of it at once."""
        yield self.read()

    def release_conn(self) -> None:
        """Nothing to give back."""
