"""AWS::SageMaker::Model, EndpointConfig and Endpoint.

They are identified by their ARNs, but every call takes a name. AWS writes the name in lower case in the ARN and doesn't
tell names apart by their letters' case, so that the ARN's last part does for a name.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from reconciler.model.ids import Identifier, TypeName
from reconciler.model.values import Properties
from reconciler.ports import ResourceProvider, Scope
from reconciler.providers.declared import Call, Declaration, Declared, Read, Tagging, Update, Waiting, arn_tagging
from reconciler.providers.declared.finding import Finder
from reconciler.providers.declared.reading import Reader
from reconciler.providers.native.naming import NameRule

_PASS = ("iam:PassRole",)
#: what an endpoint is: the rest says how an update is made
_ENDPOINT_STATE = ("EndpointConfigName", "DeploymentConfig")
_ENDPOINT_MANNER = ("ExcludeRetainedVariantProperties", "RetainAllVariantProperties", "RetainDeploymentConfig")


def tagging(kind: str) -> Tagging:
    """Tags of what SageMaker calls a resource of this kind."""
    return arn_tagging(
        "ResourceArn", read="list_tags", write="add_tags", remove="delete_tags", kind=f"sagemaker:{kind}"
    )


_MODEL = Declaration(
    type=TypeName("AWS::SageMaker::Model"),
    service="sagemaker",
    naming=NameRule("ModelName", 63, lower=True),
    named=Read("list_models", "Models", constants={"NameContains": "{ModelName}"}),
    arn="{ModelArn}",
    read=Read("describe_model"),
    create=Call("create_model"),
    delete=Call("delete_model"),
    looks_first=True,  # a name that is taken is an invalid request to AWS, as is much else
    tagging=tagging("model"),
    also=_PASS,
)
_ENDPOINT_CONFIG = Declaration(
    type=TypeName("AWS::SageMaker::EndpointConfig"),
    service="sagemaker",
    naming=NameRule("EndpointConfigName", 63, lower=True),
    named=Read("list_endpoint_configs", "EndpointConfigs", constants={"NameContains": "{EndpointConfigName}"}),
    arn="{EndpointConfigArn}",
    read=Read("describe_endpoint_config"),
    create=Call("create_endpoint_config"),
    delete=Call("delete_endpoint_config"),
    looks_first=True,
    tagging=tagging("endpoint-config"),
    also=_PASS,
)
_ENDPOINT = Declaration(
    type=TypeName("AWS::SageMaker::Endpoint"),
    service="sagemaker",
    naming=NameRule("EndpointName", 63, lower=True),
    named=Read("list_endpoints", "Endpoints", constants={"NameContains": "{EndpointName}"}),
    arn="{EndpointArn}",
    read=Read("describe_endpoint", renames={"DeploymentConfig": "LastDeploymentConfig"}),
    create=Call("create_endpoint"),
    updates=(Update(Call("update_endpoint", (*_ENDPOINT_STATE, *_ENDPOINT_MANNER)), whole=True),),
    delete=Call("delete_endpoint"),
    looks_first=True,
    tagging=tagging("endpoint"),
    waiting=Waiting(
        "EndpointStatus",
        pending=frozenset({"Creating", "Updating", "SystemUpdating", "RollingBack"}),
        failed=frozenset({"Failed", "UpdateRollbackFailed"}),
        why="FailureReason",
        seconds=15.0,
    ),
)


def _name(arn: str) -> str:
    return arn.rpartition("/")[2]


class _ByName(Reader):
    """Reads what an ARN identifies by the name in it."""

    def _asked(self, scope: Scope, read: Read, identities: Sequence[Mapping[str, str]]) -> dict[str, Any]:  # noqa: ARG002
        naming = self._declaration.naming
        assert naming is not None
        return {naming.property: _name(*identities[0].values())}


class Named(Declared):
    """A resource that calls know by the name in its ARN."""

    def __init__(self, declaration: Declaration) -> None:
        super().__init__(declaration)
        self._reader = _ByName(declaration, self.schema_in, self.adapt_observed)
        self._finder = Finder(declaration, self._reader, self._tagger)

    def _parameters(
        self, scope: Scope, call: Call, identity: Mapping[str, Any], values: Mapping[str, Any]
    ) -> dict[str, Any]:
        naming = self.declaration.naming
        assert naming is not None
        known = [_name(arn) for arn in identity.values()]
        return super()._parameters(scope, call, dict(zip([naming.property], known, strict=False)), values)


class Endpoint(Named):
    """An endpoint. Some of its properties only say how an update is made."""

    def change(
        self, scope: Scope, identifier: Identifier, update: Update, before: Properties, after: Properties
    ) -> None:
        """See ``Declared``."""
        if any(before.get(name) != after.get(name) for name in _ENDPOINT_STATE):
            super().change(scope, identifier, update, before, after)

    def _rest(self, desired: Properties) -> dict[str, Any]:
        return {name: value for name, value in super()._rest(desired).items() if name not in _ENDPOINT_MANNER}


PROVIDERS: tuple[ResourceProvider, ...] = (
    Named(_MODEL),
    Named(_ENDPOINT_CONFIG),
    Endpoint(_ENDPOINT),
)
