"""A CloudFormation template as the statements of a CDK stack, in an order in which each refers to earlier ones only."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from graphlib import TopologicalSorter
from typing import Any

from reconciler.pipeline.cdk.names import L1, l1_class
from reconciler.pipeline.cdk.tree import Call, Core, Made, Member, Set, Statement, Table, Variable, variables
from reconciler.pipeline.cdk.values import Untyped, Values, is_call
from reconciler.pipeline.files import Place, is_list

#: ids under which a construct would not be called by its id
_HIDDEN_IDS = frozenset({"Default", "Resource"})
_POLICIES = {
    "Delete": "DELETE",
    "Retain": "RETAIN",
    "RetainExceptOnCreate": "RETAIN_EXCEPT_ON_CREATE",
    "Snapshot": "SNAPSHOT",
}


@dataclass(frozen=True, slots=True)
class Block:
    """A construct and what is said to it afterwards."""

    made: Made
    more: tuple[Statement, ...] = ()

    @property
    def statements(self) -> tuple[Statement, ...]:
        """All of it, in order."""
        return (self.made, *self.more)


@dataclass(frozen=True, slots=True)
class Stack:
    """A stack's blocks: parameters, resources, outputs."""

    blocks: tuple[Block, ...]
    description: str
    metadata: Table

    @property
    def modules(self) -> frozenset[str]:
        """The library's modules that its constructs come from; an empty name is the core."""
        return frozenset(block.made.module for block in self.blocks)

    @property
    def referred(self) -> frozenset[str]:
        """The logical ids that need a variable."""
        found: set[str] = set()
        for block in self.blocks:
            for statement in block.statements:
                found.update(variables(statement))
        return frozenset(found)


def stack_of(template: Mapping[str, Any]) -> Stack:
    """The stack that synthesizes to ``template``. Raises PipelineError for what the CDK can't express."""
    resources = template["Resources"]
    parameters = {name: str(body["Type"]) for name, body in template.get("Parameters", {}).items()}
    classes = {name: l1_class(body["Type"]) for name, body in resources.items()}
    first = _Builder(Values(classes, parameters), classes)
    classes = {name: found if first.fits(name, resources[name]) else None for name, found in classes.items()}
    builder = _Builder(Values(classes, parameters), classes)
    blocks = [builder.parameter(name, body) for name, body in template.get("Parameters", {}).items()]
    blocks += _ordered({name: builder.resource(name, body) for name, body in resources.items()})
    taken = resources.keys() | parameters.keys()
    blocks += [builder.output(name, body, taken) for name, body in template.get("Outputs", {}).items()]
    metadata = builder.values.raw(template.get("Metadata", {}), Place("Metadata"))
    return Stack(tuple(blocks), str(template.get("Description", "")), metadata)


def _ordered(blocks: Mapping[str, Block]) -> Iterator[Block]:
    """Each after those that it refers to, otherwise by name."""
    graph = {
        name: {other for statement in block.statements for other in variables(statement)} & (blocks.keys() - {name})
        for name, block in blocks.items()
    }
    sorter = TopologicalSorter(graph)
    sorter.prepare()
    while sorter.is_active():
        ready = sorted(sorter.get_ready())
        yield from (blocks[name] for name in ready)
        sorter.done(*ready)


