"""The whole desired state as a Terraform root module on the awscc provider. Pure: a change set in, files out."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from reconciler.model.change import ChangeSet
from reconciler.model.ids import LogicalId
from reconciler.model.plan import Output, Plan, PlannedResource
from reconciler.pipeline import awscc, naming
from reconciler.pipeline.files import Place, RenderedFile
from reconciler.pipeline.hcl import Block, Raw, document
from reconciler.pipeline.header import HEADER
from reconciler.pipeline.terraform_values import Translator
from reconciler.pipeline.variables import ABSENT, Variable, Variables, parameter_variable
from reconciler.schema import TypeSchema, schema_for

#: Import blocks need this one.
TERRAFORM_VERSION = "1.5.0"
AWS_VERSION = "5.0.0"
FILES = ("main.tf", "variables.tf", "outputs.tf", "versions.tf", "imports.tf")


def render(changes: ChangeSet) -> tuple[RenderedFile, ...]:
    """main.tf, variables.tf, outputs.tf, versions.tf and imports.tf for a plan.

    Raises PipelineError, naming resource and property, for what Terraform or the provider can't express.
    """
    plan = changes.plan
    module = _Module(plan)
    resources = [module.resource(plan.resources[name]) for name in module.names]
    outputs = [module.output(output) for output in sorted(plan.outputs, key=lambda output: output.name)]
    contents = {
        "main.tf": [*module.data_sources(), *resources],
        "variables.tf": module.variable_blocks(),
        "outputs.tf": [] if plan.absent else outputs,
        "versions.tf": _versions(plan),
        "imports.tf": module.imports(changes),
    }
    return tuple(_file(name, contents[name], plan) for name in FILES)


class _Module:
    """The names and expressions of one plan's module."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self.names = () if plan.absent else tuple(sorted(plan.resources))
        self._schemas = {name: _schema(plan.resources[name], plan) for name in plan.resources}
        self._addresses = _addresses(plan, self._schemas)
        self._variables = Variables(plan)
        self._translator = Translator(
            self._schemas, self._addresses, self._variables, _variable_label(plan), plan.target.region
        )

    def resource(self, resource: PlannedResource) -> Block:
        properties = resource.properties
        self._translator.used.clear()
        attributes = self._translator.properties(resource, properties)
        extra = sorted((resource.needs - self._translator.used) & set(self.names))
        if extra:
            attributes["depends_on"] = [Raw(self._addresses[name]) for name in extra]
        kind, label = self._addresses[resource.logical_id].split(".")
        return Block("resource", (kind, label), attributes, self._lifecycle(resource))

    def _lifecycle(self, resource: PlannedResource) -> tuple[Block, ...]:
        settings: dict[str, Any] = {}
        if resource.deletion_policy != "Delete" or resource.update_replace_policy != "Delete":
            settings["prevent_destroy"] = True
        ignored = sorted(rule.path for rule in self._plan.ignore if rule.resource == resource.logical_id)
        if ignored:
            schema = self._schemas[resource.logical_id]
            settings["ignore_changes"] = [Raw(_attribute_path(path, schema)) for path in ignored]
        return (Block("lifecycle", (), settings),) if settings else ()

    def output(self, output: Output) -> Block:
        self._translator.secret_used = False
        value = self._translator.value(output.value, Place("Outputs").key(output.name))
        attributes: dict[str, Any] = {"description": output.description} if output.description else {}
        attributes["value"] = value
        if self._translator.secret_used:
            attributes["sensitive"] = True
        return Block("output", (naming.labels(item.name for item in self._plan.outputs)[output.name],), attributes)

    def variable_blocks(self) -> list[Block]:
        """The plan's parameters, and what else the module leaves open. Call when everything is translated."""
        label = _variable_label(self._plan)
        declared = {parameter.name: parameter_variable(parameter) for parameter in self._plan.parameters}
        found = {variable.name: variable for variable in self._variables.found()}
        return [
            Block("variable", (label(variable),), _variable(variable, folded=name not in found))
            for name, variable in sorted({**declared, **found}.items())
        ]

    def data_sources(self) -> list[Block]:
        identity = Block("data", ("aws_caller_identity", "current"), {})
        zones = Block("data", ("aws_availability_zones", "available"), {"state": "available"})
        return [identity, zones] if self._translator.zones_used else [identity]

    def imports(self, changes: ChangeSet) -> list[Block]:
        known = {name: self._plan.resources[name].adopt for name in self.names} | dict(changes.identifiers)
        return [
            Block("import", (), {"to": Raw(self._addresses[name]), "id": str(known[name])})
            for name in self.names
            if known.get(name)
        ]


