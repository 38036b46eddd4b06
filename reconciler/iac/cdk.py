"""The ``cdk`` delivery: synthesize, compare, decide, deploy exactly that assembly, look at what became of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import structlog

from reconciler.iac import stacks
from reconciler.iac.assembly import AppStack, digest_of, stacks_in
from reconciler.iac.cdktool import Cdk, failed
from reconciler.iac.digest import change_digest
from reconciler.iac.following import Follower, since_the_start
from reconciler.iac.looking import Look, Looker, WantedStack
from reconciler.iac.process import Runner
from reconciler.iac.stack import PreparedStacks, change_set, check_delivery
from reconciler.iac.stackrun import StackRun, record_of
from reconciler.iac.stacks import STACK_TYPE
from reconciler.iac.steps import STALE, Progress
from reconciler.iac.templates import parse
from reconciler.iac.tftool import Limits, check_idle
from reconciler.iac.tools import Tool
from reconciler.iac.workdir import WorkDirectory, source_files
from reconciler.model.change import ChangeSet, Verb
from reconciler.model.errors import AwsFault, DeploymentError, ReconcilerError, StoreError
from reconciler.model.ids import ClientToken, Identifier, LogicalId, Owner, StepId, TypeName
from reconciler.model.journal import JournalEntry, JournalState
from reconciler.model.plan import CdkSource, Plan, Target
from reconciler.ports import Clock, Deployed, Deployment, EventSink, Prepared, Scope, Store

log = structlog.get_logger(__name__)

APP = TypeName("CDK::App")
#: How the whole is called in plan and journal.
WHOLE = LogicalId("Cdk")


@dataclass(slots=True)
class PreparedCdk:
    """Implements ports.Prepared. ``digest``: of the assembly that was decided on."""

    plan: Plan
    scope: Scope
    looks: tuple[Look, ...]
    apps: Mapping[LogicalId, AppStack]
    changes: ChangeSet
    deployer: CdkDeployer
    cdk: Cdk
    digest: str

    def execute(self, deployment: Deployment) -> Deployed:
        """See ports.Prepared."""
        deployer = self.deployer
        progress = Progress(deployment.run, self.plan, self.changes, deployer.clock, deployer.events, "cdk deploy")
        progress.start(deployment.context)
        try:
            rolled_back = self._deploy(deployment, progress)
        except StoreError:
            raise
        except ReconcilerError as error:
            progress.fail_first(error, error.reason if not isinstance(error, AwsFault) else "")
            rolled_back = None
        return Deployed(progress.ended(), rolled_back)

    def _deploy(self, deployment: Deployment, progress: Progress) -> bool | None:
        if digest_of(self.cdk.assembly) != self.digest:
            progress.fail_first("the assembly isn't the one that was decided on any more", STALE)
            return None
        changed = [look for look in self.looks if look.changes]
        for look in changed:
            self.deployer.run.check_unchanged(self.scope, look)
        followers = {look.wanted.logical_id: self._follower(look, progress) for look in changed}
        store, entry = self.deployer.store, self._intent(deployment, changed)
        credentials = self.deployer.lend(self.plan.target)
        deployment.lease.ensure()
        store.write_journal(entry)
        deployment.lease.ensure()
        rolled_back: bool | None = None
        problem: ReconcilerError | None = None
        for look in changed:
            app = self.apps[look.wanted.logical_id]
            finished = self.cdk.deploy(
                credentials,
                [app.id],
                {**app.tags, **Owner(self.plan.name, look.wanted.logical_id).tags()},
                rollback=self.plan.rollback.mode == "automatic",
                heard=lambda line: progress.say(LogicalId(""), line.strip()),
                allowed=deployment.lease.ensure,
            )
            problem = failed("cdk deploy", finished) if finished.code or finished.why else None
            rolled_back = self._outcome(look, followers[look.wanted.logical_id], progress, deployment, problem)
            self.cdk.runner.forget()
            if problem is not None or deployment.stopping():
                break
        state = JournalState.DONE if problem is None else JournalState.FAILED
        store.write_journal(replace(entry, state=state, error=str(problem or ""), at=self.deployer.clock.now()))
        return rolled_back

    def _follower(self, look: Look, progress: Progress) -> Follower:
        name = Identifier(look.wanted.name)
        follower = Follower(self.scope, self.deployer.clock, name, progress.part(look.prefix))
        if look.stack is not None:
            follower.skip_past()
        return follower

    def _outcome(
        self,
        look: Look,
        follower: Follower,
        progress: Progress,
        deployment: Deployment,
        problem: ReconcilerError | None,
    ) -> bool | None:
        """What the stack itself says, whatever the program said. Whether it was rolled back."""
        part, clock = progress.part(look.prefix), self.deployer.clock
        deadline = clock.monotonic() + self.deployer.run.timeout
        ended = follower.follow(deadline, deployment.stopping)
        if problem is None and ended is not None and ended.succeeded:
            stack = stacks.read(self.scope, look.wanted.name)
            if stack is not None:
                self.deployer.store.save_record(record_of(self.plan, self.scope, look.wanted, stack.id, clock))
            part.finish_all()
            return None
        reasons = f": {'; '.join(ended.reasons)}" if ended is not None and ended.reasons else ""
        status = ended.status if ended is not None else "still being deployed"
        if not part.any_failed:
            text = str(problem or f"cdk deploy ended well, but the stack is {status}")
            kind = problem.kind.value if isinstance(problem, AwsFault) else "deployment"
            part.fail_first(f"{text}{reasons}", kind)
        rolled_back = ended.rolled_back if ended is not None else None
        if rolled_back:
            part.rolled_back()
        return rolled_back

    def _intent(self, deployment: Deployment, changed: list[Look]) -> JournalEntry:
        return JournalEntry(
            run=deployment.run,
            plan=self.plan.name,
            step=StepId(f"{WHOLE}:deploy"),
            logical_id=WHOLE,
            type=APP,
            verb=Verb.UPDATE,
            token=ClientToken(self.digest.removeprefix("sha256:")[:64]),
            account=self.scope.account,
            region=self.scope.region,
            at=self.deployer.clock.now(),
            identifier=Identifier(",".join(look.wanted.name for look in changed)),
        )

    def remember(self) -> None:
        """See ports.Prepared."""
        store = self.deployer.store
        records = store.records(self.plan.name)
        for look in self.looks:
            known = records.get(look.wanted.logical_id)
            in_place = look.stack is not None and not look.changes and look.conflict is None
            if in_place and look.stack is not None and (known is None or known.identifier != look.stack.id):
                store.save_record(record_of(self.plan, self.scope, look.wanted, look.stack.id, self.deployer.clock))

    def close(self, *, keep: bool) -> None:
        """See ports.Prepared."""
        del keep
        self.cdk.runner.forget()
        self.cdk.work.release()


@dataclass(frozen=True, slots=True)
class CdkDeployer:
    """Implements ports.Deployer for ``cdk``; the fields as those of ``TerraformDeployer``."""

    store: Store
    clock: Clock
    events: EventSink
    tool: Tool
    npm: str
    origin: Path
    state: Path
    lend: Callable[[Target], Mapping[str, str]]
    limits: Limits
    looker: Looker
    run: StackRun

    def prepare(self, plan: Plan, scope: Scope, *, writable: bool) -> Prepared:
        """See ports.Deployer. Templates are compared by reads: CloudFormation isn't asked for a change set here."""
        source = plan.cdk
        assert source is not None
        check_delivery(self.store, plan, {STACK_TYPE})
        records = self.store.records(plan.name)
        if plan.absent and records:
            return self._removal(plan, scope, {name: _stack_name(one.identifier) for name, one in records.items()})
        cdk = self._cdk(plan)
        cdk.work.lock()
        try:
            apps = self._synthesized(plan, source, cdk)
            if plan.absent:
                cdk.work.release()
                return self._removal(plan, scope, {LogicalId(app.name): app.name for app in apps})
            return self._compared(plan, source, scope, cdk, apps, writable=writable)
        except BaseException:
            cdk.work.release()
            raise

    def settle(self, plan: Plan, scope: Scope) -> None:
        """See ports.Deployer: CloudFormation has gone on by itself, so its stacks are followed to their end."""
        for entry in self.store.unfinished(plan.name):
            if entry.type == STACK_TYPE:
                self.run.settle(scope, entry)
            if entry.type != APP:
                continue
            cdk = self._cdk(plan)
            cdk.work.lock()
            try:
                check_idle(cdk.runner, cdk.work)
                told = [self._followed(scope, name) for name in str(entry.identifier).split(",")]
            finally:
                cdk.work.release()
            text = f"an earlier cdk deploy was interrupted: {'; '.join(told)}; what is left was compared anew"
            self.store.write_journal(replace(entry, state=JournalState.FAILED, error=text, at=self.clock.now()))
            log.warning("interrupted deployment settled", plan=plan.name, tool=self.tool.binary, known=text)

    def _followed(self, scope: Scope, name: str) -> str:
        stack = stacks.read(scope, name)
        if stack is None:
            return f"the stack {name} isn't there"
        follower = Follower(scope, self.clock, stack.id)
        since_the_start(follower)
        ended = follower.follow(self.clock.monotonic() + self.run.timeout, lambda: False) if stack.busy else None
        if ended is None and stack.busy:
            text = f"the stack {name} is still being deployed"
            raise DeploymentError("Deployment still going on", text, ("Wait: it is followed",), passing=True)
        return f"the stack {name} is {ended.status if ended is not None else stack.status}"

    def _cdk(self, plan: Plan) -> Cdk:
        work = WorkDirectory(self.state / "cdk" / plan.name)
        return Cdk(self.tool, self.npm, work, Runner(work.run, self.clock), plan.target, self.limits)

    def _synthesized(self, plan: Plan, source: CdkSource, cdk: Cdk) -> tuple[AppStack, ...]:
        check_idle(cdk.runner, cdk.work)
        cdk.check()
        cdk.work.fill(self.origin / source.directory, source.files, {})
        cdk.install(source)
        cdk.synthesize(source)
        return stacks_in(cdk.assembly, plan.target, source.stacks)

    def _compared(
        self, plan: Plan, source: CdkSource, scope: Scope, cdk: Cdk, apps: tuple[AppStack, ...], *, writable: bool
    ) -> PreparedCdk:
        looks = tuple(self._look(plan, scope, app, alone=len(apps) == 1) for app in apps)
        files = () if writable else source_files(self.origin / source.directory, source.files)
        changes = change_set(plan, looks, files)
        left = sorted(set(self.store.records(plan.name)) - {LogicalId(app.name) for app in apps})
        if left and not source.stacks:
            note = f"no longer in the app, and left as they are: {', '.join(left)}"
            changes = replace(changes, notes=(*changes.notes, note))
        changed = [app.id for app, look in zip(apps, looks, strict=True) if look.changes]
        if writable and changed:
            changes = replace(changes, output=cdk.diff(self.lend(plan.target), changed))
        digest = digest_of(cdk.assembly)
        by_name = {LogicalId(app.name): app for app in apps}
        return PreparedCdk(plan, scope, looks, by_name, changes, self, cdk, digest)

    def _look(self, plan: Plan, scope: Scope, app: AppStack, *, alone: bool) -> Look:
        """One stack. Parameters that it has keep their values, as ``cdk deploy`` leaves them."""
        template = parse(app.body)
        known = stacks.read(scope, app.name)
        live = known.parameters if known is not None else {}
        declared = template.get("Parameters") or {}
        parameters = {name: live.get(name, str(one.get("Default", ""))) for name, one in declared.items()}
        needed = [name for name, one in declared.items() if name not in live and "Default" not in one]
        if needed:
            text = f"the stack {app.name} has parameters without a value: {', '.join(needed)}"
            raise DeploymentError("Parameter missing", text, ("Give them a default, or take the value from context",))
        wanted = WantedStack(LogicalId(app.name), app.name, app.body, template, parameters)
        look = self.looker.look(plan, scope, wanted, asking=False)
        return look if alone else _prefixed(look)

    def _removal(self, plan: Plan, scope: Scope, names: Mapping[LogicalId, str]) -> PreparedStacks:
        """Every stack of the plan is to go, those made last first."""
        looks = tuple(
            self.looker.look(plan, scope, WantedStack(logical, name, absent=True), asking=False)
            for logical, name in reversed(list(names.items()))
        )
        looks = looks if len(looks) == 1 else tuple(_prefixed(look) for look in looks)
        changes = change_set(plan, looks)
        changes = replace(changes, digest=change_digest(changes, [look.basis for look in looks]))
        return PreparedStacks(plan, scope, looks, changes, self.run, self.store, self.clock, self.events)


def _prefixed(look: Look) -> Look:
    """The look with the stack's name before those of its resources: others may have the same ones."""
    prefix = f"{look.wanted.name}/"
    return replace(
        look,
        prefix=prefix,
        changes=tuple(replace(one, logical_id=LogicalId(prefix + one.logical_id)) for one in look.changes),
        states=tuple(replace(one, logical_id=LogicalId(prefix + one.logical_id)) for one in look.states),
    )


def _stack_name(identifier: Identifier) -> str:
    """The name in a stack's ARN."""
    parts = identifier.split("/")
    return parts[1] if len(parts) > 1 else identifier
