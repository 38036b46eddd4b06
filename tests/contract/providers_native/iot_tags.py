"""Tags of resources of IoT in moto, which has none: AWS's three operations, and the tags of create calls."""

from __future__ import annotations

import functools
import json
from collections import defaultdict
from typing import Any

from moto.core.responses import ActionResult, EmptyResult
from moto.iot.responses import IoTResponse

_CREATES = (
    "create_thing_type",
    "create_policy",
    "create_role_alias",
    "create_billing_group",
    "create_job_template",
)
_TAGS: dict[str, dict[str, str]] = defaultdict(dict)


def _body(self: Any) -> dict[str, Any]:
    return json.loads(self.body) if self.body else {}


def _tag(self: Any) -> EmptyResult:
    asked = _body(self)
    _TAGS[asked["resourceArn"]] |= {tag["Key"]: tag.get("Value", "") for tag in asked["tags"]}
    return EmptyResult()


def _untag(self: Any) -> EmptyResult:
    asked = _body(self)
    for key in asked["tagKeys"]:
        _TAGS[asked["resourceArn"]].pop(key, None)
    return EmptyResult()


def _list(self: Any) -> ActionResult:
    tags = _TAGS[self._get_param("resourceArn")]
    return ActionResult({"tags": [{"Key": key, "Value": value} for key, value in tags.items()]})


def _creating(method: Any) -> Any:
    @functools.wraps(method)
    def create(self: Any) -> Any:
        answer = method(self)
        arn = next(value for name, value in answer.result.items() if name.lower().endswith("arn"))
        _TAGS[arn] = {tag["Key"]: tag.get("Value", "") for tag in _body(self).get("tags", ())}
        return answer

    return create


def install() -> None:
    """Teach moto's IoT tags, once a process."""
    if hasattr(IoTResponse, "list_tags_for_resource"):
        return
    IoTResponse.tag_resource, IoTResponse.untag_resource, IoTResponse.list_tags_for_resource = _tag, _untag, _list
    for name in _CREATES:
        setattr(IoTResponse, name, _creating(getattr(IoTResponse, name)))
