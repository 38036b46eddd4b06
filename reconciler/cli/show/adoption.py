"""What an import has come to, and what a person does next."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reconciler.adoption import Adoption
    from reconciler.adoption.document import Head

#: where AWS's tagging API tells of IAM, CloudFront, Route 53 and other global resources
_GLOBAL = "us-east-1"


def report(adoption: Adoption, head: Head, *, stack: str, tagged: bool, file: Path | None) -> list[str]:
    """Lines for standard error."""
    return list(_lines(adoption, head, stack, tagged, file))


def _lines(adoption: Adoption, head: Head, stack: str, tagged: bool, file: Path | None) -> Iterator[str]:
    number = len(adoption.drafts)
    where = f" in {file}" if file is not None else ""
    yield f"{number} resource{'' if number == 1 else 's'} of {head.origin}: plan {head.name}{where}"
    if adoption.left:
        yield f"Not taken over ({len(adoption.left)}):"
        yield from (f"  {one.shown}: {one.why}" for one in adoption.left)
    if tagged and head.target.region != _GLOBAL:
        yield f"Global resources (IAM, CloudFront, Route 53) are found by tag in {_GLOBAL} only."
    yield from (
        f"{name} belongs to the CloudFormation stack {stack}, which goes on managing it: see import --stack {stack}"
        for name, stack in adoption.managed.items()
    )
    yield from _gaps(adoption)
    yield "Next:"
    yield from (f"  {number}. {step}" for number, step in enumerate(_steps(adoption, head, stack), 1))


def _gaps(adoption: Adoption) -> Iterator[str]:
    found = [(draft, gap) for draft in adoption.drafts for gap in draft.gaps]
    if found:
        yield "Look at:"
        yield from (
            f"  {draft.logical_id}{gap.pointer}: {gap.why}{' (the plan needs it)' if gap.needed else ''}"
            for draft, gap in found
        )
    if adoption.problems:
        yield "The plan isn't valid until a person has put this right:"
        yield from (f"  {problem}" for problem in adoption.problems)


def _steps(adoption: Adoption, head: Head, stack: str) -> Iterator[str]:
    yield "Read the plan, have it checked (spec.guardrail), put it beside your plans: reconciler validate"
    yield f"reconciler diff {head.name}: each resource is adopted, only ownership tags change"
    yield f"reconciler apply {head.name}, where policy asks for it after reconciler approve {head.name}"
    if stack:
        yield from _letting_go(adoption, head, stack)


def _letting_go(adoption: Adoption, head: Head, stack: str) -> Iterator[str]:
    """As in AWS's documentation: everything is retained, then the stack is deleted."""
    at = f"--stack-name {shlex.quote(stack)} --region {head.target.region}"
    if head.target.profile:
        at += f" --profile {shlex.quote(head.target.profile)}"
    yield (
        "When the plan is in sync, let the stack go. Get its template and set DeletionPolicy: Retain and "
        "UpdateReplacePolicy: Retain on every resource in it:\n"
        f"     aws cloudformation get-template {at} --query TemplateBody --output text > retained.template"
    )
    yield (
        "Deploy it to the stack, its parameters as they are; the change set must show no other change (if "
        "CloudFormation finds nothing to do, change a Metadata entry along with it); then execute it:\n"
        f"     aws cloudformation deploy {at} --template-file retained.template --no-execute-changeset "
        "--capabilities CAPABILITY_NAMED_IAM"
    )
    kept = " What wasn't taken over is deleted unless it is retained, too." if adoption.left else ""
    yield (
        f"Make sure that every resource is retained, then delete the stack; its resources stay.{kept}\n"
        f"     aws cloudformation delete-stack {at}\n"
        f"     reconciler diff {head.name}   # still in sync"
    )
