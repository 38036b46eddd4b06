"""Every type that has handlers, by resources made up from its schema, through the whole cycle and the API in memory.

A sample by default; with RECONCILER_CORPUS=full all of them (about two minutes).
"""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Any

import pytest

from reconciler.live import compare
from reconciler.model.plan import Plan
from reconciler.schema import TypeSchema, canonical, identifier_of, known_types, schema_for
from reconciler.schema.data import read_schema, type_index
from reconciler.source.lint import Linter
from tests.contract.cloudcontrol.rig import REGION, Rig, plan_of
from tests.schemas.generator import minimal, value

FULL = os.environ.get("RECONCILER_CORPUS") == "full"
#: Only means something inside a stack, whatever handlers it has.
_NOT_A_RESOURCE = {"AWS::CloudFormation::Stack"}
#: Nested identifiers, no update handler, tags as a map, a list that must be narrowed, nested write-only properties.
_ODD = {
    "AWS::QuickSight::RefreshSchedule", "AWS::Glue::SecurityConfiguration", "AWS::Pipes::Pipe",
    "AWS::ApiGateway::Model", "AWS::Synthetics::Canary", "AWS::AppStream::DirectoryConfig", "AWS::RDS::DBCluster",
    "AWS::Lambda::Function",
}  # fmt: skip
TYPES = sorted(
    name
    for name in known_types()
    if name not in _NOT_A_RESOURCE and (schema := schema_for(name)) is not None and schema.manageable
)
CHOSEN = TYPES if FULL else sorted({*TYPES[::13], *_ODD})
_SCALARS = ("string", "integer", "number", "boolean")


def schema_of(name: str) -> TypeSchema:
    schema = schema_for(name)
    assert schema is not None
    return schema


@lru_cache(maxsize=4096)
def made_up(name: str) -> str:
    """A type's smallest resource, as JSON so that nobody changes it for others."""
    return json.dumps(minimal(schema_of(name)))


def raw(name: str) -> Mapping[str, Any]:
    """The schema as it is packaged."""
    return read_schema(type_index(REGION)[name])


@dataclass
class Tally:
    """What went wrong, by type and stage, and how often each stage was reached."""

    wrong: dict[str, str] = field(default_factory=dict)
    reached: Counter[str] = field(default_factory=Counter)

    def expect(self, name: str, stage: str, right: bool, facts: Callable[[], Any]) -> bool:
        self.reached[stage] += 1
        if not right:
            self.wrong[f"{name} {stage}"] = str(facts())[:500]
        return right


def plan_for(name: str, properties: Mapping[str, Any], *, absent: bool = False) -> Plan:
    resource = {"Type": name, "Properties": properties, "DeletionPolicy": "Delete", "UpdateReplacePolicy": "Delete"}
    return replace(plan_of({"Thing": resource}), absent=absent)


def pointers(name: str, key: str) -> list[tuple[str, ...]]:
    return [tuple(text.removeprefix("/properties/").split("/")) for text in raw(name).get(key, ())]


def simple(schema: TypeSchema, name: str) -> bool:
    """Whether a property is a scalar that AWS leaves as it is.

    With others, what is empty or defaulted inside counts as the same, and a transform may make two values one.
    """
    if f"/properties/{name}" in schema.document.get("propertyTransform", ()):
        return False
    return (schema.node((name,)) or {}).get("type") in _SCALARS


def others(schema: TypeSchema, name: str, live: Any) -> list[Any]:
    """Values for a property that differ from what is live and from each other."""
    found = [live]
    for seed in range(4):
        candidate = value(schema, (name,), seed)
        if all(canonical(schema, (name,), candidate) != canonical(schema, (name,), one) for one in found):
            found.append(candidate)
    return found[1:]


