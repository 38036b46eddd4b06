"""Both engines against an independent oracle, over the full generated product of what policy distinguishes."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from policy_oracle import (
    ACCOUNT,
    APPROVALS,
    BOB,
    CAROL,
    EARLIER,
    LATER,
    SHIPPED,
    Case,
    approval,
    cases,
    question,
    rollbacks,
)

from reconciler.model.decision import Decision, Mode
from reconciler.policy.answers import Question, read_answer
from reconciler.policy.bundle import load
from reconciler.policy.machine import Machine
from reconciler.policy.server import Server
from reconciler.testing.policy import OpaServer

Ask = Callable[[dict[str, Any]], Decision]

pytestmark = pytest.mark.opa


def embedded_asker(directory: Path) -> Ask:
    policies = load(directory)
    machine = Machine(policies.modules, policies.data, ["reconciler/decision"])
    return lambda document: read_answer(machine.ask("reconciler/decision", document), Question.of(document), "")


@pytest.fixture(scope="module")
def embedded() -> Ask:
    return embedded_asker(SHIPPED)


@pytest.fixture(scope="module")
def remote(opa: Path) -> Iterator[Ask]:
    # OPA loads the directory itself: what is compared is the files, not our upload.
    with OpaServer(opa, SHIPPED) as running:
        server = Server(running.address, timeout=5, token=None, ca=None, cert=None)
        yield lambda document: read_answer(server.query(document), Question.of(document), "")


@pytest.fixture(scope="module")
def strict(opa: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Ask, Ask]]:
    """Both engines under policies that want the exact change approved wherever something is destroyed."""
    directory = tmp_path_factory.mktemp("strict") / "policies"
    shutil.copytree(SHIPPED, directory)
    data = yaml.safe_load((directory / "data.yaml").read_text())
    data["approvals"]["default"]["exact"] = ["replace", "delete"]
    (directory / "data.yaml").write_text(yaml.safe_dump(data))
    with OpaServer(opa, directory) as running:
        server = Server(running.address, timeout=5, token=None, ca=None, cert=None)
        yield (
            embedded_asker(directory),
            lambda document: read_answer(server.query(document), Question.of(document), ""),
        )


def agree(wanted: Iterable[Case], embedded: Ask, remote: Ask) -> int:
    """Both engines say the same, and what the oracle says. How many cases that were."""
    count = 0
    for case in wanted:
        document = case.question()
        first, second = embedded(document), remote(document)
        assert first == second, case
        mode, allowed = case.expected()
        assert (first.mode, first.actions["R0"].allow) == (mode, allowed), case
        assert first.reasons, case
        count += 1
    return count


@pytest.mark.parametrize("environment", ACCOUNT)
def test_every_combination(environment: str, embedded: Ask, remote: Ask) -> None:
    assert agree(cases(environment), embedded, remote) == 3 * 6 * (7 * 5 + 2)


@pytest.mark.parametrize("environment", ["sandbox", "development", "production"])
def test_every_combination_where_destruction_needs_the_exact_change(environment: str, strict: tuple[Ask, Ask]) -> None:
    few = (case for case in cases(environment, strict=True) if case.guardrail == "passed")
    assert agree(few, *strict) == 3 * 6 * 9


@pytest.mark.parametrize("environment", ["sandbox", "development", "production"])
def test_every_rollback(environment: str, embedded: Ask, remote: Ask, strict: tuple[Ask, Ask]) -> None:
    assert agree(rollbacks(environment, strict=False), embedded, remote) == 2 * 3 * 9
    assert agree(rollbacks(environment, strict=True), *strict) == 2 * 3 * 9


def test_a_rollback_says_what_it_waits_for(strict: tuple[Ask, Ask]) -> None:
    document = Case("development", "cli_mutation", "delete", "none", "passed", strict=True, back=True).question()
    for ask in strict:
        texts = [reason.message for reason in ask(document).reasons]
        assert texts == [
            "development: the delete of a rollback needs an approval of exactly this change; "
            "0 of 1 approval with scope rollback: `reconciler approve web --change`."
        ]


def variants() -> Iterator[tuple[str, dict[str, Any], str]]:
    """Name, question, expected mode: what the product leaves out."""
    dev, good = [("cli_mutation", "update")], APPROVALS["good"]
    yield "nothing to do", question(actions=[]), "apply"
    yield "account of another environment", question(account=ACCOUNT["sandbox"], approvals=good), "deny"
    yield "account not listed", question(account="999999999999", approvals=good), "deny"
    yield "credentials of another account", question(identity={"account": "111111111111", "arn": "a"}), "deny"
    yield "no identity", question("sandbox", identity=None), "deny"
    yield "no identity, nothing to do", question("sandbox", [], identity=None), "apply"
    yield "admission", question("production", [], identity=None, phase="admit"), "apply"
    yield "admission of an unknown environment", question("test", [], identity=None, phase="admit"), "deny"
    yield "unknown guardrail status", question("sandbox", guardrail={"status": "maybe"}), "deny"
    yield "no guardrail", question("sandbox", guardrail=None), "deny"
    yield (
        "exceptions, none documented",
        question("sandbox", guardrail={"status": "exceptions", "exceptions": []}),
        "deny",
    )
    yield "exceptions no list", question("sandbox", guardrail={"status": "exceptions", "exceptions": "all"}), "deny"
    yield "no rollback", question("sandbox", rollback=None), "deny"
    yield "odd rollback", question("sandbox", rollback="maybe"), "deny"
    yield "empty procedure", question("sandbox", rollback={"procedure": " "}), "deny"
    yield "procedure", question("sandbox", rollback={"procedure": "see the wiki"}), "apply"
    yield "no region", question("sandbox", region=""), "deny"
    yield "permission missing", question("sandbox", permissions={"missing": ["ec2:DescribeVpcs"]}), "deny"
    yield "unknown operation", question("sandbox", [("console", "create")]), "deny"
    yield "unknown action", question("sandbox", [("cli_mutation", "explode")]), "deny"
    yield "one action not covered", question(actions=[*dev, ("cli_mutation", "delete")], approvals=good), "wait"
    yield "git among direct ones", question("sandbox", [*dev, ("git", "update")]), "pipeline"
    yield "a denied one among allowed ones", question("sandbox", [*dev, ("console", "update")]), "deny"
    yield "author unknown", question(author="", approvals=good), "wait"
    yield "approver unknown", question(approvals=[approval("", ["create"])]), "wait"
    yield "verified in words", question(approvals=[{**good[0], "verified": "true"}]), "wait"
    yield "absent, sandbox", question("sandbox", [("cli_mutation", "delete")] * 20, state="absent"), "apply"
    gone = {"state": "absent", "actions": [("cli_mutation", "delete")] * 12}
    yield "absent, no approval", question(**gone), "wait"
    yield "absent, wrong scope", question(**gone, approvals=good), "wait"
    yield "absent, approved", question(**gone, approvals=[approval(BOB, ["delete"])]), "apply"
    yield "absent, production", question("production", [("cli_mutation", "delete")] * 3, state="absent"), "pipeline"
    deletes = [approval(BOB, ["delete"])]
    back = [approval(BOB, ["rollback"])]
    yield (
        "rollback of 2",
        question("sandbox", [("cli_mutation", "create")] * 2, rolling_back=1, approvals=back),
        "apply",
    )
    yield (
        "rollback that deletes too much",
        question(actions=[("cli_mutation", "delete")] * 11, rolling_back=1, approvals=back, totals=of(100, 0)),
        "deny",
    )
    yield "rollback, absent", question(**gone, rolling_back=1, approvals=back), "wait"
    yield "rollback, absent, delete", question(**gone, rolling_back=1, approvals=[*back, *deletes]), "apply"
    yield "odd change", question(actions=dev, approvals=[{**good[0], "change": 7}]), "apply"
    yield (
        "11 deletes of 100",
        question(actions=[("cli_mutation", "delete")] * 11, approvals=deletes, totals=of(100, 11)),
        "deny",
    )
    yield (
        "10 deletes of 100",
        question(actions=[("cli_mutation", "delete")] * 10, approvals=deletes, totals=of(100, 10)),
        "apply",
    )
    yield (
        "2 deletes of 4",
        question(actions=[("cli_mutation", "delete")] * 2, approvals=deletes, totals=of(4, 2)),
        "apply",
    )
    yield (
        "3 deletes of 5",
        question(actions=[("cli_mutation", "delete")] * 3, approvals=deletes, totals=of(5, 3)),
        "deny",
    )
    yield "1 delete of 1", question(actions=[("cli_mutation", "delete")], approvals=deletes, totals=of(1, 1)), "apply"
    yield "totals say more than the part", question(actions=dev, approvals=good, totals=of(100, 11)), "deny"
    yield (
        "totals say less than the part",
        question(actions=[("cli_mutation", "delete")] * 11, totals=of(100, 0)),
        "deny",
    )
    yield (
        "no totals, two deletes",
        question(actions=[("cli_mutation", "delete")] * 2, approvals=deletes, totals={}),
        "deny",
    )
    yield "time with Z", question("sandbox", now="2026-11-23T09:00:00Z"), "apply"
    yield "time with an offset and a fraction", question("sandbox", now="2026-11-23T10:00:00.25+01:00"), "apply"
    yield "no time", question("sandbox", now="soon"), "deny"
    yield "expires with Z", question(actions=dev, approvals=[{**good[0], "expiresAt": "2026-12-01T00:00:00Z"}]), "apply"
    yield "expired with Z", question(actions=dev, approvals=[{**good[0], "expiresAt": "2026-11-23T08:59:59Z"}]), "wait"
    yield "expires at nonsense", question(actions=dev, approvals=[{**good[0], "expiresAt": "never"}]), "wait"
    yield "quotes and newlines", question("sandbox", author='a"b\nc\\d', region='eu"-1'), "apply"
    yield (
        "two good ones",
        question(actions=dev, approvals=[*good, approval(CAROL, ["update"], expires=EARLIER)]),
        "apply",
    )
    yield (
        "expiring this instant",
        question(actions=dev, approvals=[{**good[0], "expiresAt": "2026-11-23T09:00:00Z"}]),
        "wait",
    )
    yield "expiring later", question(actions=dev, approvals=[{**good[0], "expiresAt": LATER}]), "apply"


def of(resources: int, deletes: int) -> dict[str, int]:
    return {"resources": resources, "deletes": deletes, "replaces": 0}


@pytest.mark.parametrize(("document", "mode"), [pytest.param(d, m, id=n) for n, d, m in variants()])
def test_variant(document: dict[str, Any], mode: str, embedded: Ask, remote: Ask) -> None:
    first, second = embedded(document), remote(document)
    assert first == second
    assert first.mode == mode
    assert first.reasons
    if mode != "apply":
        assert any(reason.message for reason in first.reasons)


@pytest.mark.parametrize(
    "missing", ["plan", "approvals", "identity", "actions", "totals", "now", "permissions", "phase"]
)
@pytest.mark.parametrize("instead", ["absent", None, 7, "x", [], {}])
def test_a_damaged_question_never_applies(missing: str, instead: Any, embedded: Ask, remote: Ask) -> None:
    document = question(approvals=[])
    del document[missing]
    if instead != "absent":
        document[missing] = instead
    harmless = {"actions": {"absent": True, "list": True}}
    for ask in (embedded, remote):
        try:
            decision = ask_raw(ask, document)
        except Exception as error:  # refusing to answer is as good as denying
            assert type(error).__name__ in ("PolicyUnavailable", "KeyError", "TypeError"), error
            continue
        assert decision.mode in (Mode.DENY, Mode.WAIT) or (missing in harmless and decision.actions == {})


def ask_raw(ask: Ask, document: dict[str, Any]) -> Decision:
    return ask(document)


@pytest.mark.parametrize(
    "field", ["name", "author", "environment", "account", "region", "guardrail", "rollback", "digest"]
)
@pytest.mark.parametrize("instead", ["absent", None, 7, "", [], {}])
def test_a_damaged_plan_never_gains_anything(field: str, instead: Any, embedded: Ask, remote: Ask) -> None:
    document = question(approvals=APPROVALS["good"])
    del document["plan"][field]
    if instead != "absent":
        document["plan"][field] = instead
    first, second = embedded(document), remote(document)
    assert first.mode == second.mode
    if field in ("environment", "account", "region", "guardrail", "rollback"):
        assert first.mode is Mode.DENY
    elif field == "author":
        assert first.mode is Mode.WAIT
