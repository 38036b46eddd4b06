"""S3: a bucket is made together with its tags, so that one whose creator died can still be told to be his."""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree
from typing import Any

from moto.s3.responses import S3Response

from reconciler.testing.taught.lesson import Lesson, changes

_put = S3Response._bucket_response_put


def put(self: Any, request: Any, bucket_name: str, querystring: dict[str, Any]) -> Any:
    """A PUT to a bucket; CreateBucket is the one that asks for nothing in particular."""
    answer = _put(self, request, bucket_name, querystring)
    if self.data["Action"] == "CreateBucket" and self.body:
        _tag(self, bucket_name)
    return answer


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
)
