"""What a template says, in one form: two templates with the same meaning are equal, others are not.

Our own loader reads it, so Conditions, Sub and Join come out as one thing; numbers and switches are written as the text
that CloudFormation makes of them, tags are sorted by key, and pieces of text that touch are joined.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from reconciler.model.plan import Output, Plan, PlannedResource
from reconciler.model.values import Deferred, Sensitive
from reconciler.schema import schema_for
from reconciler.schema.scalars import text
from reconciler.source.parse import parse
from reconciler.template import LoadedTemplate, load_template

#: the value that stands for every secret
SECRET = "(a secret)"


def of_plan(plan: Plan) -> dict[str, Any]:
    """What a plan wants, its secrets (also those that only the schema calls so) masked by ``same``."""
    return _meaning(plan.resources, plan.outputs)


def of_template(content: str, plan: Plan, name: str = "template.yaml") -> dict[str, Any]:
    """What a template says, its open parameters given as secrets. Raises SourceError if it isn't a valid one."""
    documents = parse(content.encode(), name)
    template = documents[0].data
    given = dict.fromkeys(template.get("Parameters", {}), SECRET)
    loaded: LoadedTemplate = load_template(
        template, parameters=given, target=plan.target, plan_name=plan.name, locate=documents[0].locate
    )
    return _meaning(loaded.resources, loaded.outputs)


def _meaning(resources: Mapping[Any, PlannedResource], outputs: tuple[Output, ...]) -> dict[str, Any]:
    return {
        "resources": {str(name): _resource(item) for name, item in resources.items()},
        "outputs": {item.name: (flat(item.value), item.description, flat(item.export)) for item in outputs},
    }


def _resource(item: PlannedResource) -> dict[str, Any]:
    schema = schema_for(item.type)
    properties = dict(item.properties)
    tags = properties.get(schema.tag_property) if schema and schema.tag_property else None
    if schema and schema.tag_property and isinstance(tags, list):
        properties[schema.tag_property] = sorted(tags, key=lambda tag: str(tag.get("Key")))
    return {
        "type": str(item.type),
        "properties": flat(properties),
        "needs": sorted(item.needs),
        "metadata": flat(item.metadata),
        "by_stack": flat(item.by_stack),
        "policies": (item.deletion_policy, item.update_replace_policy),
    }


def flat(value: Any) -> Any:
    """A folded expression with its joins flattened and its scalars as text."""
    if isinstance(value, Sensitive):
        return flat(value.reveal())
    if isinstance(value, Deferred):
        argument = flat(value.argument)
        if value.function == "Fn::Join" and isinstance(argument[1], list):
            return _joined(argument[0], argument[1])
        return (value.function, argument)
    if isinstance(value, Mapping):
        return {str(key): flat(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [flat(item) for item in value]
    return text(value) if isinstance(value, bool | int | float) else value


def _joined(delimiter: Any, items: list[Any]) -> Any:
    parts: list[Any] = []
    for index, item in enumerate(items):
        inner = item[1] if isinstance(item, tuple) and item[0] == "join" else [item]
        for piece in [delimiter, *inner] if index else inner:
            if isinstance(piece, str) and parts and isinstance(parts[-1], str):
                parts[-1] += piece
            elif piece != "":
                parts.append(piece)
    return parts[0] if len(parts) == 1 else ("join", parts)


def _holding(value: str) -> re.Pattern[str]:
    """A text with anything where secrets stand for themselves."""
    return re.compile(".*".join(re.escape(part) for part in value.split(SECRET)), re.DOTALL)


def differences(left: Any, right: Any, place: str = "") -> list[str]:
    """Where two meanings differ. A secret on the right side is equal to any text on the left, in a longer text, too."""
    if isinstance(left, dict) and isinstance(right, dict):
        return [
            found
            for key in sorted(left.keys() | right.keys())
            for found in differences(left.get(key), right.get(key), f"{place}/{key}")
        ]
    if isinstance(left, list | tuple) and isinstance(right, list | tuple) and len(left) == len(right):
        return [
            found
            for index, (one, other) in enumerate(zip(left, right, strict=True))
            for found in differences(one, other, f"{place}/{index}")
        ]
    if left == right or (isinstance(left, str) and isinstance(right, str) and _holding(right).fullmatch(left)):
        return []
    return [f"{place}: {left!r} / {right!r}"]
