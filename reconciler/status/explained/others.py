"""Everything else that goes wrong: limits, credentials, regions, undecided calls, and plain failures."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from reconciler.model.errors import DeploymentError, FaultKind
from reconciler.model.plan import Plan
from reconciler.model.report import Explanation
from reconciler.status.explained import remedies
from reconciler.status.explained.case import Case
from reconciler.status.explained.denied import profile_of
from reconciler.status.explained.remedies import option, shell
from reconciler.status.outcome import Outcome


@dataclass(frozen=True, slots=True)
class Form:
    """What a failure is called, and the ways out; ``{plan}`` and ``{place}`` are filled in."""

    title: str
    options: tuple[str, ...]
    kind: str = "failure"


_AGAIN = "Wait: the daemon tries again by itself, with back-off; or now:\nreconciler apply {plan}"
_FORMS: Mapping[str, Form] = {
    FaultKind.UNAVAILABLE: Form("AWS unavailable", (_AGAIN, "See https://health.aws.amazon.com for the region")),
    FaultKind.TIMEOUT: Form("AWS did not answer in time", (_AGAIN,)),
    FaultKind.NOT_FOUND: Form(
        "Resource not found", ("Look at what has gone, and at who deletes it", _AGAIN, "Correct the plan: {place}")
    ),
    FaultKind.INVALID_REQUEST: Form("AWS refused the request", ("Correct what the message names: {place}",)),
    "validation": Form(
        "Validation failed",
        (
            "Look at who else changes the fields named above; see the whole difference:\nreconciler diff {plan}",
            "Leave the fields to whoever changes them: spec.ignore in {place}",
            _AGAIN,
        ),
        kind="validation",
    ),
    "stale": Form(
        "Overtaken: live state changed during the pass",
        ("Nothing: the next pass starts from what is, and decides afresh",),
        kind="stale",
    ),
    "policy": Form(
        "No policy decision",
        ("Check that the policies compile:\nreconciler policy test", "Check that the policy engine can be reached"),
        kind="policy",
    ),
    "guard": Form(
        "Stopped by the read-only guard",
        ("Make the change through the pipeline: the environment isn't written directly by configuration",),
        kind="guard",
    ),
    "store": Form("State store not usable", ("Check the disk, the permissions and store_url in the configuration",)),
    "lease": Form("Lease lost", ("Nothing: whoever has the lease goes on, or the next pass does",)),
    "pipeline": Form("Pipeline failed", ("Check the repository, its credentials and the base branch: {place}",)),
    "deployment": Form("Deployment failed", ("Correct what the message names: {place}", _AGAIN)),
    "invalid": Form("Plan not usable", ("Correct the plan: {place}\nreconciler validate PATH",)),
}
_UNKNOWN = Form("Execution failed", (_AGAIN,))


def deployment(plan: Plan, error: DeploymentError) -> Explanation:
    """A stack, Terraform or CDK plan that can't be looked at or carried out: the error brings its own ways out."""
    kind = "waiting" if error.passing else "failure"
    options = error.options or (_AGAIN.format(plan=plan.name),)
    analysis = (("Cause", str(error)), ("In the plan", remedies.place(plan, None)))
    return Explanation(kind=kind, title=error.title, analysis=analysis, options=options)


def failure(plan: Plan, outcome: Outcome, case: Case) -> Explanation:
    """A failure that needs no form of its own."""
    del outcome
    form = _FORMS.get(case.kind, _UNKNOWN)
    return Explanation(
        kind=form.kind,
        title=form.title,
        analysis=(*_facts(case), ("Cause", case.text)),
        options=tuple(
            text.format(plan=plan.name, place=remedies.place(plan, case.logical_id)) for text in form.options
        ),
    )


