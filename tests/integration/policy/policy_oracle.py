"""What the shipped policies ought to say, written a second time in Python and without looking at the Rego.

It knows SPEC's matrix as a table of its own, and builds the questions of the full product.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any

SHIPPED = Path(__file__).resolve().parents[3] / "policies"
ACCOUNT = {
    "sandbox": "111111111111",
    "development": "222222222222",
    "staging": "333333333333",
    "production": "444444444444",
    "test": "555555555555",
}
OPERATIONS = ("cli_mutation", "iac_deploy", "git")
ACTIONS = ("create", "update", "replace", "delete", "adopt", "rollback")
AUTHOR, BOB, CAROL = "alice@example.com", "bob@example.com", "carol@example.com"
NOW = "2026-11-23T09:00:00+00:00"
LATER, EARLIER = "2026-12-23T09:00:00+00:00", "2026-11-23T08:59:59+00:00"
EVERYTHING = sorted(ACTIONS)


DESTRUCTIVE = ("replace", "delete")


def approval(
    approver: str, scope: list[str], *, verified: bool = True, expires: str = LATER, change: str = "any"
) -> dict[str, Any]:
    return {
        "name": approver.partition("@")[0],
        "approver": approver,
        "verified": verified,
        "reason": "" if verified else "the signature isn't valid",
        "scope": scope,
        "ticket": "CAB-1",
        "expiresAt": expires,
        "change": change,
    }


#: approval state -> the approvals; "good" covers the harmless actions, as an ordinary approval does
APPROVALS: dict[str, list[dict[str, Any]]] = {
    "none": [],
    "good": [approval(BOB, ["create", "update", "adopt"])],
    "wrong scope": [approval(BOB, ["release"])],
    "self": [approval(" Alice@Example.com ", EVERYTHING)],
    "unverified": [approval(BOB, EVERYTHING, verified=False)],
    "expired": [approval(BOB, EVERYTHING, expires=EARLIER)],
    "two approvers": [approval(BOB, ["create", "replace"]), approval(CAROL, ["update", "delete", "rollback", "adopt"])],
    "this change": [approval(BOB, ["create", "delete", "rollback"], change="exact")],
    "mixed": [approval(BOB, EVERYTHING), approval(CAROL, ["replace"], change="exact")],
}
#: approval state -> scopes that somebody's word covers, for any change and for exactly this one
COVERED: dict[str, set[str]] = {
    "good": {"create", "update", "adopt"},
    "two approvers": set(EVERYTHING),
    "this change": {"create", "delete", "rollback"},
    "mixed": set(EVERYTHING),
}
EXACTLY: dict[str, set[str]] = {"this change": {"create", "delete", "rollback"}, "mixed": {"replace"}}


def exception(**changes: str) -> dict[str, str]:
    return {"rule": "S3.1", "reason": "legacy bucket", "approvedBy": "ciso@example.com", "expires": LATER, **changes}


GUARDRAILS: dict[str, dict[str, Any]] = {
    "passed": {"status": "passed", "reference": "r", "exceptions": []},
    "failed": {"status": "failed", "reference": "r", "exceptions": []},
    "exceptions ok": {"status": "exceptions", "reference": "r", "exceptions": [exception(), exception(rule="S3.2")]},
    "exceptions expired": {
        "status": "exceptions",
        "reference": "r",
        "exceptions": [exception(), exception(expires=EARLIER)],
    },
    "undocumented": {"status": "exceptions", "reference": "r", "exceptions": [exception(reason="")]},
}


@dataclass(frozen=True)
class Case:
    """``strict``: the data lists replace and delete under ``exact``. ``back``: the action is one of a rollback's."""

    environment: str
    operation: str
    action: str
    approvals: str
    guardrail: str
    strict: bool = False
    back: bool = False

    def question(self) -> dict[str, Any]:
        return question(
            self.environment,
            [(self.operation, self.action)],
            approvals=APPROVALS[self.approvals],
            guardrail=GUARDRAILS[self.guardrail],
            rolling_back=7 if self.back else None,
        )

    def expected(self) -> tuple[str, bool]:
        """The mode, and whether the one action is allowed."""
        if self.environment == "test" or self.guardrail not in ("passed", "exceptions ok"):
            return "deny", False
        if self.operation == "git":
            return "pipeline", True
        if self.environment not in ("sandbox", "development"):
            return "pipeline", False
        exact = self.strict and self.action in DESTRUCTIVE
        scope = "rollback" if self.back else self.action
        if self.environment == "sandbox" and not exact and scope != "rollback":
            return "apply", True
        covered = scope in (EXACTLY if exact else COVERED).get(self.approvals, set())
        return ("apply", True) if covered else ("wait", False)


def cases(environment: str, *, strict: bool = False) -> Iterator[Case]:
    """The full product for one environment; approvals of the exact change with a passed guardrail only."""
    for operation, action, approvals, guardrail in product(OPERATIONS, ACTIONS, APPROVALS, GUARDRAILS):
        if approvals not in EXACTLY or guardrail == "passed":
            yield Case(environment, operation, action, approvals, guardrail, strict)


def rollbacks(environment: str, *, strict: bool) -> Iterator[Case]:
    """What a rollback may do, for each state of approvals."""
    for operation, action, approvals in product(("cli_mutation", "git"), ("update", *DESTRUCTIVE), APPROVALS):
        yield Case(environment, operation, action, approvals, "passed", strict, back=True)


def question(
    environment: str = "development", actions: list[tuple[str, str]] | None = None, **changes: Any
) -> dict[str, Any]:
    """A review of a plan; ``changes`` replace keys of the plan where it has them, else of the document."""
    account = ACCOUNT[environment]
    plan = {
        "name": "web",
        "author": AUTHOR,
        "environment": environment,
        "account": account,
        "region": "eu-central-1",
        "profile": None,
        "delivery": "resources",
        "labels": {"team": "web"},
        "digest": "sha256:" + "0" * 64,
        "state": "present",
        "guardrail": GUARDRAILS["passed"],
        "rollback": "automatic",
        "rolling_back": changes.get("rolling_back"),
    }
    listed = [("cli_mutation", "create")] if actions is None else actions
    document = {
        "phase": "review",
        "operation": "cli_mutation",
        "plan": plan,
        "approvals": [],
        "identity": {"account": account, "arn": f"arn:aws:iam::{account}:role/ops"},
        "permissions": {"missing": []},
        "actions": [
            {
                "id": f"R{number}",
                "operation": operation,
                "action": action if plan["rolling_back"] is None else "rollback",
                "original": action,
                "type": "AWS::EC2::VPC",
                "before": None,
                "after": {"CidrBlock": "10.0.0.0/16"},
                "paths": ["/CidrBlock"],
                "loss": [],
            }
            for number, (operation, action) in enumerate(listed)
        ],
        "totals": {
            "resources": max(4, len(listed)),
            "deletes": sum(action == "delete" for _, action in listed),
            "replaces": sum(action == "replace" for _, action in listed),
        },
        "now": NOW,
    }
    for key, value in changes.items():
        (plan if key in plan else document)[key] = value
    return document
