"""GitLab through python-gitlab. It repeats nothing by itself: the pass is repeated, with back-off."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from reconciler.model.errors import PipelineError
from reconciler.model.pullrequest import Proposal, PullRequest, unmarked
from reconciler.pipeline.credentials import TokenSource
from reconciler.pipeline.forges.faults import Patience, is_limit, refusal, unreachable

if TYPE_CHECKING:
    from gitlab.v4.objects import Project

_NEEDS = "the scope api and the role Developer or above in the project"
_DRAFT = "Draft: "
#: The client would sleep and repeat; that is ours to decide.
_ONCE = {"obey_rate_limit": False, "retry_transient_errors": False}


class GitLabForge:
    """Implements ports.Forge for one project. Thread-safe: each call has a client of its own."""

    name = "gitlab"

    def __init__(self, api: str, project: str, token: TokenSource, patience: Patience, timeout: float) -> None:
        """``api``: the server's address. ``project``: its full path, groups included."""
        self._api, self._project, self._token = api.rstrip("/"), project, token
        self._patience, self._timeout = patience, timeout
        self._where = f"GitLab ({urlsplit(api).netloc}, {project})"

    def newest(self, branch: str) -> PullRequest | None:
        """As in ports.Forge."""
        with self._opened_project() as (_client, project):
            return _newest(project, branch)

    def open(self, proposal: Proposal) -> tuple[PullRequest, Sequence[str]]:
        """As in ports.Forge."""
        from gitlab import GitlabError

        with self._opened_project() as (client, project):
            reviewers, notes = _reviewers(client, proposal)
            wanted = {
                "source_branch": proposal.branch,
                "target_branch": proposal.base,
                "title": _title(proposal),
                "description": proposal.marked_body,
                "labels": ",".join(proposal.labels),
                "reviewer_ids": reviewers,
            }
            try:
                return _seen(project.mergerequests.create(wanted, **_ONCE).attributes), notes
            except GitlabError as error:
                found = _newest(project, proposal.branch) if error.response_code == 409 else None
                if found is None or found.state != "open":
                    raise
                return _brought(project, found.number, proposal), notes

    def update(self, number: int, proposal: Proposal) -> tuple[PullRequest, Sequence[str]]:
        """As in ports.Forge."""
        with self._opened_project() as (_client, project):
            return _brought(project, number, proposal), ()

    def comment(self, number: int, text: str) -> None:
        """As in ports.Forge."""
        with self._opened_project() as (_client, project):
            project.mergerequests.get(number, lazy=True).notes.create({"body": text}, **_ONCE)

    def close(self, number: int) -> None:
        """As in ports.Forge."""
        with self._opened_project() as (_client, project):
            found = _seen(project.mergerequests.get(number, **_ONCE).attributes)
            if found.state == "open":
                wanted = {"state_event": "close", "description": unmarked(found.body)}
                project.mergerequests.update(number, wanted, **_ONCE)

    @contextmanager
    def _opened_project(self) -> Iterator[tuple[Any, Project]]:
        """A client and the project, not fetched; what goes wrong comes out as PipelineError."""
        from gitlab import Gitlab, GitlabError
        from requests import RequestException, Response, Session

        self._patience.check(self._where)
        headers: dict[str, str] = {}  # of the last answer: the client's errors don't have them

        def remember(response: Response, *_: Any, **__: Any) -> None:
            headers.clear()
            headers.update({name.lower(): value for name, value in response.headers.items()})

        session = Session()
        session.hooks["response"].append(remember)
        token = self._token.read()
        client = Gitlab(self._api, private_token=token, timeout=self._timeout, session=session, user_agent="reconciler")
        try:
            yield client, client.projects.get(self._project, lazy=True)
        except GitlabError as error:
            raise self._fault(error, headers) from None  # its text holds the whole answer
        except RequestException as error:
            raise unreachable(self._where, error) from None
        finally:
            session.close()

    def _fault(self, error: Any, headers: Mapping[str, str]) -> PipelineError:
        status, said = int(error.response_code or 0), _said(error.error_message)
        if is_limit(status, said, headers):
            return self._patience.limited(self._where, headers)
        return refusal(self._where, status, said, _NEEDS)


def _newest(project: Project, branch: str) -> PullRequest | None:
    found = project.mergerequests.list(
        source_branch=branch,
        state="all",
        order_by="created_at",
        sort="desc",
        per_page=20,
        get_all=False,
        **_ONCE,
    )
    # forks may have a branch of the same name
    own = [one.attributes for one in found if one.source_project_id == one.target_project_id]
    requests = [_seen(attributes) for attributes in own]
    return next((request for request in requests if request.state == "open"), requests[0] if requests else None)


def _brought(project: Project, number: int, proposal: Proposal) -> PullRequest:
    """An open merge request brought in line with a proposal; what people added stays."""
    wanted = {
        "title": _title(proposal),
        "description": proposal.marked_body,
        "target_branch": proposal.base,
        "add_labels": ",".join(proposal.labels),
    }
    return _seen(project.mergerequests.update(number, wanted, **_ONCE))


def _reviewers(client: Any, proposal: Proposal) -> tuple[list[int], list[str]]:
    """The numbers of the reviewers; whom GitLab doesn't know is a note, not a failure."""
    numbers, notes = [], []
    for name in proposal.reviewers:
        found = client.users.list(username=name, get_all=False, **_ONCE)
        if found:
            numbers.append(int(found[0].id))
        else:
            notes.append(f"no review was asked of {name}: GitLab knows no such user")
    return numbers, notes


def _title(proposal: Proposal) -> str:
    return f"{_DRAFT}{proposal.title}" if proposal.draft else proposal.title


def _seen(attributes: Mapping[str, Any]) -> PullRequest:
    state = str(attributes["state"])
    draft = bool(attributes.get("draft", attributes.get("work_in_progress", False)))
    body = str(attributes.get("description") or "")
    known = {"opened": "open", "locked": "open"}
    return PullRequest(int(attributes["iid"]), str(attributes["web_url"]), known.get(state, state), draft, body)


def _said(message: Any) -> str:
    """GitLab's own words: a text, a list of them, or a mapping of fields to such."""
    if isinstance(message, bytes):
        return message.decode(errors="replace")
    return message if isinstance(message, str) else json.dumps(message)
