"""The frame shared by providers of resources that have a name and tags.

A service's provider says how to observe, create, update and delete; the frame knows the rest: batches of tags,
finding a resource by name or owner, refusing what can't be done, and making a create repeatable.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Collection, Mapping, Sequence
from functools import partial
from typing import Any, ClassVar, TypeVar

from reconciler.model.errors import AwsFault, FaultKind
from reconciler.model.ids import ClientToken, Identifier, Owner
from reconciler.model.progress import Progress
from reconciler.model.resource import Located, Observation, Sought, Unreadable, Wanted
from reconciler.model.values import Properties, reveal
from reconciler.ports import Scope
from reconciler.providers.native.frame import Found, Provider, already_exists, refuse_fixed, refuse_unsupported
from reconciler.providers.native.naming import NameRule
from reconciler.providers.native.reading import FEW, observed, read_each
from reconciler.providers.native.tagging import Tags, arns_of_owners, as_list, as_map, bulk_tags, owned_arns, owner_in

T = TypeVar("T")


class NamedProvider(Provider):
    """Base for types that have a name and tags.

    ``resource_type``: the type's name in the tagging API. ``tags_inline``: ``_observe`` reads tags itself.
    ``looks_first``: the service's create call answers an existing resource as if it had made it. ``tags_guard``: one
    with the same tags only; what is made for an owner then needs no look, because nobody else's has his tags.
    """

    naming: ClassVar[NameRule]
    resource_type: ClassVar[str] = ""
    tags_as_map: ClassVar[bool] = False
    tags_inline: ClassVar[bool] = False
    looks_first: ClassVar[bool] = False
    tags_guard: ClassVar[bool] = False

    # what a service must say

    @abstractmethod
    def _identifier(self, scope: Scope, name: str) -> Identifier:
        """The identifier of the resource with a name. May raise NOT_FOUND."""

    @abstractmethod
    def _arn(self, scope: Scope, identifier: Identifier) -> str: ...

    @abstractmethod
    def _of_arn(self, scope: Scope, arn: str) -> Identifier: ...

    @abstractmethod
    def _tags(self, scope: Scope, identifier: Identifier) -> Tags:
        """Tags of one resource. Raises NOT_FOUND if there is none."""

    @abstractmethod
    def _tag(self, scope: Scope, identifier: Identifier, tags: Tags) -> None: ...

    @abstractmethod
    def _untag(self, scope: Scope, identifier: Identifier, keys: list[str]) -> None: ...

    @abstractmethod
    def _create(self, scope: Scope, name: str, desired: Properties, tags: Tags) -> Progress:
        """Create; ``desired`` has no secrets hidden in it. ALREADY_EXISTS if it is there."""

    # ports.ResourceProvider

    def read_many(self, scope: Scope, wanted: Collection[Wanted]) -> Mapping[Identifier, Observation | Unreadable]:
        """See ``ports.ResourceProvider``."""
        found = self._read(scope, wanted)
        if not self.tags_inline:
            self._add_tags(scope, wanted, found)
        return observed(found)

    def locate(self, scope: Scope, desired: Properties, owner: Owner) -> tuple[Located, ...]:
        """See ``ports.ResourceProvider``."""
        name = self.naming.name(desired, owner, scope)
        there = self._existing(scope, name) if name is not None else None
        tagged = self._located_by_tag(scope, owner)
        return tagged if there is None else (there, *(located for located in tagged if located != there))

    def create(self, scope: Scope, desired: Properties, token: ClientToken) -> Progress:  # noqa: ARG002 - the name is the token
        """See ``ports.ResourceProvider``. A resource of the same owner is taken up where it was left."""
        desired = reveal(desired)
        refuse_unsupported(self.type_name, self.supported, desired)
        tags = as_map(desired.get("Tags"))
        name = self.naming.required(desired, owner_in(tags), scope, self.type_name)
        guarded = self.tags_guard and owner_in(tags) is not None
        if self.looks_first and not guarded and (there := self._existing(scope, name)) is not None:
            return self._resumed(scope, there, desired)
        try:
            return self._create(scope, name, desired, tags)
        except AwsFault as fault:
            if fault.kind is not FaultKind.ALREADY_EXISTS:
                raise
            there = self._existing(scope, name)
            if there is None:
                raise
            return self._resumed(scope, there, desired)

    def update(
        self, scope: Scope, identifier: Identifier, before: Properties, after: Properties, changed: frozenset[str]
    ) -> Progress:
        """See ``ports.ResourceProvider``."""
        refuse_unsupported(self.type_name, self.supported, changed)
        refuse_fixed(self.type_name, self.fixed, changed)
        if "Tags" in changed:
            self._retag(scope, identifier, as_map(before.get("Tags")), as_map(reveal(after).get("Tags")))
        return super().update(scope, identifier, before, after, changed - {"Tags"})

    # the rest

    def _add_tags(self, scope: Scope, wanted: Collection[Wanted], found: Found) -> None:
        items = [item for item in wanted if "Tags" in item.properties]
        items = [item for item in items if not isinstance(found.get(item.identifier), Unreadable | None)]
        bulk: dict[str, Tags] = {}
        if len(items) > FEW:
            bulk = bulk_tags(scope, [self._arn(scope, item.identifier) for item in items])

        def tags_of(item: Wanted) -> Tags:
            known = bulk.get(self._arn(scope, item.identifier)) if bulk else None
            return self._tags(scope, item.identifier) if known is None else known

        answers = read_each(scope, items, tags_of)
        for item in items:
            tags, properties = answers.get(item.identifier), found[item.identifier]
            if tags is None:
                del found[item.identifier]  # it went while we were reading
            elif isinstance(tags, Unreadable):
                found[item.identifier] = tags
            elif tags and isinstance(properties, dict):
                properties["Tags"] = self._tag_property(tags)

    def _tag_property(self, tags: Tags) -> Any:
        return tags if self.tags_as_map else as_list(tags)

    def _existing(self, scope: Scope, name: str) -> Located | None:
        try:
            identifier = self._identifier(scope, name)
            return Located(identifier, owner_in(self._tags(scope, identifier)))
        except AwsFault as fault:
            if fault.kind is FaultKind.NOT_FOUND:
                return None
            raise

    def _located_by_tag(self, scope: Scope, owner: Owner) -> tuple[Located, ...]:
        """The tagging API lags behind: what it names is looked at before it is believed."""
        named = [self._of_arn(scope, arn) for arn in owned_arns(scope, self.resource_type, owner)]
        return tuple(Located(identifier, owner) for identifier in named if self._confirmed(scope, identifier, owner))

    def _confirmed(self, scope: Scope, identifier: Identifier, owner: Owner) -> bool:
        try:
            return self._belongs_to(scope, identifier, owner)
        except AwsFault as fault:
            if fault.kind is FaultKind.NOT_FOUND:
                return False
            raise

    def _belongs_to(self, scope: Scope, identifier: Identifier, owner: Owner) -> bool:
        return owner_in(self._tags(scope, identifier)) == owner

    def _resumed(self, scope: Scope, there: Located, desired: Properties) -> Progress:
        """Go on with what an earlier attempt of the same owner made; refuse anything else."""
        identifier = there.identifier
        if there.owner is None or there.owner != owner_in(as_map(desired.get("Tags"))):
            whose = f"and belongs to plan {there.owner.plan}" if there.owner else "and no plan owns it"
            raise already_exists(self.type_name, identifier, whose)
        live = self._observe(scope, Wanted(identifier, frozenset(desired)))
        live["Tags"] = self._tag_property(self._tags(scope, identifier))
        differing = self._differing(scope, desired, live)
        for name in sorted(differing & self.fixed):
            raise already_exists(self.type_name, identifier, f"with another {name}")
        return self.update(scope, identifier, live, desired, differing)

    def _retag(self, scope: Scope, identifier: Identifier, before: Tags, after: Tags) -> None:
        if stale := sorted(before.keys() - after.keys()):
            self._untag(scope, identifier, stale)
        if fresh := {key: value for key, value in after.items() if before.get(key) != value}:
            self._tag(scope, identifier, fresh)


class ListedProvider(NamedProvider):
    """Base for types whose listing shows names: many are looked for in few calls, and a create guards its name.

    ``told``: properties that the identifier tells. Of a resource of which no others are wanted there is only to find
    out whether it is there, and what a listing shows is; what it doesn't show is asked for.
    """

    guards_name: ClassVar[bool] = True
    told: ClassVar[frozenset[str]] = frozenset()

    @abstractmethod
    def _shown(self, scope: Scope, names: Collection[str]) -> tuple[Collection[str], bool]:
        """Those of ``names`` that a listing shows, and whether that is all of them that there are."""

    def _told(self, scope: Scope, identifier: Identifier) -> dict[str, Any]:  # noqa: ARG002 - most tell nothing
        """The properties that the identifier tells."""
        return {}

    def _name_in(self, identifier: Identifier) -> str:
        """The name that is in an identifier."""
        return identifier

    def _read(self, scope: Scope, wanted: Collection[Wanted]) -> Found:
        found: Found = {identifier: self._told(scope, identifier) for identifier in self._listed(scope, wanted)}
        return {**found, **super()._read(scope, [item for item in wanted if item.identifier not in found])}

    def _listed(self, scope: Scope, wanted: Collection[Wanted]) -> Collection[Identifier]:
        """Which of those whose identifiers tell all that is wanted a listing shows."""
        known = self.told | {"Tags"}
        bare = {self._name_in(one.identifier): one.identifier for one in wanted if set() < one.properties <= known}
        shown, _ = self._shown(scope, bare.keys()) if len(bare) > FEW else ((), False)
        return [identifier for name, identifier in bare.items() if name in shown]

    def locate_many(self, scope: Scope, sought: Sequence[Sought]) -> Sequence[tuple[Located, ...] | AwsFault]:
        """See ``ports.Seeking``."""
        if len(sought) <= FEW:
            return scope.gather([partial(_answered, self.locate, scope, one.desired, one.owner) for one in sought])
        names = [self.naming.name(one.desired, one.owner, scope) for one in sought]
        there = self._there(scope, sorted({name for name in names if name is not None}))
        tagged = arns_of_owners(scope, self.resource_type, {one.owner for one in sought})
        jobs = [
            partial(_answered, self._beside, scope, there.get(name or ""), tagged[one.owner], one.owner)
            for name, one in zip(names, sought, strict=True)
        ]
        return scope.gather(jobs)

    def _there(self, scope: Scope, names: Sequence[str]) -> Mapping[str, Located | AwsFault | None]:
        """What has these names; a listing lags, so what it shows is looked at."""
        shown, complete = self._shown(scope, names) if names else ((), True)
        asked = [name for name in names if name in shown or not complete]
        return dict(
            zip(asked, scope.gather([partial(_answered, self._existing, scope, name) for name in asked]), strict=True)
        )

    def _beside(
        self, scope: Scope, there: Located | AwsFault | None, arns: Collection[str], owner: Owner
    ) -> tuple[Located, ...]:
        """What has the name, then what else has the owner's tags."""
        if isinstance(there, AwsFault):
            raise there
        first = () if there is None else (there,)
        tagged = (self._of_arn(scope, arn) for arn in arns)
        others = [one for one in tagged if all(one != known.identifier for known in first)]
        return (*first, *(Located(one, owner) for one in others if self._confirmed(scope, one, owner)))


def _answered(call: Callable[..., T], *arguments: Any) -> T | AwsFault:
    try:
        return call(*arguments)
    except AwsFault as fault:
        return fault
