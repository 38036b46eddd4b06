"""Runs Git on a bare clone: by argument lists, with a time limit, a closed set of protocols, no hooks, no prompts.

Errors come out as PipelineError with credentials masked and, where Git's own words don't say it, what to do.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Mapping
from pathlib import Path

from reconciler.model.errors import PipelineError
from reconciler.pipeline.credentials import Credentials
from reconciler.pipeline.refs import PROTOCOLS, masked, remote_of
from reconciler.pipeline.signing import Signing
from reconciler.subprocesses import without_secrets

# Nothing that a user's or the system's configuration says may run code or change what is committed and pushed.
_SETTINGS = (
    "core.hooksPath=/dev/null",
    "core.attributesFile=/dev/null",
    "core.fsmonitor=false",
    "core.symlinks=false",
    "gc.auto=0",
    "maintenance.auto=false",
    "fetch.recurseSubmodules=false",
    "push.recurseSubmodules=no",
    "push.followTags=false",
    "push.gpgSign=false",
    "commit.gpgSign=false",
    "remote.pushDefault=",
    "fetch.prune=false",
    "fetch.pruneTags=false",
)
# Set by Git for hooks; inherited, they would make our commands work on someone else's repository.
_FOREIGN = (
    "GIT_INDEX_FILE",
    "GIT_OBJECT_DIRECTORY",
    "GIT_ALTERNATE_OBJECT_DIRECTORIES",
    "GIT_NAMESPACE",
    "GIT_COMMON_DIR",
    "GIT_WORK_TREE",
    "GIT_CONFIG_PARAMETERS",
    "GIT_CONFIG_COUNT",
    "GIT_PREFIX",
    "GIT_SHALLOW_FILE",
    "GIT_REPLACE_REF_BASE",
)
#: What Git says in its own words, and what it means here.
_HINTS = (
    (("authentication failed", "could not read username", "could not read password"), "pipeline.credentials: is it"
     " there, in force, and for this host?"),
    (("permission denied (publickey", "no such identity"), "the deploy key isn't accepted: see pipeline.credentials"),
    (("403", "permission to"), "the credentials may not do this: they need to read and write the repository"),
    (("host key verification failed",), "add the host's key to known_hosts of the account that reconciler runs as"),
)  # fmt: skip
_NO_GIT = "git isn't installed: staging and production changes need it"
#: exit status of ``env`` when there is no such program
_NOT_FOUND = 127
_LONGEST = 600
#: The name that the clone has for where it came from. Its address is given to each command, never stored.
ORIGIN = "origin"


class GitRunner:
    """Git on one bare clone of one remote. ``cache`` is the directory that clone and helper program lie in."""

    def __init__(
        self,
        address: str,
        directory: Path,
        cache: Path,
        timeout: float,
        credentials: Credentials,
        signing: Signing | None,
    ) -> None:
        self.remote = remote_of(address)
        self.directory, self.signing = directory, signing
        self._address, self._cache, self._timeout, self._credentials = address, cache, timeout, credentials

    def line(self, *arguments: str, stdin: str = "", env: Mapping[str, str] | None = None) -> str:
        """The output of a command without its last line end. Raises PipelineError."""
        return self.run(*arguments, stdin=stdin, env=env).removesuffix("\n")

    def run(self, *arguments: str, stdin: str = "", env: Mapping[str, str] | None = None) -> str:
        """The output of a command. Raises PipelineError."""
        import git  # lazily: it takes a tenth of a second that most commands of the program don't need

        with tempfile.TemporaryFile() as source:
            source.write(stdin.encode())
            source.seek(0)
            try:
                output = git.Git(str(self.directory.parent)).execute(
                    without_secrets(self._command(arguments)),
                    istream=source,
                    env={**self._environment(), **(env or {})},
                    kill_after_timeout=self._timeout,
                    strip_newline_in_stdout=False,
                    stdout_as_string=True,
                )
            except git.GitCommandNotFound as error:
                raise PipelineError(_NO_GIT) from error
            except git.GitCommandError as error:
                if error.status == _NOT_FOUND:
                    raise PipelineError(_NO_GIT) from error
                raise PipelineError(self._explained(arguments, error)) from None  # it shows the address in full
        return str(output)

    def _command(self, arguments: tuple[str, ...]) -> list[str]:
        signing = self.signing.settings() if self.signing is not None else ()
        origin = f"remote.{ORIGIN}.url={self.remote.url}"
        settings = (*_SETTINGS, origin, *self._credentials.settings(self.remote), *signing)
        options = [part for setting in settings for part in ("-c", setting)]
        return ["git", *options, f"--git-dir={self.directory}", *arguments]

    def _environment(self) -> dict[str, str]:
        return {
            **_neutral(self.directory),
            "GIT_TERMINAL_PROMPT": "0",
            "GIT_ALLOW_PROTOCOL": ":".join(PROTOCOLS),
            "GIT_LITERAL_PATHSPECS": "1",
            "GIT_NO_REPLACE_OBJECTS": "1",
            "GIT_SSH_COMMAND": os.environ.get("GIT_SSH_COMMAND") or "ssh -o BatchMode=yes -o ConnectTimeout=15",
            "GIT_OPTIONAL_LOCKS": "0",
            "LC_ALL": "C",
            **self._credentials.environment(self.remote, self._cache),
        }

    def _explained(self, arguments: tuple[str, ...], error: Exception) -> str:
        said = " ".join(str(getattr(error, part, "") or "") for part in ("stderr", "stdout"))
        said = " ".join(said.replace(self._address, masked(self._address)).split())
        hint = next((text for words, text in _HINTS if any(word in said.lower() for word in words)), "")
        command = next(word for word in arguments if not word.startswith("-") and "=" not in word)
        text = f"git {command} on {masked(self._address)} failed: {said[:_LONGEST] or type(error).__name__}"
        return masked(f"{text} ({hint})" if hint else text)


def _neutral(directory: Path) -> dict[str, str]:
    neutral = {
        "GIT_WORK_TREE": str(directory),
        "GIT_OBJECT_DIRECTORY": str(directory / "objects"),
        "GIT_COMMON_DIR": str(directory),
        "GIT_INDEX_FILE": str(directory / "index"),
        "GIT_CONFIG_COUNT": "0",
        "GIT_REPLACE_REF_BASE": "refs/replace/",
    }
    return {name: neutral.get(name, "") for name in _FOREIGN if name in os.environ}
