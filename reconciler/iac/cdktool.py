"""npm and the CDK's command line in one plan's copy of its app.

What the app itself runs (``npm ci`` without scripts, ``cdk synth``) sees no credentials; only the command line that the
configuration names does, on an app that is synthesized already.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from reconciler.iac.process import Command, Finished, Runner
from reconciler.iac.steps import kind_of
from reconciler.iac.tftool import Limits
from reconciler.iac.tools import Tool
from reconciler.iac.workdir import WorkDirectory
from reconciler.model.errors import AwsFault, DeploymentError, FaultKind
from reconciler.model.plan import CdkSource, Target

_VERSION = re.compile(r"\d+\.\d+\.\d+")
_LOCKS = ("package-lock.json", "npm-shrinkwrap.json")
_QUIET = ("--no-notices", "--no-color", "--no-version-reporting")
_NPM = re.compile(r"npm_config_|NPM_CONFIG_")


@dataclass(frozen=True, slots=True)
class Cdk:
    """The programs. ``bare``: what is seen without credentials."""

    tool: Tool
    npm: str
    work: WorkDirectory
    runner: Runner
    target: Target
    limits: Limits

    @property
    def assembly(self) -> Path:
        """Where the app is synthesized to: not in its copy, where the app could expect it."""
        return self.work.run / "cdk.out"

    def check(self) -> None:
        """Raise DeploymentError unless the command line is there, of a version that is accepted."""
        program = Path(self.tool.path())
        mark, facts = self.work.run / "version", f"{program} {program.stat().st_mtime_ns} "
        known = mark.read_text() if mark.is_file() else ""
        if not known.startswith(facts):
            finished = self._run(self._cdk("version", "--version", more={}, timeout=120.0))
            found = _VERSION.search(finished.output)
            known = facts + (found[0] if found else "")
        self.tool.check(known.removeprefix(facts))
        mark.write_text(known)

    def install(self, source: CdkSource) -> None:
        """Install just what the lock file says, without running any of it. Raises DeploymentError."""
        if "package.json" not in source.files:
            return  # no Node app: what it needs is on the machine
        lock = next((name for name in _LOCKS if name in source.files), None)
        if lock is None:
            text = "the app has a package.json but no package-lock.json, so what would be installed isn't certain"
            raise DeploymentError(
                "Lock file missing", text, ("Make it and commit it beside the app:\nnpm install --package-lock-only",)
            )
        mark = self.work.run / "installed"
        if mark.is_file() and mark.read_text() == source.files[lock]:
            return
        mark.unlink(missing_ok=True)
        npm = Tool("iac.cdk.npm", self.npm, "", self.tool.environment)
        more = {name: value for name, value in os.environ.items() if _NPM.match(name)}
        personal = Path.home() / ".npmrc"
        if personal.is_file():
            more.setdefault("NPM_CONFIG_USERCONFIG", str(personal))
        argv = [npm.path(), "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]
        command = Command("npm ci", argv, self.work.source, npm.seen(self.work.home, more), self.limits.plan)
        finished = self._run(command)
        if finished.code or finished.why:
            raise failed("npm ci", finished)
        mark.write_text(source.files[lock])

    def synthesize(self, source: CdkSource) -> None:
        """Make the assembly. Raises DeploymentError; an app that has to look something up says so."""
        context = [part for name, value in source.context.items() for part in ("--context", f"{name}={_text(value)}")]
        arguments = ("--quiet", "--output", str(self.assembly), *context)
        finished = self._run(self._cdk("synth", "synth", *arguments, more={}, timeout=self.limits.plan))
        if finished.code or finished.why:
            text = finished.said
            if "credentials" in text.lower() or "Need to perform AWS calls" in text:
                options = ("Look it up once and commit what was found:\ncdk synth\ngit add cdk.context.json",)
                message = f"the app looks something up in AWS while it is synthesized: {text}"
                raise DeploymentError("Context missing", message, options)
            raise failed("cdk synth", finished)

    def diff(self, credentials: Mapping[str, str], stacks: list[str]) -> str:
        """What the CDK itself says of the differences. Raises as ``failed``."""
        command = self._cdk(
            "diff", "diff", "--app", str(self.assembly), "--method=template", "--exclusively", *stacks,
            more=credentials, timeout=self.limits.plan,
        )  # fmt: skip
        finished = self._run(command)
        if finished.code not in (0, 1) or finished.why:
            raise failed("cdk diff", finished)
        return finished.said

    def deploy(
        self,
        credentials: Mapping[str, str],
        stacks: list[str],
        tags: Mapping[str, str],
        *,
        rollback: bool,
        heard: Callable[[str], None],
        allowed: Callable[[], None],
    ) -> Finished:
        """Deploy stacks of the assembly. That nothing is asked is because it was decided on before."""
        command = self._cdk(
            "deploy",
            "deploy",
            "--app",
            str(self.assembly),
            "--require-approval=never",
            "--exclusively",
            "--progress=events",
            f"--rollback={str(rollback).lower()}",
            *(part for key, value in tags.items() for part in ("--tags", f"{key}={value}")),
            *stacks,
            more=credentials,
            timeout=self.limits.apply,
        )
        return self.runner.run(command, heard, allowed)

    def _cdk(self, name: str, *arguments: str, more: Mapping[str, str], timeout: float) -> Command:
        """``arguments`` after the program; ``more``: credentials, for an app that is synthesized already only."""
        place = {
            "CDK_DEFAULT_ACCOUNT": self.target.account,
            "CDK_DEFAULT_REGION": self.target.region,
            "AWS_REGION": self.target.region,
            "AWS_EC2_METADATA_DISABLED": "true",
            "CDK_HOME": str(self.work.home / ".cdk"),
            "CDK_DISABLE_CLI_TELEMETRY": "true",
            "CI": "1",
        }
        words = arguments if name == "version" else (*arguments, *_QUIET)
        environment = self.tool.seen(self.work.home, {**place, **more})
        return Command(f"cdk {name}", [self.tool.path(), *words], self.work.source, environment, timeout)

    def _run(self, command: Command) -> Finished:
        return self.runner.run(command)


def failed(what: str, finished: Finished) -> DeploymentError | AwsFault:
    """The error that a failed run is."""
    if finished.why:
        return DeploymentError("CDK stopped", f"{finished.why}; {finished.said}".rstrip("; "))
    if finished.code < 0:
        return DeploymentError("CDK killed", f"{what} was killed by signal {-finished.code}")
    text = " ".join(finished.said.split()) or f"exit code {finished.code}"
    if kind_of(text) == FaultKind.ACCESS_DENIED.value:
        return AwsFault(FaultKind.ACCESS_DENIED, f"{what} failed: {text}")
    options: tuple[str, ...] = ("Correct what the message names",)
    if "bootstrap" in text.lower():
        options = ("Prepare the account and region for the CDK:\ncdk bootstrap", *options)
    return DeploymentError("CDK failed", f"{what} failed: {text}", options)


def _text(value: object) -> str:
    if isinstance(value, list):
        return ",".join(_text(item) for item in value)
    return str(value).lower() if isinstance(value, bool) else str(value)
