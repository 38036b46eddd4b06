"""The provider against the API in memory: requests, their failures, and what is found again."""

from __future__ import annotations

import json
from typing import Any

import pytest

from reconciler.model.errors import AwsFault, FaultKind
from reconciler.model.ids import ClientToken, Identifier, Owner
from reconciler.model.progress import Done, Handle, Pending, Progress
from reconciler.model.resource import Located, Observation, Unreadable, Wanted
from reconciler.model.values import Sensitive
from reconciler.providers.cloudcontrol import CloudControl, locating
from reconciler.providers.registry import Registry
from reconciler.testing.cloudcontrol import CloudControlApi, Failure
from reconciler.testing.cloudscope import CloudControlScope

TOKEN = ClientToken("a" * 64)
OWNER = Owner("demo", "Thing")  # type: ignore[arg-type]
TAGS = [{"Key": key, "Value": value} for key, value in OWNER.tags().items()]
STREAM = "AWS::Kinesis::Stream"
WORKSPACE = "AWS::APS::Workspace"  # identified by an ARN that AWS makes up, with tags


@pytest.fixture
def api() -> CloudControlApi:
    return CloudControlApi()


@pytest.fixture
def scope(api: CloudControlApi) -> CloudControlScope:
    return CloudControlScope(api)


def finished(provider: CloudControl, scope: CloudControlScope, progress: Progress) -> Identifier:
    while isinstance(progress, Pending):
        progress = provider.poll(scope, progress.handle)
    return progress.identifier


def test_a_request_is_polled_by_its_token_at_the_pace_that_aws_asks_for(api: CloudControlApi, scope: Any) -> None:
    api.polls = 2
    provider = CloudControl(STREAM)
    first = provider.create(scope, {"Name": "events", "ShardCount": "2"}, TOKEN)
    assert isinstance(first, Pending)
    assert (first.handle, first.after) == (Handle(Identifier(""), "request-000001"), 3.0)
    second = provider.poll(scope, first.handle)
    assert isinstance(second, Pending)
    assert provider.poll(scope, second.handle) == Done(Identifier("events"))
    assert api.of(STREAM)["events"]["ShardCount"] == 2


def test_a_create_with_a_known_token_makes_nothing_twice(api: CloudControlApi, scope: Any) -> None:
    provider = CloudControl(WORKSPACE)
    made = [finished(provider, scope, provider.create(scope, {"Alias": "x"}, TOKEN)) for _ in range(3)]
    assert len(api.resources) == len(set(made)) == 1
    with pytest.raises(AwsFault, match="has been used") as raised:
        provider.create(scope, {"Alias": "y"}, TOKEN)
    assert raised.value.kind is FaultKind.CONFLICT


def test_what_is_read_only_is_never_given_and_what_is_unknown_refused(api: CloudControlApi, scope: Any) -> None:
    provider = CloudControl(STREAM)
    assert "Arn" not in provider.supported
    with pytest.raises(AwsFault, match="Nonsense"):
        provider.create(scope, {"Name": "x", "Nonsense": 1}, TOKEN)
    assert not api.calls


def test_an_update_gives_secrets_again_and_a_delete_of_nothing_is_done(api: CloudControlApi, scope: Any) -> None:
    provider = CloudControl("AWS::RDS::DBInstance")
    secret = {"MasterUserPassword": Sensitive("correct horse")}
    desired = {"DBInstanceIdentifier": "db", "DBInstanceClass": "small", **secret}
    identifier = finished(provider, scope, provider.create(scope, desired, TOKEN))
    live = provider.read_many(scope, [Wanted(identifier)])[identifier]
    assert isinstance(live, Observation)
    assert "MasterUserPassword" not in live.properties
    after = {**desired, "DBInstanceClass": "large"}
    finished(
        provider, scope, provider.update(scope, identifier, live.properties, after, frozenset({"DBInstanceClass"}))
    )
    model = api.of("AWS::RDS::DBInstance")["db"]
    assert (model["DBInstanceClass"], model["MasterUserPassword"]) == ("large", "correct horse")
    for _ in range(2):
        assert finished(provider, scope, provider.delete(scope, identifier)) == identifier
    assert not api.resources


def test_one_that_cannot_be_read_does_not_spoil_the_others(api: CloudControlApi, scope: Any) -> None:
    provider = CloudControl(STREAM)
    for name in ("a", "b"):
        finished(provider, scope, provider.create(scope, {"Name": name}, ClientToken(name)))
    api.fail["GetResource"].append(Failure("GeneralServiceException", "boom", raised=True))
    found = provider.read_many(scope, [Wanted(Identifier(name)) for name in ("a", "b", "gone")])
    assert isinstance(found[Identifier("a")], Unreadable)
    assert isinstance(found[Identifier("b")], Observation)
    assert found.keys() == {"a", "b"}


