"""Every way an AWS call can fail, mapped to the closed vocabulary of ``model.errors``.

Two questions are answered for each failure: what kind is it, and may the call have taken effect nevertheless?
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import botocore.exceptions as boto
from botocore.exceptions import ClientError
from botocore.parsers import ResponseParserError

from reconciler.model.denial import denial_in, needing
from reconciler.model.errors import AwsFault, FaultKind
from reconciler.providers.actions import action_of
from reconciler.providers.handlercodes import kind_of_code, told_code


def _codes(text: str) -> frozenset[str]:
    return frozenset(text.split())


_EXACT: Mapping[FaultKind, frozenset[str]] = {
    FaultKind.ACCESS_DENIED: _codes(
        "AccessDenied AccessDeniedException AccessDeniedFault UnauthorizedOperation Client.UnauthorizedOperation"
        " AuthorizationError AuthorizationErrorException NotAuthorized NotAuthorizedException Forbidden"
        " ForbiddenException UnauthorizedAccess UnauthorizedException AllAccessDisabled 403"
    ),
    FaultKind.CREDENTIALS: _codes(
        "ExpiredToken ExpiredTokenException RequestExpired InvalidClientTokenId UnrecognizedClientException"
        " InvalidAccessKeyId AuthFailure SignatureDoesNotMatch InvalidSignatureException InvalidToken"
        " MissingAuthenticationToken MissingAuthenticationTokenException IncompleteSignature TokenRefreshRequired"
        " RequestTimeTooSkewed InvalidSecurity IDPCommunicationError InvalidIdentityToken"
        " InvalidCredentialsException 401"
    ),
    FaultKind.REGION_DISABLED: _codes(
        "OptInRequired RegionDisabledException SubscriptionRequiredException PendingVerification"
    ),
    FaultKind.THROTTLED: _codes(
        "Throttling ThrottlingException ThrottledException Throttled RequestLimitExceeded RequestThrottled"
        " RequestThrottledException TooManyRequestsException TooManyRequests SlowDown EC2ThrottledException"
        " ProvisionedThroughputExceededException BandwidthLimitExceeded PriorRequestNotComplete"
        " TransactionInProgressException Client.RequestLimitExceeded 429"
    ),
    FaultKind.TIMEOUT: _codes("RequestTimeout RequestTimeoutException NotStabilizedException"),
    FaultKind.UNAVAILABLE: _codes(
        "InternalError InternalFailure InternalServerError InternalServerException InternalServiceError"
        " InternalServiceErrorException InternalErrorException KMSInternalException DependencyTimeoutException"
        " ServiceUnavailable ServiceUnavailableException ServiceFailure ServiceException Unavailable"
        " ServiceInternalErrorException HandlerFailureException HandlerInternalFailureException NetworkFailureException"
        " 502 503 504"
    ),
    FaultKind.NOT_FOUND: _codes(
        "404 NotFound NoSuchKey QueueDoesNotExist AWS.SimpleQueueService.NonExistentQueue Gateway.NotAttached"
        " PipelineDeletedException"
    ),
    FaultKind.ALREADY_EXISTS: _codes(
        "BucketAlreadyExists BucketAlreadyOwnedByYou QueueNameExists QueueAlreadyExists ResourceExistsException"
        " NameAlreadyUsedException ConflictingDomainExists"
    ),
    FaultKind.CONFLICT: _codes(
        "DependencyViolation DeleteConflict ConflictException Conflict OperationAborted ResourceConflictException"
        " ConcurrentModification ConcurrentModificationException ConcurrentAccess TooManyUpdates IncorrectState"
        " IncorrectInstanceState BucketNotEmpty PreconditionFailed UnmodifiableEntity InvalidStateException"
        " KMSInvalidStateException InvalidState StateMachineDeleting InvalidParameterCombination.Conflict"
        " Resource.AlreadyAssociated ResourceContention ScalingActivityInProgress"
        " AWS.SimpleQueueService.QueueDeletedRecently QueueDeletedRecently InvalidBucketState 409 412"
        " InvalidDBInstanceState InvalidDBClusterStateFault InvalidDBParameterGroupState InvalidDBSubnetGroupStateFault"
        " InvalidDBSecurityGroupState InvalidClusterState InvalidClusterParameterGroupState"
        " InvalidClusterSubnetGroupStateFault"
        " HostedZoneNotEmpty HealthCheckVersionMismatch"
    ),
    FaultKind.QUOTA: _codes(
        "TooManyBuckets LimitExceeded LimitExceededException QuotaExceeded QuotaExceededException"
        " HierarchyLevelLimitExceededException AddressLimitExceeded TooManyEntries"
    ),
    FaultKind.INTERNAL: frozenset({"500", "501"}),
    # a type that AWS doesn't know isn't a resource that doesn't exist
    FaultKind.INVALID_REQUEST: _codes(
        "TypeNotFoundException UnsupportedActionException PrivateTypeException NotUpdatableException"
    ),
}
#: Said after a handler has begun to work, perhaps.
_BEGUN = _codes(
    "HandlerFailureException HandlerInternalFailureException NetworkFailureException ServiceInternalErrorException"
    " NotStabilizedException GeneralServiceException"
)
_BY_CODE = {code: kind for kind, codes in _EXACT.items() for code in codes}

_ANYTHING = re.compile("")
_ALREADY = re.compile(r"already exist|\bexists for this Lambda function")
_SCALING = re.compile(
    "(Delete(AutoScalingGroup|LaunchConfiguration|ScheduledAction|Policy)|Describe(ScheduledActions|Policies))$"
)
_NAMED = re.compile(
    "(Describe|Delete|Stop)(SecurityConfiguration|Model|Endpoint|EndpointConfig|NotebookInstance(LifecycleConfig)?)$"
)
#: Codes that mean different things depending on the operation and on the message: tried in order, before the others.
_TOLD: tuple[tuple[frozenset[str], re.Pattern[str], re.Pattern[str], FaultKind], ...] = (
    (_codes("ResourceInUseException ResourceInUse"), re.compile("Create"), _ANYTHING, FaultKind.ALREADY_EXISTS),
    (_codes("ValidationError"), re.compile(".*Stacks?$"), re.compile("does not exist"), FaultKind.NOT_FOUND),
    (
        _codes("ClientException"),
        re.compile("DescribeTaskDefinition$"),
        re.compile("^Unable to describe task definition"),
        FaultKind.NOT_FOUND,
    ),
    (_codes("ValidationError"), _SCALING, re.compile("not found", re.IGNORECASE), FaultKind.NOT_FOUND),
    (
        _codes("InvalidRequestException ValidationException"),
        _NAMED,
        re.compile("does not exist|Could not find|RecordNotFound"),
        FaultKind.NOT_FOUND,
    ),
    (
        _codes("InvalidRequestException"),
        re.compile("(Describe|List|Get|Modify|Remove|Terminate)"),
        re.compile("Cluster id .* is not valid", re.IGNORECASE),
        FaultKind.NOT_FOUND,
    ),
    (_codes("InvalidDocument"), re.compile("(Delete|Describe|Get)Document$"), _ANYTHING, FaultKind.NOT_FOUND),
    (_codes("InvalidResourceId"), re.compile("ListTagsForResource$"), _ANYTHING, FaultKind.NOT_FOUND),
    (_codes("InvalidChangeBatch"), _ANYTHING, re.compile("but it already exists"), FaultKind.ALREADY_EXISTS),
    (
        _codes("InvalidChangeBatch"),
        _ANYTHING,
        re.compile(r"^\[Tried to delete.*but it was not found", re.DOTALL),
        FaultKind.NOT_FOUND,
    ),
    (
        _codes("InvalidParameterException"),
        re.compile("CreateService$"),
        re.compile("was not idempotent"),
        FaultKind.ALREADY_EXISTS,
    ),
    (
        _codes("InvalidParameter InvalidParameterException InvalidParameterValue"),
        re.compile("CreateTopic$"),
        re.compile("already exists with different"),
        FaultKind.ALREADY_EXISTS,
    ),
    # an older region, another partition or an emulator doesn't have the operation
    (_codes("InvalidAction UnknownOperationException UnknownOperation"), _ANYTHING, _ANYTHING, FaultKind.INTERNAL),
    (_codes("InvalidOperationException"), _ANYTHING, re.compile("^Unknown action"), FaultKind.INTERNAL),
    # a HEAD has no body, so its status is all there is
    (_codes("500 501"), re.compile("Head"), _ANYTHING, FaultKind.UNAVAILABLE),
    # not AWS's word for anything: an endpoint or proxy that doesn't know the path
    (_codes("404"), re.compile("(?!Head)."), _ANYTHING, FaultKind.INTERNAL),
    # the only codes that Lambda, API Gateway and the scheduler have for both
    (_codes("ResourceConflictException ConflictException"), _ANYTHING, _ALREADY, FaultKind.ALREADY_EXISTS),
    (
        _codes("LimitExceededException"),
        _ANYTHING,
        re.compile("rate exceeded", re.IGNORECASE),
        FaultKind.THROTTLED,
    ),
)

# Tried in order, after the exact codes.
_BY_PATTERN = (
    (FaultKind.THROTTLED, re.compile(r"throttl|RequestLimitExceeded|^TooManyRequests", re.IGNORECASE)),
    (FaultKind.NOT_FOUND, re.compile(r"NotFound(Exception|Fault|Error)?$|^NoSuch|NonExistent|DoesNotExist")),
    (FaultKind.ALREADY_EXISTS, re.compile(r"AlreadyExist|\.Duplicate$|^Duplicate|AlreadyOwned")),
    (FaultKind.QUOTA, re.compile(r"LimitExceeded|QuotaExceeded|^TooMany|^Insufficient\w*Capacity$|LimitReached")),
    (FaultKind.CONFLICT, re.compile(r"InUse(Exception|Fault)?$|Conflict(Exception)?$|^Incorrect\w*State$|Concurrent")),
    (FaultKind.ACCESS_DENIED, re.compile(r"AccessDenied|NotAuthorized|^Unauthorized")),
    (FaultKind.CREDENTIALS, re.compile(r"^Expired\w*Token|TokenExpired")),
)  # fmt: skip


_NO_CREDENTIALS = (
    boto.NoCredentialsError,
    boto.PartialCredentialsError,
    boto.CredentialRetrievalError,
    boto.ProfileNotFound,
    boto.ConfigNotFound,
    boto.ConfigParseError,
    boto.UnknownCredentialError,
    boto.InvalidConfigError,
    boto.InfiniteLoopConfigError,
    boto.MetadataRetrievalError,
    boto.RefreshWithMFAUnsupportedError,
    boto.SSOError,
    boto.TokenRetrievalError,
    boto.NoAuthTokenError,
)
_NEVER_SENT = (boto.EndpointConnectionError, boto.ConnectTimeoutError, boto.ProxyConnectionError)
_WORDED_BADLY = (
    boto.ParamValidationError,
    boto.ValidationError,
    boto.UnknownServiceError,
    boto.InvalidRegionError,
    boto.NoRegionError,
    boto.DataNotFoundError,
)
_CUT_OFF = (boto.HTTPClientError, boto.ConnectionError, boto.IncompleteReadError, boto.ChecksumError)


def fault_of(error: Exception, service: str, operation: str, *, writes: bool) -> AwsFault:
    """The fault that an exception of botocore stands for.

    ``operation`` is the API name; ``writes`` whether it changes something: only then can a fault be ambiguous.
    """
    if isinstance(error, AwsFault):
        return error
    if isinstance(error, ClientError):
        return _answered(error, service, operation, writes=writes)
    kind, message, sent = _unanswered(error)
    return AwsFault(
        kind,
        message,
        service=service,
        operation=operation,
        code=type(error).__name__,
        ambiguous=writes and sent,
    )


def kind_of(code: str, status: int = 400, message: str = "", operation: str = "") -> FaultKind:
    """The kind of an error that AWS answered with: by code, then by HTTP status."""
    kind = _special(code, message, operation) or _BY_CODE.get(code)
    if kind is not None:
        return kind
    for kind, pattern in _BY_PATTERN:
        if pattern.search(code):
            return kind
    if status == 429:
        return FaultKind.THROTTLED
    if status >= 500:
        return FaultKind.UNAVAILABLE
    return FaultKind.INVALID_REQUEST


def _special(code: str, message: str, operation: str) -> FaultKind | None:
    """Codes that mean different things depending on where they come from."""
    if told := told_code(message):
        return kind_of_code(told, message)
    for codes, called, said, kind in _TOLD:
        if code in codes and called.match(operation) and said.search(message):
            return kind
    return None


def _answered(error: ClientError, service: str, operation: str, *, writes: bool) -> AwsFault:
    response: Mapping[str, Any] = error.response
    details = response.get("Error", {})
    code, message = str(details.get("Code", "")), str(details.get("Message") or "no message")
    status = int(response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))
    actual = error.operation_name or operation
    kind = kind_of(code, status, message, actual)
    if kind is FaultKind.INTERNAL:
        said = f"answered {code} without an AWS error" if code.isdecimal() else message
        message = f"{said}: the endpoint doesn't implement this call, or it crashed on it"
    # Another operation's error (assuming the role, say) came before ours was sent.
    ours = actual == operation
    caller = service if ours else "sts"
    permission = resource = ""
    if kind is FaultKind.ACCESS_DENIED:
        message, permission, resource = _denied(message, caller, actual)
    return AwsFault(
        kind,
        message,
        service=caller,
        operation=actual,
        code=code,
        permission=permission,
        resource=resource,
        ambiguous=writes and ours and kind is not FaultKind.THROTTLED and _may_have_begun(kind, status, code),
    )


def _may_have_begun(kind: FaultKind, status: int, code: str) -> bool:
    return status >= 500 or kind is FaultKind.TIMEOUT or code in _BEGUN


def _denied(message: str, service: str, operation: str) -> tuple[str, str, str]:
    """Message, IAM action and resource of a denied call: as AWS names them, else the action by the operation."""
    told = denial_in(message)
    if told.permission:
        return message, told.permission, told.resource
    action = action_of(service, operation)
    return (needing(message, action) if action else message), action, told.resource


def _unanswered(error: Exception) -> tuple[FaultKind, str, bool]:
    """Kind, message and whether the request may have been sent, of a failure without an answer from AWS."""
    if isinstance(error, _NO_CREDENTIALS):
        return FaultKind.CREDENTIALS, str(error), False
    if isinstance(error, boto.ConnectTimeoutError):
        return FaultKind.TIMEOUT, f"could not connect in time: {error}", False
    if isinstance(error, _NEVER_SENT):
        return FaultKind.UNAVAILABLE, str(error), False
    if isinstance(error, _WORDED_BADLY):
        return FaultKind.INVALID_REQUEST, str(error), False
    if isinstance(error, boto.ReadTimeoutError):
        return FaultKind.TIMEOUT, f"no answer in time: {error}", True
    if isinstance(error, ResponseParserError):
        return _unparsable(error)
    if isinstance(error, _CUT_OFF):
        return FaultKind.UNAVAILABLE, f"connection lost: {error}", True
    return FaultKind.INTERNAL, f"{type(error).__name__}: {error}", True


def _unparsable(error: ResponseParserError) -> tuple[FaultKind, str, bool]:
    """An answer that is not in the service's format: a proxy's or load balancer's page, or a crashed emulator."""
    text = str(error)
    if re.search(r"50[234]|Service Unavailable|Bad Gateway|Gateway Time", text):
        return FaultKind.UNAVAILABLE, "answered with a page of a proxy or load balancer instead of an AWS error", True
    return (
        FaultKind.INTERNAL,
        "answered something that is not an AWS response: the endpoint doesn't implement this call, or crashed on it",
        True,
    )
