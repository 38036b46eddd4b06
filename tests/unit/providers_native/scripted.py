"""A Scope that answers from a script and remembers what it was asked."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeVar

from reconciler.model.decision import Identity
from reconciler.model.errors import AwsFault

T = TypeVar("T")
Answer = Mapping[str, Any] | AwsFault
ACCOUNT = "111122223333"


class ScriptedScope:
    """``answers``: by operation, a queue of answers; the last one stays. An operation without any answers ``{}``."""

    account, region, partition = ACCOUNT, "eu-central-1", "aws"
    identity = Identity(ACCOUNT, f"arn:aws:iam::{ACCOUNT}:user/test")

    def __init__(self, **answers: list[Answer]) -> None:
        self.answers = answers
        self.asked: list[tuple[str, dict[str, Any]]] = []

    def call(self, service: str, operation: str, /, **parameters: Any) -> Mapping[str, Any]:
        self.asked.append((operation, parameters))
        queue = self.answers.get(operation, [{}])
        answer = queue.pop(0) if len(queue) > 1 else queue[0]
        if isinstance(answer, AwsFault):
            raise answer
        return answer

    def pages(self, service: str, operation: str, key: str, /, **parameters: Any) -> list[Any]:
        return list(self.call(service, operation, **parameters).get(key, ()))

    def fact(self, name: str, find_out: Callable[[], bool]) -> bool:
        return find_out()

    def gather(self, jobs: Iterable[Callable[[], T]]) -> list[T]:
        return [job() for job in jobs]
