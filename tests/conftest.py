"""What holds for every test."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from reconciler.model.secrecy import forget_all
from tests.databases import postgresql

__all__ = ["no_secrets_of_other_tests", "postgresql"]


@pytest.fixture(autouse=True)
def no_secrets_of_other_tests() -> Iterator[None]:
    """A process knows the secrets that it has met; what one test made up must not be masked in the next."""
    forget_all()
    yield
