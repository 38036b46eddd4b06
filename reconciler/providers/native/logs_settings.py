"""Settings of a log group with calls of their own: how each is read and written."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from reconciler.ports import Scope
from reconciler.providers.native.frame import Change
from reconciler.providers.native.reading import absent_as, document_in
from reconciler.providers.native.shapes import boolean, policy_text

_MASKING, _INDEXES = "DataProtectionPolicy", "FieldIndexPolicies"
_PROTECTED, _BEARER = "DeletionProtectionEnabled", "BearerTokenAuthenticationEnabled"


def read_setting(scope: Scope, group: str, name: str) -> Any:
    """A setting that describing a group doesn't show, in CloudFormation's shape; nothing where it isn't set.

    Raises AwsFault.
    """
    return _READS[name](scope, group)


def write_settings(scope: Scope, group: str, change: Change) -> None:
    """Change what of the settings has changed. Raises AwsFault."""
    for name, write in _WRITES.items():
        if name in change.names:
            write(scope, group, change.value(name))


def _read_masking(scope: Scope, group: str) -> Any:
    """What is masked; a group that is there and has no policy may be answered as one that isn't found."""
    answer: Mapping[str, Any] = absent_as(
        ("ResourceNotFoundException",),
        {},
        lambda: scope.call("logs", "get_data_protection_policy", logGroupIdentifier=group),
    )
    text = answer.get("policyDocument")
    return document_in(text) if text else None


def _read_indexes(scope: Scope, group: str) -> Any:
    """The group's own indexes; those of the account are shown where it has none."""
    found = scope.pages("logs", "describe_index_policies", "indexPolicies", logGroupIdentifiers=[group])
    own = [document_in(str(one["policyDocument"])) for one in found if one.get("source") == "LOG_GROUP"]
    return own or None


def _mask(scope: Scope, group: str, policy: Any) -> None:
    if policy:
        given = {"logGroupIdentifier": group, "policyDocument": policy_text(policy)}
        scope.call("logs", "put_data_protection_policy", **given)
    else:
        scope.call("logs", "delete_data_protection_policy", logGroupIdentifier=group)


def _index(scope: Scope, group: str, policies: Any) -> None:
    for policy in policies or ():
        scope.call("logs", "put_index_policy", logGroupIdentifier=group, policyDocument=json.dumps(policy))
    if not policies:
        scope.call("logs", "delete_index_policy", logGroupIdentifier=group)


def _protect(scope: Scope, group: str, value: Any) -> None:
    given = {"logGroupIdentifier": group, "deletionProtectionEnabled": boolean(value or False)}
    scope.call("logs", "put_log_group_deletion_protection", **given)


def _authenticate(scope: Scope, group: str, value: Any) -> None:
    given = {"logGroupIdentifier": group, "bearerTokenAuthenticationEnabled": boolean(value or False)}
    scope.call("logs", "put_bearer_token_authentication", **given)


_READS: Mapping[str, Callable[[Scope, str], Any]] = {_MASKING: _read_masking, _INDEXES: _read_indexes}
_WRITES: Mapping[str, Callable[[Scope, str, Any], None]] = {
    _MASKING: _mask,
    _INDEXES: _index,
    _BEARER: _authenticate,
    _PROTECTED: _protect,
}
#: read by calls of their own
READ_APART = frozenset(_READS)
SETTINGS = frozenset(_WRITES)
