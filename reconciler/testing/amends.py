"""Where moto does less than AWS in a way that matters: made up for after its answer, or in its place."""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree
from collections.abc import Mapping
from typing import Any

from reconciler.testing import iottags
from reconciler.testing.standins import STAND_INS, Answer, in_json
from reconciler.testing.wire import Call

#: Settings of functions that moto doesn't hold, as AWS shows them when nobody has set them; or the error that says so.
_UNSET: Mapping[str, Mapping[str, str] | str] = {
    "lambda:GetFunctionRecursionConfig": {"RecursiveLoop": "Terminate"},
    "lambda:GetFunctionScalingConfig": "ResourceNotFoundException",
    "lambda:GetProvisionedConcurrencyConfig": "ProvisionedConcurrencyConfigNotFoundException",
    "lambda:GetRuntimeManagementConfig": {"UpdateRuntimeOn": "Auto"},
}


def stand_in(call: Call, path: str, query: str) -> Answer | None:
    """What AWS answers to a call that moto has no place for; None for all others. Path and query are the request's."""
    if call.name in STAND_INS:
        return STAND_INS[call.name](call, path, query)
    answer = _UNSET.get(call.name)
    if answer is None:
        return None
    return in_json({"Message": "not set"}, answer) if isinstance(answer, str) else in_json(answer)


def amend(call: Call, path: str) -> None:
    """Do what moto has left out of a call that it has answered. ``path``: the request's."""
    if call.name == "s3:CreateBucket" and call.status == 200 and call.body:
        _tag_bucket(call, path.strip("/"))
    if call.name == "acm:DeleteCertificate" and call.status == 200:
        _forget_requests(call)
    if call.name == "apigateway:CreateDeployment" and call.status == 201:
        _miss_deployments(call)
    if call.name == "dynamodb:UpdateTable" and call.status == 200:
        _forget_streams(call)
    if iottags.takes(call):
        iottags.keep(call, path)


def _tag_bucket(call: Call, bucket: str) -> None:
    """AWS makes a bucket together with its tags, so that one whose creator died can still be told to be his."""
    from moto.s3.models import s3_backends

    configuration = ElementTree.fromstring(call.body)  # noqa: S314 - the request of a test on this machine
    found = configuration.findall("{*}Tags/{*}Tag")
    tags = {str(tag.findtext("{*}Key")): str(tag.findtext("{*}Value") or "") for tag in found}
    if tags:
        s3_backends[call.account]["aws"].put_bucket_tagging(bucket, tags)


def _forget_requests(call: Call) -> None:
    """A request for a certificate that is gone is a new one: moto crashes on its token, which it still knows."""
    from moto.acm.models import acm_backends

    for backend in acm_backends[call.account].values():
        known = backend._idempotency_tokens
        for token in [token for token, entry in known.items() if entry["arn"] not in backend._certificates]:
            del known[token]


def _forget_streams(call: Call) -> None:
    """A stream that was disabled can be enabled again: moto takes the last one's label for a stream in force."""
    from moto.dynamodb.models import dynamodb_backends

    for table in dynamodb_backends[call.account][call.region].tables.values():
        if not (table.stream_specification or {}).get("StreamEnabled"):
            table.latest_stream_label = None


def _miss_deployments(call: Call) -> None:
    """A deployment that isn't there is said not to be found: moto crashes on it."""
    from moto.apigateway.exceptions import DeploymentNotFoundException
    from moto.apigateway.models import apigateway_backends

    class Deployments(dict[str, Any]):
        def __missing__(self, key: str) -> Any:
            raise DeploymentNotFoundException()

    for backend in apigateway_backends[call.account].values():
        for api in backend.apis.values():
            api.deployments = Deployments(api.deployments)
