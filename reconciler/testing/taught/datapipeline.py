"""Data Pipeline: tags, parameters, an end of activity; a unique id makes one pipeline."""

from __future__ import annotations

import json
from typing import Any

from moto.datapipeline.models import DataPipelineBackend, datapipeline_backends
from moto.datapipeline.responses import DataPipelineResponse

from reconciler.testing.taught.lesson import Lesson, adds, changes

_create = DataPipelineBackend.create_pipeline
_put, _get = DataPipelineResponse.put_pipeline_definition, DataPipelineResponse.get_pipeline_definition
_PARAMETERS = ("parameterObjects", "parameterValues")


def _pipeline(self: Any) -> Any:
    return self.datapipeline_backend.get_pipeline(self._get_param("pipelineId"))


def create_pipeline(self: Any, name: str, unique_id: str, **more: Any) -> Any:
    """CreatePipeline, at the backend."""
    known = (one for one in self.pipelines.values() if (one.name, one.unique_id) == (name, unique_id))
    return next(known, None) or _create(self, name, unique_id, **more)


def add_tags(self: Any) -> str:
    """AddTags."""
    tags = self._get_param("tags")
    fresh = {tag["key"] for tag in tags}
    _pipeline(self).tags = [tag for tag in _pipeline(self).tags if tag["key"] not in fresh] + tags
    return "{}"


def remove_tags(self: Any) -> str:
    """RemoveTags."""
    _pipeline(self).tags = [tag for tag in _pipeline(self).tags if tag["key"] not in self._get_param("tagKeys")]
    return "{}"


def deactivate_pipeline(self: Any) -> str:
    """DeactivatePipeline."""
    _pipeline(self).status = "INACTIVE"
    return "{}"


def put_pipeline_definition(self: Any) -> Any:
    """PutPipelineDefinition."""
    _pipeline(self).parameters = {name: value for name in _PARAMETERS if (value := self._get_param(name))}
    return _put(self)


def get_pipeline_definition(self: Any) -> str:
    """GetPipelineDefinition."""
    return json.dumps(json.loads(_get(self)) | getattr(_pipeline(self), "parameters", {}))


LESSONS = (
    Lesson(
        call="datapipeline:ListPipelines",
        aws="isn't in eu-central-1, but most tests are there",
        moto="has no backend for the region, either",
        given=(changes(datapipeline_backends, _additional_regions=["eu-central-1"]),),
    ),
    Lesson(
        call="datapipeline:CreatePipeline",
        aws="makes one pipeline for a name and a unique id",
        moto="makes one for each call",
        given=(changes(DataPipelineBackend, create_pipeline),),
    ),
    Lesson(
        call="datapipeline:AddTags",
        aws="changes the tags of a pipeline",
        moto="has neither of the two operations",
        given=(adds(DataPipelineResponse, add_tags, remove_tags),),
    ),
    Lesson(
        call="datapipeline:DeactivatePipeline",
        aws="ends a pipeline's activity",
        moto="has no such operation",
        given=(adds(DataPipelineResponse, deactivate_pipeline),),
    ),
    Lesson(
        call="datapipeline:GetPipelineDefinition",
        aws="shows the parameters that a definition was put with",
        moto="forgets them",
        given=(changes(DataPipelineResponse, put_pipeline_definition, get_pipeline_definition),),
    ),
)
