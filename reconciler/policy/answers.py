"""The answer of an engine, trusted only when it is complete, well-formed and free of contradictions."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from reconciler.model.decision import ChecklistItem, Decision, Mode, Reason, Ruling
from reconciler.model.errors import PolicyUnavailable

#: Modes from most to least permissive; the position is the restrictiveness.
_BY_RESTRICTIVENESS = tuple(Mode)


class _Strict(BaseModel):
    # Unknown keys are refused: they are how text that broke out of a string would show.
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class _Ruling(_Strict):
    allow: bool
    reasons: list[str]


class _Reason(_Strict):
    rule: str
    message: str


class _Item(_Strict):
    ok: bool
    message: str


class _Answer(_Strict):
    mode: Literal["apply", "pipeline", "wait", "deny"]
    actions: dict[str, _Ruling]
    reasons: list[_Reason]
    checklist: dict[str, _Item]


@dataclass(frozen=True, slots=True)
class Question:
    """What an answer must fit: the action ids asked about, none for an admission."""

    actions: Sequence[str] = ()

    @staticmethod
    def of(document: dict[str, Any]) -> Question:
        """The question that an input document asks."""
        return Question(tuple(action["id"] for action in document["actions"]))


def strict_json(text: str) -> Any:
    """Parse JSON, refusing duplicate keys and the numbers that JSON doesn't have. Raises ValueError."""
    return json.loads(text, object_pairs_hook=_unique, parse_constant=_no_constant)


def read_answer(answer: Any, question: Question, revision: str) -> Decision:
    """The decision in ``answer`` (parsed JSON). Raises PolicyUnavailable malformed or contradictory."""
    try:
        parsed = _Answer.model_validate(answer)
    except ValidationError as error:
        raise PolicyUnavailable("malformed", f"policy answered in a wrong shape: {_summary(error)}") from error
    _check_actions(parsed, question.actions)
    _check_consistency(parsed, question.actions)
    mode = Mode(parsed.mode)
    rulings = {
        name: Ruling(ruling.allow and mode is not Mode.DENY, tuple(sorted(set(ruling.reasons))))
        for name, ruling in parsed.actions.items()
    }
    for name in question.actions:
        rulings.setdefault(name, Ruling(False, ("The plan as a whole is denied.",)))
    return Decision(
        mode=mode,
        actions=rulings,
        reasons=_ordered(Reason(reason.rule, reason.message) for reason in parsed.reasons),
        checklist={name: ChecklistItem(item.ok, item.message) for name, item in parsed.checklist.items()},
        revision=revision,
    )


def combine(decisions: Sequence[Decision]) -> Decision:
    """One decision out of those on the parts of a change set: the most restrictive mode, everything else merged."""
    first = decisions[0]
    if len(decisions) == 1:
        return first
    return Decision(
        mode=max((decision.mode for decision in decisions), key=_BY_RESTRICTIVENESS.index),
        actions={name: ruling for decision in decisions for name, ruling in decision.actions.items()},
        reasons=_ordered(reason for decision in decisions for reason in decision.reasons),
        checklist=_merged_checklist(decisions),
        revision=first.revision,
    )


def _merged_checklist(decisions: Sequence[Decision]) -> dict[str, ChecklistItem]:
    merged: dict[str, ChecklistItem] = {}
    for decision in decisions:
        for name, item in decision.checklist.items():
            if name not in merged or (merged[name].ok and not item.ok):
                merged[name] = item
    return merged


def _ordered(reasons: Iterable[Reason]) -> tuple[Reason, ...]:
    # Engines order sets differently; people and tests shouldn't see which one answered.
    return tuple(sorted(set(reasons), key=lambda reason: (reason.rule, reason.message)))


def _check_actions(answer: _Answer, asked: Collection[str]) -> None:
    stray = sorted(answer.actions.keys() - set(asked))
    if stray:
        raise PolicyUnavailable("malformed", f"policy answered for actions nobody asked about: {', '.join(stray[:5])}")
    missing = sorted(set(asked) - answer.actions.keys())
    if missing and answer.mode != "deny":
        raise PolicyUnavailable("malformed", f"policy gave no ruling on: {', '.join(missing[:5])}")


def _check_consistency(answer: _Answer, asked: Collection[str]) -> None:
    if answer.mode in ("apply", "pipeline") and not answer.checklist:
        raise PolicyUnavailable("contradictory", f"policy answered {answer.mode} without a checklist")
    if answer.mode != "apply":
        return
    refused = sorted(name for name, ruling in answer.actions.items() if not ruling.allow)
    if refused:
        raise PolicyUnavailable("contradictory", f"policy answered apply but refuses: {', '.join(refused[:5])}")
    failing = sorted(name for name, item in answer.checklist.items() if not item.ok)
    if asked and failing:
        raise PolicyUnavailable("contradictory", f"policy answered apply with failing checks: {', '.join(failing[:5])}")


def _summary(error: ValidationError) -> str:
    # Places and kinds only: the values may be anything.
    problems = [f"{'.'.join(str(part) for part in item['loc']) or 'answer'}: {item['msg']}" for item in error.errors()]
    return "; ".join(problems[:3])


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    collected = dict(pairs)
    if len(collected) != len(pairs):
        raise ValueError("duplicate key")
    return collected


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")
