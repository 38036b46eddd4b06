"""Hosting services: which one a repository is on, and an adapter for each through its well-kept client library."""

from __future__ import annotations

import threading
from dataclasses import dataclass

from reconciler.pipeline.credentials import TokenSource
from reconciler.pipeline.forges.faults import Patience
from reconciler.pipeline.forges.github import GitHubForge
from reconciler.pipeline.forges.gitlab import GitLabForge
from reconciler.pipeline.refs import Remote, refusal, remote_of
from reconciler.ports import Clock, Forge

__all__ = ["ForgeOptions", "HostedForges"]


@dataclass(frozen=True, slots=True)
class ForgeOptions:
    """``provider``: auto, github, gitlab or none. ``api``: its address, where it isn't the usual one of the host.

    ``hosts``: whose repositories the token is for; a plan may name any repository, so it is shown to no other.
    ``timeout``: seconds for each request.
    """

    provider: str = "auto"
    api: str = ""
    token: TokenSource | None = None
    hosts: frozenset[str] = frozenset()
    timeout: float = 30.0


class HostedForges:
    """Implements ports.Forges. Thread-safe."""

    def __init__(self, options: ForgeOptions, clock: Clock) -> None:
        self._options, self._clock = options, clock
        self._patience = Patience(clock)  # one token, one limit
        self._lock = threading.Lock()
        self._made: dict[str, Forge | None] = {}

    def at(self, address: str) -> Forge | None:
        """As in ports.Forges. Raises PipelineError where the service can't be told from the host."""
        with self._lock:
            if address not in self._made:
                self._made[address] = self._forge(remote_of(address))
            return self._made[address]

    def _forge(self, remote: Remote) -> Forge | None:
        options, token = self._options, self._options.token
        if options.provider == "none" or token is None or remote.host not in options.hosts or not remote.path:
            return None
        kind = _kind(remote.host) if options.provider == "auto" else options.provider
        if not kind:
            raise refusal(
                f"pipeline.pull_requests.provider is auto, which can't tell what {remote.host} is: say github or gitlab"
            )
        api = options.api or _api(kind, remote)
        make = GitHubForge if kind == "github" else GitLabForge
        return make(api, remote.path, token, self._patience, options.timeout)


def _kind(host: str) -> str:
    names = set(host.split("."))
    return next((kind for kind in ("github", "gitlab") if kind in names), "")


def _api(kind: str, remote: Remote) -> str:
    place = remote.place if remote.scheme == "https" else remote.host  # an SSH port isn't the API's
    if kind == "gitlab":
        return f"https://{place}"
    return "https://api.github.com" if remote.host == "github.com" else f"https://{place}/api/v3"
