"""AWS::Lambda: functions and what hangs on them."""

from __future__ import annotations

import io
import json
import zipfile

from tests.contract.providers_native.cases import ABSENT, OTHER_TAGS, OTHER_TRUST, TAGS, TARGETS, Case, Clients
from tests.contract.providers_native.hands import ACCOUNT, REGION

ROLE = f"arn:aws:iam::{ACCOUNT}:role/contract-lambda"
OTHER_ROLE = f"arn:aws:iam::{ACCOUNT}:role/contract-lambda-other"
ARN = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function"
SOURCE = "def handler(event, context):\n    return event\n"


def _roles(clients: Clients) -> None:
    for arn in (ROLE, OTHER_ROLE):
        clients("iam").create_role(RoleName=arn.rpartition("/")[2], AssumeRolePolicyDocument=json.dumps(OTHER_TRUST))


def _around(clients: Clients) -> None:
    _roles(clients)
    ec2 = clients("ec2")
    vpc = ec2.create_vpc(CidrBlock="10.77.0.0/16")["Vpc"]["VpcId"]
    TARGETS["@lambda-subnet"] = ec2.create_subnet(VpcId=vpc, CidrBlock="10.77.1.0/24")["Subnet"]["SubnetId"]
    TARGETS["@lambda-group"] = ec2.create_security_group(VpcId=vpc, GroupName="l", Description="l")["GroupId"]


# moto has neither recursion nor runtime management nor code signing nor scaling; it forgets LoggingConfig, SnapStart,
# DeadLetterConfig and FileSystemConfigs, and Architectures, EphemeralStorage, TracingConfig and KmsKeyArn later.
FUNCTION = Case(
    "AWS::Lambda::Function",
    {
        "FunctionName": "contract-function",
        "Description": "as wanted",
        "Role": ROLE,
        "Runtime": "python3.12",
        "Handler": "index.handler",
        "Code": {"ZipFile": SOURCE},
        "Architectures": ["arm64"],
        "MemorySize": 256,
        "Timeout": 10,
        "EphemeralStorage": {"Size": 1024},
        "Environment": {"Variables": {"STAGE": "test"}},
        "TracingConfig": {"Mode": "Active"},
        "VpcConfig": {"SubnetIds": ["@lambda-subnet"], "SecurityGroupIds": ["@lambda-group"]},
        "ReservedConcurrentExecutions": 5,
        "Tags": TAGS,
    },
    changes={
        "Description": "otherwise",
        "Role": OTHER_ROLE,
        "Runtime": "python3.13",
        "Handler": "index.other",
        "Code": {"ZipFile": SOURCE + "# changed\n"},
        "MemorySize": 512,
        "Timeout": 20,
        "Environment": {"Variables": {"STAGE": "other", "MORE": "1"}},
        "ReservedConcurrentExecutions": 0,
        "Tags": OTHER_TAGS,
    },
    resets={
        "Description": ABSENT,
        "MemorySize": 128,
        "Timeout": 3,
        "ReservedConcurrentExecutions": ABSENT,
        "Tags": ABSENT,
    },
    attributes=("Arn",),
    setup=_around,
    foreign=lambda clients: clients("lambda").create_function(
        FunctionName="contract-foreign",
        Role=ROLE,
        Runtime="python3.12",
        Handler="index.handler",
        Code={"ZipFile": b"x"},
    ),
    deny=("lambda", "GetFunctionConfiguration"),
    name="FunctionName",
)


def _packed(source: str) -> bytes:
    package = io.BytesIO()
    with zipfile.ZipFile(package, "w") as packed:
        packed.writestr("index.py", source)
    return package.getvalue()


def function(clients: Clients, name: str) -> str:
    """A function of that name; returns its ARN."""
    role = f"{ROLE}-{name}"
    clients("iam").create_role(RoleName=role.rpartition("/")[2], AssumeRolePolicyDocument=json.dumps(OTHER_TRUST))
    made = clients("lambda").create_function(
        FunctionName=name,
        Role=role,
        Runtime="python3.12",
        Handler="index.handler",
        Code={"ZipFile": _packed(SOURCE)},
    )
    return str(made["FunctionArn"])


def _versioned(clients: Clients) -> None:
    function(clients, "contract-aliased")
    for text in ("# 1", "# 2"):
        clients("lambda").update_function_code(FunctionName="contract-aliased", ZipFile=_packed(SOURCE + text))
        clients("lambda").publish_version(FunctionName="contract-aliased")


