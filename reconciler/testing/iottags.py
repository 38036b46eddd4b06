"""Tags in IoT, which moto leaves out: AWS's three operations, and the tags that create calls are given.

They are kept at moto's own resource, so that they go when it does.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs

from reconciler.testing.wire import Call

#: what makes a resource with tags, and where moto keeps those that it made
_CREATES = {
    "iot:CreateBillingGroup": "billing_groups",
    "iot:CreateJobTemplate": "jobs_templates",
    "iot:CreatePolicy": "policies",
    "iot:CreateRoleAlias": "role_aliases",
    "iot:CreateThingType": "thing_types",
}


def answer(call: Call, query: str) -> tuple[str, Any]:
    """An error's code, or empty, and the body of AWS's answer to an operation on tags."""
    asked = {name: values[0] for name, values in parse_qs(query).items()} | json.loads(call.body or b"{}")
    resource = _resource(call, str(asked.get("resourceArn")))
    if resource is None:
        return "ResourceNotFoundException", {"message": "there is no such resource"}
    tags = vars(resource).setdefault("reconciler_tags", {})
    if call.operation == "ListTagsForResource":
        return "", {"tags": [{"Key": key, "Value": value} for key, value in tags.items()]}
    if call.operation == "TagResource":
        tags |= _plain(asked["tags"])
    for key in asked.get("tagKeys", ()):
        tags.pop(key, None)
    return "", {}


def keep(call: Call, path: str) -> None:
    """Put the tags of a successful create call on what it made. ``path``: the request's, which ends in the name."""
    tags = _plain(json.loads(call.body or b"{}").get("tags") or ())
    name = path.rstrip("/").rpartition("/")[2]
    for resource in _all(call, _CREATES[call.name]):
        if tags and _arn(resource).endswith(f"/{name}"):
            vars(resource)["reconciler_tags"] = tags


def takes(call: Call) -> bool:
    """Whether a call made something that can have tags."""
    return call.name in _CREATES and call.status == 200


def _resource(call: Call, arn: str) -> Any:
    return next((one for kind in _CREATES.values() for one in _all(call, kind) if _arn(one) == arn), None)


def _all(call: Call, kind: str) -> Iterator[Any]:
    from moto.iot.models import iot_backends

    yield from getattr(iot_backends[call.account][call.region], kind).values()


def _arn(resource: Any) -> str:
    return str(getattr(resource, "arn", "") or getattr(resource, "job_template_arn", ""))


def _plain(tags: Any) -> dict[str, str]:
    return {str(tag["Key"]): str(tag.get("Value", "")) for tag in tags}
