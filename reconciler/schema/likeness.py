"""Whether a live value is what a plan wants, where the two aren't simply equal in canonical form.

Beyond ``canonical``: keys that the plan doesn't set don't count, at whatever depth, nor does a key at its default;
what AWS makes of a value (``transforms``), an id for an ARN, settings lists that AWS fills up (``AttributeList``), and
numbers of which more is as good.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from reconciler.model.values import reveal
from reconciler.schema import declared
from reconciler.schema.canonical import canonical, shapes
from reconciler.schema.policydoc import is_policy
from reconciler.schema.rules import ordered, partial
from reconciler.schema.scalars import number
from reconciler.schema.substitution import stored
from reconciler.schema.transforms import accepts
from reconciler.schema.types import MISSING, Path, TypeSchema, defaults

EMPTY: tuple[Any, ...] = (None, [], {}, "")

_ARN = re.compile(r"arn:aws[\w-]*:[^:]*:([^:]*):[^:]*:(?:.*[:/])?([^:/]+)")
_KEY_FORMATS = frozenset({"AWS::KMS::Key.Arn", "AWS::KMS::Key.Id"})

#: the objects around a value, outermost (the properties) first
Around = tuple[Mapping[str, Any], ...]


def same(
    schema: TypeSchema | None, path: Path, wanted: Any, live: Any, around: Around = (), settled: bool = True
) -> bool:
    """Whether ``live`` is ``wanted``, found at ``path``; None stands for absent.

    ``around`` encloses ``wanted``. ``settled``: whether ``wanted`` is what the plan applied last, so that a difference
    can't be a change of the plan.
    """
    if live is None:
        return absent(schema, path, wanted)
    if canonical(schema, path, wanted) == canonical(schema, path, live):
        return True
    if isinstance(wanted, Mapping) and isinstance(live, Mapping):
        return _object(schema, path, wanted, live, around, settled)
    if isinstance(wanted, list) and isinstance(live, list):
        return _list(schema, path, wanted, live, around, settled)
    return schema is not None and _scalar(schema, path, wanted, live, around, settled)


def absent(schema: TypeSchema | None, path: Path, wanted: Any) -> bool:
    """Whether nothing at ``path`` is what is wanted: nothing, something empty, or the default."""
    if wanted in EMPTY:
        return True
    default = defaults(schema, path) if schema else MISSING
    return default is not MISSING and bool(canonical(schema, path, wanted) == canonical(schema, path, default))


def whole(schema: TypeSchema | None, path: Path, value: Mapping[str, Any]) -> bool:
    """Whether an object changes as one: a policy document or free-form JSON, where a key left out isn't another's."""
    if is_policy(value):
        return True
    if schema is None or is_tags(schema, path) or (schema.type_name, path) in declared.FILLED_UP:
        return False
    node = schema.node(path)
    return (
        node is not None and not node.get("properties") and not any(key in node for key in ("oneOf", "anyOf", "allOf"))
    )


def is_tags(schema: TypeSchema | None, path: Path) -> bool:
    """Whether the type's tags are at ``path``."""
    return schema is not None and schema.tag_property is not None and path == (schema.tag_property,)


def pairs(
    schema: TypeSchema | None,
    path: Path,
    wanted: Sequence[Any],
    live: Sequence[Any],
    around: Around = (),
    settled: bool = True,
) -> list[tuple[int, int]] | None:
    """Which item of ``live`` stands for which of ``wanted``; None if one of either has no counterpart.

    In order where order counts. Otherwise any assignment that gives every item one (found by augmenting paths): an
    item that several fit is given to the one that nothing else fits.
    """
    node = _listed(schema, path)
    name = schema.type_name if schema is not None else ""
    rest_is_others = partial(node, name, path)
    if len(wanted) > len(live) or (len(wanted) < len(live) and not rest_is_others):
        return None
    item = (*path, "*")
    if ordered(path, node, name) and not rest_is_others:
        fits = all(same(schema, item, left, right, around, settled) for left, right in zip(wanted, live, strict=True))
        return [(index, index) for index in range(len(wanted))] if fits else None
    candidates = [
        [index for index, right in enumerate(live) if same(schema, item, left, right, around, settled)]
        for left in wanted
    ]
    return _assigned(candidates)


