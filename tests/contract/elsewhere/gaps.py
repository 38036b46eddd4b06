"""What the second emulator does otherwise than AWS: ``gaps.yaml``, read."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import yaml

from tests.contract.elsewhere.life import Sight


@dataclass(frozen=True)
class Gap:
    """``call`` shows it; ``does``: what the emulator makes of it."""

    call: str
    does: str


def _read() -> Mapping[str, Mapping[str, Gap]]:
    found: dict[str, dict[str, Gap]] = defaultdict(dict)
    for sentence, spoiled in yaml.safe_load(Path(__file__).with_name("gaps.yaml").read_text()).items():
        call, _, does = sentence.partition(" ")
        for case, steps in spoiled.items():
            for step in steps:
                assert step not in found[case], f"gaps.yaml has {step!r} of {case} twice"
                found[case][step] = Gap(call, does)
    return found


#: By case and step (see ``life``).
GAPS = _read()


def unexplained(seen: Mapping[str, Sight], gaps: Mapping[str, Gap]) -> list[str]:
    """Where what was seen and the table say different things."""
    new = [
        f"{step}: {sight.text} (calls: {', '.join(sorted(sight.calls))}); mend the provider, or say so in gaps.yaml"
        for step, sight in seen.items()
        if step not in gaps
    ]
    untrue = [
        f"{step}: {gap.call} {gap.does}, says gaps.yaml, but it isn't so: take it out of there"
        for step, gap in gaps.items()
        if step not in seen
    ]
    elsewhere = [
        f"{step}: gaps.yaml says {gap.call}, which wasn't called, but {', '.join(sorted(seen[step].calls))}"
        for step, gap in gaps.items()
        if step in seen and gap.call not in seen[step].calls
    ]
    return [*new, *untrue, *elsewhere]
