"""One plan document to one ``Plan``: its shape, the files it refers to, its template, its resources, its digest."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from reconciler.model.errors import Problem, SourceError
from reconciler.model.ids import Digest, PlanName
from reconciler.model.plan import (
    Delivery,
    Guardrail,
    GuardrailException,
    IgnoreRule,
    Origin,
    PipelineTarget,
    Plan,
    RollbackPolicy,
    Target,
)
from reconciler.source.digest import plan_digest
from reconciler.source.document import Document, Place, failure
from reconciler.source.errors import validated
from reconciler.source.files import Tree
from reconciler.source.lint import Finding, Linter
from reconciler.source.models import PlanDocument, PlanSpec, RollbackProcedure, TargetShape
from reconciler.source.parse import parse
from reconciler.template import LoadedTemplate, load_template
from reconciler.template.problems import did_you_mean


@dataclass(frozen=True, slots=True)
class Built:
    """A plan, and the digest of each file or directory that it was read from besides its own."""

    plan: Plan
    read: Mapping[str, Digest] = field(default_factory=dict)


class Reader:
    """Notes every file that a plan draws in, so that a change to any of them makes the plan be read again."""

    def __init__(self, tree: Tree) -> None:
        self.tree = tree
        self.files: set[str] = set()
        self.directories: set[str] = set()

    def document(self, path: str) -> Document:
        """The one document of a template file. Raises SourceError."""
        self.files.add(path)
        documents = parse(self.tree.read(path), path, self.tree.limits)
        if len(documents) != 1:
            raise failure("a template is one document", path, documents[1].line, reason="template")
        if not isinstance(documents[0].data, dict):
            raise failure("a template is a mapping", path, documents[0].line, reason="template")
        return documents[0]

    def digest(self, path: str) -> Digest:
        """The digest of a file's bytes. Raises SourceError."""
        self.files.add(path)
        return self.tree.digest(path)

    def directory(self, path: str) -> Mapping[str, Digest]:
        """The digests of a directory's files. Raises SourceError."""
        self.directories.add(path)
        return self.tree.directory_digests(path)


@dataclass(frozen=True, slots=True)
class Body:
    """A plan's template, wherever it is written, and how places in it map to files and lines.

    ``prefix`` is where the template's sections are in the plan document, for messages.
    """

    template: Mapping[str, Any]
    locate: Callable[[Place], tuple[str, int]]
    named: Callable[[Place], str]


def build_plan(document: Document, reader: Reader, linter: Linter, revision: str = "") -> Plan:
    """The plan that ``document`` describes. Raises SourceError with everything that is wrong with it."""
    shape = validated(PlanDocument, document)
    spec = shape.spec
    target = _target(spec.target)
    name = PlanName(shape.metadata.name)
    body, files = _content(document, spec, reader)
    loaded = _loaded(document, body, spec, target, name, linter) if body else None
    return Plan(
        name=name,
        author=shape.metadata.author,
        target=target,
        guardrail=_guardrail(spec),
        rollback=_rollback(spec),
        digest=plan_digest(document.data, files),
        origin=Origin(document.file, document.line, revision),
        delivery=_delivery(spec),
        description=shape.metadata.description,
        labels=dict(shape.metadata.labels),
        interval=spec.interval,
        suspend=spec.suspend,
        absent=spec.state == "absent",
        prune=spec.prune,
        ignore=tuple(IgnoreRule(rule.resource, rule.path) for rule in spec.ignore),
        parameters=loaded.parameters if loaded else (),
        resources=loaded.resources if loaded else {},
        outputs=loaded.outputs if loaded else (),
        pipeline=PipelineTarget(**spec.pipeline.model_dump()) if spec.pipeline else None,
    )


def _content(document: Document, spec: PlanSpec, reader: Reader) -> tuple[Body | None, dict[str, Any]]:
    """The template to reconcile, if the plan is reconciled resource by resource, and all referenced content."""
    if spec.resources is not None:
        return _inline(document, spec), {}
    if spec.template is not None:
        path = _follow(document, reader, ("spec", "template"), spec.template)
        template = _referenced(document, ("spec", "template"), lambda: reader.document(path))
        named = _path
        return Body(template.data, template.locate, named), {spec.template: template.data}
    return None, _undelivered(document, spec, reader)


