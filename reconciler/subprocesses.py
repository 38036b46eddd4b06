"""What programs that we start may see of our environment: no AWS credentials and no secrets of our own.

Every program but those that botocore starts to fetch credentials (``credential_process``).
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence

_WITHHELD = ("AWS_", "BOTO_", "BOTOCORE_", "RECONCILER_")
_named: set[str] = set()


def withhold(name: str) -> None:
    """Withhold a variable from now on: the configuration says that it holds a token."""
    _named.add(name)


def environment(inherited: Mapping[str, str] | None = None) -> dict[str, str]:
    """The environment for a program that we start: ``inherited`` (default: this process's) less what is withheld."""
    found = os.environ if inherited is None else inherited
    return {name: value for name, value in found.items() if not _withheld(name)}


def without_secrets(command: Sequence[str]) -> list[str]:
    """``command`` under ``env -u``, for where the caller can't choose the environment, only add to it (GitPython).

    Unset and not emptied: to most AWS tools an empty AWS_PROFILE is a profile without a name.
    """
    names = sorted(name for name in os.environ if _withheld(name))
    if not names:
        return list(command)
    return ["env", *(part for name in names for part in ("-u", name)), *command]


def _withheld(name: str) -> bool:
    return name.startswith(_WITHHELD) or name in _named
