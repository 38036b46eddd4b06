"""What depends on a parameter, kept as an expression, has to be another way to write the value: in every template."""

from __future__ import annotations

from reconciler.model.values import PARAMETER, Deferred, leaves
from reconciler.template import with_parameters
from tests.corpus.loader import entries


def test_expressions_of_parameters_fold_to_the_values() -> None:
    kept = 0
    for entry in entries():
        if entry.changes is None:
            continue
        plan = entry.changes.plan
        values = {parameter.name: parameter.value for parameter in plan.parameters}
        for item in plan.resources.values():
            folded = [leaf for leaf in leaves(item.properties) if isinstance(leaf, Deferred)]
            assert all(leaf.function != PARAMETER for leaf in folded), entry.name
            if item.written is not None:
                kept += 1
                assert with_parameters(item.written, values) == item.properties, f"{entry.name} {item.logical_id}"
        for output in plan.outputs:
            if output.written is not None:
                assert with_parameters(output.written, values) == output.value, f"{entry.name} {output.name}"
    assert kept > 80
