"""AWS::Batch::JobDefinition: a name with revisions, the newest of which is what there is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from reconciler.model.ids import ClientToken, Identifier, TypeName
from reconciler.model.progress import Progress
from reconciler.model.values import Properties
from reconciler.ports import ResourceProvider, Scope
from reconciler.providers.declared import Call, Declaration, Declared, Read, Update
from reconciler.providers.declared.finding import Finder
from reconciler.providers.declared.reading import Raw, Reader
from reconciler.providers.native.batch import tagging
from reconciler.providers.native.naming import NameRule
from reconciler.providers.native.tagging import as_map

_KEPT = "ResourceRetentionPolicy"
_SETTINGS = (
    "ConsumableResourceProperties",
    "ContainerProperties",
    "EcsProperties",
    "EksProperties",
    "NodeProperties",
    "Parameters",
    "PlatformCapabilities",
    "PropagateTags",
    "RetryStrategy",
    "SchedulingPriority",
    "Timeout",
    "Type",
)
_DECLARED = Declaration(
    type=TypeName("AWS::Batch::JobDefinition"),
    service="batch",
    naming=NameRule("JobDefinitionName", 128),
    arn="{JobDefinitionArn}",
    read=Read("describe_job_definitions", "jobDefinitions"),
    create=Call("register_job_definition", ("JobDefinitionName", *_SETTINGS)),
    looks_first=True,  # registering makes another revision of a name that is there
    updates=(Update(Call("register_job_definition", (*_SETTINGS, _KEPT)), whole=True),),
    delete=Call("deregister_job_definition"),
    tagging=tagging("batch:job-definition"),
    also=("iam:PassRole",),
)


class _Reader(Reader):
    def _answers(
        self,
        scope: Scope,
        read: Read,  # noqa: ARG002
        identities: Sequence[Mapping[str, str]],
        *,
        gone: bool = False,  # noqa: ARG002
    ) -> list[Raw]:
        found = revisions(scope, identities[0]["JobDefinitionName"])
        return [max(found, key=_number)] if found else []


class _Finder(Finder):
    def _of_arn(self, scope: Scope, arn: str) -> Identifier | None:  # noqa: ARG002
        return Identifier(arn.rpartition("/")[2].rpartition(":")[0])


class JobDefinition(Declared):
    """A job definition. What changes it is a new revision; the one before goes unless a plan says otherwise."""

    reader: ClassVar = _Reader
    finder: ClassVar = _Finder

    def create(self, scope: Scope, desired: Properties, token: ClientToken) -> Progress:
        """See ``ports.ResourceProvider``: there is no older revision yet."""
        return super().create(scope, {name: one for name, one in desired.items() if name != _KEPT}, token)

    def change(
        self, scope: Scope, identifier: Identifier, update: Update, before: Properties, after: Properties
    ) -> None:
        """See ``Declared``: the new revision has the tags of the old one, which is deregistered once it is there."""
        old = self._reader.item(scope, identifier)
        kept = (after.get(_KEPT) or {}).get("SkipDeregisterOnUpdate")
        identity = self._reader.identity(scope, identifier)
        live = self._live(scope, identifier, frozenset(_SETTINGS))
        settings = {name: after[name] if name in after else live.get(name) for name in _SETTINGS}
        dropped = before.keys() - after.keys()
        settings = {name: value for name, value in settings.items() if value is not None and name not in dropped}
        given = self._parameters(scope, update.call, identity, settings)
        assert self._tagger is not None
        given |= self._tagger.created(update.call.operation, as_map(old.get("tags")))
        scope.call("batch", "register_job_definition", **given)
        if not kept:
            scope.call("batch", "deregister_job_definition", jobDefinition=old["jobDefinitionArn"])

    def remove(self, scope: Scope, identifier: Identifier) -> None:
        """See ``Declared``: every revision goes."""
        for one in revisions(scope, identifier):
            scope.call("batch", "deregister_job_definition", jobDefinition=one["jobDefinitionArn"])


def revisions(scope: Scope, name: str) -> list[dict[str, Any]]:
    """The revisions of a job definition that can be used."""
    return scope.pages("batch", "describe_job_definitions", "jobDefinitions", jobDefinitionName=name, status="ACTIVE")


def _number(revision: Raw) -> int:
    return int(revision.get("revision") or 0)


PROVIDERS: tuple[ResourceProvider, ...] = (JobDefinition(_DECLARED),)
