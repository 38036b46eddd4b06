"""Properties as Terraform takes them: by the schema for awscc resources, key by key for aws ones."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from reconciler.model.errors import PipelineError
from reconciler.model.plan import PlannedResource
from reconciler.model.values import PARAMETER, Deferred, Sensitive
from reconciler.pipeline import awscc, naming
from reconciler.pipeline.aws.rules import NotCovered
from reconciler.pipeline.files import Place, is_list
from reconciler.pipeline.hcl import Call
from reconciler.pipeline.terraform_expressions import Expressions
from reconciler.pipeline.writeonly import may_be_written
from reconciler.schema import TypeSchema

_CONTAINERS = {awscc.Shape.OBJECT: "mapping", awscc.Shape.MAP: "mapping", awscc.Shape.LIST: "list"}


class Translator(Expressions):
    """Translates whole properties; secrets become variables."""

    def properties(self, resource: PlannedResource) -> dict[str, Any]:
        """The attributes of a resource, by their awscc names."""
        schema = self._schemas[resource.logical_id]
        place = Place(resource.logical_id)
        return {
            naming.top_level_name(schema.type_name, name): self.either(
                resource, name, partial(self._typed, schema=schema, place=place.key(name))
            )
            for name in sorted(resource.properties)
        }

    def either(self, resource: PlannedResource, name: str, translate: Callable[[Any], Any]) -> Any:
        """A property as it is written with parameters; where that can't be translated, with their values in it."""
        if resource.written is not None and name in resource.written:
            used, found = set(self.used), self._variables.mark()
            try:
                return translate(resource.written[name])
            except NotCovered as error:
                if error.logical_id != resource.logical_id:  # another way to write it won't help
                    raise
                self.used = used
                self._variables.back(found)
            except PipelineError:
                self.used = used
                self._variables.back(found)
        return translate(resource.properties[name])

    def plain(self, value: Any, schema: TypeSchema, place: Place) -> Any:
        """As ``value`` for something that the schema describes: names are kept, secrets become variables."""
        if isinstance(value, Mapping):
            return {str(key): self.plain(value[key], schema, place.key(str(key))) for key in sorted(value, key=str)}
        if is_list(value):
            return [self.plain(item, schema, place.item(index)) for index, item in enumerate(value)]
        if isinstance(value, Sensitive) or schema.is_secret(place.schema_path):
            return self._hidden(value, schema, place)
        return self.value(as_typed(value, schema.node(place.schema_path)), place)

    # values with a schema

    def _typed(self, value: Any, schema: TypeSchema, place: Place) -> Any:
        node = schema.node(place.schema_path)
        if node is None:
            raise place.refuse(f"{schema.type_name} has no such property")
        if awscc.absent(schema.type_name, place.schema_path):
            raise place.refuse(
                f"the awscc provider {awscc.deviations().version} doesn't have this property of {schema.type_name}: "
                "use format cloudformation for this plan"
            )
        if isinstance(value, Sensitive):
            return self._hidden(value.reveal(), schema, place, told=True)
        if schema.is_secret(place.schema_path):
            return self._hidden(value, schema, place)
        shape = awscc.shape(schema, node, place.schema_path)
        if isinstance(value, Deferred) or value is None:
            return self.value(value, place)
        if not isinstance(value, Mapping) and not is_list(value):
            if shape in _CONTAINERS:
                raise place.refuse(f"{schema.type_name} takes a {_CONTAINERS[shape]} here")
            return self.value(as_typed(value, node), place)
        if shape is awscc.Shape.PLAIN:
            raise place.refuse(f"{schema.type_name} takes a single value here")
        if shape is awscc.Shape.JSON:
            return Call("jsonencode", (self.value(value, place),))
        return self._members(value, schema, place, shape, self._typed)

    def _hidden(self, value: Any, schema: TypeSchema, place: Place, *, told: bool = False) -> Any:
        """As ``_typed`` for a secret: its shape stays, every scalar in it becomes a variable, references remain.

        ``told``: the plan says that it is one, not the schema alone.
        """
        node = schema.node(place.schema_path) or {}
        if isinstance(value, Deferred):
            known = self.known(value)
            if isinstance(known, Deferred) or (not told and may_be_written(schema, place.schema_path, known)):
                return self.value(value, place)
            if value.function == PARAMETER:
                return self._parameter(self._variables.parameter(value.argument, secret=True))
            value = known
        if isinstance(value, Sensitive):
            return self._secret(value.reveal(), place)
        if not isinstance(value, Mapping) and not is_list(value):
            written = is_public(value, node) or (not told and may_be_written(schema, place.schema_path, value))
            return value if written else self._secret(value, place)
        shape = awscc.shape(schema, node, place.schema_path)
        if shape is awscc.Shape.JSON:
            return self._secret(value, place)
        return self._members(value, schema, place, shape, partial(self._hidden, told=told))

    def _members(
        self, value: Any, schema: TypeSchema, place: Place, shape: awscc.Shape, translate: Callable[..., Any]
    ) -> Any:
        """A list, map or object with its members translated; an object's names are the provider's."""
        if is_list(value):
            return [translate(item, schema, place.item(index)) for index, item in enumerate(value)]
        rename: Callable[[str], str] = naming.attribute_name if shape is awscc.Shape.OBJECT else str
        return {rename(key): translate(value[key], schema, place.key(key)) for key in sorted(value)}


def as_typed(value: Any, node: Mapping[str, Any] | None) -> Any:
    """Text that stands for a number or switch as what the schema says it is, the way people write it."""
    kind = (node or {}).get("type")
    if not isinstance(value, str):
        return value
    if kind in ("integer", "number") and re.fullmatch(r"-?(0|[1-9][0-9]{0,14})", value):
        return int(value)
    if kind == "boolean" and value in ("true", "false"):
        return value == "true"
    return value


def is_public(value: Any, node: Mapping[str, Any]) -> bool:
    """Whether a write-only value is no secret by its kind: a switch, a number, or a word that the schema lists."""
    return value is None or isinstance(value, bool | int | float) or value in node.get("enum", ())
