"""The words that go with a change: the commit message and the pull request. Pure.

Whatever comes from a plan is put on one line or into a fence that it can't close, so that it can't pose as a trailer
or as the program's own words.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from typing import Any

from reconciler.model.change import Action, Change, ChangeSet
from reconciler.model.decision import Decision
from reconciler.model.plan import Plan
from reconciler.model.values import mask
from reconciler.pipeline.refs import action_word
from reconciler.pipeline.validation import validation_commands
from reconciler.schema import schema_for

PLAN_TRAILER = "Reconciler-Plan"
_VALUE_WIDTH = 80
_NEWS = 50
_BODY_LIMIT = 60_000  # GitHub takes 65,536 characters
_SIGNS = {Action.CREATE: "+", Action.ADOPT: "+", Action.DELETE: "-", Action.REPLACE: "-/+"}
_DETAILS = (
    "CidrBlock", "BucketName", "TableName", "QueueName", "TopicName", "RoleName", "LogGroupName", "AliasName",
    "GroupName", "InstanceProfileName", "ManagedPolicyName", "DestinationCidrBlock", "Name",
)  # fmt: skip
_REQUIRES = {
    "production": "CAB approval for production deployment",
    "staging": "review approval for staging deployment",
}


#: Why a pull request is closed, as it is told there.
WITHDRAWN = "Closed by reconciler: the plan was withdrawn. Once it is put back, its change is proposed anew."
GONE = "Closed by reconciler: the change is gone, live state is as the plan wants it."


def superseded(branch: str) -> str:
    """Why a pull request is closed whose plan has another branch now."""
    return f"Closed by reconciler: the plan's change is on branch {code(branch)} now."


def merged(base: str) -> str:
    """Why a pull request is closed whose files are in the base already."""
    return f"Closed by reconciler: {code(base)} holds these files already."


def news(changes: ChangeSet, commit: str) -> list[str]:
    """What is told on a pull request whose files have changed, line by line."""
    plan = changes.plan
    head = f"Updated by reconciler: commit {line(commit)[:12]}, plan digest {code(plan.digest)}. It now does:"
    shown = [f"- {text(bullet(change, plan))}" for change in changes.changes[:_NEWS]]
    left = len(changes.changes) - len(shown)
    return [head, "", *shown, *([f"- and {left} more: see the description"] if left else [])]


def title(changes: ChangeSet) -> str:
    """The commit's subject and the pull request's title: ``feat: add prod-web in production``.

    A rollback is a ``revert:``.
    """
    plan = changes.plan
    if plan.rolling_back is not None:
        to = f"to revision {plan.rolling_back}"
        return f"revert: return {line(plan.name)} {to} in {line(plan.target.environment)}"
    return f"feat: {action_word(changes)} {line(plan.name)} in {line(plan.target.environment)}"


def commit_message(changes: ChangeSet) -> str:
    """Subject, the changes one by one, where they come from, and what the deployment requires."""
    plan = changes.plan
    environment = line(plan.target.environment)
    required = _REQUIRES.get(environment, f"approval for {environment} deployment")
    paragraphs = [
        title(changes),
        "\n".join(f"- {bullet(change, plan)}" for change in changes.changes),
        "\n".join(
            [
                f"Plan: {line(plan.name)} ({line(plan.description) or 'no description'})",
                f"Digest: {plan.digest}",
                *([f"Rollback: to revision {plan.rolling_back}"] if plan.rolling_back is not None else []),
                f"Guardrail: {guardrail(plan)}",
            ]
        ),
        f"Requires: {required}",
        f"{PLAN_TRAILER}: {line(plan.name)}\nReconciler-Digest: {plan.digest}",
    ]
    return "\n\n".join(paragraph for paragraph in paragraphs if paragraph) + "\n"


def trailer_plan(message: str) -> str | None:
    """The plan that a commit says it was made for, in its last paragraph."""
    last = message.rstrip().rsplit("\n\n", 1)[-1]
    for entry in last.splitlines():
        if entry.startswith(f"{PLAN_TRAILER}: "):
            return entry.removeprefix(f"{PLAN_TRAILER}: ")
    return None


def pull_request_body(changes: ChangeSet, decision: Decision, files: Sequence[str], notes: Sequence[str] = ()) -> str:
    """The pull request's description in Markdown."""
    plan = changes.plan
    target = plan.target
    where = f"{line(target.environment)}, account {line(target.account)}, region {line(target.region)}"
    sections = [
        f"## {text(target.environment.capitalize())} Change: {text(plan.name)}",
        _section("Summary and background", [
            text(plan.description) or "No description given.",
            "",
            f"- Target: {text(where)}",
            f"- Plan: {code(plan.name)} by {code(plan.author)}, digest {code(plan.digest)}",
            f"- Rendered from: {_source(plan)}",
            *(f"- Note: {text(note)}" for note in notes),
        ]),
        _section("Changes", [f"- {text(bullet(change, plan))}" for change in changes.changes]),
        _section("Files", [f"- {code(file)}" for file in files]),
        _section("Diff", [fenced("\n".join(diff_lines(changes)), "diff")]),
        _section("Cost of being wrong", _cost(changes)),
        _section("Policy decision", _decision(decision)),
        _section("Checklist", _checklist(decision)),
        _section("Approval", _approval(changes, decision)),
        _section("Guardrail", _guardrail(plan)),
        _section("Rollback", [text(rollback(plan))]),
        _section("Change ticket and window", _ticket(plan, decision)),
        _section("Validation after deployment", [fenced("\n".join(validation_commands(changes)), "bash")]),
    ]  # fmt: skip
    body = "\n\n".join(sections) + "\n"
    return body if len(body) <= _BODY_LIMIT else _shortened(sections)