class Life:
    """One resource of a type through its life: made, left alone, changed, drifted, replaced, removed."""

    def __init__(self, name: str, tally: Tally, polls: int) -> None:
        self.name, self.tally, self.schema, self.rig = name, tally, schema_of(name), Rig(polls)
        self.properties: dict[str, Any] = json.loads(made_up(name))

    def run(self) -> None:
        if not (self._made() and self._again("second pass")):
            return
        if "update" in raw(self.name)["handlers"]:
            self._changed()
        self._replaced()
        report = self.rig.run(plan_for(self.name, self.properties, absent=True))
        self._expect("absent", not self.rig.api.resources, report)

    def _made(self) -> bool:
        report = self.rig.run(plan_for(self.name, self.properties))
        return self._expect("made", report.state == "in_sync" and self._verbs() == ["CREATE"], report)

    def _again(self, stage: str) -> bool:
        report = self.rig.run(plan_for(self.name, self.properties))
        return self._expect(stage, report.state == "in_sync" and not self._verbs(), report)

    def _changed(self) -> None:
        name = next((name for name in sorted(self.schema.settable) if self._changeable(name)), None)
        if name is None:
            return
        first, *rest = others(self.schema, name, self._live().get(name))
        self.properties[name] = first
        report = self.rig.run(plan_for(self.name, self.properties))
        right = report.state == "in_sync" and self._verbs() == ["UPDATE"] and self._live()[name] == first
        if not self._expect(f"changed {name}", right, report) or not self._again("after the change"):
            return
        seeds = (value(self.schema, (name,), seed) for seed in range(4))
        other = (one for one in seeds if canonical(self.schema, (name,), one) != canonical(self.schema, (name,), first))
        self._live()[name] = next(one for one in (*rest, *other))
        report = self.rig.run(plan_for(self.name, self.properties))
        right = report.state == "in_sync" and self._verbs() == ["UPDATE"] and self._live()[name] == first
        self._expect(f"drifted {name}", right, report)

    def _replaced(self) -> None:
        name = next((name for name in sorted(self.schema.settable) if self._fixed(name)), None)
        if name is None:
            return
        self.properties[name] = others(self.schema, name, self._live().get(name))[0]
        report = self.rig.run(plan_for(self.name, self.properties))
        right = report.state == "in_sync" and sorted(self._verbs()) == ["CREATE", "DELETE"]
        if self._expect(f"replaced for {name}", right and len(self.rig.api.resources) == 1, report):
            self._again("after the replacement")

    def _changeable(self, name: str) -> bool:
        kept = {*pointers(self.name, "createOnlyProperties"), *pointers(self.name, "conditionalCreateOnlyProperties")}
        kept |= {*pointers(self.name, "writeOnlyProperties"), (self.schema.tag_property or "", "")}
        return self._usable(name) and not any(path[0] == name for path in kept)

    def _fixed(self, name: str) -> bool:
        hidden = (name,) in pointers(self.name, "writeOnlyProperties")
        return self._usable(name) and not hidden and (name,) in pointers(self.name, "createOnlyProperties")

    def _usable(self, name: str) -> bool:
        live = self._live().get(name)
        enough = bool(others(self.schema, name, live)) and len(others(self.schema, name, None)) > 1
        return simple(self.schema, name) and enough

    def _live(self) -> dict[str, Any]:
        (model,) = self.rig.api.of(self.name).values()
        return model

    def _verbs(self) -> list[str]:
        return [verb for verb, _type, _identifier in self.rig.api.log]

    def _expect(self, stage: str, right: bool, report: Any) -> bool:
        def facts() -> Any:
            return report.state, self._verbs(), report.message, [step.error for step in report.steps if step.error]

        return self.tally.expect(self.name, stage, right, facts)


def test_every_type_lives_its_life() -> None:
    tally = Tally()
    for number, name in enumerate(CHOSEN):
        Life(name, tally, polls=number % 3).run()
    kinds = Counter[str]()
    for stage, times in tally.reached.items():
        kinds[stage.partition(" for ")[0].split(" ")[0]] += times
    print(f"{len(CHOSEN)} types: {dict(kinds)}; wrong: {len(tally.wrong)}")
    assert not tally.wrong
    assert kinds["absent"] == len(CHOSEN)
    assert kinds["changed"] > len(CHOSEN) / 2
    assert kinds["replaced"] > len(CHOSEN) / 3


def test_identifiers_are_what_properties_spell_out() -> None:
    tally, spelled = Tally(), 0
    for name in CHOSEN:
        rig, properties = Rig(), json.loads(made_up(name))
        rig.run(plan_for(name, properties))
        ((identifier, model),) = rig.api.of(name).items()
        keys = [path.removeprefix("/properties/").split("/") for path in raw(name)["primaryIdentifier"]]
        parts = []
        for key in keys:
            found: Any = model
            for step in key:
                found = found[step]
            parts.append(str(found))
        tally.expect(name, "identifier", identifier == "|".join(parts), lambda i=identifier, p=parts: (i, p))
        own = identifier_of(schema_of(name), properties)
        spelled += own is not None
        tally.expect(name, "spelled out", own in (None, identifier), lambda o=own, i=identifier: (o, i))
    assert not tally.wrong
    assert spelled > len(CHOSEN) / 6


def forcing(name: str, prop: str) -> bool | None:
    """By the raw schema, whether a change of a property replaces the resource; None where it depends on the part."""
    if "update" not in raw(name)["handlers"]:
        return True
    touching = [path for path in pointers(name, "createOnlyProperties") if path[0] == prop]
    if not touching:
        return False
    return True if (prop,) in touching else None


def test_replacement_flags_follow_create_only_properties() -> None:
    tally, seen = Tally(), Counter[bool]()
    for name in CHOSEN:
        schema = schema_of(name)
        for prop in sorted(schema.settable):
            expected = forcing(name, prop)
            if not simple(schema, prop) or expected is None or schema.is_secret((prop,)):
                continue
            pair = [value(schema, (prop,)), value(schema, (prop,), 1)]
            if canonical(schema, (prop,), pair[0]) == canonical(schema, (prop,), pair[1]):
                continue
            fields = compare(schema, {prop: pair[0]}, {prop: pair[1]}, {prop: pair[0]})
            flags = {change.forces_replacement for change in fields}
            seen[expected] += 1
            tally.expect(name, prop, flags == {expected}, lambda f=fields, e=expected: (f, e))
    print(f"replacement flags: {dict(seen)}")
    assert not tally.wrong
    assert min(seen[True], seen[False]) > len(CHOSEN) / 2


@pytest.mark.timeout(900)
def test_validation_takes_whatever_a_schema_allows_without_a_crash() -> None:
    """The rules of cfn-lint know more than the schemas, so that made-up values may be refused; but in plain words."""
    linter, refused = Linter(), 0
    names = CHOSEN if FULL else CHOSEN[::6]
    for start in range(0, len(names), 40):
        chunk = names[start : start + 40]
        resources = {f"R{n}": {"Type": name, "Properties": json.loads(made_up(name))} for n, name in enumerate(chunk)}
        found = linter.check({"Resources": resources}, REGION)
        assert not [one for one in found if one.rule in ("engine", "region")], found
        refused += len({one.place[1] for one in found if len(one.place) > 1})
    print(f"cfn-lint: {len(names)} types, {refused} with findings")
    assert refused < len(names) / 3
