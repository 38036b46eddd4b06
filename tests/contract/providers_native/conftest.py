"""A local AWS and scopes in it, one per module: moto's state is the process's."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from reconciler.model.plan import Target
from reconciler.ports import Scope
from reconciler.providers.access import Access, AccessSettings
from reconciler.providers.budget import BudgetSettings
from reconciler.providers.sessions import ConnectionSettings
from reconciler.testing.localaws import LocalAws
from reconciler.testing.memory import FakeClock, SilentTelemetry
from tests.contract.providers_native.hands import ACCOUNT, REGION


@pytest.fixture(scope="module")
def aws() -> Iterator[LocalAws]:
    with LocalAws() as local:
        yield local


@pytest.fixture(scope="module")
def access(aws: LocalAws) -> Iterator[Access]:
    settings = AccessSettings(
        connection=ConnectionSettings(endpoint_url=aws.endpoint, credentials=(aws.access_key, aws.secret_key)),
        role_pattern="arn:aws:iam::{account}:role/reconciler",
        budget=BudgetSettings(rate=100_000),
    )
    access = Access(FakeClock(), SilentTelemetry(), settings)
    yield access
    access.close()


@pytest.fixture(scope="module")
def scope(access: Access) -> Scope:
    return access.open(Target("sandbox", ACCOUNT, REGION), read_only=False)


@pytest.fixture(scope="module")
def reader(access: Access) -> Scope:
    """A scope that the guard keeps from writing."""
    return access.open(Target("production", ACCOUNT, REGION), read_only=True)


@pytest.fixture(autouse=True)
def _no_leftover_faults(aws: LocalAws) -> Iterator[None]:
    yield
    aws.clear_faults()
