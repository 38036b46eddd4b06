"""The shape of plan and approval documents, as users write them. ``errors.py`` beside it words the refusals."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime, time
from typing import Annotated, Any, Literal, TypeAlias

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Discriminator,
    Field,
    StrictBool,
    StringConstraints,
    Tag,
    model_validator,
)
from pydantic.alias_generators import to_camel
from pydantic_core import PydanticCustomError

DELIVERIES = ("resources", "template", "stack", "terraform", "cdk")
SCOPES = ("create", "update", "adopt", "replace", "delete", "rollback")

_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
_DURATION = re.compile(r"(?:(\d{1,6})d)?(?:(\d{1,6})h)?(?:(\d{1,6})m)?(?:(\d{1,6})s)?")
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")
_MAX_INTERVAL = 7 * 86400


def _account(value: Any) -> Any:
    if isinstance(value, int) and not isinstance(value, bool):
        raise PydanticCustomError(
            "unquoted", "an account is text, not a number: quote it, as in {quoted}", {"quoted": f'"{value:012d}"'}
        )
    return value


def _text(value: Any) -> Any:
    if isinstance(value, bool | int | float):
        raise PydanticCustomError("unquoted", "expected text, found {found}: quote it", {"found": _yaml_name(value)})
    return value


def _yaml_name(value: bool | int | float) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _duration(value: Any) -> Any:
    """``90s``, ``5m``, ``1h30m`` to seconds."""
    match = _DURATION.fullmatch(value) if isinstance(value, str) and value else None
    if match is None:
        raise PydanticCustomError("duration", "not a duration; write it like 30s, 5m or 1h30m")
    days, hours, minutes, seconds = (int(part or 0) for part in match.groups())
    total = days * 86400 + hours * 3600 + minutes * 60 + seconds
    if not 1 <= total <= _MAX_INTERVAL:
        raise PydanticCustomError("duration", "a duration lies between 1s and 7d")
    return float(total)


def _timestamp(value: Any) -> Any:
    if not isinstance(value, str):
        raise PydanticCustomError("timestamp", "not a time; write it like 2026-11-23T09:00:00Z")
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        raise PydanticCustomError("timestamp", "not a time; write it like 2026-11-23T09:00:00Z") from None
    if _DATE.fullmatch(value) or moment.tzinfo is None:
        raise PydanticCustomError("timestamp", "a time needs a time of day and a zone, like 2026-11-23T09:00:00Z")
    return moment.astimezone(UTC)


def _day_or_time(value: Any) -> Any:
    """A date alone expires as it begins: the earlier reading, for an exception is a risk."""
    if isinstance(value, str) and _DATE.fullmatch(value):
        try:
            return datetime.combine(datetime.fromisoformat(value).date(), time.min, UTC)
        except ValueError:
            raise PydanticCustomError("timestamp", "there is no such day") from None
    return _timestamp(value)


def _reference(value: str) -> str:
    """Whether ``..`` leaves the source is found out where the path is followed."""
    if value.startswith(("/", "~")) or "\\" in value or re.match(r"[A-Za-z]:", value):
        raise PydanticCustomError("path_escape", "must be a path relative to the plan file, inside the source")
    return value


def _descending(value: str) -> str:
    if ".." in _reference(value).split("/"):
        raise PydanticCustomError("path_escape", "must be a relative path without '..'")
    return value


def _repository(value: str) -> str:
    if value.startswith("-") or re.match(r"[A-Za-z0-9]+::", value):
        raise PydanticCustomError("repository", "must be a Git URL or a path; options and remote helpers are refused")
    return value


def _pointer(value: str) -> str:
    if not value.startswith("/"):
        raise PydanticCustomError("pointer", "must be a JSON pointer like /DesiredCapacity")
    return value


def _parameter(value: Any) -> Any:
    items = value if isinstance(value, list) else [value]
    if not all(isinstance(item, str | int | float) for item in items):
        raise PydanticCustomError("parameter", "a parameter's value is text, a number, true, false, or a list of those")
    return value


def _rollback_form(value: Any) -> str:
    return "written out" if isinstance(value, Mapping | RollbackProcedure) else "named"


Text: TypeAlias = Annotated[str, BeforeValidator(_text), StringConstraints(min_length=1, max_length=4096)]
Line: TypeAlias = Annotated[
    str, BeforeValidator(_text), StringConstraints(min_length=1, max_length=512, pattern=r"^[^\r\n]+$")
]
Person: TypeAlias = Annotated[
    str, BeforeValidator(_text), StringConstraints(min_length=1, max_length=254, pattern=r"^[^\s,\"]+$")
]
PlanNameText: TypeAlias = Annotated[
    str, BeforeValidator(_text), StringConstraints(max_length=63, pattern=r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?$")
]
Plain: TypeAlias = Annotated[
    str, BeforeValidator(_text), StringConstraints(max_length=63, pattern=r"^[a-z][a-z0-9-]*$")
]
Account: TypeAlias = Annotated[str, BeforeValidator(_account), StringConstraints(pattern=r"^[0-9]{12}$")]
Region: TypeAlias = Annotated[str, BeforeValidator(_text), StringConstraints(pattern=r"^[a-z]{2}(-[a-z]+)+-[0-9]$")]
RoleArn: TypeAlias = Annotated[
    str, BeforeValidator(_text), StringConstraints(pattern=r"^arn:aws[a-z-]*:iam::[0-9]{12}:role/[A-Za-z0-9_+=,.@/-]+$")
]
LabelText: TypeAlias = Annotated[
    str,
    BeforeValidator(_text),
    StringConstraints(max_length=63, pattern=r"^[A-Za-z0-9]([-A-Za-z0-9_./]*[A-Za-z0-9])?$"),
]
Duration: TypeAlias = Annotated[float, BeforeValidator(_duration)]
Moment: TypeAlias = Annotated[datetime, BeforeValidator(_timestamp)]
DayOrMoment: TypeAlias = Annotated[datetime, BeforeValidator(_day_or_time)]
Reference: TypeAlias = Annotated[Line, AfterValidator(_reference)]
ParameterValue: TypeAlias = Annotated[Any, AfterValidator(_parameter)]


class Shape(BaseModel):
    """A part of a document: camelCase keys, nothing unknown, nothing converted on the quiet."""

    model_config = ConfigDict(extra="forbid", alias_generator=to_camel, frozen=True, hide_input_in_errors=True)


class PlanMetadata(Shape):
    """Who and what."""

    name: PlanNameText
    author: Person
    description: Annotated[str, BeforeValidator(_text), StringConstraints(max_length=4096)] = ""
    labels: dict[LabelText, LabelText] = Field(default_factory=dict)


class TargetShape(Shape):
    """Where to. Which environments exist is policy's business."""

    environment: Plain
    account: Account
    region: Region
    profile: Annotated[str, BeforeValidator(_text), StringConstraints(pattern=r"^[A-Za-z0-9_.@+/-]{1,128}$")] | None = (
        None
    )
    role_arn: RoleArn | None = None
    external_id: Annotated[str, BeforeValidator(_text), StringConstraints(min_length=2, max_length=1224)] | None = None

    @model_validator(mode="after")
    def _consistent(self) -> TargetShape:
        if self.external_id and not self.role_arn:
            raise PydanticCustomError("external_id", "externalId needs a roleArn")
        if self.role_arn and self.role_arn.split(":")[4] != self.account:
            raise PydanticCustomError("role_account", "roleArn belongs to another account than the target's")
        return self


