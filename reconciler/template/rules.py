"""The ``Rules`` section: assertions on the parameters, which have to hold before anything is made.

A function is true, false or not known: an ``Unknown`` says why. Some ask AWS for what an account holds; CloudFormation
does that before a stack operation, nobody does here. What isn't known keeps the plan out, unless the outcome is the
same either way, or the CDK only asserts that its bootstrap stack is new enough: every template that it makes does, and
means `cdk deploy`, which carries out no plan of resources.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from reconciler.model.values import Deferred, Unknown, leaves, reveal, transform
from reconciler.schema.scalars import text
from reconciler.template.dynamic import STORED
from reconciler.template.folding import Folder
from reconciler.template.functions import items_of
from reconciler.template.problems import INVALID, FunctionError, Place, Problems, did_you_mean, kind_of
from reconciler.template.scope import NO_VALUE

Truth = bool | Unknown
_KEYS = frozenset({"Assertions", "RuleCondition"})
_ASSERTION_KEYS = frozenset({"Assert", "AssertDescription"})
#: what AWS is asked for, and what by
_ASKED: Mapping[str, str] = {
    "Fn::RefAll": "all values of a parameter type in the account",
    "Fn::ValueOf": "an attribute of what a parameter names",
    "Fn::ValueOfAll": "an attribute of everything of a parameter type",
}
_TESTS = ("Fn::And", "Fn::Contains", "Fn::EachMemberEquals", "Fn::EachMemberIn", "Fn::Equals", "Fn::Not", "Fn::Or")
#: where the version of the CDK's bootstrap stack is looked up, and what is known of it: nobody here needs it
_BOOTSTRAP_VERSION = re.compile(r"/cdk-bootstrap/[^/]+/version")
_BOOTSTRAP = Unknown("the version of the CDK's bootstrap stack")
_HELP = "check it with AllowedValues or AllowedPattern, or deliver the template as a stack (spec.stack)"


def check_rules(section: Mapping[str, Any], folder: Folder, problems: Problems) -> None:
    """Report every assertion that doesn't hold with the parameters in force, or of which that can't be told."""
    rules = _Rules(folder, problems)
    for name, node in section.items():
        place: Place = ("Rules", name)
        if not isinstance(node, Mapping):
            problems.add(place, f"rule {name} must be a mapping, not {kind_of(node)}")
            continue
        for key in node.keys() - _KEYS:
            problems.add((*place, key), f"{key} is not part of a rule", did_you_mean(str(key), _KEYS))
        rules.check(str(name), node, place)


class _Rules:
    """Evaluates rules; ``folder`` evaluates the values that they compare."""

    def __init__(self, folder: Folder, problems: Problems) -> None:
        self._folder, self._problems = folder, problems
        self._tests: Mapping[str, Callable[[str, Any, Place], Truth]] = {
            "Condition": self._condition,
            "Fn::And": self._several,
            "Fn::Contains": self._contains,
            "Fn::EachMemberEquals": self._each_equals,
            "Fn::EachMemberIn": self._each_in,
            "Fn::Equals": self._equals,
            "Fn::Not": self._not,
            "Fn::Or": self._several,
        }

    def check(self, name: str, node: Mapping[str, Any], place: Place) -> None:
        """Report what is wrong with a rule, and which of its assertions don't hold."""
        applies: Truth = True
        if "RuleCondition" in node:
            applies = self.truth(node["RuleCondition"], (*place, "RuleCondition"))
        assertions = node.get("Assertions")
        if not isinstance(assertions, list) or not assertions:
            self._problems.add(place, f"rule {name} needs Assertions, a list of at least one")
            return
        for index, assertion in enumerate(assertions):
            where: Place = (*place, "Assertions", index)
            if not isinstance(assertion, Mapping) or not {"Assert"} <= assertion.keys() <= _ASSERTION_KEYS:
                self._problems.add(where, "an assertion has an Assert, an AssertDescription and nothing else")
                continue
            holds = self.truth(assertion["Assert"], (*where, "Assert"))
            self._judge(name, str(assertion.get("AssertDescription") or ""), _any([_negated(applies), holds]), where)

    def _judge(self, name: str, description: str, fine: Truth, place: Place) -> None:
        if fine is False:
            said = description or "an assertion doesn't hold with these parameters"
            self._problems.add(place, f"rule {name}: {said}", "give other parameters", "rule")
        elif isinstance(fine, Unknown) and fine not in (INVALID, _BOOTSTRAP):
            said = f" ({description})" if description else ""
            message = f"rule {name}: whether an assertion holds{said} isn't known here: {fine.expression}"
            self._problems.add(place, message, _HELP, "unsupported")

    def truth(self, node: Any, place: Place) -> Truth:
        """Whether a condition holds; ``INVALID`` for one that makes no sense, which is reported."""
        try:
            return self._truth(node, place)
        except FunctionError as error:
            self._problems.add(place, str(error), reason="reference")
            return INVALID

    def _truth(self, node: Any, place: Place) -> Truth:
        if not isinstance(node, Mapping) or len(node) != 1:
            raise FunctionError(f"a rule's condition must be one of {', '.join(_TESTS)}")
        function, argument = next(iter(node.items()))
        if function not in self._tests:
            hint = did_you_mean(str(function), self._tests)
            self._problems.add(place, f"{function} is no condition of a rule", hint, "reference")
            return INVALID
        return self._tests[function](function, argument, (*place, function))

    def _condition(self, function: str, argument: Any, place: Place) -> Truth:
        found = self._folder.condition({function: argument}, place[:-1])
        return INVALID if found is None else found

    def _not(self, function: str, argument: Any, place: Place) -> Truth:
        return _negated(self.truth(items_of(argument, function, 1, 1)[0], (*place, 0)))

    def _several(self, function: str, argument: Any, place: Place) -> Truth:
        parts = [self.truth(part, (*place, index)) for index, part in enumerate(items_of(argument, function, 2, 10))]
        return _any(parts) if function == "Fn::Or" else _all(parts)

    def _equals(self, function: str, argument: Any, place: Place) -> Truth:
        left, right = self._values(function, argument, place)
        return _unknown([left, right]) or left == right

    def _contains(self, function: str, argument: Any, place: Place) -> Truth:
        values, value = self._values(function, argument, place)
        return _any([_same(one, _one(value, function)) for one in _many(values, function)])

    def _each_equals(self, function: str, argument: Any, place: Place) -> Truth:
        values, value = self._values(function, argument, place)
        return _each([_same(one, _one(value, function)) for one in _many(values, function)])

    def _each_in(self, function: str, argument: Any, place: Place) -> Truth:
        checked, allowed = (_many(values, function) for values in self._values(function, argument, place))
        return _each([_any([_same(one, other) for other in allowed]) for one in checked])

    def _values(self, function: str, argument: Any, place: Place) -> list[Any]:
        parts = items_of(argument, function, 2, 2)
        return [self._value(part, (*place, index)) for index, part in enumerate(parts)]

    def _value(self, node: Any, place: Place) -> Any:
        """A literal, a list of such, or what a parameter holds, as CloudFormation passes it on: as strings."""
        if isinstance(node, list):
            return [self._value(item, (*place, index)) for index, item in enumerate(node)]
        if not isinstance(node, Mapping):
            return text(node)
        function, argument = next(iter(node.items())) if len(node) == 1 else ("", None)
        if function in _ASKED:
            return Unknown(f"{function} asks AWS for {_ASKED[function]}")
        if function in self._tests:
            truth = self._truth(node, place)
            return truth if isinstance(truth, Unknown) else text(truth)
        if function != "Ref":
            what = f"not {function}" if function else "not a mapping"
            raise FunctionError(f"a rule compares texts, lists, Ref and the functions of rules, {what}")
        return self._referred(argument, (*place, function))

    def _referred(self, name: Any, place: Place) -> Any:
        scope = self._folder.scope
        if name not in scope.parameters and name not in scope.pseudo:
            known = [*scope.parameters, *scope.pseudo]
            self._problems.add(
                place,
                f"a rule can refer to parameters only; there is none named {name!r}",
                did_you_mean(name, known),
                "reference",
            )
            return INVALID
        value = self._folder.fold({"Ref": name}, place[:-1])
        if value is NO_VALUE:
            raise FunctionError("a rule can't compare AWS::NoValue")
        if isinstance(value, Deferred) and value.function == STORED and _BOOTSTRAP_VERSION.fullmatch(value.argument):
            return _BOOTSTRAP
        if any(isinstance(leaf, Deferred) for leaf in leaves(value)):
            return Unknown(f"parameter {name} is looked up in AWS")
        return transform(reveal(value), text)