def test_a_secret_that_can_be_read_is_hidden_at_once(api: CloudControlApi, scope: Any) -> None:
    provider = CloudControl("AWS::AppSync::ApiKey")
    identifier = finished(provider, scope, provider.create(scope, {"ApiId": "api"}, TOKEN))
    live = provider.read_many(scope, [Wanted(identifier)])[identifier]
    assert isinstance(live, Observation)
    assert isinstance(live.properties["ApiKey"], Sensitive)
    assert isinstance(live.properties["ApiId"], str)


CODES = {
    "AccessDenied": FaultKind.ACCESS_DENIED, "AlreadyExists": FaultKind.ALREADY_EXISTS,
    "GeneralServiceException": FaultKind.INVALID_REQUEST, "InternalFailure": FaultKind.UNAVAILABLE,
    "InvalidCredentials": FaultKind.CREDENTIALS, "InvalidRequest": FaultKind.INVALID_REQUEST,
    "NetworkFailure": FaultKind.UNAVAILABLE, "NotFound": FaultKind.NOT_FOUND, "NotStabilized": FaultKind.TIMEOUT,
    "NotUpdatable": FaultKind.INVALID_REQUEST, "ResourceConflict": FaultKind.CONFLICT,
    "ServiceInternalError": FaultKind.UNAVAILABLE, "ServiceLimitExceeded": FaultKind.QUOTA,
    "ServiceTimeout": FaultKind.TIMEOUT, "Throttling": FaultKind.THROTTLED, "CANCEL_COMPLETE": FaultKind.CONFLICT,
    "UnauthorizedTaggingOperation": FaultKind.ACCESS_DENIED, "OfTomorrow": FaultKind.INVALID_REQUEST,
}  # fmt: skip


@pytest.mark.parametrize(("code", "kind"), CODES.items())
@pytest.mark.parametrize("polls", [0, 1])
def test_every_handler_code_is_a_failure_and_no_doubt(
    api: CloudControlApi, scope: Any, code: str, kind: Any, polls: int
) -> None:
    api.polls = polls
    api.fail["CreateResource"].append(Failure(code, "said so"))
    provider = CloudControl(STREAM)
    with pytest.raises(AwsFault, match=r"said so|cancelled") as raised:
        finished(provider, scope, provider.create(scope, {"Name": "x"}, TOKEN))
    fault = raised.value
    assert (fault.kind, fault.failed, fault.ambiguous, fault.operation) == (kind, True, False, "CreateResource")


def test_every_code_of_the_sdk_is_known() -> None:
    from botocore.session import get_session

    from reconciler.providers.handlercodes import _KINDS

    assert set(get_session().get_service_model("cloudcontrol").shape_for("HandlerErrorCode").enum) <= _KINDS.keys()


def test_the_permission_that_a_handler_lacks_is_named_and_never_cloud_controls_own(
    api: CloudControlApi, scope: Any
) -> None:
    provider = CloudControl(STREAM)
    words = (
        "User: arn:aws:iam::111111111111:user/x is not authorized to perform: kinesis:CreateStream on resource: arn:x"
    )
    for code, said, permission in [
        ("AccessDenied", words, "kinesis:CreateStream"),
        ("GeneralServiceException", words, "kinesis:CreateStream"),
        ("AccessDenied", "no", ""),
    ]:
        api.fail["CreateResource"].append(Failure(code, said))
        with pytest.raises(AwsFault) as raised:
            provider.create(scope, {"Name": "x"}, ClientToken(code + str(len(said))))
        assert (raised.value.kind, raised.value.permission) == (FaultKind.ACCESS_DENIED, permission)


def test_what_a_failed_create_has_left_is_told_before_the_failure(api: CloudControlApi, scope: Any) -> None:
    api.fail["CreateResource"].append(Failure("NotStabilized", "never got ready", effect=True))
    provider = CloudControl(WORKSPACE)
    first = provider.create(scope, {"Alias": "x"}, TOKEN)
    assert isinstance(first, Pending)
    assert first.handle.identifier in api.of(WORKSPACE)
    with pytest.raises(AwsFault, match="never got ready"):
        provider.poll(scope, first.handle)


def test_a_request_that_aws_has_forgotten_is_not_a_failed_one(scope: Any) -> None:
    with pytest.raises(AwsFault) as raised:
        CloudControl(STREAM).poll(scope, Handle(Identifier("x"), "long-ago"))
    assert (raised.value.kind, raised.value.failed) == (FaultKind.NOT_FOUND, False)


