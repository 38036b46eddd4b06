"""Access denied: who lacks which permission, and the statement that gives it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from reconciler.model.change import Verb
from reconciler.model.plan import Plan
from reconciler.model.report import Context, Explanation
from reconciler.schema import schema_for
from reconciler.status.explained.case import Case
from reconciler.status.explained.remedies import option, place, shell, whoami
from reconciler.status.outcome import Outcome

_HANDLERS = {Verb.CREATE: "create", Verb.UPDATE: "update", Verb.ADOPT: "update", Verb.DELETE: "delete"}


def permission(plan: Plan, outcome: Outcome, case: Case) -> Explanation:
    """The seed's form of a permission error."""
    actions = (case.permission,) if case.permission else _by_schema(plan, case)
    forbidden = "explicit deny" in case.text
    statement = None if forbidden or not actions else _statement(actions, case.resource)
    return Explanation(
        kind="permission",
        title="Access Denied",
        analysis=(
            ("Profile", profile_of(plan, outcome.context)),
            ("Operation", case.call or (case.step or "reading") + (f" {case.subject}" if not case.step else "")),
            ("Required permission", ", ".join(actions) or "not named by AWS"),
            *((("Resource", case.resource),) if case.resource else ()),
            ("Message", _without_encoded(case)),
        ),
        options=_options(plan, outcome.context, case, forbidden=forbidden),
        statement=statement,
    )


def profile_of(plan: Plan, context: Context | None) -> str:
    """The credentials that are used, and as whom if that is known."""
    name = plan.target.profile or plan.target.role_arn or (context.profile if context else "") or "default credentials"
    return f"{name} ({context.identity.arn})" if context and context.identity else name


def _options(plan: Plan, context: Context | None, case: Case, *, forbidden: bool) -> tuple[str, ...]:
    owner = f" of {context.identity.arn}" if context and context.identity else ""
    request = (
        "Request permission update: a policy denies it explicitly, which no other can outweigh; have it changed"
        if forbidden
        else f"Request permission update: add the statement below to a policy{owner}; all that the plan needs:"
    )
    chosen = [
        option("Verify correct profile selected:", whoami(plan)),
        option(request, *([] if forbidden else [shell("reconciler", "iam-policy", plan.name)])),
        f"Use a profile with appropriate access: spec.target.profile or roleArn, {place(plan)}",
    ]
    if case.encoded:
        words = ("aws", "sts", "decode-authorization-message", "--query", "DecodedMessage", "--output", "text")
        chosen.append(option("Read why AWS refused it:", shell(*words, "--encoded-message", case.encoded)))
    return tuple(chosen)


def _by_schema(plan: Plan, case: Case) -> tuple[str, ...]:
    """What the type's own handler for the step asks for, where AWS named nothing."""
    schema = schema_for(case.type, plan.target.region) if case.type else None
    if schema is None:
        return ()
    return schema.handler_permissions.get(_HANDLERS[case.verb] if case.verb else "read", ())


def _statement(actions: tuple[str, ...], resource: str) -> Mapping[str, Any]:
    return {
        "Effect": "Allow",
        "Action": actions[0] if len(actions) == 1 else list(actions),
        "Resource": resource or "*",
    }


def _without_encoded(case: Case) -> str:
    """An encoded message is a kilobyte that nobody can read; an option says how to decode it."""
    return case.text.replace(case.encoded, "(see below)") if case.encoded else case.text
