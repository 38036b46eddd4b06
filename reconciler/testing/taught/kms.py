"""KMS: what encrypts symmetrically has no key pair of its own."""

from __future__ import annotations

from functools import cache
from typing import Any

from moto.kms import models
from moto.kms.utils import generate_private_key as _generate

from reconciler.testing.taught.lesson import Lesson, changes


def generate_private_key(key_spec: str) -> Any:
    """A pair of the key's own where it signs or encrypts with one."""
    return _unused(key_spec) if key_spec == "SYMMETRIC_DEFAULT" else _generate(key_spec)


@cache
def _unused(key_spec: str) -> Any:
    return _generate(key_spec)


LESSONS = (
    Lesson(
        call="kms:CreateKey",
        aws="makes no key pair for a symmetric key",
        moto="makes one, which nobody can ask for, in a twentieth of a second",
        given=(changes(models, generate_private_key),),
    ),
)
