"""Types that a listing shows: few calls for many, and never a wrong answer from a listing that lags."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import pytest

from reconciler.model.errors import AwsFault, FaultKind
from reconciler.model.ids import Identifier, LogicalId, Owner, PlanName
from reconciler.model.progress import Done
from reconciler.model.resource import Observation, Wanted
from reconciler.providers.native.named import ListedProvider
from reconciler.providers.native.s3 import Bucket
from reconciler.providers.native.sns import Topic
from reconciler.providers.native.sqs import Queue
from tests.unit.providers_native.scripted import ACCOUNT, Answer, ScriptedScope

BASE = f"https://sqs.eu-central-1.amazonaws.com/{ACCOUNT}/"
ARN = f"arn:aws:sns:eu-central-1:{ACCOUNT}:"
NAMES = [f"n{number}" for number in range(8)]
MISSING = AwsFault(FaultKind.NOT_FOUND, "no such thing")
REFUSED = AwsFault(FaultKind.ACCESS_DENIED, "no")
ME, OTHER = Owner(PlanName("web"), LogicalId("Jobs")), Owner(PlanName("data"), LogicalId("Jobs"))

#: a provider, what its identifiers begin with, its name property, its exact call, its listing and how that shows names
TYPES: list[tuple[ListedProvider, str, str, str, str, Any]] = [
    (
        Queue(),
        BASE,
        "QueueName",
        "get_queue_attributes",
        "list_queues",
        lambda names: {"QueueUrls": [BASE + name for name in names]},
    ),
    (
        Topic(),
        ARN,
        "TopicName",
        "get_topic_attributes",
        "list_topics",
        lambda names: {"Topics": [{"TopicArn": ARN + name} for name in names]},
    ),
    (
        Bucket(),
        "",
        "BucketName",
        "get_bucket_versioning",
        "list_buckets",
        lambda names: {"Buckets": [{"Name": name} for name in names]},
    ),
]
BY_TYPE = pytest.mark.parametrize(
    ("provider", "base", "name", "exact", "listing", "shown"), TYPES, ids=[one[0].type_name for one in TYPES]
)


def wanted(base: str, names: Collection[str], *properties: str) -> list[Wanted]:
    return [Wanted(Identifier(base + name), frozenset(properties)) for name in names]


def asked(scope: ScriptedScope, operation: str) -> int:
    return sum(1 for name, _ in scope.asked if name == operation)


@BY_TYPE
def test_what_an_identifier_tells_is_read_from_a_listing(
    provider: ListedProvider, base: str, name: str, exact: str, listing: str, shown: Any
) -> None:
    scope = ScriptedScope(**{listing: [shown([*NAMES, "another"])], exact: [MISSING]})
    answers = provider.read_many(scope, wanted(base, NAMES, name))
    assert {one: answer.properties[name] for one, answer in answers.items() if isinstance(answer, Observation)} == {
        base + one: one for one in NAMES
    }
    assert (asked(scope, listing), asked(scope, exact)) == (1, 0)


@BY_TYPE
def test_what_a_listing_lacks_is_asked_for(
    provider: ListedProvider, base: str, name: str, exact: str, listing: str, shown: Any
) -> None:
    attributes = {"Attributes": {"QueueArn": f"arn:aws:sqs:eu-central-1:{ACCOUNT}:n0"}}
    scope = ScriptedScope(**{listing: [shown(NAMES[2:])], exact: [attributes, MISSING]})
    answers = provider.read_many(scope, wanted(base, NAMES, name))
    assert set(answers) == {base + one for one in NAMES if one != "n1"}
    assert asked(scope, exact) == 2


@BY_TYPE
def test_a_listing_that_is_refused_proves_nothing(
    provider: ListedProvider, base: str, name: str, exact: str, listing: str, shown: Any
) -> None:
    answers: dict[str, list[Answer]] = {listing: [REFUSED], exact: [MISSING]}
    scope = ScriptedScope(**answers)
    assert provider.read_many(scope, wanted(base, NAMES, name)) == {}
    assert asked(scope, exact) == len(NAMES)
    assert shown([]) != {}


@BY_TYPE
@pytest.mark.parametrize("properties", [(), ("Tags", "KmsMasterKeyId", "VersioningConfiguration")])
def test_whether_it_is_gone_and_settings_are_asked_for_exactly(
    provider: ListedProvider, base: str, name: str, exact: str, listing: str, shown: Any, properties: tuple[str, ...]
) -> None:
    scope = ScriptedScope(**{listing: [shown(NAMES)], exact: [MISSING]})
    assert (
        provider.read_many(scope, wanted(base, NAMES, name, *properties) if properties else wanted(base, NAMES)) == {}
    )
    assert asked(scope, listing) == 0
    assert asked(scope, exact) == len(NAMES)


def test_in_an_account_full_of_others_a_listing_is_given_up_and_what_it_showed_is_used() -> None:
    others = {"Topics": [{"TopicArn": f"{ARN}other-{number}"} for number in range(100)], "NextToken": "more"}
    first = {"Topics": [{"TopicArn": ARN + name} for name in NAMES[:3]], "NextToken": "more"}
    scope = ScriptedScope(list_topics=[first, others], get_topic_attributes=[{"Attributes": {}}])
    assert len(Topic().read_many(scope, wanted(ARN, NAMES, "TopicName"))) == len(NAMES)
    assert (asked(scope, "list_topics"), asked(scope, "get_topic_attributes")) == (2, 5)


def test_a_listing_ends_when_all_are_found() -> None:
    full = {"Topics": [{"TopicArn": ARN + name} for name in NAMES], "NextToken": "more"}
    scope = ScriptedScope(list_topics=[full], get_topic_attributes=[MISSING])
    assert len(Topic().read_many(scope, wanted(ARN, NAMES, "TopicName"))) == len(NAMES)
    assert asked(scope, "list_topics") == 1


def test_a_few_are_asked_for_one_by_one() -> None:
    scope = ScriptedScope(list_queues=[{"QueueUrls": [BASE + name for name in NAMES]}], get_queue_attributes=[MISSING])
    assert Queue().read_many(scope, wanted(BASE, NAMES[:5], "QueueName")) == {}
    assert asked(scope, "list_queues") == 0


def test_the_creation_of_a_queue_with_an_owner_guards_itself() -> None:
    scope = ScriptedScope(create_queue=[{"QueueUrl": BASE + "jobs"}])
    desired = {"QueueName": "jobs", "Tags": [{"Key": key, "Value": value} for key, value in ME.tags().items()]}
    made = Queue().create(scope, desired, token=None)  # type: ignore[arg-type]
    assert made == Done(Identifier(BASE + "jobs"))
    assert [name for name, _ in scope.asked] == ["create_queue"]


def test_without_an_owner_in_its_tags_it_is_looked_for_first() -> None:
    scope = ScriptedScope(get_queue_url=[{"QueueUrl": BASE + "jobs"}])
    with pytest.raises(AwsFault, match="no plan owns it") as caught:
        Queue().create(scope, {"QueueName": "jobs"}, token=None)  # type: ignore[arg-type]
    assert caught.value.kind is FaultKind.ALREADY_EXISTS
    assert asked(scope, "create_queue") == 0


def test_a_queue_of_another_owner_is_refused_by_its_creation() -> None:
    taken = AwsFault(FaultKind.ALREADY_EXISTS, "different value for tag(s)")
    url = {"QueueUrl": BASE + "jobs"}
    scope = ScriptedScope(create_queue=[taken], get_queue_url=[url], list_queue_tags=[{"Tags": OTHER.tags()}])
    desired = {"QueueName": "jobs", "Tags": [{"Key": key, "Value": value} for key, value in ME.tags().items()]}
    with pytest.raises(AwsFault, match="belongs to plan data"):
        Queue().create(scope, desired, token=None)  # type: ignore[arg-type]
