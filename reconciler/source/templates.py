"""A plan's template, checked from every side: against the plan, by the template's own rules, by AWS's schemas."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

from reconciler.model.errors import Problem, SourceError
from reconciler.model.ids import PlanName, TypeName
from reconciler.model.plan import Target
from reconciler.model.values import transform
from reconciler.schema import conceal, schema_for
from reconciler.source.content import Body
from reconciler.source.document import Document
from reconciler.source.lint import Finding, Linter
from reconciler.source.models import PlanSpec
from reconciler.template import LoadedTemplate, has_loops, load_template
from reconciler.template.dynamic import OPENING
from reconciler.template.problems import did_you_mean

#: only adds functions that are evaluated here anyway
_HARMLESS_TRANSFORM = "AWS::LanguageExtensions"


def loaded_template(
    document: Document, body: Body, spec: PlanSpec, target: Target, name: PlanName, linter: Linter
) -> LoadedTemplate:
    """The folded template. Raises SourceError with the problems of the template and of its resources together."""
    if spec.state == "absent" and spec.resources == {}:
        return LoadedTemplate((), {}, ())
    _learn_secrets(body.template, target.region)
    problems = _mismatched(document, body, spec)
    loaded: LoadedTemplate | None = None
    if not problems:
        try:
            loaded = load_template(
                body.template, parameters=spec.parameters, target=target, plan_name=name, locate=body.locate
            )
        except SourceError as error:
            problems = [_placed(problem, body, spec, document) for problem in error.problems]
    # An absent plan only deletes: a schema that has moved on must not stand in the way.
    if loaded is not None and has_loops(body.template):
        located = loaded.locate
        body = dataclasses.replace(body, template=loaded.document, locate=lambda place: located(tuple(place)))
        problems += _unknown_ignored(document, loaded.document["Resources"], spec)
    if spec.state == "present" and _understood(body.template.get("Transform")) and not has_loops(body.template):
        findings = linter.check(_valued(body.template, spec), target.region)
        problems += _new(problems, [_problem(finding, body, document) for finding in findings])
    if problems or loaded is None:
        raise SourceError(problems)
    return loaded


def _learn_secrets(template: Mapping[str, Any], region: str) -> None:
    """Make write-only values known as secrets, so that no message about the template quotes one."""
    resources = template.get("Resources")
    for resource in resources.values() if isinstance(resources, Mapping) else ():
        properties = resource.get("Properties") if isinstance(resource, Mapping) else None
        kind = resource.get("Type") if isinstance(properties, Mapping) else None
        schema = schema_for(TypeName(kind), region) if isinstance(kind, str) else None
        if schema is not None and schema.write_only and properties:
            for name, value in properties.items():
                conceal(schema, (str(name),), transform(value, _own))


def _own(leaf: Any) -> Any:
    """What isn't a reference to a secret that is kept elsewhere."""
    return None if isinstance(leaf, str) and OPENING in leaf else leaf


def check_template(document: Document, body: Body, spec: PlanSpec, target: Target, linter: Linter) -> None:
    """Check a template that CloudFormation evaluates itself. Raises SourceError with everything that is wrong."""
    problems = _mismatched(document, body, spec)
    if spec.state == "present" and body.template.get("Transform") in (None, _HARMLESS_TRANSFORM):
        findings = linter.check(_valued(body.template, spec), target.region)
        problems += _new(problems, [_problem(finding, body, document) for finding in findings])
    if problems:
        raise SourceError(problems)


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
        if name not in declared and spec.resources is None
    ]
    problems += [
        document.problem(
            ("spec", "parameters"), f"parameter {name} has no default and needs a value", reason="parameter"
        )
        for name, declaration in declared.items()
        if name not in spec.parameters and isinstance(declaration, dict) and "Default" not in declaration
    ]
    return problems if has_loops(resources) else problems + _unknown_ignored(document, resources, spec)


def _unknown_ignored(document: Document, resources: Mapping[str, Any], spec: PlanSpec) -> list[Problem]:
    return [
        document.problem(
            ("spec", "ignore", index, "resource"),
            f"no resource {rule.resource}",
            suggestion=did_you_mean(rule.resource, resources),
            reason="reference",
        )
        for index, rule in enumerate(spec.ignore)
        if rule.resource not in resources
    ]


def _understood(transforms: Any) -> bool:
    given = transforms if isinstance(transforms, list) else [transforms]
    return all(transform in (None, _HARMLESS_TRANSFORM) for transform in given)


def _valued(template: Mapping[str, Any], spec: PlanSpec) -> Mapping[str, Any]:
    """The template with the plan's values as defaults, so that they are validated too; secrets stay out of it."""
    values = spec.parameters
    declared = template.get("Parameters")
    if spec.resources is not None:
        declared = {name: {"Type": _type_of(value)} for name, value in values.items()}
    if not declared or not isinstance(declared, dict):
        return template

    def valued(name: str, declaration: Any) -> Any:
        if name not in values or not isinstance(declaration, dict) or str(declaration.get("NoEcho")).lower() == "true":
            return declaration
        return {**declaration, "Default": _spelled(values[name])}

    return {**template, "Parameters": {name: valued(name, declaration) for name, declaration in declared.items()}}


def _type_of(value: Any) -> str:
    """The declaration that fits an inline parameter's value."""
    if isinstance(value, list):
        return "CommaDelimitedList"
    return "Number" if isinstance(value, int | float) and not isinstance(value, bool) else "String"


def _spelled(value: Any) -> str | int | float:
    if isinstance(value, list):
        return ",".join(str(_spelled(item)) for item in value)
    if isinstance(value, bool):
        return str(value).lower()
    return value if isinstance(value, int | float) else str(value)


def _placed(problem: Problem, body: Body, spec: PlanSpec, document: Document) -> Problem:
    """A problem of the template where the author of the plan can mend it: a bad value is where it was given."""
    place = tuple(problem.path.split("/")) if problem.path else ()
    if len(place) == 2 and place[0] == "Parameters" and place[1] in spec.parameters:
        at = ("spec", "parameters", place[1])
        return document.problem(at, problem.message, suggestion=problem.suggestion, reason=problem.reason)
    return dataclasses.replace(problem, path=body.named(place))


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
