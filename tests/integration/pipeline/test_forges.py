"""The forges: one contract for the one in memory and for the adapters over servers that speak the documented APIs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from pipeline_remote import FixedClock, Remote

from reconciler.model.errors import PipelineError
from reconciler.model.pullrequest import Proposal
from reconciler.pipeline import TokenSource
from reconciler.pipeline.forges import ForgeOptions, HostedForges
from reconciler.ports import Forge
from reconciler.testing.forges import ForgeServer, MemoryForge, Pull, Refusal
from reconciler.testing.githubapi import GitHubServer
from reconciler.testing.gitlabapi import GitLabServer

TOKEN = "forge-token-5up3rs3cr3t"
PROPOSAL = Proposal(
    "feature/add-web",
    "main",
    "feat: add web in production",
    "What & why\n",
    content="abc123",
    draft=True,
    labels=("reconciler", "production"),
    reviewers=("bob",),
)
SERVERS: dict[str, type[ForgeServer]] = {"github": GitHubServer, "gitlab": GitLabServer}


class Place:
    """A forge, and the pull requests behind it."""

    def __init__(self, forge: Forge, pulls: list[Pull]) -> None:
        self.forge, self.pulls = forge, pulls


@pytest.fixture
def token(tmp_path: Path) -> TokenSource:
    file = tmp_path / "token"
    file.write_text(f"{TOKEN}\n")
    return TokenSource(file=file)


@pytest.fixture(params=["github", "gitlab"])
def server(request: pytest.FixtureRequest) -> Iterator[ForgeServer]:
    with SERVERS[request.param](TOKEN, "platform/infra") as made:
        yield made


def forge_at(server: ForgeServer, token: TokenSource, clock: FixedClock, **options: Any) -> Forge:
    kind = "github" if isinstance(server, GitHubServer) else "gitlab"
    settings = ForgeOptions(kind, server.api, token, frozenset({"git.example.com"}), **options)
    forge = HostedForges(settings, clock).at("git@git.example.com:platform/infra.git")
    assert forge is not None
    assert forge.name == kind
    return forge


@pytest.fixture(params=["memory", "github", "gitlab"])
def place(request: pytest.FixtureRequest, token: TokenSource, clock: FixedClock) -> Iterator[Place]:
    if request.param == "memory":
        memory = MemoryForge()
        yield Place(memory, memory.pulls)
        return
    with SERVERS[request.param](TOKEN, "platform/infra") as server:
        yield Place(forge_at(server, token, clock), server.pulls)


def test_opened_found_updated_commented_and_closed(place: Place) -> None:
    forge = place.forge
    assert forge.newest(PROPOSAL.branch) is None
    opened, notes = forge.open(PROPOSAL)
    assert (opened.state, opened.draft, list(notes)) == ("open", True, [])
    assert (opened.mark, opened.content) == (PROPOSAL.mark, "abc123")
    assert str(opened.number) in opened.url
    (pull,) = place.pulls
    assert (pull.title, pull.base, pull.draft) == (PROPOSAL.title, "main", True)
    assert (pull.labels, pull.reviewers) == (["reconciler", "production"], ["bob"])
    assert pull.body.startswith("What & why\n")
    assert forge.newest(PROPOSAL.branch) == opened
    assert forge.newest("feature/add-other") is None

    ready = replace(PROPOSAL, base="trunk", title="feat: more", draft=False, labels=("reconciler", "new"))
    updated, _ = forge.update(opened.number, ready)
    assert (updated.state, updated.draft, updated.mark) == ("open", False, ready.mark)
    assert (pull.title, pull.base, pull.draft) == ("feat: more", "trunk", False)
    assert set(pull.labels) == {"reconciler", "production", "new"}
    again, _ = forge.update(opened.number, replace(ready, draft=True))
    assert (again.draft, pull.draft, pull.title) == (True, True, "feat: more")

    forge.comment(opened.number, "news")
    forge.close(opened.number)
    forge.close(opened.number)
    assert (pull.comments, pull.state) == (["news"], "closed")
    found = forge.newest(PROPOSAL.branch)
    assert found is not None
    assert found.state == "closed"


def test_one_that_is_open_already_is_brought_in_line(place: Place) -> None:
    by_hand = Pull(1, PROPOSAL.branch, "main", "by hand", "please merge", labels=["theirs"])
    place.pulls.append(by_hand)
    pull, _ = place.forge.open(PROPOSAL)
    assert (pull.number, len(place.pulls)) == (1, 1)
    assert (by_hand.title, by_hand.draft) == (PROPOSAL.title, True)
    assert set(by_hand.labels) == {"theirs", "reconciler", "production"}


def test_the_open_one_comes_before_newer_ones_and_merged_is_told_from_closed(place: Place) -> None:
    place.pulls += [
        Pull(1, PROPOSAL.branch, "main", "first", "", state="merged"),
        Pull(2, PROPOSAL.branch, "main", "second", ""),
        Pull(3, PROPOSAL.branch, "main", "third", "", state="closed"),
    ]
    found = place.forge.newest(PROPOSAL.branch)
    assert found is not None
    assert (found.number, found.state) == (2, "open")
    place.pulls[1].state = place.pulls[2].state = "merged"
    found = place.forge.newest(PROPOSAL.branch)
    assert found is not None
    assert (found.number, found.state) == (3, "merged")
    place.forge.close(3)
    assert place.pulls[2].state == "merged"


LIMITS = {
    "github-primary": (
        "github",
        Refusal(
            403,
            {"message": "API rate limit exceeded for user ID 1.", "documentation_url": "https://docs.github.com/"},
            {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "RESET"},
        ),
        600,
    ),
    "github-secondary": (
        "github",
        Refusal(
            403,
            {"message": "You have exceeded a secondary rate limit. Please wait a few minutes before you try again."},
            {"Retry-After": "120"},
        ),
        120,
    ),
    "github-429": ("github", Refusal(429, {"message": "You have exceeded a secondary rate limit."}), 60),
    "gitlab": ("gitlab", Refusal(429, {"message": "429 Too Many Requests"}, {"Retry-After": "30"}), 30),
    "gitlab-reset": ("gitlab", Refusal(429, {"message": "Retry later"}, {"RateLimit-Reset": "RESET"}), 600),
}


@pytest.mark.parametrize(("kind", "refusal", "pause"), LIMITS.values(), ids=list(LIMITS))
def test_after_a_rate_limit_nothing_is_asked_until_it_ends(
    kind: str, refusal: Refusal, pause: int, token: TokenSource, clock: FixedClock
) -> None:
    reset = str(int(clock.now().timestamp()) + 600)
    refusal = replace(refusal, headers={name: value.replace("RESET", reset) for name, value in refusal.headers.items()})
    with SERVERS[kind](TOKEN, "platform/infra") as server:
        forge = forge_at(server, token, clock)
        server.refusals.append(refusal)
        for _ in range(3):
            with pytest.raises(PipelineError, match="limits the rate of requests: nothing is asked before") as caught:
                forge.newest(PROPOSAL.branch)
            assert caught.value.retryable
        assert len(server.requests) == 1
        clock.at += timedelta(seconds=pause - 1)
        with pytest.raises(PipelineError):
            forge.newest(PROPOSAL.branch)
        clock.at += timedelta(seconds=2)
        assert forge.newest(PROPOSAL.branch) is None
        assert len(server.requests) == 2


REFUSALS = {
    "github-403": (
        "github",
        403,
        {"message": "Resource not accessible by personal access token"},
        "Pull requests: read",
    ),
    "github-404": ("github", 404, {"message": "Not Found"}, "can't see it: it needs 'Pull requests: read and write'"),
    "gitlab-403": ("gitlab", 403, {"message": "403 Forbidden"}, "the scope api and the role Developer"),
    "gitlab-404": ("gitlab", 404, {"message": "404 Project Not Found"}, "the scope api and the role Developer"),
}


@pytest.mark.parametrize(("kind", "status", "body", "hint"), REFUSALS.values(), ids=list(REFUSALS))
def test_a_missing_permission_is_named(
    kind: str, status: int, body: dict[str, Any], hint: str, token: TokenSource, clock: FixedClock
) -> None:
    with SERVERS[kind](TOKEN, "platform/infra") as server:
        server.refusals.append(Refusal(status, body, method="POST"))
        with pytest.raises(PipelineError) as caught:
            forge_at(server, token, clock).open(PROPOSAL)
        assert hint in str(caught.value)
        assert body["message"] in str(caught.value)
        assert not caught.value.retryable
        assert TOKEN not in str(caught.value)


def test_a_token_that_is_not_accepted(server: ForgeServer, token: TokenSource, clock: FixedClock) -> None:
    server.token = "another"
    with pytest.raises(PipelineError, match=r"answered 401: .*the token isn't accepted"):
        forge_at(server, token, clock).newest(PROPOSAL.branch)


@pytest.mark.parametrize("status", [500, 502, 503])
def test_a_server_error_is_not_repeated_here_and_worth_another_pass(
    server: ForgeServer, token: TokenSource, clock: FixedClock, status: int
) -> None:
    server.refusals.append(Refusal(status, {"message": "Server Error"}))
    forge = forge_at(server, token, clock)
    with pytest.raises(PipelineError, match=f"answered {status}") as caught:
        forge.newest(PROPOSAL.branch)
    assert (caught.value.retryable, len(server.requests)) == (True, 1)
    assert forge.open(PROPOSAL)[0].state == "open"


def test_a_service_that_is_away(server: ForgeServer, token: TokenSource, clock: FixedClock) -> None:
    forge = forge_at(server, token, clock, timeout=2)
    server.__exit__(None, None, None)
    with pytest.raises(PipelineError, match="can't be reached: ConnectionError"):
        forge.newest(PROPOSAL.branch)
    server.__enter__()


def test_a_base_that_is_not_there_is_named(remote: Remote, token: TokenSource, clock: FixedClock) -> None:
    """What is left of a default branch that was renamed while we worked."""
    remote.push(PROPOSAL.branch, {"x": "x"})
    with GitHubServer(TOKEN, "platform/infra", remote.path) as hub, pytest.raises(PipelineError) as caught:
        forge_at(hub, token, clock).open(replace(PROPOSAL, base="master"))
    assert '"field": "base", "code": "invalid"' in str(caught.value)
    with GitLabServer(TOKEN, "platform/infra", remote.path) as lab, pytest.raises(PipelineError) as caught:
        forge_at(lab, token, clock).open(replace(PROPOSAL, base="master"))
    assert "Target branch does not exist" in str(caught.value)


def test_reviewers_that_cannot_be_asked_are_a_note(server: ForgeServer, token: TokenSource, clock: FixedClock) -> None:
    forge = forge_at(server, token, clock)
    pull, notes = forge.open(replace(PROPOSAL, reviewers=("mallory",)))
    assert (pull.state, len(notes)) == ("open", 1)
    assert "no review was asked of mallory" in notes[0]


def test_teams_are_asked_on_github(token: TokenSource, clock: FixedClock) -> None:
    with GitHubServer(TOKEN, "platform/infra") as hub:
        forge_at(hub, token, clock).open(replace(PROPOSAL, reviewers=("bob", "team:platform")))
        assert hub.pulls[0].reviewers == ["bob", "team:platform"]


def test_a_repository_without_drafts_gets_an_ordinary_one(token: TokenSource, clock: FixedClock) -> None:
    with GitHubServer(TOKEN, "platform/infra") as hub:
        hub.drafts = False  # type: ignore[misc]  # for this one server
        pull, notes = forge_at(hub, token, clock).open(PROPOSAL)
        assert (pull.draft, notes) == (False, ["this repository has no draft pull requests"])


def test_a_token_is_shown_to_its_hosts_alone(token: TokenSource, clock: FixedClock) -> None:
    forges = HostedForges(ForgeOptions("auto", "", token, frozenset({"github.com", "git.example.com"})), clock)
    at_github = forges.at("https://github.com/platform/infra.git")
    assert at_github is not None
    assert at_github.name == "github"
    for address in ("https://evil.example.org/platform/infra.git", "/srv/git/infra.git", "file:///srv/infra.git"):
        assert forges.at(address) is None
    with pytest.raises(PipelineError, match=r"can't tell what git\.example\.com is: say github or gitlab"):
        forges.at("git@git.example.com:platform/infra.git")
    nothing = ForgeOptions("none", "", token, frozenset({"github.com"}))
    assert HostedForges(nothing, clock).at("https://github.com/platform/infra.git") is None
    without = ForgeOptions("github", hosts=frozenset({"github.com"}))
    assert HostedForges(without, clock).at("https://github.com/platform/infra.git") is None


@pytest.mark.parametrize(
    ("address", "name", "where"),
    [
        ("git@github.com:o/r.git", "github", "api.github.com, o/r"),
        ("https://github.example.com:8443/o/r", "github", "github.example.com:8443, o/r"),
        ("ssh://git@gitlab.example.com:2222/a/b/r.git", "gitlab", "gitlab.example.com, a/b/r"),
    ],
)
def test_the_api_of_a_host(address: str, name: str, where: str, token: TokenSource, clock: FixedClock) -> None:
    hosts = frozenset({"github.com", "github.example.com", "gitlab.example.com"})
    forge = HostedForges(ForgeOptions("auto", "", token, hosts), clock).at(address)
    assert forge is not None
    assert (forge.name, where in forge._where) == (name, True)  # type: ignore[attr-defined]  # it goes into every error


def test_a_token_file_is_read_anew_and_its_absence_named(token: TokenSource, clock: FixedClock) -> None:
    with GitHubServer("second", "platform/infra") as hub:
        forge = forge_at(hub, token, clock)
        assert token.file is not None
        token.file.write_text("second")
        assert forge.newest(PROPOSAL.branch) is None
        token.file.unlink()
        with pytest.raises(PipelineError, match=r"the token in .* can't be read: FileNotFoundError"):
            forge.newest(PROPOSAL.branch)