def _schema(resource: PlannedResource, plan: Plan) -> TypeSchema:
    schema = schema_for(resource.type, plan.target.region)
    if schema is None:
        raise Place(resource.logical_id).refuse(f"{resource.type} isn't known in {plan.target.region}")
    return schema


def _addresses(plan: Plan, schemas: Mapping[LogicalId, TypeSchema]) -> dict[LogicalId, str]:
    labels = naming.labels(plan.resources)
    addresses: dict[LogicalId, str] = {}
    for name, schema in schemas.items():
        try:
            addresses[name] = f"{awscc.resource_type(schema)}.{labels[name]}"
        except ValueError as error:
            raise Place(name).refuse(str(error)) from error
    return addresses


def _variable_label(plan: Plan) -> Callable[[Variable], str]:
    declared = naming.labels(parameter.name for parameter in plan.parameters)
    taken = set(declared.values())

    def label(variable: Variable) -> str:
        if variable.name in declared:
            return declared[variable.name]
        name = naming.labels([variable.name])[variable.name]
        return f"{name}_" if name in taken else name

    return label


def _variable(variable: Variable, *, folded: bool) -> dict[str, Any]:
    attributes: dict[str, Any] = {}
    description = variable.description.strip()
    if folded and variable.default is not ABSENT:
        note = "the value is part of main.tf already, so change it in the plan"
        description = f"{description} ({note})".lstrip()
    if description:
        attributes["description"] = description
    kind = terraform_type(variable.type)
    attributes["type"] = Raw(kind)
    if variable.sensitive:
        attributes["sensitive"] = True
    if variable.default is not ABSENT:
        attributes["default"] = _default(variable.default, kind)
    return attributes


def terraform_type(parameter_type: str) -> str:
    """The Terraform type of a CloudFormation parameter type."""
    kind = re.sub(r"^AWS::SSM::Parameter::Value<(.*)>$", r"\1", parameter_type)
    if kind.startswith("List<Number>"):
        return "list(number)"
    if kind == "CommaDelimitedList" or kind.startswith("List<"):
        return "list(string)"
    return "number" if kind == "Number" else "string"


def _default(value: Any, kind: str) -> Any:
    if kind.startswith("list(") and isinstance(value, str):
        value = [part.strip() for part in value.split(",")]
    if isinstance(value, list | tuple):
        return [_default(item, kind.removeprefix("list(").removesuffix(")")) for item in value]
    if kind == "number" and isinstance(value, str):
        return float(value) if "." in value or "e" in value.lower() else int(value)
    return str(value) if kind == "string" else value


def _versions(plan: Plan) -> list[Block]:
    aws = {"source": "hashicorp/aws", "version": f">= {AWS_VERSION}"}
    cloud_control = {"source": "hashicorp/awscc", "version": f">= {awscc.deviations().version}"}
    providers = Block("required_providers", (), {"aws": aws, "awscc": cloud_control})
    region, account = plan.target.region, plan.target.account
    return [
        Block("terraform", (), {"required_version": f">= {TERRAFORM_VERSION}"}, (providers,)),
        # awscc can't check the account; this one does, and data.aws_caller_identity makes sure that it is asked.
        Block("provider", ("aws",), {"region": region, "allowed_account_ids": [account]}),
        Block("provider", ("awscc",), {"region": region}),
    ]


def _attribute_path(pointer: str, schema: TypeSchema) -> str:
    first, *rest = [part.replace("~1", "/").replace("~0", "~") for part in pointer.strip("/").split("/")]
    path = naming.top_level_name(schema.type_name, first)
    for part in rest:
        path += f"[{part}]" if part.isdigit() else f".{naming.attribute_name(part)}"
    return path


def _file(name: str, blocks: list[Block], plan: Plan) -> RenderedFile:
    header = f"{HEADER} from plan {' '.join(plan.name.split())}: change the plan, not this file."
    try:
        return RenderedFile(name, document(header, blocks))
    except ValueError as error:
        raise Place(name).refuse(str(error)) from error
