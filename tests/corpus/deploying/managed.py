"""AWS's managed policies, read once for all accounts.

moto reads all 1,600 anew for every account and partition that a request could belong to, with every reset: nine tenths
of what a template costs.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from copy import copy
from functools import cache
from typing import Any
from unittest.mock import patch


@contextmanager
def managed_policies() -> Iterator[None]:
    """Inside, every new account has AWS's managed policies, as its own: how often each is attached is the account's."""
    from moto.iam.models import IAMBackend

    def own(backend: IAMBackend) -> list[Any]:
        if backend.partition != "aws":
            return []
        policies = [copy(policy) for policy in _read()]
        for policy in policies:
            policy.account_id = backend.account_id
        return policies

    with patch.object(IAMBackend, "_init_aws_policies", own):
        yield


@cache
def _read() -> tuple[Any, ...]:
    import json

    from moto.iam.aws_managed_policies import aws_managed_policies_data
    from moto.iam.models import AWSManagedPolicy

    found = json.loads(aws_managed_policies_data)
    return tuple(AWSManagedPolicy.from_data(name, "", "us-east-1", data) for name, data in found.items())
