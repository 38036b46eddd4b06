"""What is wanted: a validated plan, its target, its resources, and the approvals that came with it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from reconciler.model.errors import Problem
from reconciler.model.ids import Digest, Identifier, LogicalId, Owner, PlanName, TypeName
from reconciler.model.values import Properties


class Delivery(StrEnum):
    """How a plan reaches AWS. ``resources`` stands for inline resources and for ``template`` alike."""

    RESOURCES = "resources"
    STACK = "stack"
    TERRAFORM = "terraform"
    CDK = "cdk"


@dataclass(frozen=True, slots=True)
class Target:
    """Where a plan applies, and how to get there."""

    environment: str
    account: str
    region: str
    profile: str | None = None
    role_arn: str | None = None
    external_id: str | None = None


@dataclass(frozen=True, slots=True)
class GuardrailException:
    """A documented exception from the compliance check."""

    rule: str
    reason: str
    approved_by: str
    expires: datetime


@dataclass(frozen=True, slots=True)
class Guardrail:
    """The outcome of the compliance check, which is made elsewhere. ``status``: passed, exceptions or failed."""

    status: str
    reference: str = ""
    exceptions: tuple[GuardrailException, ...] = ()


@dataclass(frozen=True, slots=True)
class RollbackPolicy:
    """``mode``: automatic, manual or procedure (then ``procedure`` holds the text or link)."""

    mode: str
    procedure: str = ""


@dataclass(frozen=True, slots=True)
class IgnoreRule:
    """A field that another controller owns; ``path`` is a JSON pointer into the properties."""

    resource: str
    path: str


@dataclass(frozen=True, slots=True)
class PipelineTarget:
    """Where changes to staging and production go. ``branch`` and ``path`` are templates ({plan}, {action} …).

    ``language``: of format ``cdk``. ``workflow``: the CI system that a workflow is written for, if any.
    """

    repository: str
    base: str = "main"
    branch: str = "feature/{action}-{plan}"
    path: str = "infrastructure/{plan}"
    format: str = "terraform"
    provider: str = "awscc"  # of format terraform: awscc, or aws for the types where we can
    language: str = "typescript"
    workflow: str | None = None


@dataclass(frozen=True, slots=True)
class Constraints:
    """What a template allows as a parameter's value; ``explanation`` is its ConstraintDescription.

    Numbers stay the text that the template has: lengths are whole, the others may be anything that is a number.
    """

    allowed_values: tuple[str, ...] = ()
    allowed_pattern: str = ""
    least_length: str = ""
    most_length: str = ""
    least_value: str = ""
    most_value: str = ""
    explanation: str = ""


@dataclass(frozen=True, slots=True)
class Parameter:
    """A template parameter with its value in force (a ``Sensitive`` when NoEcho)."""

    name: str
    type: str
    value: Any
    no_echo: bool = False
    description: str = ""
    constraints: Constraints = Constraints()


@dataclass(frozen=True, slots=True)
class Output:
    """A template output; ``value`` is an expression like a resource's properties, ``written`` as theirs."""

    name: str
    value: Any
    description: str = ""
    export: Any = None
    written: Any = None


@dataclass(frozen=True, slots=True)
class PlannedResource:
    """One resource as the plan wants it.

    ``properties`` is an expression: everything static is evaluated, the rest are ``Deferred`` nodes.
    ``needs``: logical ids that it refers to or names in DependsOn. ``moved_from``: the plan and logical id that it was
    under before (``Metadata: Reconciler: {movedFrom: other-plan/LogicalId}``). ``written``: the properties with what
    depends on a parameter left as an expression of it, and Fn::Base64 as such, for renderers; None if that is the same.
    It is never more than another way to write it: ``template.with_parameters`` makes ``properties`` of it.
    ``metadata``: the rest of its Metadata, and ``by_stack``: its CreationPolicy and UpdatePolicy, expressions too; they
    mean something to a stack only, so nothing but renderers looks at them.
    """

    logical_id: LogicalId
    type: TypeName
    properties: Properties
    needs: frozenset[LogicalId] = frozenset()
    deletion_policy: str = "Delete"
    update_replace_policy: str = "Delete"
    adopt: Identifier | None = None
    line: int = 0
    moved_from: Owner | None = None
    written: Properties | None = None
    metadata: Properties = field(default_factory=dict)
    by_stack: Properties = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class StackSource:
    """A CloudFormation stack. ``path``: the template's, relative to the source; ``body``: its text as it is there.

    ``types``: of the resources in it, each once.
    """

    path: str
    body: str
    name: str
    types: tuple[TypeName, ...] = ()


