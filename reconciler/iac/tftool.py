"""The terraform program in one plan's copy of its directory, command by command."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from reconciler.iac.process import Command, Finished, Runner
from reconciler.iac.tfwords import failure
from reconciler.iac.tools import Tool
from reconciler.iac.workdir import WorkDirectory
from reconciler.model.errors import AwsFault, DeploymentError
from reconciler.model.plan import TerraformSource

_NO_CHANGES, _CHANGES = 0, 2


@dataclass(frozen=True, slots=True)
class Limits:
    """Seconds."""

    plan: float
    apply: float
    lock: float


@dataclass(frozen=True, slots=True)
class Terraform:
    """The program in one plan's copy of its directory. ``environment``: all that it sees."""

    tool: Tool
    work: WorkDirectory
    runner: Runner
    environment: Mapping[str, str]
    limits: Limits

    def run(self, *arguments: str, timeout: float | None = None) -> Finished:
        """One command, without a person. Raises DeploymentError if it can't be started."""
        return self.runner.run(self.command(*arguments, timeout=timeout))

    def command(self, *arguments: str, timeout: float | None = None) -> Command:
        """The command as it is started."""
        argv = [self.tool.path(), *arguments]
        name = f"{Path(self.tool.binary).name} {arguments[0]}"
        return Command(name, argv, self.work.source, self.environment, timeout or self.limits.plan)

    def failed(self, what: str, finished: Finished) -> DeploymentError | AwsFault:
        """The error that a failed run is."""
        return failure(f"{Path(self.tool.binary).name} {what}", finished, str(self.work.source), self.tool.binary)

    def version(self) -> str:
        """Its version, if that is one that is accepted. Raises DeploymentError."""
        finished = self.run("version", "-json", timeout=60.0)
        try:
            found = str(json.loads(finished.output)["terraform_version"])
        except (ValueError, LookupError, TypeError):
            found = ""
        return self.tool.check(found)

    def init(self, source: TerraformSource) -> None:
        """Get backend, modules and providers, unless that was done for just these files. Raises as ``failed``."""
        mark = self.work.run / "initialised"
        facts = json.dumps([self.version(), dict(source.files)], sort_keys=True)
        if mark.is_file() and mark.read_text() == facts and (self.work.source / ".terraform").is_dir():
            return
        mark.unlink(missing_ok=True)
        pinned = ["-lockfile=readonly"] if ".terraform.lock.hcl" in source.files else []
        finished = self.run("init", "-input=false", "-no-color", "-reconfigure", *pinned)
        if finished.code or finished.why:
            raise self.failed("init", finished)
        mark.write_text(facts)

    def select(self, workspace: str) -> None:
        """Go to a workspace; one that isn't there yet is an empty state and is made. Raises as ``failed``."""
        if not workspace:
            return
        finished = self.run("workspace", "select", "-no-color", workspace)
        if finished.code and "doesn't exist" in finished.errors + finished.output:
            finished = self.run("workspace", "new", "-no-color", workspace)
        if finished.code or finished.why:
            raise self.failed(f"workspace select {workspace}", finished)

    def plan(self, name: str, *arguments: str) -> tuple[bool, str]:
        """Make a plan file in our notes. Whether it changes anything, and its JSON. Raises as ``failed``."""
        path = self.work.run / name
        path.unlink(missing_ok=True)
        wait = f"-lock-timeout={self.limits.lock:.0f}s"
        finished = self.run("plan", "-input=false", "-json", "-detailed-exitcode", wait, f"-out={path}", *arguments)
        if finished.why or finished.code not in (_NO_CHANGES, _CHANGES):
            raise self.failed("plan", finished)
        path.chmod(0o600)
        shown = self.run("show", "-json", str(path))
        self.runner.forget()
        if shown.code or shown.why:
            raise self.failed("show", shown)
        return finished.code == _CHANGES, shown.output


def check_idle(runner: Runner, work: WorkDirectory) -> None:
    """Raise DeploymentError while a program of an earlier process is at work here, or has left its state unsaved."""
    running = runner.still_running()
    if running:
        text = f"{running}, which an earlier process of ours began, still runs: it is left to end by itself"
        raise DeploymentError("Deployment still going on", text, ("Wait: the next pass looks again",), passing=True)
    unsaved = work.source / "errored.tfstate"
    if unsaved.exists():
        text = f"Terraform couldn't save its state after the last apply and left it in {unsaved}"
        options = (f"Save it, then remove the file:\ncd {work.source}\nterraform state push errored.tfstate",)
        raise DeploymentError("State not saved", text, options)


def file_digest(path: Path) -> str:
    """The digest of a file's content; empty if there is none."""
    try:
        return "sha256:" + hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError:
        return ""
