"""pydantic's findings in the house's words: file, line, path, what is wrong, what was probably meant."""

from __future__ import annotations

from typing import Any, TypeVar, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from reconciler.model.errors import Problem, SourceError
from reconciler.source.document import Document, value_at
from reconciler.template.problems import did_you_mean

Model = TypeVar("Model", bound=BaseModel)

_ABSENT = object()

_PATTERNS = {
    "name": "must be a DNS-1123 label: lower-case letters, digits and '-', at most 63 characters",
    "plan": "must be the name of a plan: lower-case letters, digits and '-'",
    "account": "must be 12 digits",
    "region": "must be an AWS region such as eu-central-1",
    "environment": "must be a plain lower-case name such as development",
    "digest": "must be sha256: followed by 64 hexadecimal digits (see `reconciler digest PLAN`)",
    "roleArn": "must be the ARN of an IAM role",
    "author": "must be one person's name or address, without spaces",
    "approver": "must be one person's name or address, without spaces",
    "approvedBy": "must be one person's name or address, without spaces",
    "labels": "labels are short text: letters, digits, '-', '_', '.', '/', at most 63 characters",
}
_MISSING = {
    "guardrail": "the guardrail outcome is missing; the plan can't be executed without it",
    "rollback": "the rollback procedure is missing: automatic, manual or {procedure: …}",
    "digest": "the digest that the approval is for is missing",
}


def validated(model: type[Model], document: Document) -> Model:
    """The document as ``model``. Raises SourceError with everything that is wrong."""
    try:
        return model.model_validate(document.data)
    except ValidationError as error:
        problems = {_problem(details, model, document): None for details in error.errors(include_url=False)}
        raise SourceError(tuple(problems)) from None


def _problem(details: ErrorDetails, model: type[BaseModel], document: Document) -> Problem:
    place = tuple(_steps(document.data, details["loc"]))
    name = str(details["loc"][-1]) if details["loc"] else ""
    if details["type"] == "extra_forbidden":
        known = _keys(model, place[:-1])
        return document.problem(place, f"unknown key {name!r}", suggestion=did_you_mean(name, known))
    if details["type"] == "missing":
        return document.problem((*place, name), _MISSING.get(name, f"{name} is missing"))
    suggestion = ""
    message = details["msg"]
    if details["type"] == "string_pattern_mismatch":
        field = next((str(part) for part in reversed(details["loc"]) if str(part) in _PATTERNS), "")
        message = _PATTERNS.get(field, "has characters that aren't allowed here")
    elif details["type"] == "literal_error":
        options = [
            option.strip("'")
            for option in str(details.get("ctx", {}).get("expected", "")).replace(" or ", ", ").split(", ")
        ]
        message = f"must be one of {', '.join(options)}" if len(options) > 1 else f"must be {options[0]}"
        if isinstance(value := details.get("input"), str):
            message += f", found {value[:60]!r}"
            suggestion = did_you_mean(value, options)
    elif details["type"] in ("too_short", "string_too_short"):
        message = "must not be empty" if details["ctx"].get("min_length") == 1 else "is too short"
    elif details["type"] in ("too_long", "string_too_long"):
        message = f"is longer than {details['ctx'].get('max_length')} characters"
    elif details["type"] in ("model_type", "dict_type", "model_attributes_type"):
        message = "must be a mapping"
    return document.problem(place, message[:1].lower() + message[1:], suggestion=suggestion)


def _steps(data: Any, loc: tuple[int | str, ...]) -> list[int | str]:
    """The parts of pydantic's location that are really in the document; it adds union branches and '[key]'."""
    steps: list[int | str] = []
    for part in loc:
        if (inner := value_at(data, (part,), _ABSENT)) is not _ABSENT:
            data = inner
            steps.append(part)
    return steps


def _keys(model: type[BaseModel], place: tuple[int | str, ...]) -> list[str]:
    """The keys that the model knows at a place."""
    current: type[BaseModel] | None = model
    for part in place:
        if isinstance(part, int) or current is None:
            continue
        field = next((item for name, item in current.model_fields.items() if part in (name, item.alias)), None)
        current = _model_in(field.annotation) if field is not None else None
    return [] if current is None else [item.alias or name for name, item in current.model_fields.items()]


def _model_in(annotation: Any) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    if get_origin(annotation) is None:
        return None
    return next((found for argument in get_args(annotation) if (found := _model_in(argument)) is not None), None)
