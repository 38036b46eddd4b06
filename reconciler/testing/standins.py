"""Operations that moto lacks, done on moto's own resources: AWS's answers, and what later reads then show."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import parse_qs
from xml.sax.saxutils import escape

from reconciler.testing import iottags
from reconciler.testing.wire import Call

#: what an operation is answered: status, headers, body
Answer = tuple[str, dict[str, str], bytes]

_STATUS = {200: "200 OK", 404: "404 Not Found"}


def modify_parameters(call: Call, _path: str, _query: str) -> Answer:
    """redshift:ModifyClusterParameterGroup: what is set is shown as the user's."""
    group = _parameter_group(call)
    if group is None:
        return _no_group()
    set_ = vars(group).setdefault("reconciler_parameters", {})
    set_ |= {name: value or "" for name, value in _parameters(call).items()}
    return _modified(call)


def reset_parameters(call: Call, _path: str, _query: str) -> Answer:
    """redshift:ResetClusterParameterGroup: the parameters named, or all of them."""
    group = _parameter_group(call)
    if group is None:
        return _no_group()
    set_ = vars(group).setdefault("reconciler_parameters", {})
    everything = _asked(call).get("ResetAllParameters") == "true"
    for name in list(set_) if everything else _parameters(call):
        set_.pop(name, None)
    return _modified(call)


def show_parameters(call: Call, _path: str, _query: str) -> Answer | None:
    """redshift:DescribeClusterParameters of a group in which something is set; moto shows defaults of others."""
    group = _parameter_group(call)
    set_ = vars(group).get("reconciler_parameters") if group is not None else None
    if not set_:
        return None
    from moto.redshift.models import redshift_backends

    defaults = redshift_backends[call.account][call.region].describe_default_cluster_parameters()
    shown = {str(one["ParameterName"]): one for one in defaults}
    shown |= {
        name: {**shown.get(name, {}), "ParameterName": name, "ParameterValue": value, "Source": "user"}
        for name, value in set_.items()
    }
    members = "".join(
        f"<Parameter>{''.join(f'<{key}>{escape(str(value))}</{key}>' for key, value in one.items())}</Parameter>"
        for one in shown.values()
        if _asked(call).get("Source") in (None, one["Source"])
    )
    return _xml(_result(call, f"<Parameters>{members}</Parameters>"))


def put_backup_policy(call: Call, path: str, _query: str) -> Answer:
    """elasticfilesystem:PutBackupPolicy: moto only knows of one from the file system's creation."""
    system = _file_system(call, path)
    if system is None:
        return in_json({"Message": "there is no such file system"}, "FileSystemNotFound")
    status = json.loads(call.body)["BackupPolicy"]["Status"]
    system._backup = status == "ENABLED"
    vars(system)["reconciler_backup"] = status
    return in_json({"BackupPolicy": {"Status": status}})


def show_backup_policy(call: Call, path: str, _query: str) -> Answer | None:
    """elasticfilesystem:DescribeBackupPolicy of a file system that was given one; moto shows no disabled one."""
    system = _file_system(call, path)
    status = vars(system).get("reconciler_backup") if system is not None else None
    return in_json({"BackupPolicy": {"Status": status}}) if status else None


def _file_system(call: Call, path: str) -> Any:
    from moto.efs.models import efs_backends

    found = re.search(r"file-systems/([^/]+)/backup-policy", path)
    return efs_backends[call.account][call.region].file_systems_by_id.get(found[1] if found else "")


def in_json(body: Any, error: str = "") -> Answer:
    """An answer in JSON. ``error``: the code of one, which is always that something isn't there."""
    status, more = (404, {"x-amzn-ErrorType": error}) if error else (200, {})
    return _STATUS[status], {"Content-Type": "application/json", **more}, json.dumps(body).encode()


def _xml(body: str, status: int = 200) -> Answer:
    return _STATUS[status], {"Content-Type": "text/xml"}, body.encode()


def tags_of_iot(call: Call, _path: str, query: str) -> Answer:
    """The three operations on IoT's tags."""
    error, body = iottags.answer(call, query)
    return in_json(body, error)


def _parameter_group(call: Call) -> Any:
    from moto.redshift.models import redshift_backends

    groups = redshift_backends[call.account][call.region].parameter_groups
    return groups.get(_asked(call).get("ParameterGroupName", ""))


def _asked(call: Call) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(call.body.decode(), keep_blank_values=True).items()}


def _parameters(call: Call) -> dict[str, str | None]:
    asked, head = _asked(call), "Parameters.Parameter."
    numbers = sorted({name.removeprefix(head).partition(".")[0] for name in asked if name.startswith(head)})
    return {asked[f"{head}{number}.ParameterName"]: asked.get(f"{head}{number}.ParameterValue") for number in numbers}


def _modified(call: Call) -> Answer:
    name = escape(_asked(call)["ParameterGroupName"])
    status = "Your parameter group has been updated."
    body = f"<ParameterGroupName>{name}</ParameterGroupName><ParameterGroupStatus>{status}</ParameterGroupStatus>"
    return _xml(_result(call, body))


def _result(call: Call, body: str) -> str:
    name = call.operation
    return f"<{name}Response><{name}Result>{body}</{name}Result></{name}Response>"


def _no_group() -> Answer:
    code = "<Code>ClusterParameterGroupNotFound</Code><Message>there is no such parameter group</Message>"
    return _xml(f"<ErrorResponse><Error><Type>Sender</Type>{code}</Error></ErrorResponse>", 404)


#: by operation; None: moto's own answer is right
STAND_INS: Mapping[str, Callable[[Call, str, str], Answer | None]] = {
    "elasticfilesystem:DescribeBackupPolicy": show_backup_policy,
    "elasticfilesystem:PutBackupPolicy": put_backup_policy,
    "iot:ListTagsForResource": tags_of_iot,
    "iot:TagResource": tags_of_iot,
    "iot:UntagResource": tags_of_iot,
    "redshift:DescribeClusterParameters": show_parameters,
    "redshift:ModifyClusterParameterGroup": modify_parameters,
    "redshift:ResetClusterParameterGroup": reset_parameters,
}
