"""S3: a bucket is made together with its tags; it keeps what it has several of (analytics, inventories …)."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ElementTree
from typing import Any

from moto.s3.responses import S3Response

from reconciler.testing.taught.lesson import Lesson, changes, remembered

_get, _put, _delete = (
    S3Response._bucket_response_get,
    S3Response._bucket_response_put,
    S3Response._bucket_response_delete,
)
#: What a bucket has several of, each with an id, by the word in a request's query that asks for it.
_LISTED = ("analytics", "intelligent-tiering", "inventory", "metrics")
_DECLARATION = re.compile(r"^<\?xml[^>]*>\s*")


def get(self: Any, bucket_name: str, querystring: dict[str, Any]) -> Any:
    """A GET of a bucket."""
    kind = _listed(querystring)
    if kind is None or "id" in querystring:
        return _get(self, bucket_name, querystring)
    items = "".join(_kept(self, bucket_name, kind).values())
    return 200, {}, f"<Result><IsTruncated>false</IsTruncated>{items}</Result>"


def put(self: Any, request: Any, bucket_name: str, querystring: dict[str, Any]) -> Any:
    """A PUT to a bucket; CreateBucket is the one that asks for nothing in particular."""
    kind = _listed(querystring)
    if kind is not None:
        _kept(self, bucket_name, kind)[querystring["id"][0]] = _DECLARATION.sub("", _text(self.body))
        return 204, {}, ""
    answer = _put(self, request, bucket_name, querystring)
    if self.data["Action"] == "CreateBucket" and self.body:
        _tag(self, bucket_name)
    return answer


def delete(self: Any, bucket_name: str, querystring: dict[str, Any]) -> Any:
    """A DELETE of a bucket, or of something that it has."""
    kind = _listed(querystring)
    if kind is None:
        return _delete(self, bucket_name, querystring)
    _kept(self, bucket_name, kind).pop(querystring["id"][0], None)
    return 204, {}, ""


def _listed(querystring: dict[str, Any]) -> str | None:
    return next((kind for kind in _LISTED if kind in querystring), None)


def _kept(self: Any, bucket_name: str, kind: str) -> dict[str, str]:
    return remembered(self.backend.get_bucket(bucket_name), kind)


def _text(body: Any) -> str:
    return body.decode() if isinstance(body, bytes) else str(body)


def _tag(self: Any, bucket_name: str) -> None:
    configuration = ElementTree.fromstring(self.body)  # noqa: S314 - the request of a test on this machine
    found = configuration.findall("{*}Tags/{*}Tag")
    tags = {str(tag.findtext("{*}Key")): str(tag.findtext("{*}Value") or "") for tag in found}
    if tags:
        self.backend.put_bucket_tagging(bucket_name, tags)


LESSONS = (
    Lesson(
        call="s3:CreateBucket",
        aws="makes a bucket with the tags that it is given",
        moto="leaves them out",
        given=(changes(S3Response, _bucket_response_put=put),),
    ),
    Lesson(
        call="s3:ListBucketMetricsConfigurations",
        aws="keeps analytics, inventories, metrics and archiving by access, each by its id",
        moto="takes some for an unknown setting, and gives an inventory back without half of what it says",
        given=(changes(S3Response, _bucket_response_get=get, _bucket_response_delete=delete),),
    ),
)
