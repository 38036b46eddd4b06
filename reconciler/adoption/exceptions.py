"""What follows no rule: resources that are called by something which neither identifies them nor is their name, and
services that answer for each other's resources."""

from __future__ import annotations

import re

from reconciler.model.ids import Identifier, TypeName
from reconciler.model.values import Properties
from reconciler.ports import Scope

#: databases that RDS shows among its own, by their engine
_ENGINES = {"docdb": "DocDB", "neptune": "Neptune"}
_ADDRESS = re.compile(r"\d{1,3}(?:\.\d{1,3}){3}")


def looked_up(scope: Scope, type_name: TypeName, text: str) -> Identifier | None:
    """The identifier of what ``text`` calls; None where it is no exception or nothing is there. Raises AwsFault."""
    if type_name == "AWS::EC2::EIP" and _ADDRESS.fullmatch(text):
        by = [{"Name": "public-ip", "Values": [text]}]
        for found in scope.call("ec2", "describe_addresses", Filters=by)["Addresses"]:
            if found.get("AllocationId"):
                return Identifier(f"{found['PublicIp']}|{found['AllocationId']}")
    return None


def fits(type_name: TypeName, live: Properties) -> bool:
    """Whether what was read is of that type, and not of one whose service shares the API."""
    service, engine = type_name.split("::")[1], live.get("Engine")
    if service not in ("RDS", *_ENGINES.values()) or not isinstance(engine, str):
        return True
    return service == _ENGINES.get(engine, "RDS")
