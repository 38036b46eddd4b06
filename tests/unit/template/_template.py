"""What the template tests share: a scope, a lookup over plain dicts, and a way to load a template."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from reconciler.model.errors import Problem, SourceError
from reconciler.model.plan import Target
from reconciler.model.values import Sensitive, Unknown
from reconciler.template import FoldScope, LoadedTemplate, load_template, pseudo_parameters

TARGET = Target("development", "123456789012", "eu-central-1")


class Live:
    """A lookup that knows what it is given and answers Unknown for the rest."""

    def __init__(
        self, references: Mapping[str, Any] | None = None, attributes: Mapping[str, Any] | None = None
    ) -> None:
        self.references = references or {}
        self.attributes = attributes or {}
        self.asked: list[tuple[str, str]] = []

    def reference(self, logical_id: str) -> Any:
        return self.references.get(logical_id, Unknown(logical_id))

    def attribute(self, logical_id: str, name: str) -> Any:
        return self.attributes.get(f"{logical_id}.{name}", Unknown(f"{logical_id}.{name}"))

    def zones(self, region: str) -> Any:
        return [f"{region}a", f"{region}b", f"{region}c"]

    def imported(self, name: str) -> Any:
        return {"net-vpc": "vpc-imported"}.get(name, Unknown(f"export {name}"))

    def parameter(self, name: str) -> Any:
        return {"/ami": "ami-1", "/zones": "a,b"}.get(name, Unknown(f"parameter {name}"))

    def dynamic(self, service: str, key: str) -> Any:
        self.asked.append((service, key))
        return Sensitive(f"<{service}:{key}>")


def make_scope(**changes: Any) -> FoldScope:
    values: dict[str, Any] = {
        "parameters": {
            "Env": "dev",
            "Count": 3,
            "Names": ["a", "b", "c"],
            "Password": Sensitive("hunter2"),
            "Flag": "true",
        },
        "mappings": {"Regions": {"eu-central-1": {"Ami": "ami-1", "Zones": ["x", "y"]}}},
        "conditions": {"Yes": True, "No": False},
        "pseudo": pseudo_parameters(TARGET, "shop"),
        "resources": frozenset({"Vpc", "Bucket", "Db"}),
        "removed": frozenset({"Gone"}),
        **changes,
    }
    return FoldScope(**values)


def load(document: Mapping[str, Any], **parameters: Any) -> LoadedTemplate:
    return load_template(
        document,
        parameters=parameters,
        target=TARGET,
        plan_name="shop",
        locate=lambda place: ("web.cfn.yaml", 10 + len(place)),
    )


def problems_of(document: Mapping[str, Any], **parameters: Any) -> tuple[Problem, ...]:
    with pytest.raises(SourceError) as caught:
        load(document, **parameters)
    return caught.value.problems