@pytest.mark.parametrize("code", ["TypeNotFoundException", "UnsupportedActionException", "PrivateTypeException"])
def test_a_type_that_aws_does_not_know_is_no_missing_resource(api: CloudControlApi, scope: Any, code: str) -> None:
    api.fail["GetResource"].append(Failure(code, "no", raised=True))
    found = CloudControl(STREAM).read_many(scope, [Wanted(Identifier("x"))])
    assert isinstance(found[Identifier("x")], Unreadable)


# finding


def test_by_name_whoever_it_belongs_to(api: CloudControlApi, scope: Any) -> None:
    provider = CloudControl(STREAM)
    finished(provider, scope, provider.create(scope, {"Name": "x"}, TOKEN))
    assert provider.locate(scope, {"Name": "x"}, OWNER) == (Located(Identifier("x"), None),)
    assert provider.locate(scope, {"Name": "y"}, OWNER) == ()


def test_by_tags_where_aws_makes_the_identifier_up(api: CloudControlApi, scope: Any) -> None:
    provider = CloudControl(WORKSPACE)
    finished(provider, scope, provider.create(scope, {"Alias": "x"}, ClientToken("1")))
    mine = finished(provider, scope, provider.create(scope, {"Alias": "x", "Tags": TAGS}, ClientToken("2")))
    assert provider.locate(scope, {"Alias": "x"}, OWNER) == (Located(mine, OWNER),)
    api.page = 1  # on the second page, and seen in the listing itself
    api.shown = True
    assert provider.locate(scope, {"Alias": "x"}, OWNER) == (Located(mine, OWNER),)


def test_several_with_the_same_tags_are_all_told(api: CloudControlApi, scope: Any) -> None:
    provider = CloudControl(WORKSPACE)
    for number in "12":
        finished(provider, scope, provider.create(scope, {"Tags": TAGS}, ClientToken(number)))
    assert len(provider.locate(scope, {}, OWNER)) == 2


def test_another_identifier_counts_too(api: CloudControlApi, scope: Any) -> None:
    provider = CloudControl("AWS::AppConfig::Application")
    identifier = finished(provider, scope, provider.create(scope, {"Name": "app"}, TOKEN))
    assert provider.locate(scope, {"Name": "app"}, OWNER) == (Located(identifier, None),)
    # a handler that doesn't understand it has found nothing
    api.fail["GetResource"].append(Failure("InvalidRequestException", "what is that", raised=True))
    assert provider.locate(scope, {"Name": "app"}, OWNER) == ()


def test_a_listing_is_narrowed_by_what_it_belongs_to(api: CloudControlApi, scope: Any) -> None:
    provider = CloudControl("AWS::Amplify::Branch")
    for app in ("d1", "d2"):
        desired = {"AppId": app, "BranchName": "main", "Tags": TAGS if app == "d1" else []}
        finished(provider, scope, provider.create(scope, desired, ClientToken(app)))
    (found,) = provider.locate(scope, {"AppId": "d1", "BranchName": "main"}, OWNER)
    assert found.owner == OWNER
    assert provider.locate(scope, {"BranchName": "main"}, OWNER) == ()


def test_not_being_allowed_to_look_is_not_having_found_nothing(api: CloudControlApi, scope: Any) -> None:
    api.fail["ListResources"].append(Failure("AccessDeniedException", "no", raised=True))
    with pytest.raises(AwsFault) as raised:
        CloudControl(WORKSPACE).locate(scope, {"Alias": "x"}, OWNER)
    assert raised.value.kind is FaultKind.ACCESS_DENIED


def test_the_search_has_an_end(api: CloudControlApi, scope: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(locating, "MOST_READS", 3)
    provider = CloudControl("AWS::EKS::PodIdentityAssociation")
    desired = {"ClusterName": "c", "Namespace": "n", "RoleArn": "r", "ServiceAccount": "s"}
    for number in range(10):
        finished(provider, scope, provider.create(scope, desired, ClientToken(str(number))))
    api.calls.clear()
    assert provider.locate(scope, desired, OWNER) == ()
    assert api.calls["GetResource"] <= 3


# the registry


def test_native_first_then_cloud_control_then_nothing() -> None:
    registry = Registry()
    native, other = registry.get("AWS::EC2::VPC"), registry.get(WORKSPACE)
    assert native is not None
    assert not isinstance(native, CloudControl)
    assert isinstance(other, CloudControl)
    assert registry.get(WORKSPACE) is other
    assert registry.get("AWS::CloudFormation::WaitCondition") is None
    assert registry.get("Custom::Thing") is None


def test_a_description_that_cannot_be_understood_is_no_resource(scope: Any, api: CloudControlApi) -> None:
    with pytest.raises(AwsFault) as raised:
        locating.described({"Identifier": "x", "Properties": "{"})
    assert raised.value.kind is FaultKind.INTERNAL
    assert locating.described({"Identifier": "x", "Properties": json.dumps({"a": 1})}).properties == {"a": 1}
