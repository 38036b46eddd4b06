"""SQS: a queue that is there isn't created with other tags."""

from __future__ import annotations

from typing import Any

from moto.sqs.exceptions import QueueAlreadyExists
from moto.sqs.models import SQSBackend

from reconciler.testing.taught.lesson import Lesson, changes

_create = SQSBackend.create_queue


def create_queue(self: Any, name: str, tags: dict[str, str] | None = None, **attributes: Any) -> Any:
    """CreateQueue."""
    there = self.queues.get(name)
    if there is not None and tags and not tags.items() <= (there.tags or {}).items():
        raise QueueAlreadyExists("A queue already exists with the same name and a different value for tag(s)")
    return _create(self, name, tags, **attributes)


LESSONS = (
    Lesson(
        call="sqs:CreateQueue",
        aws="refuses a queue that is there with other tags",
        moto="answers it as if it had made it, and gives it the new tags",
        given=(changes(SQSBackend, create_queue),),
    ),
)
