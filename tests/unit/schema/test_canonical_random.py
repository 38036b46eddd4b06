"""Any respelling of the same meaning is equal, any change of meaning is not: over random policies and rules."""

from __future__ import annotations

import copy
import json
import random
from collections.abc import Iterator
from typing import Any

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from reconciler.schema import canonical, schema_for

ROLE = schema_for("AWS::IAM::Role")
GROUP = schema_for("AWS::EC2::SecurityGroup")
PROTOCOLS = {"tcp": ["tcp", "6", 6, "TCP"], "udp": ["udp", "17", 17], "icmp": ["icmp", "1"], "-1": ["-1", -1, "all"]}

ACTIONS = st.sampled_from(["s3:GetObject", "s3:Put*", "ec2:RunInstances", "*"])
RESOURCES = st.sampled_from(["*", "arn:aws:s3:::a/*", "arn:aws:s3:::B/*"])
ACCOUNTS = st.sampled_from(["123456789012", "012345678901"])
VALUES = st.sampled_from(["true", "false", "5", "vpc-1"])


def some(strategy: st.SearchStrategy[Any]) -> st.SearchStrategy[list[Any]]:
    return st.lists(strategy, min_size=1, max_size=3, unique=True)


STATEMENTS = st.fixed_dictionaries(
    {"Effect": st.sampled_from(["Allow", "Deny"])},
    optional={
        "Sid": st.sampled_from(["A", "B"]),
        "Action": some(ACTIONS),
        "NotResource": some(RESOURCES),
        "Resource": some(RESOURCES),
        "Principal": st.fixed_dictionaries(
            {"AWS": some(ACCOUNTS)}, optional={"Service": some(st.sampled_from(["x", "y"]))}
        ),
        "Condition": st.dictionaries(
            st.sampled_from(["Bool", "StringEquals"]),
            st.dictionaries(st.sampled_from(["aws:x", "aws:y"]), some(VALUES), min_size=1, max_size=2),
            max_size=2,
        ),
    },
)
POLICIES = st.fixed_dictionaries(
    {
        "Version": st.sampled_from(["2012-10-17", "2008-10-17"]),
        "Statement": st.lists(STATEMENTS, min_size=1, max_size=3),
    }
)
RULES = st.lists(
    st.fixed_dictionaries(
        {"IpProtocol": st.sampled_from(sorted(PROTOCOLS))},
        optional={
            "FromPort": st.integers(0, 3),
            "ToPort": st.integers(0, 3),
            "CidrIp": st.sampled_from(["10.0.0.0/16", "10.0.0.0/8"]),
            "CidrIpv6": st.sampled_from(["2001:db8::/32", "::/0"]),
            "Description": st.sampled_from(["a", "A"]),
        },
    ),
    max_size=4,
)
SEEDS = st.integers(0, 2**32).map(random.Random)


def shuffled(items: list[Any], dice: random.Random) -> list[Any]:
    return dice.sample(items, len(items))


def reordered(value: dict[str, Any], dice: random.Random) -> dict[str, Any]:
    return dict(shuffled(list(value.items()), dice))


def one_or_list(items: list[Any], dice: random.Random) -> Any:
    items = shuffled(items, dice)
    return items[0] if len(items) == 1 and dice.random() < 0.5 else items


def respelt_policy(policy: dict[str, Any], dice: random.Random) -> Any:
    statements = one_or_list([respelt_statement(item, dice) for item in policy["Statement"]], dice)
    result = reordered({**policy, "Statement": statements}, dice)
    return json.dumps(result, indent=dice.choice([None, 2])) if dice.random() < 0.5 else result


def respelt_statement(statement: dict[str, Any], dice: random.Random) -> dict[str, Any]:
    result = dict(statement)
    for key, value in statement.items():
        if key == "Action":
            result[key] = one_or_list([dice.choice([item, item.lower(), item.upper()]) for item in value], dice)
        elif key in ("Resource", "NotResource"):
            result[key] = one_or_list(value, dice)
        elif key == "Principal":
            result[key] = {
                kind: one_or_list([respelt_name(name, dice) for name in names], dice) for kind, names in value.items()
            }
        elif key == "Condition":
            result[key] = {
                operator: reordered(
                    {
                        name.upper() if dice.random() < 0.3 else name: one_or_list(
                            [respelt_value(v, dice) for v in values], dice
                        )
                        for name, values in tests.items()
                    },
                    dice,
                )
                for operator, tests in value.items()
            }
    return reordered(result, dice)


