"""The image, the compose file and the unit: what can be known of them without an engine that builds or starts them."""

from __future__ import annotations

import configparser
import http.server
import importlib.machinery
import importlib.util
import json
import re
import shlex
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest
import yaml

from reconciler.settings import PREFIX, Settings, load_settings

ROOT = Path(__file__).parents[2]
COMPOSE = ROOT / "deploy" / "compose.yaml"


def instructions() -> list[tuple[str, str]]:
    text = re.sub(r"(?m)^\s*#.*\n", "", (ROOT / "Dockerfile").read_text()).replace("\\\n", " ")
    return [(word, rest.strip()) for word, _, rest in (line.partition(" ") for line in text.splitlines() if line)]


def final_stage() -> list[tuple[str, str]]:
    every = instructions()
    return every[max(number for number, (word, _) in enumerate(every) if word == "FROM") :]


def last(word: str) -> str:
    return [rest for name, rest in final_stage() if name == word][-1]


def environment_of_the_image() -> dict[str, str]:
    return dict(pair.split("=", 1) for name, rest in final_stage() if name == "ENV" for pair in shlex.split(rest))


def services() -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = yaml.safe_load(COMPOSE.read_text())["services"]
    return found


def settings_with(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, variables: dict[str, str]) -> Settings:
    """The settings that the program would have; a name that isn't a setting raises."""
    monkeypatch.chdir(tmp_path)
    for name, value in variables.items():
        if name.startswith(PREFIX):
            monkeypatch.setenv(name, value)
    return load_settings()


