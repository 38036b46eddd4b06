"""The ``terraform`` delivery: plan, decide on exactly that plan, apply exactly that plan file."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import structlog

from reconciler.iac.digest import change_digest
from reconciler.iac.process import Runner
from reconciler.iac.stack import check_delivery
from reconciler.iac.steps import STALE, Progress, steps_of
from reconciler.iac.tfplan import TerraformPlan, read_plan
from reconciler.iac.tftool import Limits, Terraform, check_idle, file_digest
from reconciler.iac.tfwords import Listener, is_stale, lines_of
from reconciler.iac.tools import Tool
from reconciler.iac.workdir import WorkDirectory, source_files
from reconciler.model.change import Action, Change, ChangeSet, FieldChange, ResourceState, SourceFile, Verb
from reconciler.model.errors import AwsFault, ReconcilerError, StoreError
from reconciler.model.ids import ClientToken, Identifier, LogicalId, PlanName, StepId, TypeName
from reconciler.model.journal import JournalEntry, JournalState
from reconciler.model.plan import Plan, Target, TerraformSource
from reconciler.model.resource import Record, SyncState
from reconciler.ports import Clock, Deployed, Deployment, EventSink, Scope, Store

log = structlog.get_logger(__name__)

CONFIGURATION = TypeName("Terraform::Configuration")
#: How the whole is called in plan, journal and store.
WHOLE = LogicalId("Terraform")
_PLAN, _DRIFT = "plan.tfplan", "drift.tfplan"
#: Where what comes from elsewhere lies in the copy.
_EXTRA = ".reconciler"
_FIXED = {"TF_IN_AUTOMATION": "1", "TF_INPUT": "0", "CHECKPOINT_DISABLE": "1"}


@dataclass(slots=True)
class PreparedTerraform:
    """Implements ports.Prepared. ``file``: the digest of the plan file that was decided on."""

    plan: Plan
    changes: ChangeSet
    deployer: TerraformDeployer
    scope: Scope
    terraform: Terraform | None = None
    file: str = ""

    def execute(self, deployment: Deployment) -> Deployed:
        """See ports.Prepared."""
        assert self.terraform is not None
        deployer = self.deployer
        name = Path(self.terraform.tool.binary).name
        progress = Progress(deployment.run, self.plan, self.changes, deployer.clock, deployer.events, name)
        progress.start(deployment.context)
        try:
            self._apply(self.terraform, deployment, progress)
        except StoreError:
            raise
        except ReconcilerError as error:
            progress.fail_first(error, error.reason if not isinstance(error, AwsFault) else "")
        return Deployed(progress.ended())

    def _apply(self, terraform: Terraform, deployment: Deployment, progress: Progress) -> None:
        path = terraform.work.run / _PLAN
        if not path.is_file() or file_digest(path) != self.file:
            progress.fail_first("the plan file isn't the one that was decided on any more", STALE)
            return
        entry = self._intent(deployment)
        store = self.deployer.store
        deployment.lease.ensure()
        store.write_journal(entry)
        deployment.lease.ensure()
        wait = f"-lock-timeout={terraform.limits.lock:.0f}s"
        command = terraform.command("apply", "-input=false", "-json", wait, str(path), timeout=terraform.limits.apply)
        finished = terraform.runner.run(command, Listener(progress).hear, deployment.lease.ensure)
        path.unlink(missing_ok=True)
        problem = None if not finished.code and not finished.why else terraform.failed("apply", finished)
        self._close(entry, problem)
        terraform.runner.forget()
        if problem is None:
            progress.finish_all()
        elif is_stale(finished):
            progress.fail_first(f"the state has changed since the plan was made: {problem}", STALE)
        elif not progress.any_failed:
            kind = problem.kind.value if isinstance(problem, AwsFault) else problem.reason
            progress.fail_first(problem, kind)

    def _intent(self, deployment: Deployment) -> JournalEntry:
        clock, scope = self.deployer.clock, self.scope
        source = self.plan.terraform
        assert source is not None
        record = Record(
            self.plan.name,
            WHOLE,
            CONFIGURATION,
            Identifier(source.workspace or "default"),
            scope.account,
            scope.region,
        )
        return JournalEntry(
            run=deployment.run,
            plan=self.plan.name,
            step=StepId(f"{WHOLE}:apply"),
            logical_id=WHOLE,
            type=CONFIGURATION,
            verb=Verb.DELETE if self.plan.absent else Verb.UPDATE,
            token=ClientToken(self.file.removeprefix("sha256:")[:64]),
            account=scope.account,
            region=scope.region,
            at=clock.now(),
            identifier=record.identifier,
            record=record,
        )

    def _close(self, entry: JournalEntry, problem: ReconcilerError | None) -> None:
        store, now = self.deployer.store, self.deployer.clock.now()
        if problem is None:
            self.remember()
        state = JournalState.DONE if problem is None else JournalState.FAILED
        store.write_journal(replace(entry, state=state, error=str(problem or ""), at=now))

    def remember(self) -> None:
        """See ports.Prepared: that there is something of this plan, so that it isn't forgotten if the file goes."""
        store, source, scope = self.deployer.store, self.plan.terraform, self.scope
        known = store.records(self.plan.name).get(WHOLE)
        assert source is not None
        if self.plan.absent:
            if known is not None:
                store.drop_record(self.plan.name, WHOLE)
            return
        identifier = Identifier(source.workspace or "default")
        if known is None or known.identifier != identifier:
            now = self.deployer.clock.now()
            record = Record(self.plan.name, WHOLE, CONFIGURATION, identifier, scope.account, scope.region)
            store.save_record(replace(record, updated_at=now))

    def close(self, *, keep: bool) -> None:
        """See ports.Prepared. A plan file may hold secrets, and is made again by the next pass."""
        del keep
        if self.terraform is not None:
            for name in (_PLAN, _DRIFT):
                (self.terraform.work.run / name).unlink(missing_ok=True)
            self.terraform.runner.forget()
            self.terraform.work.release()


