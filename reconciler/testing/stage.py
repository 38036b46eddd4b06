"""A whole daemon over a local AWS, with plans, policies and a Git repository of its own: for the demo and the tests."""

from __future__ import annotations

import os
import shutil
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType

from reconciler import wiring
from reconciler.daemon.backend import Backend
from reconciler.daemon.daemon import Daemon
from reconciler.model.ids import PlanName
from reconciler.model.report import RunReport
from reconciler.ports import EventSink
from reconciler.settings import Settings
from reconciler.status.http import HttpServer
from reconciler.status.logs import configure
from reconciler.testing.localaws import LocalAws

ROLE = "arn:aws:iam::{account}:role/reconciler"
_BASE = "main"


def sample_directory(name: str) -> Path:
    """``desired`` or ``policies``: of the working directory if it has one, else those that ship with the package."""
    here = Path(name)
    if here.is_dir():
        return here
    package = Path(__file__).resolve().parents[1]
    shipped = package / "_bundled" / name
    return shipped if shipped.is_dir() else package.parent / name


class Stage:
    """Copies plans and policies, makes a bare repository, and runs the daemon on threads. A context manager.

    The process environment points every AWS client at the local one while it is entered.
    """

    approver = "carol@example.com"
    token = "demo"  # noqa: S105 - opens nothing but the demo itself

    def __init__(self, directory: Path, aws: LocalAws, events: EventSink, *, port: int = 0) -> None:
        self.directory, self.aws, self.plans = directory, aws, directory / "desired"
        self.policies, self.repository = directory / "policies", directory / "infrastructure.git"
        self._events, self._port = events, port
        self._threads: list[threading.Thread] = []

    def __enter__(self) -> Stage:
        self._prepare()
        configure("error", "console")
        self._former = dict(os.environ)
        os.environ.update(self.aws.environment())
        os.environ.pop("AWS_PROFILE", None)
        self.app = wiring.build(self.settings(), events=self._events)
        self.daemon = Daemon(self.app)
        token = self.app.settings.http.token
        self.server = HttpServer(
            Backend(self.daemon),
            self.app.metrics.exposition,
            port=self._port,
            token=token.get_secret_value() if token else None,
        )
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._threads:
            self.daemon.stop()
            for thread in self._threads:
                thread.join(timeout=30)
            self.server.stop()
        self.app.close()
        os.environ.clear()
        os.environ.update(self._former)

    def start(self) -> None:
        """Serve HTTP and run the daemon. Returns at once."""
        self.server.start()
        thread = threading.Thread(target=self.daemon.run, name="daemon")
        thread.start()
        self._threads.append(thread)

    @property
    def url(self) -> str:
        """Where the daemon serves HTTP."""
        return self.server.url

    def settings(self) -> Settings:
        """The daemon's configuration."""
        return Settings.model_validate(
            {
                "source": {"path": self.plans},
                "policy": {"directory": self.policies},
                "state_dir": self.directory / "state",
                "aws": {"endpoint_url": self.aws.endpoint, "role_pattern": ROLE},
                "pipeline": {"repository": str(self.repository), "base": _BASE},
                "daemon": {"interval": "30s", "debounce": "200ms", "poll": "5s"},
                "http": {"port": self._port, "token": self.token},
            }
        )

    def environment(self) -> dict[str, str]:
        """Environment variables with which another ``reconciler`` looks at this one's state."""
        return {
            "RECONCILER_STATE_DIR": str(self.directory / "state"),
            "RECONCILER_SOURCE__PATH": str(self.plans),
            "RECONCILER_POLICY__DIRECTORY": str(self.policies),
            "RECONCILER_HTTP__PORT": str(self.server.port),
        }

    def sync(self, *plans: PlanName, patience: float, stop: threading.Event | None = None) -> Sequence[RunReport]:
        """Ask for a pass and wait for the reports of the runs that answered. Raises TimeoutError."""
        receipt = self.daemon.request_sync(plans, "demo")
        deadline = time.monotonic() + patience
        while True:
            answer = self.app.store.receipt(receipt.id)
            if answer is not None and answer.answered:
                break
            if time.monotonic() > deadline or (stop is not None and stop.is_set()):
                raise TimeoutError(f"request {receipt.id} was not answered in {patience:.0f} s")
            time.sleep(0.05)
        reports = (self.app.store.run(run) for run in answer.runs.values())
        return [report for report in reports if report is not None]

    def published(self) -> tuple[str, str, list[str]]:
        """The newest branch beside the base: its name, its commit's subject, and the files it adds."""
        from git import Repo

        with Repo(self.repository) as repo:
            branch = next(head for head in repo.heads if head.name != _BASE)
            added = branch.commit.diff(repo.heads[_BASE].commit)
            return branch.name, str(branch.commit.summary), sorted(str(item.a_path) for item in added)

    @property
    def key(self) -> Path:
        """The SSH private key of ``approver``, whom the stage's own allowed_signers file lists."""
        return self.directory / "approver_key"

    def _enrol(self, person: str, key: Path) -> None:
        from cryptography.hazmat.primitives import serialization as form
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

        private = Ed25519PrivateKey.generate()
        key.touch(mode=0o600)
        key.write_bytes(private.private_bytes(form.Encoding.PEM, form.PrivateFormat.OpenSSH, form.NoEncryption()))
        public = private.public_key().public_bytes(form.Encoding.OpenSSH, form.PublicFormat.OpenSSH).decode()
        key.with_suffix(".pub").write_text(f"{public} {person}\n", encoding="utf-8")
        with (self.policies / "allowed_signers").open("a", encoding="utf-8") as signers:
            signers.write(f'{person} namespaces="reconciler" {public}\n')

    def _prepare(self) -> None:
        from git import Actor, Repo

        self.directory.mkdir(parents=True, exist_ok=True)
        for name, target in (("desired", self.plans), ("policies", self.policies)):
            if not target.exists():
                shutil.copytree(sample_directory(name), target)
        if self.repository.exists():
            return
        self._enrol(self.approver, self.key)
        with Repo.init(self.repository, bare=True, initial_branch=_BASE) as repo:
            me = Actor("Platform team", "platform@example.com")
            repo.index.commit("chore: begin", author=me, committer=me)
