"""Condition functions: ``Fn::Equals``, ``Fn::And``, ``Fn::Or``, ``Fn::Not`` and references to conditions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from reconciler.model.values import Deferred, Unknown, leaves, reveal, transform
from reconciler.schema.scalars import text
from reconciler.template.functions import items_of
from reconciler.template.problems import FunctionError, Place, Problems, did_you_mean
from reconciler.template.scope import NO_VALUE

if TYPE_CHECKING:  # the two modules evaluate each other's nodes
    from reconciler.template.folding import Folder


class Conditions:
    """Evaluates conditions; ``folder`` evaluates the values that they compare."""

    def __init__(self, folder: Folder, problems: Problems) -> None:
        self._folder = folder
        self._problems = problems

    def value(self, node: Any, place: Place) -> bool | None:
        """True or false, or None for an invalid condition, which is reported."""
        try:
            return self._value(node, place)
        except FunctionError as error:
            self._problems.add(place, str(error), reason="reference")
            return None

    def _value(self, node: Any, place: Place) -> bool | None:
        if not isinstance(node, Mapping) or len(node) != 1:
            raise FunctionError("a condition must be one of Fn::Equals, Fn::And, Fn::Or, Fn::Not, Condition")
        function, argument = next(iter(node.items()))
        if function == "Condition":
            return self._named(argument, place)
        if function == "Fn::Equals":
            return self._equals(argument, (*place, function))
        if function == "Fn::Not":
            inner = self.value(items_of(argument, function, 1, 1)[0], (*place, function, 0))
            return None if inner is None else not inner
        if function in ("Fn::And", "Fn::Or"):
            return self._several(function, argument, (*place, function))
        hint = did_you_mean(str(function), ("Fn::Equals", "Fn::And", "Fn::Or", "Fn::Not", "Condition"))
        self._problems.add(place, f"{function} is not a condition function", hint, "reference")
        return None

    def _named(self, name: Any, place: Place) -> bool | None:
        conditions = self._folder.scope.conditions
        if isinstance(name, str) and name in conditions:
            return conditions[name]
        self._problems.add(place, f"there is no condition {name!r}", did_you_mean(str(name), conditions), "reference")
        return None

    def _several(self, function: str, argument: Any, place: Place) -> bool | None:
        parts = items_of(argument, function, 2, 10)
        values = [self.value(part, (*place, index)) for index, part in enumerate(parts)]
        if None in values:
            return None
        return all(values) if function == "Fn::And" else any(values)

    def _equals(self, argument: Any, place: Place) -> bool | None:
        parts = items_of(argument, "Fn::Equals", 2, 2)
        left, right = (self._folder.fold(part, (*place, index)) for index, part in enumerate(parts))
        found = [*leaves(left), *leaves(right)]
        if any(isinstance(leaf, Unknown) for leaf in found):
            return None
        if any(isinstance(leaf, Deferred) for leaf in found):
            raise FunctionError("a condition can't depend on a resource or on a value looked up in AWS")
        if left is NO_VALUE or right is NO_VALUE:
            return left is right
        return bool(_comparable(left) == _comparable(right))


def _comparable(value: Any) -> Any:
    """Values compare as CloudFormation passes them on: as strings."""
    return transform(reveal(value), text)
