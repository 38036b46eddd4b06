"""Error codes and exceptions, mapped: the table is what AWS documents, one line a code."""

from __future__ import annotations

import botocore.exceptions as boto
import pytest
from botocore.exceptions import ClientError
from botocore.parsers import ResponseParserError

from reconciler.model.errors import AwsFault, FaultKind
from reconciler.providers.faults import fault_of, kind_of

K = FaultKind
CODES = {
    K.ACCESS_DENIED: ("AccessDenied", "AccessDeniedException", "UnauthorizedOperation", "AuthorizationError", "403"),
    K.CREDENTIALS: (
        "ExpiredToken", "ExpiredTokenException", "RequestExpired", "InvalidClientTokenId", "InvalidAccessKeyId",
        "UnrecognizedClientException", "SignatureDoesNotMatch", "AuthFailure",
    ),
    K.REGION_DISABLED: ("OptInRequired", "RegionDisabledException"),
    K.NOT_FOUND: (
        "InvalidVpcID.NotFound", "InvalidGroup.NotFound", "InvalidRoute.NotFound", "NatGatewayNotFound",
        "InvalidAllocationID.NotFound", "NoSuchEntity", "NoSuchBucket", "NoSuchTagSet", "NoSuchBucketPolicy",
        "NoSuchPublicAccessBlockConfiguration", "ServerSideEncryptionConfigurationNotFoundError", "404",
        "QueueDoesNotExist", "AWS.SimpleQueueService.NonExistentQueue", "ResourceNotFoundException", "NotFound",
        "NotFoundException", "ParameterNotFound", "TableNotFoundException", "Gateway.NotAttached",
        "DBInstanceNotFoundFault",
    ),
    K.ALREADY_EXISTS: (
        "EntityAlreadyExists", "BucketAlreadyOwnedByYou", "BucketAlreadyExists", "InvalidGroup.Duplicate",
        "InvalidPermission.Duplicate", "ResourceAlreadyExistsException", "ParameterAlreadyExists", "QueueNameExists",
        "RouteAlreadyExists", "AlreadyExistsException", "QueueAlreadyExists",
    ),
    K.CONFLICT: (
        "DependencyViolation", "DeleteConflict", "ConflictException", "OperationAborted", "ResourceInUse",
        "ResourceInUseException", "InvalidIPAddress.InUse", "BucketNotEmpty", "InvalidSubnet.Conflict",
        "Resource.AlreadyAssociated", "ConcurrentModification", "KMSInvalidStateException", "IncorrectState",
        "ConcurrentOperationException", "ResourceConflictException", "ClientTokenConflictException",
        "InvalidDBInstanceState", "InvalidDBClusterStateFault", "InvalidClusterState",
    ),
    K.THROTTLED: (
        "Throttling", "ThrottlingException", "RequestLimitExceeded", "TooManyRequestsException", "SlowDown",
        "ProvisionedThroughputExceededException", "RequestThrottled", "Client.RequestLimitExceeded", "429",
    ),
    K.QUOTA: (
        "VpcLimitExceeded", "AddressLimitExceeded", "LimitExceededException", "ServiceQuotaExceededException",
        "TooManyBuckets", "RulesPerSecurityGroupLimitExceeded", "NatGatewayLimitExceeded",
        "InsufficientInstanceCapacity", "ServiceLimitExceededException",
    ),
    K.INVALID_REQUEST: (
        "ValidationException", "InvalidParameterValue", "MissingParameter", "InvalidVpcID.Malformed",
        "MalformedPolicyDocument",
        "InvalidVpc.Range", "SomethingNew",
        "TypeNotFoundException", "UnsupportedActionException", "PrivateTypeException", "NotUpdatableException",
        "GeneralServiceException",
    ),
    K.UNAVAILABLE: (
        "InternalError", "ServiceUnavailable", "InternalFailure", "Unavailable", "503",
        "ServiceInternalErrorException", "HandlerFailureException", "HandlerInternalFailureException",
        "NetworkFailureException",
    ),
    K.TIMEOUT: ("RequestTimeout", "NotStabilizedException"),
    K.INTERNAL: ("500",),
}  # fmt: skip


@pytest.mark.parametrize(("kind", "code"), [(kind, code) for kind, codes in CODES.items() for code in codes])
def test_codes(kind: FaultKind, code: str) -> None:
    assert kind_of(code) is kind


