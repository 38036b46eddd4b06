"""A plan as JSON and back, without its secrets: each is replaced by a keyed digest, by which it is known again.

Kept out of ``reconciler.model``'s own imports because it needs pydantic; import it by its full name. Written like this:
``{"$deferred": [function, argument]}``, ``{"$secret": digest}``, and ``{"$map": {...}}`` for a mapping that would look
like one of these.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from pydantic import TypeAdapter

from reconciler.model.plan import Plan
from reconciler.model.secrecy import scrub
from reconciler.model.values import Deferred, Sensitive

_DEFERRED, _SECRET, _MAP = "$deferred", "$secret", "$map"
_MARKS = frozenset({_DEFERRED, _SECRET, _MAP})

_PLAN: TypeAdapter[Plan] = TypeAdapter(Plan)


class SecretMissing(ValueError):
    """The plan that secrets are to be taken from doesn't have one of them (any more)."""


def plan_to_json(plan: Plan, key: bytes) -> str:
    """``plan`` as JSON; texts that are known to be secret elsewhere are treated as secrets.

    Raises ValueError if it has no JSON form, or if a secret stands where it can't be replaced.
    """
    try:
        text = _PLAN.dump_json(_with_values(plan, lambda value: _encoded(value, key))).decode()
    except (TypeError, UnicodeError) as error:
        raise ValueError(f"plan {plan.name} can't be written as JSON: {error}") from error
    if scrub(text) != text:
        raise ValueError(f"plan {plan.name} has a secret in a name or a description")
    return text


def plan_from_json(text: str, key: bytes, secrets: Plan) -> Plan:
    """The plan that ``plan_to_json`` wrote with this key, its secrets taken from where they stand in ``secrets``.

    Raises SecretMissing if one isn't there with the same value, ValueError if the text is something else.
    """
    known = {_digest(value, key): value for value in _secrets(secrets)}
    return _with_values(_PLAN.validate_json(text), lambda value: _decoded(value, known))


def _with_values(plan: Plan, change: Any) -> Plan:
    """The plan with everything in it that may be any value changed."""
    return replace(
        plan,
        parameters=tuple(replace(item, value=change(item.value)) for item in plan.parameters),
        resources={
            name: replace(
                item,
                properties=change(item.properties),
                written=change(item.written),
                metadata=change(item.metadata),
                by_stack=change(item.by_stack),
            )
            for name, item in plan.resources.items()
        },
        outputs=tuple(
            replace(item, value=change(item.value), export=change(item.export), written=change(item.written))
            for item in plan.outputs
        ),
    )


def _encoded(value: Any, key: bytes) -> Any:
    if isinstance(value, Sensitive) or (isinstance(value, str) and scrub(value) != value):
        return {_SECRET: _digest(value, key)}
    if isinstance(value, Deferred):
        return {_DEFERRED: [value.function, _encoded(value.argument, key)]}
    if isinstance(value, Mapping):
        found = {_name(name): _encoded(item, key) for name, item in value.items()}
        return {_MAP: found} if _MARKS & found.keys() else found
    if isinstance(value, list | tuple):
        return [_encoded(item, key) for item in value]
    if value is None or isinstance(value, str | bool | int):
        return value
    if isinstance(value, float) and value - value == 0:
        return value
    raise TypeError(f"a {type(value).__name__} has no JSON form")


def _decoded(value: Any, secrets: Mapping[str, Any]) -> Any:
    if isinstance(value, list):
        return [_decoded(item, secrets) for item in value]
    if not isinstance(value, Mapping):
        return value
    if len(value) == 1 and _MARKS & value.keys():
        ((mark, content),) = value.items()
        if mark == _MAP:
            return {name: _decoded(item, secrets) for name, item in content.items()}
        if mark == _DEFERRED:
            return Deferred(content[0], _decoded(content[1], secrets))
        if content not in secrets:
            raise SecretMissing("a secret in it isn't kept and isn't the present plan's")
        return secrets[content]
    return {name: _decoded(item, secrets) for name, item in value.items()}


def _name(name: Any) -> str:
    if not isinstance(name, str):
        raise TypeError(f"the key {name!r} has no JSON form")
    return name


def _digest(value: Any, key: bytes) -> str:
    text = json.dumps(["secret" if isinstance(value, Sensitive) else "text", _plain(value)], sort_keys=True)
    return hmac.new(key, text.encode(errors="surrogatepass"), hashlib.sha256).hexdigest()


def _plain(value: Any) -> Any:
    """``value`` with secrets in the clear: for the digest and nothing else."""
    if isinstance(value, Sensitive):
        return [_SECRET, _plain(value.value)]
    if isinstance(value, Deferred):
        return [_DEFERRED, value.function, _plain(value.argument)]
    if isinstance(value, Mapping):
        return {str(name): _plain(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return value if isinstance(value, str | bool | int | float | None) else repr(value)


def _secrets(plan: Plan) -> Iterator[Any]:
    """Every value of ``plan`` that ``_encoded`` would replace by a digest."""
    yield from _secret_leaves([item.value for item in plan.parameters])
    for item in plan.resources.values():
        yield from _secret_leaves([(item.properties, item.written, item.metadata, item.by_stack)])
    yield from _secret_leaves([(item.value, item.export, item.written) for item in plan.outputs])


def _secret_leaves(value: Any) -> Iterator[Any]:
    if isinstance(value, Sensitive | str):
        yield value
    elif isinstance(value, Deferred):
        yield from _secret_leaves(value.argument)
    elif isinstance(value, Mapping):
        for item in value.values():
            yield from _secret_leaves(item)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _secret_leaves(item)
