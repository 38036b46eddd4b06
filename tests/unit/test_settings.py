"""The configuration: defaults, file, environment, and what a wrong one is told."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.durations import format_duration, parse_duration
from reconciler.model.errors import ConfigurationError
from reconciler.model.urls import credentials, without_password
from reconciler.settings import Settings, load_settings


@pytest.fixture(autouse=True)
def _alone(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    import os

    for name in [name for name in os.environ if name.startswith("RECONCILER_")]:
        monkeypatch.delenv(name)


def write(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "reconciler.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def refusal(path: Path | None = None) -> str:
    with pytest.raises(ConfigurationError) as caught:
        load_settings(path)
    return str(caught.value)


def test_defaults_work_in_a_checkout() -> None:
    settings = load_settings()
    assert settings.source.path == Path("desired")
    assert settings.policy.directory == Path("policies")
    assert settings.policy.engine == "auto"
    assert settings.store_url == "sqlite:///var/reconciler.db"
    assert settings.allowed_signers == Path("policies/allowed_signers")
    assert settings.aws.writable_environments == ("sandbox", "development")
    assert (settings.http.host, settings.http.port) == ("127.0.0.1", 9595)
    assert settings.daemon.interval == 300
    assert settings.poll_interval == settings.daemon.poll


def test_the_file_in_the_working_directory_is_found(tmp_path: Path) -> None:
    write(tmp_path, "http: {port: 9600}\n")
    assert load_settings().http.port == 9600


def test_a_named_file_wins_over_the_variable_and_both_over_the_default(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path, "http: {port: 1}\n")
    (tmp_path / "two.yaml").write_text("http: {port: 2}\n")
    (tmp_path / "three.yaml").write_text("http: {port: 3}\n")
    monkeypatch.setenv("RECONCILER_CONFIG", str(tmp_path / "two.yaml"))
    assert load_settings().http.port == 2
    assert load_settings(tmp_path / "three.yaml").http.port == 3


def test_the_environment_wins_field_by_field(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path, "aws: {threads: 3, read_timeout: 7s}\n")
    monkeypatch.setenv("RECONCILER_AWS__THREADS", "5")
    monkeypatch.setenv("RECONCILER_AWS__WRITABLE_ENVIRONMENTS", "sandbox, test")
    monkeypatch.setenv("RECONCILER_STATE_DIR", "/tmp/state")
    settings = load_settings()
    assert settings.aws.threads == 5
    assert settings.aws.read_timeout == 7
    assert settings.aws.writable_environments == ("sandbox", "test")
    assert settings.store_url == "sqlite:////tmp/state/reconciler.db"


def test_arguments_win_over_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RECONCILER_STATE_DIR", "/tmp/state")
    assert Settings(state_dir=Path("here")).state_dir == Path("here")


def test_no_environment_may_be_written_is_expressible(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RECONCILER_AWS__WRITABLE_ENVIRONMENTS", "")
    assert load_settings().aws.writable_environments == ()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("htp: {}\n", "reconciler.yaml:1: htp: unknown field; did you mean http?"),
        ("http:\n  prot: 1\n", "reconciler.yaml:2: http.prot: unknown field; did you mean port?"),
        ("source:\n  git:\n    ulr: x\n", "reconciler.yaml:3: source.git.ulr: unknown field; did you mean url?"),
        ("daemon:\n\n  interval: 5 minutes\n", "reconciler.yaml:3: daemon.interval: '5 minutes' is not a duration"),
        ("daemon: {interval: 0}\n", "daemon.interval: Input should be greater than 0"),
        ("http: {port: 70000}\n", "http.port: Input should be less than or equal to 65535"),
        ("policy: {engine: opal}\n", "policy.engine: Input should be 'auto', 'embedded' or 'opa'"),
        ("aws: {role_pattern: 'arn:{acount}'}\n", "aws.role_pattern: unknown placeholder {acount}"),
        ("pipeline: {branch: 'x/{plan'}\n", "pipeline.branch: 'x/{plan' is not a template"),
        ("http: {port: 1}\nhttp: {port: 2}\n", "reconciler.yaml:2: http: given twice, first on line 1"),
        ("- a\n", "must hold a mapping"),
        ("a: [\n", "not valid YAML"),
        ("a: !!python/object:os.system x\n", "not valid YAML"),
        ("? {a: 1}\n: x\n", "reconciler.yaml"),
        ("a: &a [*a]\n", "reconciler.yaml"),
    ],
)
def test_a_wrong_file_is_refused_with_its_place(tmp_path: Path, text: str, said: str) -> None:
    write(tmp_path, text)
    assert said in refusal()


def test_every_problem_is_told_at_once(tmp_path: Path) -> None:
    write(tmp_path, "http: {prot: 1, port: x}\nstor: {}\n")
    assert len(refusal().splitlines()) == 3


def test_a_missing_unreadable_or_binary_file_is_refused(tmp_path: Path) -> None:
    assert "nowhere.yaml: can't be read: No such file" in refusal(tmp_path / "nowhere.yaml")
    assert "can't be read" in refusal(tmp_path)
    (tmp_path / "binary.yaml").write_bytes(b"\xff\xfe\x00")
    assert "not UTF-8" in refusal(tmp_path / "binary.yaml")


def test_a_huge_file_is_refused(tmp_path: Path) -> None:
    assert "larger than" in refusal(write(tmp_path, "#" * 1_000_001))


def test_a_yaml_bomb_is_refused(tmp_path: Path) -> None:
    layers = "\n".join(f"l{n}: &l{n} [{', '.join([f'*l{n - 1}'] * 9)}]" for n in range(1, 9))
    assert "repeat themselves" in refusal(write(tmp_path, f"l0: &l0 [x]\n{layers}\n"))


def test_a_wrong_variable_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RECONCILER_DAEMON__WORKRES", "2")
    assert refusal() == "environment variable RECONCILER_DAEMON__WORKRES: unknown field; did you mean workers?"


def test_variables_that_an_orchestrator_sets_are_ignored(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RECONCILER_SERVICE_HOST", "10.0.0.1")
    monkeypatch.setenv("RECONCILER_PORT_9595_TCP", "tcp://10.0.0.1:9595")
    assert load_settings().http.port == 9595


def test_secrets_are_masked_wherever_the_configuration_is_shown(tmp_path: Path) -> None:
    secret = "s3cr3t"
    write(
        tmp_path,
        f"""
