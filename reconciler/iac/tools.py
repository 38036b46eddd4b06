"""The programs that deploy: where they are, whether they are of a version that is wanted, and what they may see."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from packaging.specifiers import SpecifierSet
from packaging.version import InvalidVersion, Version

from reconciler.model.errors import DeploymentError

#: What every program may see of our environment: nothing in it is a credential of ours.
_SEEN = (
    "PATH",
    "LANG",
    "LC_ALL",
    "TZ",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
    "REQUESTS_CA_BUNDLE",
    "NODE_EXTRA_CA_CERTS",
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "NO_PROXY",
    "http_proxy",
    "https_proxy",
    "no_proxy",
)


@dataclass(frozen=True, slots=True)
class Tool:
    """A program as the configuration names it. ``setting``: where; ``version``: which ones are accepted.

    ``environment``: further variables of ours that it may see.
    """

    setting: str
    binary: str
    version: str
    environment: tuple[str, ...] = ()
    _known: dict[str, str] = field(default_factory=dict, repr=False, compare=False)

    def path(self) -> str:
        """Where it is. Raises DeploymentError if it is nowhere."""
        found = shutil.which(self.binary)
        if found is None:
            text = f"{self.binary} isn't on this machine (or not executable)"
            options = (
                f"Install it, or say where it is: {self.setting}.binary in reconciler.yaml",
                "Deliver the plan in another way",
            )
            raise DeploymentError("Program missing", text, options)
        return str(Path(found).absolute())

    def check(self, found: str) -> str:
        """``found`` as a version that is accepted. Raises DeploymentError if it isn't one."""
        try:
            accepted = Version(found) in SpecifierSet(self.version, prereleases=True)
        except InvalidVersion:
            accepted = False
        if accepted:
            return found
        text = f"{self.binary} is version {found or 'unknown'}; the configuration asks for {self.version}"
        options = (
            f"Install one that is {self.version}, or name it: {self.setting}.binary in reconciler.yaml",
            f"Accept this one: {self.setting}.version in reconciler.yaml",
        )
        raise DeploymentError("Wrong version", text, options)

    def seen(self, home: Path, more: Mapping[str, str]) -> dict[str, str]:
        """The environment of the program: a few variables of ours, a home of its own, and ``more``."""
        names = (*_SEEN, *self.environment)
        found = {name: os.environ[name] for name in names if name in os.environ}
        return {**found, "HOME": str(home), "TMPDIR": str(home), **more}