def respelt_name(name: str, dice: random.Random) -> str:
    return f"arn:aws:iam::{name}:root" if len(name) == 12 and dice.random() < 0.5 else name


def respelt_value(value: str, dice: random.Random) -> Any:
    return json.loads(value) if value in ("true", "false", "5") and dice.random() < 0.5 else value


def respelt_rules(rules: list[dict[str, Any]], dice: random.Random) -> list[dict[str, Any]]:
    result = []
    for rule in rules:
        spelt = {**rule, "IpProtocol": dice.choice(PROTOCOLS[rule["IpProtocol"]])}
        for port in ("FromPort", "ToPort"):
            if rule["IpProtocol"] == "-1":
                spelt[port] = dice.choice([-1, 0, "0"])
            elif port in rule and dice.random() < 0.5:
                spelt[port] = str(rule[port])
        if rule.get("CidrIpv6") == "2001:db8::/32":
            spelt["CidrIpv6"] = dice.choice(["2001:DB8::/32", "2001:0db8:0:0::0/32"])
        result.append(reordered(spelt, dice))
    return shuffled(result, dice)


@settings(max_examples=250, deadline=None)
@given(POLICIES, SEEDS)
def test_a_respelt_policy_is_equal(policy: dict[str, Any], dice: random.Random) -> None:
    path = ("AssumeRolePolicyDocument",)
    assert canonical(ROLE, path, respelt_policy(policy, dice)) == canonical(ROLE, path, policy)


@settings(max_examples=250, deadline=None)
@given(RULES, SEEDS)
def test_respelt_rules_are_equal(rules: list[dict[str, Any]], dice: random.Random) -> None:
    path = ("SecurityGroupIngress",)
    assert canonical(GROUP, path, respelt_rules(rules, dice)) == canonical(GROUP, path, rules)


def _strings(value: Any, trail: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    if isinstance(value, dict):
        for key, item in value.items():
            yield from _strings(item, (*trail, key))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _strings(item, (*trail, index))
    else:
        yield trail


def _replaced(value: Any, trail: tuple[Any, ...], new: Any) -> Any:
    result = copy.deepcopy(value)
    node = result
    for part in trail[:-1]:
        node = node[part]
    node[trail[-1]] = new
    return result


@settings(max_examples=250, deadline=None)
@given(POLICIES, SEEDS)
def test_any_changed_word_of_a_policy_shows(policy: dict[str, Any], dice: random.Random) -> None:
    path = ("AssumeRolePolicyDocument",)
    trail = dice.choice(list(_strings(policy)))
    changed = _replaced(policy, trail, "something else")
    assert canonical(ROLE, path, respelt_policy(changed, dice) if trail[-1] != "Version" else changed) != canonical(
        ROLE, path, policy
    )


@settings(max_examples=250, deadline=None)
@given(RULES, SEEDS)
def test_any_changed_part_of_a_rule_shows(rules: list[dict[str, Any]], dice: random.Random) -> None:
    path = ("SecurityGroupIngress",)
    trails = [trail for trail in _strings(rules) if not (rules[trail[0]]["IpProtocol"] == "-1" and "Port" in trail[1])]
    assume(trails)
    trail = dice.choice([item for item in trails if item[1] != "IpProtocol"] or trails)
    new = 9 if "Port" in trail[1] else "192.168.0.0/24"
    changed = _replaced(rules, trail, new)
    assert canonical(GROUP, path, changed) != canonical(GROUP, path, rules)


@settings(max_examples=100, deadline=None)
@given(st.lists(st.sampled_from(["a", "b", "c"])), st.lists(st.sampled_from(["a", "b", "c"])))
def test_sets_are_equal_when_and_only_when_their_members_are(left: list[str], right: list[str]) -> None:
    path = ("ManagedPolicyArns",)
    assert (canonical(ROLE, path, left) == canonical(ROLE, path, right)) == (sorted(left) == sorted(right))
