"""A local AWS and an Access to it, per module."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from reconciler.model.plan import Target
from reconciler.providers.access import Access, AccessSettings
from reconciler.providers.budget import BudgetSettings
from reconciler.providers.sessions import ConnectionSettings
from reconciler.testing.localaws import LocalAws
from reconciler.testing.memory import CountingTelemetry, FakeClock

ACCOUNT, REGION = "111122223333", "eu-central-1"
SANDBOX = Target("sandbox", ACCOUNT, REGION)
PRODUCTION = Target("production", ACCOUNT, REGION)


@pytest.fixture(scope="module")
def aws() -> Iterator[LocalAws]:
    with LocalAws() as local:
        yield local


@pytest.fixture(autouse=True)
def forget_faults(aws: LocalAws) -> Iterator[None]:
    yield
    aws.clear_faults()


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def telemetry() -> CountingTelemetry:
    return CountingTelemetry()


def settings(aws: LocalAws) -> AccessSettings:
    return AccessSettings(
        connection=ConnectionSettings(
            endpoint_url=aws.endpoint, credentials=(aws.access_key, aws.secret_key), read_timeout=2
        ),
        role_pattern="arn:aws:iam::{account}:role/reconciler",
        budget=BudgetSettings(rate=100_000),
    )


@pytest.fixture
def access(aws: LocalAws, clock: FakeClock, telemetry: CountingTelemetry) -> Iterator[Access]:
    opened = Access(clock, telemetry, settings(aws))
    yield opened
    opened.close()
