"""The execution protocol: restate the context, show the steps, execute each with validation, report the outcome."""

from __future__ import annotations

from collections.abc import Sequence

from rich.text import Text

from reconciler.cli.show.changes import summaries
from reconciler.cli.show.decision import decision
from reconciler.cli.show.failure import failure
from reconciler.cli.show.page import STATE_STYLES, Page, count, moment
from reconciler.model.change import Step
from reconciler.model.report import BranchInfo, Context, PlanState, RunReport, StepResult, StepState

_MARKS = {
    StepState.DONE: ("✅", "complete", "green"),
    StepState.FAILED: ("❌", "failed", "red"),
    StepState.ROLLED_BACK: ("↩", "rolled back", "yellow"),
    StepState.SKIPPED: ("⏭", "skipped", "bright_black"),
    StepState.PENDING: ("·", "pending", "bright_black"),
    StepState.RUNNING: ("…", "running", "cyan"),
}
_NEXT = {
    PlanState.IN_SYNC: "None: live state matches the plan",
    PlanState.DRIFTED: "Look at `reconciler diff`; the next pass tries again",
    PlanState.PENDING_APPROVAL: "Review the change, then `reconciler approve {plan}`",
    PlanState.PIPELINE_OPEN: "Review and merge the branch; CI/CD deploys after approval",
    PlanState.DENIED: "Change the plan or the policy; the reasons are above",
    PlanState.FAILED: "Resolve the cause above; the daemon tries again by itself",
    PlanState.SUSPENDED: "Set spec.suspend to false to go on",
    PlanState.INVALID: "Correct the plan's file",
    PlanState.APPLYING: "Wait for the pass to end",
}


def context(given: Context) -> Text:
    """Step 1 of the protocol."""
    page = Page()
    page.line(f"Executing plan: {given.plan}", "bold")
    page.line(f"Environment: {given.environment}")
    page.line(f"Account: {given.account}")
    page.line(f"Identity: {given.identity.arn if given.identity else 'not established'}")
    page.line(f"Profile: {given.profile or 'default credentials'}")
    page.line(f"Region: {given.region}")
    page.line(f"Digest: {given.digest}")
    return page.text


def planned(steps: Sequence[Step]) -> Text:
    """Step 2, before the commands are known in full: what will be done, numbered."""
    page = Page()
    page.line(f"{count(len(steps), 'step')} will be executed:")
    for number, step in enumerate(steps, 1):
        known = f" ({step.identifier})" if step.identifier else ""
        page.line(f"{number}. {step.verb} {step.type} {step.logical_id}{known}")
    return page.text


def commands(steps: Sequence[StepResult]) -> Text:
    """Step 2, from a report: the commands, numbered."""
    page = Page()
    page.line("The following commands were executed:")
    for number, step in enumerate(steps, 1):
        page.line(f"{number}. {step.command or f'{step.verb} {step.type} {step.logical_id}'}")
    return page.text


def step(result: StepResult, number: int, total: int) -> Text:
    """Step 3: one step with its command, result and validation."""
    mark, word, style = _MARKS[result.state]
    page = Page()
    page.line(f"Executing step {number} of {total}...")
    page.line(f"Command: {result.command or f'{result.verb} {result.type} {result.logical_id}'}")
    page.line(f"Result: {result.error or result.result or '-'}")
    page.line(f"Validation: {result.validation or 'not made'}")
    page.line(f"{mark} Step {number} {word}", style)
    return page.text


def summary(report: RunReport) -> Text:
    """Step 4: the execution summary."""
    done = [each for each in report.steps if each.state is StepState.DONE]
    affected = [f"{each.logical_id} ({each.identifier})" if each.identifier else each.logical_id for each in done]
    page = Page()
    page.line("Execution Summary:", "bold")
    page.line(f"- Steps completed: {len(done)}/{len(report.steps)}")
    page.line(f"- Resources affected: {', '.join(affected) or 'none'}")
    page.line(f"- Validation status: {_validation(report)}")
    page.parts("- Outcome: ", (str(report.state), STATE_STYLES[report.state]), f": {report.message}")
    page.line(f"- Next steps: {next_steps(report)}")
    if report.state is PlanState.PENDING_APPROVAL and report.change_digest:
        page.line(f"Change: {report.change_digest}")
    return page.text


def next_steps(report: RunReport) -> str:
    """What a person should do now."""
    if report.branch and report.branch.command:
        return report.branch.command
    if report.branch and report.branch.url and report.branch.state == "open":
        return f"review {report.branch.url}"
    return _NEXT[report.state].format(plan=report.plan)


def branch(given: BranchInfo) -> Text:
    """Where a pipeline change stands, in the words of the seed."""
    page = Page()
    page.line(f"Production Change: {given.title or given.branch}", "bold")
    page.line(f"Repository: {given.repository} (base {given.base})")
    page.line(f"Branch {'created or updated' if given.state == 'open' else given.state}: {given.branch}")
    if given.commit:
        page.line(f"Commit: {given.commit[:12]}")
    if given.files:
        page.line("Generated Files:")
        for file in given.files:
            page.line(f"- {file}")
    for note in given.notes:
        page.line(f"Note: {note}")
    if given.problem:
        page.line(f"Problem: {given.problem}", "red")
    if given.state in ("merged", "drifted"):
        page.line(f"Next Steps: deploy {given.base}")
    if given.state != "open":
        return page.text
    page.line("Next Steps:")
    page.line("1. Review generated code")
    if given.url:
        page.line(f"2. Review PR {given.number} ({given.review}): {given.url}")
    else:
        page.line(f"2. Open PR: {given.command}" if given.command else "2. Open PR")
    page.line("3. CI/CD pipeline will deploy after approval")
    return page.text


def report(given: RunReport) -> Text:
    """A whole run, after the fact."""
    page = Page()
    page.line(f"Run {given.run}: {moment(given.started_at)} to {moment(given.finished_at)}, trigger {given.trigger}")
    if given.requests:
        page.line(f"Answers requests: {', '.join(given.requests)}")
    sections: list[Text] = [context(given.context)] if given.context else [Text(f"Plan: {given.plan}", style="bold")]
    if given.steps:
        sections.append(commands(given.steps))
        sections += [step(each, number, len(given.steps)) for number, each in enumerate(given.steps, 1)]
    elif given.changes:
        sections.append(summaries(given.changes))
    sections += outcome(given)
    for section in sections:
        page.line()
        page.add([section])
    return page.text


def outcome(given: RunReport) -> list[Text]:
    """What follows the steps of a run: failure, decision, branch, remarks and the summary, where there is any."""
    sections: list[Text] = []
    if explained := failure(given):
        sections.append(explained)
    if given.decision and given.state in (PlanState.DENIED, PlanState.PENDING_APPROVAL):
        sections.append(decision(given.decision))
    if given.branch:
        sections.append(branch(given.branch))
    remarks = Page()
    for title, lines in (
        ("Unexpected", given.unexpected),
        ("Compliance", given.compliance),
        ("Learnings", given.learnings),
    ):
        for line in lines:
            remarks.line(f"{title}: {line}")
    if remarks.text.plain:
        sections.append(remarks.text)
    return [*sections, summary(given)]


def _validation(report: RunReport) -> str:
    results = [each.validation for each in report.steps if each.validation]
    if not results:
        return "pass (nothing to execute)" if report.state is PlanState.IN_SYNC else "not made"
    broken = any(each.state is StepState.FAILED for each in report.steps)
    return "fail" if broken or any(result != "passed" for result in results) else "pass"
