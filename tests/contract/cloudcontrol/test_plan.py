"""A plan of many types, with references between them, through the cycle: nothing but Cloud Control makes them."""

from __future__ import annotations

import json
from typing import Any

import pytest

from reconciler.model.ids import PlanName
from reconciler.model.report import PlanState
from reconciler.schema import schema_for
from reconciler.testing.cloudcontrol import CloudControlApi, Failure
from tests.contract.cloudcontrol.rig import Rig, plan_of
from tests.schemas.generator import minimal

#: One or two of each of many services; what they refer to is among them.
TYPES = """
    ACMPCA::CertificateAuthority APS::Workspace AccessAnalyzer::Analyzer AmazonMQ::Broker Amplify::App
    ApiGateway::RestApi ApiGatewayV2::Api AppConfig::Application AppRunner::Service AppSync::GraphQLApi
    Athena::WorkGroup AutoScaling::AutoScalingGroup Backup::BackupVault Batch::ComputeEnvironment Budgets::BudgetsAction
    Cassandra::Keyspace CloudFront::Distribution CloudTrail::Trail CloudWatch::Alarm CodeArtifact::Domain
    CodePipeline::Pipeline Cognito::UserPool Config::ConfigRule DMS::Endpoint DynamoDB::GlobalTable EC2::Instance
    ECR::Repository ECS::Cluster EFS::FileSystem EKS::Cluster ElastiCache::ReplicationGroup Events::Rule
    Glue::Job GuardDuty::Detector IAM::Group ImageBuilder::Component IoT::Thing KMS::Key Kinesis::Stream
    Lambda::Function Location::Map MSK::Cluster MemoryDB::Cluster Neptune::DBCluster OpenSearchService::Domain
    Pipes::Pipe QLDB::Ledger RDS::DBInstance Redshift::Cluster Route53::HostedZone SES::ConfigurationSet
    SNS::Topic SQS::Queue SSM::Document Scheduler::Schedule SecretsManager::Secret StepFunctions::StateMachine
    Synthetics::Canary Timestream::Database Transfer::Server WAFv2::IPSet
""".split()  # noqa: SIM905 - sixty quotes would be harder to read
KNOWN = [f"AWS::{name}" for name in TYPES if (schema := schema_for(f"AWS::{name}")) is not None and schema.manageable]


def estate() -> dict[str, Any]:
    """Every type once, and three that refer to others."""
    resources: dict[str, Any] = {}
    for name in KNOWN:
        schema = schema_for(name)
        assert schema is not None
        short = "".join(part for part in name.split("::")[1:])
        properties = minimal(schema)
        resources[short] = {"Type": name, "Properties": properties, "DeletionPolicy": "Delete"}
    resources["Stage"] = {
        "Type": "AWS::ApiGateway::Resource",
        "Properties": {
            "RestApiId": {"Ref": "ApiGatewayRestApi"},
            "ParentId": {"Fn::GetAtt": ["ApiGatewayRestApi", "RootResourceId"]},
            "PathPart": "x",
        },
    }
    resources["Consumer"] = {
        "Type": "AWS::Kinesis::StreamConsumer",
        "Properties": {"ConsumerName": "reader", "StreamARN": {"Fn::GetAtt": ["KinesisStream", "Arn"]}},
    }
    return resources


def verbs(rig: Rig) -> list[tuple[str, str]]:
    return sorted((verb, kind) for verb, kind, _identifier in rig.api.log)


def test_a_plan_of_sixty_types_lives_its_life() -> None:
    assert len(KNOWN) >= 50
    rig, resources = Rig(polls=2), estate()
    report = rig.run(plan_of(resources))
    assert report.state is PlanState.IN_SYNC, report.message
    assert len(rig.api.resources) == len(resources)
    (stream,) = rig.api.of("AWS::Kinesis::Stream").values()
    assert next(iter(rig.api.of("AWS::Kinesis::StreamConsumer").values()))["StreamARN"] == stream["Arn"]
    again = rig.run(plan_of(resources))
    assert (again.state, again.changes, rig.api.log) == (PlanState.IN_SYNC, (), [])
    assert rig.api.calls.keys() == {"GetResource"}
    assert rig.api.calls["GetResource"] == len(resources)

    stream["ShardCount"] = 77
    resources["KinesisStream"]["Properties"]["ShardCount"] = 2
    resources["EFSFileSystem"]["Properties"]["Encrypted"] = True  # can't be changed in place
    del resources["Consumer"]
    rig.run(plan_of(resources))
    assert verbs(rig) == [
        ("CREATE", "AWS::EFS::FileSystem"), ("DELETE", "AWS::EFS::FileSystem"),
        ("DELETE", "AWS::Kinesis::StreamConsumer"), ("UPDATE", "AWS::Kinesis::Stream"),
    ]  # fmt: skip
    assert next(iter(rig.api.of("AWS::Kinesis::Stream").values()))["ShardCount"] == 2

    report = rig.run(plan_of(resources, absent=True))
    assert (report.state, rig.api.resources) == (PlanState.IN_SYNC, {}), report.message


