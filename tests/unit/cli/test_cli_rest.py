"""The other commands, the command line itself, and how long its help takes."""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
from cli_fakes import a_report

from reconciler.cli.commands.approvals import expiry
from reconciler.model.codec import to_json
from reconciler.model.errors import ConfigurationError
from reconciler.model.ids import PlanName, RequestId, RunId
from reconciler.model.report import PlanState, Receipt
from reconciler.testing.memory import START
from reconciler.testing.samples import a_status

ROOT = Path(__file__).parents[3]


def process(*arguments: str, cwd: Path | None = None, **env: str) -> subprocess.CompletedProcess[str]:
    code = "from reconciler.cli import main; main()"
    return subprocess.run(
        [sys.executable, "-c", code, *arguments],
        capture_output=True,
        text=True,
        cwd=cwd,
        env={**os.environ, "PYTHONPATH": str(ROOT), **env},
        timeout=60,
        check=False,
    )


def test_help_is_quick() -> None:
    """CPU time, which is the wall clock's on a machine that has nothing else to do."""
    times = []
    for _ in range(5):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        assert process("--help").returncode == 0
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        times.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    assert min(times) < 0.4, times


def test_nothing_heavy_is_imported_for_help() -> None:
    code = (
        "import sys; sys.argv = ['reconciler', '--help']\n"
        "from reconciler.cli import main\n"
        "try: main()\n"
        "except SystemExit: print(*sys.modules, file=sys.stderr)"
    )
    result = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        check=True,
    )
    heavy = {
        "boto3",
        "botocore",
        "cfnlint",
        "sqlalchemy",
        "fastapi",
        "git",
        "regopy",
        "moto",
        "opa_client",
        "pydantic",
        "rich",
    }
    assert not heavy & set(result.stderr.split())


def test_every_command_has_help(cli: Any) -> None:
    top = cli("--help").stdout
    for command in (
        ["run"], ["demo"], ["validate"], ["diff"], ["apply"], ["sync"], ["approve"], ["digest"], ["status"],
        ["history"], ["report"], ["import"], ["policy", "test"], ["policy", "check"], ["config", "show"],
    ):  # fmt: skip
        assert command[0] in top
        result = cli(*command, "--help")
        assert result.exit_code == 0
        assert "Usage:" in result.stdout


def test_version(cli: Any) -> None:
    result = cli("--version")
    assert result.exit_code == 0
    assert result.stdout.startswith("reconciler ")


def test_debug_is_understood_anywhere(tmp_path: Path) -> None:
    plain = process("config", "show", "--config", "nowhere.yaml", cwd=tmp_path)
    assert plain.returncode == 1
    assert plain.stderr.strip() == "Error: nowhere.yaml: can't be read: No such file or directory"
    traced = process("config", "show", "--config", "nowhere.yaml", "--debug", cwd=tmp_path)
    assert traced.returncode == 1
    assert "Traceback" in traced.stderr


def test_config_is_understood_before_and_after_the_command(tmp_path: Path) -> None:
    (tmp_path / "x.yaml").write_text("http: {port: 9600, token: hush}\n")
    for arguments in (("--config", "x.yaml", "config", "show"), ("config", "show", "--config", "x.yaml")):
        result = process(*arguments, cwd=tmp_path)
        assert result.returncode == 0
        assert "port: 9600" in result.stdout
        assert "hush" not in result.stdout


def test_a_reader_that_goes_away_is_no_error(tmp_path: Path) -> None:
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = f"{sys.executable} -c 'from reconciler.cli import main; main()' config show | true"
    result = subprocess.run(["bash", "-c", command], capture_output=True, text=True, cwd=tmp_path, env=env, check=False)
    assert "Traceback" not in result.stderr
    assert "Exception ignored" not in result.stderr


# status, history, report


def test_status_needs_no_daemon(cli: Any) -> None:
    assert "No plan has had a pass yet." in cli("status").stdout
    cli.app.store.save_status(a_status("web"))
    result = cli("status")
    assert result.exit_code == 0
    assert "web" in result.stdout
    assert cli("status", "web").stdout.startswith("Plan web")


