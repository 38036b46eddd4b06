"""AWS::EMR::SecurityConfiguration."""

from __future__ import annotations

from reconciler.model.ids import TypeName
from reconciler.ports import ResourceProvider
from reconciler.providers.declared import Call, Declaration, Declared, Read
from reconciler.providers.native.naming import NameRule

_SECURITY_CONFIGURATION = Declaration(
    type=TypeName("AWS::EMR::SecurityConfiguration"),
    service="emr",
    naming=NameRule("Name", 256),
    read=Read("describe_security_configuration"),
    create=Call("create_security_configuration"),
    delete=Call("delete_security_configuration"),
    looks_first=True,  # a name that is taken is an invalid request to AWS, as is much else
)

PROVIDERS: tuple[ResourceProvider, ...] = (Declared(_SECURITY_CONFIGURATION),)
