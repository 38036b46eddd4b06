"""Reads that a reconciler never needs and that must not be made by mistake: secrets, stored content, side effects.

IAM calls them Read or List, so the guard's first rule would let them pass. Names first: whatever sounds like a secret
counts as one unless it was looked at and found to be plain, so that an operation of tomorrow's SDK is refused until
somebody has looked. The table is for what its name doesn't tell.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from enum import StrEnum
from functools import lru_cache


class Reveals(StrEnum):
    """Why a read is refused."""

    SECRET = "gives out a secret, a credential or a signed address"  # noqa: S105 - a reason
    CONTENT = "reads what is stored or said, not how things are set up"
    EFFECT = "does something besides reading"


#: What a plan's dynamic references are resolved with; everything else that gives out a secret is never called.
REFERENCES: Mapping[str, frozenset[str]] = {
    "secretsmanager": frozenset({"GetSecretValue"}),
    "ssm": frozenset({"GetParameter", "GetParameters", "GetParametersByPath", "GetParameterHistory"}),
}

#: Whole services that have no other purpose than data.
_CONTENT_SERVICES = frozenset(
    """
    appconfigdata bedrock-agent-runtime bedrock-agentcore bedrock-data-automation-runtime bedrock-runtime
    cloudfront-keyvaluestore cloudsearchdomain ds-data dynamodbstreams ebs forecastquery iot-data keyspacesstreams
    kinesis-video-archived-media kinesis-video-media kinesis-video-signaling lex-runtime lexv2-runtime
    managedblockchain-query mediastore-data neptunedata personalize-runtime redshift-data
    sagemaker-featurestore-runtime sagemaker-metrics sagemaker-runtime sagemakertrainingsessionruntime sdb
    timestream-query workmailmessageflow
    """.split()  # noqa: SIM905 - a hundred quotes would be harder to read
)

_SECRET: Mapping[str, str] = {
    "amplify": "GetArtifactUrl ListArtifacts",
    "appsync": "GetGraphqlApiEnvironmentVariables",
    "athena": "GetSessionEndpoint",
    "auditmanager": "GetAssessmentReportUrl GetEvidenceFileUploadUrl",
    "chime-sdk-meetings": "GetAttendee ListAttendees",
    "chime-sdk-messaging": "GetMessagingSessionEndpoint",
    "codepipeline": "GetJobDetails GetThirdPartyJobDetails",
    "cognito-identity": "GetOpenIdToken GetOpenIdTokenForDeveloperIdentity",
    "cognito-idp": "DescribeIdentityProvider DescribeUserPoolClient GetUserAttributeVerificationCode",
    "connect": "GetAttachedFile GetPromptFile",
    "directconnect": "DescribeVirtualInterfaces",
    "ec2": "DescribeVpnConnections GetConsoleOutput GetConsoleScreenshot GetPasswordData"
    " GetVpnConnectionDeviceSampleConfiguration",
    "ecr": "BatchGetImage GetDownloadUrlForLayer",
    "emr-serverless": "GetDashboardForJobRun GetResourceDashboard GetSessionEndpoint",
    "gamelift": "GetComputeAccess GetInstanceAccess GetPlayerConnectionDetails",
    "glue": "GetConnection GetConnections GetDashboardUrl GetSessionEndpoint",
    "iot": "GetRegistrationCode",
    "iotwireless": "GetWirelessDevice",
    "ivs": "BatchGetStreamKey GetStreamKey",
    "kms": "Decrypt DeriveSharedSecret GenerateDataKey GenerateDataKeyPair GetParametersForImport",
    "lambda": "GetFunction GetLayerVersion GetLayerVersionByArn",
    "lightsail": "GetInstanceAccessDetails GetRelationalDatabaseMasterUserPassword",
    "odb": "GetAutonomousDatabaseWalletDetails",
    "payment-cryptography": "GetParametersForExport GetParametersForImport",
    "redshift": "GetClusterCredentials GetClusterCredentialsWithIAM",
    "s3control": "GetDataAccess",
    "secretsmanager": "BatchGetSecretValue GetRandomPassword GetSecretValue",
    "snowball": "GetJobManifest GetJobUnlockCode GetSoftwareUpdates",
    "sts": "GetFederationToken GetSessionToken",
}

_CONTENT: Mapping[str, str] = {
    "appconfig": "GetConfiguration",
    "artifact": "GetReport GetTermForReport",
    "athena": "GetCalculationExecutionCode GetQueryResults",
    "backupsearch": "ListSearchJobResults",
    "bedrock-agent": "GetKnowledgeBaseDocuments",
    "chime-sdk-messaging": "GetChannelMessage ListChannelMessages",
    "cleanrooms": "GetProtectedQuery GetProtectedJob",
    "cloudtrail": "GetQueryResults",
    "cloudwatchomni": "GetTelemetryQueryResults",
    "codeartifact": "GetPackageVersionAsset GetPackageVersionReadme",
    "codecommit": "GetBlob GetBlobDifferences GetComment GetCommentsForComparedCommit GetCommentsForPullRequest GetFile"
    " GetFolder GetMergeConflicts BatchDescribeMergeConflicts",
    "cognito-idp": "AdminGetUser AdminListUserAuthEvents GetUser ListUsers ListUsersInGroup",
    "cognito-sync": "ListRecords",
    "connect": "BatchDescribeDataTableValue ListDataTablePrimaryValues ListDataTableValues SearchContacts"
    " GetContactAttributes",
    "connectcases": "GetCase GetCaseAuditEvents SearchAllRelatedItems SearchCases SearchRelatedItems",
    "continuum": "GetCodeIssueArtifact",
    "customer-profiles": "BatchGetCalculatedAttributeForProfile BatchGetProfile GetCalculatedAttributeForProfile"
    " GetMatches GetProfileHistoryRecord GetProfileRecommendations GetSegmentMembership GetSimilarProfiles"
    " ListCalculatedAttributesForProfile ListObjectTypeAttributeValues ListProfileAttributeValues"
    " ListProfileHistoryRecords ListProfileObjects SearchProfiles",
    "devops-agent": "GetAssetContent GetAssetFile ListJournalRecords ListPendingMessages",
    "dynamodb": "BatchGetItem GetItem Query Scan SearchVectors",
    "frauddetector": "GetEvent GetEventPrediction GetEventPredictionMetadata GetListElements",
    "glacier": "GetJobOutput",
    "glue": "GetEntityRecords GetStatement GetSystemLogsForJobRun GetSystemLogsForSession",
    "inspector2": "BatchGetCodeSnippet",
    "internetmonitor": "GetQueryResults",
    "iot": "SearchIndex",
    "iot-managed-integrations": "GetManagedThingState",
    "iotsitewise": "BatchGetAssetPropertyAggregates BatchGetAssetPropertyValue BatchGetAssetPropertyValueHistory"
    " GetAssetPropertyAggregates GetAssetPropertyValue GetAssetPropertyValueHistory GetCaptureData"
    " GetInterpolatedAssetPropertyValues GetQueryResults GetSearchResults",
    "iottwinmaker": "GetPropertyValue GetPropertyValueHistory",
    "kendra": "GetSnapshots Query",
    "kinesis": "GetRecords GetShardIterator",
    "lakeformation": "GetTableObjects GetWorkUnitResults GetWorkUnits",
    "lambda": "GetDurableExecution GetDurableExecutionHistory GetDurableExecutionState",
    "lex-models": "GetUtterancesView",
    "lexv2-models": "ListSessionAnalyticsData ListTestSetRecords SearchAssociatedTranscripts",
    "lightsail": "GetContainerLog GetRelationalDatabaseLogEvents",
    "location": "BatchGetDevicePosition GetDevicePosition GetDevicePositionHistory ListDevicePositions",
    "logs": "FilterLogEvents GetLogEvents GetLogRecord GetLookupTable GetQueryResults",
    "macie2": "GetSensitiveDataOccurrences",
    "mailmanager": "GetArchiveMessage GetArchiveMessageContent GetArchiveSearchResults",
    "mediaconnect": "GetRouterInputThumbnail",
    "medical-imaging": "GetImageFrame GetImageSet GetImageSetMetadata SearchImageSets",
    "mturk": "GetAssignment GetFileUploadURL ListAssignmentsForHIT",
    "omics": "GetReadSet GetReference",
    "pinpoint": "GetEndpoint GetInAppMessages GetUserEndpoints",
    "qapps": "GetQAppSession ListQAppSessionData",
    "qbusiness": "GetDocumentContent GetMedia ListConversations ListMessages SearchRelevantContent",
    "qconnect": "GetContent GetNextMessage GetRecommendations ListMessages QueryAssistant SearchContent",
    "rds": "DownloadDBLogFilePortion",
    "rekognition": "CompareFaces GetCelebrityInfo GetCelebrityRecognition GetContentModeration GetFaceDetection"
    " GetFaceLivenessSessionResults GetFaceSearch GetLabelDetection GetPersonTracking GetSegmentDetection"
    " GetTextDetection ListDatasetEntries SearchFaces SearchFacesByImage SearchUsers SearchUsersByImage",
    "rum": "GetAppMonitorData",
    "s3": "GetObject GetObjectAnnotation GetObjectTorrent ListObjectAnnotations",
    "s3vectors": "GetVectors ListVectors QueryVectors",
    "sagemaker": "QueryLineage",
    "sagemaker-geospatial": "GetTile",
    "security-ir": "GetCase GetCaseAttachmentDownloadUrl",
    "sesv2": "GetContact GetMessageInsights ListContacts",
    "ssm": "GetCommandInvocation",
    "stepfunctions": "GetExecutionHistory",
    "support": "DescribeAttachment DescribeCases DescribeCommunications",
    "supplychain": "GetDataIntegrationEvent",
    "swf": "GetWorkflowExecutionHistory",
    "textract": "GetDocumentAnalysis GetDocumentTextDetection GetExpenseAnalysis GetLendingAnalysis"
    " GetLendingAnalysisSummary",
    "transcribe": "GetCallAnalyticsJob GetMedicalScribeJob GetMedicalTranscriptionJob GetTranscriptionJob",
    "wisdom": "GetContent GetRecommendations QueryAssistant SearchContent",
    "workdocs": "GetDocument GetDocumentVersion",
    "xray": "BatchGetTraces GetRetrievedTracesGraph GetTraceGraph GetTraceSummaries",
}

_EFFECT: Mapping[str, str] = {
    "connect": "GetCurrentUserData",
    "inspector": "PreviewAgents",
    "inspector-scan": "ScanSbom",
    "servicecatalog": "ScanProvisionedProducts",
    "waf": "GetChangeToken",
    "waf-regional": "GetChangeToken",
    "xray": "GetSamplingTargets",
}

_TABLE: Mapping[tuple[str, str], Reveals] = {
    (service, operation): reason
    for reason, table in ((Reveals.SECRET, _SECRET), (Reveals.CONTENT, _CONTENT), (Reveals.EFFECT, _EFFECT))
    for service, operations in table.items()
    for operation in operations.split()
}

#: A word that says that the answer is, or holds, something to get in with.
_SOUNDS_SECRET = re.compile(
    "Token|Credential|Password|Secret|Passphrase|ApiKey|APIKey|AccessKey|PrivateKey|SharedKey|StreamKey|SecurityKey"
    "|UnlockCode|Presign|SignedUrl|Signed[A-Z]|EmbedUrl|Download|Decrypted|Decrypt[A-Z]|Url$|URL$|Urls$"
)
#: Looked at: names, states and settings, but nothing to get in with.
_PLAIN: Mapping[str, frozenset[str]] = {
    service: frozenset(operations.split())
    for service, operations in {
        "bedrock-agentcore-control": "GetApiKeyCredentialProvider GetOauth2CredentialProvider GetTokenVault"
        " GetPaymentCredentialProvider ListApiKeyCredentialProviders ListOauth2CredentialProviders"
        " ListPaymentCredentialProviders",
        "chime-sdk-voice": "ListVoiceConnectorTerminationCredentials",
        "codebuild": "ListSourceCredentials",
        "codedeploy": "ListGitHubAccountTokenNames",
        "connect": "ListSecurityKeys",
        "grafana": "ListWorkspaceServiceAccountTokens",
        "iam": "GetAccessKeyLastUsed GetAccountPasswordPolicy GetCredentialReport ListAccessKeys"
        " ListServiceSpecificCredentials",
        "iot-managed-integrations": "GetCredentialLocker ListCredentialLockers",
        "ivs": "ListStreamKeys",
        "kafka": "ListScramSecrets",
        "license-manager": "ListTokens",
        "lightsail": "GetBucketAccessKeys",
        "pricing": "GetPriceListFileUrl",
        "secretsmanager": "DescribeSecret ListSecretVersionIds ListSecrets",
        "sqs": "GetQueueUrl",
        "sso-admin": "DescribeTrustedTokenIssuer ListTrustedTokenIssuers",
        "sts": "GetAccessKeyInfo",
        "waf": "GetChangeTokenStatus",
        "waf-regional": "GetChangeTokenStatus",
        "workmail": "GetPersonalAccessTokenMetadata ListPersonalAccessTokens",
    }.items()
}


@lru_cache(maxsize=8192)
def reveals(service: str, operation: str) -> Reveals | None:
    """Why a read is refused although IAM calls it one; None where nothing speaks against it."""
    if reason := _TABLE.get((service, operation)):
        return reason
    if service in _CONTENT_SERVICES:
        return Reveals.CONTENT
    if _SOUNDS_SECRET.search(operation) and operation not in _PLAIN.get(service, ()):
        return Reveals.SECRET
    return None


def named_read(service: str, operation: str) -> Reveals | None:
    """As ``reveals``, by the operation alone: IAM's prefix is shared by services that read data and that don't."""
    if reason := _TABLE.get((service, operation)):
        return reason
    plain = {*_PLAIN.get(service, ()), *_PLAIN.get(f"{service}-control", ())}
    sounds = _SOUNDS_SECRET.search(operation) and operation not in plain
    return Reveals.SECRET if sounds and not operation.startswith(("List", "Tag")) else None


def listed_secret(service: str, operation: str) -> bool:
    """Whether the table itself says that the answer is a secret, however harmless or mutating the call is else."""
    return _TABLE.get((service, operation)) is Reveals.SECRET


def resolves_reference(service: str, operation: str, decrypting: bool) -> bool:
    """Whether a call reads a secret as a dynamic reference does. ``decrypting``: ``WithDecryption`` is set."""
    return operation in REFERENCES.get(service, ()) and (service == "secretsmanager" or decrypting)
