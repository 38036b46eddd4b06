"""The whole desired state as a CloudFormation template. Pure: a change set in, files out."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

import yaml

from reconciler.model.change import ChangeSet
from reconciler.model.ids import Identifier
from reconciler.model.plan import Output, Plan, PlannedResource
from reconciler.model.values import Deferred, Sensitive, Unknown, leaves
from reconciler.pipeline.files import Place, RenderedFile, is_list
from reconciler.pipeline.header import HEADER
from reconciler.pipeline.variables import Variable, Variables
from reconciler.pipeline.writeonly import may_be_written
from reconciler.schema import TypeSchema, schema_for
from reconciler.template import references
from reconciler.template.dynamic import STORED

FILES = ("template.yaml", "parameters.json", "imports.json")
_DESCRIPTION_LIMIT = 1024
#: functions that a template may use only with this transform
_EXTENSIONS = frozenset({"Fn::ToJsonString", "Fn::Length"})
#: where CloudFormation does something else than deleting if it isn't told
_KEPT_BY_DEFAULT = frozenset({"AWS::RDS::DBCluster", "AWS::RDS::DBInstance"})
# A template needs a resource; this one is nothing but a placeholder, in a stack that shall hold nothing.
_NOTHING: Mapping[str, Any] = {"Nothing": {"Type": "AWS::CloudFormation::WaitConditionHandle"}}


def render(changes: ChangeSet) -> tuple[RenderedFile, ...]:
    """template.yaml, parameters.json (values of the open parameters) and imports.json (resources to import).

    Raises PipelineError, naming resource and property, for what a template can't express.
    """
    template = document(changes)
    return (
        RenderedFile("template.yaml", _yaml(template, changes.plan)),
        RenderedFile("parameters.json", json_text([_open_parameter(name) for name in template.get("Parameters", ())])),
        RenderedFile("imports.json", json_text(imports(changes))),
    )


def document(changes: ChangeSet) -> dict[str, Any]:
    """The template as plain values. Raises PipelineError as ``render``."""
    plan = changes.plan
    template = _Template(plan)
    names = [] if plan.absent else sorted(plan.resources)
    resources = {name: template.resource(plan.resources[name]) for name in names} or dict(_NOTHING)
    outputs = {} if plan.absent else {output.name: template.output(output) for output in plan.outputs}
    found: dict[str, Any] = {"AWSTemplateFormatVersion": "2010-09-09"}
    if _EXTENSIONS & template.functions:
        found["Transform"] = "AWS::LanguageExtensions"
    if plan.description:
        found["Description"] = plan.description[:_DESCRIPTION_LIMIT]
    found["Metadata"] = {"Reconciler": _metadata(plan)}
    return found | {
        key: section
        for key, section in (
            ("Parameters", template.parameters()),
            ("Resources", resources),
            ("Outputs", _sorted(outputs)),
        )
        if section
    }


class _Template:
    """The expressions of one plan, with their intrinsic functions restored; ``functions``: those met so far."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self.functions: set[str] = set()
        self._variables = Variables(plan)
        self._schemas = {
            name: schema_for(resource.type, plan.target.region) for name, resource in plan.resources.items()
        }

    def resource(self, resource: PlannedResource) -> dict[str, Any]:
        schema = self._schemas[resource.logical_id]
        wanted = resource.properties
        place = Place(resource.logical_id)
        properties = {name: self._value(wanted[name], place.key(name), schema) for name in sorted(wanted)}
        told = references([wanted, resource.metadata, resource.by_stack])
        extra = sorted((resource.needs - told) & set(self._plan.resources))
        body: dict[str, Any] = {"Type": resource.type}
        if extra:
            body["DependsOn"] = [str(name) for name in extra]
        if resource.deletion_policy != "Delete" or resource.type in _KEPT_BY_DEFAULT:
            body["DeletionPolicy"] = resource.deletion_policy
        if resource.update_replace_policy != "Delete" or resource.type in _KEPT_BY_DEFAULT:
            body["UpdateReplacePolicy"] = resource.update_replace_policy
        for key, value in resource.by_stack.items():
            body[key] = self._value(value, place.key(key), None)
        if resource.metadata:
            body["Metadata"] = self._value(resource.metadata, place.key("Metadata"), None)
        if properties:
            body["Properties"] = properties
        return body

    def output(self, output: Output) -> dict[str, Any]:
        place = Place("Outputs").key(output.name)
        body: dict[str, Any] = {"Description": output.description} if output.description else {}
        body["Value"] = self._value(output.value, place, None)
        if output.export is not None:
            body["Export"] = {"Name": self._value(output.export, place.key("Export"), None)}
        return body

    def parameters(self) -> dict[str, Any]:
        """The parameters that the expressions translated so far refer to: secrets, never with a default."""
        return {variable.name: _parameter(variable) for variable in self._variables.found()}

    def _value(self, value: Any, place: Place, schema: TypeSchema | None) -> Any:
        if isinstance(value, Deferred):
            return self._call(value, place)
        if isinstance(value, Sensitive):
            return self._secret(value.reveal(), place, schema)
        if isinstance(value, Unknown):
            raise place.refuse(f"the value isn't known yet ({value.expression})")
        if isinstance(value, Mapping):
            return {str(key): self._value(value[key], place.key(str(key)), schema) for key in sorted(value, key=str)}
        if is_list(value):
            return [self._value(item, place.item(index), schema) for index, item in enumerate(value)]
        if schema is not None and schema.is_secret(place.schema_path):
            return value if may_be_written(schema, place.schema_path, value) else self._secret(value, place, schema)
        return value

    def _secret(self, value: Any, place: Place, schema: TypeSchema | None) -> Any:
        """A reference to a parameter; inside a secret that has parts, one for each."""
        if isinstance(value, Mapping):
            return {str(key): self._secret(value[key], place.key(str(key)), schema) for key in sorted(value, key=str)}
        if is_list(value):
            return [self._secret(item, place.item(index), schema) for index, item in enumerate(value)]
        if isinstance(value, Deferred | Unknown):
            return self._value(value, place, schema)
        plain = value.reveal() if isinstance(value, Sensitive) else value
        return {"Ref": self._variables.secret(plain, place).name}

    def _call(self, node: Deferred, place: Place) -> Any:
        if node.function == "Resolve":
            return self._dynamic(node.argument, place)
        if node.function == STORED:
            return self._dynamic(["ssm", node.argument], place)
        if node.function == "Fn::Split" and any(
            isinstance(leaf, Deferred) and leaf.function == STORED for leaf in leaves(node.argument)
        ):
            # CloudFormation splits before it looks the parameter up
            raise place.refuse("a list from the Parameter Store can't be written in CloudFormation; use Terraform")
        argument = self._value(node.argument, place, None)
        if node.function == "Ref" and argument not in self._plan.resources:
            raise place.refuse(f"it refers to {argument!r}, which is no resource of the plan")
        self.functions.add(node.function)
        if node.function == "Fn::Join":
            return _joined(argument)
        if node.function == "Ref" or node.function.startswith("Fn::"):
            return {node.function: argument}
        raise place.refuse(f"{node.function} can't be written in CloudFormation")

    def _dynamic(self, argument: Any, place: Place) -> str:
        service, key = argument
        if not isinstance(service, str) or not isinstance(key, str):
            raise place.refuse("the name of the secret isn't known before deployment")
        return "{{resolve:" + f"{service}:{key}" + "}}"