def bullet(change: Change, plan: Plan) -> str:
    """One change in one line: ``create Vpc (AWS::EC2::VPC): CidrBlock 10.0.0.0/16``."""
    head = f"{change.action} {line(change.logical_id)} ({line(change.type)})"
    if change.fields:
        names = sorted({field.path.strip("/").split("/")[0] for field in change.fields})
        return f"{head}: {line(', '.join(names))}"
    resource = plan.resources.get(change.logical_id)
    properties = resource.properties if resource else {}
    for name in _DETAILS:
        if isinstance(properties.get(name), str) and not _secret(plan, change, name):
            return f"{head}: {name} {line(properties[name])[:_VALUE_WIDTH]}"
    return f"{head}: {line(change.identifier)}" if change.identifier else head


def diff_lines(changes: ChangeSet) -> list[str]:
    """The change set as a unified-looking diff, secrets masked."""
    lines: list[str] = []
    for change in changes.changes:
        sign = _SIGNS.get(change.action, "~")
        ident = f" {line(change.identifier)}" if change.identifier else ""
        lines.append(f"{sign} {line(change.logical_id)} ({line(change.type)}){ident} {change.action}")
        for field in change.fields:
            forced = "  # forces replacement" if field.forces_replacement else ""
            secret = _secret(changes.plan, change, field.path)
            before, after = ("(sensitive)",) * 2 if secret else (_value(field.before), _value(field.after))
            lines += [f"-   {line(field.path)}: {before}"] if field.before is not None else []
            lines += [f"+   {line(field.path)}: {after}{forced}"] if field.after is not None else []
    return lines or ["(no changes)"]


def rollback(plan: Plan) -> str:
    """What the plan says about going back."""
    if plan.rollback.procedure:
        return plan.rollback.procedure
    if plan.rollback.mode == "automatic":
        return "Automatic: revert the merge commit; the pipeline deploys the previous files."
    return f"{plan.rollback.mode.capitalize()}: revert the merge commit, then deploy the previous files by hand."


def guardrail(plan: Plan) -> str:
    """The compliance check's outcome and where it is recorded, in one line."""
    reference = line(plan.guardrail.reference)
    return f"{line(plan.guardrail.status)} ({reference})" if reference else line(plan.guardrail.status)