def _many(values: Any, function: str) -> list[Any]:
    """A list; one of which nothing is known has one member of which nothing is known."""
    if isinstance(values, Unknown):
        return [values]
    if not isinstance(values, list):
        raise FunctionError(f"{function}: a list is needed, but {kind_of(values)} was given")
    return values


def _one(value: Any, function: str) -> Any:
    if isinstance(value, list):
        raise FunctionError(f"{function}: a string is needed, but {kind_of(value)} was given")
    return value


def _same(left: Any, right: Any) -> Truth:
    return _unknown([left, right]) or left == right


def _unknown(values: list[Any]) -> Unknown | None:
    """What isn't known among values; what makes no sense before what only can't be told, and what matters at all."""
    found = [leaf for leaf in leaves(values) if isinstance(leaf, Unknown)]
    return INVALID if INVALID in found else min(found, key=lambda one: one == _BOOTSTRAP, default=None)


def _negated(truth: Truth) -> Truth:
    return truth if isinstance(truth, Unknown) else not truth


def _any(truths: list[Truth]) -> Truth:
    return True if True in truths else _unknown(truths) or False


def _all(truths: list[Truth]) -> Truth:
    return _negated(_any([_negated(truth) for truth in truths]))


def _each(truths: list[Truth]) -> Truth:
    """What holds for every member; AWS doesn't say what holds for the members of an empty list."""
    return _all(truths) if truths else Unknown("AWS doesn't say what holds for each member of an empty list")