class ExceptionShape(Shape):
    """One documented exception from the guardrail."""

    rule: Line
    reason: Text
    approved_by: Person
    expires: DayOrMoment


class GuardrailShape(Shape):
    """The compliance check's outcome. Failed and expired ones are valid documents that policy refuses."""

    status: Literal["passed", "exceptions", "failed"]
    reference: Annotated[str, BeforeValidator(_text), StringConstraints(max_length=2048)] = ""
    exceptions: tuple[ExceptionShape, ...] = ()

    @model_validator(mode="after")
    def _documented(self) -> GuardrailShape:
        if self.status == "exceptions" and not self.exceptions:
            raise PydanticCustomError("undocumented", "status is exceptions, but none is documented under exceptions")
        return self


class RollbackProcedure(Shape):
    """A rollback that people do."""

    procedure: Text


class IgnoreShape(Shape):
    """A field that another controller owns."""

    resource: Line
    path: Annotated[Line, AfterValidator(_pointer)]


class StackShape(Shape):
    """A CloudFormation stack."""

    template: Reference
    name: Annotated[str, BeforeValidator(_text), StringConstraints(pattern=r"^[A-Za-z][-A-Za-z0-9]{0,127}$")] | None = (
        None
    )


class TerraformShape(Shape):
    """A Terraform root module."""

    directory: Reference
    var_files: tuple[Reference, ...] = ()
    workspace: Annotated[str, BeforeValidator(_text), StringConstraints(pattern=r"^[A-Za-z0-9_.-]{1,90}$")] | None = (
        None
    )


