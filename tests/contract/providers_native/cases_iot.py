"""AWS::IoT. moto has no tags there (``testing/taught`` adds them), and no UpdateThingType."""

from __future__ import annotations

import json

from tests.contract.providers_native.cases import ABSENT, OTHER_TAGS, TAGS, Case, document
from tests.contract.providers_native.hands import ACCOUNT

THING = Case(
    "AWS::IoT::Thing",
    {"ThingName": "contract-thing", "AttributePayload": {"Attributes": {"model": "a", "room": "7"}}},
    changes={"AttributePayload": {"Attributes": {"model": "b"}}},
    resets={"AttributePayload": ABSENT},
    attributes=("Arn", "Id"),
    deny=("iot", "DescribeThing"),
)
THING_TYPE = Case(
    "AWS::IoT::ThingType",
    {
        "ThingTypeName": "contract-type",
        "ThingTypeProperties": {"ThingTypeDescription": "lamps", "SearchableAttributes": ["model", "room"]},
        "DeprecateThingType": True,
        "Tags": TAGS,
    },
    changes={"DeprecateThingType": False, "Tags": OTHER_TAGS},
    resets={"DeprecateThingType": False, "Tags": ABSENT},
    attributes=("Arn", "Id"),
    foreign=lambda clients: clients("iot").create_thing_type(thingTypeName="contract-foreign"),
    deny=("iot", "DescribeThingType"),
    name="ThingTypeName",
    searchable=False,
)
POLICY = Case(
    "AWS::IoT::Policy",
    {"PolicyName": "contract-policy", "PolicyDocument": document("iot:Connect"), "Tags": TAGS},
    changes={"PolicyDocument": document("iot:Publish"), "Tags": OTHER_TAGS},
    resets={"Tags": ABSENT},
    attributes=("Arn", "Id"),
    foreign=lambda clients: clients("iot").create_policy(
        policyName="contract-foreign", policyDocument=json.dumps(document("iot:Connect"))
    ),
    deny=("iot", "GetPolicy"),
    name="PolicyName",
    searchable=False,
)
ROLE_ALIAS = Case(
    "AWS::IoT::RoleAlias",
    {
        "RoleAlias": "contract-alias",
        "RoleArn": f"arn:aws:iam::{ACCOUNT}:role/lamp",
        "CredentialDurationSeconds": 900,
        "Tags": TAGS,
    },
    changes={
        "RoleArn": f"arn:aws:iam::{ACCOUNT}:role/other",
        "CredentialDurationSeconds": 1800,
        "Tags": OTHER_TAGS,
    },
    resets={"CredentialDurationSeconds": 3600, "Tags": ABSENT},
    attributes=("RoleAliasArn",),
    foreign=lambda clients: clients("iot").create_role_alias(
        roleAlias="contract-foreign", roleArn=f"arn:aws:iam::{ACCOUNT}:role/lamp"
    ),
    deny=("iot", "DescribeRoleAlias"),
    name="RoleAlias",
    searchable=False,
)
BILLING_GROUP = Case(
    "AWS::IoT::BillingGroup",
    {
        "BillingGroupName": "contract-group",
        "BillingGroupProperties": {"BillingGroupDescription": "lamps"},
        "Tags": TAGS,
    },
    changes={"BillingGroupProperties": {"BillingGroupDescription": "doors"}, "Tags": OTHER_TAGS},
    resets={"Tags": ABSENT},
    attributes=("Arn", "Id"),
    foreign=lambda clients: clients("iot").create_billing_group(billingGroupName="contract-foreign"),
    deny=("iot", "DescribeBillingGroup"),
    name="BillingGroupName",
    searchable=False,
)
JOB_TEMPLATE = Case(
    "AWS::IoT::JobTemplate",
    {
        "JobTemplateId": "contract-template",
        "Description": "restart lamps",
        "Document": json.dumps({"operation": "restart"}),
        "PresignedUrlConfig": {"RoleArn": f"arn:aws:iam::{ACCOUNT}:role/lamp", "ExpiresInSec": 300},
        "TimeoutConfig": {"InProgressTimeoutInMinutes": 30},
        "JobExecutionsRolloutConfig": {
            "MaximumPerMinute": 100,
            "ExponentialRolloutRate": {
                "BaseRatePerMinute": 10,
                "IncrementFactor": 2,
                "RateIncreaseCriteria": {"NumberOfNotifiedThings": 50},
            },
        },
        "AbortConfig": {
            "CriteriaList": [
                {"Action": "CANCEL", "FailureType": "FAILED", "MinNumberOfExecutedThings": 5, "ThresholdPercentage": 20}
            ]
        },
        "JobExecutionsRetryConfig": {"RetryCriteriaList": [{"FailureType": "FAILED", "NumberOfRetries": 2}]},
        "Tags": [{"Key": "team", "Value": "web"}, {"Key": "env", "Value": "test"}],
    },
    attributes=("Arn",),
    foreign=lambda clients: clients("iot").create_job_template(
        jobTemplateId="contract-foreign", description="restart lamps", document="{}"
    ),
    deny=("iot", "DescribeJobTemplate"),
    name="JobTemplateId",
    searchable=False,
)

CASES = (THING, THING_TYPE, POLICY, ROLE_ALIAS, BILLING_GROUP, JOB_TEMPLATE)