http: {{token: {secret}}}
policy: {{opa: {{address: "http://u:{secret}@opa:8181", token: {secret}}}}}
store: {{url: "postgresql://user:{secret}@db/x?sslpassword={secret}"}}
source: {{git: {{url: "https://oauth2:{secret}@example.com/x.git"}}}}
""",
    )
    settings = load_settings()
    shown = json.dumps(settings.shown())
    assert secret not in shown
    assert "db/x" in shown
    assert settings.store_url.count(secret) == 2
    for section in (settings.http, settings.store):
        assert secret not in repr(section)


def test_a_wrong_secret_is_not_repeated(tmp_path: Path) -> None:
    write(tmp_path, "http:\n  token: [s3cr3t]\n")
    assert "s3cr3t" not in refusal()


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("5m", 300), ("1h30m", 5400), ("250ms", 0.25), ("90", 90), (2, 2), (0.5, 0.5), ("1.5h", 5400), ("2D", 172800)],
)
def test_durations(text: object, seconds: float) -> None:
    assert parse_duration(text) == seconds


@pytest.mark.parametrize("text", ["", "m", "5 m", "-5s", "5x", "1h-3m", True, None, "1e9", "٣m"])
def test_not_durations(text: object) -> None:
    with pytest.raises(ValueError, match="not a duration"):
        parse_duration(text)


@given(st.integers(min_value=0, max_value=10**9))
def test_a_duration_written_is_read_back(milliseconds: int) -> None:
    assert round(parse_duration(format_duration(milliseconds / 1000)) * 1000) == milliseconds


@pytest.mark.parametrize(
    ("url", "found"),
    [
        ("https://bob:s3cret-word@example.com/x.git", {"s3cret-word"}),
        ("postgresql://u:data/b%40se@host/db", {"data/b%40se", "data/b@se"}),
        ("https://ghp_0123456789abcdef@example.com/x.git", {"ghp_0123456789abcdef"}),
        ("ssh://deploy@example.com/x.git", set()),
        ("https://example.com:8443/a@b", set()),
    ],
)
def test_passwords_in_urls_are_found_and_left_out(url: str, found: set[str]) -> None:
    assert set(credentials(url)) == found
    assert not [secret for secret in found if secret in without_password(url)]
    assert "example.com" in without_password(url) or "host" in without_password(url)


def test_tokens_are_named_and_never_written_down(tmp_path: Path) -> None:
    text = "pipeline: {credentials: {token_env: INFRA_TOKEN, token_file: /run/token}}"
    assert "pipeline.credentials: token_env and token_file exclude each other" in refusal(write(tmp_path, text))
    text = "pipeline: {credentials: {token: s3cr3t-t0k3n}}"
    said = refusal(write(tmp_path, text))
    assert "pipeline.credentials.token: unknown field" in said
    assert "s3cr3t" not in said
    settings = load_settings(write(tmp_path, "pipeline: {pull_requests: {token_file: /run/token, labels: 'a, b'}}"))
    assert (settings.pipeline.pull_requests.token_file, settings.pipeline.pull_requests.labels) == (
        Path("/run/token"),
        ("a", "b"),
    )


@pytest.mark.parametrize(
    ("api", "good"),
    [
        ("https://github.example.com/api/v3", True),
        ("http://127.0.0.1:8080/api/v3", True),
        ("http://localhost/api", True),
        ("http://github.example.com/api/v3", False),
        ("http://127.0.0.1.evil.example.org/", False),
        ("ftp://github.example.com", False),
    ],
)
def test_a_token_goes_nowhere_in_the_clear(tmp_path: Path, api: str, good: bool) -> None:
    path = write(tmp_path, f"pipeline: {{pull_requests: {{api: '{api}'}}}}")
    if good:
        assert load_settings(path).pipeline.pull_requests.api == api
    else:
        assert "pipeline.pull_requests.api: the token goes there, so it must be https" in refusal(path)
