"""AWS::SageMaker. moto has no UpdateEndpoint."""

from __future__ import annotations

from contextlib import suppress

from botocore.exceptions import ClientError

from tests.contract.providers_native.cases import ABSENT, OTHER_TAGS, TAGS, Case, Clients
from tests.contract.providers_native.hands import ACCOUNT

_ROLE = f"arn:aws:iam::{ACCOUNT}:role/models"
_IMAGE = f"{ACCOUNT}.dkr.ecr.eu-central-1.amazonaws.com/model:1"


def _model(clients: Clients) -> None:
    clients("sagemaker").create_model(
        ModelName="sagemaker-surroundings", ExecutionRoleArn=_ROLE, PrimaryContainer={"Image": _IMAGE}
    )


def _variant(name: str) -> dict[str, object]:
    return {
        "VariantName": name,
        "ModelName": "sagemaker-surroundings",
        "InitialInstanceCount": 1,
        "InstanceType": "ml.t2.medium",
        "InitialVariantWeight": 1.0,
    }


def _config(clients: Clients) -> None:
    with suppress(ClientError):  # another case may have made it
        _model(clients)
    clients("sagemaker").create_endpoint_config(
        EndpointConfigName="sagemaker-surroundings", ProductionVariants=[_variant("all")]
    )


MODEL = Case(
    "AWS::SageMaker::Model",
    {
        "ModelName": "Contract-Model",
        "ExecutionRoleArn": _ROLE,
        "PrimaryContainer": {"Image": _IMAGE, "ModelDataUrl": "s3://models/one.tar.gz", "Environment": {"A": "1"}},
        "VpcConfig": {"SecurityGroupIds": ["sg-1"], "Subnets": ["subnet-1"]},
        "Tags": TAGS,
    },
    changes={"Tags": OTHER_TAGS},
    resets={"Tags": ABSENT},
    attributes=("ModelArn",),
    foreign=lambda clients: clients("sagemaker").create_model(
        ModelName="contract-foreign", ExecutionRoleArn=_ROLE, PrimaryContainer={"Image": _IMAGE}
    ),
    deny=("sagemaker", "DescribeModel"),
    name="ModelName",
    searchable=False,
)
ENDPOINT_CONFIG = Case(
    "AWS::SageMaker::EndpointConfig",
    {
        "EndpointConfigName": "Contract-Config",
        "ProductionVariants": [_variant("all")],
        "KmsKeyId": "alias/models",
        "Tags": TAGS,
    },
    changes={"Tags": OTHER_TAGS},
    resets={"Tags": ABSENT},
    attributes=("EndpointConfigArn",),
    setup=_model,
    foreign=lambda clients: clients("sagemaker").create_endpoint_config(
        EndpointConfigName="contract-foreign", ProductionVariants=[_variant("all")]
    ),
    deny=("sagemaker", "DescribeEndpointConfig"),
    name="EndpointConfigName",
    searchable=False,
)
ENDPOINT = Case(
    "AWS::SageMaker::Endpoint",
    {"EndpointName": "Contract-Endpoint", "EndpointConfigName": "sagemaker-surroundings", "Tags": TAGS},
    changes={"Tags": OTHER_TAGS},
    resets={"Tags": ABSENT},
    attributes=("EndpointArn",),
    setup=_config,
    foreign=lambda clients: clients("sagemaker").create_endpoint(
        EndpointName="contract-foreign", EndpointConfigName="sagemaker-surroundings"
    ),
    deny=("sagemaker", "DescribeEndpoint"),
    name="EndpointName",
    searchable=False,
)

CASES = (MODEL, ENDPOINT_CONFIG, ENDPOINT)
