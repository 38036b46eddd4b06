"""Failing closed, by making it fail: OPA killed, stopped, cleared; garbage; policies broken while in force."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from reconciler.model.decision import Facts, Mode
from reconciler.model.errors import PolicyUnavailable
from reconciler.model.ids import Digest, PlanName
from reconciler.model.plan import Guardrail, Origin, Plan, RollbackPolicy, Target
from reconciler.policy import EmbeddedEngine, OpaEngine
from reconciler.policy.server import Server
from reconciler.testing.memory import CountingTelemetry, FakeClock
from reconciler.testing.policy import OpaServer

PLAN = Plan(
    PlanName("web"),
    "alice@example.com",
    Target("sandbox", "111111111111", "eu-central-1"),
    Guardrail("passed"),
    RollbackPolicy("automatic"),
    Digest("sha256:" + "0" * 64),
    Origin("web.yaml"),
)
FACTS = Facts(now=datetime(2026, 11, 23, 9, 0, tzinfo=UTC))

Break = Callable[[Path], None]


def cause(engine: EmbeddedEngine | OpaEngine) -> str:
    with pytest.raises(PolicyUnavailable) as raised:
        engine.admit(PLAN, FACTS)
    return raised.value.cause


def embedded(directory: Path) -> EmbeddedEngine:
    return EmbeddedEngine(directory, CountingTelemetry(), FakeClock())


def remote(address: str, directory: Path, timeout: float = 1.5) -> OpaEngine:
    return OpaEngine(address, directory, CountingTelemetry(), FakeClock(), timeout=timeout)


@pytest.mark.opa
def test_opa_killed_and_started_again(server: OpaServer, policies: Path) -> None:
    engine = remote(server.address, policies)
    assert engine.admit(PLAN, FACTS).mode is Mode.APPLY, engine.problem
    server.kill()
    assert cause(engine) == "unreachable"
    server.start()  # empty now
    assert cause(engine) == "undefined"
    assert engine.admit(PLAN, FACTS).mode is Mode.APPLY


@pytest.mark.opa
def test_opa_stopped(server: OpaServer, policies: Path) -> None:
    telemetry = CountingTelemetry()
    engine = OpaEngine(server.address, policies, telemetry, FakeClock(), timeout=0.3)
    server.pause()
    assert cause(engine) == "timeout"
    assert telemetry.counts[("policy_failed", "timeout")] == 1
    server.resume()
    assert engine.admit(PLAN, FACTS).mode is Mode.APPLY


@pytest.mark.opa
def test_broken_while_running_on_opa(server: OpaServer, policies: Path) -> None:
    engine = remote(server.address, policies)
    before = engine.revision
    (policies / "matrix.rego").write_text("package reconciler\nallow if {")
    assert engine.admit(PLAN, FACTS).mode is Mode.APPLY
    assert (engine.revision, bool(engine.problem)) == (before, True)


@pytest.mark.opa
def test_data_that_is_removed_leaves_opa_too(server: OpaServer, policies: Path) -> None:
    data = policies / "data.yaml"
    text = data.read_text()
    data.write_text(text + "\nteams: {web: [bob]}\n")
    remote(server.address, policies).admit(PLAN, FACTS)
    client = Server(server.address, timeout=5, token=None, ca=None, cert=None)
    client.put_data({"foreign": 1})
    assert client.data("teams") == {"web": ["bob"]}
    data.write_text(text)
    remote(server.address, policies).admit(PLAN, FACTS)  # also a daemon started anew knows what was its own
    assert client.data("teams") is None
    assert client.data("foreign") == 1


def test_broken_while_running_embedded(policies: Path) -> None:
    engine = embedded(policies)
    good = (policies / "matrix.rego").read_text()
    before = engine.admit(PLAN, FACTS)
    (policies / "matrix.rego").write_text("package reconciler\nallow if {")
    assert engine.admit(PLAN, FACTS) == before
    assert "matrix.rego" in engine.problem
    assert not engine.reload()
    (policies / "matrix.rego").write_text(good + "\n")
    assert engine.admit(PLAN, FACTS).revision != before.revision
    assert not engine.problem


def empty(directory: Path) -> None:
    for path in directory.iterdir():
        path.unlink()


def wrong_package(directory: Path) -> None:
    empty(directory)
    (directory / "a.rego").write_text('package other\n\ndecision := {"mode": "apply"}\n')


def no_rule(directory: Path) -> None:
    empty(directory)
    (directory / "a.rego").write_text("package reconciler\n\nallow := true\n")


def broken(directory: Path) -> None:
    (directory / "matrix.rego").write_text("package reconciler\nallow if {")


def broken_data(directory: Path) -> None:
    (directory / "data.yaml").write_text("matrix: [\n")


def bare_yes(directory: Path) -> None:
    empty(directory)
    (directory / "a.rego").write_text('package reconciler\n\ndecision := {"mode": "apply", "allow": true}\n')


@pytest.mark.parametrize(
    ("spoil", "expected"),
    [
        (empty, "empty"),
        (wrong_package, "undefined"),
        (no_rule, "undefined"),
        (broken, "compile"),
        (broken_data, "compile"),
        (bare_yes, "malformed"),
    ],
)
def test_never_any_good_policies(policies: Path, spoil: Break, expected: str) -> None:
    spoil(policies)
    engine = embedded(policies)
    assert cause(engine) == expected
    assert engine.problem


@contextmanager
def answering(body: bytes, status: int = 200) -> Iterator[str]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    httpd = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=httpd.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"http://127.0.0.1:{httpd.server_port}"
    finally:
        httpd.shutdown()
        thread.join()
        httpd.server_close()


@pytest.mark.parametrize(
    ("body", "status", "expected"),
    [
        (b"<html>hello</html>", 200, "malformed"),
        (b"", 200, "malformed"),
        (b"[]", 200, "malformed"),
        (b"{}", 200, "undefined"),
        (b'{"result": true}', 200, "malformed"),
        (b'{"result": {"mode": "apply"}}', 200, "malformed"),
        (b'{"result": {"mode": "yes", "actions": {}, "reasons": [], "checklist": {}}}', 200, "malformed"),
        (b'{"result": {"mode": "apply", "actions": {}, "reasons": [], "checklist": {}}}', 200, "contradictory"),
        (
            b'{"result": {"mode": "deny", "actions": {"X": {"allow": true, "reasons": []}}, "reasons": [],'
            b' "checklist": {}}}',
            200,
            "malformed",
        ),
        (b"{}", 500, "malformed"),
    ],
)
def test_garbage(body: bytes, status: int, expected: str, policies: Path) -> None:
    with answering(body, status) as address:
        engine = OpaEngine(address, policies, CountingTelemetry(), FakeClock(), manage=False)
        assert cause(engine) == expected
