"""Which provider each resource of a plan is written with, and under which address."""

from __future__ import annotations

from collections.abc import Mapping

from reconciler.model.ids import LogicalId
from reconciler.model.plan import Plan
from reconciler.pipeline import aws, awscc, naming
from reconciler.pipeline.aws.rules import AwsType
from reconciler.pipeline.files import Place
from reconciler.schema import TypeSchema


class Addresses:
    """The addresses of one plan's resources.

    ``of``: by logical id. ``mapped``: those that are written with aws, with their mapping. ``left``: those that aws was
    preferred for but whose mapping doesn't cover them, with the addresses that what belongs to them would have.
    Raises PipelineError for a type that neither provider has.
    """

    def __init__(self, plan: Plan, provider: str, schemas: Mapping[LogicalId, TypeSchema]) -> None:
        self._provider = provider
        self._schemas = schemas
        self._names = tuple(plan.resources)
        self._labels = naming.labels(plan.resources)
        self.left: dict[LogicalId, list[str]] = {}
        self.mapped: dict[LogicalId, AwsType] = {
            name: aws.TYPES[schema.type_name] for name, schema in schemas.items() if self._is_mapped(schema.type_name)
        }
        self.of: dict[LogicalId, str] = {name: self._first(name) for name in schemas}

    def lacks(self, name: LogicalId) -> bool:
        """Whether the awscc provider hasn't got a resource's type."""
        return self._schemas[name].type_name in awscc.deviations().types

    def leave(self, name: LogicalId, parts: list[str]) -> None:
        """Write a resource that its mapping doesn't cover with awscc; ``parts``: see ``left``."""
        del self.mapped[name]
        self.left[name] = parts
        self.of[name] = f"{awscc.resource_type(self._schemas[name])}.{self._labels[name]}"

    def elsewhere(self, name: LogicalId) -> list[str]:
        """Where a resource and what belongs to it would stand if its mapping had covered more or less of it.

        Nowhere, unless aws is preferred: otherwise the type alone decides.
        """
        schema = self._schemas[name]
        if self._provider != "aws" or schema.type_name not in aws.TYPES:
            return []
        if name in self.left:
            return [f"{aws.TYPES[schema.type_name].resource}.{self._labels[name]}", *self.left[name]]
        if schema.type_name in awscc.deviations().types:
            return []
        return [f"{awscc.resource_type(schema)}.{self._labels[name]}"]

    def label(self, logical_id: str) -> str:
        """The label of a resource that the plan doesn't have (any more)."""
        return naming.labels([*self._names, logical_id])[logical_id]

    def former(self, schema: TypeSchema, logical_id: str) -> list[str]:
        """Every address that a resource which has left the plan may have had."""
        found: list[str] = []
        if self._is_mapped(schema.type_name):
            found.append(f"{aws.TYPES[schema.type_name].resource}.{self.label(logical_id)}")
        if schema.type_name.startswith("AWS::") and schema.type_name not in awscc.deviations().types:
            found.append(f"{awscc.resource_type(schema)}.{self.label(logical_id)}")
        return found

    def _is_mapped(self, type_name: str) -> bool:
        preferred = self._provider == "aws" or type_name in awscc.deviations().types
        return preferred and type_name in aws.TYPES

    def _first(self, name: LogicalId) -> str:
        if name in self.mapped:
            return f"{self.mapped[name].resource}.{self._labels[name]}"
        try:
            return f"{awscc.resource_type(self._schemas[name])}.{self._labels[name]}"
        except ValueError as error:
            raise Place(name).refuse(str(error)) from error