def _joined(argument: Any) -> Any:
    """``Fn::Join`` of references and text with nothing between them, as the ``Fn::Sub`` it (most likely) came from."""
    delimiter, items = argument
    if not isinstance(delimiter, str) or not is_list(items):
        return {"Fn::Join": argument}
    pieces = [_substitution(item) for item in items]
    text = [piece for piece in pieces if piece is not None]
    if len(text) < len(pieces):
        return {"Fn::Join": argument}
    joined = delimiter.replace("${", "${!").join(text)
    return {"Fn::Sub": joined} if re.search(r"\$\{(?!!)", joined) else joined.replace("${!", "${")


def _substitution(item: Any) -> str | None:
    """An item of a join as a part of a ``Fn::Sub`` string, or None if it can't be one."""
    if isinstance(item, str):
        return item.replace("${", "${!")
    if isinstance(item, Mapping) and set(item) == {"Ref"}:
        return f"${{{item['Ref']}}}"
    if isinstance(item, Mapping) and set(item) == {"Fn::GetAtt"}:
        names = item["Fn::GetAtt"]
        return f"${{{'.'.join(names)}}}" if all(isinstance(name, str) for name in names) else None
    return None


def _metadata(plan: Plan) -> dict[str, Any]:
    """Where the template comes from; the values of parameters that are already part of it."""
    metadata: dict[str, Any] = {"Plan": str(plan.name)}
    folded = {
        item.name: item.value for item in plan.parameters if not item.no_echo and not isinstance(item.value, Sensitive)
    }
    return metadata | ({"Parameters": _sorted(folded)} if folded else {})