def test_status_of_an_unknown_plan_exits_1(cli: Any) -> None:
    for output in ("table", "json"):
        result = cli("status", "nope", "--output", output)
        assert result.exit_code == 1
        assert "nothing is known of a plan named nope" in result.stderr


def test_status_as_json_has_the_receipts(cli: Any) -> None:
    cli.app.store.save_status(a_status("web"))
    cli.app.store.save_receipt(Receipt(RequestId("req-1"), "SIGHUP", START))
    data = json.loads(cli("status", "-o", "json").stdout)
    assert [plan["plan"] for plan in data["plans"]] == ["web"]
    assert data["requests"][0]["id"] == "req-1"
    assert json.loads(cli("status", "web", "-o", "json").stdout)["plan"] == "web"


def test_watching_goes_on_until_interrupted(cli: Any) -> None:
    looks = []

    def pause(seconds: float) -> None:
        looks.append(seconds)
        if len(looks) == 3:
            raise KeyboardInterrupt

    cli.app.clock.sleep = pause
    result = cli("status", "--watch", "--interval", "1")
    assert result.exit_code == 130
    assert looks == [1, 1, 1]
    assert result.stdout.count("No plan has had a pass yet.") == 3


def test_history_and_report(cli: Any) -> None:
    cli.app.store.save_run(a_report(PlanState.FAILED, error="no"))
    assert "failed" in cli("history", "web").stdout
    assert json.loads(cli("history", "web", "-o", "json").stdout)["runs"][0]["run"] == "run-1"
    assert "ERROR: Execution failed" in cli("report", "run-1").stdout
    assert json.loads(cli("report", "run-1", "-o", "json").stdout)["error"] == "no"


@pytest.mark.parametrize("arguments", [("history", "nope"), ("report", "nope"), ("digest", "nope")])
def test_what_is_not_there_exits_1(cli: Any, arguments: tuple[str, ...]) -> None:
    result = cli(*arguments)
    assert result.exit_code == 1
    assert result.stderr.startswith("Error: no")


def test_digest(cli: Any) -> None:
    plan = cli.app.source.snapshot.plans[PlanName("web")]
    assert cli("digest", "web").stdout.strip() == plan.digest
    assert json.loads(cli("digest", "web", "-o", "json").stdout)["digest"] == plan.digest


# policy


def test_policy_check_shows_the_matrix(cli: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("reconciler.policy.binary.opa_binary", lambda: None)
    result = cli("policy", "check")
    assert result.exit_code == 0
    assert ["production", "read-only", "allowed"] in [line.split() for line in result.stdout.splitlines()]
    assert ["sandbox", "allowed", "denied"] in [line.split() for line in result.stdout.splitlines()]
    assert json.loads(cli("policy", "check", "-o", "json").stdout)["revision"] == "rev"


def test_policy_check_fails_when_policies_do_not_compile(cli: Any) -> None:
    cli.app.policy.problem = "x.rego:1: oops"
    result = cli("policy", "check")
    assert result.exit_code == 1
    assert "x.rego:1: oops" in result.stderr


def test_policy_test_fails_for_a_failed_test_and_for_none(cli: Any, tmp_path: Path) -> None:
    (tmp_path / "policies").mkdir()
    (tmp_path / "policies" / "x.rego").write_text("package x\nyes := true\n")
    assert cli("policy", "test").exit_code == 1
    test = tmp_path / "policies" / "x_test.rego"
    test.write_text("package x_test\nimport data.x\ntest_yes if x.yes\n")
    good = cli("policy", "test")
    assert (good.exit_code, good.stdout.strip()) == (0, "1 of 1 Rego tests passed")
    test.write_text("package x_test\nimport data.x\ntest_no if not x.yes\n")
    bad = cli("policy", "test")
    assert bad.exit_code == 1
    assert "test_no" in bad.stderr


# approvals


@pytest.mark.parametrize(("text", "seconds"), [("30d", 30 * 86400), ("2h", 7200), ("2026-11-23T10:00:00Z", 3600)])
def test_expiry(text: str, seconds: float) -> None:
    assert (expiry(text, START) - START).total_seconds() == seconds


@pytest.mark.parametrize("text", ["soon", "2026-11-23T10:00:00", "99999999999d", ""])
def test_not_an_expiry(text: str) -> None:
    with pytest.raises(ConfigurationError, match="--expires"):
        expiry(text, START)


# sync


class Api(BaseHTTPRequestHandler):
    """Accepts a request, and answers it when it is asked for the third time."""

    asked: list[tuple[str, str, Any]]
    answer: tuple[int, bytes] | None
    outcome: PlanState

    def log_message(self, *_: Any) -> None:
        return

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        type(self).asked.append((self.path, self.headers.get("Authorization", ""), body))
        self._reply(202, False)

    def do_GET(self) -> None:
        type(self).asked.append((self.path, "", None))
        self._reply(200, len(type(self).asked) >= 3)

    def _reply(self, code: int, answered: bool) -> None:
        web = PlanName("web")
        receipt = Receipt(RequestId("req-1"), "api", START, (web,))
        if answered:
            runs, outcomes = {web: RunId("run-7")}, {web: type(self).outcome}
            receipt = Receipt(RequestId("req-1"), "api", START, (web,), runs, outcomes, START)
        code, data = type(self).answer or (code, to_json(receipt).encode())
        self.send_response(code)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)


