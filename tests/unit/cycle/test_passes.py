"""The flow of a pass, end to end over a world in memory: what is done, what is left alone, what is remembered."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import replace

import pytest

from reconciler.model.codec import to_json
from reconciler.model.decision import Mode
from reconciler.model.errors import AwsFault, FaultKind, PipelineError, PolicyUnavailable, StoreError
from reconciler.model.events import StepFinished
from reconciler.model.ids import LogicalId
from reconciler.model.plan import Delivery, IgnoreRule, RollbackPolicy
from reconciler.model.report import PlanState, StepState
from reconciler.model.resource import SyncState
from reconciler.model.values import Sensitive
from reconciler.testing.world import FakeProviders
from tests.unit.cycle.conftest import NETWORK, Rig, make_plan

VPC, SUBNET, GROUP, QUEUE = "AWS::EC2::VPC", "AWS::EC2::Subnet", "AWS::EC2::SecurityGroup", "AWS::SQS::Queue"


def network(**properties: dict) -> dict:
    resources = deepcopy(NETWORK)
    for name, values in properties.items():
        resources[name]["Properties"].update(values)
    return resources


def test_first_pass_creates_everything_in_dependency_order(rig: Rig) -> None:
    report = rig.run(make_plan(NETWORK))
    assert report.state is PlanState.IN_SYNC, report.message
    assert rig.verbs().index(("create", "Vpc")) < rig.verbs().index(("create", "Subnet"))
    (vpc,) = rig.world.of(VPC)
    (subnet,) = rig.world.of(SUBNET).values()
    assert subnet["VpcId"] == vpc
    assert {"Key": "reconciler:plan", "Value": "demo"} in subnet["Tags"]
    assert {step.validation for step in report.steps} == {"passed"}
    assert set(rig.store.records("demo")) == set(NETWORK)


def test_second_pass_changes_nothing(rig: Rig) -> None:
    rig.run(make_plan(NETWORK))
    report = rig.run(make_plan(NETWORK))
    assert (report.state, report.changes, rig.world.log) == (PlanState.IN_SYNC, (), [])


def test_drift_is_named_and_repaired(rig: Rig) -> None:
    plan = make_plan(NETWORK)
    rig.run(plan)
    (queue,) = rig.world.of(QUEUE).values()
    queue["DelaySeconds"] = 60
    report = rig.run(plan)
    assert [(c.logical_id, [f["path"] for f in c.fields]) for c in report.changes] == [("Queue", ["/DelaySeconds"])]
    assert report.changes[0].fields[0]["reason"] == "drift"
    assert rig.world.of(QUEUE)[next(iter(rig.world.of(QUEUE)))]["DelaySeconds"] == 5
    assert rig.run(plan).changes == ()


def test_a_tag_taken_away_is_put_back_and_a_foreign_tag_is_left(rig: Rig) -> None:
    plan = make_plan(network(Vpc={"Tags": [{"Key": "Name", "Value": "main"}]}))
    rig.run(plan)
    (vpc,) = rig.world.of(VPC).values()
    vpc["Tags"] = [tag for tag in vpc["Tags"] if tag["Key"] != "Name"] + [{"Key": "cost", "Value": "42"}]
    report = rig.run(plan)
    assert [f["path"] for f in report.changes[0].fields] == ["/Tags/Name"]
    tags = {tag["Key"]: tag["Value"] for tag in vpc["Tags"]}
    assert tags["Name"] == "main"
    assert tags["cost"] == "42"


def test_a_field_the_plan_stops_setting_is_taken_back(rig: Rig) -> None:
    rig.run(make_plan(network(Queue={"VisibilityTimeout": 77})))
    rig.run(make_plan(NETWORK))
    (queue,) = rig.world.of(QUEUE).values()
    assert "VisibilityTimeout" not in queue
    assert rig.run(make_plan(NETWORK)).changes == ()


def test_a_deleted_resource_is_made_again_and_its_dependants_follow(rig: Rig) -> None:
    plan = make_plan(NETWORK)
    rig.run(plan)
    rig.world.resources.pop((SUBNET, next(iter(rig.world.of(SUBNET)))))
    report = rig.run(plan)
    assert [(c.action, c.logical_id) for c in report.changes] == [("create", "Subnet")]
    assert len(rig.world.of(SUBNET)) == 1


def test_a_create_only_change_replaces_and_dependants_move_before_the_old_one_goes(rig: Rig) -> None:
    rig.run(make_plan(NETWORK))
    report = rig.run(make_plan(network(Vpc={"CidrBlock": "10.9.0.0/16"})))
    assert report.state is PlanState.IN_SYNC, report.message
    actions = {c.logical_id: c.action for c in report.changes}
    assert actions == {"Vpc": "replace", "Subnet": "replace", "Group": "replace"}
    assert [value["CidrBlock"] for value in rig.world.of(VPC).values()] == ["10.9.0.0/16"]
    (vpc,) = rig.world.of(VPC)
    assert [value["VpcId"] for value in rig.world.of(SUBNET).values()] == [vpc]
    assert rig.verbs()[-1] == ("delete", "Vpc")
    assert set(rig.store.records("demo")) == set(NETWORK)


def test_a_replacement_whose_name_is_taken_by_the_old_one_deletes_first(rig: Rig) -> None:
    rig.run(make_plan(NETWORK))
    report = rig.run(make_plan(network(Queue={"FifoQueue": True})))
    assert report.state is PlanState.IN_SYNC, report.message
    assert rig.verbs() == [("delete", "Queue"), ("create", "Queue")]


def test_prune_deletes_in_reverse_and_keeps_what_is_retained(rig: Rig) -> None:
    resources = deepcopy(NETWORK)
    resources["Queue"]["DeletionPolicy"] = "Retain"
    rig.run(make_plan(resources))
    report = rig.run(make_plan({"Topic": {"Type": "AWS::SNS::Topic", "Properties": {"TopicName": "t"}}}))
    assert report.state is PlanState.IN_SYNC, report.message
    assert rig.verbs().index(("delete", "Subnet")) < rig.verbs().index(("delete", "Vpc"))
    assert list(rig.world.of(VPC)) == []
    assert len(rig.world.of(QUEUE)) == 1
    assert set(rig.store.records("demo")) == {"Topic"}


def test_without_prune_orphans_are_kept_and_reported(rig: Rig) -> None:
    rig.run(make_plan(NETWORK))
    report = rig.run(make_plan({"Vpc": NETWORK["Vpc"]}, prune=False))
    assert report.state is PlanState.IN_SYNC
    orphans = {s.logical_id for s in report.resources if s.state is SyncState.ORPHANED}
    assert orphans == {"Subnet", "Group", "Queue"}
    assert len(rig.world.of(SUBNET)) == 1


def test_absent_deletes_all_that_the_plan_owns(rig: Rig) -> None:
    rig.run(make_plan(NETWORK))
    rig.world.resources["AWS::SQS::Queue", "other"] = {"QueueName": "other"}
    report = rig.run(make_plan(NETWORK, absent=True))
    assert report.state is PlanState.IN_SYNC, report.message
    assert list(rig.world.resources) == [("AWS::SQS::Queue", "other")]
    assert rig.store.records("demo") == {}
    assert rig.run(make_plan(NETWORK, absent=True)).changes == ()


def test_what_an_endpoint_has_no_call_for_does_not_keep_a_resource_from_being_deleted(rig: Rig) -> None:
    """Older regions and emulators lack some; everything else is still remembered for an undo."""
    rig.run(make_plan(NETWORK))
    rig.world.lacking = frozenset({"InstanceTenancy", "KmsMasterKeyId"})
    report = rig.run(make_plan(NETWORK, absent=True))
    assert report.state is PlanState.IN_SYNC, report.message
    assert rig.world.resources == {}


def test_a_property_of_the_plan_that_an_endpoint_has_no_call_for_is_unknown(rig: Rig) -> None:
    rig.run(make_plan(NETWORK))
    rig.world.lacking = frozenset({"CidrBlock"})
    report = rig.run(make_plan(NETWORK))
    assert SyncState.UNKNOWN in {one.state for one in report.resources}
    assert report.state is not PlanState.IN_SYNC


def test_losing_the_store_loses_nothing(rig: Rig) -> None:
    rig.run(make_plan(NETWORK))
    before = rig.world.snapshot()
    rig.store = type(rig.store)()
    rig.restart()
    report = rig.run(make_plan(NETWORK))
    assert (report.state, rig.world.log, rig.world.resources) == (PlanState.IN_SYNC, [], before)
    assert set(rig.store.records("demo")) == set(NETWORK)


def test_a_name_taken_by_a_stranger_is_a_conflict_and_nothing_is_done(rig: Rig) -> None:
    rig.world.resources[QUEUE, "https://queue/jobs"] = {"QueueName": "jobs", "QueueUrl": "https://queue/jobs"}
    resources = deepcopy(NETWORK)
    resources["Queue"]["Properties"]["QueueUrl"] = "https://queue/jobs"
    report = rig.run(make_plan(resources))
    assert report.state is PlanState.FAILED
    assert report.error_reason == "already_exists"
    assert "no plan owns it" in report.message
    assert rig.world.log == []


def test_adoption_takes_over_without_recreating(rig: Rig) -> None:
    rig.world.resources[VPC, "vpc-9"] = {"VpcId": "vpc-9", "CidrBlock": "10.0.0.0/16", "Tags": []}
    resources = {"Vpc": {**NETWORK["Vpc"], "Metadata": {"Reconciler": {"adopt": "vpc-9"}}}}
    report = rig.run(make_plan(resources))
    assert report.state is PlanState.IN_SYNC, report.message
    assert [(c.action, c.identifier) for c in report.changes] == [("adopt", "vpc-9")]
    assert list(rig.world.of(VPC)) == ["vpc-9"]
    assert rig.store.records("demo")[LogicalId("Vpc")].adopted
    assert rig.run(make_plan(resources)).changes == ()


def test_adoption_that_would_replace_is_a_conflict(rig: Rig) -> None:
    rig.world.resources[VPC, "vpc-9"] = {"VpcId": "vpc-9", "CidrBlock": "10.1.0.0/16", "Tags": []}
    resources = {"Vpc": {**NETWORK["Vpc"], "Metadata": {"Reconciler": {"adopt": "vpc-9"}}}}
    report = rig.run(make_plan(resources))
    assert report.state is PlanState.FAILED
    assert "/CidrBlock would force a replacement" in report.message
    assert rig.world.log == []


def test_ignored_fields_are_neither_drift_nor_overwritten(rig: Rig) -> None:
    plan = make_plan(NETWORK, ignore=(IgnoreRule("Queue", "/DelaySeconds"),))
    rig.run(plan)
    (queue,) = rig.world.of(QUEUE).values()
    queue["DelaySeconds"] = 9
    assert rig.run(plan).changes == ()
    queue["VisibilityTimeout"] = 1
    rig.run(make_plan(network(Queue={"VisibilityTimeout": 50}), ignore=plan.ignore))
    assert (queue["DelaySeconds"], queue["VisibilityTimeout"]) == (9, 50)


def test_unreadable_is_unknown_and_nothing_is_done(rig: Rig) -> None:
    plan = make_plan(NETWORK)
    rig.run(plan)
    rig.world.unreadable[VPC] = AwsFault(FaultKind.ACCESS_DENIED, "no ec2:DescribeVpcs", service="ec2")
    (queue,) = rig.world.of(QUEUE).values()
    queue["DelaySeconds"] = 60
    report = rig.run(plan)
    assert report.state is PlanState.FAILED
    assert {s.logical_id for s in report.resources if s.state is SyncState.UNKNOWN} == {"Vpc", "Subnet", "Group"}
    assert rig.world.log == []
    assert rig.policy.facts[-1].missing_permissions


@pytest.mark.parametrize("victim", ["Vpc", "Subnet", "Group", "Queue"])
@pytest.mark.parametrize("applied", [False, True])
def test_a_failed_create_rolls_everything_back(rig: Rig, victim: str, applied: bool) -> None:
    before = rig.world.snapshot()
    rig.world.fail["create", victim] = [AwsFault(FaultKind.QUOTA, "no more")]
    if applied:
        rig.world.after_effect.add(("create", victim))
    report = rig.run(make_plan(NETWORK))
    assert report.state is PlanState.FAILED
    assert "rolled back" in report.message
    assert rig.world.resources == before
    assert rig.store.records("demo") == {}


def test_a_failed_update_restores_the_live_state_it_started_from(rig: Rig) -> None:
    rig.run(make_plan(NETWORK))
    (queue,) = rig.world.of(QUEUE).values()
    queue["DelaySeconds"] = 60
    before = rig.world.snapshot()
    changed = network(Queue={"DelaySeconds": 7}, Vpc={"EnableDnsSupport": True})
    changed["Queue"]["DependsOn"] = "Vpc"
    rig.world.fail["update", "Queue"] = [AwsFault(FaultKind.INVALID_REQUEST, "no")]
    report = rig.run(make_plan(changed))
    assert report.state is PlanState.FAILED
    assert {step.id: step.state for step in report.steps}["Vpc:update"] is StepState.ROLLED_BACK
    assert rig.world.resources == before


def test_manual_rollback_stops_and_reports(rig: Rig) -> None:
    rig.world.fail["create", "Subnet"] = [AwsFault(FaultKind.QUOTA, "no more")]
    report = rig.run(make_plan({k: NETWORK[k] for k in ("Vpc", "Subnet")}, rollback=RollbackPolicy("manual")))
    assert report.state is PlanState.FAILED
    assert [(s.id, s.state) for s in report.steps] == [
        ("Vpc:create", StepState.DONE),
        ("Subnet:create", StepState.FAILED),
    ]
    assert len(rig.world.of(VPC)) == 1
    assert report.retry_after == 5.0
    assert rig.run(make_plan(NETWORK)).state is PlanState.IN_SYNC
    assert len(rig.world.of(VPC)) == 1


def test_steps_that_were_never_begun_are_pending(rig: Rig) -> None:
    rig.world.fail["create", "Vpc"] = [AwsFault(FaultKind.QUOTA, "no more")]
    report = rig.run(make_plan({k: NETWORK[k] for k in ("Vpc", "Subnet")}, rollback=RollbackPolicy("manual")))
    assert {s.id: s.state for s in report.steps}["Subnet:create"] is StepState.PENDING


def test_a_lost_answer_does_not_make_a_second_resource(rig: Rig) -> None:
    rig.world.fail["create", "Vpc"] = [AwsFault(FaultKind.TIMEOUT, "no answer", ambiguous=True)]
    rig.world.after_effect.add(("create", "Vpc"))
    report = rig.run(make_plan(NETWORK))
    assert report.state is PlanState.IN_SYNC, report.message
    assert len(rig.world.of(VPC)) == 1


def test_slow_resources_are_polled_with_progress(rig: Rig) -> None:
    rig.world.slow.add(VPC)
    report = rig.run(make_plan(NETWORK))
    assert report.state is PlanState.IN_SYNC
    assert rig.clock.slept.count(1.0) == 1


def test_live_state_that_moves_between_diff_and_call_is_decided_again(rig: Rig) -> None:
    plan = make_plan(network(Queue={"DelaySeconds": 6}))
    rig.run(make_plan(NETWORK))
    original = rig.policy.review

    def review(changes, facts):  # type: ignore[no-untyped-def]
        for live in rig.world.of(QUEUE).values():
            live["DelaySeconds"] = 99
        return original(changes, facts)

    rig.policy.review = review  # type: ignore[method-assign]
    report = rig.run(plan)
    assert (report.error_reason, report.retry_after) == ("stale", 1.0)
    assert rig.world.log == []


@pytest.mark.parametrize(("mode", "state"), [(Mode.WAIT, PlanState.PENDING_APPROVAL), (Mode.DENY, PlanState.DENIED)])
def test_without_permission_nothing_is_done(rig: Rig, mode: Mode, state: PlanState) -> None:
    rig.policy.mode = mode
    report = rig.run(make_plan(NETWORK))
    assert (report.state, rig.world.log, len(report.changes)) == (state, [], 4)


def test_admission_denied_means_no_call_at_all(rig: Rig) -> None:
    rig.policy.admission = Mode.DENY
    assert rig.run(make_plan(NETWORK)).state is PlanState.DENIED
    assert rig.access.opened == []


def test_policy_without_an_answer_denies(rig: Rig) -> None:
    rig.policy.error = PolicyUnavailable("timeout", "no answer in 1.5 s")
    report = rig.run(make_plan(NETWORK))
    assert (report.state, rig.world.log) == (PlanState.DENIED, [])
    assert report.retry_after == 5.0


@pytest.mark.parametrize("environment", ["staging", "production", "elsewhere"])
def test_configuration_narrows_whatever_policy_says(rig: Rig, environment: str) -> None:
    report = rig.run(make_plan(NETWORK, environment))
    assert (report.state, rig.world.log) == (PlanState.DENIED, [])
    assert rig.access.opened[0][1] is True
    assert "read-only by configuration" in report.message


def test_the_pipeline_gets_the_whole_change_set(rig: Rig) -> None:
    rig.policy.mode = Mode.PIPELINE
    report = rig.run(make_plan(NETWORK, "production"))
    assert (report.state, rig.world.log) == (PlanState.PIPELINE_OPEN, [])
    assert [c.logical_id for c in rig.branches.published[0].changes] == ["Vpc", "Queue", "Subnet", "Group"]
    assert rig.store.records("demo") == {}


def test_wrong_account_denies(rig: Rig) -> None:
    plan = make_plan(NETWORK)
    report = rig.run(replace(plan, target=replace(plan.target, account="999999999999")))
    assert (report.state, report.error_reason) == (PlanState.DENIED, "wrong_account")


def test_unsupported_delivery_and_type_are_said_before_any_call(rig: Rig) -> None:
    rig.types = {VPC}
    rig.restart()
    report = rig.run(make_plan(NETWORK))
    assert report.state is PlanState.INVALID
    assert "AWS::SQS::Queue is not supported by this version" in report.message
    report = rig.run(replace(make_plan(NETWORK), delivery=Delivery.STACK))
    assert report.state is PlanState.INVALID
    assert '"stack" is not supported by this version' in report.message
    assert rig.access.opened == []


def test_a_store_that_cannot_be_written_stops_every_mutation(rig: Rig) -> None:
    def broken() -> None:
        raise StoreError("disk full")

    rig.store.ping = broken  # type: ignore[method-assign]
    report = rig.run(make_plan(NETWORK))
    assert (report.state, rig.world.log) == (PlanState.FAILED, [])


def test_failures_back_off_and_success_resets(rig: Rig) -> None:
    rig.access.fault = AwsFault(FaultKind.UNAVAILABLE, "down")
    plan = make_plan(NETWORK)
    assert [rig.run(plan).retry_after for _ in range(4)] == [5.0, 10.0, 20.0, 40.0]
    rig.access.fault = None
    assert rig.run(plan).retry_after is None
    assert rig.store.status("demo").failures == 0


def test_stopping_finishes_the_step_in_hand_and_begins_no_other(rig: Rig) -> None:
    original = rig.events.emit

    def emit(event):  # type: ignore[no-untyped-def]
        original(event)
        if isinstance(event, StepFinished):
            rig.cycle.stop()

    rig.events.emit = emit  # type: ignore[method-assign]
    report = rig.run(make_plan({k: NETWORK[k] for k in ("Vpc", "Subnet")}))
    assert report.state is PlanState.DRIFTED
    assert "interrupted after 1 of 2 steps" in report.message
    assert rig.store.unfinished("demo") == []


def test_suspended_plans_are_left_alone(rig: Rig) -> None:
    assert rig.run(make_plan(NETWORK, suspend=True)).state is PlanState.SUSPENDED
    assert rig.access.opened == []


def test_preview_does_nothing(rig: Rig) -> None:
    preview = rig.cycle.preview(make_plan(NETWORK), ())
    assert preview.changes is not None
    assert len(preview.changes.changes) == 4
    assert (rig.world.log, rig.store.statuses()) == ([], [])


def test_the_change_digest_binds_to_content_and_not_to_the_moment(rig: Rig) -> None:
    first = rig.cycle.preview(make_plan(NETWORK), ()).changes
    rig.clock.advance(60)
    again = rig.cycle.preview(make_plan(NETWORK), ()).changes
    other = rig.cycle.preview(make_plan(network(Queue={"DelaySeconds": 6})), ()).changes
    assert first is not None and again is not None and other is not None
    assert first.digest == again.digest != other.digest


def test_a_drift_lasts_until_a_pass_sees_that_it_is_gone(rig: Rig) -> None:
    rig.policy.mode = Mode.WAIT
    plan = make_plan(NETWORK)
    rig.run(plan)
    since = rig.store.status("demo").drift_since
    rig.clock.advance(600)
    rig.access.fault = AwsFault(FaultKind.UNAVAILABLE, "down")
    rig.run(plan)
    assert rig.store.status("demo").drift_since == since is not None


CANARY = "canary-7f3a"


def test_a_secret_goes_to_aws_and_nowhere_else(rig: Rig, capsys: pytest.CaptureFixture[str]) -> None:
    """Set, changed behind the back, changed in the plan, failing, taken out: it shows up nowhere."""

    def plan(value: str, **changes) -> object:  # type: ignore[no-untyped-def]
        made = make_plan({"Queue": NETWORK["Queue"]}, **changes)
        resource = made.resources[LogicalId("Queue")]
        hidden = replace(resource, properties={"QueueName": "jobs", "KmsMasterKeyId": Sensitive(value)})
        return replace(made, resources={LogicalId("Queue"): hidden})

    rig.run(plan(CANARY))
    (live,) = rig.world.of(QUEUE).values()
    assert live["KmsMasterKeyId"] == CANARY
    live["KmsMasterKeyId"] = f"{CANARY}-drifted"
    rig.run(plan(CANARY))
    assert live["KmsMasterKeyId"] == CANARY
    rig.run(plan(f"{CANARY}-new"))
    rig.world.fail["update", "Queue"] = [AwsFault(FaultKind.INVALID_REQUEST, "no")]
    rig.run(plan(f"{CANARY}-newer"))
    rig.run(make_plan({"Queue": {"Type": QUEUE, "Properties": {"QueueName": "jobs"}}}))
    assert "KmsMasterKeyId" not in live
    rig.run(plan(CANARY))
    rig.run(plan(CANARY, absent=True))
    kept = [to_json(report) + to_json(status) for report, status in rig.recorded.reports]
    kept += [to_json(entry) for report, _ in rig.recorded.reports for entry in rig.store.journal(report.run)]
    kept += [to_json(changes.changes) for changes in rig.policy.reviewed]
    kept += [repr(event) for event in rig.events.events] + list(capsys.readouterr())
    assert [text for text in kept if CANARY in text] == []


def test_an_unsupported_property_is_said_before_any_call(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    original = FakeProviders.get

    def get(self: FakeProviders, type_name: str) -> object:
        provider = original(self, type_name)  # type: ignore[arg-type]
        provider.supported -= {"DelaySeconds"}  # type: ignore[union-attr, misc]
        return provider

    monkeypatch.setattr(FakeProviders, "get", get)
    report = rig.run(make_plan(NETWORK))
    assert report.state is PlanState.INVALID
    assert "property DelaySeconds of AWS::SQS::Queue is not supported by this version" in report.message
    assert rig.access.opened == []


def test_a_pipeline_that_fails_still_reports_what_it_was_about(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    def publish(changes: object, decision: object) -> None:
        raise PipelineError("the remote is down")

    rig.policy.mode = Mode.PIPELINE
    monkeypatch.setattr(rig.branches, "publish", publish)
    report = rig.run(make_plan(NETWORK, "production"))
    assert (report.state, report.error_reason, report.retry_after) == (PlanState.FAILED, "pipeline", 5.0)
    assert len(report.changes) == 4
    assert report.decision is not None


def test_git_is_asked_to_retire_only_a_branch_that_is_open(rig: Rig) -> None:
    rig.policy.mode = Mode.PIPELINE
    plan = make_plan(NETWORK, "production")
    assert rig.run(plan).state is PlanState.PIPELINE_OPEN
    deployed = Rig()
    deployed.run(make_plan(NETWORK))
    rig.world.resources = deployed.world.resources
    for _ in range(3):
        assert rig.run(plan).state is PlanState.IN_SYNC
    assert len(rig.branches.retired) == 1