def test_codes_that_depend_on_where_they_come_from() -> None:
    assert kind_of("404", 404, operation="HeadBucket") is K.NOT_FOUND
    assert kind_of("404", 404, operation="GetFunctionRecursionConfig") is K.INTERNAL
    assert kind_of("ResourceInUseException", operation="CreateTable") is K.ALREADY_EXISTS
    assert kind_of("ResourceInUseException", operation="DeleteTable") is K.CONFLICT
    assert kind_of("ValidationError", 400, "Stack with id x does not exist", "DescribeStacks") is K.NOT_FOUND
    assert kind_of("ValidationError", 400, "bad", "DescribeStacks") is K.INVALID_REQUEST
    absent = 'Could not find model "x"'
    assert kind_of("ValidationException", 400, absent, "DescribeModel") is K.NOT_FOUND
    assert kind_of("ValidationException", 400, absent, "CreateEndpointConfig") is K.INVALID_REQUEST
    assert kind_of("ValidationException", 400, "bad name", "DescribeModel") is K.INVALID_REQUEST
    assert kind_of("500", 500, "", "HeadBucket") is K.UNAVAILABLE
    assert kind_of("Whatever", 502) is K.UNAVAILABLE
    assert kind_of("Whatever", 429) is K.THROTTLED


@pytest.mark.parametrize(
    ("code", "said", "kind"),
    [
        ("GeneralServiceException", "Rate exceeded (HandlerErrorCode: GeneralServiceException)", K.THROTTLED),
        ("GeneralServiceException", "Code: 404 (HandlerErrorCode: GeneralServiceException)", K.INVALID_REQUEST),
        ("ResourceNotFoundException", "was not found. (HandlerErrorCode: NotFound, RequestToken: 1)", K.NOT_FOUND),
        ("InvalidRequestException", "no (HandlerErrorCode: AccessDenied)", K.ACCESS_DENIED),
        ("RequestTokenNotFoundException", "no such request", K.NOT_FOUND),
    ],
)  # fmt: skip
def test_what_a_handler_said_goes_before_the_name_of_the_exception(code: str, said: str, kind: FaultKind) -> None:
    assert kind_of(code, 400, said) is kind


@pytest.mark.parametrize(
    "code",
    ["HandlerFailureException", "HandlerInternalFailureException", "NetworkFailureException", "NotStabilizedException"],
)
def test_a_handler_that_failed_may_have_begun(code: str) -> None:
    for writes in (True, False):
        fault = fault_of(answered(code, 400, "CreateResource"), "cloudcontrol", "CreateResource", writes=writes)
        assert fault.ambiguous is writes


def answered(code: str, status: int, operation: str = "CreateVpc") -> boto.ClientError:
    meta = {"HTTPStatusCode": status}
    return boto.ClientError({"Error": {"Code": code, "Message": "m"}, "ResponseMetadata": meta}, operation)


@pytest.mark.parametrize(
    ("error", "kind", "ambiguous"),
    [
        (answered("InternalError", 500), K.UNAVAILABLE, True),
        (answered("500", 500), K.INTERNAL, True),
        (answered("SlowDown", 503), K.THROTTLED, False),
        (answered("InvalidParameterValue", 400), K.INVALID_REQUEST, False),
        (answered("RequestTimeout", 400), K.TIMEOUT, True),
        (answered("ServiceUnavailable", 503, "AssumeRole"), K.UNAVAILABLE, False),
        (boto.ReadTimeoutError(endpoint_url="x"), K.TIMEOUT, True),
        (boto.ConnectTimeoutError(endpoint_url="x"), K.TIMEOUT, False),
        (boto.EndpointConnectionError(endpoint_url="x"), K.UNAVAILABLE, False),
        (boto.ConnectionClosedError(endpoint_url="x"), K.UNAVAILABLE, True),
        (boto.SSLError(endpoint_url="x", error="bad"), K.UNAVAILABLE, True),
        (boto.IncompleteReadError(actual_bytes=1, expected_bytes=2), K.UNAVAILABLE, True),
        (boto.NoCredentialsError(), K.CREDENTIALS, False),
        (boto.ProfileNotFound(profile="x"), K.CREDENTIALS, False),
        (boto.ParamValidationError(report="x"), K.INVALID_REQUEST, False),
        (boto.NoRegionError(), K.INVALID_REQUEST, False),
        (ResponseParserError("<title>500 Internal Server Error</title>"), K.INTERNAL, True),
        (ResponseParserError("<html>503 Service Unavailable</html>"), K.UNAVAILABLE, True),
        (RuntimeError("surprise"), K.INTERNAL, True),
    ],
)
def test_exceptions_of_a_write(error: Exception, kind: FaultKind, ambiguous: bool) -> None:
    fault = fault_of(error, "ec2", "CreateVpc", writes=True)
    assert (fault.kind, fault.ambiguous) == (kind, ambiguous)
    assert not fault_of(error, "ec2", "CreateVpc", writes=False).ambiguous


