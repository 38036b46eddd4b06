"""A first question to a policy set, so that one that can't decide never comes into force."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from reconciler.model.errors import PolicyUnavailable
from reconciler.policy.answers import Question, read_answer
from reconciler.policy.document import Document

#: An admission as real ones look. What the answer is doesn't matter, only that it is one.
_QUESTION: Document = {
    "phase": "admit",
    "operation": "cli_mutation",
    "plan": {
        "name": "probe",
        "author": "probe@example.com",
        "environment": "sandbox",
        "account": "000000000000",
        "region": "us-east-1",
        "profile": None,
        "delivery": "resources",
        "labels": {},
        "digest": "sha256:" + "0" * 64,
        "state": "present",
        "guardrail": {"status": "passed", "reference": "", "exceptions": []},
        "rollback": "automatic",
    },
    "approvals": [],
    "identity": None,
    "permissions": {"missing": []},
    "actions": [],
    "totals": {"resources": 0, "creates": 0, "updates": 0, "replaces": 0, "deletes": 0, "adopts": 0, "rollbacks": 0},
    "now": "2026-01-01T00:00:00+00:00",
}


def probe(ask: Callable[[Document], Any]) -> None:
    """Raise PolicyUnavailable unless ``ask`` gives a usable answer."""
    try:
        read_answer(ask(_QUESTION), Question.of(_QUESTION), "probe")
    except PolicyUnavailable as error:
        if error.cause != "undefined":
            raise
        hint = "no rule data.reconciler.decision answers (wrong package, or the rule is missing or undefined)"
        raise PolicyUnavailable("undefined", hint) from error
