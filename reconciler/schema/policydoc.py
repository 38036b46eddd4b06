"""IAM policy documents by meaning: the same permissions have one form, however they are written.

Only what AWS itself treats alike is made alike: the letter case of actions, one value or a list of one, the order of
lists, an account number or its root ARN as AWS principal, booleans and numbers as strings in conditions. Statement
order doesn't matter to evaluation either. Sids and everything unfamiliar stay as they are.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from reconciler.schema.scalars import free, text

_ACCOUNT_ROOT = re.compile(r"arn:aws[\w-]*:iam::(\d{12}):root")
#: the language version of a document that names none
_UNVERSIONED = "2008-10-17"
_ACTIONS = frozenset({"Action", "NotAction"})
_RESOURCES = frozenset({"Resource", "NotResource"})
_PRINCIPALS = frozenset({"Principal", "NotPrincipal"})


def is_policy(value: Any) -> bool:
    """Whether a value looks like a policy document: it has statements, and each of them an effect."""
    if not isinstance(value, Mapping):
        return False
    statements = value.get("Statement")
    if isinstance(statements, Mapping):
        statements = [statements]
    return (
        isinstance(statements, list)
        and bool(statements)
        and all(isinstance(item, Mapping) and "Effect" in item for item in statements)
    )


def canonical_policy(document: Mapping[str, Any]) -> dict[str, Any]:
    """The canonical form of a policy document (see the module's text)."""
    result = {key: plain(value) for key, value in document.items() if key != "Statement"}
    result.setdefault("Version", _UNVERSIONED)
    statements = document["Statement"]
    if isinstance(statements, Mapping):
        statements = [statements]
    result["Statement"] = unordered([_statement(item) for item in statements])
    return result


def _statement(statement: Mapping[str, Any]) -> dict[str, Any]:
    return {key: _part(key, value) for key, value in statement.items()}


def _part(key: str, value: Any) -> Any:
    if key in _ACTIONS:
        return _values(value, lambda item: item.lower() if isinstance(item, str) else item)
    if key in _RESOURCES:
        return _values(value, plain)
    if key in _PRINCIPALS:
        return _principal(value)
    if key == "Condition" and isinstance(value, Mapping):
        return {operator: _condition(tests) for operator, tests in value.items()}
    return plain(value)


def _principal(value: Any) -> Any:
    if not isinstance(value, Mapping):
        return plain(value)
    return {kind: _values(names, _account if kind == "AWS" else plain) for kind, names in value.items()}


def _account(value: Any) -> Any:
    """An account's root ARN and its bare number mean the same principal."""
    if isinstance(value, int) and not isinstance(value, bool):
        return f"{value:012d}"
    match = _ACCOUNT_ROOT.fullmatch(value) if isinstance(value, str) else None
    return match.group(1) if match else plain(value)


def _condition(tests: Any) -> Any:
    """Condition keys ignore letter case, their values are strings."""
    if not isinstance(tests, Mapping):
        return plain(tests)
    return {key.lower(): _values(value, text) for key, value in tests.items()}


def _values(value: Any, each: Callable[[Any], Any]) -> list[Any]:
    """One value or a list of them, as a sorted list without repetitions."""
    items = unordered([each(item) for item in (value if isinstance(value, list) else [value])])
    return [item for index, item in enumerate(items) if index == 0 or item != items[index - 1]]


def plain(value: Any) -> Any:
    """Free-form JSON with its order kept."""
    if isinstance(value, Mapping):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    return free(value)


def unordered(items: list[Any]) -> list[Any]:
    """``items`` in the one order that stands for all orders."""
    if len(items) < 2:
        return items
    if all(type(item) is str for item in items):
        return sorted(items)
    return sorted(items, key=_key)


def _key(item: Any) -> str:
    """Text that is the same for equal items: mappings with their keys in order."""
    if type(item) is dict:
        return "{" + ",".join([f"{key!r}:{_key(item[key])}" for key in sorted(item, key=str)]) + "}"
    if type(item) is list:
        return "[" + ",".join(map(_key, item)) + "]"
    return repr(item)