# moto has no provisioned concurrency
ALIAS = Case(
    "AWS::Lambda::Alias",
    {
        "FunctionName": f"{ARN}:contract-aliased",
        "Name": "live",
        "FunctionVersion": "1",
        "Description": "as wanted",
        "RoutingConfig": {"AdditionalVersionWeights": [{"FunctionVersion": "2", "FunctionWeight": 0.25}]},
    },
    changes={
        "Description": "otherwise",
        "FunctionVersion": "2",
        "RoutingConfig": {"AdditionalVersionWeights": [{"FunctionVersion": "1", "FunctionWeight": 0.5}]},
    },
    resets={"Description": ABSENT, "RoutingConfig": ABSENT},
    attributes=("AliasArn",),
    setup=_versioned,
    deny=("lambda", "GetAlias"),
)

VERSION = Case(
    "AWS::Lambda::Version",
    {"FunctionName": "contract-versioned", "Description": "as wanted"},
    attributes=("FunctionArn", "Version"),
    findable=False,
    setup=lambda clients: function(clients, "contract-versioned") and None,
    deny=("lambda", "GetFunctionConfiguration"),
)

# moto makes a second address, and keeps InvokeMode and Cors whatever they are updated to or to be without
URL = Case(
    "AWS::Lambda::Url",
    {
        "TargetFunctionArn": f"{ARN}:contract-addressed",
        "AuthType": "AWS_IAM",
        "Cors": {
            "AllowCredentials": True,
            "AllowHeaders": ["date"],
            "AllowMethods": ["GET"],
            "AllowOrigins": ["https://example.com"],
            "ExposeHeaders": ["date"],
            "MaxAge": 60,
        },
        "InvokeMode": "RESPONSE_STREAM",
    },
    changes={"AuthType": "NONE", "Cors": {"AllowOrigins": ["*"]}},
    attributes=("FunctionArn", "FunctionUrl"),
    setup=lambda clients: function(clients, "contract-addressed") and None,
    deny=("lambda", "GetFunctionUrlConfig"),
    twice=False,
)


def _fed(clients: Clients) -> None:
    function(clients, "contract-fed")
    clients("sqs").create_queue(QueueName="contract-feed")


# moto has none of the settings of streams and Kafka that can be changed, but for these
MAPPING = Case(
    "AWS::Lambda::EventSourceMapping",
    {
        "FunctionName": "contract-fed",
        "EventSourceArn": f"arn:aws:sqs:{REGION}:{ACCOUNT}:contract-feed",
        "BatchSize": 5,
        "Enabled": False,
        "MaximumBatchingWindowInSeconds": 3,
        "FilterCriteria": {"Filters": [{"Pattern": '{"a": [1]}'}]},
        "FunctionResponseTypes": ["ReportBatchItemFailures"],
        "ScalingConfig": {"MaximumConcurrency": 2},
        "Tags": TAGS,
    },
    changes={"BatchSize": 6, "Enabled": True, "Tags": OTHER_TAGS},
    resets={"Enabled": True, "Tags": ABSENT},
    attributes=("Id", "EventSourceMappingArn"),
    setup=_fed,
    deny=("lambda", "GetEventSourceMapping"),
    twice=False,
    searchable=False,
)

PERMISSION = Case(
    "AWS::Lambda::Permission",
    {
        "FunctionName": "contract-allowed",
        "Action": "lambda:InvokeFunction",
        "Principal": "s3.amazonaws.com",
        "SourceArn": "arn:aws:s3:::contract",
        "SourceAccount": ACCOUNT,
    },
    attributes=("Id",),
    setup=lambda clients: function(clients, "contract-allowed") and None,
    deny=("lambda", "GetPolicy"),
)


def _archives(clients: Clients) -> None:
    package = io.BytesIO()
    with zipfile.ZipFile(package, "w") as packed:
        packed.writestr("python/shared.py", "VALUE = 1")
    s3 = clients("s3")
    s3.create_bucket(Bucket="contract-layers", CreateBucketConfiguration={"LocationConstraint": REGION})
    s3.put_object(Bucket="contract-layers", Key="shared.zip", Body=package.getvalue())


LAYER_VERSION = Case(
    "AWS::Lambda::LayerVersion",
    {
        "LayerName": "contract-layer",
        "Description": "as wanted",
        "Content": {"S3Bucket": "contract-layers", "S3Key": "shared.zip"},
        "CompatibleArchitectures": ["x86_64", "arm64"],
        "CompatibleRuntimes": ["python3.13", "python3.12"],
        "LicenseInfo": "MIT",
    },
    setup=_archives,
    deny=("lambda", "ListLayerVersions"),
    # nothing tells one version from another with the same description: the next one is made
    findable=False,
    twice=False,
)

CASES = (FUNCTION, ALIAS, VERSION, LAYER_VERSION, URL, MAPPING, PERMISSION)
