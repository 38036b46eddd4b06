"""Resources that are called by something which neither identifies them nor is a name that their providers look for."""

from __future__ import annotations

import re

from reconciler.model.ids import Identifier, TypeName
from reconciler.ports import Scope

_ADDRESS = re.compile(r"\d{1,3}(?:\.\d{1,3}){3}")


def looked_up(scope: Scope, type_name: TypeName, text: str) -> Identifier | None:
    """The identifier of what ``text`` calls; None where it is no exception or nothing is there. Raises AwsFault."""
    if type_name == "AWS::EC2::EIP" and _ADDRESS.fullmatch(text):
        by = [{"Name": "public-ip", "Values": [text]}]
        for found in scope.call("ec2", "describe_addresses", Filters=by)["Addresses"]:
            if found.get("AllocationId"):
                return Identifier(f"{found['PublicIp']}|{found['AllocationId']}")
    return None
