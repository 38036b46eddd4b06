"""Providers that are written down: a declaration says which calls a type has, the frame makes them.

``declaration`` has the vocabulary, ``shaping`` turns properties into parameters and answers into properties,
``provider`` is the frame, ``changing`` says what an update is given, ``progress`` waits, ``finding`` looks for
resources, ``tags`` reads and writes tags. The declarations themselves are in ``native``, a module a service; its
README shows how to add one.
"""

from __future__ import annotations

from reconciler.providers.declared.declaration import (
    Call,
    Declaration,
    Listing,
    Many,
    Read,
    Tagging,
    Update,
    Waiting,
    arn_tagging,
    ec2_tagging,
)
from reconciler.providers.declared.provider import Declared

__all__ = [
    "Call",
    "Declaration",
    "Declared",
    "Listing",
    "Many",
    "Read",
    "Tagging",
    "Update",
    "Waiting",
    "arn_tagging",
    "ec2_tagging",
]
