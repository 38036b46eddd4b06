"""A local AWS: moto's server in this process, one request at a time, with a count of what was asked of it.

For the demo and the tests. No network but loopback, no credentials, no subprocess. Accounts are reached as in real
life, by assuming a role in them; the base credentials belong to ``LocalAws.account``.
"""

from __future__ import annotations

import io
import socket
import threading
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from reconciler.testing.mishaps import Fault, Hold
from reconciler.testing.outsiders import Outsider
from reconciler.testing.serving import Serving
from reconciler.testing.taught import teach
from reconciler.testing.watching import WATCH
from reconciler.testing.wire import Call, error_response, parse

if TYPE_CHECKING:
    from types import TracebackType

    from werkzeug.serving import BaseWSGIServer

StartResponse = Callable[..., Any]

_STATUS_TEXT = {400: "Bad Request", 403: "Forbidden", 404: "Not Found", 409: "Conflict", 429: "Too Many Requests"}


class LocalAws:
    """moto on 127.0.0.1. A context manager; ``start`` and ``stop`` do the same by hand.

    ``port`` 0 takes a free one. ``warm`` names services whose code is loaded before the first request is timed.
    State is the process's (moto keeps it in module globals): ``start`` resets it, so use one at a time.
    """

    #: the account of the base credentials
    account = "123456789012"
    #: what a base session must be given; moto accepts anything that looks like a key
    access_key = "AKIALOCALAWS00000000"
    secret_key = "local"  # noqa: S105 - moto checks no signature, there is no secret here

    def __init__(self, *, port: int = 0, warm: Iterable[str] = (), keep: int = 1000) -> None:
        self._port = port
        self._warm = tuple(warm)
        self._one_at_a_time = threading.RLock()
        self._book = threading.Lock()
        self._calls: deque[Call] = deque(maxlen=keep)
        self._counts: Counter[tuple[str, str, bool]] = Counter()
        self._faults: list[Fault] = []
        self._holds: list[Hold] = []
        self._outsider: Outsider | None = None
        self._server: BaseWSGIServer | None = None
        self._serving: Serving | None = None

    # running

    def start(self) -> LocalAws:
        """Start serving; returns when requests are answered. A second or two, nearly all of it imports."""
        from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
        from werkzeug.serving import WSGIRequestHandler, make_server

        class Handler(WSGIRequestHandler):
            protocol_version = "HTTP/1.1"  # keep-alive
            disable_nagle_algorithm = True

            def log(self, *_: Any, **__: Any) -> None:
                """Requests are counted, not logged."""

        teach()
        self._moto = DomainDispatcherApplication(create_backend_app)
        self._server = make_server("127.0.0.1", self._port, self._serve, threaded=True, request_handler=Handler)
        self._server.daemon_threads = True  # type: ignore[attr-defined]  # set by the threading mix-in
        self.reset()
        self._serving = Serving(self._server, "local-aws")
        for service in self._warm:
            self._warm_up(service)
        self.reset_calls()
        return self

    def stop(self) -> None:
        """Stop serving and free the port. Safe to call twice."""
        if self._serving is not None:
            self._serving.stop()
        self._server = self._serving = None
        if self._outsider is not None:
            self._outsider.close()
        self._outsider = None

    def __enter__(self) -> LocalAws:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def endpoint(self) -> str:
        """The URL to use as ``endpoint_url``."""
        if self._server is None:
            raise RuntimeError("LocalAws is not running: use it as a context manager or call start() first")
        return f"http://127.0.0.1:{self._server.server_port}"

    def reset(self) -> None:
        """Forget every resource, account, injected fault and counted call."""
        from moto.moto_api._internal.models import moto_api_backend

        with self._one_at_a_time:
            moto_api_backend.reset()
        with self._book:
            self._faults.clear()
        if self._outsider is not None:
            self._outsider.forget()  # the roles that it had assumed are gone
        self.reset_calls()

    # what was asked

    def calls(self, account: str | None = None) -> Counter[str]:
        """How often each ``service:Operation`` arrived since the last reset, reads and writes."""
        return self._count(account, mutating_only=False)

    def mutations(self, account: str | None = None) -> Counter[str]:
        """As ``calls``, but only operations that change something (by name; assuming a role is none)."""
        return self._count(account, mutating_only=True)

    def reset_calls(self) -> None:
        """Start counting from nothing."""
        with self._book:
            self._counts.clear()
            self._calls.clear()

    @property
    def last_requests(self) -> tuple[Call, ...]:
        """The latest requests, oldest first; how many are kept is ``keep``."""
        with self._book:
            return tuple(self._calls)

    def _count(self, account: str | None, *, mutating_only: bool) -> Counter[str]:
        with self._book:
            total: Counter[str] = Counter()
            for (asked, name, mutating), count in self._counts.items():
                if (account is None or asked == account) and (mutating or not mutating_only):
                    total[name] += count
            return total

    # faults

    def fail(
        self,
        service: str,
        operation: str,
        code: str,
        times: int = 1,
        status: int = 400,
        message: str = "injected",
        account: str = "",
    ) -> None:
        """Answer the next ``times`` matching calls with an AWS error; ``*`` matches any service or operation."""
        with self._book:
            self._faults.append(Fault(service, operation, times, code, status, message, account))

    def cut(self, service: str, operation: str, times: int = 1, *, applied: bool, account: str = "") -> None:
        """Close the connection without an answer, after (``applied``) or before the call took effect."""
        with self._book:
            self._faults.append(Fault(service, operation, times, account=account, cut=True, applied=applied))

    @contextmanager
    def hold(self, service: str, operation: str) -> Iterator[Hold]:
        """Inside, calls of an operation take effect but get no answer until the Hold is released."""
        held = Hold(service, operation)
        self._holds.append(held)
        try:
            yield held
        finally:
            self._holds.remove(held)
            held.release()

    def clear_faults(self) -> None:
        """Drop injected faults that have not fired yet."""
        with self._book:
            self._faults.clear()

    # acting behind the daemon's back

    def client(self, service: str, *, account: str | None = None, region: str = "us-east-1", role: str = "test") -> Any:
        """A plain boto3 client in an account, by assuming ``role`` there where it is not the base account.

        Its calls are counted like any other: call ``reset_calls`` after using it, before counting.
        """
        if self._outsider is None:
            self._outsider = Outsider(self.endpoint, self.account, self.access_key, self.secret_key)
        return self._outsider.client(service, account or self.account, region, role)

    def environment(self) -> Mapping[str, str]:
        """Environment variables with which any AWS SDK or tool talks to this server."""
        return {
            "AWS_ENDPOINT_URL": self.endpoint,
            "AWS_ACCESS_KEY_ID": self.access_key,
            "AWS_SECRET_ACCESS_KEY": self.secret_key,
            "AWS_EC2_METADATA_DISABLED": "true",
        }

    @contextmanager
    def uncounted(self) -> Iterator[None]:
        """Calls made inside leave the counters as they were."""
        with self._book:
            counts, calls = self._counts.copy(), tuple(self._calls)
        yield
        with self._book:
            self._counts = counts
            self._calls.clear()
            self._calls.extend(calls)

    def _warm_up(self, service: str) -> None:
        """Load moto's code for a service by one harmless request (its answer does not matter)."""
        import urllib.request
        from contextlib import suppress
        from urllib.error import HTTPError

        scope = f"AKIAWARM000000000000/20260101/us-east-1/{service}/aws4_request"
        header = f"AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host, Signature=0"
        request = urllib.request.Request(self.endpoint, headers={"Authorization": header})  # noqa: S310 - loopback
        with suppress(HTTPError):
            urllib.request.urlopen(request, timeout=30).read()  # noqa: S310 - loopback

    # serving

    def answer(self, environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        """The server as a WSGI application: what it is asked here counts as what it is asked over the network."""
        return self._serve(environ, start_response)

    def _serve(self, environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        length = int(environ.get("CONTENT_LENGTH") or 0)
        body = environ["wsgi.input"].read(length) if length else b""
        if length:
            environ["wsgi.input"] = io.BytesIO(body)
        call = parse(environ, body)
        fault = self._fault(call)
        if fault is not None and not fault.applied:
            return self._refuse(call, fault, environ, start_response)
        answer: list[str] = []

        def started(status: str, headers: Any, exc_info: Any = None) -> Any:
            answer.append(status)
            return start_response(status, headers, exc_info)

        with self._one_at_a_time:
            try:
                content = list(self._moto(environ, started))
            except Exception:  # moto has no such service, or crashed on the call
                content = [b"<html><title>500 Internal Server Error</title></html>"]
                started("500 Internal Server Error", [("Content-Type", "text/html")])
            call = replace(call, status=int(answer[-1].split()[0]), answered=sum(map(len, content)))
        if fault is not None:
            return self._refuse(call, fault, environ, start_response)
        self._record(call)
        for held in tuple(self._holds):
            held.wait(call)
        return content

    def _fault(self, call: Call) -> Fault | None:
        with self._book:
            for fault in self._faults:
                if fault.matches(call):
                    fault.left -= 1
                    return fault
        return None

    def _refuse(
        self, call: Call, fault: Fault, environ: dict[str, Any], start_response: StartResponse
    ) -> Iterable[bytes]:
        if fault.cut:
            self._record(replace(call, status=0, answered=0))
            environ["werkzeug.socket"].shutdown(socket.SHUT_RDWR)
            return []
        self._record(replace(call, status=fault.status))
        kind, content = error_response(call, environ, fault.code, fault.message)
        headers = [("Content-Type", kind), ("Content-Length", str(len(content))), ("x-amzn-requestid", "injected")]
        start_response(f"{fault.status} {_STATUS_TEXT.get(fault.status, 'Error')}", headers)
        return [content]

    def _record(self, call: Call) -> None:
        WATCH.saw(call)
        with self._book:
            self._counts[(call.account, call.name, call.mutating)] += 1
            self._calls.append(call)
