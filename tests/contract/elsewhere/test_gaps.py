"""The table of gaps and what was seen have to say the same."""

from __future__ import annotations

import pytest

from tests.contract.elsewhere.gaps import GAPS, Gap, unexplained
from tests.contract.elsewhere.life import Sight
from tests.contract.elsewhere.subjects import SOURCES

_SEEN = {"change Tags": Sight("AwsFault", frozenset({"ec2:DeleteTags"}))}


def test_the_table_is_of_cases_that_there_are() -> None:
    assert GAPS.keys() <= {source.id for source in SOURCES}


def test_what_was_seen_as_the_table_says_is_explained() -> None:
    assert unexplained(_SEEN, {"change Tags": Gap("ec2:DeleteTags", "isn't there")}) == []


@pytest.mark.parametrize(
    ("gaps", "says"),
    [
        ({}, "change Tags: AwsFault"),
        ({"change Tags": Gap("ec2:CreateTags", "isn't there")}, "ec2:CreateTags, which wasn't called"),
        (
            {"change Tags": Gap("ec2:DeleteTags", "isn't there"), "repeat": Gap("ec2:CreateVpc", "has no token")},
            "repeat: ec2:CreateVpc has no token, says gaps.yaml, but it isn't so",
        ),
    ],
)
def test_all_else_is_told(gaps: dict[str, Gap], says: str) -> None:
    [problem] = unexplained(_SEEN, gaps)
    assert says in problem
