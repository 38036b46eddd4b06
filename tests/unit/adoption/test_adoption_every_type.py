"""Every type that there is a schema for: what AWS may show of it becomes a plan that wants just that.

A sample of the types by default, all of them with RECONCILER_CORPUS=full.
"""

from __future__ import annotations

import os
from typing import Any

import pytest

from reconciler.adoption.document import Head, plan_text
from reconciler.adoption.found import Draft
from reconciler.adoption.properties import plan_properties
from reconciler.adoption.references import with_references
from reconciler.live.compare import compare
from reconciler.model.ids import Identifier, LogicalId, TypeName
from reconciler.model.plan import Target
from reconciler.model.resource import Observation
from reconciler.model.secrecy import forget_all
from reconciler.schema import known_types, schema_for
from reconciler.source.document import Limits
from reconciler.source.yamltext import read_yaml
from tests.unit.schema.generated import Maker

REGION = "us-east-1"
HEAD = Head("every", "alice@example.com", Target("sandbox", "111111111111", REGION), "a test")
TYPES = sorted(known_types(REGION))
CHOSEN = TYPES if os.environ.get("RECONCILER_CORPUS") == "full" else TYPES[::9]


@pytest.mark.parametrize("type_name", CHOSEN)
def test_what_is_shown_is_what_the_plan_wants(type_name: str) -> None:
    forget_all()  # the values made for other types may have been secrets there
    schema = schema_for(type_name, REGION)
    assert schema is not None
    shown: dict[str, Any] = {
        **Maker(schema, 1).properties(),
        **{path[0]: f"of-aws-{path[0]}" for path in schema.read_only if len(path) == 1},
    }
    properties, gaps = plan_properties(schema, schema.settable, shown)
    assert compare(schema, properties, shown) == ()
    assert not any((name,) in schema.read_only for name in properties)
    # Nothing got lost: what was shown is in the plan, at the schema's default, or named as a gap.
    told = {gap.pointer.split("/")[1] for gap in gaps}
    told |= {"AvailabilityZoneId"} if type_name == "AWS::EC2::Subnet" else set()  # the zone says it
    rest = {name: value for name, value in shown.items() if name not in told and (name,) not in schema.read_only}
    assert compare(schema, rest, properties) == ()
    name = LogicalId("Thing")
    draft = Draft(name, TypeName(type_name), Identifier("one"), properties, gaps)
    (referring,) = with_references([draft], {name: Observation(draft.identifier, shown)}, REGION)
    assert referring.properties == properties  # nothing refers to itself
    written = read_yaml(plan_text(HEAD, [referring]), "plan", Limits())[0].data
    assert written["spec"]["resources"]["Thing"].get("Properties", {}) == properties
