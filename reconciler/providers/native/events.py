"""AWS::Events: rules with their targets, event buses, archives."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from reconciler.model.errors import AwsFault, FaultKind
from reconciler.model.ids import ClientToken, Identifier, Owner, TypeName
from reconciler.model.progress import Progress
from reconciler.model.resource import Located
from reconciler.model.values import Properties
from reconciler.ports import ResourceProvider, Scope
from reconciler.providers.declared import Call, Declaration, Declared, Read, Update, Waiting, arn_tagging
from reconciler.providers.native.naming import NameRule

_DEFAULT = "default"
_RULE_ARNS = (
    "arn:{partition}:events:{region}:{account}:rule/{EventBusName}/{Name}",
    "arn:{partition}:events:{region}:{account}:rule/{Name}",
)
_TARGETS = ("Targets",)
_WHICH = {"Rule": "{Name}"}

_RULE = Declaration(
    type=TypeName("AWS::Events::Rule"),
    service="events",
    naming=NameRule("Name", 64, distinct=("EventBusName",)),
    identity={"Arn": _RULE_ARNS},
    parts={"Arn": _RULE_ARNS},
    arn="{Arn}",
    read=Read("describe_rule", renames={"RuleName": "Name"}),
    extras=(Read("list_targets_by_rule", "Targets", constants=_WHICH, shows=_TARGETS, into="Targets"),),
    create=Call("put_rule"),
    updates=(
        Update(
            Call("put_rule", ("Description", "EventPattern", "RoleArn", "ScheduleExpression", "State")),
            whole=True,
        ),
        Update(
            Call("put_targets", _TARGETS, constants=_WHICH),
            clear=Call("remove_targets", constants=_WHICH),
            later=True,
        ),
    ),
    delete=Call("delete_rule"),
    tagging=arn_tagging("ResourceARN", kind="events:rule"),
    resets={"State": "ENABLED"},
    looks_first=True,
    also=("iam:PassRole",),
)


class Rule(Declared):
    """A rule. Its targets are known by their ids: one that goes is removed, the others are put."""

    def locate(self, scope: Scope, desired: Properties, owner: Owner) -> tuple[Located, ...]:
        """See ``Declared``."""
        return super().locate(scope, _by_bus_name(desired), owner)

    def create(self, scope: Scope, desired: Properties, token: ClientToken) -> Progress:
        """See ``Declared``."""
        return super().create(scope, _by_bus_name(desired), token)

    def change(
        self, scope: Scope, identifier: Identifier, update: Update, before: Properties, after: Properties
    ) -> None:
        """See ``Declared``."""
        if "Targets" not in update.names:
            super().change(scope, identifier, update, before, after)
            return
        wanted = {str(target["Id"]): target for target in after.get("Targets") or ()}
        there = {str(target["Id"]) for target in before.get("Targets") or ()}
        identity = self._reader.identity(scope, identifier)
        self._remove_targets(scope, identity, sorted(there - wanted.keys()))
        if wanted:
            given = self._parameters(scope, update.call, identity, {"Targets": list(wanted.values())})
            _accepted(scope.call("events", update.call.operation, **given), update.call.operation)

    def remove(self, scope: Scope, identifier: Identifier) -> None:
        """See ``Declared``: a rule must not have targets."""
        live = self._live(scope, identifier, frozenset(_TARGETS))
        identity = self._reader.identity(scope, identifier)
        self._remove_targets(scope, identity, [str(target["Id"]) for target in live.get("Targets") or ()])
        super().remove(scope, identifier)

    def _remove_targets(self, scope: Scope, identity: Mapping[str, Any], ids: list[str]) -> None:
        if ids:
            given = {"Rule": identity["Name"], "EventBusName": identity.get("EventBusName", _DEFAULT)}
            _accepted(scope.call("events", "remove_targets", **given, Ids=ids), "remove_targets")


def _by_bus_name(desired: Properties) -> Properties:
    """``desired`` with its bus by name, as rules' ARNs have it; without it where that is the default one."""
    bus = desired.get("EventBusName")
    if not isinstance(bus, str):
        return desired
    bus = bus.partition(":event-bus/")[2] or bus
    if bus == _DEFAULT:
        return {name: value for name, value in desired.items() if name != "EventBusName"}
    return {**desired, "EventBusName": bus}


def _accepted(answer: Mapping[str, Any], operation: str) -> None:
    """Raise INVALID_REQUEST if an answer says that some targets weren't taken; others were."""
    for entry in answer.get("FailedEntries") or ():
        message = f"target {entry.get('TargetId')}: {entry.get('ErrorMessage')}"
        code = str(entry.get("ErrorCode", ""))
        kind = FaultKind.CONFLICT if "Concurrent" in code else FaultKind.INVALID_REQUEST
        raise AwsFault(kind, message, service="events", operation=operation, code=code)


_POLICY = ("Policy",)
_BUS_NAME = {"Name": "EventBusName"}
_BUS_SETTINGS = ("DeadLetterConfig", "Description", "KmsKeyIdentifier", "LogConfig")

_BUS = Declaration(
    type=TypeName("AWS::Events::EventBus"),
    service="events",
    naming=NameRule("Name", 256),
    arn="arn:{partition}:events:{region}:{account}:event-bus/{Name}",
    read=Read("describe_event_bus"),
    create=Call("create_event_bus"),
    updates=(
        Update(Call("update_event_bus", _BUS_SETTINGS), whole=True),
        Update(
            Call("put_permission", _POLICY, _BUS_NAME),
            clear=Call("remove_permission", renames=_BUS_NAME, constants={"RemoveAllPermissions": True}),
            later=True,
        ),
    ),
    delete=Call("delete_event_bus"),
    tagging=arn_tagging("ResourceARN", kind="events:event-bus"),
    resets={"Description": ""},  # what isn't said stays
)

_ARCHIVE = Declaration(
    type=TypeName("AWS::Events::Archive"),
    service="events",
    renames={"SourceArn": "EventSourceArn"},
    arn="arn:{partition}:events:{region}:{account}:archive/{ArchiveName}",
    read=Read("describe_archive", renames={"Arn": "ArchiveArn"}),
    create=Call("create_archive"),
    updates=(Update(Call("update_archive", ("Description", "EventPattern", "KmsKeyIdentifier", "RetentionDays"))),),
    delete=Call("delete_archive"),
    waiting=Waiting(
        "State",
        pending=frozenset({"CREATING", "UPDATING"}),
        failed=frozenset({"CREATE_FAILED", "UPDATE_FAILED"}),
        why="StateReason",
    ),
    resets={"Description": "", "RetentionDays": 0},
)

PROVIDERS: tuple[ResourceProvider, ...] = (Rule(_RULE), Declared(_BUS), Declared(_ARCHIVE))
