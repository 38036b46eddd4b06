"""AWS::EC2::FlowLog."""

# ruff: noqa: ARG002 - methods have the signature that the frame gives them, needed or not

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from reconciler.model.errors import AwsFault
from reconciler.model.ids import ClientToken, Identifier, TypeName
from reconciler.model.values import Properties
from reconciler.ports import ResourceProvider, Scope
from reconciler.providers.declared import Call, Declaration, Declared, Listing, Many, Read, ec2_tagging
from reconciler.providers.declared.reading import Item
from reconciler.providers.declared.shaping import at
from reconciler.providers.faults import kind_of
from reconciler.providers.native.tagging import as_map

_CREATED = (
    "DeliverCrossAccountRole", "DeliverLogsPermissionArn", "DestinationOptions", "LogDestination",
    "LogDestinationType", "LogFormat", "LogGroupName", "MaxAggregationInterval", "ResourceId", "ResourceType",
    "TagFieldSpecifications", "TrafficType",
)  # fmt: skip
#: what a resource of each kind is called by; longer beginnings first
_KINDS = {
    "tgw-attach-": "TransitGatewayAttachment",
    "tgw-": "TransitGateway",
    "vpc-": "VPC",
    "subnet-": "Subnet",
    "eni-": "NetworkInterface",
    "nat-": "RegionalNatGateway",
}

_FLOW_LOG = Declaration(
    type=TypeName("AWS::EC2::FlowLog"),
    service="ec2",
    renames={"Id": "FlowLogId"},
    read=Read("describe_flow_logs", "FlowLogs", many=Many("Filter", "Id", 200, "flow-log-id")),
    create=Call("create_flow_logs", _CREATED, {"ResourceId": "ResourceIds"}),
    delete=Call("delete_flow_logs", renames={"Id": "FlowLogIds"}),
    listing=Listing("describe_flow_logs", "FlowLogs", filtered=True),
    tagging=ec2_tagging("vpc-flow-log", "Id"),
    repeatable="ClientToken",
    also=("iam:PassRole", "logs:CreateLogDelivery", "logs:DeleteLogDelivery"),
)


class FlowLog(Declared):
    """A flow log. The calls take several at once, and answer which of them failed."""

    def make(self, scope: Scope, desired: Properties, token: ClientToken) -> Identifier:
        """See ``Declared``."""
        values = {name: value for name, value in desired.items() if name in _CREATED}
        given = self._parameters(scope, self.declaration.create, {}, values)
        assert self._tagger is not None
        given |= self._tagger.created(self.declaration.create.operation, as_map(desired.get("Tags")))
        answer = scope.call("ec2", "create_flow_logs", **given, ClientToken=token)
        refuse_failed(answer, "CreateFlowLogs")
        return Identifier(answer["FlowLogIds"][0])

    def remove(self, scope: Scope, identifier: Identifier) -> None:
        """See ``Declared``."""
        answer = scope.call("ec2", "delete_flow_logs", FlowLogIds=[identifier])
        refuse_failed(answer, "DeleteFlowLogs")

    def adapt_observed(self, scope: Scope, item: Item, properties: dict[str, Any]) -> dict[str, Any]:
        """See ``Declared``. What kind of resource is logged can be told from its id only."""
        resource = str(properties.get("ResourceId", ""))
        kind = next((name for start, name in _KINDS.items() if resource.startswith(start)), None)
        return properties | ({"ResourceType": kind} if kind else {})


def refuse_failed(answer: Mapping[str, Any], operation: str) -> None:
    """Raise the fault of the first item that a call for several didn't succeed with."""
    for failed in answer.get("Unsuccessful") or ():
        code = str(at(failed, "Error.Code") or "")
        message = str(at(failed, "Error.Message") or "AWS gave no reason")
        raise AwsFault(kind_of(code, 400, message, operation), message, service="ec2", operation=operation, code=code)


PROVIDERS: tuple[ResourceProvider, ...] = (FlowLog(_FLOW_LOG),)
