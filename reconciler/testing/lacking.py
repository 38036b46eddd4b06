"""What AWS does in one call and the emulator leaves out, added in the same request."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from xml.etree import ElementTree

from reconciler.testing.wire import Call

_S3 = "{http://s3.amazonaws.com/doc/2006-03-01/}"


def complete(call: Call, environ: Mapping[str, Any]) -> None:
    """Add it, after the emulator has done the rest of ``call`` with success."""
    if call.name == "s3:CreateBucket" and call.body:
        _tag_bucket(call, str(environ["PATH_INFO"]).strip("/"))


def _tag_bucket(call: Call, bucket: str) -> None:
    """moto 5.2.5 ignores the tags that a bucket is created with."""
    from moto.s3.models import s3_backends

    found = ElementTree.fromstring(call.body).iter(f"{_S3}Tag")  # noqa: S314 - the emulator's own client wrote it
    tags = {tag.findtext(f"{_S3}Key", ""): tag.findtext(f"{_S3}Value", "") for tag in found}
    if tags:
        s3_backends[call.account]["aws"].put_bucket_tagging(bucket, tags)
