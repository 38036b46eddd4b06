"""What the EC2 types have in common: batched reads by filter, tags, ownership, a create that may be finished later."""

# ruff: noqa: ARG002 - methods have the signature that the port or the base gives them, needed or not

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any, ClassVar

from reconciler.model.errors import AwsFault, FaultKind
from reconciler.model.ids import (
    OWNER_ID_TAG,
    OWNER_PLAN_TAG,
    ClientToken,
    Identifier,
    LogicalId,
    Owner,
    PlanName,
    TypeName,
)
from reconciler.model.progress import Done, Handle, Pending, Progress
from reconciler.model.resource import Located, Observation, Sought, Unreadable, Wanted
from reconciler.model.values import Properties, has_unknown, reveal
from reconciler.ports import Scope
from reconciler.providers.native.frame import refuse_unsupported
from reconciler.providers.native.reading import merged, unreadable
from reconciler.providers.native.shapes import chunks
from reconciler.providers.native.tagging import as_list, as_map, owner_in

#: AWS's limit on the values of one filter.
FILTER_VALUES = 200

#: Marks a handle whose resource still lacks some properties; they follow as JSON.
UNFINISHED = "set:"

Item = Mapping[str, Any]


def filters(**by_name: Sequence[str]) -> list[dict[str, Any]]:
    """EC2 filters; underscores in the names stand for hyphens."""
    return [{"Name": name.replace("_", "-"), "Values": list(values)} for name, values in by_name.items()]


def owner_filters(owner: Owner) -> list[dict[str, Any]]:
    """Filters that find what an owner made."""
    return owners_filters(owner.plan, [owner.logical_id])


def owners_filters(plan: PlanName, names: Collection[LogicalId]) -> list[dict[str, Any]]:
    """Filters that find what one plan made under any of several names."""
    return [
        {"Name": f"tag:{OWNER_PLAN_TAG}", "Values": [plan]},
        {"Name": f"tag:{OWNER_ID_TAG}", "Values": list(names)},
    ]


def tag_specifications(resource_type: str, desired: Properties) -> list[dict[str, Any]]:
    """The TagSpecifications parameter of a create call: nothing if there are no tags."""
    tags = as_list(as_map(desired.get("Tags")))
    return [{"ResourceType": resource_type, "Tags": tags}] if tags else []


def update_tags(scope: Scope, resource: str, before: Properties, after: Properties) -> None:
    """Bring a resource's tags from ``before`` to ``after``; tags that neither names stay."""
    old, new = as_map(before.get("Tags")), as_map(after.get("Tags"))
    add = {name: text for name, text in new.items() if old.get(name) != text}
    remove = sorted(old.keys() - new.keys())
    if add:
        scope.call("ec2", "create_tags", Resources=[resource], Tags=as_list(add))
    if remove:
        scope.call("ec2", "delete_tags", Resources=[resource], Tags=[{"Key": key} for key in remove])


def gone(fault: AwsFault) -> bool:
    """Whether a fault says that the thing isn't there."""
    return fault.kind is FaultKind.NOT_FOUND


@contextmanager
def unless_gone() -> Iterator[None]:
    """Inside, taking away what is gone already is as good as having taken it away."""
    try:
        yield
    except AwsFault as fault:
        if not gone(fault):
            raise


class Immediate:
    """A type whose calls have taken effect when they are answered: nothing is ever pending."""

    def poll(self, scope: Scope, handle: Handle) -> Progress:
        """See ``ports.ResourceProvider``."""
        return Done(handle.identifier)


