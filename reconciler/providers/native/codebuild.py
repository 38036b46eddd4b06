"""AWS::CodeBuild::Project. Its webhook is part of it, though CodeBuild makes, changes and deletes it by itself."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from reconciler.model.ids import Identifier, TypeName
from reconciler.model.progress import Progress
from reconciler.model.values import Properties
from reconciler.ports import ResourceProvider, Scope
from reconciler.providers.declared import Call, Declaration, Declared, Many, Read, Tagging, Update
from reconciler.providers.declared.reading import Item
from reconciler.providers.declared.tags import Tagger
from reconciler.providers.native.naming import NameRule
from reconciler.providers.native.tagging import Tags
from reconciler.schema.scalars import boolean

_READ, _UPDATE, _SHOW = "batch_get_projects", "update_project", "update_project_visibility"
_HOOK = ("Triggers",)
_PUBLIC = ("ResourceAccessRole", "Visibility")
#: a webhook as the schema calls its parts; what a filter consists of isn't in the schema
_HOOK_PARTS = ("BuildType", "FilterGroups", "PullRequestBuildPolicy", "ScopeConfiguration")
#: What is live of a project that doesn't say, by CodeBuild's documentation.
_DEFAULTS: Mapping[str, Any] = {
    "AutoRetryLimit": 0,
    "BadgeEnabled": False,
    "BuildBatchConfig": {},
    "Cache": {"Type": "NO_CACHE"},
    "ConcurrentBuildLimit": -1,  # none
    "Description": "",
    "EncryptionKey": "alias/aws/s3",
    "FileSystemLocations": [],
    "LogsConfig": {"CloudWatchLogs": {"Status": "ENABLED"}, "S3Logs": {"Status": "DISABLED"}},
    "QueuedTimeoutInMinutes": 480,
    "SecondaryArtifacts": [],
    "SecondarySourceVersions": [],
    "SecondarySources": [],
    "SourceVersion": "",
    "TimeoutInMinutes": 60,
    "VpcConfig": {},
}
_REQUIRED = ("Artifacts", "Environment", "ServiceRole", "Source")

_PROJECT = Declaration(
    type=TypeName("AWS::CodeBuild::Project"),
    service="codebuild",
    renames={"Visibility": "projectVisibility"},
    naming=NameRule("Name", 150),
    identity={"Id": "{Name}"},
    parts={"Id": ("{Name}",)},
    arn="arn:{partition}:codebuild:{region}:{account}:project/{Name}",
    read=Read(_READ, "projects", many=Many("names", "Name")),
    create=Call("create_project"),
    updates=(
        Update(Call(_UPDATE, (*_REQUIRED, *_DEFAULTS))),
        Update(Call(_SHOW, _PUBLIC, constants={"projectArn": "{arn}"}), whole=True, later=True),
        Update(
            Call("create_webhook", _HOOK, constants={"projectName": "{Name}"}, spread=_HOOK),
            clear=Call("delete_webhook", constants={"projectName": "{Name}"}),
            later=True,
        ),
    ),
    delete=Call("delete_project"),
    tagging=Tagging(
        _UPDATE,
        _UPDATE,
        {"name": "{Name}"},
        inline="tags",
        tags="tags",
        keys="tags",
        create="tags",
        kind="codebuild:project",
    ),
    resets={**_DEFAULTS, "Visibility": "PRIVATE"},
    also=("iam:PassRole",),
    asks={"Triggers": ("codebuild:UpdateWebhook",)},
)
_CHANGED_HOOK = Call("update_webhook", constants={"projectName": "{Name}"}, spread=_HOOK)


class _WholeTags(Tagger):
    """Tags of a type whose update takes all that a resource is to have."""

    def live(self, scope: Scope, name: str) -> Tags:
        """The tags that a project has now; none if there is no such project."""
        answer = scope.call("codebuild", _READ, names=[name])
        return next((self.inline(item) for item in answer.get("projects", ())), {})

    def change(self, scope: Scope, fields: Mapping[str, Any], before: Tags, after: Tags) -> None:
        """See ``Tagger``."""
        stale = before.keys() - after.keys()
        there = self.live(scope, str(fields["Name"]))
        self.write(scope, fields, {key: text for key, text in there.items() if key not in stale} | after)


class Project(Declared):
    """A build project."""

    tagger: ClassVar = _WholeTags

    def adapt_observed(self, scope: Scope, item: Item, properties: dict[str, Any]) -> dict[str, Any]:  # noqa: ARG002
        """See ``Declared``: badge and webhook are shown elsewhere than they are asked for."""
        badge, hook = item.answer.get("badge"), item.answer.get("webhook")
        enabled = isinstance(badge, Mapping) and badge.get("badgeEnabled") is True
        return {**properties, "BadgeEnabled": enabled, "Triggers": _triggers(hook)}

    def adapt_given(self, scope: Scope, call: Call, values: dict[str, Any]) -> dict[str, Any]:  # noqa: ARG002
        """See ``Declared``: of a new project only one of the two may be said."""
        return {"Visibility": "PRIVATE", **values} if call.operation == _SHOW else values

    def update(
        self, scope: Scope, identifier: Identifier, before: Properties, after: Properties, changed: frozenset[str]
    ) -> Progress:
        """See ``ports.ResourceProvider``: who may see a project is changed as a whole."""
        if changed.intersection(_PUBLIC):
            before = {**self._live(scope, identifier, frozenset(_PUBLIC)), **before}
        return super().update(scope, identifier, before, after, changed)

    def change(
        self, scope: Scope, identifier: Identifier, update: Update, before: Properties, after: Properties
    ) -> None:
        """See ``Declared``."""
        if update.names != frozenset(_HOOK):
            super().change(scope, identifier, update, before, after)
            return
        identity = self._reader.identity(scope, identifier)
        live, wanted = self._hook(scope, identifier), dict(after.get("Triggers") or {})
        needed = boolean(wanted.pop("Webhook", False)) is True
        scoped = live.get("ScopeConfiguration", {}) == wanted.get("ScopeConfiguration", {})
        if live and not (needed and scoped) and update.clear is not None:
            self._send(scope, update.clear, identity, {})
        if needed and live and scoped:  # what it was made for doesn't change
            wanted.pop("ScopeConfiguration", None)
            wanted = {"BuildType": "BUILD", "FilterGroups": [], **wanted}
            self._send(scope, _CHANGED_HOOK, identity, {"Triggers": wanted})
        elif needed:
            self._send(scope, update.call, identity, {"Triggers": wanted})

    def _hook(self, scope: Scope, identifier: Identifier) -> dict[str, Any]:
        """The live webhook; empty if there is none."""
        shown = self._live(scope, identifier, frozenset(_HOOK))["Triggers"]
        return dict(shown) if shown["Webhook"] else {}

    def _parameters(
        self, scope: Scope, call: Call, identity: Mapping[str, Any], values: Mapping[str, Any]
    ) -> dict[str, Any]:
        """Without its tags, an update might take them, and with them whose the project is."""
        given = super()._parameters(scope, call, identity, values)
        if call.operation == _UPDATE and isinstance(self._tagger, _WholeTags):
            given |= self._tagger.created(_UPDATE, self._tagger.live(scope, str(identity["Name"])))
        return given


def _triggers(hook: Any) -> dict[str, Any]:
    """A webhook as the schema has it."""
    if not isinstance(hook, Mapping):
        return {"Webhook": False}
    shown = _schematic(hook)
    return {"Webhook": True, **{name: shown[name] for name in _HOOK_PARTS if shown.get(name) is not None}}


def _schematic(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {f"{key[:1].upper()}{key[1:]}": _schematic(item) for key, item in value.items()}
    return [_schematic(item) for item in value] if isinstance(value, list) else value


PROVIDERS: tuple[ResourceProvider, ...] = (Project(_PROJECT),)
