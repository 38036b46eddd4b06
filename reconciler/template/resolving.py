"""The second step: the deferred parts of an expression, once live state is at hand."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from reconciler.model.errors import Problem, SourceError
from reconciler.model.ids import LogicalId
from reconciler.model.values import MAPPINGS, PARAMETER, PLAIN, Deferred, nodes
from reconciler.template.evaluate import evaluate, opened_in
from reconciler.template.problems import FunctionError
from reconciler.template.scope import Lookup


def resolve(expression: Any, lookup: Lookup) -> Any:
    """A folded expression with every Deferred node evaluated; what isn't known yet is ``Unknown``.

    Lists and mappings keep their known parts; a string made of parts is unknown as a whole if one of them is.
    Raises SourceError when live values don't suit a function (``Fn::Select`` out of range).
    """
    try:
        return _resolve(expression, lookup)
    except FunctionError as error:
        raise SourceError((Problem(str(error), reason="reference"),)) from error


def _resolve(expression: Any, lookup: Lookup) -> Any:
    if isinstance(expression, PLAIN):
        return expression
    if isinstance(expression, MAPPINGS):
        return {key: item if isinstance(item, PLAIN) else _resolve(item, lookup) for key, item in expression.items()}
    if isinstance(expression, list):
        return [_resolve(item, lookup) for item in expression]
    if isinstance(expression, Deferred):
        opened = opened_in(expression.argument) if expression.function == "Fn::Join" else None
        return evaluate(expression.function, _resolve(expression.argument, lookup), lookup, opened)
    return expression


def with_parameters(expression: Any, values: Mapping[str, Any]) -> Any:
    """An expression that was folded with its parameters left open, as it is folded with these values of them.

    Raises SourceError where a value doesn't suit a function.
    """
    try:
        return _with_parameters(expression, values)
    except FunctionError as error:
        raise SourceError((Problem(str(error), reason="reference"),)) from error


def _with_parameters(expression: Any, values: Mapping[str, Any]) -> Any:
    if isinstance(expression, Deferred):
        if expression.function == PARAMETER:
            return values[expression.argument]
        return evaluate(expression.function, _with_parameters(expression.argument, values), None)
    if isinstance(expression, Mapping):
        return {key: _with_parameters(item, values) for key, item in expression.items()}
    if isinstance(expression, list | tuple):
        return [_with_parameters(item, values) for item in expression]
    return expression


def references(expression: Any) -> frozenset[LogicalId]:
    """The resources that a folded expression depends on."""
    found: set[LogicalId] = set()
    for node in nodes(expression):
        if node.function == "Ref":
            found.add(LogicalId(node.argument))
        elif node.function == "Fn::GetAtt":
            found.add(LogicalId(node.argument[0]))
    return frozenset(found)
