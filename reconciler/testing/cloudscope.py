"""Scopes on the Cloud Control API in memory (``cloudcontrol``), for whatever works through the ports."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, TypeVar

from reconciler.model.decision import Identity
from reconciler.model.errors import AwsFault, FaultKind
from reconciler.model.ids import TypeName
from reconciler.model.plan import Target
from reconciler.ports import ResourceProvider, Scope
from reconciler.providers.cloudcontrol import CloudControl
from reconciler.providers.native.tagging import as_list, as_map
from reconciler.schema import schema_for
from reconciler.testing.cloudcontrol import CloudControlApi

T = TypeVar("T")


class CloudControlScope:
    """``ports.Scope`` on the API above; every other service has nothing, or fails."""

    def __init__(self, api: CloudControlApi) -> None:
        self.api, self.account, self.region, self.partition = api, api.account, api.region, "aws"
        self.identity = Identity(api.account, f"arn:aws:iam::{api.account}:role/reconciler")

    def call(self, service: str, operation: str, /, **parameters: Any) -> Mapping[str, Any]:
        """A call of Cloud Control, or of the tagging API, which here is always up to date."""
        if service == "resourcegroupstaggingapi":
            return {"ResourceTagMappingList": list(self._mappings(parameters))}
        if service != "cloudcontrol":
            raise AwsFault(FaultKind.INTERNAL, "only Cloud Control is here", service=service, operation=operation)
        return copy.deepcopy(self.api.call(operation, parameters))

    def _mappings(self, parameters: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
        wanted = {one["Key"]: one["Values"] for one in parameters.get("TagFilters", ())}
        for (type_name, identifier), model in self.api.resources.items():
            schema = schema_for(type_name)
            texts = [identifier, *(str(value) for name, value in model.items() if name.lower().endswith("arn"))]
            arn = next((text for text in texts if text.startswith("arn:")), "")
            tags = as_map(model.get(schema.tag_property or "") if schema else None)
            if not arn or arn not in parameters.get("ResourceARNList", [arn]):
                continue
            if tags and all(tags.get(key) in values for key, values in wanted.items()):
                yield {"ResourceARN": arn, "Tags": as_list(tags)}

    def pages(self, service: str, operation: str, key: str, /, **parameters: Any) -> list[Any]:
        """One page."""
        return list(self.call(service, operation, **parameters)[key])

    def fact(self, name: str, find_out: Callable[[], bool]) -> bool:
        """Found out each time."""
        return find_out()

    def gather(self, jobs: Iterable[Callable[[], T]]) -> list[T]:
        """One after the other."""
        return [job() for job in jobs]


class CloudControlAccess:
    """``ports.AwsAccess`` on one API."""

    def __init__(self, api: CloudControlApi) -> None:
        self.api = api

    def open(self, target: Target, *, read_only: bool, asked: bool = False, since: float | None = None) -> Scope:
        """A scope on the API."""
        return CloudControlScope(self.api)


class CloudControlOnly:
    """``ports.Providers``: every type by Cloud Control, those with a native provider too."""

    def get(self, type_name: TypeName) -> ResourceProvider | None:
        """The Cloud Control provider of a type that has handlers."""
        schema = schema_for(type_name)
        return CloudControl(type_name) if schema is not None and schema.manageable else None
