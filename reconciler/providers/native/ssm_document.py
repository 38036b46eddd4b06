"""AWS::SSM::Document."""

from __future__ import annotations

import json
from typing import Any

from reconciler.model.errors import AwsFault
from reconciler.model.ids import ClientToken, Identifier, TypeName
from reconciler.model.progress import Progress
from reconciler.model.values import Properties
from reconciler.ports import ResourceProvider, Scope
from reconciler.providers.declared import Call, Declaration, Declared, Read, Tagging, Update, Waiting
from reconciler.providers.declared.reading import Item
from reconciler.providers.native.naming import NameRule
from reconciler.schema.scalars import parsed_json

_SETTINGS = ("Attachments", "Content", "DocumentFormat", "TargetType", "VersionName")
_NEWEST = "$LATEST"
#: What AWS says of content or of a name that a version has already.
_TAKEN = ("DuplicateDocumentContent", "DuplicateDocumentVersionName")

_DOCUMENT = Declaration(
    type=TypeName("AWS::SSM::Document"),
    service="ssm",
    naming=NameRule("Name", 128),
    read=Read("describe_document", "Document"),
    extras=(Read("get_document", "Content", shows=("Content",), into="Content"),),
    create=Call("create_document", ("DocumentType", "Name", "Requires", *_SETTINGS)),
    updates=(
        Update(
            Call("update_document", _SETTINGS, constants={"DocumentVersion": _NEWEST}),
            along=("Content", "DocumentFormat", "TargetType", "VersionName"),
        ),
        Update(Call("update_document"), of=("UpdateMethod",)),
    ),
    delete=Call("delete_document"),
    tagging=Tagging(
        "add_tags_to_resource",
        "remove_tags_from_resource",
        {"ResourceType": "Document", "ResourceId": "{Name}"},
        read="list_tags_for_resource",
        answer="TagList",
        create="Tags",
        kind="ssm:document",
    ),
    arn="arn:{partition}:ssm:{region}:{account}:document/{Name}",
    waiting=Waiting(
        "Status",
        pending=frozenset({"Creating", "Updating"}),
        failed=frozenset({"Failed"}),
        gone=frozenset({"Deleting"}),
        why="StatusInformation",
        deletes=False,
    ),
    resets={"DocumentFormat": "JSON"},
    also=("ssm:UpdateDocumentDefaultVersion", "ssm:ListDocumentVersions", "ssm:GetDocument"),
)


class Document(Declared):
    """A document. A change makes a new version, which becomes the default one, whatever ``UpdateMethod`` says.

    Replacing a document that has a name of its own, which is what CloudFormation does unless told otherwise, is not
    possible anyway; and a version that somebody pinned stays there. No two versions have the same name: a plan that
    names them has to change ``VersionName`` with ``Content``.
    """

    def create(self, scope: Scope, desired: Properties, token: ClientToken) -> Progress:
        """See ``Declared``. How to update matters to no new document, and is nothing that follows its creation."""
        return super().create(scope, {name: desired[name] for name in desired if name != "UpdateMethod"}, token)

    def adapt_given(self, scope: Scope, call: Call, values: dict[str, Any]) -> dict[str, Any]:  # noqa: ARG002
        """See ``Declared``: how to update is no property of the document."""
        return {name: value for name, value in values.items() if name != "UpdateMethod"}

    def adapt_observed(self, scope: Scope, item: Item, properties: dict[str, Any]) -> dict[str, Any]:  # noqa: ARG002
        """See ``Declared``."""
        content = properties.get("Content")
        if properties.get("DocumentFormat") == "JSON" and isinstance(content, str):
            properties["Content"] = json.loads(content)
        return properties

    def change(
        self, scope: Scope, identifier: Identifier, update: Update, before: Properties, after: Properties
    ) -> None:
        """See ``Declared``: the new version is made the default."""
        del before
        if "Content" not in update.names:
            return
        given = self._parameters(scope, update.call, {"Name": identifier}, after)
        try:
            version = scope.call("ssm", "update_document", **given)["DocumentDescription"]["DocumentVersion"]
        except AwsFault as fault:
            version = _version_of(scope, identifier, after) if fault.code in _TAKEN else None
            if version is None:
                raise
        scope.call("ssm", "update_document_default_version", Name=identifier, DocumentVersion=version)


def _version_of(scope: Scope, name: str, wanted: Properties) -> str | None:
    """The version with the content that is wanted: one that was there before is taken up again."""
    content, form = _plain(wanted.get("Content")), wanted.get("DocumentFormat", "JSON")
    current = scope.call("ssm", "get_document", Name=name, DocumentFormat=form)
    if _plain(current["Content"]) == content:
        return str(current["DocumentVersion"])
    for version in scope.pages("ssm", "list_document_versions", "DocumentVersions", Name=name):
        number = str(version["DocumentVersion"])
        found = scope.call("ssm", "get_document", Name=name, DocumentVersion=number, DocumentFormat=form)
        if _plain(found["Content"]) == content:
            return number
    return None


def _plain(content: Any) -> Any:
    return parsed_json(content) if isinstance(content, str) else content


PROVIDERS: tuple[ResourceProvider, ...] = (Document(_DOCUMENT),)
