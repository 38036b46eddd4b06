"""AWS::CodeBuild::Project. moto makes little of what a project can have: ``testing/taught`` adds the rest."""

from __future__ import annotations

from typing import Any

from tests.contract.providers_native.cases import ABSENT, OTHER_TAGS, TAGS, Case
from tests.contract.providers_native.hands import ACCOUNT, REGION

_ROLE = f"arn:aws:iam::{ACCOUNT}:role/contract-builder"
_KEY = f"arn:aws:kms:{REGION}:{ACCOUNT}:key/12345678-1234-1234-1234-123456789012"
_REPOSITORY = "https://github.com/example/shop.git"


def _source(name: str, spec: str) -> dict[str, Any]:
    place = f"https://git-codecommit.{REGION}.amazonaws.com/v1/repos/{name}"
    return {"Type": "CODECOMMIT", "Location": place, "BuildSpec": spec, "SourceIdentifier": name}


def _stored(name: str) -> dict[str, Any]:
    return {"Type": "S3", "Location": "built", "Name": name, "ArtifactIdentifier": name, "Packaging": "ZIP"}


def _environment(image: str, **variables: str) -> dict[str, Any]:
    plain = [{"Name": name, "Value": value} for name, value in variables.items()]
    secret = {"Name": "TOKEN", "Type": "SECRETS_MANAGER", "Value": "shop/token"}
    return {
        "Type": "LINUX_CONTAINER",
        "ComputeType": "BUILD_GENERAL1_SMALL",
        "Image": image,
        "EnvironmentVariables": [*plain, secret],
        "PrivilegedMode": True,
        "ImagePullCredentialsType": "SERVICE_ROLE",
        "RegistryCredential": {"Credential": "shop/registry", "CredentialProvider": "SECRETS_MANAGER"},
    }


def _files(mount: str) -> list[dict[str, Any]]:
    place = f"fs-12345678.efs.{REGION}.amazonaws.com:/"
    return [{"Type": "EFS", "Identifier": "shared", "Location": place, "MountPoint": mount}]


def _logs(group: str, kept: str) -> dict[str, Any]:
    return {
        "CloudWatchLogs": {"Status": "ENABLED", "GroupName": group, "StreamName": "build"},
        "S3Logs": {"Status": kept, "Location": "built/logs", "EncryptionDisabled": False},
    }


def _hook(branch: str, **more: Any) -> dict[str, Any]:
    event = {"Type": "EVENT", "Pattern": "PUSH, PULL_REQUEST_MERGED"}
    head = {"Type": "HEAD_REF", "Pattern": f"^refs/heads/{branch}$", "ExcludeMatchedPattern": False}
    return {"Webhook": True, "FilterGroups": [[event, head]], **more}


def _vpc(subnet: str) -> dict[str, Any]:
    return {"VpcId": "vpc-12345678", "Subnets": [subnet], "SecurityGroupIds": ["sg-12345678"]}


