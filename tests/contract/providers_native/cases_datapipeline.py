"""AWS::DataPipeline. moto lacks tags after a create, parameters and deactivation: ``testing/taught`` adds them."""

from __future__ import annotations

from typing import Any

from tests.contract.providers_native.cases import ABSENT, OTHER_TAGS, TAGS, Case


def _objects(period: str) -> list[dict[str, Any]]:
    return [
        {
            "Id": "Default",
            "Name": "Default",
            "Fields": [
                {"Key": "type", "StringValue": "Default"},
                {"Key": "failureAndRerunMode", "StringValue": "CASCADE"},
                {"Key": "schedule", "RefValue": "Often"},
            ],
        },
        {
            "Id": "Often",
            "Name": "Often",
            "Fields": [
                {"Key": "type", "StringValue": "Schedule"},
                {"Key": "startAt", "StringValue": "FIRST_ACTIVATION_DATE_TIME"},
                {"Key": "period", "StringValue": period},
            ],
        },
    ]


PIPELINE = Case(
    "AWS::DataPipeline::Pipeline",
    {
        "Name": "contract-pipeline",
        "Description": "as wanted",
        "Activate": True,
        "ParameterObjects": [{"Id": "myPath", "Attributes": [{"Key": "type", "StringValue": "String"}]}],
        "ParameterValues": [{"Id": "myPath", "StringValue": "s3://one"}],
        "PipelineObjects": _objects("1 hour"),
        "PipelineTags": TAGS,
    },
    changes={
        "Activate": False,
        "ParameterObjects": [{"Id": "myPlace", "Attributes": [{"Key": "type", "StringValue": "String"}]}],
        "ParameterValues": [{"Id": "myPlace", "StringValue": "s3://two"}],
        "PipelineObjects": _objects("2 hours"),
        "PipelineTags": OTHER_TAGS,
    },
    resets={"Activate": True, "ParameterValues": ABSENT, "ParameterObjects": ABSENT, "PipelineTags": ABSENT},
    attributes=("PipelineId",),
    deny=("datapipeline", "DescribePipelines"),
    twice=False,  # the call that makes one is repeated, and answers with that one
)


def _source(secret: str) -> dict[str, Any]:
    kind = {"Key": "type", "StringValue": "RdsDatabase"}
    return {"Id": "Source", "Name": "Source", "Fields": [kind, {"Key": "*password", "StringValue": secret}]}


#: what is secret in a definition is compared, too
SECRETIVE = Case(
    "AWS::DataPipeline::Pipeline",
    {
        "Name": "contract-secretive",
        "PipelineObjects": [*_objects("1 hour"), _source("one-of-the-secrets")],
        "PipelineTags": TAGS,
    },
    changes={"PipelineObjects": [*_objects("1 hour"), _source("another-of-the-secrets")]},
    deny=("datapipeline", "DescribePipelines"),
    twice=False,
    label="PipelineWithSecret",
)

CASES = (PIPELINE, SECRETIVE)
