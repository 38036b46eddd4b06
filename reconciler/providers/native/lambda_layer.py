"""AWS::Lambda::LayerVersion.

A version never changes: what a plan wants otherwise is published as a new one under the same name, then the old one
goes. GetLayerVersion gives out a signed address of the content, so that versions are read from their listing, which
shows everything but that.
"""

from __future__ import annotations

from typing import Any

from reconciler.model.ids import TypeName
from reconciler.ports import ResourceProvider, Scope
from reconciler.providers.declared import Call, Declaration, Declared, Read
from reconciler.providers.declared.reading import Item
from reconciler.providers.native.naming import NameRule
from reconciler.providers.native.reading import without_empty

_LAYER_VERSION = Declaration(
    type=TypeName("AWS::Lambda::LayerVersion"),
    service="lambda",
    renames={"Number": "VersionNumber"},
    naming=NameRule("LayerName", 64),
    parts={"LayerVersionArn": ("arn:{partition}:lambda:{region}:{account}:layer:{LayerName}:{Number}",)},
    read=Read("list_layer_versions", "LayerVersions", paged=True),
    create=Call("publish_layer_version"),
    delete=Call("delete_layer_version"),
    also=("s3:GetObject", "s3:GetObjectVersion"),
)


class LayerVersion(Declared):
    """A version. AWS doesn't tell the content, so that one is never taken for another that looks alike."""

    def adapt_observed(self, scope: Scope, item: Item, properties: dict[str, Any]) -> dict[str, Any]:  # noqa: ARG002
        """See ``Declared``: AWS shows what isn't set as empty text."""
        properties.pop("Number", None)
        return without_empty(properties)


PROVIDERS: tuple[ResourceProvider, ...] = (LayerVersion(_LAYER_VERSION),)
