"""One intrinsic function on an argument whose parts may be deferred, unknown or secret.

Deferred parts keep the function deferred, unknown parts make its value unknown as a whole, secret parts make it
secret. ``fold`` and ``resolve`` both come here, which is what makes evaluating in two steps the same as in one.
"""

from __future__ import annotations

from typing import Any

from reconciler.model.values import Deferred, Sensitive, Unknown, leaves, mask, reveal
from reconciler.template.dynamic import OPENING, RESOLVE, STORED, split_references
from reconciler.template.functions import PURE, as_text, items_of
from reconciler.template.problems import FunctionError
from reconciler.template.scope import Lookup

_LIVE = frozenset({"Ref", "Fn::GetAtt", "Fn::GetAZs", "Fn::ImportValue", RESOLVE, STORED})


def evaluate(function: str, argument: Any, lookup: Lookup | None, opened: int | None = None) -> Any:
    """The value of ``function`` on an evaluated ``argument``; Deferred or Unknown where it can't be told yet.

    ``opened``: how many dynamic references the template's own text begins in the parts of a Fn::Join; None when all
    of it is the template's text. Raises FunctionError when the function can't take the argument.
    """
    if function == "Fn::Select":
        return _select(argument)
    pending = _pending(function, argument)
    if pending is not None:
        return pending
    if function in _LIVE:
        return Deferred(function, argument) if lookup is None else _live(function, argument, lookup)
    value = _pure(function, argument)
    return value if function != "Fn::Join" or opened == 0 else _looked_up(value, lookup, opened)


def opened_in(argument: Any) -> int:
    """How many dynamic references begin in the literal parts of a Fn::Join's argument."""
    parts = argument[1] if isinstance(argument, list) and len(argument) == 2 else None
    if not isinstance(parts, list):
        return 0
    return sum(_shown(part).count(OPENING) for part in parts if isinstance(_shown(part), str))


def _pending(function: str, argument: Any) -> Deferred | Unknown | None:
    found = list(leaves(argument))
    if any(isinstance(leaf, Deferred) for leaf in found):
        return Deferred(function, argument)
    if any(isinstance(leaf, Unknown) for leaf in found):
        return Unknown(describe(function, argument))
    return None


def _pure(function: str, argument: Any) -> Any:
    if any(isinstance(leaf, Sensitive) for leaf in leaves(argument)):
        return Sensitive(PURE[function](reveal(argument)))
    return PURE[function](argument)


def _live(function: str, argument: Any, lookup: Lookup) -> Any:
    if function == "Ref":
        return lookup.reference(argument)
    if function == "Fn::GetAtt":
        return lookup.attribute(*argument)
    if function == "Fn::GetAZs":
        return lookup.zones(as_text(reveal(argument), function))
    if function == "Fn::ImportValue":
        return lookup.imported(as_text(reveal(argument), function))
    if function == STORED:
        return lookup.parameter(argument)
    value = lookup.dynamic(*argument)
    return value if isinstance(value, Sensitive | Unknown) else Sensitive(value)


def _select(argument: Any) -> Any:
    """Picks its item as soon as index and list are there, however little is known of the other items."""
    index, values = items_of(argument, "Fn::Select", 2, 2)
    for part in (index, values):
        if isinstance(part, Deferred):
            return Deferred("Fn::Select", argument)
    for part in (index, values):
        if isinstance(part, Unknown):
            return Unknown(describe("Fn::Select", argument))
    if isinstance(index, Sensitive) or isinstance(values, Sensitive):
        chosen = PURE["Fn::Select"]([_shown(index), _shown(values)])
        return chosen if isinstance(chosen, Sensitive | Deferred | Unknown) else Sensitive(chosen)
    return PURE["Fn::Select"](argument)


def _shown(value: Any) -> Any:
    return value.reveal() if isinstance(value, Sensitive) else value


def _looked_up(joined: Any, lookup: Lookup | None, opened: int | None) -> Any:
    """Looks up the dynamic references in joined text that the template began and other parts may have completed."""
    parts = split_references(_shown(joined))
    if opened is not None and sum(isinstance(part, Deferred) for part in parts) > opened:
        raise FunctionError("a value read from AWS contains a dynamic reference, which is not followed")
    if all(isinstance(part, str) for part in parts):
        return joined
    secret = isinstance(joined, Sensitive)
    resolved = [_part(part, lookup, secret) for part in parts]
    return resolved[0] if len(resolved) == 1 else evaluate("Fn::Join", ["", resolved], lookup, 0)


def _part(part: Any, lookup: Lookup | None, secret: bool) -> Any:
    if isinstance(part, Deferred):
        return evaluate(RESOLVE, part.argument, lookup)
    return Sensitive(part) if secret else part


def describe(function: str, argument: Any) -> str:
    """An expression in words: where a value will come from. Secrets are masked."""
    if function == "Fn::Join" and isinstance(argument, list) and len(argument) == 2 and isinstance(argument[1], list):
        return str(mask(argument[0])).join(_described(part) for part in argument[1])
    inside = argument if isinstance(argument, list) else [argument]
    return f"{function.removeprefix('Fn::')}({', '.join(_described(part) for part in inside)})"


def _described(part: Any) -> str:
    if isinstance(part, Unknown):
        return "${" + part.expression + "}"
    if isinstance(part, list):
        return "[" + ", ".join(_described(item) for item in part) + "]"
    if isinstance(part, dict):
        return "{" + ", ".join(f"{key}: {_described(item)}" for key, item in part.items()) + "}"
    return str(mask(part))