def _parameter(variable: Variable) -> dict[str, Any]:
    body: dict[str, Any] = {"Type": variable.type, "NoEcho": True}
    if variable.description:
        body["Description"] = variable.description
    return body


def _open_parameter(name: str) -> dict[str, Any]:
    return {"ParameterKey": name, "UsePreviousValue": True}


def imports(changes: ChangeSet) -> list[dict[str, Any]]:
    """The resources that exist already, as ``create-change-set --resources-to-import`` takes them."""
    plan = changes.plan
    found: list[dict[str, Any]] = []
    for name in [] if plan.absent else sorted(plan.resources):
        identifier = changes.identifiers.get(name) or plan.resources[name].adopt
        schema = schema_for(plan.resources[name].type, plan.target.region)
        if identifier and schema is not None:
            found.append(
                {
                    "ResourceType": plan.resources[name].type,
                    "LogicalResourceId": name,
                    "ResourceIdentifier": _identifier(identifier, schema, Place(name)),
                }
            )
    return found


def _identifier(identifier: Identifier, schema: TypeSchema, place: Place) -> dict[str, str]:
    values = identifier.split("|", len(schema.primary_identifier) - 1)
    if len(values) != len(schema.primary_identifier):
        raise place.refuse(f"{identifier!r} isn't an identifier of {schema.type_name}")
    return dict(zip(schema.primary_identifier, values, strict=True))


def _sorted(section: Mapping[str, Any]) -> dict[str, Any]:
    return {key: section[key] for key in sorted(section)}


def _yaml(document: Mapping[str, Any], plan: Plan) -> str:
    header = f"# {HEADER} from plan {' '.join(plan.name.split())}: change the plan, not this file.\n"
    try:
        body: str = yaml.dump(document, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=100)
    except yaml.YAMLError as error:
        raise Place("template.yaml").refuse(f"the values can't be written as YAML: {error}") from error
    return header + body


class _Dumper(yaml.SafeDumper):
    """Lists are indented under their key, and nothing is an alias."""

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:  # noqa: ARG002 (PyYAML's signature)
        super().increase_indent(flow, False)

    def ignore_aliases(self, data: Any) -> bool:  # noqa: ARG002 (PyYAML's signature)
        return True


def _text(dumper: yaml.SafeDumper, value: str) -> yaml.ScalarNode:
    """Text with Unicode's own line ends is written with escapes: as plain text PyYAML reads them back as others."""
    odd = any(char in value for char in "\x85\u2028\u2029")
    return dumper.represent_scalar("tag:yaml.org,2002:str", value, style='"' if odd else None)


_Dumper.add_representer(str, _text)


def json_text(document: Any) -> str:
    """A document as the text of a JSON file."""
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"