class TestImage:
    def test_every_source_that_is_copied_exists_and_is_not_ignored(self) -> None:
        copied = [rest.split()[:-1] for word, rest in instructions() if word == "COPY" and "--from" not in rest]
        sources = [source for sources in copied for source in sources]
        assert len(sources) > 5
        let_in = {line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")}
        assert "*" in (ROOT / ".dockerignore").read_text().splitlines()
        for source in sources:
            assert (ROOT / source).exists(), source
            assert source in let_in, f"{source} is kept out by .dockerignore"
        assert {source.rstrip("/") for source in sources} == let_in

    def test_what_the_wheel_is_made_of_is_copied(self) -> None:
        import tomllib

        project = tomllib.loads((ROOT / "pyproject.toml").read_text())
        wheel = project["tool"]["hatch"]["build"]["targets"]["wheel"]
        wanted = {*wheel["packages"], *wheel["force-include"], project["project"]["readme"]}
        copied = " ".join(rest for word, rest in instructions() if word == "COPY").split()
        assert wanted <= set(copied)

    def test_it_runs_as_nobody_special_and_starts_the_daemon(self) -> None:
        user = last("USER")
        assert re.fullmatch(r"[1-9]\d{3,}:[1-9]\d{3,}", user), "a number, so that runAsNonRoot can be checked"
        words = [word for word, _ in final_stage()]
        assert words.index("USER") > max(number for number, word in enumerate(words) if word == "RUN")
        assert (json.loads(last("ENTRYPOINT")), json.loads(last("CMD"))) == (["reconciler"], ["run"])
        assert last("STOPSIGNAL") == "SIGTERM"

    def test_packages_are_wheels_with_hashes_and_the_final_stage_has_no_build_tools(self) -> None:
        installs = [part for word, rest in instructions() if word == "RUN" for part in rest.split("&&")]
        from_outside = [part for part in installs if "pip install" in part and "--no-index" not in part]
        assert from_outside
        assert all("--require-hashes" in part and "--only-binary :all:" in part for part in from_outside)
        runs = " ".join(rest for word, rest in final_stage() if word == "RUN")
        (packages,) = re.findall(r"apt-get install ([^&]+)&&", runs)
        names = {name for name in packages.split() if not name.startswith("-")}
        assert names == {"ca-certificates", "git", "openssh-client"}
        assert "pip" not in runs

    def test_its_environment_is_a_configuration_that_writes_only_below_its_volume(
        self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        settings = settings_with(monkeypatch, tmp_path, environment_of_the_image())
        (volume,) = json.loads(last("VOLUME"))
        assert settings.state_dir.is_relative_to(volume)
        assert settings.http.port == int(last("EXPOSE"))
        assert settings.http.token is None
        assert last("WORKDIR") == volume == environment_of_the_image()["HOME"]

    @pytest.mark.parametrize(("status", "healthy"), [(200, True), (503, False), (None, False)])
    def test_the_health_check_tells_alive_from_dead(self, status: int | None, healthy: bool) -> None:
        _, _, command = last("HEALTHCHECK").partition("CMD ")
        program, *arguments = json.loads(command)
        assert program == "python"
        assert ":9595/healthz" in arguments[-1]

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self.send_response(status or 500)
                self.end_headers()

            def log_message(self, *_: object) -> None:
                """Silent."""

        with http.server.HTTPServer(("127.0.0.1", 0), Handler) as server:
            if status is None:
                server.socket.close()
            else:
                threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
            arguments[-1] = arguments[-1].replace("9595", str(server.server_port))
            done = subprocess.run([sys.executable, *arguments], capture_output=True, timeout=20, check=False)
            if status is not None:
                server.shutdown()
        assert (done.returncode == 0) is healthy


class TestLocks:
    @pytest.mark.parametrize(
        ("file", "roots"), [("requirements.run.lock", "runtime"), ("requirements.build.lock", "hatchling")]
    )
    def test_a_part_of_the_lock_is_as_the_script_makes_it(self, file: str, roots: str) -> None:
        loader = importlib.machinery.SourceFileLoader("sublock", str(ROOT / "scripts" / "sublock"))
        spec = importlib.util.spec_from_loader("sublock", loader)
        assert spec is not None
        module = importlib.util.module_from_spec(spec)
        loader.exec_module(module)
        assert module.main([roots]) == (ROOT / file).read_text(), f"run: scripts/sublock {roots} > {file}"

    def test_the_image_has_no_emulator_and_no_test_tools(self) -> None:
        names = set(re.findall(r"(?m)^([\w.-]+)==", (ROOT / "requirements.run.lock").read_text()))
        assert {"boto3", "regopy", "uvicorn"} <= names
        assert not names & {"moto", "pytest", "mypy", "ruff", "hypothesis", "hatchling"}


class TestCompose:
    def test_everything_mounted_or_built_exists(self) -> None:
        mounts = [mount for service in services().values() for mount in service.get("volumes", ())]
        binds = [COMPOSE.parent / mount["source"] for mount in mounts if mount["type"] == "bind"]
        assert {path.resolve() for path in binds} == {
            ROOT / "desired",
            ROOT / "policies",
            ROOT / "deploy" / "prometheus",
        }
        assert all(path.is_dir() for path in binds)
        build = services()["reconciler"]["build"]
        assert (COMPOSE.parent / build["context"] / build["dockerfile"]).is_file()
        named = {mount["source"] for mount in mounts if mount["type"] == "volume"}
        assert named == yaml.safe_load(COMPOSE.read_text())["volumes"].keys()

    def test_nothing_is_published_beyond_loopback(self) -> None:
        ports = [port for service in services().values() for port in service.get("ports", ())]
        assert "127.0.0.1:9595:9595" in ports
        assert all(port.startswith("127.0.0.1:") for port in ports)

    def test_every_service_is_confined_and_every_image_has_a_version(self) -> None:
        for name, service in services().items():
            assert service["cap_drop"] == ["ALL"], name
            assert service["read_only"] is True, name
            assert "no-new-privileges:true" in service["security_opt"], name
            assert re.search(r":v?\d+\.\d+\.\d+", service["image"]), name

    def test_opa_is_the_version_that_the_tests_run_against(self) -> None:
        (version,) = re.findall(r"OPA_VERSION:-([\d.]+)", (ROOT / "scripts" / "get-opa").read_text())
        assert services()["opa"]["image"] == f"openpolicyagent/opa:{version}-static"

    def test_only_the_daemon_reaches_opa(self) -> None:
        networks = yaml.safe_load(COMPOSE.read_text())["networks"]
        assert networks["policy"] == {"internal": True}
        assert {name for name, service in services().items() if "policy" in service.get("networks", ())} == {
            "opa",
            "reconciler",
        }
        assert services()["opa"]["networks"] == ["policy"]
        assert "ports" not in services()["opa"]

    def test_the_daemons_environment_is_a_configuration_that_asks_opa(
        self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        given = services()["reconciler"]["environment"]
        samples = {"RECONCILER_AWS__ROLE_PATTERN": "arn:aws:iam::{account}:role/reconciler"}
        variables = {name: value if value is not None else samples.get(name, "x") for name, value in given.items()}
        settings = settings_with(monkeypatch, tmp_path, {**environment_of_the_image(), **variables})
        assert settings.policy.engine == "opa"
        assert settings.policy.opa.address == "http://opa:8181"
        targets = {mount["target"]: mount for mount in services()["reconciler"]["volumes"]}
        assert targets[str(settings.source.path)]["read_only"] is True
        assert targets[str(settings.policy.directory)]["read_only"] is True
        assert any(mount["type"] == "volume" and settings.state_dir.is_relative_to(at) for at, mount in targets.items())
        grace = float(services()["reconciler"]["stop_grace_period"].removesuffix("s"))
        assert grace > settings.daemon.grace_period


class TestUnit:
    def unit(self) -> configparser.ConfigParser:
        # not strict: systemd lets a key be given again
        parser = configparser.ConfigParser(strict=False, interpolation=None, delimiters="=")
        parser.optionxform = str  # type: ignore[assignment,method-assign]
        parser.read(ROOT / "deploy" / "systemd" / "reconciler.service")
        return parser

    def test_it_is_confined(self) -> None:
        service = self.unit()["Service"]
        assert service["DynamicUser"] == "yes"
        assert service["ProtectSystem"] == "strict"
        assert service["NoNewPrivileges"] == "yes"
        assert service["CapabilityBoundingSet"] == ""

    def test_it_starts_reloads_and_stops_the_daemon(self) -> None:
        service = self.unit()["Service"]
        assert service["ExecStart"].split()[1:3] == ["run", "--config"]
        assert "-HUP $MAINPID" in service["ExecReload"]
        assert float(service["TimeoutStopSec"]) > Settings().daemon.grace_period
        assert service["StateDirectory"] == "reconciler"
