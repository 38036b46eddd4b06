"""GitHub, also Enterprise, through PyGithub. It repeats nothing by itself: the pass is repeated, with back-off."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from reconciler.model.errors import PipelineError
from reconciler.model.pullrequest import Proposal, PullRequest, unmarked
from reconciler.pipeline.credentials import TokenSource
from reconciler.pipeline.forges.faults import Patience, is_limit, refusal, unreachable

if TYPE_CHECKING:
    from github.PullRequest import PullRequest as Pull
    from github.Repository import Repository

_NEEDS = "'Pull requests: read and write' (a classic token: the scope repo)"
_TEAM = "team:"


class GitHubForge:
    """Implements ports.Forge for one repository. Thread-safe: each call has a client of its own."""

    name = "github"

    def __init__(self, api: str, project: str, token: TokenSource, patience: Patience, timeout: float) -> None:
        """``api``: as in ``https://api.github.com`` or ``https://HOST/api/v3``. ``project``: owner/name."""
        self._api, self._project, self._token = api.rstrip("/"), project, token
        self._patience, self._timeout = patience, timeout
        self._where = f"GitHub ({urlsplit(api).netloc}, {project})"

    def newest(self, branch: str) -> PullRequest | None:
        """As in ports.Forge."""
        with self._repository() as repository:
            found = self._from(repository, branch)
            return _seen(found) if found is not None else None

    def open(self, proposal: Proposal) -> tuple[PullRequest, Sequence[str]]:
        """As in ports.Forge."""
        with self._repository() as repository:
            pull, notes = self._opened(repository, proposal, draft=proposal.draft)
            return _seen(pull), [*notes, *_asked(pull, proposal)]

    def update(self, number: int, proposal: Proposal) -> tuple[PullRequest, Sequence[str]]:
        """As in ports.Forge."""
        with self._repository() as repository:
            return _seen(_brought(repository.get_pull(number), proposal)), ()

    def comment(self, number: int, text: str) -> None:
        """As in ports.Forge."""
        with self._repository() as repository:
            repository.get_pull(number).create_issue_comment(text)

    def close(self, number: int) -> None:
        """As in ports.Forge."""
        with self._repository() as repository:
            pull = repository.get_pull(number)
            if pull.state == "open":
                pull.edit(state="closed", body=unmarked(pull.body or ""))

    def _from(self, repository: Repository, branch: str) -> Pull | None:
        owner = self._project.split("/")[0]
        pulls = repository.get_pulls(state="all", head=f"{owner}:{branch}", sort="created", direction="desc")
        page = pulls.get_page(0)
        return next((pull for pull in page if pull.state == "open"), page[0] if page else None)

    def _opened(self, repository: Repository, proposal: Proposal, *, draft: bool) -> tuple[Pull, list[str]]:
        from github import GithubException

        try:
            pull = repository.create_pull(
                proposal.base, proposal.branch, title=proposal.title, body=proposal.marked_body, draft=draft
            )
        except GithubException as error:
            said = _said(error.data)
            if error.status == 422 and draft and "draft" in said.lower():
                pull, notes = self._opened(repository, proposal, draft=False)
                return pull, [*notes, "this repository has no draft pull requests"]
            found = self._from(repository, proposal.branch) if "already exists" in said else None
            if error.status != 422 or found is None or found.state != "open":
                raise
            return _brought(found, proposal), []
        if proposal.labels:
            pull.add_to_labels(*proposal.labels)
        return pull, []

    @contextmanager
    def _repository(self) -> Iterator[Repository]:
        """The repository, not fetched; what goes wrong comes out as PipelineError."""
        from github import Auth, Github, GithubException
        from requests import RequestException

        self._patience.check(self._where)
        client = Github(
            auth=Auth.Token(self._token.read()),
            base_url=self._api,
            timeout=int(self._timeout),
            user_agent="reconciler",
            retry=None,
            seconds_between_requests=None,
            seconds_between_writes=None,
        )
        try:
            yield client.get_repo(self._project, lazy=True)
        except GithubException as error:
            raise self._fault(error) from None  # its text holds the whole answer
        except RequestException as error:
            raise unreachable(self._where, error) from None
        finally:
            client.close()

    def _fault(self, error: Any) -> PipelineError:
        headers = {str(name).lower(): str(value) for name, value in (error.headers or {}).items()}
        said = _said(error.data)
        if is_limit(error.status, said, headers):
            return self._patience.limited(self._where, headers)
        return refusal(self._where, error.status, said, _NEEDS)


def _brought(pull: Pull, proposal: Proposal) -> Pull:
    """An open pull request brought in line with a proposal; what people added stays."""
    pull.edit(title=proposal.title, body=proposal.marked_body, base=proposal.base)
    missing = set(proposal.labels) - {label.name for label in pull.labels}
    if missing:
        pull.add_to_labels(*sorted(missing))
    if pull.draft and not proposal.draft:
        pull.mark_ready_for_review()
    elif proposal.draft and not pull.draft:
        pull.convert_to_draft()
    return pull


def _asked(pull: Pull, proposal: Proposal) -> Sequence[str]:
    """Ask for reviews. Somebody who can't be asked is a note, not a failure."""
    from github import GithubException

    people = [name for name in proposal.reviewers if not name.startswith(_TEAM)]
    teams = [name.removeprefix(_TEAM) for name in proposal.reviewers if name.startswith(_TEAM)]
    if not proposal.reviewers:
        return ()
    try:
        pull.create_review_request(people, teams)
    except GithubException as error:
        if error.status != 422:
            raise
        return (f"no review was asked of {', '.join(proposal.reviewers)}: {_said(error.data)}",)
    return ()


def _seen(pull: Pull) -> PullRequest:
    state = "merged" if pull.merged_at is not None else pull.state
    return PullRequest(pull.number, pull.html_url, state, bool(pull.draft), pull.body or "")


def _said(data: Any) -> str:
    """GitHub's own words: the message and what its errors add."""
    if not isinstance(data, dict):
        return str(data or "no explanation")
    errors = [_worded(error) for error in data.get("errors") or ()]
    return ": ".join([str(data.get("message", "")), *(["; ".join(errors)] if errors else [])])


def _worded(error: Any) -> str:
    if not isinstance(error, dict):
        return str(error)
    return str(error.get("message") or json.dumps({key: error[key] for key in ("field", "code") if key in error}))
