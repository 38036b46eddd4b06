"""Credentials of a read-only target: their keys are given out to sign a call that the guard let through, only then.

So a request that somebody builds and signs by hand with them, past every event, can't be signed.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from botocore.credentials import Credentials, ReadOnlyCredentials

from reconciler.providers.guard import Guard


class KeptCredentials:
    """Stands before botocore's credentials object. Reading a key raises GuardBlocked outside of a signing."""

    def __init__(self, inner: Credentials, guard: Guard) -> None:
        self._inner, self._guard = inner, guard
        self.method: Any = inner.method

    def get_frozen_credentials(self) -> ReadOnlyCredentials:
        """The keys, for botocore's signer. Raises GuardBlocked, or botocore's errors if they can't be had."""
        if not self._guard.signing():
            raise self._guard.refuse("credentials", "ReadKeys", "credentials")
        return self._inner.get_frozen_credentials()

    def get_deferred_property(self, property_name: str) -> Callable[[], Any]:
        """What reads one of the properties later: botocore's endpoints may depend on the account."""
        return lambda: getattr(self, property_name, None)

    @property
    def access_key(self) -> str | None:
        """Raises GuardBlocked outside of a signing."""
        return self.get_frozen_credentials().access_key

    @property
    def secret_key(self) -> str | None:
        """Raises GuardBlocked outside of a signing."""
        return self.get_frozen_credentials().secret_key

    @property
    def token(self) -> str | None:
        """Raises GuardBlocked outside of a signing."""
        return self.get_frozen_credentials().token

    @property
    def account_id(self) -> str | None:
        """The account, which is no secret."""
        found: str | None = getattr(self._inner, "account_id", None)
        return found
