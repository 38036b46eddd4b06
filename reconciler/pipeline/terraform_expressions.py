"""Intrinsic functions as Terraform expressions, and what they refer to."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from reconciler.model.errors import SourceError
from reconciler.model.ids import LogicalId
from reconciler.model.values import PARAMETER, Deferred, Sensitive, Unknown
from reconciler.pipeline import awscc
from reconciler.pipeline.aws.rules import AwsType, NotCovered
from reconciler.pipeline.files import Place, is_list
from reconciler.pipeline.hcl import Call, Raw, Template, inline
from reconciler.pipeline.variables import Variable, Variables
from reconciler.schema import TypeSchema
from reconciler.template import with_parameters
from reconciler.template.dynamic import OPENING, STORED, split_references
from reconciler.template.problems import FunctionError

_SUBSTITUTION = re.compile(r"\$\{([^}]*)\}")
_SECRET = f"{OPENING}secretsmanager:"


class Expressions:
    """Translates the expressions of one plan. Records what they refer to, which decides ``depends_on``.

    ``schemas``, ``addresses`` and ``mapped`` are keyed by logical id; what is not ``mapped`` to a resource of the aws
    provider is one of awscc. ``values`` are the parameters', ``region`` is the plan's.
    """

    def __init__(
        self,
        schemas: Mapping[LogicalId, TypeSchema],
        addresses: Mapping[LogicalId, str],
        variables: Variables,
        variable_label: Callable[[Variable], str],
        region: str,
        mapped: Mapping[LogicalId, AwsType],
        values: Mapping[str, Any],
    ) -> None:
        self._schemas = schemas
        self._addresses = addresses
        self._variables = variables
        self._variable_label = variable_label
        self._region = region
        self._mapped = mapped
        self._values = values
        self.used: set[str] = set()
        self.secret_used = False
        self.zones_used = False
        #: secrets that are looked up, by the label of the data source: secret_id (an expression), version_stage, _id
        self.secret_versions: dict[str, dict[str, str]] = {}
        self._functions: dict[str, Callable[[Any, Place], Any]] = {
            "Ref": self._ref,
            "Fn::GetAtt": self._get_att,
            "Fn::Sub": self._sub,
            "Fn::Join": self._join,
            "Fn::Select": self._select,
            "Fn::Split": self._split,
            "Fn::Base64": lambda argument, place: Call("base64encode", (self.value(argument, place),)),
            "Fn::Cidr": self._cidr,
            "Fn::GetAZs": self._zones,
            "Fn::ImportValue": self._imported,
            "Fn::ToJsonString": lambda argument, place: Call("jsonencode", (self.value(argument, place),)),
            "Fn::Length": lambda argument, place: Call("length", (self.value(argument, place),)),
            "Resolve": self._dynamic,
            STORED: self._stored,
            PARAMETER: lambda name, _place: self._parameter(self._variables.parameter(name)),
        }

    def known(self, value: Any) -> Any:
        """A value with the parameters' values in it, for where a rule depends on what it is."""
        try:
            return with_parameters(value, self._values)
        except SourceError:
            return value

    def value(self, value: Any, place: Place) -> Any:
        """A value without a schema: names are kept as they are, functions are translated."""
        if isinstance(value, Deferred):
            return self._call(value, place)
        if isinstance(value, Sensitive):
            return self._secret(value.reveal(), place)
        if isinstance(value, Unknown):
            raise place.refuse(f"the value isn't known yet ({value.expression})")
        if isinstance(value, Mapping):
            return {str(key): self.value(value[key], place.key(str(key))) for key in sorted(value, key=str)}
        if is_list(value):
            return [self.value(item, place.item(index)) for index, item in enumerate(value)]
        return value

    def _secret(self, value: Any, place: Place) -> Raw:
        self.secret_used = True
        return self._variable(self._variables.secret(value, place))

    def _variable(self, variable: Variable) -> Raw:
        return Raw(f"var.{self._variable_label(variable)}")

    def _parameter(self, variable: Variable) -> Raw:
        self.secret_used = self.secret_used or variable.sensitive
        return self._variable(variable)

    # intrinsic functions

    def _call(self, node: Deferred, place: Place) -> Any:
        translate = self._functions.get(node.function)
        if translate is None:
            raise place.refuse(
                f"{node.function} can't be written in Terraform: use format cloudformation for this plan"
            )
        return translate(node.argument, place)

    def _resource(self, logical_id: Any, place: Place) -> tuple[TypeSchema, str]:
        if logical_id not in self._addresses:
            raise place.refuse(f"it refers to {logical_id!r}, which is no resource of the plan")
        mapped = self._mapped.get(logical_id)
        if mapped is not None and mapped.several:
            raise NotCovered(place, logical_id, f"{logical_id} is several of {mapped.resource}, none of which is meant")
        self.used.add(str(logical_id))
        return self._schemas[logical_id], self._addresses[logical_id]

    def _ref(self, argument: Any, place: Place) -> Any:
        schema, address = self._resource(argument, place)
        mapped = self._mapped.get(argument)
        return awscc.reference(schema, address, place) if mapped is None else Raw(f"{address}.{mapped.ref}")

    def _get_att(self, argument: Any, place: Place) -> Any:
        logical_id, name = argument.split(".", 1) if isinstance(argument, str) else argument
        if not isinstance(name, str):
            raise place.refuse("the attribute's name isn't known before deployment")
        schema, address = self._resource(logical_id, place)
        mapped = self._mapped.get(LogicalId(logical_id))
        if mapped is None:
            return awscc.attribute(schema, address, name, place)
        if name not in mapped.attributes:
            raise NotCovered(place, logical_id, f"{name} of {schema.type_name} isn't known of {mapped.resource}")
        found, _, ending = mapped.attributes[name].partition("|")
        return concatenated([Raw(f"{address}.{found}"), ending])

    def _sub(self, argument: Any, place: Place) -> Any:
        text, given = (argument, {}) if isinstance(argument, str) else argument
        parts: list[Any] = []
        end = 0
        for match in _SUBSTITUTION.finditer(text):
            parts += [text[end : match.start()], self._substituted(match[1], given, place)]
            end = match.end()
        return self._resolved(concatenated([*parts, text[end:]]), place)

    def _substituted(self, name: str, given: Mapping[str, Any], place: Place) -> Any:
        if name.startswith("!"):
            return "${" + name[1:] + "}"
        if name in given:
            return self.value(given[name], place)
        return self._get_att(name, place) if "." in name else self._ref(name, place)

    def _join(self, argument: Any, place: Place) -> Any:
        delimiter, items = argument
        if not is_list(items) or not isinstance(delimiter, str):
            return Call("join", (self.value(delimiter, place), self.value(items, place)))
        parts: list[Any] = []
        for item in items:
            parts += [delimiter, self.value(item, place)]
        return self._resolved(concatenated(parts[1:]), place)

    def _resolved(self, value: Any, place: Place) -> Any:
        """A concatenation whose literal text may hold dynamic references, which Terraform doesn't know."""
        pieces = self._secrets_of_resources(value, place).parts if isinstance(value, Template) else (value,)
        parts: list[Any] = []
        for piece in pieces:
            for part in self._split_text(piece, place) if isinstance(piece, str) else [piece]:
                parts.append(self._dynamic(part.argument, place) if isinstance(part, Deferred) else part)
                if isinstance(part, str) and OPENING in part:
                    raise place.refuse("the name of a dynamic reference isn't known before deployment")
        return concatenated(parts)

    def _secrets_of_resources(self, template: Template, place: Place) -> Template:
        """The template with secrets that are resources looked up: ``{{resolve:secretsmanager:${X}:…}}``."""
        parts = list(template.parts)
        index = 1
        while index < len(parts) - 1:
            before, secret, after = parts[index - 1 : index + 2]
            end = after.find("}}") if isinstance(after, str) else -1
            if isinstance(before, str) and before.endswith(_SECRET) and not isinstance(secret, str) and end >= 0:
                found = self._secret_version(secret, after[:end], place)
                parts[index - 1 : index + 2] = [before.removesuffix(_SECRET), found, after[end + 2 :]]
            index += 1
        return Template(tuple(parts))

    def _secret_version(self, secret: Any, rest: str, place: Place) -> Raw:
        """What ``rest`` (``:SecretString:json-key:stage:version``) names of a secret, by way of a data source."""
        _, kind, key, stage, version = [*rest.split(":"), "", "", "", "", ""][:5]
        if kind not in ("", "SecretString"):
            raise place.refuse(f"{kind} of a secret can't be referred to, only SecretString")
        wanted = {"secret_id": inline(secret), "version_stage": stage, "version_id": version}
        address = inline(secret).split(".")
        words = [address[1] if len(address) > 1 else address[0], stage, version]
        label = re.sub(r"\W+", "_", "_".join(filter(None, words))).lower()
        while self.secret_versions.get(label, wanted) != wanted:
            label += "_"
        self.secret_versions[label] = wanted
        self.secret_used = True
        text = f"data.aws_secretsmanager_secret_version.{label}.secret_string"
        return Raw(f"jsondecode({text})[{inline(key)}]" if key else text)

    def _split_text(self, text: str, place: Place) -> list[Any]:
        try:
            return split_references(text)
        except FunctionError as error:
            raise place.refuse(str(error)) from error

    def _select(self, argument: Any, place: Place) -> Any:
        index, values = argument
        if isinstance(index, Deferred) or is_list(values):
            return Call("element", (self.value(values, place), self.value(index, place)))
        self._refuse_unordered(values, place)
        if isinstance(values, Deferred) and values.function == "Fn::Cidr":
            block, _, bits = values.argument
            return Raw(self._subnet(block, bits, str(int(index)), place))
        return Raw(f"{self._inline(values, place)}[{int(index)}]")

    def _refuse_unordered(self, values: Any, place: Place) -> None:
        if not isinstance(values, Deferred) or values.function != "Fn::GetAtt":
            return
        schema, _ = self._resource(values.argument[0], place)
        if values.argument[0] in self._mapped:
            return
        node = schema.node(tuple(str(values.argument[1]).split("."))) or {}
        if node.get("uniqueItems") and node.get("insertionOrder") is False:
            raise place.refuse(f"{'.'.join(values.argument)} is a set in Terraform: no item has a position in it")

    def _split(self, argument: Any, place: Place) -> Any:
        delimiter, text = argument
        return Call("split", (self.value(delimiter, place), self.value(text, place)))

    def _cidr(self, argument: Any, place: Place) -> Any:
        block, count, bits = argument
        return Raw(f"[for i in range({self._inline(count, place)}) : {self._subnet(block, bits, 'i', place)}]")

    def _subnet(self, block: Any, bits: Any, number: str, place: Place) -> str:
        network = self._inline(block, place)
        known = self.known(block)
        width = 128 if "ipv6" in network.replace("_", "").lower() or (isinstance(known, str) and ":" in known) else 32
        prefix = f'tonumber(split("/", {network})[1])'
        return f"cidrsubnet({network}, {width} - {self._inline(bits, place)} - {prefix}, {number})"

    def _inline(self, value: Any, place: Place) -> str:
        return inline(self.value(value, place))

    def _zones(self, argument: Any, place: Place) -> Any:
        if argument not in ("", self._region):
            raise place.refuse(f"zones of {argument} can't be looked up by a provider for {self._region}")
        self.zones_used = True
        return Raw("data.aws_availability_zones.available.names")

    def _imported(self, argument: Any, place: Place) -> Any:
        if not isinstance(argument, str):
            raise place.refuse("the name of the imported value isn't known before deployment")
        description = f"The value that another plan exports as {argument}"
        return self._variable(self._variables.named(f"Imported-{argument}", description, sensitive=False))

    def _stored(self, argument: Any, place: Place) -> Any:
        if not isinstance(argument, str):
            raise place.refuse("the name of the parameter isn't known before deployment")
        description = f"The value of the SSM parameter {argument}"
        return self._variable(self._variables.named(f"ssm-{argument}", description, sensitive=False))

    def _dynamic(self, argument: Any, place: Place) -> Any:
        service, key = argument
        if not isinstance(key, str) or not isinstance(service, str):
            raise place.refuse("the name of the secret isn't known before deployment")
        self.secret_used = True
        return self._variable(self._variables.named(f"{service}-{key}", f"The value of {service}:{key}"))


def concatenated(parts: list[Any]) -> Any:
    """Strings and expressions in a row as one string: a plain one, a lone expression, or a template."""
    merged: list[Any] = []
    for part in parts:
        for piece in part.parts if isinstance(part, Template) else (_text(part),):
            if isinstance(piece, str) and merged and isinstance(merged[-1], str):
                merged[-1] += piece
            elif piece != "":
                merged.append(piece)
    if not merged:
        return ""
    return merged[0] if len(merged) == 1 else Template(tuple(merged))


def _text(part: Any) -> Any:
    if isinstance(part, bool):
        return "true" if part else "false"
    return str(part) if isinstance(part, int | float) else part
