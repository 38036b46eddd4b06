"""The records that parallel steps share."""

from __future__ import annotations

from structlog.testing import capture_logs

from reconciler.apply.notes import Notes
from reconciler.model.ids import Identifier, LogicalId, PlanName, TypeName
from reconciler.model.resource import Record
from tests.unit.cycle.conftest import NETWORK, Rig, make_plan


def record(name: str) -> Record:
    return Record(PlanName("p"), LogicalId(name), TypeName("AWS::SQS::Queue"), Identifier(f"url-{name}"), "1", "r", {})


def test_whoever_goes_through_them_sees_no_change_of_another_step() -> None:
    notes = Notes({LogicalId("A"): record("A")})
    names = iter(notes.records)
    assert next(names) == "A"
    notes.put(record("B"))
    notes.drop(LogicalId("A"))
    assert list(names) == []
    assert notes.records == {"B": record("B")}
    notes.drop(LogicalId("C"))
    notes.put(record("B"))
    assert list(notes.records) == ["B"]


def test_a_bug_in_a_step_is_logged_with_its_traceback() -> None:
    rig = Rig()
    rig.world.fail["create", "Vpc"] = [ValueError("surprise")]  # type: ignore[list-item]
    with capture_logs() as lines:
        report = rig.run(make_plan(NETWORK))
    (line,) = [line for line in lines if line["event"] == "step failed unexpectedly"]
    assert (line["step"], line["log_level"], line["exc_info"]) == ("Vpc:create", "error", True)
    assert report.state.value == "failed"
