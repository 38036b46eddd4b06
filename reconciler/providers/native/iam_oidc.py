"""AWS::IAM::OIDCProvider."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from reconciler.model.ids import Identifier, TypeName
from reconciler.model.progress import Done, Progress
from reconciler.model.resource import Wanted
from reconciler.model.values import Properties
from reconciler.ports import ResourceProvider, Scope
from reconciler.providers.native.frame import Change
from reconciler.providers.native.named import NamedProvider
from reconciler.providers.native.naming import NameRule
from reconciler.providers.native.reading import without_empty
from reconciler.providers.native.tagging import Tags, as_list, as_map

_SCHEME = "https://"


class OIDCProvider(NamedProvider):
    """An OpenID Connect provider; its identifier is its ARN, which has its URL in it, as good as a name."""

    type_name = TypeName("AWS::IAM::OIDCProvider")
    supported: ClassVar = frozenset({"ClientIdList", "Tags", "ThumbprintList", "Url"})
    fixed: ClassVar = frozenset({"Url"})
    naming: ClassVar = NameRule("Url", 255)
    resource_type: ClassVar = "iam:oidc-provider"
    tags_inline: ClassVar = True

    def _identifier(self, scope: Scope, name: str) -> Identifier:
        host = name.removeprefix(_SCHEME)
        return Identifier(f"arn:{scope.partition}:iam::{scope.account}:oidc-provider/{host}")

    def _arn(self, scope: Scope, identifier: Identifier) -> str:  # noqa: ARG002 - it is the identifier
        return identifier

    def _of_arn(self, scope: Scope, arn: str) -> Identifier:  # noqa: ARG002 - it is the identifier
        return Identifier(arn)

    def _observe(self, scope: Scope, item: Wanted) -> dict[str, Any]:
        found = _described(scope, item.identifier)
        return without_empty(
            {
                "Arn": item.identifier,
                "Url": _SCHEME + str(found["Url"]).removeprefix(_SCHEME),
                "ClientIdList": found.get("ClientIDList"),
                "ThumbprintList": found.get("ThumbprintList"),
                "Tags": as_list(as_map(found.get("Tags"))),
            }
        )

    def _tags(self, scope: Scope, identifier: Identifier) -> Tags:
        return as_map(_described(scope, identifier).get("Tags"))

    def _tag(self, scope: Scope, identifier: Identifier, tags: Tags) -> None:
        scope.call("iam", "tag_open_id_connect_provider", OpenIDConnectProviderArn=identifier, Tags=as_list(tags))

    def _untag(self, scope: Scope, identifier: Identifier, keys: list[str]) -> None:
        scope.call("iam", "untag_open_id_connect_provider", OpenIDConnectProviderArn=identifier, TagKeys=keys)

    def _create(self, scope: Scope, name: str, desired: Properties, tags: Tags) -> Progress:
        given = {"ClientIDList": desired.get("ClientIdList"), "ThumbprintList": desired.get("ThumbprintList")}
        answer = scope.call(
            "iam", "create_open_id_connect_provider", Url=name, Tags=as_list(tags), **without_empty(given)
        )
        return Done(Identifier(answer["OpenIDConnectProviderArn"]))

    def _update(self, scope: Scope, identifier: Identifier, change: Change) -> Progress:
        arn = {"OpenIDConnectProviderArn": identifier}
        if "ThumbprintList" in change.names:
            thumbprints = list(change.value("ThumbprintList", ()))
            scope.call("iam", "update_open_id_connect_provider_thumbprint", **arn, ThumbprintList=thumbprints)
        if "ClientIdList" in change.names:
            before, after = set(change.before.get("ClientIdList") or ()), set(change.value("ClientIdList", ()))
            for client in sorted(after - before):
                scope.call("iam", "add_client_id_to_open_id_connect_provider", **arn, ClientID=client)
            for client in sorted(before - after):
                scope.call("iam", "remove_client_id_from_open_id_connect_provider", **arn, ClientID=client)
        return Done(identifier)

    def _delete(self, scope: Scope, identifier: Identifier) -> Progress:
        scope.call("iam", "delete_open_id_connect_provider", OpenIDConnectProviderArn=identifier)
        return Done(identifier)


def _described(scope: Scope, arn: str) -> Mapping[str, Any]:
    found: Mapping[str, Any] = scope.call("iam", "get_open_id_connect_provider", OpenIDConnectProviderArn=arn)
    return found


PROVIDERS: tuple[ResourceProvider, ...] = (OIDCProvider(),)
