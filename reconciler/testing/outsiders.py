"""Somebody else who changes AWS behind the reconciler's back: sessions and clients that its guard doesn't know of."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

_OUTSIDE = threading.Lock()


@contextmanager
def outsider() -> Iterator[None]:
    """Sessions made inside are somebody else's, who changes AWS behind the reconciler's back: they aren't guarded.

    botocore forgets the product's initializer meanwhile, for every thread.
    """
    from botocore import register_initializer, unregister_initializer

    from reconciler.providers.strays import guard_stray

    with _OUTSIDE:
        unregister_initializer(guard_stray)
        try:
            yield
        finally:
            register_initializer(guard_stray)


class Outsider:
    """Plain boto3 clients in accounts of a local AWS. ``account``: that of the keys; in others a role is assumed."""

    def __init__(self, endpoint: str, account: str, access_key: str, secret_key: str) -> None:
        self._endpoint, self._account = endpoint, account
        self._keys = {"aws_access_key_id": access_key, "aws_secret_access_key": secret_key}
        self._clients: dict[tuple[str, str, str, str], Any] = {}
        self._session: Any = None  # the stubs know only literal service names

    def client(self, service: str, account: str, region: str, role: str) -> Any:
        """The same client for the same call."""
        key = (service, account, region, role)
        if key not in self._clients:
            self._clients[key] = self._new_client(service, account, region, role)
        return self._clients[key]

    def forget(self) -> None:
        """Make clients anew, with roles assumed anew."""
        self._clients.clear()

    def close(self) -> None:
        """Let go of the clients' connections."""
        for client in self._clients.values():
            client.close()
        self._clients.clear()

    def _new_client(self, service: str, account: str, region: str, role: str) -> Any:
        session, keys = self._outsiders_session(), self._keys
        if account != self._account:
            sts = session.client("sts", endpoint_url=self._endpoint, region_name=region, **keys)
            arn = f"arn:aws:iam::{account}:role/{role}"
            assumed = sts.assume_role(RoleArn=arn, RoleSessionName="local")["Credentials"]
            keys = {
                "aws_access_key_id": assumed["AccessKeyId"],
                "aws_secret_access_key": assumed["SecretAccessKey"],
                "aws_session_token": assumed["SessionToken"],
            }
        return session.client(service, endpoint_url=self._endpoint, region_name=region, **keys)

    def _outsiders_session(self) -> Any:
        """One for all clients: what a session parses once costs more than all of its clients."""
        from boto3.session import Session

        if self._session is None:
            with outsider():
                self._session = Session()
        return self._session
