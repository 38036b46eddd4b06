"""CloudWatch Logs: groups that can't be deleted or take bearer tokens, what is masked in them and indexed."""

from __future__ import annotations

import json
from typing import Any

from moto.logs.exceptions import ResourceNotFoundException, ValidationException
from moto.logs.models import LogGroup
from moto.logs.responses import LogsResponse

from reconciler.testing.taught.lesson import Lesson, adds, changes, remembered

_create, _delete, _describe = (
    LogsResponse.create_log_group,
    LogsResponse.delete_log_group,
    LogGroup.to_describe_dict,
)
_PROTECTED = "deletionProtectionEnabled"


def _settings(self: Any, called: str = "logGroupIdentifier") -> dict[str, Any]:
    group = self.logs_backend.groups.get(self._get_param(called))
    if group is None:
        raise ResourceNotFoundException()
    return remembered(group, "settings")


def create_log_group(self: Any) -> str:
    """CreateLogGroup."""
    answer: str = _create(self)
    if self._get_param(_PROTECTED):
        _settings(self, "logGroupName")[_PROTECTED] = True
    return answer


def delete_log_group(self: Any) -> str:
    """DeleteLogGroup."""
    if _settings(self, "logGroupName").get(_PROTECTED):
        raise ValidationException("Log group is protected from being deleted")
    answer: str = _delete(self)
    return answer


def to_describe_dict(self: Any) -> dict[str, Any]:
    """What DescribeLogGroups shows of a group."""
    flags = {_PROTECTED: False, "bearerTokenAuthenticationEnabled": False}
    shown = {name: value for name, value in remembered(self, "settings").items() if name in flags}
    return {**_describe(self), **flags, **shown}


def put_log_group_deletion_protection(self: Any) -> str:
    """PutLogGroupDeletionProtection."""
    _settings(self)[_PROTECTED] = self._get_param(_PROTECTED)
    return ""


def put_bearer_token_authentication(self: Any) -> str:
    """PutBearerTokenAuthentication."""
    name = "bearerTokenAuthenticationEnabled"
    _settings(self)[name] = self._get_param(name)
    return ""


def put_data_protection_policy(self: Any) -> str:
    """PutDataProtectionPolicy."""
    _settings(self)["masking"] = self._get_param("policyDocument")
    return get_data_protection_policy(self)


def get_data_protection_policy(self: Any) -> str:
    """GetDataProtectionPolicy."""
    document = _settings(self).get("masking")
    shown = {"policyDocument": document} if document else {}
    return json.dumps({"logGroupIdentifier": self._get_param("logGroupIdentifier"), **shown})


def delete_data_protection_policy(self: Any) -> str:
    """DeleteDataProtectionPolicy."""
    _settings(self).pop("masking", None)
    return ""


def put_index_policy(self: Any) -> str:
    """PutIndexPolicy."""
    named = {"logGroupIdentifier": self._get_param("logGroupIdentifier"), "source": "LOG_GROUP"}
    policy = {**named, "policyDocument": self._get_param("policyDocument")}
    _settings(self)["indexes"] = policy
    return json.dumps({"indexPolicy": policy})


def describe_index_policies(self: Any) -> str:
    """DescribeIndexPolicies."""
    groups = [self.logs_backend.groups.get(name) for name in self._get_param("logGroupIdentifiers")]
    if None in groups:
        raise ResourceNotFoundException()
    found = [remembered(group, "settings").get("indexes") for group in groups]
    return json.dumps({"indexPolicies": [one for one in found if one]})


def delete_index_policy(self: Any) -> str:
    """DeleteIndexPolicy."""
    _settings(self).pop("indexes", None)
    return ""


LESSONS = (
    Lesson(
        call="logs:PutLogGroupDeletionProtection",
        aws="keeps a group from being deleted, and shows that as it shows whether bearer tokens are taken",
        moto="has neither of the two operations",
        given=(
            adds(LogsResponse, put_log_group_deletion_protection, put_bearer_token_authentication),
            changes(LogsResponse, create_log_group, delete_log_group),
            changes(LogGroup, to_describe_dict),
        ),
    ),
    Lesson(
        call="logs:GetDataProtectionPolicy",
        aws="keeps what is masked in a group",
        moto="has none of the three operations",
        given=(
            adds(
                LogsResponse,
                put_data_protection_policy,
                get_data_protection_policy,
                delete_data_protection_policy,
            ),
        ),
    ),
    Lesson(
        call="logs:DescribeIndexPolicies",
        aws="keeps what is indexed of a group",
        moto="has none of the three operations",
        given=(adds(LogsResponse, put_index_policy, describe_index_policies, delete_index_policy),),
    ),
)
