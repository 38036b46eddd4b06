"""Hosting services for tests: one in memory, and the core of local servers that speak a service's documented API."""

from __future__ import annotations

import json
import subprocess
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from reconciler.model.errors import PipelineError
from reconciler.model.pullrequest import Proposal, PullRequest, unmarked
from reconciler.testing.serving import Serving

if TYPE_CHECKING:
    from types import TracebackType

    from werkzeug.wrappers import Request, Response


@dataclass(slots=True)
class Pull:
    """A pull request as a service keeps it. ``state``: open, merged or closed."""

    number: int
    head: str
    base: str
    title: str
    body: str
    draft: bool = False
    state: str = "open"
    labels: list[str] = field(default_factory=list)
    reviewers: list[str] = field(default_factory=list)
    comments: list[str] = field(default_factory=list)


@dataclass(slots=True)
class MemoryForge:
    """Implements ports.Forge. ``fault``: what the next calls raise instead."""

    pulls: list[Pull] = field(default_factory=list)
    fault: PipelineError | None = None
    calls: int = 0
    name: str = "github"

    def newest(self, branch: str) -> PullRequest | None:
        self._called()
        found = [pull for pull in reversed(self.pulls) if pull.head == branch]
        chosen = next((pull for pull in found if pull.state == "open"), found[0] if found else None)
        return _seen(chosen) if chosen is not None else None

    def open(self, proposal: Proposal) -> tuple[PullRequest, Sequence[str]]:
        self._called()
        there = next((one for one in self.pulls if (one.head, one.state) == (proposal.branch, "open")), None)
        if there is None:
            there = Pull(len(self.pulls) + 1, proposal.branch, proposal.base, "", "", draft=proposal.draft)
            there.reviewers = list(proposal.reviewers)
            self.pulls.append(there)
        return self.update(there.number, proposal)

    def update(self, number: int, proposal: Proposal) -> tuple[PullRequest, Sequence[str]]:
        self._called()
        pull = self.pulls[number - 1]
        pull.title, pull.body, pull.base, pull.draft = (
            proposal.title,
            proposal.marked_body,
            proposal.base,
            proposal.draft,
        )
        pull.labels = list(dict.fromkeys([*pull.labels, *proposal.labels]))
        return _seen(pull), ()

    def comment(self, number: int, text: str) -> None:
        self._called()
        self.pulls[number - 1].comments.append(text)

    def close(self, number: int) -> None:
        self._called()
        pull = self.pulls[number - 1]
        if pull.state == "open":
            pull.state, pull.body = "closed", unmarked(pull.body)

    def at(self, address: str) -> MemoryForge:
        """As in ports.Forges: every repository is here."""
        return self

    def _called(self) -> None:
        self.calls += 1
        if self.fault is not None:
            raise self.fault


def _seen(pull: Pull) -> PullRequest:
    url = f"https://github.com/x/y/pull/{pull.number}"
    return PullRequest(pull.number, url, pull.state, pull.draft, pull.body)


@dataclass(frozen=True, slots=True)
class Refusal:
    """An answer to give instead of the real one; to requests whose method is ``method`` (any if empty)."""

    status: int
    body: Mapping[str, Any]
    headers: Mapping[str, str] = field(default_factory=dict)
    method: str = ""


class ForgeServer:
    """A server on loopback with one project. A context manager. Subclasses speak a service's API.

    ``token`` must come with every request. ``refusals`` are given first; ``requests`` has what came, as
    ``METHOD /path``. ``git``: a bare repository whose branches requests must name; None: any do. ``people``: users that
    can review. ``before``: called with each request before it is answered.
    """

    def __init__(self, token: str, project: str, git: Path | None = None) -> None:
        self.token, self.project, self.git = token, project, git
        self.pulls: list[Pull] = []
        self.refusals: list[Refusal] = []
        self.requests: list[str] = []
        self.people: Sequence[str] = ("bob",)
        self.before: Callable[[Request], None] = lambda _request: None
        self._lock = threading.RLock()

    def __enter__(self) -> ForgeServer:
        from werkzeug.serving import WSGIRequestHandler, make_server

        class Quiet(WSGIRequestHandler):
            def log(self, *_: Any, **__: Any) -> None:
                """Requests are remembered, not logged."""

        self._server = make_server("127.0.0.1", 0, self._serve, threaded=True, request_handler=Quiet)
        self._serving = Serving(self._server, "forge")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._serving.stop()

    @property
    def address(self) -> str:
        """``http://127.0.0.1:PORT``."""
        return f"http://127.0.0.1:{self._server.server_port}"

    @property
    def api(self) -> str:
        """The address of the API, as it is configured."""
        return self.address

    def open_pulls(self) -> list[Pull]:
        """The pull requests that are open."""
        return [pull for pull in self.pulls if pull.state == "open"]

    def heads(self) -> frozenset[str] | None:
        """The branches of the repository behind it; None if there is none."""
        if self.git is None:
            return None
        words = ["git", f"--git-dir={self.git}", "for-each-ref", "--format=%(refname:short)", "refs/heads"]
        return frozenset(subprocess.run(words, capture_output=True, text=True, check=True).stdout.split())  # noqa: S603

    def pull_of(self, number: int) -> Pull | None:
        """A pull request by its number."""
        return next((pull for pull in self.pulls if pull.number == number), None)

    def collected(self) -> None:
        """What services do by themselves: the pull request of a branch that is gone is closed."""
        heads = self.heads()
        for pull in self.open_pulls() if heads is not None else ():
            if pull.head not in heads:  # type: ignore[operator]  # None was ruled out
                pull.state = "closed"

    # for subclasses

    def authorised(self, request: Request) -> bool:
        """Whether the request shows the token."""
        raise NotImplementedError

    def answer(self, request: Request) -> tuple[int, Any]:
        """Status and body."""
        raise NotImplementedError

    def unauthorised(self) -> tuple[int, Any]:
        """Status and body for a request without the token."""
        raise NotImplementedError

    def headers(self) -> Mapping[str, str]:
        """What every answer carries."""
        return {}

    def _serve(self, environ: dict[str, Any], start: Any) -> Iterator[bytes]:
        from werkzeug.wrappers import Request

        request = Request(environ)
        self.before(request)
        with self._lock:
            self.requests.append(f"{request.method} {request.path}")
            self.collected()
            response = self._response(request)
        return iter(response(environ, start))

    def _response(self, request: Request) -> Response:
        from werkzeug.wrappers import Response

        refusal = next((one for one in self.refusals if one.method in ("", request.method)), None)
        headers = dict(self.headers())
        if not self.authorised(request):
            status, body = self.unauthorised()
        elif refusal is not None:
            self.refusals.remove(refusal)
            status, body = refusal.status, dict(refusal.body)
            headers.update(refusal.headers)
        else:
            status, body = self.answer(request)
        return Response(json.dumps(body), status, headers, content_type="application/json; charset=utf-8")