class CdkShape(Shape):
    """A CDK app."""

    directory: Reference
    stacks: tuple[Line, ...] = ()


class PipelineShape(Shape):
    """Where staging and production changes go. ``language``: of format cdk."""

    repository: Annotated[Line, AfterValidator(_repository)]
    base: Annotated[Line, AfterValidator(_repository)] = "main"
    branch: Annotated[Line, AfterValidator(_repository)] = "feature/{action}-{plan}"
    path: Annotated[Line, AfterValidator(_descending)] = "infrastructure/{plan}"
    format: Literal["terraform", "cloudformation", "cdk"] = "terraform"
    provider: Literal["awscc", "aws"] = "awscc"
    language: Literal["typescript", "python"] = "typescript"
    workflow: Literal["github", "gitlab"] | None = None


class PlanSpec(Shape):
    """What is wanted, where, and under which conditions."""

    target: TargetShape
    guardrail: GuardrailShape
    rollback: Annotated[
        Annotated[Literal["automatic", "manual"], Tag("named")] | Annotated[RollbackProcedure, Tag("written out")],
        Discriminator(_rollback_form),
    ]
    interval: Duration | None = None
    suspend: StrictBool = False
    state: Literal["present", "absent"] = "present"
    prune: StrictBool = True
    ignore: tuple[IgnoreShape, ...] = ()
    parameters: dict[str, ParameterValue] = Field(default_factory=dict)
    resources: dict[str, Any] | None = None
    template: Reference | None = None
    stack: StackShape | None = None
    terraform: TerraformShape | None = None
    cdk: CdkShape | None = None
    pipeline: PipelineShape | None = None

    @model_validator(mode="after")
    def _one_delivery(self) -> PlanSpec:
        given = [name for name in DELIVERIES if getattr(self, name) is not None]
        if len(given) != 1:
            found = " and ".join(given) if given else "none"
            raise PydanticCustomError(
                "delivery",
                "exactly one of {all} is needed, found {found}",
                {"all": ", ".join(DELIVERIES), "found": found},
            )
        if self.resources == {} and self.state == "present":
            raise PydanticCustomError("empty", "no resources; to delete everything the plan owns, say state: absent")
        return self


class PlanDocument(Shape):
    """kind: Plan."""

    api_version: Literal["reconciler/v1"]
    kind: Literal["Plan"]
    metadata: PlanMetadata
    spec: PlanSpec


class ApprovalMetadata(Shape):
    """The approval's own name, unique among the approvals of its plan."""

    name: Annotated[
        str, BeforeValidator(_text), StringConstraints(max_length=253, pattern=r"^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$")
    ]


class ApprovalSpec(Shape):
    """Who approves what, until when. ``change``: only this one change set; without it, any to this content."""

    plan: PlanNameText
    digest: Annotated[str, BeforeValidator(_text), StringConstraints(pattern=r"^sha256:[0-9a-f]{64}$")]
    approver: Person
    approved_at: Moment
    expires_at: Moment
    scope: Annotated[
        tuple[Literal["create", "update", "adopt", "replace", "delete", "rollback"], ...], Field(min_length=1)
    ]
    ticket: Annotated[str, BeforeValidator(_text), StringConstraints(max_length=128)] = ""
    change: Annotated[str, BeforeValidator(_text), StringConstraints(pattern=r"^sha256:[0-9a-f]{64}$")] = ""
    signature: Annotated[str, BeforeValidator(_text), StringConstraints(max_length=16384)] = ""

    @model_validator(mode="after")
    def _in_order(self) -> ApprovalSpec:
        if self.expires_at <= self.approved_at:
            raise PydanticCustomError("order", "expiresAt must be after approvedAt")
        return self


class ApprovalDocument(Shape):
    """kind: Approval."""

    api_version: Literal["reconciler/v1"]
    kind: Literal["Approval"]
    metadata: ApprovalMetadata
    spec: ApprovalSpec
