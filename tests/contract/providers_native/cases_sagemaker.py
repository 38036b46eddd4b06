"""AWS::SageMaker. moto has no UpdateEndpoint.

Nor can it update notebook instances and their lifecycle configurations, whose tags it hasn't either: ``testing/taught``
adds all of that.
"""

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
        "VpcConfig": {"SecurityGroupIds": ["sg-00000001"], "Subnets": ["subnet-00000001"]},
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

_NOTEBOOK = {
    "InstanceType": "ml.t3.medium",
    "RoleArn": _ROLE,
}
NOTEBOOK = Case(
    "AWS::SageMaker::NotebookInstance",
    {
        "NotebookInstanceName": "Contract-Notebook",
        **_NOTEBOOK,
        "AdditionalCodeRepositories": ["https://example.com/two.git", "https://example.com/one.git"],
        "DefaultCodeRepository": "https://example.com/first.git",
        "DirectInternetAccess": "Disabled",
        "InstanceMetadataServiceConfiguration": {"MinimumInstanceMetadataServiceVersion": "2"},
        "KmsKeyId": "alias/notebooks",
        "LifecycleConfigName": "sagemaker-scripts",
        "PlatformIdentifier": "notebook-al2-v3",
        "RootAccess": "Disabled",
        "SecurityGroupIds": ["sg-00000002", "sg-00000001"],
        "SubnetId": "subnet-00000001",
        "VolumeSizeInGB": 10,
        "Tags": TAGS,
    },
    changes={
        "InstanceType": "ml.t3.large",
        "RoleArn": f"{_ROLE}-other",
        "AdditionalCodeRepositories": ["https://example.com/three.git"],
        "DefaultCodeRepository": "https://example.com/second.git",
        "InstanceMetadataServiceConfiguration": {"MinimumInstanceMetadataServiceVersion": "1"},
        "LifecycleConfigName": "sagemaker-other-scripts",
        "RootAccess": "Enabled",
        "VolumeSizeInGB": 20,
        "Tags": OTHER_TAGS,
    },
    resets={
        "AdditionalCodeRepositories": ABSENT,
        "DefaultCodeRepository": ABSENT,
        "InstanceMetadataServiceConfiguration": {"MinimumInstanceMetadataServiceVersion": "1"},
        "LifecycleConfigName": ABSENT,
        "RootAccess": "Enabled",
        "Tags": ABSENT,
    },
    attributes=("NotebookInstanceArn",),
    foreign=lambda clients: clients("sagemaker").create_notebook_instance(
        NotebookInstanceName="contract-foreign", **_NOTEBOOK
    ),
    deny=("sagemaker", "DescribeNotebookInstance"),
    name="NotebookInstanceName",
    searchable=False,
)
LIFECYCLE = Case(
    "AWS::SageMaker::NotebookInstanceLifecycleConfig",
    {
        "NotebookInstanceLifecycleConfigName": "Contract-Scripts",
        "OnCreate": [{"Content": "ZWNobyBjcmVhdGVk"}],
        "OnStart": [{"Content": "ZWNobyBzdGFydGVk"}],
        "Tags": TAGS,
    },
    changes={
        "OnCreate": [{"Content": "ZWNobyBtYWRl"}],
        "OnStart": [{"Content": "ZWNobyBiZWd1bg=="}],
        "Tags": OTHER_TAGS,
    },
    resets={"OnCreate": [], "OnStart": [], "Tags": ABSENT},
    attributes=("NotebookInstanceLifecycleConfigArn",),
    foreign=lambda clients: clients("sagemaker").create_notebook_instance_lifecycle_config(
        NotebookInstanceLifecycleConfigName="contract-foreign"
    ),
    deny=("sagemaker", "DescribeNotebookInstanceLifecycleConfig"),
    name="NotebookInstanceLifecycleConfigName",
    searchable=False,
)

CASES = (MODEL, ENDPOINT_CONFIG, ENDPOINT, NOTEBOOK, LIFECYCLE)
