"""Planted secrets never come out again, whatever happens and whoever quotes them: AWS alone receives them.

Everything is searched: what commands print (with --debug, logs at debug level), log files, every file and row and Git
object of the installation, what a policy engine is asked, what the API answers.
"""

from __future__ import annotations

import json
from typing import Any

import pytest
from git import Repo

from reconciler.clock import SystemClock
from reconciler.model.secrecy import MASK
from reconciler.providers.native.ssm import Parameter
from tests.e2e.canaries import (
    CANARIES,
    DATABASE,
    FOREIGN,
    GIT,
    GIVEN,
    PLAN,
    SECURE,
    STORED,
    UPDATED,
    WRITTEN,
    Watch,
    drift,
    echo,
    hits,
    parameter,
    spellings,
    template,
    values,
)
from tests.e2e.conftest import SANDBOX, Lab
from tests.e2e.running import REGION
from tests.e2e.test_production import branches

#: Refuses everything and repeats all that it was told.
ECHO = """package reconciler

items := {"approved", "guardrail", "environment", "profile_and_region", "permissions", "rollback"}

decision := {
	"mode": MODE,
	"actions": {action.id: {"allow": true, "reasons": [json.marshal(action)]} | some action in input.actions},
	"reasons": [{"rule": json.marshal(input), "message": json.marshal(input)}],
	"checklist": {item: {"ok": true, "message": json.marshal(input)} | some item in items},
}
"""


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing here is about time."""
    monkeypatch.setattr(SystemClock, "sleep", lambda _clock, _seconds: None)


@pytest.fixture
def watch(lab: Lab) -> Watch:
    return Watch(lab)


def test_the_search_finds_what_it_looks_for(watch: Watch, lab: Lab) -> None:
    for canary in CANARIES:
        for text in spellings(canary):
            assert list(hits(f"a {text} b".encode())), text
    assert list(hits(f"{SECURE[:5]}  \n   {SECURE[5:]}".encode()))
    watch.write()
    assert watch.leaks() == []
    watch("status")
    with Repo.init(lab.directory / "any.git", bare=True) as repo:
        blob = lab.directory / "blob"
        blob.write_text(STORED)
        repo.git.hash_object("-w", str(blob))
    watch.hear("somebody", WRITTEN)
    found = "\n".join(watch.leaks())
    for place in ("somebody", "any.git", "blob"):
        assert place in found


def test_a_whole_life(watch: Watch, lab: Lab) -> None:
    watch.write()
    watch.diffs()
    watch.applied()
    assert values(watch)["direct"] == values(watch)["copy"] == GIVEN["Password"]
    assert (values(watch)["secure"], values(watch)["stored"]) == (SECURE, f"x{STORED}")
    assert values(watch)["sub"] == f"postgres://app:{GIVEN['Subbed']}@db/{GIVEN['Pin']}"
    assert watch.client("ssm").describe_parameters()["Parameters"]
    watch.look()
    for name in ("given", "copied"):
        assert lab.app.store.export(SANDBOX, REGION, name) is None, "a secret must not be exported"

    drift(watch)
    watch.diffs()
    watch.applied()
    watch.applied()
    assert FOREIGN not in values(watch).values()
    watch.look()

    watch.write(template("/keeper/other"), given={**GIVEN, "Password": UPDATED, "Tagged": UPDATED})
    watch.diffs()
    watch.applied()
    watch.applied()
    assert values(watch)["other"] == values(watch)["copy"] == UPDATED
    watch.look()

    without = template("/keeper/other")
    del without["Resources"]["Direct"]["Properties"]["Tags"]
    del without["Resources"]["Secure"]
    watch.write(without)
    watch.diffs()
    watch.applied()
    for command in ("rollback --list", "rollback --to 1", "rollback --to 2", "digest"):
        name, *options = command.split()
        watch(name, PLAN, *options)
    for line in ("iam-policy", "audit verify", "audit export", "config show", "config show --output json"):
        assert watch(*line.split()).code == 0
    assert watch.leaks() == []
    assert any(MASK.encode() in text for text in watch.said.values())


@pytest.mark.parametrize("rollback", ["automatic", "manual"])
def test_calls_that_fail_and_quote_what_they_were_given(watch: Watch, lab: Lab, rollback: str) -> None:
    watch.write(rollback=rollback)
    said = echo(SECURE, STORED)
    for code, status in (
        ("AccessDenied", 403),
        ("ValidationException", 400),
        ("ParameterAlreadyExists", 400),
        ("InternalError", 500),
    ):
        lab.aws.fail("ssm", "PutParameter", code, times=20, status=status, message=said)
        lab.aws.fail("ssm", "DeleteParameter", code, times=1, status=status, message=said)
        assert watch("apply").code == 1
        lab.aws.clear_faults()
        watch.glance()
    lab.aws.cut("ssm", "PutParameter", applied=True)
    lab.aws.fail("sns", "CreateTopic", "InvalidParameter", message=said)
    assert watch("apply", "--output", "json").code == 1
    watch.look()
    watch.applied()
    drift(watch)
    lab.aws.fail("ssm", "PutParameter", "ParameterLimitExceeded", times=2, message=echo(SECURE, STORED, FOREIGN))
    assert watch("apply").code == 1
    watch.look()
    lab.aws.fail("ssm", "GetParameters", "AccessDenied", times=20, status=403, message=echo())
    lab.aws.fail("secretsmanager", "GetSecretValue", "AccessDenied", times=20, status=403, message=echo())
    watch.diffs(code=1)
    assert watch("apply").code == 1
    watch.look()
    assert watch.leaks() == []


def test_code_that_crashes_over_a_value(watch: Watch, monkeypatch: pytest.MonkeyPatch) -> None:
    def crash(_self: Any, *arguments: Any) -> Any:
        raise RuntimeError(f"no idea what to do with {arguments[1:]!r}: {echo()}")

    watch.write()
    with monkeypatch.context() as patch:
        patch.setattr(Parameter, "_create", crash)
        assert watch("apply").code == 1
    watch.applied()
    drift(watch)
    with monkeypatch.context() as patch:
        patch.setattr(Parameter, "_update", crash)
        assert watch("apply").code == 1
    with monkeypatch.context() as patch:
        patch.setattr(Parameter, "_read", crash)
        assert watch("apply").code == 1
        watch.diffs(code=1)
    with monkeypatch.context() as patch:
        patch.setattr("reconciler.wiring.build", crash)
        assert "Traceback" in watch("status").err
    watch.look()
    assert watch.leaks() == []


def test_documents_that_are_wrong_about_a_value(watch: Watch, lab: Lab) -> None:
    def look() -> None:
        for command in ("diff", "apply", "status"):
            watch(command, "--output", "json")
        assert watch("apply").code == 1
        assert watch("validate", str(lab.desired)).code == 1

    strict = template()
    for name, value in GIVEN.items():
        default = ",".join(value) if isinstance(value, list) else value
        strict["Parameters"][name] |= {"AllowedPattern": "[a-z]{3}", "Default": default}
    watch.write(strict)
    look()
    watch.write(template(Bad=parameter("x", Description=WRITTEN * 100, AllowedPattern=f"{WRITTEN}[")))
    look()
    network = parameter({"Fn::Cidr": [{"Ref": "Password"}, 1, 2]})
    number = parameter({"Fn::Select": [{"Ref": "Joined"}, {"Ref": "Words"}]})
    key = parameter({"Fn::FindInMap": ["None", {"Ref": "Tagged"}, "x"]})
    watch.write(template(Network=network, Number=number, Key=key))
    look()
    good = watch.write()
    for before, after in (("Subbed: ", "Subbed: &"), ("Subbed: ", "Joined: "), ("Subbed: subbed", "Subbed: {a: b}, c")):
        lab.write(good.replace(before, after))
        look()
    assert watch.leaks() == []


@pytest.mark.parametrize("mode", ["apply", "deny"])
def test_policies_that_repeat_what_they_are_told(watch: Watch, lab: Lab, mode: str) -> None:
    for path in lab.policies.iterdir():
        path.unlink()
    (lab.policies / "echo.rego").write_text(ECHO.replace("MODE", json.dumps(mode)))
    watch.write()
    watch.diffs(code=2 if mode == "apply" else 1)
    watch("apply")
    if mode == "apply":
        drift(watch)
        watch.diffs()
        watch("apply")
    watch.look()
    (lab.policies / "echo.rego").write_text("package reconciler\ndecision := json.marshal(input)")
    assert watch("apply").code != 0
    watch.look()
    watch("audit", "export")
    assert any(b"postgres" not in text and b"keeper" in text for text in watch.said.values())
    assert watch.leaks() == []


@pytest.mark.parametrize("form", ["terraform", "cloudformation"])
def test_branches(lab: Lab, form: str) -> None:
    watch = Watch(lab, "production", RECONCILER_PIPELINE__FORMAT=form)
    watch.write()
    watch.diffs()
    watch.applied()
    assert branches(lab)
    watch.look()
    broken = f"https://bob:{GIT}@127.0.0.1:1/infrastructure.git"
    assert watch("apply", RECONCILER_PIPELINE__REPOSITORY=broken).code == 1
    watch.look()
    assert watch.leaks() == []


def test_passwords_in_the_settings(watch: Watch, lab: Lab) -> None:
    watch.write()
    git, database = f"https://bob:{GIT}@127.0.0.1:1/plans.git", f"postgresql://u:{DATABASE}@127.0.0.1:1/db"
    for output in ("table", "json"):
        watch("config", "show", "--output", output, RECONCILER_SOURCE__GIT__URL=git, RECONCILER_STORE__URL=database)
    assert watch("diff", RECONCILER_SOURCE__GIT__URL=git).code == 1
    assert (lab.directory / "state" / "source" / ".git" / "config").exists()
    for url in (database, database.replace("postgresql", "nix"), database.replace(":1/", ":one/")):
        assert watch("status", RECONCILER_STORE__URL=url).code == 1
    assert watch.leaks() == []