def _undelivered(document: Document, spec: PlanSpec, reader: Reader) -> dict[str, Any]:
    """What a stack, Terraform or CDK plan refers to."""
    if spec.stack is not None:
        place: Place = ("spec", "stack", "template")
        path = _follow(document, reader, place, spec.stack.template)
        return {spec.stack.template: _referenced(document, place, lambda: reader.document(path)).data}
    kind, directory = ("terraform", spec.terraform.directory) if spec.terraform else ("cdk", "")
    if spec.cdk is not None:
        directory = spec.cdk.directory
    place = ("spec", kind, "directory")
    path = _follow(document, reader, place, directory)
    files: dict[str, Any] = {directory: dict(_referenced(document, place, lambda: reader.directory(path)))}
    for index, file in enumerate(spec.terraform.var_files if spec.terraform else ()):
        at = ("spec", "terraform", "varFiles", index)
        inner = _follow(document, reader, at, f"{directory}/{file}")
        files[f"{directory}/{file}"] = _referenced(document, at, lambda inner=inner: reader.digest(inner))  # type: ignore[misc]
    return files


def _follow(document: Document, reader: Reader, place: Place, reference: str) -> str:
    try:
        return reader.tree.follow(document.file, reference)
    except SourceError as error:
        raise _at(document, place, error) from None


def _referenced(document: Document, place: Place, read: Callable[[], Any]) -> Any:
    """What ``read`` gives; a file that can't be read is the referring plan's problem, one that is wrong its own."""
    try:
        return read()
    except SourceError as error:
        if error.problems[0].reason in ("unreadable", "path"):
            raise _at(document, place, error) from None
        raise


def _at(document: Document, place: Place, error: SourceError) -> SourceError:
    problem = error.problems[0]
    message = problem.message if problem.file == document.file else f"{problem.file}: {problem.message}"
    return SourceError([document.problem(place, message, suggestion=problem.suggestion, reason=problem.reason)])


def _inline(document: Document, spec: PlanSpec) -> Body:
    """Inline resources as a template whose parameters are the plan's own."""

    def moved(place: Place) -> Place:
        if place and place[0] == "Resources":
            return ("spec", "resources", *place[1:])
        if place and place[0] == "Parameters":
            return ("spec", "parameters", *place[1:2])
        return ("spec", "resources")

    template = {
        "AWSTemplateFormatVersion": "2010-09-09",
        "Resources": spec.resources or {},
        **(
            {"Parameters": {name: _declared(value) for name, value in spec.parameters.items()}}
            if spec.parameters
            else {}
        ),
    }
    return Body(template, lambda place: document.locate(moved(place)), lambda place: _path(moved(place)))


def _declared(value: Any) -> dict[str, Any]:
    """The declaration that fits an inline parameter's value."""
    if isinstance(value, list):
        return {"Type": "CommaDelimitedList"}
    if isinstance(value, int | float) and not isinstance(value, bool):
        return {"Type": "Number"}
    return {"Type": "String"}


def _path(place: Place) -> str:
    return "/".join(str(part) for part in place)


def _loaded(
    document: Document, body: Body, spec: PlanSpec, target: Target, name: PlanName, linter: Linter
) -> LoadedTemplate:
    """The folded template. Raises SourceError with the problems of the template and of its resources together."""
    problems = _mismatched(document, body, spec)
    loaded: LoadedTemplate | None = None
    if not problems:
        try:
            loaded = load_template(
                body.template, parameters=spec.parameters, target=target, plan_name=name, locate=body.locate
            )
        except SourceError as error:
            problems = [_renamed(problem, body) for problem in error.problems]
    # An absent plan only deletes: a schema that has moved on must not stand in the way.
    if spec.state == "present" and "Transform" not in body.template:
        findings = linter.check(_valued(body.template, spec.parameters), target.region)
        problems += _new(problems, [_problem(finding, body, document) for finding in findings])
    if problems or loaded is None:
        raise SourceError(problems)
    return loaded