def quota(plan: Plan, outcome: Outcome, case: Case) -> Explanation:
    """A quota is exhausted: which, how large, and how to raise it."""
    told = outcome.quotas.get(case.step, {}) if case.step is not None else {}
    name, value, code = told.get("name", ""), told.get("value", ""), told.get("code", "")
    service = told.get("service") or case.service
    where = ("--region", told.get("region") or plan.target.region, *remedies.profile(plan))
    named = ("aws", "service-quotas")
    if code:
        desired = str(int(float(value)) * 2) if _number(value) else "VALUE"
        ask = shell(
            *named, "request-service-quota-increase", "--service-code", service, "--quota-code", code,
            "--desired-value", desired, *where,
        )  # fmt: skip
    else:
        ask = shell(*named, "list-service-quotas", "--service-code", service or "SERVICE", *where)
    return Explanation(
        kind="quota",
        title="Quota exceeded",
        analysis=(
            *_facts(case),
            ("Quota", f"{name}{f' ({code})' if code else ''}" if name else "not named by AWS"),
            *((("Value", value),) if value else ()),
            *((("Console", told["url"]),) if told.get("url") else ()),
            ("Cause", case.text),
        ),
        options=(
            option("Request a quota increase:" if code else "Find the quota, and request an increase:", ask),
            "Delete what is no longer needed",
            "Use another region or account: spec.target in " + remedies.place(plan),
        ),
    )


def throttling(plan: Plan, outcome: Outcome, case: Case) -> Explanation:
    """AWS asks to go slower; every call was repeated with pauses before it was given up."""
    del outcome
    return Explanation(
        kind="throttling",
        title="Throttled by AWS",
        analysis=(*_facts(case), ("Cause", case.text)),
        options=(
            option("Wait: the daemon tries again by itself, with back-off; or now:", remedies.apply(plan)),
            f"Look at who else calls AWS in account {plan.target.account}: its limits are shared",
            "Lower the number of parallel calls: aws.threads in the configuration",
        ),
    )


def credentials(plan: Plan, outcome: Outcome, case: Case) -> Explanation:
    """There are none, they have expired, or the profile isn't known here."""
    target = plan.target
    login = [shell("aws", "sso", "login", *remedies.profile(plan))] if target.profile else []
    return Explanation(
        kind="credentials",
        title="No valid credentials",
        analysis=(
            ("Profile", profile_of(plan, outcome.context)),
            ("Account", target.account),
            ("Message", case.text),
        ),
        options=(
            option("Log in again:" if login else "Renew the credentials that the process finds, then look:", *login)
            + f"\n{remedies.whoami(plan)}",
            option("List the profiles that this machine knows:", "aws configure list-profiles"),
            f"Correct spec.target.profile or roleArn in {remedies.place(plan)}",
        ),
    )


def wrong_account(plan: Plan, outcome: Outcome, case: Case) -> Explanation:
    """The credentials are another account's: nothing was read or changed."""
    return Explanation(
        kind="wrong_account",
        title="Wrong account",
        analysis=(
            ("Profile", profile_of(plan, outcome.context)),
            ("Account of the plan", plan.target.account),
            ("Message", case.text),
        ),
        options=(
            option("See whose credentials these are:", remedies.whoami(plan)),
            f"Select the profile or role of account {plan.target.account}: {remedies.place(plan)}",
            f"Correct spec.target.account in {remedies.place(plan)}",
        ),
    )


def region_disabled(plan: Plan, outcome: Outcome, case: Case) -> Explanation:
    """The region isn't enabled in the account."""
    del outcome
    where = ("--region-name", plan.target.region, *remedies.profile(plan))
    return Explanation(
        kind="region",
        title="Region not enabled",
        analysis=(("Region", plan.target.region), ("Account", plan.target.account), ("Message", case.text)),
        options=(
            option(
                "Enable the region (takes minutes to hours), and see how far it is:",
                shell("aws", "account", "enable-region", *where),
                shell("aws", "account", "get-region-opt-status", *where),
            ),
            f"Use another region: spec.target.region in {remedies.place(plan)}",
        ),
    )


def undecidable(plan: Plan, outcome: Outcome, case: Case) -> Explanation:
    """An interrupted call of which it can't be told whether it took effect: a person has to look."""
    del outcome
    return Explanation(
        kind="undecidable",
        title="A person must look",
        analysis=(*_facts(case), ("Cause", case.text)),
        options=(
            "Look at the resource that the message names: is the change there or not?",
            option("See all that is undecided, with the facts:", shell("reconciler", "settle", plan.name)),
            option(
                "Say what you saw, then the plan goes on:",
                f"{shell('reconciler', 'settle', plan.name)} STEP --outcome present|absent",
            ),
        ),
    )


def _facts(case: Case) -> tuple[tuple[str, str], ...]:
    facts = (("Resource", case.subject), ("Operation", case.call))
    return tuple((name, text) for name, text in facts if text)


def _number(text: str) -> bool:
    try:
        return float(text) > 0
    except ValueError:
        return False
