"""AWS::AutoScaling::LaunchConfiguration."""

# ruff: noqa: ARG002 - methods have the signature that the frame gives them, needed or not

from __future__ import annotations

import base64
import binascii
from typing import Any

from reconciler.model.errors import AwsFault, FaultKind
from reconciler.model.ids import TypeName
from reconciler.ports import ResourceProvider, Scope
from reconciler.providers.declared import Call, Declaration, Declared, Many, Read
from reconciler.providers.declared.reading import Item
from reconciler.providers.native.naming import NameRule

_LAUNCH_CONFIGURATION = Declaration(
    type=TypeName("AWS::AutoScaling::LaunchConfiguration"),
    service="autoscaling",
    naming=NameRule("LaunchConfigurationName", 255),
    read=Read(
        "describe_launch_configurations",
        "LaunchConfigurations",
        many=Many("LaunchConfigurationNames", "LaunchConfigurationName", 50),
    ),
    create=Call("create_launch_configuration"),
    delete=Call("delete_launch_configuration"),
    also=("iam:PassRole",),
)


class LaunchConfiguration(Declared):
    """A launch configuration. It can't be changed at all."""

    def adapt_given(self, scope: Scope, call: Call, values: dict[str, Any]) -> dict[str, Any]:
        """See ``Declared``. Plans have user data in base64, and so does the API; the SDK encodes it by itself."""
        given = dict(values)
        if "InstanceMonitoring" in given:
            given["InstanceMonitoring"] = {"Enabled": given["InstanceMonitoring"]}
        if given.get("UserData"):
            given["UserData"] = _decoded(str(given["UserData"]))
        return given

    def adapt_observed(self, scope: Scope, item: Item, properties: dict[str, Any]) -> dict[str, Any]:
        """See ``Declared``. What a configuration doesn't have is shown as an empty text."""
        found = {name: value for name, value in properties.items() if value != ""}
        monitoring = item.answer.get("InstanceMonitoring") or {}
        return {**found, "InstanceMonitoring": bool(monitoring.get("Enabled", True))}


def _decoded(data: str) -> str:
    """Raises INVALID_REQUEST for data that isn't text in base64."""
    try:
        return base64.b64decode("".join(data.split()), validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        message = "property UserData must be text in base64 (Fn::Base64)"
        raise AwsFault(FaultKind.INVALID_REQUEST, message, service="autoscaling") from None


PROVIDERS: tuple[ResourceProvider, ...] = (LaunchConfiguration(_LAUNCH_CONFIGURATION),)
