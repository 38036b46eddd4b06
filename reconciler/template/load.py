"""A whole template: its sections in order, every problem collected, the result folded."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from graphlib import CycleError, TopologicalSorter
from typing import Any

from reconciler.model.ids import LogicalId
from reconciler.model.plan import Output, Parameter, PlannedResource, Target
from reconciler.model.values import Deferred, Unknown, leaves
from reconciler.schema.scalars import text
from reconciler.template.folding import Folder
from reconciler.template.loops import Loops, has_loops
from reconciler.template.parameters import in_scope, load_parameters
from reconciler.template.problems import Locate, Place, Problems, did_you_mean, kind_of
from reconciler.template.resources import load_resources, present_resources
from reconciler.template.rules import check_rules
from reconciler.template.scope import NO_VALUE, FoldScope, pseudo_parameters

_SECTIONS = frozenset(
    {
        "AWSTemplateFormatVersion",
        "Conditions",
        "Description",
        "Mappings",
        "Metadata",
        "Outputs",
        "Parameters",
        "Resources",
        "Rules",
        "Transform",
    }
)
_REFUSED_SECTIONS = frozenset({"Hooks"})
#: only a transform knows what these are, and is refused itself
_OF_TRANSFORMS = frozenset({"Globals"})
#: adds only functions that are evaluated here anyway
_HARMLESS_TRANSFORM = "AWS::LanguageExtensions"
_TRANSFORMS: Mapping[str, str] = {
    "AWS::CodeDeployBlueGreen": "turns updates into deployments by CodeDeploy",
    "AWS::Include": "copies in a file from S3 that nobody here has seen",
    "AWS::Serverless": "is the SAM transform, which CloudFormation runs",
}
_OUTPUT_KEYS = frozenset({"Condition", "Description", "Export", "Value"})


@dataclass(frozen=True, slots=True)
class LoadedTemplate:
    """A valid template with its parameters in force: what exists, and what it tells others."""

    parameters: tuple[Parameter, ...]
    resources: dict[LogicalId, PlannedResource]
    outputs: tuple[Output, ...]
    #: the template as it was folded, with its loops written out, and where its places come from
    document: Mapping[str, Any] = field(default_factory=dict)
    locate: Locate = lambda _place: ("", 0)


def load_template(
    document: Mapping[str, Any],
    *,
    parameters: Mapping[str, Any],
    target: Target,
    plan_name: str,
    locate: Locate,
) -> LoadedTemplate:
    """Check and fold a CloudFormation template.

    ``document`` has the short YAML tags in their long form already. ``locate`` gives file and line of a path in it.
    Raises SourceError with every problem found.
    """
    problems = Problems(locate)
    _check_sections(document, problems)
    declared = load_parameters(document.get("Parameters"), parameters, problems)
    scope = _scope(document, declared, pseudo_parameters(target, plan_name), problems)
    if has_loops(document):
        loops = Loops(Folder(scope, problems).fold, problems)
        document = loops.written_out(document)
        problems.locate = locate = loops.located(locate)
    section = _mapping(document, "Resources", problems)
    scope = replace(scope, conditions=_conditions(document, scope, problems))
    check_rules(_mapping(document, "Rules", problems), Folder(scope, problems), problems)
    present = present_resources(section, Folder(scope, problems), problems)
    removed = frozenset(section) - present
    folder = Folder(replace(scope, resources=present, removed=removed), problems)
    resources = load_resources(section, present, folder, problems, locate)
    _check_cycles(resources, problems)
    exports = _mapping(document, "Outputs", problems)
    outputs = tuple(_outputs(exports, folder, problems))
    problems.raise_if_any()
    writing = Folder(replace(folder.scope, keep_parameters=True), Problems(locate))
    written = {name: writing.fold(section[name].get("Properties"), ()) for name in resources}
    return LoadedTemplate(
        declared,
        {name: _with_written(resource, written[name]) for name, resource in resources.items()},
        tuple(_written_output(output, writing.fold(exports[output.name]["Value"], ())) for output in outputs),
        document,
        locate,
    )


def _scope(
    document: Mapping[str, Any], declared: Iterable[Parameter], pseudo: Mapping[str, Any], problems: Problems
) -> FoldScope:
    """What holds before any condition or resource is known."""
    return FoldScope(
        parameters={parameter.name: in_scope(parameter) for parameter in declared},
        mappings=_text_keys(_mapping(document, "Mappings", problems), 3),
        conditions={},
        pseudo=pseudo,
        resources=frozenset(),
    )


def _with_written(resource: PlannedResource, written: Any) -> PlannedResource:
    same = written == resource.properties or not isinstance(written, Mapping)
    return resource if same else replace(resource, written=written)


def _written_output(output: Output, written: Any) -> Output:
    return output if written == output.value else replace(output, written=written)


def _check_sections(document: Mapping[str, Any], problems: Problems) -> None:
    for name in document:
        if name in _REFUSED_SECTIONS:
            problems.add((name,), f"{name} are not supported", "remove the section", "unsupported")
        elif name not in _SECTIONS and not (name in _OF_TRANSFORMS and document.get("Transform")):
            problems.add((str(name),), f"{name} is not a section of a template", did_you_mean(str(name), _SECTIONS))
    transforms = document.get("Transform") or []
    for transform in transforms if isinstance(transforms, list) else [transforms]:
        if transform == _HARMLESS_TRANSFORM:
            continue
        macro = transform.get("Name") if isinstance(transform, Mapping) else transform
        known = _TRANSFORMS.get(str(macro).split("-")[0], "is run by CloudFormation alone")
        problems.add(
            ("Transform",),
            f"transform {macro} is not supported: it {known}",
            "give the template it makes, or deliver the template as a stack (spec.stack)",
            "unsupported",
        )
    if not document.get("Resources"):
        problems.add(("Resources",) if "Resources" in document else (), "a template needs at least one resource")


def _mapping(document: Mapping[str, Any], name: str, problems: Problems) -> Mapping[str, Any]:
    section = document.get(name)
    if section is None:
        return {}
    if not isinstance(section, Mapping):
        problems.add((name,), f"{name} must be a mapping, not {kind_of(section)}")
        return {}
    return section


def _text_keys(value: Any, levels: int) -> Any:
    """Keys as the strings they are in JSON: YAML reads a bare account number as a number."""
    if levels == 0 or not isinstance(value, Mapping):
        return value
    return {str(text(key)): _text_keys(item, levels - 1) for key, item in value.items()}


def _conditions(document: Mapping[str, Any], scope: FoldScope, problems: Problems) -> dict[str, bool]:
    """Every condition's value. One that can't be evaluated counts as true, so that its resources are still checked."""
    section = _mapping(document, "Conditions", problems)
    values: dict[str, bool] = dict.fromkeys(section, True)
    graph = {name: _named_conditions(node) & section.keys() for name, node in section.items()}
    order = _order(
        graph, lambda cycle: problems.add(("Conditions", cycle[0]), _cycle("conditions", cycle), "", "cycle")
    )
    folder = Folder(replace(scope, conditions=values), problems)
    for name in order:
        value = folder.condition(section[name], ("Conditions", name))
        values[name] = value is not False
    return values


def _named_conditions(node: Any) -> frozenset[str]:
    if isinstance(node, Mapping):
        own = {node["Condition"]} if isinstance(node.get("Condition"), str) else set()
        chosen = node.get("Fn::If")
        if isinstance(chosen, list) and chosen and isinstance(chosen[0], str):
            own.add(chosen[0])
        return frozenset(own).union(*(_named_conditions(item) for item in node.values()))
    if isinstance(node, list):
        return frozenset[str]().union(*(_named_conditions(item) for item in node))
    return frozenset()


def _check_cycles(resources: Mapping[LogicalId, PlannedResource], problems: Problems) -> None:
    graph = {name: frozenset(resource.needs) for name, resource in resources.items()}
    _order(graph, lambda cycle: problems.add(("Resources", cycle[0]), _cycle("resources", cycle), "", "cycle"))


def _cycle(what: str, names: list[str]) -> str:
    return f"{what} depend on each other in a circle: {' -> '.join(names)}"


def _order(graph: Mapping[Any, frozenset[Any]], report: Any) -> list[Any]:
    """Names after what they need; every cycle is reported and left out."""
    rest = dict(graph)
    while True:
        try:
            return [name for name in TopologicalSorter(rest).static_order() if name in rest]
        except CycleError as error:
            cycle = list(reversed(error.args[1]))
            report(cycle)
            rest = {name: needs - set(cycle) for name, needs in rest.items() if name not in cycle}


def _outputs(section: Mapping[str, Any], folder: Folder, problems: Problems) -> Iterator[Output]:
    exported: dict[str, str] = {}
    for name, node in section.items():
        place: Place = ("Outputs", name)
        if not isinstance(node, Mapping) or "Value" not in node:
            problems.add(place, f"output {name} needs a Value")
            continue
        for key in node.keys() - _OUTPUT_KEYS:
            problems.add((*place, key), f"{key} is not part of an output", did_you_mean(str(key), _OUTPUT_KEYS))
        if "Condition" in node and not folder.condition({"Condition": node["Condition"]}, (*place, "Condition")):
            continue
        value = folder.fold(node["Value"], (*place, "Value"))
        export = _export(node.get("Export"), folder, (*place, "Export"), problems)
        if isinstance(export, str) and exported.setdefault(export, name) != name:
            problems.add(place, f"outputs {exported[export]} and {name} are exported under the same name {export!r}")
        if value is not NO_VALUE:
            yield Output(name, value, str(node.get("Description", "")), export)


def _export(node: Any, folder: Folder, place: Place, problems: Problems) -> Any:
    if node is None:
        return None
    if not isinstance(node, Mapping) or set(node) != {"Name"}:
        problems.add(place, "an export needs a Name and nothing else")
        return None
    name = folder.fold(node["Name"], (*place, "Name"))
    if any(isinstance(leaf, Deferred) for leaf in leaves(name)):
        problems.add(place, "the name of an export can't depend on a resource", reason="reference")
    elif not isinstance(name, str | Unknown):
        problems.add(place, f"the name of an export must be a string, not {kind_of(name)}")
    return name