class _Builder:
    """Makes the blocks of one template."""

    def __init__(self, values: Values, classes: Mapping[str, L1 | None]) -> None:
        self.values = values
        self._classes = classes

    def parameter(self, name: str, body: Mapping[str, Any]) -> Block:
        keys = {"Type": "type", "NoEcho": "noEcho", "Description": "description"}
        entries = tuple((keys[key], value) for key, value in body.items())
        return _named(name, Made(name, "", "CfnParameter", _construct_id(name), entries), ())

    def fits(self, name: str, body: Mapping[str, Any]) -> bool:
        """Whether the typed class can be made: it insists on some properties, each of its type."""
        typed = self._classes[name]
        if typed is None:
            return False
        entries, _ = self._typed(typed, body.get("Properties", {}), Place(name))
        return {field[0] for field in typed.props.values() if field[2]} <= {entry[0] for entry in entries}

    def resource(self, name: str, body: Mapping[str, Any]) -> Block:
        place = Place(name)
        properties = body.get("Properties", {})
        typed = self._classes[name]
        if typed is not None:
            entries, overrides = self._typed(typed, properties, place)
            made = Made(name, typed.module, typed.name, _construct_id(name), tuple(entries))
        else:
            entries, overrides = [("type", body["Type"])], {}
            if properties:
                entries.append(("properties", self.values.raw(properties, place)))
            made = Made(name, "", "CfnResource", _construct_id(name), tuple(entries))
        return _named(name, made, tuple(self._more(name, body, overrides, place)))

    def _typed(
        self, typed: L1, properties: Mapping[str, Any], place: Place
    ) -> tuple[list[tuple[str, Any]], dict[str, Any]]:
        """The properties that the class takes, and the others as they stand in the template."""
        entries: list[tuple[str, Any]] = []
        overrides: dict[str, Any] = {}
        for key, value in properties.items():
            field = typed.props.get(key)
            try:
                if field is None or (typed.tags and typed.tags[0] == field[0] and not _are_tags(value, typed.tags[1])):
                    raise Untyped
                entries.append((field[0], self.values.typed(value, field[1], typed, place.key(key))))
            except Untyped:
                overrides[key] = self.values.raw(value, place.key(key))
        return entries, overrides

    def _more(
        self, name: str, body: Mapping[str, Any], overrides: Mapping[str, Any], place: Place
    ) -> Iterator[Statement]:
        variable = Variable(name)
        for key, value in overrides.items():
            yield Call(variable, "addPropertyOverride", (key.replace(".", "\\."), value))
        options = Member(variable, "cfnOptions")
        for key, member in (("DeletionPolicy", "deletionPolicy"), ("UpdateReplacePolicy", "updateReplacePolicy")):
            if key in body:
                policy = Member(Core("CfnDeletionPolicy"), _POLICIES[body[key]])
                yield Set(Member(options, member), policy)
        for key in ("CreationPolicy", "UpdatePolicy"):
            if key in body:
                yield Call(variable, "addOverride", (key, self.values.raw(body[key], place.key(key))))
        if "Metadata" in body:
            yield Set(Member(options, "metadata"), self.values.raw(body["Metadata"], place.key("Metadata")))
        for other in body.get("DependsOn", ()):
            yield Call(variable, "addDependency", (Variable(other),))

    def output(self, name: str, body: Mapping[str, Any], taken: Any) -> Block:
        place = Place("Outputs").key(name)
        value = body["Value"]
        entries = [("value", self.values.string(value, place))]
        if "Description" in body:
            entries.append(("description", body["Description"]))
        if "Export" in body:
            entries.append(("exportName", self.values.string(body["Export"]["Name"], place.key("Export"))))
        ident = f"{name}Output" if name in taken else _construct_id(name)
        while ident in taken:
            ident += "Output"
        # outputs have a namespace of their own in a template, and share one with everything else in a stack
        return _named(name, Made(f"{name}/Output", "", "CfnOutput", ident, tuple(entries)), ())


def _named(name: str, made: Made, more: tuple[Statement, ...]) -> Block:
    """A construct whose id can't be its logical id is given that by another way."""
    if made.construct_id == name:
        return Block(made, more)
    return Block(made, (Call(Variable(made.logical_id), "overrideLogicalId", (name,)), *more))


def _construct_id(name: str) -> str:
    return f"{name}Construct" if name in _HIDDEN_IDS else name


def _are_tags(value: Any, form: str) -> bool:
    """The CDK sorts and merges tags by their keys, so these have to be there."""
    if form == "MAP":
        return isinstance(value, Mapping) and not is_call(value)
    return is_list(value) and all(isinstance(tag, Mapping) and isinstance(tag.get("Key"), str) for tag in value)