def line(value: object) -> str:
    """A value on one line, control characters gone."""
    return " ".join(re.sub(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]+", " ", str(value)).split())


def text(value: object) -> str:
    """A value as Markdown text that is nothing but text."""
    return re.sub(r"([\\`*_{}\[\]<>|~@])", r"\\\1", line(value))


def code(value: object) -> str:
    """A value as inline code."""
    plain = line(value)
    ticks = "`" * (_longest_run(plain) + 1)
    pad = " " if plain.startswith("`") or plain.endswith("`") else ""
    return f"{ticks}{pad}{plain}{pad}{ticks}"


def fenced(content: str, language: str) -> str:
    """A code block that its content can't end."""
    fence = "`" * max(3, _longest_run(content) + 1)
    return f"{fence}{language}\n{content}\n{fence}"


def _longest_run(content: str) -> int:
    return max((len(run) for run in re.findall(r"`+", content)), default=0)


def _section(heading: str, lines: Iterable[str]) -> str:
    return "\n".join([f"### {heading}", "", *(list(lines) or ["None."])])


def _decision(decision: Decision) -> list[str]:
    head = f"- Mode: {code(decision.mode)}"
    revision = [f"- Policy revision: {code(decision.revision)}"] if decision.revision else []
    reasons = [f"- {code(reason.rule)}: {text(reason.message)}" for reason in decision.reasons]
    refused = [
        f"- {code(name)}: {text('; '.join(ruling.reasons) or 'not allowed directly')}"
        for name, ruling in sorted(decision.actions.items())
        if not ruling.allow
    ]
    return [head, *revision, *reasons, *refused]


def _checklist(decision: Decision) -> list[str]:
    return [
        f"- [{'x' if item.ok else ' '}] {text(name)}{': ' + text(item.message) if item.message else ''}"
        for name, item in sorted(decision.checklist.items())
    ]


def _source(plan: Plan) -> str:
    if plan.rolling_back is None:
        return code(plan.origin.file)
    return f"revision {plan.rolling_back}, which was in force before what {code(plan.origin.file)} says now"


def _cost(changes: ChangeSet) -> list[str]:
    """What deploying destroys, resource by resource."""
    destructive = [change for change in changes.changes if change.action in (Action.DELETE, Action.REPLACE)]
    if not destructive:
        return ["Nothing is deleted or replaced: reverting the merge commit leads back."]
    lines = [f"{len(destructive)} of {len(changes.changes)} changes delete or replace a resource:", ""]
    for change in destructive:
        lost = f"; lost for good: {text(', '.join(change.loss))}" if change.loss else ""
        forced = ", ".join(sorted({field.path for field in change.fields if field.forces_replacement}))
        why = f" because of {code(forced)}" if forced else ""
        lines.append(f"- **{change.action}** {text(change.logical_id)} ({text(change.type)}){why}{lost}")
    return lines


def _approval(changes: ChangeSet, decision: Decision) -> list[str]:
    """Who has to say yes, who has, and to what exactly."""
    environment = line(changes.plan.target.environment)
    said = decision.checklist.get("approved")
    return [
        f"- Requires: {text(_REQUIRES.get(environment, f'approval for {environment} deployment'))}",
        *([f"- By policy: {text(said.message)}"] if said is not None and said.message else []),
        *([f"- Exactly this change: {code(changes.digest)}"] if changes.digest else []),
    ]


def _guardrail(plan: Plan) -> list[str]:
    exceptions = [
        f"- Exception {code(item.rule)}: {text(item.reason)} (approved by {text(item.approved_by)}, "
        f"until {item.expires:%Y-%m-%d})"
        for item in plan.guardrail.exceptions
    ]
    return [f"Outcome: {text(guardrail(plan))}", *(["", *exceptions] if exceptions else [])]


def _ticket(plan: Plan, decision: Decision) -> list[str]:
    ticket = plan.labels.get("ticket") or plan.labels.get("change-ticket")
    window = plan.labels.get("window") or plan.labels.get("change-window")
    said = [
        f"- {text(name)}: {text(item.message)}"
        for name, item in sorted(decision.checklist.items())
        if item.message and re.search("window|ticket|cab|approval", name, re.IGNORECASE)
    ]
    return [
        f"- Ticket: {text(ticket) if ticket else 'to be filled in before merging'}",
        f"- Window: {text(window) if window else 'to be agreed before merging'}",
        *said,
    ]


def _shortened(sections: list[str]) -> str:
    """The body with its long sections cut at a line's end, so that the short ones are all there."""
    limit = _BODY_LIMIT // (len(sections) + 1)
    return "\n\n".join(section if len(section) <= limit else _cut(section, limit) for section in sections) + "\n"


def _cut(section: str, limit: int) -> str:
    kept = section[:limit].rsplit("\n", 1)[0]
    opening = re.search(r"^(`{3,})\w+$", kept, re.MULTILINE)
    closing = f"\n{opening[1]}" if opening else ""
    return f"{kept}{closing}\n\n(shortened: {len(section) - len(kept)} more characters; see the files)"


def _secret(plan: Plan, change: Change, pointer: str) -> bool:
    schema = schema_for(change.type, plan.target.region)
    path = tuple("*" if part.isdigit() else part for part in pointer.strip("/").split("/"))
    return schema is not None and schema.is_secret(path)


def _value(value: Any) -> str:
    shown = json.dumps(mask(value), ensure_ascii=False, sort_keys=True, default=str)
    return line(shown if len(shown) <= 4 * _VALUE_WIDTH else f"{shown[: 4 * _VALUE_WIDTH]}…")
