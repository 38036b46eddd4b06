"""Templates that nobody here wrote, deployed: as a plan in one account, as a stack of moto's CloudFormation in another.

Each template passes four stages: both accounts hold the same by describe calls; a second pass finds no difference and
makes no mutating call; every mutable property that is changed behind the plan's back is reported, and nothing else is,
and put right; and when the plan is withdrawn, with approval, nothing is left.

By default a sample is taken, which has to pass as a whole. ``RECONCILER_CORPUS=full`` takes all, in as many processes
as there are processors, and asks for nine tenths. ``pytest tests/corpus/deploying -s`` prints the tables.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.corpus.deploying.everything import judge, judge_apart
from tests.corpus.deploying.tables import lines
from tests.corpus.deploying.templates import named, templates

FULL = os.environ.get("RECONCILER_CORPUS") == "full"
#: how many of the tested templates have to pass all four stages
ENOUGH = 0.9
#: what the default run takes: between them most services, and little of what is slow
SAMPLE: tuple[str, ...] = (
    "corpus/good/resources/dynamodb/attributes.yaml",
    "corpus/integration/yaml-alias.yaml",
    "corpus/troposphere/IAM_Roles_and_InstanceProfiles.json",
    "corpus/troposphere/SQSDLQ.json",
)


@pytest.mark.timeout(7200 if FULL else 180)
def test_templates_pass_all_four_stages(tmp_path: Path) -> None:
    results = judge_apart(templates()) if FULL else judge((named(title) for title in SAMPLE), tmp_path)
    print("\n" + "\n".join(lines(results)))
    tested = [result for result in results if not result.excluded]
    failed = {result.title: result.failures for result in tested if not result.passed}
    if FULL:
        assert len(tested) >= 60
        assert len(failed) <= (1 - ENOUGH) * len(tested), failed
    else:
        assert failed == {}
        assert len(tested) == len(SAMPLE)
    assert sum(result.changed for result in tested) >= len(tested) / 2
