"""The whole desired state as a Terraform root module. Pure: a change set in, files out.

A resource is written with the provider that the plan prefers if that has its type, else with the other one; both in one
module are common practice. Where aws is preferred and our mapping doesn't cover all that a resource sets, awscc it is.
An edit can then change its address; lest Terraform destroy what has lost its address, ``moved.tf`` lets go of the other
one without touching the resource, which is imported under the new one.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

from reconciler.model.change import ChangeSet
from reconciler.model.errors import PipelineError
from reconciler.model.ids import LogicalId
from reconciler.model.plan import Output, Plan, PlannedResource
from reconciler.pipeline import aws, awscc, naming
from reconciler.pipeline.aws.bodies import Part
from reconciler.pipeline.aws.rules import As, NotCovered, Pairs
from reconciler.pipeline.aws.writing import apart_blocks, body, parts_of
from reconciler.pipeline.files import Place, RenderedFile
from reconciler.pipeline.hcl import Block, Raw, document
from reconciler.pipeline.header import HEADER
from reconciler.pipeline.terraform_addresses import Addresses
from reconciler.pipeline.terraform_state import States
from reconciler.pipeline.terraform_values import Translator
from reconciler.pipeline.terraform_variables import variable_block
from reconciler.pipeline.variables import Variable, Variables, parameter_variable
from reconciler.schema import TypeSchema, schema_for
from reconciler.template import with_parameters

#: Import blocks need the first, removed blocks the second.
TERRAFORM_VERSION, REMOVING_VERSION = "1.5.0", "1.7.0"
PROVIDERS = ("awscc", "aws")
FILES = ("main.tf", "variables.tf", "outputs.tf", "versions.tf", "imports.tf", "moved.tf")


def render(changes: ChangeSet, provider: str = "awscc") -> tuple[RenderedFile, ...]:
    """main.tf, variables.tf, outputs.tf, versions.tf and imports.tf for a plan, and moved.tf where something moves.

    ``provider``: the preferred one, of ``PROVIDERS``. Raises PipelineError, naming resource and property, for what
    Terraform or the provider can't express.
    """
    plan = changes.plan
    module = _Module(plan, provider)
    resources = [block for name in module.names for block in module.resource(plan.resources[name])]
    outputs = [] if plan.absent else [module.output(item) for item in sorted(plan.outputs, key=lambda item: item.name)]
    states = States(changes, module.addresses, module.parts)
    gone = states.kept()
    contents = {
        "main.tf": [*module.data_sources(), *resources],
        "variables.tf": module.variable_blocks(),
        "outputs.tf": outputs,
        "imports.tf": states.imports(),
        "moved.tf": [*states.moved(), *gone],
    }
    files = [_file(name, blocks, plan) for name, blocks in contents.items() if blocks or name != "moved.tf"]
    return (*files, _file("versions.tf", _versions(plan, REMOVING_VERSION if gone else TERRAFORM_VERSION), plan))


class _Module:
    """The names and expressions of one plan's module."""

    def __init__(self, plan: Plan, provider: str) -> None:
        self._plan = plan
        self.names = () if plan.absent else tuple(sorted(plan.resources))
        self._schemas = {name: _schema(plan.resources[name], plan) for name in plan.resources}
        self.addresses = Addresses(plan, provider, self._schemas)
        #: resources that belong to others, by the logical id of those: (address, what it is)
        self.parts: dict[LogicalId, list[tuple[str, Part]]] = {}
        #: the addresses of what is several resources in Terraform
        self._several: dict[LogicalId, list[str]] = {}
        self._variables = Variables(plan)
        self._values = {parameter.name: parameter.value for parameter in plan.parameters}
        self._translator = Translator(
            self._schemas,
            self.addresses.of,
            self._variables,
            _variable_label(plan),
            plan.target.region,
            self.addresses.mapped,
            self._values,
        )
        self._settle()

    def _settle(self) -> None:
        """Leave what the mappings don't cover to awscc, if that has the type: tried out, then forgotten."""
        self._taken = set(self.addresses.of.values())
        for name in self.names if self.addresses.mapped else ():
            while self._left(partial(self.resource, self._plan.resources[name])):
                pass
        for output in self._plan.outputs:
            while self._left(partial(self.output, output)):
                pass
        self.parts.clear()
        self._taken = set(self.addresses.of.values())
        self._several = {name: self._parts_of(name, self._taken) for name in self.names if self._is_several(name)}
        self._variables.back({})
        self._translator.zones_used = False
        self._translator.secret_versions.clear()

    def _left(self, attempt: Callable[[], object]) -> bool:
        """Whether a resource has been left to awscc because ``attempt`` needs more than its mapping covers."""
        try:
            attempt()
        except NotCovered as error:
            name = error.logical_id
            if self.addresses.lacks(name):
                raise error.without_awscc() from error
            parts = self._parts_of(name, set())
            self.addresses.leave(name, parts)
            return True
        except PipelineError:  # it comes up again when the whole is rendered
            return False
        return False

    def _parts_of(self, name: LogicalId, taken: set[str]) -> list[str]:
        """The addresses of what would belong to a resource; adds them to ``taken``."""
        mapping = self.addresses.mapped[name]
        parts = parts_of(self._plan.resources[name], mapping, self._schemas[name], self._translator)
        return [address for address, _, _ in apart_blocks(parts, self.addresses.of[name], taken)]

    def _is_several(self, name: LogicalId) -> bool:
        return name in self.addresses.mapped and self.addresses.mapped[name].several

    def resource(self, resource: PlannedResource) -> list[Block]:
        """The resource, and those that belong to it."""
        resource = self._checked(resource)
        name = resource.logical_id
        for key in resource.by_stack:
            raise Place(name).key(key).refuse("CloudFormation alone follows it: use format cloudformation or cdk")
        self._translator.used.clear()
        whole, parts = self._mapped(resource) if name in self.addresses.mapped else (self._typed(resource), [])
        finished = partial(self._finished, resource)
        return [*map(finished, parts)] if self._is_several(name) else [finished(whole), *parts]

    def _typed(self, resource: PlannedResource) -> Block:
        kind, label = self.addresses.of[resource.logical_id].split(".")
        return Block("resource", (kind, label), self._translator.properties(resource))

    def _mapped(self, resource: PlannedResource) -> tuple[Block, list[Block]]:
        name = resource.logical_id
        kind, label = self.addresses.of[name].split(".")
        found = body(resource, self.addresses.mapped[name], self._schemas[name], self._translator)
        self._taken.difference_update(self._several.get(name, ()))
        apart = list(apart_blocks(found, self.addresses.of[name], self._taken))
        self.parts[name] = [(address, part) for address, _, part in apart]
        return found.block("resource", (kind, label)), [block for _, block, _ in apart]

    def _finished(self, resource: PlannedResource, block: Block) -> Block:
        """A resource's block with what it depends on beside its references, and its lifecycle."""
        extra = sorted((resource.needs - self._translator.used) & set(self.names))
        standing = [address for name in extra for address in self._several.get(name, [self.addresses.of[name]])]
        depends = {"depends_on": [Raw(address) for address in standing]} if standing else {}
        return Block(
            block.kind,
            block.labels,
            {**block.attributes, **depends},
            (*block.blocks, *self._lifecycle(resource)),
        )

    def _checked(self, resource: PlannedResource) -> PlannedResource:
        """The resource; without its written form if that isn't another way to write its properties."""
        if resource.written is None or with_parameters(resource.written, self._values) == resource.properties:
            return resource
        return replace(resource, written=None)

    def _lifecycle(self, resource: PlannedResource) -> tuple[Block, ...]:
        settings: dict[str, Any] = {}
        if resource.deletion_policy != "Delete" or resource.update_replace_policy != "Delete":
            settings["prevent_destroy"] = True
        ignored = sorted(rule.path for rule in self._plan.ignore if rule.resource == resource.logical_id)
        if ignored:
            settings["ignore_changes"] = [Raw(self._ignored(path, resource.logical_id)) for path in ignored]
        return (Block("lifecycle", (), settings),) if settings else ()

    def _ignored(self, pointer: str, name: LogicalId) -> str:
        if name not in self.addresses.mapped:
            return _attribute_path(pointer, self._schemas[name])
        first, *rest = _steps(pointer)
        rule = self.addresses.mapped[name].rules.get(first)
        if rest or not isinstance(rule, As | Pairs):
            why = f"that {pointer} is ignored can't be written for {self.addresses.mapped[name].resource}"
            raise NotCovered(Place(name).key(first), name, why)
        return rule.name

    def output(self, output: Output) -> Block:
        """One output of the module."""
        self._translator.secret_used = False
        place = Place("Outputs").key(output.name)
        value = self._translator.value(output.value if output.written is None else output.written, place)
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
            variable_block(variable, label(variable), unused=name not in found)
            for name, variable in sorted({**declared, **found}.items())
        ]

    def data_sources(self) -> list[Block]:
        """What is looked up, among it the account: asking for it is what makes the provider check it."""
        identity = Block("data", ("aws_caller_identity", "current"), {})
        zones = Block("data", ("aws_availability_zones", "available"), {"state": "available"})
        found = [identity, zones] if self._translator.zones_used else [identity]
        return [*found, *(self._secret_version(label) for label in sorted(self._translator.secret_versions))]

    def _secret_version(self, label: str) -> Block:
        """The version of a secret that is a resource; where that is one of its own in Terraform, when it is there."""
        wanted = dict(self._translator.secret_versions[label])
        secret = wanted.pop("secret_id")
        attributes: dict[str, Any] = {"secret_id": Raw(secret)} | {name: text for name, text in wanted.items() if text}
        for name, parts in self.parts.items():
            if secret.startswith(f"{self.addresses.of[name]}."):
                attributes["depends_on"] = [Raw(address) for address, _ in parts]
        return Block("data", ("aws_secretsmanager_secret_version", label), attributes)


