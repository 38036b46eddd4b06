"""How a remote is reached: a deploy key or a token, by reference. The token itself is read when it is used.

A plan says which repository its changes go to, so credentials are given to the hosts that the configuration names and
to no other. A token reaches Git in the environment of the one process that needs it, through a helper program that
answers for that host only: it is never in an argument, an address, a configuration or the cache.
"""

from __future__ import annotations

import os
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from reconciler.model.errors import PipelineError
from reconciler.model.secrecy import know
from reconciler.pipeline.refs import Remote

_USER, _TOKEN, _HOST = "GIT_RECONCILER_USER", "GIT_RECONCILER_TOKEN", "GIT_RECONCILER_HOST"
#: Answers Git's questions ("Password for 'https://user@host': ") about one host, and those alone.
_ASKPASS = f"""#!/bin/sh
case "$1" in
*"//${_HOST}'"* | *"@${_HOST}'"*) ;;
*) exit 1 ;;
esac
case "$1" in
Username*) printf '%s\\n' "${_USER}" ;;
Password*) printf '%s\\n' "${_TOKEN}" ;;
*) exit 1 ;;
esac
"""


@dataclass(frozen=True, slots=True)
class TokenSource:
    """Where a token is found: an environment variable or a file. Read at each use, so that it can be rotated."""

    variable: str = ""
    file: Path | None = None

    def __str__(self) -> str:
        return str(self.file) if self.file is not None else f"${self.variable}"

    def read(self) -> str:
        """The token. Raises PipelineError if there is none."""
        try:
            found = self.file.read_text("utf-8") if self.file is not None else os.environ.get(self.variable, "")
        except (OSError, UnicodeDecodeError) as error:
            raise PipelineError(f"the token in {self.file} can't be read: {type(error).__name__}") from None
        token = found.strip()
        if not token or not token.isprintable() or " " in token:
            raise PipelineError(f"there is no usable token in {self}: see pipeline.credentials")
        know(token)
        return token


@dataclass(frozen=True, slots=True)
class Credentials:
    """What ``hosts`` are shown. ``username``: what goes with the token; most services take any."""

    hosts: frozenset[str] = frozenset()
    ssh_key: Path | None = None
    token: TokenSource | None = None
    username: str = "x-access-token"

    def settings(self, remote: Remote) -> tuple[str, ...]:
        """Git settings for ``remote``: where we have a token, no helper of the user's sees or stores it."""
        return ("credential.helper=",) if self._secret(remote) else ()

    def environment(self, remote: Remote, directory: Path) -> Mapping[str, str]:
        """Variables for a Git process that talks to ``remote``; ``directory`` is where the helper program lives.

        Raises PipelineError if the token can't be had.
        """
        known = remote.host in self.hosts
        if remote.scheme == "ssh" and known and self.ssh_key is not None:
            key = shlex.quote(str(self.ssh_key))
            options = "-o BatchMode=yes -o ConnectTimeout=15 -o IdentitiesOnly=yes"
            return {"GIT_SSH_COMMAND": f"ssh -i {key} {options}"}
        if not self._secret(remote):
            return {}
        token = remote.password or (self.token.read() if self.token is not None else "")
        return {
            "GIT_ASKPASS": str(_helper(directory)),
            _HOST: remote.place,
            _USER: remote.user or self.username,
            _TOKEN: token,
        }

    def _secret(self, remote: Remote) -> bool:
        ours = remote.host in self.hosts and self.token is not None
        return remote.scheme == "https" and bool(ours or remote.password)


def _helper(directory: Path) -> Path:
    """The helper program, which holds no secret."""
    file = directory / "askpass"
    try:
        if not file.exists() or file.read_text("utf-8") != _ASKPASS:
            directory.mkdir(parents=True, exist_ok=True)
            partial = directory / f"askpass.{os.getpid()}"
            partial.write_text(_ASKPASS, encoding="utf-8")
            partial.chmod(0o700)
            partial.replace(file)
    except OSError as error:
        raise PipelineError(f"the Git cache {directory} can't be used: {error}") from error
    return file.resolve()
