"""The contract's cases lived through on a second emulator (ministack), which errs elsewhere than the first.

It knows nothing of the types: the cases say how to make, change and delete them, ``gaps.yaml`` what ministack can't do.
A gap that isn't declared fails its case, and so does one that is declared and isn't there (any more).
``RECONCILER_STRESS=1`` takes those as well whose calls take ministack long.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

import pytest
from boto3.session import Session
from botocore.config import Config

from reconciler.model.plan import Target
from reconciler.ports import Scope
from reconciler.providers.access import Access, AccessSettings
from reconciler.providers.budget import BudgetSettings
from reconciler.providers.sessions import ConnectionSettings
from reconciler.testing.memory import FakeClock
from reconciler.testing.outsiders import outsider
from tests.contract.elsewhere.gaps import GAPS, unexplained
from tests.contract.elsewhere.life import Life
from tests.contract.elsewhere.subjects import SOURCES, Clients, Source
from tests.contract.elsewhere.watching import Calls
from tests.contract.providers_native.hands import ACCOUNT, REGION
from tests.ministack import Ministack
from tests.parts import real_part

pytestmark = pytest.mark.ministack

#: Each change of a function starts a process; a service that ministack has nothing of makes it load all that it has.
_LONG = ("Lambda-Function-in-full", "Redshift-", "SageMaker-")
_TAKEN = [one for one in SOURCES if os.environ.get("RECONCILER_STRESS") or not one.id.startswith(_LONG)]


@pytest.fixture(scope="module")
def ministack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ministack]:
    running = Ministack(real_part("ministack"), tmp_path_factory.mktemp("ministack") / "log")
    yield running
    running.stop()


@pytest.fixture(scope="module")
def calls() -> Calls:
    return Calls()


@pytest.fixture(scope="module")
def clients(ministack: Ministack, calls: Calls) -> Clients:
    """Plain clients, one a service, of somebody else in the account."""
    with outsider():
        session: Any = Session(aws_access_key_id=ACCOUNT, aws_secret_access_key="test", region_name=REGION)
    known: dict[str, Any] = {}
    once = Config(retries={"total_max_attempts": 1, "mode": "standard"})

    def client(service: str) -> Any:
        if service not in known:
            known[service] = calls.watch(session.client(service, endpoint_url=ministack.endpoint, config=once))
        return known[service]

    return client


@pytest.fixture(scope="module")
def there(ministack: Ministack, calls: Calls) -> Iterator[Scope]:
    settings = AccessSettings(
        connection=ConnectionSettings(endpoint_url=ministack.endpoint, credentials=(ACCOUNT, "test")),
        role_pattern="arn:aws:iam::{account}:role/reconciler",
        budget=BudgetSettings(rate=100_000),
    )
    access = Access(FakeClock(), calls, settings)
    yield access.open(Target("sandbox", ACCOUNT, REGION), read_only=False)
    access.close()


@pytest.mark.parametrize("source", _TAKEN, ids=lambda source: source.id)
def test_a_life(source: Source, there: Scope, clients: Clients, calls: Calls) -> None:
    gaps = GAPS.get(source.id, {})
    seen = Life(source, there, clients, calls, gaps.keys()).run()
    assert unexplained(seen, gaps) == []
