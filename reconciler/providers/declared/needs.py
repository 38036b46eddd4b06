"""What IAM asks for the calls of a declared type: it follows from the declaration."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache

from reconciler.providers.actions import action_of
from reconciler.providers.declared.declaration import Declaration, Read
from reconciler.providers.declared.finding import PLACE
from reconciler.providers.declared.reading import field_names
from reconciler.providers.declared.shaping import api_name
from reconciler.providers.needs import Needs


@lru_cache(maxsize=512)
def _action(service: str, operation: str) -> str:
    return action_of(service, api_name(service, operation))


def _joined(service: str, operations: Iterable[str]) -> str:
    return " ".join(sorted({action for one in operations if one and (action := _action(service, one))}))


def needs_of(declaration: Declaration) -> Needs:
    """The entry that a declared type would have in the table of ``providers.needs``; actions have their prefix."""
    service, tagging = declaration.service, declaration.tagging
    finding = [one.operation for one in (declaration.named, declaration.listing) if one is not None]
    settings: dict[str, tuple[str, str]] = {}
    for extra in declaration.extras:
        for name in extra.shows:
            _add(settings, name, _reads(service, extra), "")
    for update in declaration.updates:
        calls = [update.call.operation, update.clear.operation if update.clear else ""]
        for name in update.names:
            _add(settings, name, "", _joined(service, calls))
    for name, actions in declaration.asks.items():
        _add(settings, name, "", " ".join(actions))
    tags = tagging.service if tagging is not None and tagging.service else service
    read = _joined(service, [declaration.read.operation, *finding])
    write = _joined(service, [declaration.create.operation, declaration.delete.operation])
    untag = ""
    if tagging is not None:
        read = f"{read} {_joined(tags, [tagging.read])}".strip()
        write, untag = f"{write} {_joined(tags, [tagging.write])}", _joined(tags, [tagging.remove])
    arn, name = _arn(declaration)
    return Needs(
        service,
        " ".join([read, *declaration.also_reads]),
        " ".join([write, *declaration.also]),
        arn=arn,
        name=name,
        untag=untag,
        settings=settings,
        tagged=tagging is not None and bool(tagging.kind),
    )


def _reads(service: str, read: Read) -> str:
    return _joined(service, [read.operation])


def _add(settings: dict[str, tuple[str, str]], name: str, read: str, write: str) -> None:
    reads, writes = settings.get(name, ("", ""))
    settings[name] = (f"{reads} {read}".strip(), f"{writes} {write}".strip())


def _arn(declaration: Declaration) -> tuple[str, str]:
    """The pattern of the ARN and the property with the name in it; any resource where it has other fields."""
    naming, template = declaration.naming, declaration.arn
    if naming is None or field_names(template) - PLACE != {naming.property}:
        return "*", ""
    return template.replace(f"{{{naming.property}}}", "{name}"), naming.property
