"""Property values: plain JSON values plus three that only exist inside the program.

``Sensitive`` hides a secret, ``Deferred`` is an intrinsic function that can't be evaluated yet,
``Unknown`` is its value in a change set: known after apply.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from reconciler.model.secrecy import MASK, know, seal

Properties = Mapping[str, Any]

#: Most values are one of these: asked first, because asking for Mapping is slow.
PLAIN = (str, int, float, type(None))

#: As ``Mapping``, quicker for what nearly every one is.
MAPPINGS = (dict, Mapping)


@dataclass(frozen=True, slots=True, repr=False)
class Sensitive:
    """A secret value. Prints, logs and serializes as a mask; ``reveal`` is called only at the AWS call.

    ``placed``: hidden because of where it stands; the text itself may be any word and stays legible elsewhere.
    """

    value: Any
    placed: bool = field(default=False, compare=False)

    def __post_init__(self) -> None:
        """Make the value known, so that it is masked in texts of others too."""
        if not self.placed:
            know(self.value)

    def reveal(self) -> Any:
        """The secret itself; what is secret inside of it, too."""
        return reveal(self.value)

    def __repr__(self) -> str:
        return MASK

    __str__ = __repr__


#: The function of a ``Deferred`` that stands for a template parameter, where expressions are kept for renderers.
PARAMETER = "Parameter"


@dataclass(frozen=True, slots=True)
class Deferred:
    """An intrinsic function left for later: ``function`` is its long name (``Ref``, ``Fn::GetAtt`` …)."""

    function: str
    argument: Any


@dataclass(frozen=True, slots=True)
class Unknown:
    """A value known only after apply; ``expression`` says where it will come from (``Vpc.VpcId``)."""

    expression: str = ""

    def __str__(self) -> str:
        return "(known after apply)"


def transform(value: Any, leaf: Callable[[Any], Any]) -> Any:
    """``value`` with ``leaf`` applied to everything that is neither a mapping nor a list."""
    if isinstance(value, PLAIN):
        return leaf(value)
    if isinstance(value, MAPPINGS):
        return {key: transform(item, leaf) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [transform(item, leaf) for item in value]
    return leaf(value)


def convert(value: Any, special: Callable[[Any], Any]) -> Any:
    """As ``transform``, for what isn't plain JSON; plain values stay as they are."""
    if isinstance(value, PLAIN):
        return value
    if isinstance(value, MAPPINGS):
        # plain ones are asked for here, too: a call for each takes longer than all the rest
        return {key: item if isinstance(item, PLAIN) else convert(item, special) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [convert(item, special) for item in value]
    return special(value)


def holds(value: Any, test: Callable[[Any], bool]) -> bool:
    """Whether ``test`` is true of any of ``leaves``."""
    if isinstance(value, PLAIN):
        return test(value)
    if isinstance(value, MAPPINGS):
        value = value.values()
    elif not isinstance(value, list | tuple):
        return test(value) or (isinstance(value, Deferred) and holds(value.argument, test))
    for item in value:  # noqa: SIM110 - a generator for each level takes twice as long
        if holds(item, test):
            return True
    return False


def leaves(value: Any) -> Iterator[Any]:
    """Everything in ``value`` that is neither a mapping nor a list; looks inside ``Deferred`` too."""
    left = [value]
    while left:
        item = left.pop()
        if isinstance(item, PLAIN):
            yield item
        elif isinstance(item, MAPPINGS):
            left.extend(reversed([*item.values()]))
        elif isinstance(item, list | tuple):
            left.extend(reversed(item))
        else:
            yield item
            if isinstance(item, Deferred):
                left.append(item.argument)


def nodes(value: Any) -> list[Deferred]:
    """Every ``Deferred`` in ``value``, those within others' arguments too."""
    found: list[Deferred] = []
    _collect(value, found)
    return found


def _collect(value: Any, found: list[Deferred]) -> None:
    if isinstance(value, PLAIN):
        return
    if isinstance(value, Deferred):
        found.append(value)
        _collect(value.argument, found)
    elif isinstance(value, MAPPINGS):
        for item in value.values():
            _collect(item, found)
    elif isinstance(value, list | tuple):
        for item in value:
            _collect(item, found)


def reveal(value: Any) -> Any:
    """``value`` with every secret in the clear: for the AWS call and nothing else."""
    return convert(value, lambda leaf: leaf.reveal() if isinstance(leaf, Sensitive) else leaf)


def mask(value: Any) -> Any:
    """``value`` as plain JSON for people, policy and storage: secrets masked, unknown values spelled out."""
    return convert(value, _mask_leaf)


def sealed(value: Any) -> Any:
    """As ``mask``, but with a keyed digest for every secret: a change of it can be told, its value can't."""
    return convert(value, _seal_leaf)


def _seal_leaf(leaf: Any) -> Any:
    return mask(seal(reveal(leaf.value))) if isinstance(leaf, Sensitive) else _mask_leaf(leaf)


def _mask_leaf(leaf: Any) -> Any:
    if isinstance(leaf, Sensitive | Unknown):
        return str(leaf)
    if isinstance(leaf, Deferred):
        return {leaf.function: mask(leaf.argument)}
    return leaf


def has_unknown(value: Any) -> bool:
    """Whether any part of ``value`` is known only after apply."""
    return holds(value, lambda leaf: isinstance(leaf, Unknown))
