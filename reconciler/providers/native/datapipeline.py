"""AWS::DataPipeline::Pipeline."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from reconciler.model.errors import AwsFault, FaultKind
from reconciler.model.ids import Identifier, TypeName
from reconciler.model.values import Properties, Sensitive
from reconciler.ports import ResourceProvider, Scope
from reconciler.providers.declared import Call, Declaration, Declared, Listing, Many, Read, Tagging, Update
from reconciler.providers.declared.reading import Item, Reader
from reconciler.providers.native.naming import NameRule

_OBJECTS = "PipelineObjects"
_DEFINITION = ("ParameterObjects", "ParameterValues", _OBJECTS)
_IDLE = frozenset({"PENDING", "INACTIVE", "DEACTIVATING"})

_PIPELINE = Declaration(
    type=TypeName("AWS::DataPipeline::Pipeline"),
    service="datapipeline",
    naming=NameRule("Name", 1024),
    read=Read("describe_pipelines", "pipelineDescriptionList", many=Many("pipelineIds", "PipelineId", 25)),
    extras=(Read("get_pipeline_definition", shows=_DEFINITION),),
    create=Call("create_pipeline"),
    updates=(Update(Call("put_pipeline_definition", (*_DEFINITION, "Activate")), whole=True, later=True),),
    delete=Call("delete_pipeline"),
    listing=Listing("list_pipelines", "pipelineIdList", whole=False),
    tagging=Tagging(
        "add_tags",
        "remove_tags",
        {"pipelineId": "{PipelineId}"},
        inline="tags",
        tags="tags",
        keys="tagKeys",
        create="tags",
    ),
    repeatable="uniqueId",
    resets={"Activate": True},
    also=("datapipeline:ActivatePipeline", "datapipeline:DeactivatePipeline", "iam:PassRole"),
)


class _Reader(Reader):
    """A listing calls a pipeline's id otherwise."""

    def as_item(self, scope: Scope, answer: Mapping[str, Any], identity: Mapping[str, Any] | None = None) -> Item:
        """See ``Reader``."""
        known = {"pipelineId": answer["id"], **answer} if "id" in answer else answer
        return super().as_item(scope, known, identity)


class Pipeline(Declared):
    """A pipeline. Its definition is put as a whole and in force once the pipeline is activated (again)."""

    reader: ClassVar = _Reader

    def adapt_observed(self, scope: Scope, item: Item, properties: dict[str, Any]) -> dict[str, Any]:  # noqa: ARG002
        """See ``Declared``. What a field holds whose name begins with an asterisk is a secret."""
        states = {field.get("key"): field.get("stringValue") for field in item.answer.get("fields") or ()}
        properties["Activate"] = states.get("@pipelineState") not in _IDLE
        for one in properties.get("PipelineObjects") or ():
            for field in one.get("Fields") or ():
                if str(field.get("Key")).startswith("*") and "StringValue" in field:
                    field["StringValue"] = Sensitive(field["StringValue"])
        return {name: value for name, value in properties.items() if value not in ("", [])}

    def change(
        self, scope: Scope, identifier: Identifier, update: Update, before: Properties, after: Properties
    ) -> None:
        """See ``Declared``. Raises INVALID_REQUEST for a definition that isn't valid."""
        definition = {name: after[name] for name in _DEFINITION if name in after}
        if not definition.get(_OBJECTS):
            if definition or after.get("Activate") or before.get(_OBJECTS):
                message = f"{_OBJECTS} of {self.type_name} can't be empty or taken back"
                raise AwsFault(FaultKind.INVALID_REQUEST, f"{message}: without them there is nothing to activate")
            return
        if any(before.get(name) != after.get(name) for name in _DEFINITION):
            given = self._parameters(scope, update.call, self._reader.identity(scope, identifier), definition)
            _refuse_invalid(scope.call("datapipeline", update.call.operation, **given))
        if after.get("Activate", True):
            scope.call("datapipeline", "activate_pipeline", pipelineId=identifier)
        elif before.get("Activate"):
            scope.call("datapipeline", "deactivate_pipeline", pipelineId=identifier)


def _refuse_invalid(answer: Mapping[str, Any]) -> None:
    if not answer.get("errored"):
        return
    errors = [f"{one.get('id')}: {text}" for one in answer.get("validationErrors") or () for text in one["errors"]]
    message = f"the definition isn't valid: {'; '.join(errors)}"
    raise AwsFault(FaultKind.INVALID_REQUEST, message, service="datapipeline", operation="PutPipelineDefinition")


PROVIDERS: tuple[ResourceProvider, ...] = (Pipeline(_PIPELINE),)
