"""What carries out stacks, Terraform and CDK plans."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from reconciler.model.errors import GuardBlocked
from reconciler.model.plan import Delivery, Target
from reconciler.ports import Clock, Deployer, EventSink
from reconciler.settings import Settings

if TYPE_CHECKING:
    from reconciler.ports import Store
    from reconciler.providers.access import Access


def deployers(
    settings: Settings, store: Store, clock: Clock, events: EventSink, access: Access
) -> Mapping[Delivery, Deployer]:
    """One for each delivery that another engine carries out."""
    from reconciler.iac.cdk import CdkDeployer
    from reconciler.iac.drift import Drifts
    from reconciler.iac.looking import Looker
    from reconciler.iac.stack import StackDeployer
    from reconciler.iac.stackrun import StackRun
    from reconciler.iac.terraform import TerraformDeployer
    from reconciler.iac.tftool import Limits as ToolLimits
    from reconciler.iac.tools import Tool

    iac = settings.iac
    origin, state = _plans_directory(settings), settings.state_dir / "iac"
    limits = ToolLimits(plan=iac.plan_timeout, apply=iac.timeout, lock=iac.lock_timeout)

    def lend(target: Target) -> Mapping[str, str]:
        """Only a writable target's credentials are given to other programs."""
        if target.environment not in settings.aws.writable_environments:
            raise GuardBlocked("credentials", "ReadKeys", target.environment)
        return access.environment(target)

    cdk = Tool("iac.cdk", iac.cdk.binary, iac.cdk.version, iac.cdk.environment)
    npm = iac.cdk.npm
    terraform = Tool("iac.terraform", iac.terraform.binary, iac.terraform.version, iac.terraform.environment)
    looker = Looker(store, clock, Drifts(clock, iac.drift), iac.template_bucket)
    run = StackRun(store, clock, iac.timeout)
    return {
        Delivery.STACK: StackDeployer(store, clock, events, looker, run),
        Delivery.CDK: CdkDeployer(store, clock, events, cdk, npm, origin, state, lend, limits, looker, run),
        Delivery.TERRAFORM: TerraformDeployer(store, clock, events, terraform, origin, state, lend, limits),
    }


def _plans_directory(settings: Settings) -> Path:
    """Where the source has its files."""
    git = settings.source.git
    if git is None:
        return settings.source.path
    return (git.checkout or settings.state_dir / "source") / git.subdirectory
