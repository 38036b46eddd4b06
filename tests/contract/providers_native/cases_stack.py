"""AWS::CloudFormation::Stack."""

from __future__ import annotations

import json

from tests.contract.providers_native.cases import OTHER_TAGS, Case, Clients
from tests.contract.providers_native.hands import ACCOUNT, REGION

_BUCKET = "contract-templates"
#: CloudFormation takes no tags without a value.
TAGS = [{"Key": "team", "Value": "web"}, {"Key": "env", "Value": "test"}]


def _templates(clients: Clients) -> None:
    clients("sns").create_topic(Name="stacks")
    clients("s3").create_bucket(Bucket=_BUCKET, CreateBucketConfiguration={"LocationConstraint": REGION})
    for name in ("one", "two"):
        template = {
            "Parameters": {"Label": {"Type": "String"}, "Rest": {"Type": "String", "Default": "given"}},
            "Resources": {"Queue": {"Type": "AWS::SQS::Queue", "Properties": {"QueueName": f"nested-{name}"}}},
            "Outputs": {"Label": {"Value": {"Ref": "Label"}}},
        }
        clients("s3").put_object(Bucket=_BUCKET, Key=f"{name}.json", Body=json.dumps(template).encode())


def _url(name: str) -> str:
    return f"https://s3.amazonaws.com/{_BUCKET}/{name}.json"


STACK = Case(
    "AWS::CloudFormation::Stack",
    {
        "TemplateURL": _url("one"),
        "Parameters": {"Label": "first"},
        "NotificationARNs": [f"arn:aws:sns:{REGION}:{ACCOUNT}:stacks"],
        "TimeoutInMinutes": 30,
        "Tags": TAGS,
    },
    changes={"Parameters": {"Label": "second"}, "TemplateURL": _url("two"), "Tags": OTHER_TAGS},
    resets={},
    attributes=("StackId", "Outputs"),
    setup=_templates,
    deny=("cloudformation", "DescribeStacks"),
)

CASES = (STACK,)
