"""The first step: an expression with everything static evaluated.

``Folder`` walks a node of a template, knows where it is, and reports every problem instead of stopping at the first.
A node that can't be evaluated folds to ``Unknown``, which keeps one mistake from being reported twice.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from reconciler.model.values import PARAMETER, Deferred, Sensitive
from reconciler.schema.scalars import text
from reconciler.template.conditions import Conditions
from reconciler.template.dynamic import OPENING, split_references
from reconciler.template.evaluate import evaluate
from reconciler.template.functions import PURE, items_of
from reconciler.template.problems import INVALID, FunctionError, Place, Problems, did_you_mean, kind_of
from reconciler.template.resolving import resolve
from reconciler.template.scope import NO_VALUE, FoldScope

_SUB_VARIABLE = re.compile(r"\$\{([^{}]*)\}")
_SUB_NAME = re.compile(r"[A-Za-z0-9_.:]+")
_MAX_DEPTH = 100
_REFUSED_FUNCTIONS: Mapping[str, str] = {
    "Fn::ForEach": "it stands in Conditions, Resources, Outputs and the properties of resources",
    "Fn::GetStackOutput": "use Fn::ImportValue with another plan's output",
    "Fn::Transform": "give the template it makes",
}
_TEST_FUNCTIONS = ("Fn::Equals", "Fn::And", "Fn::Or", "Fn::Not")


def fold(node: Any, scope: FoldScope) -> Any:
    """``node`` with every intrinsic function evaluated that doesn't need live state; the rest become ``Deferred``.

    With ``scope.lookup`` those are resolved too. Folding twice changes nothing. Raises SourceError with every problem.
    """
    problems = Problems()
    result = Folder(scope, problems).fold(node, ())
    problems.raise_if_any()
    if scope.lookup is not None:
        result = resolve(result, scope.lookup)
    return None if result is NO_VALUE else result


class Folder:
    """Folds the nodes of one template in one scope; ``problems`` receives whatever is wrong."""

    def __init__(self, scope: FoldScope, problems: Problems) -> None:
        self.scope = scope
        self.problems = problems
        self._conditions = Conditions(self, problems)
        self._depth = 0
        #: inside a branch that Fn::If didn't choose: names are checked, values don't matter
        self._dead = 0
        #: where a parameter's value decides what the template is, so that it can't be left open
        self._deciding = 0
        self._functions: Mapping[str, Callable[[Any, Place], Any]] = {
            "Ref": self._ref,
            "Fn::GetAtt": self._get_att,
            "Fn::Sub": self._sub,
            "Fn::If": self._if,
            "Fn::FindInMap": self._find_in_map,
            "Fn::GetAZs": self._get_azs,
            "Fn::ImportValue": self._import_value,
            **{name: self._pure(name) for name in PURE},
            **{name: self._test(name) for name in _TEST_FUNCTIONS},
        }

    def fold(self, node: Any, place: Place) -> Any:
        """The folded form of ``node``; ``NO_VALUE`` if it stands for nothing."""
        if self._depth > _MAX_DEPTH:
            self.fail(place, f"nested more than {_MAX_DEPTH} levels deep")
            return INVALID
        self._depth += 1
        try:
            return self._fold(node, place)
        except FunctionError as error:
            if not self._dead:
                self.fail(place, str(error))
            return INVALID
        finally:
            self._depth -= 1

    def condition(self, node: Any, place: Place) -> bool | None:
        """The value of a condition; None if it is invalid, which has been reported then."""
        self._deciding += 1
        try:
            return self._conditions.value(node, place)
        finally:
            self._deciding -= 1

    def _decided(self, node: Any, place: Place) -> Any:
        """As ``fold``, for a node on whose value the template's form depends."""
        self._deciding += 1
        try:
            return self.fold(node, place)
        finally:
            self._deciding -= 1

    def fail(self, place: Place, message: str, suggestion: str = "", reason: str = "reference") -> None:
        """Report a problem at ``place``."""
        self.problems.add(place, message, suggestion, reason)

    def _fold(self, node: Any, place: Place) -> Any:
        if isinstance(node, Mapping):
            return self._mapping(node, place)
        if isinstance(node, list | tuple):
            items = (self.fold(item, (*place, index)) for index, item in enumerate(node))
            return [item for item in items if item is not NO_VALUE]
        if isinstance(node, str) and OPENING in node:
            return _with_references(node, secret=False)
        return node

    def _mapping(self, node: Mapping[str, Any], place: Place) -> Any:
        function = next((key for key in node if isinstance(key, str) and key.startswith("Fn::")), None)
        if len(node) == 1 and (function or "Ref" in node):
            name = function or "Ref"
            return self._call(name, node[name], (*place, name))
        if function is not None:
            raise FunctionError(f"{function} must be the only key of its mapping")
        folded = {key: self.fold(item, (*place, key)) for key, item in node.items()}
        return {key: item for key, item in folded.items() if item is not NO_VALUE}

    def _call(self, function: str, argument: Any, place: Place) -> Any:
        handler = self._functions.get(function)
        if handler is not None:
            return handler(argument, place)
        known = "::".join(function.split("::")[:2])
        if known in _REFUSED_FUNCTIONS:
            self.fail(place, f"{known} is not supported here", _REFUSED_FUNCTIONS[known], "unsupported")
        else:
            hint = did_you_mean(function, self._functions)
            self.fail(place, f"{function} is not an intrinsic function", hint)
        return INVALID

    # names

    def _ref(self, name: Any, place: Place) -> Any:
        if isinstance(name, Mapping):  # as the transform AWS::LanguageExtensions allows
            name = self._decided(name, place)
        if name is INVALID:
            return INVALID
        if not isinstance(name, str):
            raise FunctionError(f"Ref takes a name, but {kind_of(name)} was given")
        if name in self.scope.parameters:
            return self._parameter(name)
        if name in self.scope.pseudo:
            return self.scope.pseudo[name]
        return Deferred("Ref", name) if self._is_resource(name, place, "Ref") else INVALID

    def _parameter(self, name: str) -> Any:
        """A parameter's value may be a dynamic reference; a secret stays one however it is used."""
        value = self.scope.parameters[name]
        if self.scope.keep_parameters and not self._deciding and _is_plain(value):
            return Deferred(PARAMETER, name)
        if isinstance(value, Sensitive):
            return _with_references(value.value, secret=True) if isinstance(value.value, str) else value
        return _with_references(value, secret=False) if isinstance(value, str) else value

    def _is_resource(self, name: str, place: Place, function: str) -> bool:
        if name in self.scope.resources:
            return True
        if name in self.scope.removed:
            if not self._dead:
                self.fail(
                    place, f"{function} to {name}, which its condition leaves out", "use Fn::If with the same condition"
                )
            return bool(self._dead)
        known = self.scope.resources | self.scope.removed
        if function == "Ref":
            known |= self.scope.parameters.keys() | self.scope.pseudo.keys()
        what = "no parameter, pseudo parameter or resource" if function == "Ref" else "no resource"
        self.fail(place, f"{function} to {name!r}: there is {what} of that name", did_you_mean(name, known))
        return False

    def _get_att(self, argument: Any, place: Place) -> Any:
        if isinstance(argument, str):
            argument = argument.split(".", 1)
        if not isinstance(argument, list) or len(argument) < 2 or not isinstance(argument[0], str | Mapping):
            raise FunctionError("Fn::GetAtt takes a resource and an attribute: [Vpc, CidrBlock] or Vpc.CidrBlock")
        resource, *parts = (self._decided(part, (*place, index)) for index, part in enumerate(argument))
        if not all(isinstance(part, str) and part for part in (resource, *parts)):
            if INVALID in (resource, *parts):
                return INVALID
            raise FunctionError("Fn::GetAtt: both names must be known from the template itself")
        if not self._is_resource(resource, place, "Fn::GetAtt"):
            return INVALID
        return Deferred("Fn::GetAtt", [resource, ".".join(parts)])

    # functions

    def _pure(self, name: str) -> Callable[[Any, Place], Any]:
        def call(argument: Any, place: Place) -> Any:
            if name == "Fn::Base64" and self.scope.keep_parameters and not self._deciding:
                return Deferred(name, self.fold(argument, place))
            return self._evaluate(name, self.fold(argument, place))

        return call

    def _test(self, name: str) -> Callable[[Any, Place], Any]:
        def call(argument: Any, place: Place) -> Any:
            value = self.condition({name: argument}, place[:-1])
            return INVALID if value is None else value

        return call

    def _evaluate(self, function: str, argument: Any) -> Any:
        if argument is NO_VALUE:
            raise FunctionError(f"{function} can't take AWS::NoValue")
        return INVALID if _is_invalid(argument) else evaluate(function, argument, None)

    def _sub(self, argument: Any, place: Place) -> Any:
        pattern, variables = items_of(argument, "Fn::Sub", 2, 2) if isinstance(argument, list) else (argument, {})
        if not isinstance(pattern, str) or not isinstance(variables, Mapping):
            raise FunctionError("Fn::Sub takes a string, or a list of a string and a mapping of variables")
        values = {name: self.fold(value, (*place, 1, name)) for name, value in variables.items()}
        parts: list[Any] = []
        end = 0
        for match in _SUB_VARIABLE.finditer(pattern):
            parts += [pattern[end : match.start()], self._sub_variable(match.group(1), values, place)]
            end = match.end()
        parts.append(pattern[end:])
        return self._evaluate("Fn::Join", ["", [part for part in parts if part != ""]])

    def _sub_variable(self, name: str, values: Mapping[str, Any], place: Place) -> Any:
        name = name.strip()
        if name.startswith("!"):
            return "${" + name[1:] + "}"
        if not _SUB_NAME.fullmatch(name):
            self.fail(place, f"Fn::Sub: ${{{name}}} isn't a name", "write ${!…} for a literal ${…}")
            return INVALID
        if name in values:
            value = values[name]
        elif "." in name:
            value = self._get_att(name, place)
        else:
            value = self._ref(name, place)
        if isinstance(value, list | Mapping) or value is NO_VALUE:
            what = "nothing" if value is NO_VALUE else kind_of(value)
            raise FunctionError(f"Fn::Sub: ${{{name}}} is {what}; join lists with Fn::Join")
        return value

    def _if(self, argument: Any, place: Place) -> Any:
        name, if_true, if_false = items_of(argument, "Fn::If", 3, 3)
        if not isinstance(name, str):
            raise FunctionError("Fn::If: the first argument must be the name of a condition")
        chosen = self.condition({"Condition": name}, place)
        result = INVALID
        for index, branch in ((1, if_true), (2, if_false)):
            if chosen is (index == 1):
                result = self.fold(branch, (*place, index))
            else:
                self._dead += 1
                self.fold(branch, (*place, index))
                self._dead -= 1
        return result

    def _find_in_map(self, argument: Any, place: Place) -> Any:
        parts = items_of(argument, "Fn::FindInMap", 3, 4)
        keys = [self._decided(part, (*place, index)) for index, part in enumerate(parts[:3])]
        if _is_invalid(keys):
            return INVALID
        if not all(isinstance(key, str | int) for key in keys):
            raise FunctionError("Fn::FindInMap: the keys must be known from the template and its parameters")
        default = self._default(parts[3], (*place, 3)) if len(parts) == 4 else NO_VALUE
        found: Any = self.scope.mappings
        for key, what in zip((str(text(key)) for key in keys), ("mapping", "key", "key"), strict=True):
            if not isinstance(found, Mapping) or key not in found:
                if default is not NO_VALUE or self._dead:
                    return default if default is not NO_VALUE else INVALID
                names = found if isinstance(found, Mapping) else ()
                self.fail(place, f"Fn::FindInMap: there is no {what} {key!r}", did_you_mean(key, names))
                return INVALID
            found = found[key]
        return self.fold(found, place)

    def _default(self, node: Any, place: Place) -> Any:
        if not isinstance(node, Mapping) or set(node) != {"DefaultValue"}:
            raise FunctionError("Fn::FindInMap: the fourth argument must be {DefaultValue: …}")
        return self.fold(node["DefaultValue"], (*place, "DefaultValue"))

    def _get_azs(self, argument: Any, place: Place) -> Any:
        region = self._decided(argument, place)
        return self._evaluate("Fn::GetAZs", self.scope.pseudo.get("AWS::Region", "") if region == "" else region)

    def _import_value(self, argument: Any, place: Place) -> Any:
        name = self._decided(argument, place)
        if isinstance(name, list | Mapping):
            raise FunctionError(f"Fn::ImportValue takes the name of an export, but {kind_of(name)} was given")
        return self._evaluate("Fn::ImportValue", name)


def _with_references(value: str, *, secret: bool) -> Any:
    """Text with its dynamic references deferred; the rest of a secret text stays secret."""
    parts = split_references(value) if OPENING in value else [value]
    if secret:
        parts = [Sensitive(part) if isinstance(part, str) else part for part in parts]
    return parts[0] if len(parts) == 1 else evaluate("Fn::Join", ["", parts], None, 0)


def _is_plain(value: Any) -> bool:
    """Whether a parameter's value is neither secret nor invalid and holds no dynamic reference."""
    parts = value if isinstance(value, list) else [value]
    return all(isinstance(part, str | int | float) and OPENING not in str(part) for part in parts)


def _is_invalid(value: Any) -> bool:
    if isinstance(value, Mapping):
        return any(_is_invalid(item) for item in value.values())
    if isinstance(value, list):
        return any(_is_invalid(item) for item in value)
    return value is INVALID
