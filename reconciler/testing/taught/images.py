"""EC2: of Amazon's images there are a few dozen, not every one of lately.

moto makes over a thousand anew for each region of each account: a third of a second whenever it is reset.
"""

from __future__ import annotations

from typing import Any

from moto.ec2.models import amis

from reconciler.testing.taught import give


def teach() -> None:
    """Teach moto."""
    give(amis, load_resource)


def load_resource(path: str) -> Any:
    """None of a region's latest. Raises FileNotFoundError, as for a region that moto has no list of."""
    raise FileNotFoundError(path)
