"""iam-policy: the least privilege that plans need."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from reconciler.cli import runtime
from reconciler.cli.options import ConfigOption, Output, OutputOption, PlansArgument
from reconciler.cli.terminal import out, show_json

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from reconciler.model.plan import Plan
    from reconciler.providers.permissions import AccountPolicy


def iam_policy(plans: PlansArgument = None, config: ConfigOption = None, output: OutputOption = Output.TABLE) -> None:
    """Print the least-privilege IAM policies that the plans need, account by account; only reads for read-only targets.

    Calls neither AWS nor the daemon. Each document fits into one managed policy.
    """
    from reconciler.providers.permissions import assume_role, policies_for

    app = runtime.app_for(config)
    chosen = runtime.chosen(app.source.load(), plans)
    found = policies_for(chosen, app.settings.aws.writable_environments, app.settings.iac.template_bucket)
    roles = [role for plan in chosen if (role := _role(plan, app.settings.aws.role_pattern))]
    process = assume_role(roles)
    if output is Output.JSON:
        own = [{"account": None, "purpose": "the process itself", "document": process}] if process else []
        show_json({"policies": [*own, *(entry for policy in found for entry in _entries(policy))]})
        return
    for title, document in _titled(found, process):
        out().print(f"# {title}", markup=False, highlight=False, style="bold")
        out().print(json.dumps(document, indent=2) + "\n", markup=False, highlight=False, soft_wrap=True)


def _role(plan: Plan, pattern: str | None) -> str | None:
    target = plan.target
    if target.role_arn or target.profile or pattern is None:
        return target.role_arn
    return pattern.replace("{account}", target.account)


def _entries(policy: AccountPolicy) -> Iterator[dict[str, Any]]:
    for document in policy.documents:
        yield {
            "account": policy.account,
            "environments": policy.environments,
            "plans": policy.plans,
            "read_only": policy.read_only,
            "document": document,
        }


def _titled(
    policies: Sequence[AccountPolicy], process: Mapping[str, Any] | None
) -> Iterator[tuple[str, Mapping[str, Any]]]:
    from reconciler.providers.policydocs import LONGEST, size

    if process is not None:
        yield "For the process itself: to assume the roles of the accounts", process
    for policy in policies:
        kind = "reads only" if policy.read_only else "reads and writes"
        for number, document in enumerate(policy.documents, 1):
            where = f"Account {policy.account} ({', '.join(policy.environments)}), {kind}"
            part = f"policy {number} of {len(policy.documents)}"
            yield f"{where}, {part}\n# {size(document):,} of {LONGEST:,} characters", document