@dataclass(slots=True)
class TerraformDeployer:
    """Implements ports.Deployer for ``terraform``.

    ``origin``: where the source's files are; ``state``: where copies are kept. ``lend``: credentials of a target as
    variables. ``said``: what is still to be told of interrupted applies.
    """

    store: Store
    clock: Clock
    events: EventSink
    tool: Tool
    origin: Path
    state: Path
    lend: Callable[[Target], Mapping[str, str]]
    limits: Limits
    said: dict[PlanName, str] = field(default_factory=dict)

    def prepare(self, plan: Plan, scope: Scope, *, writable: bool) -> PreparedTerraform:
        """See ports.Deployer."""
        source = plan.terraform
        assert source is not None
        check_delivery(self.store, plan, {CONFIGURATION})
        if not writable:
            return PreparedTerraform(plan, self._unseen(plan, source), self, scope)
        work = WorkDirectory(self.state / "terraform" / plan.name)
        work.lock()
        try:
            runner = Runner(work.run, self.clock)
            check_idle(runner, work)
            terraform = Terraform(self.tool, work, runner, self._environment(plan, work), self.limits)
            more = {f"{_EXTRA}/{n}-{Path(p).name}": (self.origin / p, d) for n, (p, d) in enumerate(source.var_files)}
            work.fill(self.origin / source.directory, source.files, more)
            terraform.init(source)
            terraform.select(source.workspace)
            return self._planned(plan, scope, terraform, [*more])
        except BaseException:
            work.release()
            raise

    def settle(self, plan: Plan, scope: Scope) -> None:
        """See ports.Deployer: what the interrupted apply wrote tells how far it came; the rest is planned anew."""
        del scope
        open_entries = [entry for entry in self.store.unfinished(plan.name) if entry.type == CONFIGURATION]
        if not open_entries:
            return
        work = WorkDirectory(self.state / "terraform" / plan.name)
        work.lock()
        try:
            runner = Runner(work.run, self.clock)
            check_idle(runner, work)
            told = interrupted(runner.output())
            self.said[plan.name] = told
            for entry in open_entries:
                self.store.write_journal(
                    replace(entry, state=JournalState.FAILED, error=told, at=self.clock.now())
                )  # fmt: skip
            log.warning("interrupted deployment settled", plan=plan.name, tool=self.tool.binary, known=told)
            runner.forget()
        finally:
            work.release()

    def _environment(self, plan: Plan, work: WorkDirectory) -> dict[str, str]:
        return self.tool.seen(work.home, {**_FIXED, **self.lend(plan.target)})

    def _planned(self, plan: Plan, scope: Scope, terraform: Terraform, extra: list[str]) -> PreparedTerraform:
        source = plan.terraform
        assert source is not None
        arguments = [f"-var-file={path}" for path in extra]
        if source.variables:
            path = terraform.work.source / _EXTRA / "parameters.tfvars.json"
            path.parent.mkdir(exist_ok=True)
            path.write_text(json.dumps(dict(source.variables)))
            arguments.append(f"-var-file={_EXTRA}/{path.name}")
        if plan.absent:
            arguments.append("-destroy")
        changed, text = terraform.plan(_PLAN, *arguments)
        found = read_plan(text, self.clock.now())
        notes = self._notes(plan, source, terraform)
        if not changed:
            found = self._drift(terraform, replace(found, changes=()), [a for a in arguments if a != "-destroy"])
        elif not found.changes:
            found = replace(found, changes=(_unnamed(),))
        changes = ChangeSet(plan, found.changes, steps_of(found.changes), resources=_states(found), notes=notes)
        changes = replace(changes, digest=change_digest(changes, found.basis))
        file = file_digest(terraform.work.run / _PLAN)
        return PreparedTerraform(plan, changes, self, scope, terraform, file)

    def _drift(self, terraform: Terraform, found: TerraformPlan, arguments: list[str]) -> TerraformPlan:
        """Nothing is to be changed; whether something was changed outside that the configuration doesn't speak of."""
        if not found.states:
            return found
        _, text = terraform.plan(_DRIFT, "-refresh-only", *arguments)
        return replace(found, drifted=read_plan(text, self.clock.now()).drifted)

    def _notes(self, plan: Plan, source: TerraformSource, terraform: Terraform) -> tuple[str, ...]:
        notes = []
        if plan.name in self.said:
            notes.append(self.said.pop(plan.name))
        if (terraform.work.source / "terraform.tfstate").exists():
            notes.append("the state is a file on this machine alone: configure a backend")
        if ".terraform.lock.hcl" not in source.files and (terraform.work.source / ".terraform.lock.hcl").exists():
            notes.append("the source has no .terraform.lock.hcl, so the versions of providers aren't pinned")
        return tuple(notes)

    def _beside(self, source: TerraformSource) -> Iterator[SourceFile]:
        """What the configuration is given from outside of its directory: for its pipeline, too."""
        inside = {f"{source.directory}/{path}" for path in source.files}
        for number, (path, digest) in enumerate(source.var_files):
            if path not in inside:
                name = Path(path).name
                (file,) = source_files(self.origin / Path(path).parent, {name: digest}, f"{_EXTRA}/{number}-")
                yield file
        if source.variables:
            text = json.dumps(dict(source.variables), indent=2, sort_keys=True) + "\n"
            yield SourceFile("reconciler.auto.tfvars.json", text)

    def _unseen(self, plan: Plan, source: TerraformSource) -> ChangeSet:
        """For a read-only target Terraform isn't run at all: the files go to the branch, its pipeline plans them."""
        files = (*source_files(self.origin / source.directory, source.files), *self._beside(source))
        fields = tuple(FieldChange(f"/{path}", None, digest, reason="plan") for path, digest in source.files.items())
        identifier = Identifier(source.directory)
        reason = "what is deployed isn't seen from here: the pipeline plans and applies it"
        change = Change(WHOLE, CONFIGURATION, Action.UPDATE, identifier, fields=fields, reason=reason)
        if plan.absent:
            change = replace(change, action=Action.DELETE, fields=())
            files = ()
        state = ResourceState(WHOLE, CONFIGURATION, SyncState.DRIFTED, identifier, reason, self.clock.now())
        changes = ChangeSet(plan, (change,), steps_of((change,)), resources=(state,), files=files, notes=(reason,))
        return replace(changes, digest=change_digest(changes, [source.directory, dict(source.files)]))