def _versions(plan: Plan, terraform: str) -> list[Block]:
    """The versions that this was checked against, and the providers' settings.

    Both providers, always: what has left the plan is destroyed with the provider that made it.
    """
    region, account = plan.target.region, plan.target.account
    required = {
        "aws": {"source": "hashicorp/aws", "version": _compatible(aws.VERSION)},
        "awscc": {"source": "hashicorp/awscc", "version": _compatible(awscc.deviations().version)},
    }
    return [
        Block(
            "terraform",
            (),
            {"required_version": f">= {terraform}"},
            (Block("required_providers", (), required),),
        ),
        # awscc can't check the account; this one does, and data.aws_caller_identity makes sure that it is asked.
        Block("provider", ("aws",), {"region": region, "allowed_account_ids": [account]}),
        Block("provider", ("awscc",), {"region": region}),
    ]


def _compatible(version: str) -> str:
    """A constraint for the release line of a version, not older than it."""
    return f"~> {version.rsplit('.', 1)[0]}"


def _schema(resource: PlannedResource, plan: Plan) -> TypeSchema:
    schema = schema_for(resource.type, plan.target.region)
    if schema is None:
        raise Place(resource.logical_id).refuse(f"{resource.type} isn't known in {plan.target.region}")
    return schema


def _variable_label(plan: Plan) -> Callable[[Variable], str]:
    declared = naming.labels(parameter.name for parameter in plan.parameters)
    taken = set(declared.values())

    def label(variable: Variable) -> str:
        if variable.name in declared:
            return declared[variable.name]
        name = naming.labels([variable.name])[variable.name]
        return f"{name}_" if name in taken else name

    return label


def _steps(pointer: str) -> list[str]:
    return [part.replace("~1", "/").replace("~0", "~") for part in pointer.strip("/").split("/")]


def _attribute_path(pointer: str, schema: TypeSchema) -> str:
    first, *rest = _steps(pointer)
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
