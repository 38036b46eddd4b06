"""AWS::IAM::User, Group, Policy and OIDCProvider."""

from __future__ import annotations

import json
from collections.abc import Callable

from tests.contract.providers_native.cases import ABSENT, OTHER_TAGS, TAGS, TRUST, Case, Clients, document
from tests.contract.providers_native.hands import ACCOUNT


def _arn(name: str) -> str:
    return f"arn:aws:iam::{ACCOUNT}:policy/{name}"


def _surroundings(prefix: str) -> Callable[[Clients], None]:
    def make(clients: Clients) -> None:
        iam = clients("iam")
        for name in ("one", "two"):
            iam.create_policy(PolicyName=f"{prefix}-{name}", PolicyDocument=json.dumps(document("s3:GetObject")))
            iam.create_group(GroupName=f"{prefix}-group-{name}")
            iam.create_user(UserName=f"{prefix}-user-{name}")
            iam.create_role(RoleName=f"{prefix}-role-{name}", AssumeRolePolicyDocument=json.dumps(TRUST))

    return make


# moto knows nothing of a user's permissions boundary; a second emulator does (tests/contract/elsewhere).
USER = Case(
    "AWS::IAM::User",
    {
        "UserName": "contract-user",
        "Path": "/team/",
        "Groups": ["user-group-one"],
        "LoginProfile": {"Password": "correct-horse-1", "PasswordResetRequired": False},
        "ManagedPolicyArns": [_arn("user-one")],
        "Policies": [{"PolicyName": "inline", "PolicyDocument": document("s3:GetObject")}],
        "Tags": TAGS,
    },
    changes={
        "Path": "/other/",
        "Groups": ["user-group-two"],
        "LoginProfile": {"Password": "correct-horse-2", "PasswordResetRequired": True},
        "ManagedPolicyArns": [_arn("user-two")],
        "Policies": [{"PolicyName": "second", "PolicyDocument": document("sqs:SendMessage")}],
        "Tags": OTHER_TAGS,
    },
    resets={
        "Path": "/",
        "Groups": ABSENT,
        "LoginProfile": ABSENT,
        "ManagedPolicyArns": ABSENT,
        "Policies": ABSENT,
        "Tags": ABSENT,
    },
    attributes=("Arn",),
    setup=_surroundings("user"),
    foreign=lambda clients: clients("iam").create_user(UserName="contract-foreign"),
    deny=("iam", "GetUser"),
    name="UserName",
    searchable=False,
)

# moto changes no path of a group.
GROUP = Case(
    "AWS::IAM::Group",
    {
        "GroupName": "contract-group",
        "Path": "/team/",
        "ManagedPolicyArns": [_arn("group-one")],
        "Policies": [{"PolicyName": "inline", "PolicyDocument": document("s3:GetObject")}],
    },
    changes={
        "ManagedPolicyArns": [_arn("group-two")],
        "Policies": [{"PolicyName": "second", "PolicyDocument": document("sqs:SendMessage")}],
    },
    resets={"ManagedPolicyArns": ABSENT, "Policies": ABSENT},
    attributes=("Arn",),
    setup=_surroundings("group"),
    deny=("iam", "GetGroup"),
)

INLINE = Case(
    "AWS::IAM::Policy",
    {
        "PolicyName": "contract-inline",
        "PolicyDocument": document("s3:GetObject"),
        "Roles": ["inline-role-one", "inline-role-two"],
        "Users": ["inline-user-one"],
        "Groups": ["inline-group-one"],
    },
    changes={"PolicyDocument": document("s3:PutObject")},
    attributes=("Id",),
    setup=_surroundings("inline"),
    deny=("iam", "GetGroupPolicy"),
)

# moto has no calls to add and remove client ids.
OIDC = Case(
    "AWS::IAM::OIDCProvider",
    {
        "Url": "https://login.example.com/contract",
        "ClientIdList": ["one", "two"],
        "ThumbprintList": ["a" * 40],
        "Tags": TAGS,
    },
    changes={"ThumbprintList": ["b" * 40, "c" * 40], "Tags": OTHER_TAGS},
    resets={"Tags": ABSENT},
    attributes=("Arn",),
    deny=("iam", "GetOpenIDConnectProvider"),
    searchable=False,
)

CASES = (USER, GROUP, INLINE, OIDC)
