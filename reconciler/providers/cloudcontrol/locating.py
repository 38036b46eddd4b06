"""Finding resources: in the place that their properties spell out, and by the tags of their owner."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import structlog

from reconciler.live import owner_in
from reconciler.model.errors import AwsFault, FaultKind
from reconciler.model.ids import Identifier, Owner
from reconciler.model.resource import Located
from reconciler.model.values import Properties, Sensitive, has_unknown
from reconciler.ports import Scope
from reconciler.providers.cloudcontrol.progress import SERVICE
from reconciler.providers.cloudcontrol.shapes import typed
from reconciler.providers.native.reading import sweep
from reconciler.providers.native.tagging import bulk_tags
from reconciler.providers.native.tagging import owner_in as owner_of_tags
from reconciler.schema import TypeSchema, identifier_of

log = structlog.get_logger(__name__)

#: Pages of a listing that are looked through, and resources that are read one by one to see their tags.
MOST_PAGES, MOST_READS = 20, 200

_TAGGING = "resourcegroupstaggingapi"


@dataclass(frozen=True, slots=True)
class Description:
    """A resource as AWS describes it: completely when it was read, with whatever it likes in a listing."""

    identifier: Identifier
    properties: Mapping[str, Any]


#: Reads one resource by what identifies it. Raises NOT_FOUND.
Read = Callable[[str], Description]


def described(answer: Mapping[str, Any]) -> Description:
    """One ``ResourceDescription``. Raises AwsFault INTERNAL if it can't be understood."""
    try:
        properties = json.loads(answer.get("Properties") or "{}")
        return Description(Identifier(str(answer["Identifier"])), dict(properties))
    except (KeyError, TypeError, ValueError) as error:
        message = f"the description of a resource can't be understood ({type(error).__name__})"
        raise AwsFault(FaultKind.INTERNAL, message, service=SERVICE) from error


def places(schema: TypeSchema, desired: Properties) -> Iterator[str]:
    """What identifies the resource that ``desired`` would be: its primary identifier, then others, as JSON."""
    primary = identifier_of(schema, desired)
    if primary is not None:
        yield primary
    for names in schema.additional_identifiers:
        values = {name: _value(desired, name) for name in names}
        if all(value is not None for value in values.values()):
            yield json.dumps(values, sort_keys=True)


def _value(desired: Properties, name: str) -> Any:
    """A scalar that is known and no secret, else None. A nested one can't be written as other identifiers are."""
    value = desired.get(name)
    return None if value in (None, "") or has_unknown(value) or isinstance(value, Sensitive | Mapping | list) else value


