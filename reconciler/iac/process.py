"""Running a tool that we don't own: bounded in time and output, and still understood after we were killed.

Its output goes to files, not to pipes: a tool that outlives us must not die of a broken pipe in the middle of a
change, and whoever comes after us can read how far it came.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import structlog

from reconciler.model.errors import DeploymentError
from reconciler.model.secrecy import scrub
from reconciler.ports import Clock

log = structlog.get_logger(__name__)

#: Between two looks at the process; between two looks whether it may go on. Seconds.
_TICK, _CHECK = 0.05, 5.0
#: How long a tool gets to come to rest after it was interrupted, before it is killed. Seconds.
GRACE = 20.0
#: A tool that writes more is killed. Bytes.
_MOST = 64 * 1024 * 1024
#: What is told of what a tool wrote. Characters.
TOLD = 4000


@dataclass(frozen=True, slots=True)
class Command:
    """A program with its arguments, where it runs, and all that it sees of the environment. ``name``: for people."""

    name: str
    argv: Sequence[str]
    directory: Path
    environment: Mapping[str, str]
    timeout: float


@dataclass(frozen=True, slots=True)
class Finished:
    """How a program ended. ``code``: negative: killed by that signal. ``why``: what ended it if not itself did."""

    code: int
    output: str
    errors: str
    why: str = ""

    @property
    def said(self) -> str:
        """The end of what it wrote, errors first, without secrets."""
        text = "\n".join(part.strip() for part in (self.errors, self.output) if part.strip())
        return scrub(text[-TOLD:])


@dataclass(frozen=True, slots=True)
class Runner:
    """Runs programs one at a time, with their output and process id in ``place``, a private directory."""

    place: Path
    clock: Clock

    def run(
        self,
        command: Command,
        heard: Callable[[str], None] | None = None,
        allowed: Callable[[], None] | None = None,
    ) -> Finished:
        """Run to the end. ``heard`` gets each line of output as it comes; ``allowed`` raises when it must not go on.

        Raises DeploymentError if it can't be started, and whatever ``allowed`` raises, once it was interrupted.
        """
        self.place.mkdir(parents=True, exist_ok=True, mode=0o700)
        with self._file("output").open("wb") as output, self._file("errors").open("wb") as errors:
            try:
                process = subprocess.Popen(  # noqa: S603 - an argument list, and a program that the configuration names
                    command.argv,
                    cwd=command.directory,
                    env=dict(command.environment),
                    stdin=subprocess.DEVNULL,
                    stdout=output,
                    stderr=errors,
                    start_new_session=True,
                )
            except OSError as error:
                raise missing(command.argv[0], error) from None
        self._note(process.pid, command.name)
        watch = _Watch(process, command, self._file("output"), self._file("errors"), self.clock, heard, allowed)
        try:
            why = watch.through()
        finally:
            watch.end()
            self._file("running").unlink(missing_ok=True)
        return Finished(process.returncode, self.output(), self._read("errors"), why)

    def output(self) -> str:
        """What the last program wrote, also that of an earlier process."""
        return self._read("output")

    def still_running(self) -> str:
        """What an earlier process of ours has left running here, with its process id; empty if nothing."""
        try:
            noted = json.loads(self._file("running").read_text())
            name, pid, started = str(noted["name"]), int(noted["pid"]), str(noted["started"])
        except (OSError, ValueError, LookupError, TypeError):
            return ""
        return f"{name} (process {pid})" if started and _started(pid) == started else ""

    def _note(self, pid: int, name: str) -> None:
        text = json.dumps({"name": name, "pid": pid, "started": _started(pid)})
        self._file("running").write_text(text)

    def _file(self, name: str) -> Path:
        return self.place / f"{name}.log" if name != "running" else self.place / "running.json"

    def _read(self, name: str) -> str:
        try:
            return self._file(name).read_bytes()[:_MOST].decode("utf-8", "replace")
        except OSError:
            return ""

    def forget(self) -> None:
        """Remove what was written: it may hold secrets, and has been told."""
        for name in ("output", "errors"):
            self._file(name).unlink(missing_ok=True)


@dataclass(slots=True)
class _Watch:
    """One program under way."""

    process: subprocess.Popen[bytes]
    command: Command
    output: Path
    errors: Path
    clock: Clock
    heard: Callable[[str], None] | None
    allowed: Callable[[], None] | None
    read: int = 0
    rest: bytes = b""

    def through(self) -> str:
        """Until it has ended; why it was made to, if it was."""
        deadline = self.clock.monotonic() + self.command.timeout
        checked = self.clock.monotonic()
        while True:
            ended = self._wait()
            self._hear()
            if ended:
                return ""
            now = self.clock.monotonic()
            if now >= deadline:
                self._interrupt()
                return f"{self.command.name} took longer than {self.command.timeout:.0f} s and was stopped"
            if self._written() > _MOST:
                self._interrupt()
                return f"{self.command.name} wrote more than {_MOST // 2**20} MiB and was stopped"
            if self.allowed is not None and now - checked >= _CHECK:
                checked = now
                self.allowed()

    def end(self) -> None:
        """Nothing of it is left running."""
        if self.process.poll() is None:
            self._interrupt()
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self.process.pid, signal.SIGKILL)

    def _wait(self) -> bool:
        try:
            self.process.wait(_TICK)
        except subprocess.TimeoutExpired:
            return False
        return True

    def _interrupt(self) -> None:
        """As a person would with Ctrl-C, so that it can save what it knows; killed if that doesn't help."""
        log.warning("tool interrupted", tool=self.command.name, pid=self.process.pid)
        for sign, patience in ((signal.SIGINT, GRACE), (signal.SIGKILL, GRACE)):
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(self.process.pid, sign)
            limit = time.monotonic() + patience
            while time.monotonic() < limit:
                if self._wait():
                    self._hear()
                    return

    def _hear(self) -> None:
        """Hand on the complete lines that have come."""
        if self.heard is None:
            return
        with self.output.open("rb") as stream:
            stream.seek(self.read)
            new = stream.read(_MOST)
        self.read += len(new)
        *lines, self.rest = (self.rest + new).split(b"\n")
        for line in lines:
            self.heard(line.decode("utf-8", "replace"))

    def _written(self) -> int:
        return sum(path.stat().st_size for path in (self.output, self.errors))


def missing(program: str, error: OSError) -> DeploymentError:
    """A program that can't be started."""
    why = "it isn't there" if isinstance(error, FileNotFoundError) else error.strerror or type(error).__name__
    return DeploymentError("Program missing", f"{program} can't be started: {why}", (f"Install {program}",))


def _started(pid: int) -> str:
    """When a process was started, so that another one with the same id isn't taken for it. Empty: it isn't there."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return ""
    return "" if len(fields) < 20 or fields[0] in ("Z", "X") else fields[19]
