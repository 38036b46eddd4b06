"""Log lines: one JSON object each, for machines; readable on a terminal; never a secret."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator
from datetime import datetime
from typing import Any

import pytest
import structlog

from reconciler.model.change import Action, Change
from reconciler.model.ids import LogicalId, TypeName
from reconciler.model.values import Sensitive, Unknown
from reconciler.status import logs

SECRET = "hunter2-never-logged"


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture(autouse=True)
def restored() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.reset_defaults()
    structlog.contextvars.clear_contextvars()


def lines(stream: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def logged(**fields: object) -> dict[str, Any]:
    stream = io.StringIO()
    logs.configure(style="json", stream=stream)
    structlog.get_logger("reconciler.test").info("something happened", **fields)
    [line] = lines(stream)
    assert SECRET not in stream.getvalue()
    return line


def test_a_line_is_one_json_object_with_time_level_and_logger() -> None:
    line = logged(plan="web", text='a "quoted"\nline ä😀', number=3)
    assert list(line)[:3] == ["timestamp", "level", "event"]
    assert datetime.fromisoformat(line.pop("timestamp")).tzinfo is not None
    assert line == {
        "level": "info",
        "event": "something happened",
        "logger": "reconciler.test",
        "plan": "web",
        "text": 'a "quoted"\nline ä😀',
        "number": 3,
    }


def test_the_run_is_on_every_line_logged_meanwhile_whoever_logs() -> None:
    stream = io.StringIO()
    logs.configure(style="json", stream=stream)
    with structlog.contextvars.bound_contextvars(run="run-1", plan="web"):
        structlog.get_logger("a").info("ours")
        logging.getLogger("b").warning("theirs: %s", "x")
    structlog.get_logger("a").info("after")
    ours, theirs, after = lines(stream)
    assert (ours["run"], theirs["run"], theirs["plan"]) == ("run-1", "run-1", "web")
    assert theirs["event"] == "theirs: x"
    assert theirs["logger"] == "b"
    assert "run" not in after


@pytest.mark.parametrize(
    "key",
    [
        "password",
        "db_password",
        "token",
        "apiKey",
        "api_key",
        "clientSecret",
        "SECRET",
        "Authorization",
        "private_key",
        "aws_secret_access_key",
        "sessionToken",
        "http.token",
        "passphrase",
        "credentials",
    ],
)
def test_a_value_under_a_secret_name_is_masked_at_any_depth(key: str) -> None:
    line = logged(**{key: SECRET}, deep={"list": [{key: SECRET}]})
    assert line[key] == "(sensitive)"
    assert line["deep"] == {"list": [{key: "(sensitive)"}]}


@pytest.mark.parametrize("key", ["token_count", "secret_arn", "keys", "tokens_left", "monkey", "key"])
def test_a_name_that_only_resembles_a_secrets_is_shown(key: str) -> None:
    assert logged(**{key: "shown"})[key] == "shown"


def test_sensitive_values_are_masked_wherever_they_are() -> None:
    change = Change(LogicalId("Db"), TypeName("T"), Action.UPDATE, after={"Password": Sensitive(SECRET)})
    line = logged(direct=Sensitive(SECRET), nested=[{"a": (Sensitive(SECRET), Unknown("Vpc.Id"))}], change=change)
    assert line["direct"] == "(sensitive)"
    assert line["nested"] == [{"a": ["(sensitive)", "(known after apply)"]}]
    assert line["change"]["after"] == {"Password": "(sensitive)"}


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        (f"https://bob:{SECRET}@git.example.com/x.git", "https://(sensitive)@git.example.com/x.git"),
        (f"postgresql://:{SECRET}@db/x failed", "postgresql://(sensitive)@db/x failed"),
        (f"Authorization: Bearer {SECRET}", "Authorization: Bearer (sensitive)"),
        ("https://example.com:8080/a@b", "https://example.com:8080/a@b"),
        ("git@example.com:x/y.git", "git@example.com:x/y.git"),
    ],
)
def test_credentials_inside_texts_are_masked(text: str, shown: str) -> None:
    assert logged(text=text)["text"] == shown
    assert logged(error=ValueError(text))["error"] == shown


def test_an_exceptions_text_is_masked_too_and_shows_no_variables() -> None:
    stream = io.StringIO()
    logs.configure(style="json", stream=stream)
    local = SECRET
    try:
        raise ValueError(f"clone https://bob:{local}@host/x failed")
    except ValueError:
        structlog.get_logger().exception("it broke")
    assert SECRET not in stream.getvalue()
    [line] = lines(stream)
    assert line["level"] == "error"
    assert "ValueError: clone https://(sensitive)@host/x failed" in line["exception"]


def test_values_that_are_not_json_become_text_instead_of_an_error() -> None:
    line = logged(at=datetime(2026, 1, 1), names=frozenset({"b", "a"}), odd=object, action=Action.CREATE)  # noqa: DTZ001 - any
    assert line["at"] == "2026-01-01T00:00:00"
    assert line["names"] == ["a", "b"]
    assert line["odd"] == "<class 'object'>"
    assert line["action"] == "create"


def test_colour_appears_on_a_terminal_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    terminal, file = Terminal(), io.StringIO()
    for stream in (terminal, file):
        logs.configure(style="console", stream=stream)
        structlog.get_logger().info("hello", plan="web")
    assert "\x1b[" in terminal.getvalue()
    assert "\x1b[" not in file.getvalue()
    assert "hello" in file.getvalue() and "plan=web" in file.getvalue()
    monkeypatch.setenv("NO_COLOR", "1")
    plain = Terminal()
    logs.configure(style="console", stream=plain)
    structlog.get_logger().info("hello")
    assert "\x1b[" not in plain.getvalue()


def test_auto_writes_for_people_on_a_terminal_and_json_elsewhere() -> None:
    terminal, file = Terminal(), io.StringIO()
    for stream in (terminal, file):
        logs.configure(stream=stream)
        structlog.get_logger().info("hello")
    assert not terminal.getvalue().startswith("{")
    assert lines(file)[0]["event"] == "hello"


def test_the_level_holds_for_both_kinds_of_loggers_and_may_change_later() -> None:
    stream = io.StringIO()
    logger = structlog.get_logger("x")
    logs.configure(level="warning", style="json", stream=stream)
    logger.info("hidden")
    logging.getLogger("y").info("hidden")
    logger.warning("shown")
    logs.configure(level="debug", style="json", stream=stream)
    logger.debug("shown")
    logging.getLogger("y").debug("shown")
    assert [line["event"] for line in lines(stream)] == ["shown"] * 3


@pytest.mark.parametrize("name", ["botocore.auth", "urllib3.connectionpool", "git.cmd", "apscheduler.scheduler"])
def test_libraries_that_log_credentials_stay_quiet_even_when_debugging(name: str) -> None:
    stream = io.StringIO()
    logs.configure(level="debug", style="json", stream=stream)
    logging.getLogger(name).debug("CanonicalRequest: %s", SECRET)
    logging.getLogger(name).error("shown")
    assert [line["event"] for line in lines(stream)] == ["shown"]


def test_configuring_twice_logs_once() -> None:
    stream = io.StringIO()
    logs.configure(style="json", stream=stream)
    logs.configure(style="json", stream=stream)
    logging.getLogger("x").warning("once")
    assert len(lines(stream)) == 1


@pytest.mark.parametrize("arguments", [{"level": "loud"}, {"style": "xml"}])
def test_an_unknown_setting_is_refused(arguments: dict[str, str]) -> None:
    with pytest.raises(ValueError, match="use one of"):
        logs.configure(**arguments)
