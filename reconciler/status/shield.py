"""What every HTTP request passes before the API sees it: host, size, and the headers of every answer."""

from __future__ import annotations

import ipaddress
from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from typing import Any
from urllib.parse import urlsplit

from starlette.exceptions import HTTPException
from starlette.responses import Response

from reconciler.model.codec import to_json
from reconciler.status.page import CONTENT_SECURITY_POLICY
from reconciler.status.views import ErrorBody, Failure

MAX_BODY = 64 * 1024

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Message, Receive, Send], Awaitable[None]]

_HEADERS = (
    (b"content-security-policy", CONTENT_SECURITY_POLICY.encode()),
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"cache-control", b"no-store"),
)


def is_loopback(host: str) -> bool:
    """Whether ``host``, a name or an address, means this machine."""
    if host.lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def failure(status: int, code: str, message: str, hint: str = "", headers: dict[str, str] | None = None) -> Response:
    """An error in the API's form."""
    return Response(
        to_json(ErrorBody(Failure(code, message, hint))), status, headers=headers, media_type="application/json"
    )


class Shield:
    """ASGI middleware.

    ``loopback_only``: the server listens on loopback, so a request for any other host comes from a web page
    that had its own name resolve to this machine (DNS rebinding) and is refused.
    """

    def __init__(self, app: App, *, loopback_only: bool) -> None:
        self._app = app
        self._loopback_only = loopback_only

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        refusal = self._refusal(scope["headers"])

        started = False

        async def send_with_headers(message: Message) -> None:
            nonlocal started
            if message["type"] == "http.response.start":
                started = True
                message["headers"] = [*message.get("headers", ()), *_HEADERS]
            await send(message)

        try:
            await (refusal or self._app)(scope, _limited(receive), send_with_headers)
        except Exception:
            # Starlette answers a bug with the API's handler, which logs it, and raises it again for the server,
            # which would log it once more and drop the connection.
            if not started:
                raise

    def _refusal(self, headers: Iterable[tuple[bytes, bytes]]) -> Response | None:
        fields = {name.decode("latin-1"): value.decode("latin-1") for name, value in headers}
        if self._loopback_only and not is_loopback(_hostname(fields.get("host", ""))):
            return failure(
                421,
                "host",
                "this server listens on loopback and answers only to localhost, 127.0.0.1 and [::1]",
                "to serve other hosts, set http.host to the address to listen on",
            )
        length = fields.get("content-length", "0")
        if not length.isdigit() or int(length) > MAX_BODY:
            return failure(413, "too_large", f"a request body may have {MAX_BODY} bytes")
        return None


def _hostname(host: str) -> str:
    try:
        return urlsplit(f"//{host}").hostname or ""
    except ValueError:
        return ""


def _limited(receive: Receive) -> Receive:
    """For bodies that come in chunks and announce no length."""
    received = 0

    async def counted() -> Message:
        nonlocal received
        message = await receive()
        received += len(message.get("body", b""))
        if received > MAX_BODY:
            raise HTTPException(413, f"a request body may have {MAX_BODY} bytes")
        return message

    return counted
