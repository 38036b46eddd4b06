"""Substitutions that a service makes in a text before it stores it: ``${name}`` by a value. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from reconciler.model.values import has_unknown, reveal
from reconciler.schema.types import Path

#: The property that has the substitutions, by type and the path of the text ("AWS Step Functions substitutes them in
#: the definition": DefinitionSubstitutions in the type's reference).
_BESIDE: Mapping[tuple[str, Path], str] = {
    ("AWS::StepFunctions::StateMachine", ("DefinitionString",)): "DefinitionSubstitutions"
}
_ALARMED = ("AutoScalingPolicy", "Rules", "*", "Trigger", "CloudWatchAlarmDefinition", "Dimensions", "*", "Value")
#: Names that a service knows by itself, and the property that has their value ("use ${emr.clusterId}": Automatic
#: Scaling in EMR's management guide).
_KNOWN: Mapping[tuple[str, Path], Mapping[str, str]] = {
    ("AWS::EMR::InstanceGroupConfig", _ALARMED): {"emr.clusterId": "JobFlowId"}
}
_PLACE = re.compile(r"\$\{([^}]+)\}")


def substituted(text: str, values: Mapping[str, Any]) -> str:
    """``text`` with each ``${name}`` that ``values`` has replaced; others stay."""
    spelled = {
        name: ("true" if value else "false") if isinstance(value, bool) else str(value)
        for name, value in values.items()
    }
    return _PLACE.sub(lambda place: spelled.get(place[1], place[0]), text)


def stored(type_name: str, path: Path, wanted: Any, around: Sequence[Mapping[str, Any]]) -> Any:
    """What the service stores of ``wanted``: itself, or with what the property beside it says put in."""
    name, known = _BESIDE.get((type_name, path)), _KNOWN.get((type_name, path))
    values = reveal(around[0].get(name)) if name is not None and around else None
    if known is not None and around:
        values = {word: around[0][other] for word, other in known.items() if other in around[0]}
    if not isinstance(values, Mapping) or not isinstance(wanted, str) or has_unknown(values):
        return wanted
    return substituted(wanted, values)
