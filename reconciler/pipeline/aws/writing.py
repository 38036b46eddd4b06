"""A resource as one of Terraform's aws provider (and the ones that belong to it), by its type's mapping."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from typing import Any

from reconciler.model.errors import PipelineError
from reconciler.model.plan import PlannedResource
from reconciler.pipeline.aws.applying import Values, Writer
from reconciler.pipeline.aws.bodies import Body, Part
from reconciler.pipeline.aws.rules import Apart, AwsType, Rule
from reconciler.pipeline.files import Place
from reconciler.pipeline.hcl import Block, Raw
from reconciler.schema import TypeSchema


def body(resource: PlannedResource, mapping: AwsType, schema: TypeSchema, values: Values) -> Body:
    """What ``resource`` is in Terraform. Raises PipelineError for a property or value that the mapping leaves out."""
    writer = Writer(schema, mapping, values)
    found = Body(dict(mapping.constant))
    place = Place(resource.logical_id)
    resource = replace(resource, properties=writer.read(mapping.read, resource.properties, place))
    for name in sorted(resource.properties):
        rule = mapping.rules.get(name)
        if rule is None:
            raise writer.uncovered(place.key(name))
        piece = values.either(resource, name, _bound(writer, rule, place.key(name)))
        piece.apart = [replace(part, prop=name) for part in piece.apart]
        found.add(piece)
    writer.insist(mapping.needs, resource.properties, place)
    return found


def parts_of(resource: PlannedResource, mapping: AwsType, schema: TypeSchema, values: Values) -> Body:
    """What would belong to ``resource``, as far as the mapping covers it: for its addresses."""
    writer = Writer(schema, mapping, values)
    found = Body()
    for name, rule in mapping.rules.items():
        if isinstance(rule, Apart) and name in resource.properties:
            with suppress(PipelineError):
                found.add(writer.apply(rule, resource.properties[name], Place(resource.logical_id).key(name)))
    return found


def _bound(writer: Writer, rule: Rule, place: Place) -> Callable[[Any], Body]:
    return lambda value: writer.apply(rule, value, place)


def apart_blocks(found: Body, address: str, taken: set[str]) -> Iterator[tuple[str, Block, Part]]:
    """(address, block, part) of the resources that belong to the one at ``address``; adds to ``taken`` addresses."""
    label = address.split(".")[1]
    for part in found.apart:
        own = f"{label}_{part.label}" if part.label else label
        while f"{part.rule.resource}.{own}" in taken:
            own += "_"
        taken.add(f"{part.rule.resource}.{own}")
        whole = Body(dict(part.rule.constant))
        if part.rule.back:
            whole.attributes[part.rule.back] = Raw(f"{address}.{part.rule.to}")
        else:
            whole.add(replace(found, apart=[]))
        whole.add(part.body)
        yield f"{part.rule.resource}.{own}", whole.block("resource", (part.rule.resource, own)), part
