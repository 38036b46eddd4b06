"""A running daemon, and the policy server that it asks, never tell a planted secret either."""

from __future__ import annotations

import http.client
import signal
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from reconciler.model.report import PlanState
from reconciler.model.secrecy import MASK
from reconciler.testing.policy import OpaServer, opa_binary
from tests.e2e.canaries import BEARER, FOREIGN, PLAN, SECURE, STORED, UPDATED, Watch, drift, echo
from tests.e2e.conftest import Lab
from tests.e2e.running import Running, until


@pytest.fixture
def watch(lab: Lab) -> Watch:
    return Watch(lab)


class Recorder(ThreadingHTTPServer):
    """Stands before an OPA server and keeps what it is asked and what it answers."""

    def __init__(self, port: int) -> None:
        self.bodies: list[bytes] = []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def handle_one(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                behind = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
                behind.request(self.command, self.path, body, {"Content-Type": self.headers.get("Content-Type", "")})
                answer = behind.getresponse()
                content = answer.read()
                outer.bodies += [body, content]
                self.send_response(answer.status)
                for name in ("Content-Type", "Location"):
                    if value := answer.getheader(name):
                        self.send_header(name, value)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)
                behind.close()

            do_GET = do_PUT = do_POST = do_PATCH = do_DELETE = handle_one  # noqa: N815 - the server's names

            def log_message(self, *_: Any) -> None:
                """Nothing."""

        super().__init__(("127.0.0.1", 0), Handler)


@pytest.fixture
def recorder() -> Iterator[Recorder]:
    binary = opa_binary()
    if binary is None:
        pytest.skip("no OPA to be had on this machine (scripts/get-opa says why)")
    with OpaServer(binary) as opa, Recorder(opa.port) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


@pytest.mark.opa
def test_a_running_daemon_and_its_policy_server(watch: Watch, lab: Lab, recorder: Recorder) -> None:
    watch.write(rollback="manual")
    lab.aws.fail("ssm", "PutParameter", "ValidationException", times=2, message=echo(SECURE, STORED))
    more = {
        "RECONCILER_POLICY__OPA__ADDRESS": f"http://127.0.0.1:{recorder.server_port}",
        "RECONCILER_HTTP__TOKEN": BEARER,
        "RECONCILER_LOG__LEVEL": "debug",
    }
    with Running(lab, **more) as daemon:
        ask(watch, daemon, PlanState.FAILED)
        daemon.reaches(PLAN, PlanState.IN_SYNC)
        ask(watch, daemon, PlanState.IN_SYNC)
        drift(watch)
        lab.aws.fail("ssm", "PutParameter", "AccessDenied", status=403, message=echo(SECURE, STORED, FOREIGN))
        assert daemon.get("/api/v1/sync?wait=30", post=True, token=BEARER)[0] == 200
        daemon.get("/api/v1/sync", post=True, token=f"{BEARER}x")
        ask(watch, daemon, PlanState.FAILED)
        watch.write({"Parameters": {"Password": {"Type": "Number", "NoEcho": True}}}, given={"Password": UPDATED})
        until(lambda: daemon.said("plan rejected"), "the broken file to be noticed")
        ask(watch, daemon, None)
        assert daemon.stop() == 0
    assert any(b'"after"' in body and MASK.encode() in body for body in recorder.bodies)
    watch.said |= {f"policy {number}": body for number, body in enumerate(recorder.bodies)}
    assert watch.leaks() == []


def ask(watch: Watch, daemon: Running, state: PlanState | None) -> None:
    """Everything that the daemon answers, once the plan is in a state."""
    if state is not None:
        daemon.reaches(PLAN, state)
    before = len(daemon.said("state"))
    daemon.signal(signal.SIGUSR2)
    until(lambda: len(daemon.said("state")) > before, "the state in the log")
    paths = ["/", "/metrics", "/readyz", "/openapi.json", "/api/v1/plans", "/nothing"]
    paths += [f"/api/v1/plans/{PLAN}{end}" for end in ("", "/diff", "/history")]
    paths += [f"/api/v1/runs/{run.run}" for run in watch.lab.app.store.history(PLAN, 3)]
    for path in paths:
        watch.hear(path, daemon.get(path)[1])
