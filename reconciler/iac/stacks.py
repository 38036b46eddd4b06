"""A CloudFormation stack as it is now, whose it is, and whether something can be done with it. Reads only."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from reconciler.iac.templates import parse
from reconciler.model.errors import AwsFault, DeploymentError
from reconciler.model.ids import OWNER_PLAN_TAG, Identifier, LogicalId, TypeName
from reconciler.model.plan import Plan
from reconciler.ports import Scope

STACK_TYPE = TypeName("AWS::CloudFormation::Stack")
#: What AWS shows instead of a NoEcho parameter's value.
HIDDEN = "****"
REVIEW = "REVIEW_IN_PROGRESS"

_ABSENT = re.compile(r"does not exist", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Stack:
    """A stack. ``updated``: when it was last changed, as AWS says."""

    id: Identifier
    name: str
    status: str
    reason: str
    parameters: Mapping[str, str]
    tags: Mapping[str, str]
    updated: str

    @property
    def busy(self) -> bool:
        """Whether an operation is going on."""
        return self.status.endswith("_IN_PROGRESS") and self.status != REVIEW

    @property
    def empty(self) -> bool:
        """Whether it was never executed: only change sets wait in it."""
        return self.status == REVIEW


@dataclass(frozen=True, slots=True)
class Stuck:
    """A state that only a person gets a stack out of. ``{stack}`` and ``{region}`` are filled in."""

    title: str
    message: str
    options: tuple[str, ...]


_DELETE = (
    "Delete the stack, then go on:\naws cloudformation delete-stack --stack-name {stack} --region {region}\n"
    "reconciler apply {plan}"
)
_STUCK: Mapping[str, Stuck] = {
    "ROLLBACK_COMPLETE": Stuck(
        "Stack was never created",
        "its first creation failed and was rolled back; CloudFormation lets it only be deleted",
        (_DELETE,),
    ),
    "CREATE_FAILED": Stuck(
        "Stack creation failed",
        "its creation failed and what was made was kept; CloudFormation lets it only be deleted",
        ("Look at what was made, then delete it with the stack:" + _DELETE.partition(":")[2],),
    ),
    "ROLLBACK_FAILED": Stuck(
        "Rollback failed",
        "its first creation failed, and so did taking it back; what is left is still there",
        ("Take what is in the way out of it (see its events), delete the stack, go on:" + _DELETE.partition(":")[2],),
    ),
    "DELETE_FAILED": Stuck(
        "Stack deletion failed",
        "its deletion failed on some resources",
        (
            "Take what is in the way out of it (see its events), and delete it again:" + _DELETE.partition(":")[2],
            "Leave those resources behind:\naws cloudformation delete-stack --stack-name {stack} --region {region} "
            "--deletion-mode FORCE_DELETE_STACK",
        ),
    ),
    "UPDATE_ROLLBACK_FAILED": Stuck(
        "Rollback failed",
        "an update failed, and so did taking it back; nothing can be changed until that is finished",
        (
            "Mend what its events name, then finish the rollback:\naws cloudformation continue-update-rollback "
            "--stack-name {stack} --region {region}\nreconciler apply {plan}",
            "Finish it without the resources that can't be taken back:\naws cloudformation continue-update-rollback "
            "--stack-name {stack} --region {region} --resources-to-skip LOGICAL_ID",
        ),
    ),
    "UPDATE_FAILED": Stuck(
        "Update failed and was kept",
        "an update failed and what it had done was kept (rollback: manual), but CloudFormation finds nothing to change",
        (
            "Take the failed update back, then go on:\naws cloudformation rollback-stack --stack-name {stack} "
            "--region {region}\nreconciler apply {plan}",
        ),
    ),
    "IMPORT_ROLLBACK_FAILED": Stuck(
        "Rollback failed", "an import failed, and so did taking it back", ("See its events, and AWS Support",)
    ),
}


def read(scope: Scope, name: str) -> Stack | None:
    """The stack of that name or id, None if there is none (any more). Raises AwsFault."""
    try:
        found = scope.call("cloudformation", "describe_stacks", StackName=name)["Stacks"]
    except AwsFault as fault:
        if _ABSENT.search(fault.message):
            return None
        raise
    stack = found[0] if found else None
    if stack is None or stack["StackStatus"] == "DELETE_COMPLETE":
        return None
    return Stack(
        id=Identifier(stack["StackId"]),
        name=stack["StackName"],
        status=stack["StackStatus"],
        reason=stack.get("StackStatusReason") or "",
        parameters={one["ParameterKey"]: one.get("ParameterValue", "") for one in stack.get("Parameters") or ()},
        tags={tag["Key"]: tag["Value"] for tag in stack.get("Tags") or ()},
        updated=str(stack.get("LastUpdatedTime") or stack.get("CreationTime") or ""),
    )


def is_absent(fault: AwsFault) -> bool:
    """Whether AWS says that there is no such stack or change set."""
    return bool(_ABSENT.search(fault.message))


def template_of(scope: Scope, stack: Stack) -> dict[str, Any]:
    """The template that the stack was last deployed with, as it was given. Raises AwsFault or DeploymentError."""
    if stack.empty:
        return {}
    answer = scope.call("cloudformation", "get_template", StackName=stack.id, TemplateStage="Original")
    return parse(answer.get("TemplateBody") or {})


def resources_of(scope: Scope, stack: Stack) -> dict[LogicalId, tuple[TypeName, Identifier]]:
    """What the stack is made of now, by logical id. Raises AwsFault."""
    if stack.empty:
        return {}
    found = scope.pages("cloudformation", "list_stack_resources", "StackResourceSummaries", StackName=stack.id)
    return {
        LogicalId(one["LogicalResourceId"]): (
            TypeName(one["ResourceType"]),
            Identifier(one.get("PhysicalResourceId") or ""),
        )
        for one in found
        if one.get("ResourceStatus") != "DELETE_COMPLETE"
    }


def foreign(stack: Stack, plan: Plan) -> str:
    """Why a stack isn't the plan's; empty if it is. One that was never executed has no tags in AWS yet."""
    owner = stack.tags.get(OWNER_PLAN_TAG)
    if owner == plan.name or (owner is None and stack.empty):
        return ""
    if owner is not None:
        return f"the stack {stack.name} belongs to plan {owner} ({stack.tags.get('reconciler:id', '')})"
    return f"the stack {stack.name} already exists and no plan owns it"


def check_usable(stack: Stack, plan: Plan, *, deleting: bool = False) -> None:
    """Raise DeploymentError if nothing can be done with the stack now; the error says what somebody has to do."""
    if stack.busy:
        text = (
            f"the stack {stack.name} is {stack.status}: another deployment of it is going on, begun outside of this "
            "pass; nothing is done until it has ended"
        )
        raise DeploymentError("Stack is being deployed", text, ("Wait: the next pass looks again",), passing=True)
    usable = stack.status == "UPDATE_FAILED" or (deleting and not stack.status.endswith("ROLLBACK_FAILED"))
    if stack.status in _STUCK and not usable:
        raise stuck(stack, plan)


def stuck(stack: Stack, plan: Plan) -> DeploymentError:
    """What somebody has to do with a stack in its present state, which is one that needs somebody."""
    known = _STUCK[stack.status]
    reason = f" ({stack.reason})" if stack.reason else ""
    options = [text.format(stack=stack.name, region=plan.target.region, plan=plan.name) for text in known.options]
    return DeploymentError(
        known.title, f"the stack {stack.name} is {stack.status}{reason}: {known.message}", tuple(options)
    )
