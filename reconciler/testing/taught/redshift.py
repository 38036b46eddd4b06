"""Redshift: parameters of a group are set and reset, and shown as the user's."""

from __future__ import annotations

from typing import Any

from moto.core.responses import ActionResult
from moto.redshift.responses import RedshiftResponse

from reconciler.testing.taught.lesson import Lesson, adds, changes, remembered


def modify_cluster_parameter_group(self: Any) -> Any:
    """ModifyClusterParameterGroup."""
    _set_in(_group(self)).update(_asked(self))
    return _modified(self)


def reset_cluster_parameter_group(self: Any) -> Any:
    """ResetClusterParameterGroup: the parameters named, or all of them."""
    known = _set_in(_group(self))
    everything = self._get_bool_param("ResetAllParameters")
    for name in list(known) if everything else _asked(self):
        known.pop(name, None)
    return _modified(self)


def describe_cluster_parameters(self: Any) -> Any:
    """DescribeClusterParameters."""
    group, source = _group(self), self._get_param("Source")
    defaults = self.redshift_backend.describe_default_cluster_parameters()
    shown = {one["ParameterName"]: one for one in defaults}
    shown |= {
        name: {**shown.get(name, {}), "ParameterName": name, "ParameterValue": value, "Source": "user"}
        for name, value in _set_in(group).items()
    }
    return ActionResult({"Parameters": [one for one in shown.values() if source in (None, one["Source"])]})


def _group(self: Any) -> Any:
    return self.redshift_backend.describe_cluster_parameter_groups(self._get_param("ParameterGroupName"))[0]


def _set_in(group: Any) -> dict[str, Any]:
    return remembered(group, "parameters")


def _asked(self: Any) -> dict[str, str]:
    given = self._get_param("Parameters") or ()
    return {one["ParameterName"]: one.get("ParameterValue") or "" for one in given}


def _modified(self: Any) -> Any:
    status = "Your parameter group has been updated."
    return ActionResult({"ParameterGroupName": self._get_param("ParameterGroupName"), "ParameterGroupStatus": status})


LESSONS = (
    Lesson(
        call="redshift:ModifyClusterParameterGroup",
        aws="sets parameters, which are shown with the source user from then on",
        moto="has no such operation, and shows the defaults for every group and source",
        given=(
            adds(RedshiftResponse, modify_cluster_parameter_group, reset_cluster_parameter_group),
            changes(RedshiftResponse, describe_cluster_parameters),
        ),
    ),
)
