"""The shipped alert rules, dashboard and runbook: valid for the real promtool, and about metrics that exist."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from reconciler.status.metrics import Metrics

ROOT = Path(__file__).parents[2]
PROMETHEUS = ROOT / "deploy" / "prometheus"
RULES = PROMETHEUS / "reconciler.rules.yaml"
TESTS = PROMETHEUS / "reconciler.rules.test.yaml"
REQUIRED = {
    "ReconcilerDriftUnresolved",
    "ReconcilerReconcileFailing",
    "ReconcilerPolicyEngineDown",
    "ReconcilerNotReconciledLately",
    "ReconcilerApprovalWaiting",
    "ReconcilerRollbackFailed",
    "ReconcilerGuardBlockedWrite",
    "ReconcilerDown",
}


def promtool(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    binary = shutil.which("promtool")
    if binary is None:
        if os.environ.get("CI"):
            pytest.fail("promtool is missing: install Debian's prometheus package or the official release")
        pytest.skip("promtool is not installed (Debian package: prometheus)")
    return subprocess.run([binary, *map(str, arguments)], capture_output=True, text=True, timeout=60, check=False)


def rules() -> list[dict[str, Any]]:
    return [rule for group in yaml.safe_load(RULES.read_text())["groups"] for rule in group["rules"]]


def known_names() -> frozenset[str]:
    """Every sample name that the daemon can expose."""
    names = set()
    for family in Metrics().registry.collect():
        suffixes = {"counter": ("_total",), "histogram": ("_bucket", "_sum", "_count")}.get(family.type, ("",))
        names |= {family.name + suffix for suffix in suffixes}
    return frozenset(names)


def used_names(text: str) -> set[str]:
    return set(re.findall(r"\b(?:reconciler|process)_[a-z_]+\b", text))


@pytest.mark.prometheus
@pytest.mark.parametrize(
    "arguments",
    [("check", "rules", RULES), ("test", "rules", TESTS), ("check", "config", PROMETHEUS / "prometheus.yml")],
    ids=["rules", "tests", "config"],
)
def test_promtool_accepts(arguments: tuple[str | Path, ...]) -> None:
    done = promtool(*arguments)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "SUCCESS" in done.stdout


@pytest.mark.prometheus
def test_a_rule_that_never_fires_would_be_noticed(tmp_path: Path) -> None:
    """The unit tests are not empty: a broken threshold makes them fail."""
    text = RULES.read_text()
    assert "> 1800" in text
    (tmp_path / RULES.name).write_text(text.replace("> 1800", "> 1800000"))
    shutil.copy(TESTS, tmp_path)
    assert promtool("test", "rules", tmp_path / TESTS.name).returncode != 0


def test_every_alert_that_was_promised_is_there() -> None:
    assert {rule["alert"] for rule in rules()} >= REQUIRED


@pytest.mark.parametrize("rule", rules(), ids=lambda rule: rule["alert"])
def test_an_alert_has_severity_summary_and_a_section_in_the_runbook(rule: dict[str, Any]) -> None:
    assert rule["labels"]["severity"] in {"info", "warning", "critical"}
    assert rule["annotations"]["summary"]
    page, _, anchor = rule["annotations"]["runbook_url"].partition("#")
    headings = re.findall(r"^#+ (.+)$", (ROOT / page).read_text(), re.MULTILINE)
    assert anchor == rule["alert"].lower()
    assert anchor in {heading.lower().replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("rule", rules(), ids=lambda rule: rule["alert"])
def test_an_alert_is_about_metrics_that_exist(rule: dict[str, Any]) -> None:
    assert used_names(rule["expr"]) <= known_names()


@pytest.mark.parametrize("rule", rules(), ids=lambda rule: rule["alert"])
def test_an_alert_is_tested_to_fire_and_not_to(rule: dict[str, Any]) -> None:
    cases = [
        bool(case["exp_alerts"])
        for test in yaml.safe_load(TESTS.read_text())["tests"]
        for case in test["alert_rule_test"]
        if case["alertname"] == rule["alert"]
    ]
    assert set(cases) == {True, False}


def test_the_dashboard_is_about_metrics_that_exist_and_leaves_none_out() -> None:
    board = json.loads((ROOT / "deploy" / "grafana" / "reconciler.json").read_text())
    used = set().union(*(used_names(text) for text in strings(board)))
    assert used - known_names() == set()
    families = {re.sub(r"_(bucket|sum|count)$", "", name) for name in known_names() if name.startswith("reconciler_")}
    shown = {re.sub(r"_(bucket|sum|count)$", "", name) for name in used}
    assert families - shown <= {"reconciler_last_success_timestamp_seconds", "reconciler_plan_interval_seconds"}


def test_the_dashboards_panels_do_not_overlap() -> None:
    board = json.loads((ROOT / "deploy" / "grafana" / "reconciler.json").read_text())
    cells = [
        (x, y)
        for place in (panel["gridPos"] for panel in board["panels"])
        for x in range(place["x"], place["x"] + place["w"])
        for y in range(place["y"], place["y"] + place["h"])
    ]
    assert len(cells) == len(set(cells))
    assert max(x for x, _ in cells) < 24
    identifiers = [panel["id"] for panel in board["panels"]]
    assert len(identifiers) == len(set(identifiers))


@pytest.mark.prometheus
def test_every_expression_of_the_dashboard_parses(tmp_path: Path) -> None:
    board = json.loads((ROOT / "deploy" / "grafana" / "reconciler.json").read_text())
    expressions = [target["expr"] for panel in board["panels"] for target in panel.get("targets", ())]
    assert len(expressions) > 20
    recorded = [
        {"record": f"panel:{number}", "expr": text.replace("$__rate_interval", "5m")}
        for number, text in enumerate(expressions)
    ]
    file = tmp_path / "panels.yaml"
    file.write_text(yaml.safe_dump({"groups": [{"name": "panels", "rules": recorded}]}))
    done = promtool("check", "rules", file)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.prometheus
def test_what_the_daemon_exposes_passes_promtools_own_lint() -> None:
    promtool("--version")
    metrics = Metrics()
    text = metrics.exposition()[0]
    done = subprocess.run(["promtool", "check", "metrics"], input=text, capture_output=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr.decode()


def strings(node: object) -> Iterator[str]:
    if isinstance(node, str):
        yield node
    elif isinstance(node, dict):
        for item in node.values():
            yield from strings(item)
    elif isinstance(node, list):
        for item in node:
            yield from strings(item)
