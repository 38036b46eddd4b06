"""Signed commits: by an SSH key or by GPG, whichever the configuration names."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Signing:
    """``format``: ssh or gpg. ``key``: an SSH private key's path, or a GPG key's id. The key has no passphrase, or an
    agent holds it: nobody is there to type one."""

    format: str
    key: str

    def settings(self) -> Sequence[str]:
        """Git settings that make commits signed so, whatever programs the user's own configuration names."""
        if self.format == "ssh":
            return ("gpg.format=ssh", "gpg.ssh.program=ssh-keygen", f"user.signingKey={self.key}")
        return ("gpg.format=openpgp", "gpg.program=gpg", f"user.signingKey={self.key}")
