"""AWS::Scheduler::Schedule."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from reconciler.model.errors import AwsFault, FaultKind
from reconciler.model.ids import ClientToken, Owner, TypeName
from reconciler.model.progress import Progress
from reconciler.model.resource import Located
from reconciler.model.values import Properties
from reconciler.ports import ResourceProvider, Scope
from reconciler.providers.declared import Call, Declaration, Declared, Read, Update
from reconciler.providers.declared.reading import Raw, Reader
from reconciler.providers.native.frame import already_exists

_DEFAULT = "default"
_SETTINGS = (
    "Description",
    "EndDate",
    "FlexibleTimeWindow",
    "KmsKeyArn",
    "ScheduleExpression",
    "ScheduleExpressionTimezone",
    "StartDate",
    "State",
    "Target",
)

_SCHEDULE = Declaration(
    type=TypeName("AWS::Scheduler::Schedule"),
    service="scheduler",
    read=Read("get_schedule"),
    create=Call("create_schedule"),
    # An update replaces everything, and must name the group, which can't be changed.
    updates=(Update(Call("update_schedule", (*_SETTINGS, "GroupName")), of=_SETTINGS, whole=True),),
    delete=Call("delete_schedule", ("GroupName",)),
    repeatable="ClientToken",
    also=("iam:PassRole",),
    also_reads=("scheduler:ListSchedules",),
)


class _InAnyGroup(Reader):
    """The identifier is the name alone, which is unique in its group: looked for in the default one, then in all."""

    def _answers(
        self, scope: Scope, read: Read, identities: Sequence[Mapping[str, str]], *, gone: bool = False
    ) -> list[Raw]:
        try:
            return super()._answers(scope, read, identities, gone=gone)
        except AwsFault as fault:
            if fault.kind is not FaultKind.NOT_FOUND:
                raise
        name = identities[0]["Name"]
        found = scope.pages("scheduler", "list_schedules", "Schedules", NamePrefix=name)
        groups = [str(one["GroupName"]) for one in found if one["Name"] == name]
        if len(groups) > 1:
            message = f"schedule {name} is in several groups ({', '.join(sorted(groups))}): give each a name of its own"
            raise AwsFault(FaultKind.CONFLICT, message, service="scheduler", operation="ListSchedules")
        return [scope.call("scheduler", "get_schedule", Name=name, GroupName=group) for group in groups]


class Schedule(Declared):
    """A schedule. Its name has to be the only one of its kind in all groups: nothing else identifies it."""

    def __init__(self, declaration: Declaration) -> None:
        super().__init__(declaration)
        self._reader = self._finder.reader = _InAnyGroup(declaration, self.schema_in, self.adapt_observed)

    def locate(self, scope: Scope, desired: Properties, owner: Owner) -> tuple[Located, ...]:
        """See ``Declared``: what is in another group isn't in the place."""
        found = super().locate(scope, desired, owner)
        return tuple(one for one in found if self._group(scope, one) == desired.get("GroupName", _DEFAULT))

    def create(self, scope: Scope, desired: Properties, token: ClientToken) -> Progress:
        """See ``Declared``. Raises ALREADY_EXISTS if another group has a schedule of the name."""
        for one in self._finder.standing(scope, desired):
            group = self._group(scope, one)
            if group != desired.get("GroupName", _DEFAULT):
                raise already_exists(self.type_name, one.identifier, f"in group {group}")
        return super().create(scope, desired, token)

    def _group(self, scope: Scope, one: Located) -> Any:
        return self._reader.item(scope, one.identifier).get("GroupName", _DEFAULT)


PROVIDERS: tuple[ResourceProvider, ...] = (Schedule(_SCHEDULE),)