@dataclass(frozen=True, slots=True)
class Search:
    """A search for the resources of one type in one place."""

    schema: TypeSchema
    scope: Scope
    read: Read

    def run(self, desired: Properties, owner: Owner) -> tuple[Located, ...]:
        """What stands in the place of ``desired``, then what else carries the tags of ``owner``. Raises AwsFault."""
        spelled = list(places(self.schema, desired))
        found = {located.identifier: located for place in spelled for located in self._standing(place)}
        if self.schema.tag_property is not None:
            # A name is looked at first and by itself; without one the tags are all there is, so that they must be seen.
            tagged = self._tagged(desired, owner, thorough=identifier_of(self.schema, desired) is None)
            found = {**found, **{located.identifier: located for located in tagged if located.identifier not in found}}
        return tuple(found.values())

    def _standing(self, place: str) -> Iterator[Located]:
        try:
            there = self.read(place)
        except AwsFault as fault:
            # A handler that doesn't know its other identifiers after all says "invalid request".
            if fault.kind is FaultKind.NOT_FOUND or (place.startswith("{") and fault.kind is FaultKind.INVALID_REQUEST):
                return
            raise
        yield Located(there.identifier, owner_in(there.properties, self.schema.tag_property))

    def _tagged(self, desired: Properties, owner: Owner, *, thorough: bool) -> Iterator[Located]:
        hidden = self.schema.is_secret((str(self.schema.tag_property),))
        if hidden or "list" not in self.schema.handler_permissions:
            yield from self._named_by_tagging_api(owner)
            return
        try:
            listed = self._listed(desired)
        except AwsFault as fault:
            if thorough and fault.kind is not FaultKind.INVALID_REQUEST:
                raise
            log.info("search by tag not possible", type=self.schema.type_name, reason=str(fault))
            return
        for_sure, unseen = self._sorted(listed, owner)
        if not thorough:
            unseen = []
        elif len(unseen) > MOST_READS:
            log.warning("not all tags looked at", type=self.schema.type_name, resources=len(unseen), read=MOST_READS)
        for there in self.scope.gather([partial(self._again, one) for one in (*for_sure, *unseen[:MOST_READS])]):
            if there is not None and owner_in(there.properties, self.schema.tag_property) == owner:
                yield Located(there.identifier, owner)

    def _named_by_tagging_api(self, owner: Owner) -> Iterator[Located]:
        """Where tags can't be seen otherwise: by ARN, whose end is the identifier of many types. A second chance."""
        filters = [{"Key": key, "Values": [value]} for key, value in owner.tags().items()]
        try:
            items = self.scope.pages(_TAGGING, "get_resources", "ResourceTagMappingList", TagFilters=filters)
        except AwsFault as fault:
            log.info("search by tag not possible", type=self.schema.type_name, reason=str(fault))
            return
        for arn in (str(item["ResourceARN"]) for item in items):
            for place in dict.fromkeys((arn, arn.rpartition("/")[2], arn.rpartition(":")[2])):
                there = self._again(Description(Identifier(place), {}), tolerant=True)
                if there is not None and arn in (there.identifier, *there.properties.values()):
                    yield Located(there.identifier, owner)
                    break

    def _sorted(self, listed: list[Description], owner: Owner) -> tuple[list[Description], list[Description]]:
        """Those that are said to be the owner's, and those whose tags nobody says anything of."""
        name = self.schema.tag_property
        told = {one.identifier: owner_in(one.properties, name) for one in listed if name in one.properties}
        arns = {one.identifier: arn for one in listed if one.identifier not in told and (arn := _arn(one))}
        bulk = bulk_tags(self.scope, list(arns.values())) if arns else {}
        told |= {key: owner_of_tags(bulk[arn]) for key, arn in arns.items() if arn in bulk}
        for_sure = [one for one in listed if told.get(one.identifier) == owner]
        return for_sure, [one for one in listed if one.identifier not in told]

    def _again(self, one: Description, *, tolerant: bool = False) -> Description | None:
        """A resource as it is now: neither a listing nor the tagging API is up to date.

        ``tolerant``: of an identifier that the handler doesn't take, which was a guess.
        """
        try:
            return self.read(one.identifier)
        except AwsFault as fault:
            if fault.kind is FaultKind.NOT_FOUND or (tolerant and fault.kind is FaultKind.INVALID_REQUEST):
                return None
            raise

    def _listed(self, desired: Properties) -> list[Description]:
        """Every resource of the type, or of what it belongs to; none where that isn't known, because it isn't there."""
        model = list_model(self.schema, desired)
        if model is None:
            return []
        narrowed = {"ResourceModel": json.dumps(model)} if model else {}
        found: list[Description] = []
        pages = 0
        for page in sweep(
            self.scope,
            SERVICE,
            "list_resources",
            key="ResourceDescriptions",
            token=("NextToken", "NextToken"),
            most=MOST_PAGES,
            TypeName=self.schema.type_name,
            **narrowed,
        ):
            pages += 1
            found.extend(described(one) for one in page)
        if pages == MOST_PAGES:
            log.warning("listing not read to its end", type=self.schema.type_name, resources=len(found))
        return found


def list_model(schema: TypeSchema, desired: Properties) -> dict[str, Any] | None:
    """What a listing is narrowed by, from the wanted properties; None if what it needs isn't known."""
    wanted = schema.list_model
    if not wanted:
        return {}
    alternatives = [*wanted.get("oneOf", ()), *wanted.get("anyOf", ())]
    needs = [set(one.get("required", ())) | set(wanted.get("required", ())) for one in (alternatives or [{}])]
    known = {name: desired[name] for name in _named(wanted) if name in desired and not has_unknown(desired[name])}
    if not any(names <= known.keys() for names in needs):
        return None
    model: dict[str, Any] = typed(schema, (), known)
    return model


def _named(wanted: Mapping[str, Any]) -> set[str]:
    found = set(wanted.get("properties", ())) | set(wanted.get("required", ()))
    for one in (*wanted.get("oneOf", ()), *wanted.get("anyOf", ())):
        found |= set(one.get("required", ())) | set(one.get("properties", ()))
    return found


def _arn(one: Description) -> str:
    """The ARN of a listed resource, where it is to be seen."""
    if one.identifier.startswith("arn:"):
        return one.identifier
    own = (value for name, value in one.properties.items() if name.lower().endswith("arn") and isinstance(value, str))
    return next((value for value in own if value.startswith("arn:") and one.identifier in value), "")
