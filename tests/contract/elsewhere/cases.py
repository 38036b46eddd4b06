"""Cases for the second emulator alone: what the first one forgets, or has no call for."""

from __future__ import annotations

import json

from tests.contract.providers_native.cases import ABSENT, OTHER_TAGS, TAGS, TARGETS, Case, Clients, document
from tests.contract.providers_native.cases_events import PREFIX
from tests.contract.providers_native.cases_lambda import ARN, ROLE, SOURCE, function
from tests.contract.providers_native.hands import ACCOUNT, REGION

_KEY = f"arn:aws:kms:{REGION}:{ACCOUNT}:key/12345678-1234-1234-1234-123456789012"


def _boundaries(clients: Clients) -> None:
    for name in ("bound-one", "bound-two"):
        clients("iam").create_policy(PolicyName=name, PolicyDocument=json.dumps(document("s3:GetObject")))


USER = Case(
    "AWS::IAM::User",
    {"UserName": "beyond", "PermissionsBoundary": f"arn:aws:iam::{ACCOUNT}:policy/bound-one", "Tags": TAGS},
    changes={"PermissionsBoundary": f"arn:aws:iam::{ACCOUNT}:policy/bound-two"},
    resets={"PermissionsBoundary": ABSENT},
    setup=_boundaries,
    label="IAM-User-bound",
)


def _cluster(clients: Clients) -> None:
    ecs = clients("ecs")
    ecs.create_cluster(clusterName="beyond")
    image = {"name": "web", "image": "nginx", "memory": 128, "essential": True}
    made = ecs.register_task_definition(family="beyond", containerDefinitions=[image])
    TARGETS["@beyond-task"] = made["taskDefinition"]["taskDefinitionArn"]


SERVICE = Case(
    "AWS::ECS::Service",
    {
        "ServiceName": "beyond",
        "Cluster": f"arn:aws:ecs:{REGION}:{ACCOUNT}:cluster/beyond",
        "TaskDefinition": "@beyond-task",
        "DesiredCount": 0,
        "DeploymentConfiguration": {"MaximumPercent": 200, "MinimumHealthyPercent": 50},
        "EnableExecuteCommand": False,
        "Tags": TAGS,
    },
    changes={"DeploymentConfiguration": {"MaximumPercent": 150, "MinimumHealthyPercent": 100}},
    setup=_cluster,
    label="ECS-Service-deployed",
)

TASK = Case(
    "AWS::ECS::TaskDefinition",
    {
        "Family": "beyond-storage",
        "ContainerDefinitions": [{"Name": "web", "Image": "nginx", "Memory": 128, "Essential": True}],
        "EphemeralStorage": {"SizeInGiB": 30},
        "Tags": TAGS,
    },
    label="ECS-TaskDefinition-with-storage",
)

API = Case(
    "AWS::ApiGateway::RestApi",
    {"Name": "beyond", "BinaryMediaTypes": ["image/png"], "MinimumCompressionSize": 1024, "Version": "1", "Tags": TAGS},
    changes={"MinimumCompressionSize": 2048, "BinaryMediaTypes": ["image/gif"], "Name": "further"},
    label="ApiGateway-RestApi-with-media",
)


def _api(clients: Clients) -> None:
    TARGETS["@beyond-api"] = clients("apigateway").create_rest_api(name="beyond-deployed")["id"]


DEPLOYMENT = Case(
    "AWS::ApiGateway::Deployment",
    {"RestApiId": "@beyond-api", "Description": "first"},
    changes={"Description": "second"},
    setup=_api,
    findable=False,
    label="ApiGateway-Deployment-changed",
)

FUNCTION = Case(
    "AWS::Lambda::Function",
    {
        "FunctionName": "beyond",
        "Role": ROLE,
        "Runtime": "python3.12",
        "Handler": "index.handler",
        "Code": {"ZipFile": SOURCE},
        "Architectures": ["arm64"],
        "DeadLetterConfig": {"TargetArn": f"arn:aws:sqs:{REGION}:{ACCOUNT}:beyond-dead"},
        "EphemeralStorage": {"Size": 1024},
        "KmsKeyArn": _KEY,
        "Layers": [],
        "LoggingConfig": {"LogFormat": "JSON", "LogGroup": "/beyond", "ApplicationLogLevel": "INFO"},
        "RecursiveLoop": "Allow",
        "RuntimeManagementConfig": {"UpdateRuntimeOn": "FunctionUpdate"},
        "TracingConfig": {"Mode": "Active"},
        "Tags": TAGS,
    },
    changes={
        "Architectures": ["x86_64"],
        "DeadLetterConfig": {"TargetArn": f"arn:aws:sqs:{REGION}:{ACCOUNT}:beyond-other"},
        "EphemeralStorage": {"Size": 2048},
        "KmsKeyArn": f"{_KEY[:-1]}3",
        "LoggingConfig": {"LogFormat": "Text", "LogGroup": "/beyond"},
        "RecursiveLoop": "Terminate",
        "RuntimeManagementConfig": {"UpdateRuntimeOn": "Auto"},
        "TracingConfig": {"Mode": "PassThrough"},
    },
    resets={"DeadLetterConfig": ABSENT, "KmsKeyArn": ABSENT, "EphemeralStorage": {"Size": 512}},
    name="FunctionName",
    label="Lambda-Function-in-full",
)