def test_losing_the_store_makes_nothing_twice_of_what_has_a_name_or_tags() -> None:
    rig, resources = Rig(), estate()
    for name in ("Stage", "Consumer"):  # neither tags nor a name of their own
        del resources[name]
    resources = {
        name: resource
        for name, resource in resources.items()
        if (schema := schema_for(resource["Type"])) is not None and schema.tag_property is not None
    }
    assert len(resources) >= 40
    rig.run(plan_of(resources))
    before = json.dumps(sorted(map(str, rig.api.resources)))
    rig.forget()
    report = rig.run(plan_of(resources))
    assert (report.state, rig.api.log) == (PlanState.IN_SYNC, []), report.message
    assert json.dumps(sorted(map(str, rig.api.resources))) == before


THING = {"Thing": {"Type": "AWS::APS::Workspace", "Properties": {"Alias": "x"}}}


@pytest.mark.parametrize("code", ["AccessDenied", "Throttling", "NotFound", "ServiceTimeout", "InvalidCredentials"])
def test_a_request_that_failed_is_over_whatever_its_code(code: str) -> None:
    """These kinds say of a poll that it couldn't be asked; in a progress event the request itself has failed."""
    rig = Rig(polls=1)
    rig.api.fail["CreateResource"].append(Failure(code, "no"))
    assert rig.run(plan_of(THING)).state is PlanState.FAILED
    assert not rig.store.unfinished(PlanName("demo"))
    rig.clock.sleep(3600)
    assert rig.run(plan_of(THING)).state is PlanState.IN_SYNC
    assert len(rig.api.resources) == 1


def test_what_never_got_ready_is_remembered_and_taken_back() -> None:
    rig = Rig(polls=1)
    rig.api.fail["CreateResource"].append(Failure("NotStabilized", "never got ready", effect=True))
    report = rig.run(plan_of(THING))
    assert report.state is PlanState.FAILED
    assert rig.api.resources == {}, "rolled back, though it carries no name"


def test_a_create_without_an_answer_is_found_and_not_made_again() -> None:
    rig = Rig()
    rig.api.fail["CreateResource"].append(Failure("HandlerFailureException", "cut off", raised=True, effect=True))
    assert rig.run(plan_of(THING)).state is PlanState.IN_SYNC
    assert len(rig.api.resources) == 1


def test_a_denied_handler_is_explained_by_the_permission_it_lacks() -> None:
    rig = Rig()
    said = "User: arn:aws:iam::111111111111:user/x is not authorized to perform: aps:CreateWorkspace on resource: *"
    rig.api.fail["CreateResource"].append(Failure("AccessDenied", said))
    (explained,) = [one for one in rig.run(plan_of(THING)).explanations if one.kind == "permission"]
    assert dict(explained.analysis)["Required permission"] == "aps:CreateWorkspace"
    rig.api.fail["CreateResource"].append(Failure("AccessDenied", "no"))
    rig.clock.sleep(3600)
    (explained,) = [one for one in rig.run(plan_of(THING)).explanations if one.kind == "permission"]
    assert "aps:CreateWorkspace" in dict(explained.analysis)["Required permission"]
    assert "cloudformation" not in dict(explained.analysis)["Required permission"]


class Killed(BaseException):
    """The process is gone."""


@pytest.mark.parametrize("polls", [0, 1, 40])
def test_killed_after_the_call_the_next_start_makes_nothing_twice(polls: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither tags nor a name: what was asked for is known by the client token alone."""
    mapping = {"Type": "AWS::ApiGatewayV2::ApiMapping", "Properties": {"ApiId": "a", "DomainName": "d", "Stage": "s"}}
    rig = Rig(polls)
    call = CloudControlApi.call

    def killed(api: CloudControlApi, operation: str, parameters: Any) -> Any:
        call(api, operation, parameters)
        raise Killed

    monkeypatch.setattr(
        CloudControlApi, "call", lambda *given: (killed if given[1] == "create_resource" else call)(*given)
    )
    with pytest.raises(Killed):
        rig.run(plan_of({"Mapping": mapping}))
    monkeypatch.setattr(CloudControlApi, "call", call)
    rig.clock.sleep(60)
    report = rig.run(plan_of({"Mapping": mapping}))
    assert report.state is PlanState.IN_SYNC, report.message
    assert len(rig.api.resources) == 1
    again = rig.run(plan_of({"Mapping": mapping}))
    assert (again.state, rig.api.log) == (PlanState.IN_SYNC, [])
