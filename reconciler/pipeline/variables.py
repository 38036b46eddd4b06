"""What the rendered files leave open: secrets, and values that only the deploying pipeline knows.

A secret is never written. Where one stands, the files name a variable (Terraform) or a parameter (CloudFormation).
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from enum import Enum
from typing import Any, Final

from reconciler.model.change import ChangeSet
from reconciler.model.errors import PipelineError
from reconciler.model.plan import Constraints, Parameter, Plan
from reconciler.model.values import Sensitive
from reconciler.pipeline.files import Place
from reconciler.pipeline.naming import attribute_name
from reconciler.pipeline.secrettexts import SHORTEST_SECRET, secret_texts


class _Absent(Enum):
    ABSENT = "absent"


#: No default: whoever deploys has to give a value.
ABSENT: Final = _Absent.ABSENT


@dataclass(frozen=True, slots=True)
class Variable:
    """One open value. ``name`` is alphanumeric, ``type`` a CloudFormation parameter type."""

    name: str
    type: str
    description: str
    sensitive: bool = False
    default: Any = ABSENT
    constraints: Constraints = Constraints()


class Variables:
    """Collects the open values of one plan while its expressions are rendered."""

    def __init__(self, plan: Plan) -> None:
        self._secrets = tuple(parameter for parameter in plan.parameters if isinstance(parameter.value, Sensitive))
        self._reserved = {parameter.name for parameter in plan.parameters}
        self._found: dict[str, Variable] = {}
        self._parameters = {parameter.name: parameter for parameter in plan.parameters}

    def found(self) -> tuple[Variable, ...]:
        """Everything collected so far, by name."""
        return tuple(self._found[name] for name in sorted(self._found))

    def mark(self) -> dict[str, Variable]:
        """What has been collected so far, to go back to when an attempt fails."""
        return dict(self._found)

    def back(self, mark: dict[str, Variable]) -> None:
        """Forget what was collected since ``mark``."""
        self._found = mark

    def parameter(self, name: str, *, secret: bool = False) -> Variable:
        """The variable of a parameter; without its value where that stands for a ``secret``."""
        variable = parameter_variable(self._parameters[name])
        if secret:
            variable = replace(variable, sensitive=True, default=ABSENT)
        known = self._found.get(name)
        if known is None or secret:
            self._found[name] = variable
        return self._found[name]

    def secret(self, value: Any, place: Place) -> Variable:
        """The variable for a secret: the NoEcho parameter it comes from, or one named for the property it stands in."""
        parameter = self._origin(value)
        if parameter is not None:
            return self._add(parameter_variable(parameter))
        kind = "Number" if isinstance(value, int | float) and not isinstance(value, bool) else "String"
        return self.named(f"{place.root}-{'-'.join(place.path)}", f"Secret value of {place}", kind=kind)

    def named(self, words: str, description: str, *, kind: str = "String", sensitive: bool = True) -> Variable:
        """A variable for something else the files can't hold, named from ``words``."""
        name = "".join(part[:1].upper() + part[1:] for part in re.split(r"[^A-Za-z0-9]+", words) if part)
        while self._taken(name, description):
            name += "X"
        return self._add(Variable(name, kind, description, sensitive))

    def _taken(self, name: str, description: str) -> bool:
        """Whether another value has the name, in CloudFormation's spelling or in Terraform's (``SsmAB``, ``SsmAb``)."""
        label = attribute_name(name)
        others = [other.name for other in self._found.values() if other.description != description]
        return any(label == attribute_name(other) for other in [*others, *self._reserved])

    def _add(self, variable: Variable) -> Variable:
        return self._found.setdefault(variable.name, variable)

    def _origin(self, value: Any) -> Parameter | None:
        for parameter in self._secrets:
            if parameter.value.reveal() is value:
                return parameter
        equal = [parameter for parameter in self._secrets if parameter.value.reveal() == value]
        return equal[0] if len(equal) == 1 else None


def parameter_variable(parameter: Parameter) -> Variable:
    """A plan's parameter as a variable: with its value as default, unless that is a secret."""
    secret = parameter.no_echo or isinstance(parameter.value, Sensitive)
    default = ABSENT if secret else parameter.value
    return Variable(parameter.name, parameter.type, parameter.description, secret, default, parameter.constraints)


def refuse_secrets(changes: ChangeSet, texts: Iterable[tuple[str, str]]) -> None:
    """The last line of defence: raise PipelineError if a (name, text) holds a secret of the change set."""
    needles = {form for secret in secret_texts(changes) for form in _forms(secret)}
    for name, text in texts:
        haystacks = (text, _squashed(text))
        if any(needle in haystack for needle in needles for haystack in haystacks):
            error = PipelineError(
                f"{name} of plan {changes.plan.name} would hold a secret: nothing was published. "
                "A property repeats the value of a NoEcho parameter or a write-only property; refer to it instead"
            )
            error.retryable = False
            raise error


def _forms(secret: str) -> Iterator[str]:
    """What a secret looks like in a file: as it is, escaped, line by line, or with its punctuation changed."""
    yield from (secret, json.dumps(secret)[1:-1], json.dumps(secret, ensure_ascii=False)[1:-1])
    yield from (line.strip() for line in secret.splitlines() if len(line.strip()) >= 2 * SHORTEST_SECRET)
    squashed = _squashed(secret)
    if len(squashed) >= 2 * SHORTEST_SECRET:
        yield squashed


def _squashed(text: str) -> str:
    return re.sub(r"[\W_]+", "", text)