def test_the_message_says_what_and_where() -> None:
    fault = fault_of(answered("VpcLimitExceeded", 400), "ec2", "CreateVpc", writes=True)
    assert str(fault) == "ec2:CreateVpc: VpcLimitExceeded: m"
    assert not fault.retryable


def test_a_fault_stays_as_it_is() -> None:
    fault = AwsFault(K.QUOTA, "x")
    assert fault_of(fault, "ec2", "CreateVpc", writes=True) is fault


def denied(message: str, service: str, operation: str) -> AwsFault:
    error = ClientError({"Error": {"Code": "AccessDenied", "Message": message}}, operation)
    return fault_of(error, service, operation, writes=True)


def test_a_denied_call_names_the_permission_and_the_resource_that_aws_names() -> None:
    fault = denied(
        "User: arn:aws:iam::1:user/x is not authorized to perform: ec2:CreateTags on resource: "
        "arn:aws:ec2:eu-central-1:1:vpc/* because no identity-based policy allows the ec2:CreateTags action",
        "ec2",
        "CreateVpc",
    )
    assert (fault.permission, fault.resource) == ("ec2:CreateTags", "arn:aws:ec2:eu-central-1:1:vpc/*")


@pytest.mark.parametrize(
    ("service", "operation", "permission"),
    [
        ("s3", "PutBucketEncryption", "s3:PutEncryptionConfiguration"),
        ("s3", "GetBucketCors", "s3:GetBucketCORS"),
        ("s3", "HeadBucket", "s3:ListBucket"),
        ("resourcegroupstaggingapi", "GetResources", "tag:GetResources"),
        ("service-quotas", "GetServiceQuota", "servicequotas:GetServiceQuota"),
        ("cloudcontrol", "CreateResource", "cloudformation:CreateResource"),
        ("iam", "CreateRole", "iam:CreateRole"),
        ("nonsense", "MakeThing", ""),
    ],
)
def test_where_aws_names_none_the_operation_does(service: str, operation: str, permission: str) -> None:
    fault = denied("Access Denied", service, operation)
    assert fault.permission == permission
    assert (permission in str(fault)) is True  # a denied read is kept as this text


def test_an_assumed_role_that_is_denied_needs_sts() -> None:
    error = ClientError({"Error": {"Code": "AccessDenied", "Message": "no"}}, "AssumeRole")
    fault = fault_of(error, "ec2", "DescribeVpcs", writes=False)
    assert (fault.service, fault.permission) == ("sts", "sts:AssumeRole")


def test_other_failures_need_no_permission() -> None:
    error = ClientError({"Error": {"Code": "InvalidVpc.Range", "Message": "no"}}, "CreateVpc")
    assert fault_of(error, "ec2", "CreateVpc", writes=True).permission == ""


@pytest.mark.parametrize(
    ("code", "operation", "message", "kind"),
    [
        (
            "InvalidChangeBatch",
            "ChangeResourceRecordSets",
            "[Tried to create resource record set [name='a.example.com.', type='A'] but it already exists]",
            K.ALREADY_EXISTS,
        ),
        (
            "InvalidChangeBatch",
            "ChangeResourceRecordSets",
            "[Tried to delete resource record set [name='a.example.com.', type='A'] but it was not found]",
            K.NOT_FOUND,
        ),
        (
            "InvalidChangeBatch",
            "ChangeResourceRecordSets",
            "[RRSet of type CNAME with DNS name a.example.com. is not permitted at apex in zone example.com.]",
            K.INVALID_REQUEST,
        ),
        ("HostedZoneNotEmpty", "DeleteHostedZone", "The hosted zone contains resource record sets", K.CONFLICT),
        ("InvalidParameterException", "CreateService", "Creation of service was not idempotent.", K.ALREADY_EXISTS),
        ("InvalidParameterException", "UpdateService", "Creation of service was not idempotent.", K.INVALID_REQUEST),
    ],
)
def test_what_route_53_and_ecs_say_in_words(code: str, operation: str, message: str, kind: FaultKind) -> None:
    assert kind_of(code, 400, message, operation) is kind
