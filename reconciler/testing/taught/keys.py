"""KMS: what encrypts symmetrically has no key pair of its own.

moto makes one for every key, which nobody can ask for and which takes it a twentieth of a second.
"""

from __future__ import annotations

from functools import cache
from typing import Any

from moto.kms import models
from moto.kms.utils import generate_private_key as _generate

from reconciler.testing.taught import give


def teach() -> None:
    """Teach moto."""
    give(models, generate_private_key)


def generate_private_key(key_spec: str) -> Any:
    """A pair of the key's own where it signs or encrypts with one."""
    return _unused(key_spec) if key_spec == "SYMMETRIC_DEFAULT" else _generate(key_spec)


@cache
def _unused(key_spec: str) -> Any:
    return _generate(key_spec)
