"""AWS::CodeBuild: what builds."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from reconciler.pipeline.aws.rules import TAGS, Apart, AwsType, Inside, Nested, Rules, names


def _triggers(value: Mapping[str, Any]) -> Mapping[str, Any]:
    """A project's triggers. That there is a webhook is said by its resource."""
    wanted = value.get("Webhook") in (True, "true")
    return {name: item for name, item in value.items() if name != "Webhook"} if wanted else {"Webhook": False, **value}


_ARTIFACTS: Rules = names(
    "ArtifactIdentifier EncryptionDisabled Location Name NamespaceType OverrideArtifactName Packaging Path Type"
)
_SOURCE: Rules = {
    **names("GitCloneDepth InsecureSsl Location ReportBuildStatus Type", BuildSpec="buildspec"),
    "Auth": Nested("auth", names("Resource Type"), needs=("Resource",)),
    "BuildStatusConfig": Nested("build_status_config", names("Context TargetUrl")),
    "GitSubmodulesConfig": Nested("git_submodules_config", names("FetchSubmodules")),
}
_ENVIRONMENT: Rules = {
    **names("Certificate ComputeType Image ImagePullCredentialsType PrivilegedMode Type"),
    "DockerServer": Nested("docker_server", names("ComputeType SecurityGroupIds")),
    "EnvironmentVariables": Nested("environment_variable", names("Name Type Value")),
    "Fleet": Nested("fleet", names("FleetArn")),
    "RegistryCredential": Nested("registry_credential", names("Credential CredentialProvider")),
}
_WEBHOOK: Rules = {
    **names("BuildType"),
    "FilterGroups": Nested(
        "filter_group", item=Nested("filter", names("ExcludeMatchedPattern Pattern Type"), needs=("Pattern", "Type"))
    ),
    "PullRequestBuildPolicy": Nested("pull_request_build_policy", names("ApproverRoles RequiresCommentApproval")),
    "ScopeConfiguration": Nested("scope_configuration", names("Domain Name Scope"), needs=("Scope",)),
}

TYPES: Mapping[str, AwsType] = {
    "AWS::CodeBuild::Project": AwsType(
        "aws_codebuild_project",
        {
            **names(
                "AutoRetryLimit BadgeEnabled ConcurrentBuildLimit Description EncryptionKey Name ResourceAccessRole "
                "ServiceRole SourceVersion",
                QueuedTimeoutInMinutes="queued_timeout",
                TimeoutInMinutes="build_timeout",
                Visibility="project_visibility",
            ),
            "Artifacts": Nested("artifacts", _ARTIFACTS),
            "BuildBatchConfig": Nested(
                "build_batch_config",
                {
                    **names("CombineArtifacts ServiceRole TimeoutInMins"),
                    "Restrictions": Nested("restrictions", names("ComputeTypesAllowed MaximumBuildsAllowed")),
                },
                needs=("ServiceRole",),
            ),
            "Cache": Nested("cache", names("Location Modes Type")),
            "Environment": Nested("environment", _ENVIRONMENT),
            "FileSystemLocations": Nested(
                "file_system_locations", names("Identifier Location MountOptions MountPoint Type")
            ),
            "LogsConfig": Nested(
                "logs_config",
                {
                    "CloudWatchLogs": Nested("cloudwatch_logs", names("GroupName Status StreamName")),
                    "S3Logs": Nested("s3_logs", names("EncryptionDisabled Location Status")),
                },
            ),
            "SecondaryArtifacts": Nested("secondary_artifacts", _ARTIFACTS, needs=("ArtifactIdentifier",)),
            "SecondarySourceVersions": Nested(
                "secondary_source_version", names("SourceIdentifier SourceVersion"), needs=("SourceVersion",)
            ),
            "SecondarySources": Nested(
                "secondary_sources", {**_SOURCE, **names("SourceIdentifier")}, needs=("SourceIdentifier",)
            ),
            "Source": Nested("source", _SOURCE),
            "Triggers": Apart(
                "aws_codebuild_webhook",
                "",
                "project_name",
                to="name",
                item=Inside(_WEBHOOK, read=_triggers),
                imported=lambda identifier, _item: identifier,
                nothing=({"Webhook": False},),
            ),
            "VpcConfig": Nested(
                "vpc_config", names("SecurityGroupIds Subnets VpcId"), needs=("SecurityGroupIds", "Subnets", "VpcId")
            ),
            **TAGS,
        },
        ref="name",
        attributes={"Arn": "arn", "Id": "name"},
        needs=("Name",),
    ),
}
