"""Everything that can go wrong, as a closed vocabulary.

ReconcilerError            a message for a person: what, where, what to do
├── SourceError            plans, approvals, templates (carries every Problem found, not just the first)
├── ConfigurationError     reconciler.yaml, environment, command line
├── PolicyUnavailable      the engine can't give a decision: fail closed
├── AwsFault               an AWS call failed; ``kind`` says how, ``retryable`` whether to try again
├── GuardBlocked           the read-only guard stopped a call that could have written
├── StoreError             the store can't be read or written: nothing may be mutated
│   └── LeaseLost          the right to work on a plan ran out or was taken over: stop at once
├── PlanBusy               another process works on the plan: come back later
├── Undecidable            a person must look before the plan may go on
├── DeploymentError        CloudFormation, Terraform or CDK can't be used or is in a state that needs somebody
└── PipelineError          Git or rendering failed
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import ClassVar

from reconciler.model.secrecy import scrub


class ReconcilerError(Exception):
    """Base of every error the program expects. ``reason`` is a short constant for metrics and logs."""

    reason: ClassVar[str] = "internal"
    retryable: bool = True

    def __str__(self) -> str:
        """The message, without the secrets that AWS or a library may have quoted in it."""
        return scrub(super().__str__())


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong in an input file. ``path`` is the place inside the document: ``spec/resources/Vpc/Type``."""

    message: str
    file: str = ""
    line: int = 0
    path: str = ""
    suggestion: str = ""
    #: constant: yaml, schema, duplicate, reference, cycle, resource, unsupported, unreadable, size, path, approval …
    reason: str = "invalid"

    def __str__(self) -> str:
        where = ":".join(part for part in (self.file, str(self.line) if self.line else "") if part)
        at = f" at {self.path}" if self.path else ""
        hint = f" ({self.suggestion})" if self.suggestion else ""
        return scrub(f"{where}: {self.message}{at}{hint}" if where else f"{self.message}{at}{hint}")


class SourceError(ReconcilerError):
    """A plan, template or approval can't be used."""

    reason = "invalid"
    retryable = False

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(str(problem) for problem in self.problems))


class ConfigurationError(ReconcilerError):
    """The configuration or the command line is wrong."""

    reason = "configuration"
    retryable = False


class PolicyUnavailable(ReconcilerError):
    """No trustworthy decision: engine unreachable, slow, undefined, malformed or contradictory. Means deny.

    ``cause`` is one of unreachable, timeout, undefined, malformed, contradictory, compile, crashed, empty.
    """

    reason = "policy"

    def __init__(self, cause: str, message: str) -> None:
        self.cause = cause
        super().__init__(message)


class FaultKind(StrEnum):
    """How an AWS call failed."""

    ACCESS_DENIED = "access_denied"
    CREDENTIALS = "credentials"
    WRONG_ACCOUNT = "wrong_account"
    REGION_DISABLED = "region_disabled"
    NOT_FOUND = "not_found"
    ALREADY_EXISTS = "already_exists"
    CONFLICT = "conflict"
    THROTTLED = "throttled"
    QUOTA = "quota"
    INVALID_REQUEST = "invalid_request"
    UNAVAILABLE = "unavailable"
    TIMEOUT = "timeout"
    INTERNAL = "internal"


RETRYABLE = frozenset({FaultKind.THROTTLED, FaultKind.UNAVAILABLE, FaultKind.TIMEOUT})


class AwsFault(ReconcilerError):
    """An AWS call failed.

    ``ambiguous``: the call may have taken effect (connection lost, 5xx, time-out after sending).
    ``operation`` is the API name (``CreateVpc``), ``code`` AWS's own error code. ``permission`` is the IAM action that
    an access denied error asks for, ``resource`` the ARN it names, both where they are known. ``failed``: AWS was asked
    how an operation stands and answered that it has failed; without it only the asking may have.
    """

    reason = "aws"

    def __init__(
        self,
        kind: FaultKind,
        message: str,
        *,
        service: str = "",
        operation: str = "",
        code: str = "",
        ambiguous: bool = False,
        permission: str = "",
        resource: str = "",
        failed: bool = False,
    ) -> None:
        self.failed = failed
        self.permission = permission
        self.resource = resource
        self.kind = kind
        self.message = scrub(message)
        self.service = service
        self.operation = operation
        self.code = code
        self.ambiguous = ambiguous
        self.retryable = kind in RETRYABLE
        call = f"{service}:{operation}: " if service else ""
        super().__init__(f"{call}{code + ': ' if code else ''}{message}")


class GuardBlocked(ReconcilerError):
    """The guard refused an operation: not positively known to only read, or giving out what nobody needs.

    ``why`` replaces the usual ground, that ``environment`` is read-only.
    """

    reason = "guard"
    retryable = False

    def __init__(self, service: str, operation: str, environment: str, why: str = "") -> None:
        self.service = service
        self.operation = operation
        super().__init__(f"{service}:{operation} refused: {why or f'{environment} is read-only for this process'}")


class StoreError(ReconcilerError):
    """The state store can't be used."""

    reason = "store"


class LeaseLost(StoreError):
    """The lease on a plan ran out or is another process's now: nothing more may be mutated under it."""

    reason = "lease"


class PlanBusy(ReconcilerError):
    """Another live process works on the plan."""

    reason = "busy"


class Undecidable(ReconcilerError):
    """It can't be told whether an interrupted call took effect; the message has the facts and the next step."""

    reason = "undecidable"


class PipelineError(ReconcilerError):
    """Rendering, Git or the pull request failed."""

    reason = "pipeline"


class DeploymentError(ReconcilerError):
    """A stack, Terraform or CDK plan can't be looked at or carried out now.

    ``title`` says what it is in a few words; ``options`` are the ways out, further lines of each are commands.
    ``passing``: it passes by itself (somebody else's deployment, a lock), so it is no failure of the plan.
    """

    reason = "deployment"

    def __init__(self, title: str, message: str, options: Sequence[str] = (), *, passing: bool = False) -> None:
        self.title = title
        self.options = tuple(options)
        self.passing = passing
        super().__init__(message)
