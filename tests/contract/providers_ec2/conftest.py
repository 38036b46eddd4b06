"""A local AWS and a scope in it, one per module: moto's state is the process's."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from reconciler.model.ids import ClientToken, Identifier, Owner, TypeName
from reconciler.model.plan import Target
from reconciler.model.progress import Done, Pending
from reconciler.model.resource import Observation, Wanted
from reconciler.ports import ResourceProvider, Scope
from reconciler.providers.access import Access, AccessSettings
from reconciler.providers.budget import BudgetSettings
from reconciler.providers.registry import Registry
from reconciler.providers.sessions import ConnectionSettings
from reconciler.schema import canonical, schema_for
from reconciler.testing.localaws import LocalAws
from reconciler.testing.memory import FakeClock, SilentTelemetry

ACCOUNT, REGION = "111122223333", "eu-central-1"


@pytest.fixture(scope="module")
def aws() -> Iterator[LocalAws]:
    with LocalAws() as local:
        yield local


@pytest.fixture(scope="module")
def scope(aws: LocalAws) -> Iterator[Scope]:
    settings = AccessSettings(
        connection=ConnectionSettings(endpoint_url=aws.endpoint, credentials=(aws.access_key, aws.secret_key)),
        role_pattern="arn:aws:iam::{account}:role/reconciler",
        budget=BudgetSettings(rate=100_000),
    )
    access = Access(FakeClock(), SilentTelemetry(), settings)
    yield access.open(Target("sandbox", ACCOUNT, REGION), read_only=False)
    access.close()


@pytest.fixture(scope="module")
def ec2(aws: LocalAws, scope: Scope) -> Any:
    """A plain client in the same account: the world behind the provider's back."""
    return aws.client("ec2", account=ACCOUNT, region=REGION)


def provider(type_name: str) -> ResourceProvider:
    found = Registry().get(TypeName(type_name))
    assert found is not None
    return found


class Hands:
    """A provider driven to the end of each operation, as apply would."""

    def __init__(self, scope: Scope, type_name: str) -> None:
        self.scope = scope
        self.provider = provider(type_name)
        self.schema = schema_for(type_name, REGION)

    def create(self, desired: dict[str, Any], token: str = "token-1") -> Identifier:
        return self._wait(self.provider.create(self.scope, desired, ClientToken(token)))

    def update(self, identifier: Identifier, after: dict[str, Any], *changed: str) -> None:
        before = self.read(identifier, *changed)
        assert before is not None
        self._wait(self.provider.update(self.scope, identifier, before.properties, after, frozenset(changed)))

    def delete(self, identifier: Identifier) -> None:
        self._wait(self.provider.delete(self.scope, identifier))

    def read(self, identifier: Identifier, *properties: str) -> Observation | None:
        answer = self.provider.read_many(self.scope, [Wanted(identifier, frozenset(properties))]).get(identifier)
        assert answer is None or isinstance(answer, Observation), answer
        return answer

    def differences(self, identifier: Identifier, desired: dict[str, Any]) -> dict[str, tuple[Any, Any]]:
        """Desired properties whose live value means something else; write-only ones can't be compared."""
        live = self.read(identifier, *desired)
        assert live is not None, f"{identifier} can't be found"
        pairs = {
            name: (
                canonical(self.schema, (name,), value),
                canonical(self.schema, (name,), live.properties.get(name)),
            )
            for name, value in desired.items()
        }
        return {name: pair for name, pair in pairs.items() if pair[0] != pair[1]}

    def locate(self, desired: dict[str, Any], owner: Owner) -> Any:
        """The only one found."""
        found = self.provider.locate(self.scope, desired, owner)
        assert len(found) <= 1, found
        return found[0] if found else None

    def _wait(self, progress: Any) -> Identifier:
        for _ in range(10):
            if isinstance(progress, Done):
                return progress.identifier
            assert isinstance(progress, Pending)
            progress = self.provider.poll(self.scope, progress.handle)
        raise AssertionError(f"still not done: {progress}")
