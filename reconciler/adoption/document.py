"""The plan as text: YAML as a person would write it, with what a person must look at beside it. Pure.

A value is quoted wherever our reader would take the bare word for something else than the text that it is.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import yaml

from reconciler.adoption.found import Draft, Gap, Left, Reference
from reconciler.model.plan import Target
from reconciler.source.scalars import plain

_WIDTH, _FLOW = 4096, 96
_DELETION = frozenset({"Delete", "Retain", "RetainExceptOnCreate", "Snapshot"})
_REPLACEMENT = frozenset({"Delete", "Retain", "Snapshot"})


@dataclass(frozen=True, slots=True)
class Head:
    """What a plan says besides its resources. ``origin``: what it was made from, in a few words."""

    name: str
    author: str
    target: Target
    origin: str
    labels: Mapping[str, str] = field(default_factory=dict)


def plan_text(head: Head, drafts: Sequence[Draft], left: Sequence[Left] = ()) -> str:
    """The plan file."""
    return "".join((*_header(head, left), *(_resource(draft) for draft in drafts)))


def resource_body(draft: Draft) -> dict[str, Any]:
    """One resource as the plan has it; references are ``Reference``."""
    body: dict[str, Any] = {"Type": str(draft.type)}
    if draft.depends_on:
        names = [str(name) for name in draft.depends_on]
        body["DependsOn"] = names[0] if len(names) == 1 else names
    if draft.deletion_policy in _DELETION:
        body["DeletionPolicy"] = draft.deletion_policy
    if draft.update_replace_policy in _REPLACEMENT:
        body["UpdateReplacePolicy"] = draft.update_replace_policy
    body["Metadata"] = {"Reconciler": {"adopt": str(draft.identifier)}}
    if draft.properties:
        body["Properties"] = dict(draft.properties)
    return body


def _header(head: Head, left: Sequence[Left]) -> Iterable[str]:
    target = {
        "environment": head.target.environment,
        "account": head.target.account,
        "region": head.target.region,
        "profile": head.target.profile,
        "roleArn": head.target.role_arn,
        "externalId": head.target.external_id,
    }
    yield f"# Written by reconciler import from {_line(head.origin)}. Nothing in AWS has been changed.\n"
    yield "# Each resource is adopted as it is: the first pass adds ownership tags and changes nothing else.\n"
    if left:
        yield "# Not taken over:\n"
        yield from (f"#   {_line(one.shown)}: {_line(one.why)}\n" for one in left)
    yield _dumped({"apiVersion": "reconciler/v1", "kind": "Plan"})
    yield _dumped({"metadata": {"name": head.name, "author": head.author, "description": _line(head.origin)[:512]}})
    yield "spec:\n"
    yield _indented(_dumped({"target": {name: value for name, value in target.items() if value}}))
    yield "  # Nobody has checked these resources for this plan: have that done, and name the outcome in reference.\n"
    yield _indented(_dumped({"guardrail": {"status": "passed", "reference": ""}, "rollback": "automatic"}))
    yield "  prune: false  # what leaves this plan is kept; take this line away when the plan is to delete it\n"
    yield "  resources:\n"


def _resource(draft: Draft) -> str:
    notes = "".join(f"    # {line}\n" for line in _notes(draft.gaps))
    return notes + _indented(_dumped({str(draft.logical_id): resource_body(draft)}, 2), 4)


def _notes(gaps: Sequence[Gap]) -> Iterable[str]:
    by_reason: dict[str, list[str]] = {}
    for gap in gaps:
        by_reason.setdefault(gap.why, []).append(f"{gap.pointer} (needed)" if gap.needed else gap.pointer)
    for why, pointers in by_reason.items():
        yield f"{_line(', '.join(pointers))}: {_line(why)}"


def _line(text: str) -> str:
    """On one line, so that nothing leaves its comment."""
    return " ".join("".join(char if char.isprintable() else " " for char in text).split())


def _indented(text: str, by: int = 2) -> str:
    return "".join(f"{' ' * by}{line}" if line.strip() else line for line in text.splitlines(keepends=True))


def _dumped(value: Any, open_: int = 1) -> str:
    """YAML; the outermost ``open_`` levels of mappings have a line for each key."""
    return yaml.dump(_opened(value, open_), Dumper=_Dumper, sort_keys=False, width=_WIDTH, allow_unicode=True)


class _Open(dict[str, Any]):
    """A mapping with a line for each key."""


def _opened(value: Any, levels: int) -> Any:
    if levels == 0 or not isinstance(value, dict):
        return value
    return _Open({key: _opened(item, levels - 1) for key, item in value.items()})


class _Dumper(yaml.SafeDumper):
    """Short tags for references; small things on one line; every text readable as that text."""

    def ignore_aliases(self, data: Any) -> bool:  # noqa: ARG002 - whatever it is
        return True

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:  # noqa: ARG002 - never indentless
        super().increase_indent(flow, False)

    def choose_scalar_style(self) -> str:
        short = getattr(self.event, "tag", None) in ("!Ref", "!GetAtt")
        return "" if short else str(super().choose_scalar_style())

    def represent_mapping(self, tag: str, mapping: Any, flow_style: bool | None = None) -> yaml.MappingNode:
        node = super().represent_mapping(tag, mapping, flow_style)
        node.flow_style = _is_small([part for pair in node.value for part in pair]) and not isinstance(mapping, _Open)
        return node

    def represent_sequence(self, tag: str, sequence: Any, flow_style: bool | None = None) -> yaml.SequenceNode:
        node = super().represent_sequence(tag, sequence, flow_style)
        node.flow_style = _is_small(node.value)
        return node


def _is_small(nodes: Sequence[yaml.Node]) -> bool:
    """Whether scalars (or what is on one line itself) fit on one line together."""
    return _length(nodes) <= _FLOW


def _length(nodes: Sequence[yaml.Node]) -> int:
    total = 0
    for node in nodes:
        if isinstance(node, yaml.ScalarNode):
            total += len(node.value) + 2 if node.style != "|" else _WIDTH
        elif isinstance(node, yaml.CollectionNode) and node.flow_style:
            parts = [part for item in node.value for part in (item if isinstance(item, tuple) else (item,))]
            total += _length(parts) + 2
        else:
            return _WIDTH
    return total


def _text(dumper: yaml.SafeDumper, value: str) -> yaml.ScalarNode:
    lines = value.split("\n")
    style = None if _is_plain(value) else "'"
    if not all(line.isprintable() for line in lines):
        style = '"'  # breaks that aren't ours, what can't be seen
    elif len(lines) > 1:
        style = "|" if value.strip() and all(line == line.rstrip() for line in lines) else '"'
    return dumper.represent_scalar("tag:yaml.org,2002:str", value, style=style)


def _is_plain(value: str) -> bool:
    """Whether our reader takes the bare word for that text."""
    try:
        return plain(value) == value
    except ValueError:
        return False


def _reference(dumper: yaml.SafeDumper, value: Reference) -> yaml.ScalarNode:
    if value.attribute:
        return dumper.represent_scalar("!GetAtt", f"{value.logical_id}.{value.attribute}")
    return dumper.represent_scalar("!Ref", str(value.logical_id))


_Dumper.add_representer(_Open, lambda dumper, value: dumper.represent_mapping("tag:yaml.org,2002:map", value, False))
_Dumper.add_representer(str, _text)
_Dumper.add_representer(Reference, _reference)
