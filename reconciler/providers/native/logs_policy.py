"""AWS::Logs::ResourcePolicy."""

from __future__ import annotations

from reconciler.model.ids import TypeName
from reconciler.ports import ResourceProvider
from reconciler.providers.declared import Call, Declaration, Declared, Read, Update

_SETTINGS = ("PolicyDocument",)

_POLICY = Declaration(
    type=TypeName("AWS::Logs::ResourcePolicy"),
    service="logs",
    read=Read("describe_resource_policies", "resourcePolicies", lists=True),
    create=Call("put_resource_policy", ("PolicyName", *_SETTINGS)),
    updates=(Update(Call("put_resource_policy", _SETTINGS)),),
    delete=Call("delete_resource_policy"),
    looks_first=True,
)

PROVIDERS: tuple[ResourceProvider, ...] = (Declared(_POLICY),)