def _published(clients: Clients) -> None:
    function(clients, "beyond-published")
    clients("lambda").publish_version(FunctionName="beyond-published")


ALIAS = Case(
    "AWS::Lambda::Alias",
    {
        "FunctionName": f"{ARN}:beyond-published",
        "Name": "live",
        "FunctionVersion": "1",
        "ProvisionedConcurrencyConfig": {"ProvisionedConcurrentExecutions": 2},
    },
    changes={"ProvisionedConcurrencyConfig": {"ProvisionedConcurrentExecutions": 3}},
    resets={"ProvisionedConcurrencyConfig": ABSENT},
    setup=_published,
    label="Lambda-Alias-provisioned",
)

URL = Case(
    "AWS::Lambda::Url",
    {"TargetFunctionArn": f"{ARN}:beyond-published", "AuthType": "NONE", "InvokeMode": "BUFFERED"},
    changes={"InvokeMode": "RESPONSE_STREAM", "Cors": {"AllowOrigins": ["*"]}},
    resets={"Cors": ABSENT},
    label="Lambda-Url-changed",
)

BUS = Case(
    "AWS::Events::EventBus",
    {"Name": "beyond", "Description": "as wanted", "Tags": TAGS},
    changes={"Description": "otherwise", "DeadLetterConfig": {"Arn": f"arn:aws:sqs:{REGION}:{ACCOUNT}:beyond-dead"}},
    resets={"Description": "", "DeadLetterConfig": ABSENT},
    label="Events-EventBus-changed",
)

ARCHIVE = Case(
    "AWS::Events::Archive",
    {
        "ArchiveName": "beyond",
        "SourceArn": f"{PREFIX}:event-bus/beyond-archived",
        "Description": "as wanted",
        "RetentionDays": 7,
    },
    resets={"Description": ABSENT, "RetentionDays": 0},
    setup=lambda clients: clients("events").create_event_bus(Name="beyond-archived"),
    label="Events-Archive-without",
)


def _subnets(clients: Clients) -> None:
    ec2 = clients("ec2")
    vpc = ec2.create_vpc(CidrBlock="10.120.0.0/16")["Vpc"]["VpcId"]
    for number, zone in enumerate("abc"):
        given = {"CidrBlock": f"10.120.{number}.0/24", "AvailabilityZone": REGION + zone}
        TARGETS[f"@beyond-{zone}"] = ec2.create_subnet(VpcId=vpc, **given)["Subnet"]["SubnetId"]


GROUP = Case(
    "AWS::RDS::DBSubnetGroup",
    {
        "DBSubnetGroupName": "beyond",
        "DBSubnetGroupDescription": "as wanted",
        "SubnetIds": ["@beyond-a", "@beyond-b"],
        "Tags": TAGS,
    },
    changes={"DBSubnetGroupDescription": "otherwise", "SubnetIds": ["@beyond-b", "@beyond-c"], "Tags": OTHER_TAGS},
    setup=_subnets,
    label="RDS-DBSubnetGroup-changed",
    searchable=False,
)

SECRET = Case(
    "AWS::SecretsManager::Secret",
    {"Name": "beyond", "Description": "as wanted", "SecretString": "quiet-word", "Tags": TAGS},
    changes={"Description": "otherwise", "SecretString": "other-word", "Tags": OTHER_TAGS},
    resets={"Description": ABSENT},
    label="SecretsManager-Secret-alone",
)

SCHEDULE = Case(
    "AWS::Scheduler::Schedule",
    {
        "Name": "beyond",
        "ScheduleExpression": "rate(1 hour)",
        "FlexibleTimeWindow": {"Mode": "OFF"},
        "State": "DISABLED",
        "Target": {"Arn": f"arn:aws:sqs:{REGION}:{ACCOUNT}:beyond-scheduled", "RoleArn": ROLE},
    },
    changes={"FlexibleTimeWindow": {"Mode": "FLEXIBLE", "MaximumWindowInMinutes": 5}},
    resets={"State": "ENABLED"},
    label="Scheduler-Schedule-without-a-state",
)

FIFO = Case(
    "AWS::SQS::Queue",
    {
        "QueueName": "beyond.fifo",
        "FifoQueue": True,
        "ContentBasedDeduplication": True,
        "DeduplicationScope": "messageGroup",
        "FifoThroughputLimit": "perMessageGroupId",
        "RedriveAllowPolicy": {"redrivePermission": "denyAll"},
        "SqsManagedSseEnabled": False,
        "Tags": TAGS,
    },
    changes={
        "ContentBasedDeduplication": False,
        "DeduplicationScope": "queue",
        "FifoThroughputLimit": "perQueue",
        "RedriveAllowPolicy": {"redrivePermission": "allowAll"},
        "SqsManagedSseEnabled": True,
    },
    label="SQS-Queue-in-order",
)


CASES = (USER, SERVICE, TASK, API, DEPLOYMENT, FUNCTION, ALIAS, URL, BUS, ARCHIVE, GROUP, SECRET, SCHEDULE, FIFO)