def _mismatched(document: Document, body: Body, spec: PlanSpec) -> list[Problem]:
    """Where the plan and its template disagree: parameters, and resources named by ``ignore``."""
    declared = body.template.get("Parameters") or {}
    resources = body.template.get("Resources") or {}
    if not isinstance(declared, dict) or not isinstance(resources, dict):
        return []  # the template itself is wrong, and load_template says so
    problems = [
        document.problem(
            ("spec", "parameters", name),
            f"the template has no parameter {name}",
            suggestion=did_you_mean(name, declared),
            reason="parameter",
        )
        for name in spec.parameters
        if name not in declared
    ]
    problems += [
        document.problem(
            ("spec", "parameters"), f"parameter {name} has no default and needs a value", reason="parameter"
        )
        for name, declaration in declared.items()
        if name not in spec.parameters and isinstance(declaration, dict) and "Default" not in declaration
    ]
    problems += [
        document.problem(
            ("spec", "ignore", index, "resource"),
            f"no resource {rule.resource}",
            suggestion=did_you_mean(rule.resource, resources),
            reason="reference",
        )
        for index, rule in enumerate(spec.ignore)
        if rule.resource not in resources
    ]
    return problems


def _valued(template: Mapping[str, Any], values: Mapping[str, Any]) -> Mapping[str, Any]:
    """The template with the plan's values as defaults, so that they are validated too; secrets stay out of it."""
    declared = template.get("Parameters")
    if not isinstance(declared, dict):
        return template

    def valued(name: str, declaration: Any) -> Any:
        if name not in values or not isinstance(declaration, dict) or str(declaration.get("NoEcho")).lower() == "true":
            return declaration
        return {**declaration, "Default": _spelled(values[name])}

    return {**template, "Parameters": {name: valued(name, declaration) for name, declaration in declared.items()}}


def _spelled(value: Any) -> str | int | float:
    if isinstance(value, list):
        return ",".join(str(_spelled(item)) for item in value)
    if isinstance(value, bool):
        return str(value).lower()
    return value if isinstance(value, int | float) else str(value)


def _renamed(problem: Problem, body: Body) -> Problem:
    return dataclasses.replace(problem, path=body.named(tuple(problem.path.split("/")) if problem.path else ()))


def _problem(finding: Finding, body: Body, document: Document) -> Problem:
    if finding.rule == "region":
        return document.problem(("spec", "target", "region"), finding.message, suggestion=finding.suggestion)
    file, line = body.locate(finding.place)
    return Problem(finding.message, file, line, body.named(finding.place), finding.suggestion, "resource")


def _new(known: list[Problem], more: list[Problem]) -> list[Problem]:
    """Those of ``more`` that aren't about a place that a known problem is about."""

    def covered(problem: Problem) -> bool:
        return any(
            problem.file == other.file
            and other.path
            and (problem.path.startswith(other.path) or other.path.startswith(problem.path))
            for other in known
        )

    return [problem for problem in more if not covered(problem)]


def _target(shape: TargetShape) -> Target:
    return Target(**shape.model_dump())


def _guardrail(spec: PlanSpec) -> Guardrail:
    shape = spec.guardrail
    exceptions = tuple(GuardrailException(**item.model_dump()) for item in shape.exceptions)
    return Guardrail(shape.status, shape.reference, exceptions)


def _rollback(spec: PlanSpec) -> RollbackPolicy:
    if isinstance(spec.rollback, RollbackProcedure):
        return RollbackPolicy("procedure", spec.rollback.procedure)
    return RollbackPolicy(spec.rollback)


def _delivery(spec: PlanSpec) -> Delivery:
    for delivery in (Delivery.STACK, Delivery.TERRAFORM, Delivery.CDK):
        if getattr(spec, delivery.value) is not None:
            return delivery
    return Delivery.RESOURCES
