"""Terraform's plan, as ``terraform show -json`` gives it, in our own vocabulary. Pure.

Whatever Terraform marks as sensitive is ``Sensitive`` from here on.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from reconciler.model.change import Action, Change, FieldChange, ResourceState
from reconciler.model.errors import DeploymentError
from reconciler.model.ids import Identifier, LogicalId, TypeName
from reconciler.model.resource import SyncState
from reconciler.model.values import Sensitive, Unknown

OUTPUT_TYPE = TypeName("Terraform::Output")
_NOTHING = (["no-op"], ["read"])
_LOSS = ("what it holds: Terraform doesn't tell",)


@dataclass(frozen=True, slots=True)
class TerraformPlan:
    """What a plan file says. ``outputs_only``: no resource changes, only what the state says of outputs."""

    changes: tuple[Change, ...]
    states: tuple[ResourceState, ...]
    drifted: tuple[ResourceState, ...]

    @property
    def basis(self) -> Any:
        """What the changes don't show of it, for the digest: nothing, they have every value that is to be set."""
        return [(state.logical_id, state.message) for state in self.drifted]


def read_plan(text: str, at: datetime) -> TerraformPlan:
    """A plan from its JSON. Raises DeploymentError if it is something else."""
    try:
        document = json.loads(text)
        version = str(document["format_version"])
        known = version.split(".")[0] in ("0", "1")
    except (ValueError, LookupError, TypeError):
        raise DeploymentError("Plan not readable", "what Terraform says of its plan can't be read") from None
    if not known:
        message = f"Terraform describes its plan in format {version}, which this version doesn't know"
        raise DeploymentError("Plan not readable", message)
    drifted = {one["address"]: one for one in document.get("resource_drift") or () if not _is_nothing(one)}
    changes = [
        _resource(one, drifted=one["address"] in drifted)
        for one in document.get("resource_changes") or ()
        if not _is_nothing(one) and one.get("mode") != "data"
    ]
    outputs = document.get("output_changes") or {}
    changes += [_output(name, one) for name, one in outputs.items() if one.get("actions") not in _NOTHING]
    return TerraformPlan(
        tuple(changes),
        tuple(_states(document, {change.logical_id: change for change in changes}, at)),
        tuple(
            ResourceState(
                LogicalId(name),
                TypeName(one.get("type", "")),
                SyncState.DRIFTED,
                _identifier(one["change"].get("before")),
                f"changed outside of the plan: {', '.join(_paths(one['change'])) or 'deleted'}",
                at,
            )
            for name, one in drifted.items()
        ),
    )


def _is_nothing(one: Mapping[str, Any]) -> bool:
    change = one.get("change") or {}
    return change.get("actions") in _NOTHING and not change.get("importing") and not one.get("previous_address")


def _resource(one: Mapping[str, Any], *, drifted: bool) -> Change:
    change = one["change"]
    action = _action(change)
    before = _masked(change.get("before"), change.get("before_sensitive"), None)
    after = _masked(change.get("after"), change.get("after_sensitive"), change.get("after_unknown"))
    forcing = {str(path[0]) for path in change.get("replace_paths") or () if path}
    reason = "changed outside of the plan" if drifted else str(one.get("action_reason") or "").replace("_", " ")
    if one.get("previous_address"):
        reason = f"moved from {one['previous_address']}"
    destroys = action in (Action.REPLACE, Action.DELETE)
    return Change(
        LogicalId(one["address"]),
        TypeName(str(one.get("type", ""))),
        action,
        _identifier(change.get("before")),
        before if isinstance(before, Mapping) else None,
        after if isinstance(after, Mapping) and action is not Action.DELETE else None,
        tuple(_fields(before, after, forcing)) if action is not Action.DELETE else (),
        reason,
        _LOSS if destroys else (),
    )


