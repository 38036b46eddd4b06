"""The shape of plan and approval documents, as users write them. ``errors.py`` beside it words the refusals."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Discriminator, Field, StrictBool, StringConstraints, Tag, model_validator
from pydantic.alias_generators import to_camel
from pydantic_core import PydanticCustomError

from reconciler.source.kinds import (
    Account,
    DayOrMoment,
    Descending,
    Duration,
    GitWord,
    LabelText,
    Line,
    Moment,
    ParameterValue,
    Person,
    Plain,
    PlanNameText,
    Pointer,
    Reference,
    Region,
    RoleArn,
    Text,
    Written,
)

DELIVERIES = ("resources", "template", "stack", "terraform", "cdk")
SCOPES = ("create", "update", "adopt", "replace", "delete", "rollback")


class Shape(BaseModel):
    """A part of a document: camelCase keys, nothing unknown, nothing converted on the quiet."""

    model_config = ConfigDict(extra="forbid", alias_generator=to_camel, frozen=True, hide_input_in_errors=True)


class PlanMetadata(Shape):
    """Who and what."""

    name: PlanNameText
    author: Person
    description: Annotated[Written, StringConstraints(max_length=4096)] = ""
    labels: dict[LabelText, LabelText] = Field(default_factory=dict)


class TargetShape(Shape):
    """Where to. Which environments exist is policy's business."""

    environment: Plain
    account: Account
    region: Region
    profile: Annotated[Written, StringConstraints(pattern=r"^[A-Za-z0-9_.@+/-]{1,128}$")] | None = None
    role_arn: RoleArn | None = None
    external_id: Annotated[Written, StringConstraints(min_length=2, max_length=1224)] | None = None

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
    reference: Annotated[Written, StringConstraints(max_length=2048)] = ""
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
    path: Pointer


class StackShape(Shape):
    """A CloudFormation stack."""

    template: Reference
    name: Annotated[Written, StringConstraints(pattern=r"^[A-Za-z][-A-Za-z0-9]{0,127}$")] | None = None


class TerraformShape(Shape):
    """A Terraform root module."""

    directory: Reference
    var_files: tuple[Reference, ...] = ()
    workspace: Annotated[Written, StringConstraints(pattern=r"^[A-Za-z0-9_.-]{1,90}$")] | None = None


class CdkShape(Shape):
    """A CDK app."""

    directory: Reference
    stacks: tuple[Line, ...] = ()


class PipelineShape(Shape):
    """Where staging and production changes go. ``language``: of format cdk."""

    repository: GitWord
    base: GitWord = "main"
    branch: GitWord = "feature/{action}-{plan}"
    path: Descending = "infrastructure/{plan}"
    format: Literal["terraform", "cloudformation", "cdk"] = "terraform"
    provider: Literal["awscc", "aws"] = "awscc"
    language: Literal["typescript", "python"] = "typescript"
    workflow: Literal["github", "gitlab"] | None = None


def _rollback_form(value: Any) -> str:
    return "written out" if isinstance(value, Mapping | RollbackProcedure) else "named"


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

    name: Annotated[Written, StringConstraints(max_length=253, pattern=r"^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$")]


class ApprovalSpec(Shape):
    """Who approves what, until when. ``change``: only this one change set; without it, any to this content."""

    plan: PlanNameText
    digest: Annotated[Written, StringConstraints(pattern=r"^sha256:[0-9a-f]{64}$")]
    approver: Person
    approved_at: Moment
    expires_at: Moment
    scope: Annotated[
        tuple[Literal["create", "update", "adopt", "replace", "delete", "rollback"], ...], Field(min_length=1)
    ]
    ticket: Annotated[Written, StringConstraints(max_length=128)] = ""
    change: Annotated[Written, StringConstraints(pattern=r"^sha256:[0-9a-f]{64}$")] = ""
    signature: Annotated[Written, StringConstraints(max_length=16384)] = ""

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
