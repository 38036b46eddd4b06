"""How CloudFormation is given a template: as a text, or where that is too long, from a bucket."""

from __future__ import annotations

import hashlib
import json

import structlog

from reconciler.iac.templates import parse
from reconciler.model.errors import DeploymentError
from reconciler.model.plan import Plan
from reconciler.ports import Scope
from reconciler.template import pseudo_parameters

log = structlog.get_logger(__name__)

#: CloudFormation takes no longer template than this as a text. Bytes.
LARGEST = 51_200
#: Where templates are put in a bucket.
PREFIX = "reconciler/templates/"


def fitting(body: str) -> str | None:
    """A template's text as CloudFormation takes it: without its layout if that makes it fit. None: it is too long."""
    if len(body.encode()) <= LARGEST:
        return body
    shorter = json.dumps(parse(body), separators=(",", ":"))
    return shorter if len(shorter.encode()) <= LARGEST else None


def bucket_of(pattern: str, plan: Plan) -> str:
    """The bucket for a plan's templates; empty where none is configured."""
    return pattern.replace("{account}", plan.target.account).replace("{region}", plan.target.region)


def given(scope: Scope, plan: Plan, body: str, bucket: str) -> dict[str, str]:
    """The arguments that hand a template over; one that is too long is put into the bucket first.

    Raises AwsFault, or DeploymentError if it is too long and there is no bucket.
    """
    text = fitting(body)
    if text is not None:
        return {"TemplateBody": text}
    if not bucket:
        raise DeploymentError(
            "Template too long",
            f"the template is {len(body.encode())} bytes long; CloudFormation takes {LARGEST} as text",
            (
                "Configure iac.template_bucket: longer templates are put there",
                "Split it into several stacks, each a plan of its own",
                "Deliver it as a CDK app, whose CLI uploads it",
            ),
        )
    key = f"{PREFIX}{hashlib.sha256(body.encode()).hexdigest()}"
    scope.call("s3", "put_object", Bucket=bucket, Key=key, Body=body.encode(), ExpectedBucketOwner=plan.target.account)
    log.info("template uploaded", plan=plan.name, bucket=bucket, key=key, size=len(body.encode()))
    suffix = pseudo_parameters(plan.target, plan.name)["AWS::URLSuffix"]
    return {"TemplateURL": f"https://s3.{plan.target.region}.{suffix}/{bucket}/{key}"}
