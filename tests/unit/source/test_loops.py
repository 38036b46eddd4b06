"""Templates with loops through the whole reading of plans: validated as written out, located where they are."""

from __future__ import annotations

from pathlib import Path

from reconciler.model.ids import PlanName
from tests.unit.source._plans import TEMPLATED, load

LOOPED = """\
Transform: AWS::LanguageExtensions
Parameters:
  Cidr: {Type: CommaDelimitedList}
Resources:
  Fn::ForEach::Networks:
    - Net
    - !Ref Cidr
    - Vpc&{Net}:
        Type: AWS::EC2::VPC
        Properties:
          CidrBlock: !Ref Net
"""


def files(root: Path, template: str, plan: str = TEMPLATED) -> None:
    (root / "plan.yaml").write_text(plan)
    (root / "web.cfn.yaml").write_text(template)


def test_a_template_with_loops_is_a_plan(tmp_path: Path) -> None:
    files(tmp_path, LOOPED)
    snapshot = load(tmp_path)
    assert snapshot.invalid == {}
    assert list(snapshot.plans[PlanName("dev-web")].resources) == ["Vpc10200016"]


def test_what_a_loop_makes_is_validated_and_located_at_the_loop(tmp_path: Path) -> None:
    files(tmp_path, LOOPED.replace("CidrBlock:", "CidrBloc:"))
    problems = load(tmp_path).invalid["dev-web"]
    assert {(problem.file, problem.line) for problem in problems} == {("web.cfn.yaml", 5)}
    assert any("CidrBloc" in problem.message for problem in problems)


def test_ignore_may_name_what_a_loop_makes_and_nothing_else(tmp_path: Path) -> None:
    ignoring = TEMPLATED + "  ignore: [{resource: Vpc10200016, path: /Tags}]\n"
    files(tmp_path, LOOPED, ignoring)
    assert load(tmp_path).invalid == {}
    files(tmp_path, LOOPED, ignoring.replace("Vpc10200016", "Vpc10200017"))
    (problem,) = load(tmp_path).invalid["dev-web"]
    assert "no resource Vpc10200017" in problem.message


def test_loops_may_stand_in_a_plan_itself(tmp_path: Path) -> None:
    plan = TEMPLATED[: TEMPLATED.index("  parameters:")] + (
        "  resources:\n"
        "    Fn::ForEach::Queues:\n"
        "      - Name\n"
        "      - [Jobs, Mail]\n"
        "      - {'Queue${Name}': {Type: AWS::SQS::Queue, Properties: {QueueName: !Sub '${Name}-q'}}}\n"
    )
    (tmp_path / "plan.yaml").write_text(plan)
    snapshot = load(tmp_path)
    assert snapshot.invalid == {}
    assert set(snapshot.plans[PlanName("dev-web")].resources) == {"QueueJobs", "QueueMail"}
