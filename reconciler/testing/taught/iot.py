"""IoT: resources have tags."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from moto.core.responses import ActionResult, EmptyResult
from moto.iot.exceptions import ResourceNotFoundException
from moto.iot.responses import IoTResponse

from reconciler.testing.taught.lesson import Lesson, adds, changes, remembered

#: what makes a resource with tags, and where moto keeps those that it made
_CREATES = {
    "create_billing_group": "billing_groups",
    "create_job_template": "jobs_templates",
    "create_policy": "policies",
    "create_role_alias": "role_aliases",
    "create_thing_type": "thing_types",
}


def _with_tags(create: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """A create call that keeps the tags it is given."""

    def created(self: Any) -> Any:
        answer = create(self)
        arn = next(value for name, value in answer.result.items() if name.endswith("Arn"))
        _tags(self, arn).update(_plain(self._get_param("tags") or ()))
        return answer

    return created


def list_tags_for_resource(self: Any) -> Any:
    """ListTagsForResource."""
    tags = _tags(self, self._get_param("resourceArn"))
    return ActionResult({"tags": [{"Key": key, "Value": value} for key, value in tags.items()]})


def tag_resource(self: Any) -> Any:
    """TagResource."""
    _tags(self, self._get_param("resourceArn")).update(_plain(self._get_param("tags")))
    return EmptyResult()


def untag_resource(self: Any) -> Any:
    """UntagResource."""
    tags = _tags(self, self._get_param("resourceArn"))
    for key in self._get_param("tagKeys"):
        tags.pop(key, None)
    return EmptyResult()


def _tags(self: Any, arn: str) -> dict[str, Any]:
    resource = next((one for one in _resources(self) if _arn(one) == arn), None)
    if resource is None:
        raise ResourceNotFoundException()
    return remembered(resource, "tags")


def _resources(self: Any) -> Iterator[Any]:
    for kept in _CREATES.values():
        yield from getattr(self.iot_backend, kept).values()


def _arn(resource: Any) -> str:
    return str(getattr(resource, "arn", "") or getattr(resource, "job_template_arn", ""))


def _plain(tags: Any) -> dict[str, str]:
    return {str(tag["Key"]): str(tag.get("Value", "")) for tag in tags}


LESSONS = (
    Lesson(
        call="iot:ListTagsForResource",
        aws="shows the tags that a resource was made with or given later",
        moto="has no tags, and leaves out those of create calls",
        given=(
            changes(IoTResponse, **{create: _with_tags(getattr(IoTResponse, create)) for create in _CREATES}),
            adds(IoTResponse, list_tags_for_resource, tag_resource, untag_resource),
        ),
    ),
)