@dataclass(frozen=True, slots=True)
class TerraformSource:
    """A Terraform root module. ``directory`` is relative to the source; ``files``: its files and their digests.

    ``var_files``: paths relative to the source and their digests, in the order that they are given to Terraform.
    ``variables``: the plan's parameters.
    """

    directory: str
    files: Mapping[str, Digest]
    var_files: tuple[tuple[str, Digest], ...] = ()
    workspace: str = ""
    variables: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class CdkSource:
    """A CDK app, its files as those of ``TerraformSource``.

    ``stacks``: which of its stacks, by name or pattern; empty: all. ``context``: the plan's parameters.
    """

    directory: str
    files: Mapping[str, Digest]
    stacks: tuple[str, ...] = ()
    context: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a plan was read: a path relative to the source, a line in it, and the source's revision."""

    file: str
    line: int = 1
    revision: str = ""


@dataclass(frozen=True, slots=True)
class Plan:
    """A valid plan. ``digest`` covers its whole canonical content, referenced files included.

    ``rolling_back``: the number of the earlier revision whose content this is; ``digest`` stays the file's.
    ``left_alone``: resources that somebody keeps deleting and that aren't made again for now.
    ``stack``, ``terraform``, ``cdk``: what is delivered in that way; ``resources`` is empty then.
    """

    name: PlanName
    author: str
    target: Target
    guardrail: Guardrail
    rollback: RollbackPolicy
    digest: Digest
    origin: Origin
    delivery: Delivery = Delivery.RESOURCES
    description: str = ""
    labels: Mapping[str, str] = field(default_factory=dict)
    interval: float | None = None  # seconds
    suspend: bool = False
    absent: bool = False
    prune: bool = True
    ignore: tuple[IgnoreRule, ...] = ()
    parameters: tuple[Parameter, ...] = ()
    resources: Mapping[LogicalId, PlannedResource] = field(default_factory=dict)
    outputs: tuple[Output, ...] = ()
    pipeline: PipelineTarget | None = None
    rolling_back: int | None = None
    left_alone: frozenset[LogicalId] = frozenset()
    stack: StackSource | None = None
    terraform: TerraformSource | None = None
    cdk: CdkSource | None = None


@dataclass(frozen=True, slots=True)
class Approval:
    """An approval as read and checked: a fact for policy, not yet a permission.

    ``verified`` is True only if the digest is the plan's, the signature is the approver's by the
    allowed_signers file, and it had not expired when it was checked; otherwise ``reason`` says why not.
    ``change``: the digest of the one change set that it allows; empty: any change to this content of the plan.
    """

    name: str
    plan: PlanName
    digest: Digest
    approver: str
    approved_at: datetime
    expires_at: datetime
    scope: frozenset[str]
    ticket: str = ""
    verified: bool = False
    reason: str = ""
    file: str = ""
    change: Digest = Digest("")


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Everything a source holds at one moment.

    ``invalid`` maps a plan (or, where its name can't be told, its file) to what is wrong with it now;
    if an earlier version was good, ``plans`` still holds that one. ``healthy`` is False when the source as
    a whole couldn't be read, in which case the rest repeats the last good snapshot.
    """

    plans: Mapping[PlanName, Plan] = field(default_factory=dict)
    approvals: Mapping[PlanName, tuple[Approval, ...]] = field(default_factory=dict)
    invalid: Mapping[str, tuple[Problem, ...]] = field(default_factory=dict)
    revision: str = ""
    healthy: bool = True
    problem: str = ""
