"""EC2: of Amazon's images there are a few dozen, not every one of lately."""

from __future__ import annotations

from typing import Any

from moto.ec2.models import amis

from reconciler.testing.taught.lesson import Lesson, changes


def load_resource(path: str) -> Any:
    """None of a region's latest. Raises FileNotFoundError, as for a region that moto has no list of."""
    raise FileNotFoundError(path)


LESSONS = (
    Lesson(
        call="ec2:DescribeImages",
        aws="keeps its images when an account is new",
        moto="makes over a thousand anew for each region of each account, a third of a second whenever it is reset",
        given=(changes(amis, load_resource),),
    ),
)