class Ec2Provider(ABC):
    """Base of the EC2 types. Subclasses say how a resource is described, made, changed and removed."""

    type_name: TypeName
    #: boto3's describe method, the key of its answer, and the names of its filter parameter and id filter
    describe: ClassVar[str]
    key: ClassVar[str]
    id_filter: ClassVar[str]
    id_field: ClassVar[str]
    filter_parameter: ClassVar[str] = "Filters"
    #: as TagSpecifications names it; empty where the type has no tags
    resource_type: ClassVar[str] = ""

    #: properties that can be set
    supported: ClassVar[frozenset[str]]

    # what subclasses provide

    @abstractmethod
    def observe(self, scope: Scope, item: Item) -> dict[str, Any]:
        """The properties that a described item shows without further calls."""

    @abstractmethod
    def make(self, scope: Scope, desired: Properties, token: ClientToken) -> Identifier:
        """Create; returns the identifier."""

    @abstractmethod
    def remove(self, scope: Scope, identifier: Identifier) -> None:
        """Delete. May raise NOT_FOUND."""

    def modify(
        self, scope: Scope, identifier: Identifier, before: Properties, after: Properties, changed: frozenset[str]
    ) -> None:
        """Change properties other than tags. The default refuses, since all of them are create-only."""
        if changed:
            names = ", ".join(sorted(changed))
            raise AwsFault(FaultKind.INVALID_REQUEST, f"{self.type_name} can't change {names} in place", service="ec2")

    def later(self, desired: Properties) -> dict[str, Any]:
        """The part of ``desired`` that has to be set by further calls once the resource exists."""
        return {}

    def enrich(self, scope: Scope, found: dict[Identifier, dict[str, Any]], wanted: frozenset[str]) -> None:
        """Fill in properties that cost further calls, for those that are wanted. Most types have none."""
        return

    def alive(self, item: Item) -> bool:
        """Whether a described item counts as existing."""
        return True

    def place(self, desired: Properties) -> list[dict[str, Any]]:
        """Filters for what stands where ``desired`` would go; none if nothing can collide with it."""
        return []

    def ident(self, item: Item) -> Identifier:
        """The identifier of a described item."""
        return Identifier(item[self.id_field])

    def filter_value(self, identifier: Identifier) -> str:
        """What the id filter has to be given for an identifier."""
        return identifier

    # ports.ResourceProvider

    def read_many(self, scope: Scope, wanted: Collection[Wanted]) -> Mapping[Identifier, Observation | Unreadable]:
        """One describe call for every 200 identifiers; a failed one makes its identifiers unreadable, no others."""
        pieces = list(chunks(list(wanted), FILTER_VALUES))
        jobs = [partial(self._read, scope, piece) for piece in pieces]
        return merged(scope, jobs)

    def locate(self, scope: Scope, desired: Properties, owner: Owner) -> tuple[Located, ...]:
        """All with the owner's tags; where there is none, what stands in the place."""
        tagged = self._found(scope, owner_filters(owner)) if self.resource_type else ()
        # Looked at again: a wildcard in a value, or an endpoint that ignores the filter, finds too much.
        own = tuple(located for located in tagged if located.owner == owner)
        place = self.place(desired)
        if own or not place or has_unknown(place):
            return own
        return self._found(scope, place)

    def locate_many(self, scope: Scope, sought: Sequence[Sought]) -> Sequence[tuple[Located, ...] | AwsFault]:
        """See ``ports.Seeking``: a call for the tags and one for the places of up to 200."""
        answers = scope.gather([partial(self._located, scope, some) for some in chunks(sought, FILTER_VALUES)])
        return [one for answer in answers for one in answer]

    def create(self, scope: Scope, desired: Properties, token: ClientToken) -> Progress:
        """Create, tagged from the first moment on, then set what the create call can't take."""
        known: Properties = reveal(desired)
        refuse_unsupported(self.type_name, self.supported, known)
        return self._finish(scope, self.make(scope, known, token), self.later(known))

    def update(
        self,
        scope: Scope,
        identifier: Identifier,
        before: Properties,
        after: Properties,
        changed: frozenset[str],
    ) -> Progress:
        """Change what is named in ``changed``, nothing else."""
        refuse_unsupported(self.type_name, self.supported, changed)
        known: Properties = reveal(after)
        others = changed - {"Tags"}
        if others:
            self.modify(scope, identifier, before, known, others)
        if "Tags" in changed:
            update_tags(scope, self.filter_value(identifier), before, known)
        return Done(identifier)

    def delete(self, scope: Scope, identifier: Identifier) -> Progress:
        """Delete; already gone is fine."""
        with unless_gone():
            self.remove(scope, identifier)
        return Done(identifier)

    def poll(self, scope: Scope, handle: Handle) -> Progress:
        """Finish a create that AWS wasn't ready for."""
        rest = json.loads(handle.kind.removeprefix(UNFINISHED)) if handle.kind.startswith(UNFINISHED) else {}
        return self._finish(scope, handle.identifier, rest)

    # helpers

    def find(self, scope: Scope, by: list[dict[str, Any]]) -> list[Item]:
        """Items that match filters and exist, in a stable order."""
        found = scope.pages("ec2", self.describe, self.key, **{self.filter_parameter: by})
        return sorted((item for item in found if self.alive(item)), key=self.ident)

    def find_one(self, scope: Scope, identifier: Identifier) -> Item | None:
        """The described item with this identifier."""
        asked = self.filter_value(identifier)
        found = self.find(scope, [{"Name": self.id_filter, "Values": [asked]}])
        # what is written to must be what was asked for, however the filter was taken
        return next((item for item in found if self.filter_value(self.ident(item)) == asked), None)

    def _located(self, scope: Scope, sought: Sequence[Sought]) -> list[tuple[Located, ...]]:
        if len(sought) == 1:
            return [self.locate(scope, sought[0].desired, sought[0].owner)]
        found: dict[Owner, list[Located]] = defaultdict(list)
        for plan in sorted({one.owner.plan for one in sought} if self.resource_type else ()):
            names = [one.owner.logical_id for one in sought if one.owner.plan == plan]
            for located in self._found(scope, owners_filters(plan, names)):
                if located.owner is not None and located.owner.plan == plan:  # see ``locate``
                    found[located.owner].append(located)
        places = [[] if found.get(one.owner) else self.place(one.desired) for one in sought]
        there = self._in_places(scope, [place for place in places if not has_unknown(place)])
        return [tuple(found.get(one.owner) or there[_key(place)]) for one, place in zip(sought, places, strict=True)]

    def _in_places(self, scope: Scope, places: Collection[list[dict[str, Any]]]) -> dict[str, list[Located]]:
        """What stands in any of several places, by place: asked for by all values at once, then told apart."""
        values: dict[str, set[str]] = defaultdict(set)
        for one in (one for place in places for one in place):
            values[one["Name"]].update(one["Values"])
        found: dict[str, list[Located]] = defaultdict(list)
        by = [{"Name": name, "Values": sorted(some)} for name, some in values.items()]
        for item in self.find(scope, by) if by else ():
            located = Located(self.ident(item), owner_in(as_map(item.get("Tags"))))
            if place := self.place(self.observe(scope, item)):
                found[_key(place)].append(located)
        return found

    def _found(self, scope: Scope, by: list[dict[str, Any]]) -> tuple[Located, ...]:
        items = self.find(scope, by)
        return tuple(Located(self.ident(item), owner_in(as_map(item.get("Tags")))) for item in items)

    def _read(self, scope: Scope, wanted: Sequence[Wanted]) -> dict[Identifier, Observation | Unreadable]:
        try:
            return dict(self._observed(scope, wanted))
        except AwsFault as fault:
            return {one.identifier: unreadable(one.identifier, fault) for one in wanted}

    def _observed(self, scope: Scope, wanted: Sequence[Wanted]) -> Iterable[tuple[Identifier, Observation]]:
        asked = {self.filter_value(one.identifier): one for one in wanted}
        by = [{"Name": self.id_filter, "Values": list(asked)}]
        found: dict[Identifier, dict[str, Any]] = {}
        for item in self.find(scope, by):
            one = asked.get(self.filter_value(self.ident(item)))
            if one is not None:
                found[one.identifier] = self.observe(scope, item) | self._tags(item)
        # What costs further calls is read of those alone that want it: a batch may be of many plans.
        alike: dict[frozenset[str], dict[Identifier, dict[str, Any]]] = defaultdict(dict)
        for identifier, properties in found.items():
            alike[asked[self.filter_value(identifier)].properties][identifier] = properties
        for names, some in alike.items():
            self.enrich(scope, some, names)
        for identifier, properties in found.items():
            yield identifier, Observation(identifier, properties)

    def _tags(self, item: Item) -> dict[str, Any]:
        tags = as_list(as_map(item.get("Tags")))
        return {"Tags": tags} if tags else {}

    def _finish(self, scope: Scope, identifier: Identifier, rest: Mapping[str, Any]) -> Progress:
        if not rest:
            return Done(identifier)
        try:
            self.modify(scope, identifier, {}, rest, frozenset(rest))
        except AwsFault as fault:
            if not gone(fault):
                raise
            # Just made and not yet known everywhere in AWS.
            return Pending(Handle(identifier, UNFINISHED + json.dumps(rest)), 1.0, f"{identifier} isn't ready yet")
        return Done(identifier)


def _key(place: list[dict[str, Any]]) -> str:
    return json.dumps(place, sort_keys=True, default=str)
