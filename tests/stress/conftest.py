"""The installation that the end-to-end tests use."""

from __future__ import annotations

from tests.e2e.conftest import lab, local_aws

__all__ = ["lab", "local_aws"]
