"""A provider driven to the end of each operation, as apply would, and its answers judged as the diff would."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from reconciler.live.compare import compare
from reconciler.model.ids import ClientToken, Identifier, LogicalId, Owner, PlanName, TypeName
from reconciler.model.progress import Done, Pending, Progress
from reconciler.model.resource import Located, Observation, Unreadable, Wanted
from reconciler.ports import ResourceProvider, Scope
from reconciler.providers.registry import Registry
from reconciler.schema import schema_for

ACCOUNT, REGION = "111122223333", "eu-central-1"
_REGISTRY = Registry()


def provider(type_name: str) -> ResourceProvider:
    found = _REGISTRY.get(TypeName(type_name))
    assert found is not None
    return found


def owner(logical_id: str, plan: str = "contract") -> Owner:
    return Owner(PlanName(plan), LogicalId(logical_id))


def owned(desired: Mapping[str, Any], who: Owner, type_name: str) -> dict[str, Any]:
    """``desired`` with ownership tags, where the type has tags."""
    schema = schema_for(type_name, REGION)
    assert schema is not None
    name = schema.tag_property
    if name is None:
        return dict(desired)
    if schema.tag_style == "map":
        return {**desired, name: {**desired.get(name, {}), **who.tags()}}
    tags = [{"Key": key, "Value": value} for key, value in who.tags().items()]
    return {**desired, name: [*desired.get(name, []), *tags]}


class Hands:
    def __init__(self, scope: Scope, type_name: str) -> None:
        self.scope = scope
        self.type_name = type_name
        self.provider = provider(type_name)
        self.schema = schema_for(type_name, REGION)

    def create(self, desired: Mapping[str, Any], token: str = "token-1") -> Identifier:
        return self.wait(self.provider.create(self.scope, desired, ClientToken(token)))

    def update(self, identifier: Identifier, after: Mapping[str, Any], *changed: str) -> None:
        live = self.read(identifier, *changed)
        assert live is not None
        names = frozenset(changed)
        before = {name: value for name, value in live.properties.items() if name in names | after.keys()}
        self.wait(self.provider.update(self.scope, identifier, before, after, names))

    def delete(self, identifier: Identifier) -> None:
        self.wait(self.provider.delete(self.scope, identifier))

    def answer(self, identifier: Identifier, *properties: str) -> Observation | Unreadable | None:
        return self.provider.read_many(self.scope, [Wanted(identifier, frozenset(properties))]).get(identifier)

    def read(self, identifier: Identifier, *properties: str) -> Observation | None:
        answer = self.answer(identifier, *properties)
        assert not isinstance(answer, Unreadable), answer
        return answer

    def locate(self, desired: Mapping[str, Any], who: Owner) -> Located | None:
        """The only one found."""
        found = self.provider.locate(self.scope, desired, who)
        assert len(found) <= 1, found
        return found[0] if found else None

    def drift(self, identifier: Identifier, desired: Mapping[str, Any]) -> list[tuple[str, Any, Any]]:
        """What the diff would say: path, live, desired."""
        live = self.read(identifier, *desired)
        assert live is not None
        return [(change.path, change.before, change.after) for change in compare(self.schema, desired, live.properties)]

    def wait(self, progress: Progress) -> Identifier:
        for _ in range(50):
            if isinstance(progress, Done):
                return progress.identifier
            assert isinstance(progress, Pending)
            progress = self.provider.poll(self.scope, progress.handle)
        raise AssertionError("never done")
