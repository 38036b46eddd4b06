"""AWS::IAM, AWS::KMS, AWS::SecretsManager: who may do what, and with which keys."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from reconciler.pipeline.aws.rules import TAGS, Apart, As, AwsType, First, Json, Rules, names, never


def _named(identifier: str, item: Any) -> str | None:
    name = item.get("PolicyName") if isinstance(item, Mapping) else None
    return f"{identifier}:{name}" if isinstance(name, str) else None


def _attached(identifier: str, item: Any) -> str | None:
    return f"{identifier}/{item}" if isinstance(item, str) else None


def _attached_to(identifier: str, item: Any) -> str | None:
    return f"{item}/{identifier}" if isinstance(item, str) else None


_POLICY: Rules = {"PolicyDocument": Json("policy"), "PolicyName": As("name")}


def _owner(kind: str) -> Rules:
    """The policies of a role, user or group: resources of their own."""
    return {
        "ManagedPolicyArns": Apart(
            f"aws_iam_{kind}_policy_attachment", "", kind, to="name", item=As("policy_arn"), imported=_attached
        ),
        "Policies": Apart(f"aws_iam_{kind}_policy", "", kind, _POLICY, to="name", imported=_named),
    }


def _holders(kind: str) -> Apart:
    return Apart(f"aws_iam_{kind}_policy_attachment", "", "policy_arn", to="arn", item=As(kind), imported=_attached_to)


TYPES: Mapping[str, AwsType] = {
    "AWS::IAM::Role": AwsType(
        "aws_iam_role",
        {
            **names("Description MaxSessionDuration Path PermissionsBoundary", RoleName="name"),
            "AssumeRolePolicyDocument": Json("assume_role_policy"),
            **_owner("role"),
            **TAGS,
        },
        ref="name",
        attributes={"Arn": "arn", "RoleId": "unique_id"},
    ),
    "AWS::IAM::ManagedPolicy": AwsType(
        "aws_iam_policy",
        {
            **names("Description Path", ManagedPolicyName="name"),
            "Groups": _holders("group"),
            "PolicyDocument": Json("policy"),
            "Roles": _holders("role"),
            "Users": _holders("user"),
        },
        ref="arn",
        attributes={"PolicyArn": "arn", "PolicyId": "policy_id"},
    ),
    "AWS::IAM::Policy": AwsType(
        "aws_iam_role_policy", {**_POLICY, "Roles": First(As("role"))}, needs=("Roles",), imported=never
    ),
    "AWS::IAM::InstanceProfile": AwsType(
        "aws_iam_instance_profile",
        {**names("Path", InstanceProfileName="name"), "Roles": First(As("role"))},
        ref="name",
        attributes={"Arn": "arn"},
    ),
    "AWS::IAM::User": AwsType(
        "aws_iam_user",
        {**names("Path PermissionsBoundary", UserName="name"), **_owner("user"), **TAGS},
        ref="name",
        attributes={"Arn": "arn"},
        needs=("UserName",),
    ),
    "AWS::IAM::Group": AwsType(
        "aws_iam_group",
        {**names("Path", GroupName="name"), **_owner("group")},
        ref="name",
        attributes={"Arn": "arn"},
        needs=("GroupName",),
    ),
    # adds users to the group and leaves others in it alone, as CloudFormation does
    "AWS::IAM::UserToGroupAddition": AwsType(
        "aws_iam_user_group_membership",
        {
            "GroupName": As("groups", many=True),
            "Users": Apart("aws_iam_user_group_membership", "", "", item=As("user")),
        },
        imported=never,
    ),
    "AWS::KMS::Key": AwsType(
        "aws_kms_key",
        {
            **names(
                "BypassPolicyLockoutSafetyCheck Description EnableKeyRotation KeyUsage MultiRegion "
                "RotationPeriodInDays",
                Enabled="is_enabled",
                KeySpec="customer_master_key_spec",
                PendingWindowInDays="deletion_window_in_days",
            ),
            "KeyPolicy": Json("policy"),
            **TAGS,
        },
        ref="key_id",
        attributes={"Arn": "arn", "KeyId": "key_id"},
    ),
    "AWS::KMS::Alias": AwsType("aws_kms_alias", names("TargetKeyId", AliasName="name"), ref="name"),
    "AWS::SecretsManager::Secret": AwsType(
        "aws_secretsmanager_secret",
        {
            **names("Description KmsKeyId Name"),
            "SecretString": Apart("aws_secretsmanager_secret_version", "", "secret_id", item=As("secret_string")),
            **TAGS,
        },
        attributes={"Id": "id"},
    ),
}
