"""What a stack, Terraform or CDK plan delivers: the template's text and parameters, or a directory's files."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from reconciler.model.errors import Problem, SourceError
from reconciler.model.ids import PlanName, TypeName
from reconciler.model.plan import CdkSource, Parameter, StackSource, Target, TerraformSource
from reconciler.model.values import Sensitive
from reconciler.source.content import Body, Reader, variable_file
from reconciler.source.document import Document, path_of
from reconciler.source.lint import Linter
from reconciler.source.models import PlanSpec
from reconciler.source.templates import check_template

#: What only makes sense where resources are reconciled one by one, and why not elsewhere.
_REFUSED = {
    "ignore": "the tool that deploys it knows no ignore rules",
    "prune": "what it no longer lists is deleted by the tool that deploys it; use DeletionPolicy or prevent_destroy",
}


@dataclass(frozen=True, slots=True)
class Delivered:
    """The part of a plan that its delivery decides."""

    stack: StackSource | None = None
    terraform: TerraformSource | None = None
    cdk: CdkSource | None = None
    parameters: tuple[Parameter, ...] = ()


def delivered(
    document: Document, spec: PlanSpec, reader: Reader, target: Target, name: PlanName, linter: Linter
) -> Delivered:
    """What the plan delivers, checked. Raises SourceError."""
    _check_applicable(document, spec)
    if spec.stack is not None:
        path = reader.tree.follow(document.file, spec.stack.template)
        template = reader.document(path)
        body = Body(template.data, template.locate, path_of)
        check_template(document, body, spec, target, linter)
        text = reader.tree.read(path).decode("utf-8-sig")
        source = StackSource(path, text, spec.stack.name or str(name), _types(template.data))
        return Delivered(stack=source, parameters=_parameters(template.data, spec.parameters))
    if spec.terraform is not None:
        directory = reader.tree.follow(document.file, spec.terraform.directory)
        references = (variable_file(spec.terraform.directory, each) for each in spec.terraform.var_files)
        paths = [reader.tree.follow(document.file, reference) for reference in references]
        terraform = TerraformSource(
            directory,
            reader.directory(directory),
            tuple((path, reader.digest(path)) for path in paths),
            spec.terraform.workspace or "",
            dict(spec.parameters),
        )
        return Delivered(terraform=terraform)
    if spec.cdk is not None:
        directory = reader.tree.follow(document.file, spec.cdk.directory)
        cdk = CdkSource(directory, reader.directory(directory), tuple(spec.cdk.stacks), dict(spec.parameters))
        return Delivered(cdk=cdk)
    return Delivered()


def _types(template: Mapping[str, Any]) -> tuple[TypeName, ...]:
    resources = template.get("Resources") or {}
    found = {one.get("Type") for one in resources.values() if isinstance(one, Mapping)}
    return tuple(sorted(TypeName(name) for name in found if isinstance(name, str)))


def _check_applicable(document: Document, spec: PlanSpec) -> None:
    given = {"ignore": bool(spec.ignore), "prune": not spec.prune}
    problems: list[Problem] = [
        document.problem(("spec", field), f"{field} has no meaning for this delivery: {why}", reason="unsupported")
        for field, why in _REFUSED.items()
        if given[field]
    ]
    if problems and spec.resources is None and spec.template is None:
        raise SourceError(problems)


def _parameters(template: Mapping[str, Any], given: Mapping[str, Any]) -> tuple[Parameter, ...]:
    """The template's parameters with the values in force, as CloudFormation takes them: text."""
    declared = template.get("Parameters") or {}
    found = []
    for name, declaration in declared.items():
        if not isinstance(declaration, Mapping):
            continue
        value = _text(given.get(name, declaration.get("Default", "")))
        no_echo = str(declaration.get("NoEcho", "")).lower() == "true"
        kind, description = str(declaration.get("Type", "String")), str(declaration.get("Description", ""))
        found.append(Parameter(name, kind, Sensitive(value) if no_echo else value, no_echo, description))
    return tuple(found)


def _text(value: Any) -> str:
    if isinstance(value, list):
        return ",".join(_text(item) for item in value)
    return str(value).lower() if isinstance(value, bool) else str(value)