def interrupted(output: str) -> str:
    """What is known of an apply that nobody waited for: from what it wrote."""
    lines = list(lines_of(output))
    done = [_address(line) for line in lines if line.get("type") == "apply_complete"]
    begun = [_address(line) for line in lines if line.get("type") == "apply_start"]
    if any(line.get("type") == "change_summary" for line in lines):
        return "an earlier apply ended while nobody watched: it was complete"
    unknown = [name for name in begun if name not in done]
    parts = [f"done: {', '.join(done) or 'nothing that is known'}"]
    parts += [f"begun, and not known to have ended: {', '.join(unknown)}"] if unknown else []
    return f"an earlier apply was interrupted ({'; '.join(parts)}); what is left was planned anew"


def _address(line: Mapping[str, object]) -> str:
    hook = line.get("hook")
    resource = hook.get("resource") if isinstance(hook, Mapping) else None
    return str(resource.get("addr", "")) if isinstance(resource, Mapping) else ""


def _states(found: TerraformPlan) -> tuple[ResourceState, ...]:
    """The states of all resources; of those that drifted as the drift says, where nothing is to be changed."""
    if found.changes:
        return found.states
    drifted = {state.logical_id: state for state in found.drifted}
    return tuple(drifted.get(state.logical_id, state) for state in found.states)


def _unnamed() -> Change:
    reason = "Terraform wants to write its state anew and names no resource or output"
    return Change(WHOLE, CONFIGURATION, Action.UPDATE, reason=reason)