def _action(change: Mapping[str, Any]) -> Action:
    actions = set(change.get("actions") or ())
    if change.get("importing"):
        return Action.ADOPT if actions <= {"no-op", "update"} else Action.REPLACE
    if {"create", "delete"} <= actions:
        return Action.REPLACE
    known = {"create": Action.CREATE, "update": Action.UPDATE, "no-op": Action.UPDATE}
    if len(actions) == 1 and (action := known.get(next(iter(actions)))):
        return action
    return Action.DELETE  # delete, forget, and whatever later versions say: the worst


def _output(name: str, change: Mapping[str, Any]) -> Change:
    """An output is no resource: that one goes destroys nothing."""
    action = Action.CREATE if change.get("actions") == ["create"] else Action.UPDATE
    before = _masked(change.get("before"), change.get("before_sensitive"), None)
    after = _masked(change.get("after"), change.get("after_sensitive"), change.get("after_unknown"))
    gone = change.get("actions") == ["delete"]
    field = FieldChange("/value", before, None if gone else after, reason="plan")
    sides = ({} if before is None else {"value": before}, {} if gone else {"value": after})
    reason = "no longer declared" if gone else ""
    return Change(LogicalId(f"output.{name}"), OUTPUT_TYPE, action, None, *sides, (field,), reason)


def _fields(before: Any, after: Any, forcing: set[str]) -> Iterator[FieldChange]:
    old, new = (side if isinstance(side, Mapping) else {} for side in (before, after))
    for name in sorted(old.keys() | new.keys()):
        if old.get(name) != new.get(name):
            yield FieldChange(f"/{name}", old.get(name), new.get(name), name in forcing, "plan")


def _masked(value: Any, sensitive: Any, unknown: Any) -> Any:
    """``value`` with what Terraform calls sensitive or not known yet wrapped; both are given by its own shape."""
    if unknown is True:
        return Unknown()
    if sensitive is True:
        return None if value is None else Sensitive(value)
    if isinstance(value, Mapping) or (value is None and isinstance(unknown, Mapping) and unknown):
        inner = value or {}
        hidden = sensitive if isinstance(sensitive, Mapping) else {}
        later = unknown if isinstance(unknown, Mapping) else {}
        names = [*inner, *(name for name in later if name not in inner)]
        return {name: _masked(inner.get(name), hidden.get(name), later.get(name)) for name in names}
    if isinstance(value, list):
        return [
            _masked(item, _at(sensitive, number), _at(unknown, number)) for number, item in enumerate(value)
        ]  # fmt: skip
    return value


def _at(marks: Any, number: int) -> Any:
    return marks[number] if isinstance(marks, list) and number < len(marks) else None


def _paths(change: Mapping[str, Any]) -> list[str]:
    before, after = change.get("before") or {}, change.get("after") or {}
    if not isinstance(before, Mapping) or not isinstance(after, Mapping):
        return []
    return [f"/{name}" for name in sorted(before.keys() | after.keys()) if before.get(name) != after.get(name)][:10]


def _identifier(values: Any) -> Identifier | None:
    found = values.get("id") if isinstance(values, Mapping) else None
    return Identifier(str(found)) if found else None


def _states(document: Mapping[str, Any], changes: Mapping[LogicalId, Change], at: datetime) -> Iterator[ResourceState]:
    """Every resource that is there or is to be, and whether it is as wanted."""
    seen = set()
    for one in _modules((document.get("prior_state") or {}).get("values") or {}):
        name = LogicalId(one["address"])
        seen.add(name)
        change = changes.get(name)
        state = SyncState.IN_SYNC if change is None else SyncState.DRIFTED
        text = "" if change is None else change.reason
        yield ResourceState(name, TypeName(one.get("type", "")), state, _identifier(one.get("values")), text, at)
    for name, change in changes.items():
        if name not in seen:
            state = SyncState.MISSING if change.action is Action.CREATE else SyncState.DRIFTED
            yield ResourceState(name, change.type, state, change.identifier, change.reason, at)


def _modules(values: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    pending = [values.get("root_module") or {}]
    while pending:
        module = pending.pop()
        yield from (one for one in module.get("resources") or () if one.get("mode") != "data")
        pending += module.get("child_modules") or ()