PROJECT = Case(
    "AWS::CodeBuild::Project",
    {
        "Name": "contract-project",
        "Description": "builds the shop",
        "ServiceRole": _ROLE,
        "ResourceAccessRole": _ROLE,
        "Source": {
            "Type": "GITHUB",
            "Location": _REPOSITORY,
            "BuildSpec": "build/spec.yml",
            "GitCloneDepth": 1,
            "GitSubmodulesConfig": {"FetchSubmodules": True},
            "ReportBuildStatus": True,
            "BuildStatusConfig": {"Context": "shop"},
        },
        "SourceVersion": "main",
        "SecondarySources": [_source("tools", "a.yml")],
        "SecondarySourceVersions": [{"SourceIdentifier": "tools", "SourceVersion": "main"}],
        "Artifacts": {"Type": "S3", "Location": "built", "Path": "shop", "NamespaceType": "BUILD_ID", "Name": "a.zip"},
        "SecondaryArtifacts": [_stored("docs")],
        "Environment": _environment("aws/codebuild/standard:7.0", STAGE="test"),
        "Cache": {"Type": "LOCAL", "Modes": ["LOCAL_SOURCE_CACHE"]},
        "VpcConfig": _vpc("subnet-11111111"),
        "LogsConfig": _logs("/build/shop", "ENABLED"),
        "FileSystemLocations": _files("/mnt/shared"),
        "BuildBatchConfig": {
            "ServiceRole": _ROLE,
            "CombineArtifacts": True,
            "Restrictions": {"MaximumBuildsAllowed": 4, "ComputeTypesAllowed": ["BUILD_GENERAL1_SMALL"]},
            "TimeoutInMins": 60,
        },
        "EncryptionKey": _KEY,
        "TimeoutInMinutes": 15,
        "QueuedTimeoutInMinutes": 30,
        "ConcurrentBuildLimit": 2,
        "AutoRetryLimit": 1,
        "BadgeEnabled": True,
        "Visibility": "PUBLIC_READ",
        "Triggers": _hook("main"),
        "Tags": TAGS,
    },
    changes={
        "Description": "builds the other shop",
        "ServiceRole": f"{_ROLE}-two",
        "ResourceAccessRole": f"{_ROLE}-two",
        "Source": {"Type": "GITHUB", "Location": _REPOSITORY, "GitCloneDepth": 2},
        "SourceVersion": "next",
        "SecondarySources": [_source("tools", "b.yml"), _source("more", "a.yml")],
        "SecondarySourceVersions": [{"SourceIdentifier": "more", "SourceVersion": "main"}],
        "Artifacts": {"Type": "NO_ARTIFACTS"},
        "SecondaryArtifacts": [_stored("reports")],
        "Environment": _environment("aws/codebuild/standard:6.0", STAGE="other", MORE="1"),
        "Cache": {"Type": "S3", "Location": "built/cache"},
        "VpcConfig": _vpc("subnet-22222222"),
        "LogsConfig": _logs("/build/other", "DISABLED"),
        "FileSystemLocations": _files("/mnt/other"),
        "BuildBatchConfig": {"ServiceRole": _ROLE, "TimeoutInMins": 30},
        "EncryptionKey": f"{_KEY[:-1]}3",
        "TimeoutInMinutes": 20,
        "QueuedTimeoutInMinutes": 40,
        "ConcurrentBuildLimit": 3,
        "AutoRetryLimit": 2,
        "BadgeEnabled": False,
        "Visibility": "PRIVATE",
        "Triggers": _hook("next", BuildType="BUILD_BATCH"),
        "Tags": OTHER_TAGS,
    },
    resets={
        "Description": ABSENT,
        "ResourceAccessRole": ABSENT,
        "SourceVersion": ABSENT,
        "SecondarySources": [],
        "SecondarySourceVersions": [],
        "SecondaryArtifacts": [],
        "Cache": {"Type": "NO_CACHE"},
        "VpcConfig": ABSENT,
        "LogsConfig": {"CloudWatchLogs": {"Status": "ENABLED"}, "S3Logs": {"Status": "DISABLED"}},
        "FileSystemLocations": [],
        "BuildBatchConfig": ABSENT,
        "EncryptionKey": "alias/aws/s3",
        "TimeoutInMinutes": 60,
        "QueuedTimeoutInMinutes": 480,
        "ConcurrentBuildLimit": ABSENT,
        "AutoRetryLimit": 0,
        "BadgeEnabled": False,
        "Visibility": "PRIVATE",
        "Triggers": {"Webhook": False},
        "Tags": ABSENT,
    },
    attributes=("Arn",),
    foreign=lambda clients: clients("codebuild").create_project(
        name="contract-foreign",
        serviceRole=_ROLE,
        source={"type": "NO_SOURCE", "buildspec": "version: 0.2"},
        artifacts={"type": "NO_ARTIFACTS"},
        environment={"type": "LINUX_CONTAINER", "image": "a", "computeType": "BUILD_GENERAL1_SMALL"},
    ),
    deny=("codebuild", "BatchGetProjects"),
    many=lambda number: {
        "Name": f"many-project-{number}",
        "ServiceRole": _ROLE,
        "Source": {"Type": "CODEPIPELINE"},
        "Artifacts": {"Type": "CODEPIPELINE"},
        "Environment": _environment("aws/codebuild/standard:7.0"),
        "Tags": TAGS,
    },
    calls={"codebuild:BatchGetProjects": 1},
    name="Name",
    searchable=False,
)

CASES = (PROJECT,)
