"""What became of the templates, as tables for people."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from tests.corpus.deploying.stages import STAGES, Result


def lines(results: Sequence[Result]) -> Iterator[str]:
    """Everything: what was tested, what passed, and why the rest didn't."""
    tested = [result for result in results if not result.excluded]
    yield from counted(f"templates of others: {len(results)}, not tested", _excluded(results))
    for title, rows in (
        ("tested", tested),
        ("  valid by the provider schemas", [result for result in tested if result.valid]),
        ("  with faults by them, which were overlooked", [result for result in tested if not result.valid]),
    ):
        yield f"{title}: {len(rows)} templates, {_resources(rows)} resources of {len(_types(rows))} types"
        yield f"    all four stages: {_share(sum(row.passed for row in rows), len(rows))}"
        for stage in STAGES:
            yield f"    {stage}: {_share(sum(stage not in row.failures for row in rows), len(rows))}"
    yield f"properties changed behind the plans' backs, each seen and put right: {sum(row.changed for row in tested)}"
    yield from counted("properties not tried", _summed(result.untried for result in tested))
    otherwise = Counter(why for row in tested for why in row.emulator)
    yield from counted("what moto does otherwise than AWS, by templates", otherwise)
    yield from counted("types in the tested templates", _types(tested))
    yield from failures(tested)


def failures(results: Iterable[Result]) -> Iterator[str]:
    """Each failure with its cause, the most frequent ones first."""
    found: dict[tuple[str, str], list[str]] = {}
    for result in results:
        for stage, causes in result.failures.items():
            for cause in causes:
                found.setdefault((stage, cause), []).append(result.title)
    yield f"failures by reason: {len(found)}"
    for (stage, cause), titles in sorted(found.items(), key=lambda item: (-len(item[1]), item[0])):
        yield f"  {len(titles):5}  {stage}: {cause}"
        yield from (f"           {title}" for title in titles[:4])


def counted(title: str, counts: Counter[str]) -> Iterator[str]:
    """Lines that show counts, largest first."""
    yield f"{title}: {sum(counts.values())}"
    for reason, count in sorted(counts.items(), key=lambda item: (-item[1], item[0])):
        yield f"  {count:5}  {reason}"


def _excluded(results: Iterable[Result]) -> Counter[str]:
    return Counter(result.excluded for result in results if result.excluded)


def _types(results: Iterable[Result]) -> Counter[str]:
    return _summed(result.types for result in results)


def _resources(results: Iterable[Result]) -> int:
    return sum(_types(results).values())


def _summed(counts: Iterable[dict[str, int]]) -> Counter[str]:
    total: Counter[str] = Counter()
    for one in counts:
        total.update(one)
    return total


def _share(part: int, whole: int) -> str:
    return f"{part} of {whole} ({100 * part / whole:.0f} %)" if whole else "none"
