"""One thing that went wrong, wherever it did: a step, or the pass itself."""

from __future__ import annotations

from dataclasses import dataclass

from reconciler.model.change import Verb
from reconciler.model.denial import denial_in
from reconciler.model.errors import AwsFault, FaultKind, ReconcilerError
from reconciler.model.ids import Identifier, LogicalId, StepId, TypeName
from reconciler.model.report import StepResult


@dataclass(frozen=True, slots=True)
class Case:
    """``kind``: a ``FaultKind`` or the reason of an error. Everything but the text may be unknown."""

    kind: str
    text: str
    service: str = ""
    operation: str = ""
    permission: str = ""
    resource: str = ""
    encoded: str = ""
    step: StepId | None = None
    logical_id: LogicalId | None = None
    type: TypeName | None = None
    verb: Verb | None = None
    identifier: Identifier | None = None

    @property
    def call(self) -> str:
        """The API call: ``ec2:CreateVpc``."""
        return f"{self.service}:{self.operation}" if self.service and self.operation else ""

    @property
    def subject(self) -> str:
        """What it happened to: a resource in the words of people, or nothing."""
        known = self.identifier or self.logical_id or ""
        return f"{known} ({self.type})" if known and self.type else known


def of_step(step: StepResult) -> Case:
    """The case of a failed step."""
    told = denial_in(step.error)
    return Case(
        kind=step.error_kind,
        text=step.error,
        service=step.service or told.service,
        operation=step.operation or told.operation,
        permission=step.permission or told.permission,
        resource=step.resource or told.resource,
        encoded=told.encoded,
        step=step.id,
        logical_id=step.logical_id,
        type=step.type,
        verb=step.verb,
        identifier=step.identifier,
    )


def of_error(error: ReconcilerError) -> Case:
    """The case of an error that ended a pass."""
    if not isinstance(error, AwsFault):
        return Case(error.reason, str(error))
    told = denial_in(str(error))
    return Case(
        kind=error.kind.value,
        text=str(error),
        service=error.service or told.service,
        operation=error.operation or told.operation,
        permission=error.permission or told.permission,
        resource=error.resource or told.resource,
        encoded=told.encoded,
    )


def of_read(text: str, logical_id: LogicalId, type_name: TypeName) -> Case:
    """The case of a resource that could not be read; denied if the text says so."""
    told = denial_in(text)
    return Case(
        kind=FaultKind.ACCESS_DENIED if told.permission else "",
        text=text,
        service=told.service,
        operation=told.operation,
        permission=told.permission,
        resource=told.resource,
        encoded=told.encoded,
        logical_id=logical_id,
        type=type_name,
    )
