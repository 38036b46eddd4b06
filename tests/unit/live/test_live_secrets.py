"""Wherever a secret stands or stood, no rendering of what is to be changed shows it, and drift is still seen."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.cli.show.changes import change_set, markdown
from reconciler.diff.build import build
from reconciler.live import Seen, View, compare, target, veil
from reconciler.model.change import ChangeSet
from reconciler.model.codec import to_json
from reconciler.model.decision import Facts
from reconciler.model.ids import Identifier, LogicalId, PlanName, TypeName
from reconciler.model.plan import PlannedResource
from reconciler.model.resource import Observation, Record, SyncState
from reconciler.model.secrecy import MASK, forget_all, scrub
from reconciler.model.values import Deferred, Sensitive, mask, reveal, sealed
from reconciler.policy.document import policy_input
from reconciler.schema import canonical, schema_for, tag_values
from reconciler.status.reporting import summary
from reconciler.store.rules import storable
from reconciler.template import resolve
from tests.unit.cycle.conftest import NETWORK, make_plan

TOPIC, PARAMETER = TypeName("AWS::SNS::Topic"), TypeName("AWS::SSM::Parameter")
NAME, REGION, AT = LogicalId("Thing"), "us-east-1", datetime(2026, 1, 2, tzinfo=UTC)
SECRETS = FIRST, SECOND, FOUND = "first-9Qx1", "second-9Qx2", "found-9Qx3"


class Nothing:
    """Nothing comes from outside."""

    def zones(self, region: str) -> list[str]:
        raise AssertionError(region)

    imported = zones

    def dynamic(self, service: str, key: str) -> Any:
        raise AssertionError((service, key))


@pytest.fixture(autouse=True)
def nothing_known() -> Iterator[None]:
    forget_all()
    yield
    forget_all()


def diffed(
    kind: TypeName, desired: Mapping[str, Any], live: Mapping[str, Any] | None, applied: Mapping[str, Any] | None
) -> ChangeSet:
    """What a pass would do about one resource."""
    record = None if applied is None else Record(PlanName("web"), NAME, kind, Identifier("x"), "1", REGION, applied)
    seen = None if live is None else Observation(Identifier("x"), live)
    view = View(REGION, Nothing(), {NAME: Seen(kind, Identifier("x"), record, seen)})
    plan = replace(make_plan(NETWORK), resources={NAME: PlannedResource(NAME, kind, desired)})
    return build(plan, view, AT)


def told(changes: ChangeSet) -> str:
    """Everything that is written about changes, by one who has never met their secrets before."""
    forget_all()
    return "\n".join(
        [
            str(change_set(changes)),
            markdown(changes),
            *(to_json(summary(change)) for change in changes.changes),
            *(json.dumps(mask([change.before, change.after])) for change in changes.changes),
            json.dumps(policy_input(changes.plan, changes, Facts(AT))),
            repr(changes.changes),
        ]
    )


#: A field as it is wanted, and as it was last applied: a secret, another one, plain, or not set.
SIDES = st.tuples(*[st.sampled_from([Sensitive(FIRST), Sensitive(SECOND), "plain", None])] * 2)
#: What AWS has where a secret is or was: that, or what somebody else has put there.
LIVE = st.sampled_from([FIRST, SECOND, FOUND, None])


def properties(kind: TypeName, values: list[Any]) -> dict[str, Any]:
    """The values in places that are compared and merged in different ways: a text, a tag, a key of an object."""
    text, tag, nested = values
    found = {
        ("DisplayName" if kind == TOPIC else "Value"): text,
        "Tags": None
        if tag is None
        else [{"Key": "who", "Value": tag}, {"Key": "env", "Value": "blue"}]
        if kind == TOPIC
        else {"who": tag, "env": "blue"},
    }
    if kind == TOPIC:
        found["ArchivePolicy"] = None if nested is None else {"MessageRetentionPeriod": nested}
    else:
        found["Description"] = nested
    return {name: value for name, value in found.items() if value is not None}


@given(st.sampled_from([TOPIC, PARAMETER]), st.tuples(*[st.tuples(SIDES, LIVE)] * 3))
def test_no_secret_is_told(kind: TypeName, fields: tuple[tuple[tuple[Any, Any], str | None], ...]) -> None:
    live = [
        found if any(isinstance(side, Sensitive) for side in sides) or found is None else "other"
        for sides, found in fields
    ]
    desired, applied = (properties(kind, [sides[index] for sides, _ in fields]) for index in (0, 1))
    changes = diffed(kind, desired, properties(kind, live), sealed(applied))
    text = told(changes)
    assert not [secret for secret in SECRETS if secret in text]
    schema = schema_for(kind, REGION)
    shown = properties(kind, live)
    drifted = [
        name
        for name, value in desired.items()
        if canonical(schema, (name,), value) != canonical(schema, (name,), shown.get(name))
        and (name in shown or schema is None or not schema.is_secret((name,)))  # write-only: not seen to be missing
    ]
    assert not drifted or changes.changes, "masked or not, a difference is seen"


def test_a_secret_tag_is_told_from_others_and_drift_of_it_is_seen() -> None:
    desired = {"Tags": [{"Key": "who", "Value": Sensitive(FIRST)}, {"Key": "env", "Value": "blue"}]}
    live = {"Tags": [{"Key": "env", "Value": "green"}, {"Key": "who", "Value": FOUND}, {"Key": "a", "Value": "b"}]}
    fields = compare(schema_for(TOPIC), desired, live, None)
    assert {field.path: (str(field.before), str(field.after)) for field in fields} == {
        "/Tags/who": (MASK, MASK),
        "/Tags/env": ("green", "blue"),
    }
    after = target(schema_for(TOPIC), desired, live, fields)
    assert FIRST not in str(after)
    tags = {tag["Key"]: tag["Value"] for tag in reveal(after)["Tags"]}
    assert tags == {"who": FIRST, "env": "blue", "a": "b"}, "AWS gets it, and keeps the tags of others"
    assert compare(schema_for(TOPIC), desired, reveal(after), None) == ()


def test_what_is_hidden_for_its_place_is_no_secret_word() -> None:
    """A tier is write-only by the schema, and tags are hidden as a whole where one holds a secret."""
    changes = diffed(PARAMETER, {"Value": "x", "Tags": {"env": "blue"}, "Tier": "Standard"}, None, None)
    (change,) = changes.changes
    assert str((change.after or {})["Tier"]) == MASK
    assert str(tag_values(Sensitive({"env": "production"}))["env"]) == MASK
    assert scrub("production, Standard") == "production, Standard"


@pytest.mark.parametrize(("wanted", "applied"), [(Sensitive(FIRST), None), ("plain", Sensitive(FIRST))])
def test_a_reference_to_a_property_with_a_secret_is_one(wanted: Any, applied: Any) -> None:
    record = Record(PlanName("web"), NAME, TOPIC, Identifier("x"), "1", REGION, sealed({"DisplayName": applied}))
    live = Observation(Identifier("x"), {"DisplayName": FIRST, "TopicName": "t"})
    view = View(REGION, Nothing(), {NAME: Seen(TOPIC, Identifier("x"), record, live)})
    view.want(NAME, {"DisplayName": wanted, "TopicName": "t"})
    copy = resolve(Deferred("Fn::Join", ["", ["a ", Deferred("Fn::GetAtt", ["Thing", "DisplayName"])]]), view)
    assert isinstance(copy, Sensitive)
    assert copy.reveal() == f"a {FIRST}"
    assert not storable(copy)
    assert resolve(Deferred("Fn::GetAtt", ["Thing", "TopicName"]), view) == "t"


def test_an_export_with_a_secret_in_its_text_isnt_kept() -> None:
    assert storable(f"x {FIRST}")
    Sensitive(FIRST)
    assert not storable({"a": f"x {FIRST}"})


def test_what_was_a_secret_stays_hidden_when_it_is_no_more() -> None:
    schema = schema_for(TOPIC)
    veiled = veil(schema, {"DisplayName": FIRST, "TopicName": "t"}, sealed({"DisplayName": Sensitive(FIRST)}), {})
    assert (str(veiled["DisplayName"]), veiled["TopicName"]) == (MASK, "t")
    for desired in ({"DisplayName": "plain"}, {}):
        (field,) = compare(schema, desired, {"DisplayName": FIRST}, sealed({"DisplayName": Sensitive(FIRST)}))
        assert str(field.before) == MASK


def test_secrets_inside_of_secrets_are_revealed_to_aws() -> None:
    assert reveal({"Tags": Sensitive({"who": Sensitive(FIRST)})}) == {"Tags": {"who": FIRST}}
    assert Sensitive([Sensitive(FIRST)]).reveal() == [FIRST]


def test_a_resource_as_it_should_be_is_in_sync() -> None:
    desired = {"Value": Sensitive(FIRST), "Tags": {"who": Sensitive(SECOND)}}
    changes = diffed(PARAMETER, desired, {"Value": FIRST, "Tags": {"who": SECOND, "theirs": "x"}}, sealed(desired))
    assert [state.state for state in changes.resources] == [SyncState.IN_SYNC]