def _listed(schema: TypeSchema | None, path: Path) -> Mapping[str, Any]:
    node = schema.node(path) if schema else None
    if schema is None or node is None:
        return {}
    return next((shape for shape in shapes(schema, node) if "items" in shape), node)


def _assigned(candidates: Sequence[Sequence[int]]) -> list[tuple[int, int]] | None:
    taken: dict[int, int] = {}
    for start in range(len(candidates)):
        if not _augmented(start, candidates, taken, set()):
            return None
    return sorted((left, right) for right, left in taken.items())


def _augmented(left: int, candidates: Sequence[Sequence[int]], taken: dict[int, int], seen: set[int]) -> bool:
    for right in candidates[left]:
        if right in seen:
            continue
        seen.add(right)
        if right not in taken or _augmented(taken[right], candidates, taken, seen):
            taken[right] = left
            return True
    return False


def _object(
    schema: TypeSchema | None,
    path: Path,
    wanted: Mapping[str, Any],
    live: Mapping[str, Any],
    around: Around,
    settled: bool,
) -> bool:
    if whole(schema, path, wanted):
        return False
    inside, counted = (*around, wanted), canonical(schema, path, wanted)  # without ports where a rule has none
    return all(same(schema, below(schema, path, key), wanted[key], live.get(key), inside, settled) for key in counted)


def below(schema: TypeSchema | None, path: Path, key: str) -> Path:
    """The path of an object's member: ``*`` for a key that the object's owner chose."""
    node = schema.node(path) if schema else None
    if node and key not in node.get("properties", ()) and node.get("patternProperties"):
        return (*path, "*")
    return (*path, key)


def _list(
    schema: TypeSchema | None,
    path: Path,
    wanted: list[Any],
    live: list[Any],
    around: Around,
    settled: bool,
) -> bool:
    if schema is not None and accepts(schema, path, around, wanted, live, _alike(schema, path), settled):
        return True
    return pairs(schema, path, wanted, live, around, settled) is not None


def _scalar(schema: TypeSchema, path: Path, wanted: Any, live: Any, around: Around, settled: bool) -> bool:
    given, wanted, live = wanted, reveal(wanted), reveal(live)
    if isinstance(wanted, list | Mapping) or isinstance(live, list | Mapping):
        return False
    if accepts(schema, path, around, given, live, _alike(schema, path), settled) or _enough(schema, path, wanted, live):
        return True
    text = stored(schema.type_name, path, wanted, around)
    if text != wanted:
        return bool(canonical(schema, path, text) == canonical(schema, path, live))
    if not isinstance(wanted, str) or not isinstance(live, str) or not _named_or_arn(schema, path):
        return False
    return _names(schema, wanted, live) or _names(schema, live, wanted)


def _enough(schema: TypeSchema, path: Path, wanted: Any, live: Any) -> bool:
    """Whether a number of which more is as good is at least what is wanted."""
    if (schema.type_name, path) not in declared.AT_LEAST:
        return False
    least, shown = number(wanted), number(live)
    return all(isinstance(one, int | float) for one in (least, shown)) and bool(shown >= least)


def _alike(schema: TypeSchema, path: Path) -> Any:
    return lambda left, right: canonical(schema, path, left) == canonical(schema, path, right)


def _named_or_arn(schema: TypeSchema, path: Path) -> bool:
    if (schema.type_name, path) in declared.ARN_OR_NAME:
        return True
    node = schema.node(path) or {}
    formats = {alternative.get("format") for keyword in ("anyOf", "oneOf") for alternative in node.get(keyword, ())}
    return formats >= _KEY_FORMATS


def _names(schema: TypeSchema, arn: str, name: str) -> bool:
    """Whether an ARN, of this region, ends in a name or id that isn't an ARN itself."""
    match = _ARN.fullmatch(arn)
    return match is not None and match.group(1) in ("", schema.region) and match.group(2) == name
