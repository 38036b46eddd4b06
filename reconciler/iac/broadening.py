"""Changes that open something further: permissions in IAM and resource policies, rules of security groups. Pure.

What ``cdk deploy --require-approval broadening`` asks about. Whatever can't be compared counts as opened further.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from reconciler.model.change import Action, Change
from reconciler.model.values import Properties, mask

_RULES = ("SecurityGroupIngress", "SecurityGroupEgress")
_RULE_TYPES = frozenset({"AWS::EC2::SecurityGroupIngress", "AWS::EC2::SecurityGroupEgress"})
_PERMISSIONS = frozenset({"AWS::Lambda::Permission", "AWS::Lambda::LayerVersionPermission"})
#: Properties that hold a policy document, wherever they are.
_DOCUMENTS = ("PolicyDocument", "AssumeRolePolicyDocument", "KeyPolicy", "ResourcePolicy", "RepositoryPolicyText")
_ATTACHED = "ManagedPolicyArns"


def broadens(change: Change) -> tuple[str, ...]:
    """What a change opens further, in words; empty if nothing."""
    if change.action is Action.DELETE:
        return tuple(_deletion(change))
    if change.type in _RULE_TYPES:
        return (f"{change.logical_id}: a rule of a security group",)
    if change.type in _PERMISSIONS:
        return (f"{change.logical_id}: a permission to invoke or use",)
    before = {} if change.action in (Action.CREATE, Action.REPLACE) else change.before
    if before is None or change.after is None:
        return (f"{change.logical_id}: what it opens can't be told",) if _is_security(change.type) else ()
    return tuple(dict.fromkeys(_opened(change, before, change.after)))


def _is_security(type_name: str) -> bool:
    return type_name.startswith("AWS::IAM::") or type_name.endswith("Policy") or type_name == "AWS::EC2::SecurityGroup"


def _deletion(change: Change) -> Iterator[str]:
    """A policy that goes may have been one that denies."""
    for text in _statements(change.before or {}):
        if '"Effect": "Deny"' in text:
            yield f"{change.logical_id}: a denial is taken away"
            return


def _opened(change: Change, before: Properties, after: Properties) -> Iterator[str]:
    for name in _RULES:
        if _items(after.get(name)) - _items(before.get(name)):
            yield f"{change.logical_id}: {name} gets a rule"
    if _items(after.get(_ATTACHED)) - _items(before.get(_ATTACHED)):
        yield f"{change.logical_id}: a managed policy is attached"
    old, new = set(_statements(before)), set(_statements(after))
    if any('"Effect": "Deny"' not in text for text in new - old):
        yield f"{change.logical_id}: a policy statement allows more"
    if any('"Effect": "Deny"' in text for text in old - new):
        yield f"{change.logical_id}: a denial is taken away"


def _items(value: Any) -> set[str]:
    listed = value if isinstance(value, list | tuple) else [] if value is None else [value]
    return {_text(item) for item in listed}


def _statements(value: Any, *, inside: bool = False) -> Iterator[str]:
    """Every statement of every policy document in a value; a document that is no mapping counts as one statement."""
    if isinstance(value, Mapping):
        if inside and "Statement" in value:
            yield from sorted(_items(value["Statement"]))
            return
        for key, item in value.items():
            yield from _statements(item, inside=inside or key in _DOCUMENTS)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _statements(item, inside=inside)
    elif inside and value is not None:
        yield _text(value)


def _text(value: Any) -> str:
    return json.dumps(mask(value), sort_keys=True, default=str)