@pytest.fixture
def api(monkeypatch: pytest.MonkeyPatch) -> Iterator[type[Api]]:
    class Fresh(Api):
        asked: list[tuple[str, str, Any]] = []  # noqa: RUF012 - a class of its own for each test
        answer = None
        outcome = PlanState.IN_SYNC

    server = HTTPServer(("127.0.0.1", 0), Fresh)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    monkeypatch.setenv("RECONCILER_HTTP__PORT", str(server.server_port))
    monkeypatch.setenv("RECONCILER_HTTP__TOKEN", "s3cr3t")
    yield Fresh
    server.shutdown()
    server.server_close()


def test_sync_waits_for_the_answer(cli: Any, api: type[Api]) -> None:
    result = cli("sync", "web")
    assert result.exit_code == 0
    assert api.asked[0] == ("/api/v1/sync", "Bearer s3cr3t", {"plans": ["web"]})
    assert api.asked[1][0] == "/api/v1/requests/req-1"
    assert "- web: in_sync (run run-7)" in result.stdout


def test_sync_without_waiting(cli: Any, api: type[Api]) -> None:
    result = cli("sync", "--no-wait", "-o", "json")
    assert result.exit_code == 0
    assert api.asked == [("/api/v1/sync", "Bearer s3cr3t", {})]
    assert json.loads(result.stdout)["answered_at"] is None


def test_a_sync_whose_pass_failed_or_that_is_not_answered_in_time_exits_1(cli: Any, api: type[Api]) -> None:
    assert cli("sync", "--timeout", "0s").exit_code == 1
    api.outcome = PlanState.FAILED
    assert cli("sync").exit_code == 1


@pytest.mark.parametrize(
    ("code", "body", "said"),
    [
        (401, b'{"error": {"code": "unauthorized", "message": "a valid bearer token is needed"}}', "bearer token"),
        (404, b'{"error": {"code": "not_found", "message": "no plan"}}', "answers 404: no plan"),
        (500, b"<html>", "answers 500"),
        (200, b"<html>hello</html>", "is not this program's API"),
        (200, b'{"a": 1}', "is not this program's API"),
    ],
)
def test_a_sync_that_is_refused_says_why(cli: Any, api: type[Api], code: int, body: bytes, said: str) -> None:
    api.answer = (code, body)
    result = cli("sync")
    assert result.exit_code == 1
    assert said in result.stderr
    assert "s3cr3t" not in result.stderr


def test_sync_without_a_daemon_says_what_to_do(cli: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RECONCILER_HTTP__PORT", "1")
    result = cli("sync")
    assert result.exit_code == 1
    assert "start it with `reconciler run`" in result.stderr
