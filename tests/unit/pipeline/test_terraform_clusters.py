"""Clusters, brokers, VPN endpoints and classic firewalls, which the awscc provider lacks, written with aws."""

from __future__ import annotations

from typing import Any

import pytest
from pipeline_builders import CANARY, ref, resource
from pipeline_lacking import files, main_of, refused

from reconciler.model.ids import Identifier, LogicalId
from reconciler.model.plan import PlannedResource
from reconciler.model.values import Sensitive

NODES = {"InstanceCount": 1, "InstanceType": "m5.xlarge"}


def emr(instances: dict[str, Any], **settings: Any) -> PlannedResource:
    given = {"Name": "e", "ReleaseLabel": "emr-7.0.0", "JobFlowRole": "nodes", "ServiceRole": "s"}
    return resource("Emr", "AWS::EMR::Cluster", {**given, "Instances": instances, **settings})


def test_a_clusters_place_is_one_block_and_its_documents_are_json() -> None:
    configured = [{"Classification": "c", "ConfigurationProperties": {"a": "1"}, "Configurations": []}]
    step = {"Name": "n", "ActionOnFailure": "CONTINUE", "HadoopJarStep": {"Jar": "j"}}
    main = main_of(
        emr(
            {"Ec2KeyName": "k", "AdditionalMasterSecurityGroups": ["sg-1", "sg-2"], "MasterInstanceGroup": NODES},
            Applications=[{"Name": "Hive"}, {"Name": "Spark"}],
            Configurations=configured,
            Steps=[step],
        )
    )
    assert (
        '  ec2_attributes {\n    additional_master_security_groups = "sg-1,sg-2"\n'
        '    instance_profile                  = "nodes"\n    key_name                          = "k"\n'
    ) in main
    assert 'applications = ["Hive", "Spark"]' in main
    assert '      Properties = {\n        a = "1"\n' in main
    assert '  step {\n    action_on_failure = "CONTINUE"\n' in main
    assert "Emr/Applications/0: " in refused(emr({}, Applications=[{"Name": "Hive", "Version": "3"}]))


@pytest.mark.parametrize(
    ("group", "said"),
    [
        ({"Market": "ON_DEMAND"}, True),
        ({"Market": "SPOT", "BidPrice": "0.1"}, True),
        ({"Market": "SPOT"}, False),
        ({"Market": "ON_DEMAND", "BidPrice": "0.1"}, False),
    ],
)
def test_a_bid_says_which_market_instances_are_from(group: dict[str, Any], said: bool) -> None:
    cluster = emr({"CoreInstanceGroup": {**NODES, **group}})
    if said:
        assert ("bid_price" in main_of(cluster)) == ("BidPrice" in group)
    else:
        assert "Emr/Instances/CoreInstanceGroup/Market" in refused(cluster)


def test_a_scaling_policy_is_a_resource_that_is_imported_with_its_cluster() -> None:
    limits = {"ComputeLimits": {"MaximumCapacityUnits": 3, "MinimumCapacityUnits": 1, "UnitType": "Instances"}}
    name = LogicalId("Emr")
    known = {"identifiers": {name: Identifier("j-1")}, "live": {name: {"ManagedScalingPolicy": limits}}}
    found = files(emr({}, ManagedScalingPolicy=limits), **known)
    assert (
        'resource "aws_emr_managed_scaling_policy" "emr" {\n  cluster_id = aws_emr_cluster.emr.id' in found["main.tf"]
    )
    assert 'to = aws_emr_managed_scaling_policy.emr\n  id = "j-1"' in found["imports.tf"]


def test_a_domains_logs_are_a_block_for_each_kind() -> None:
    logs: dict[str, Any] = {"ES_APPLICATION_LOGS": {"CloudWatchLogsLogGroupArn": "a", "Enabled": True}}
    unfinished = {"DomainName": "d", "LogPublishingOptions": {**logs, "AUDIT_LOGS": {}}}
    assert "Es/LogPublishingOptions/AUDIT_LOGS: aws_elasticsearch_domain needs CloudWatchLogsLogGroupArn" in refused(
        resource("Es", "AWS::Elasticsearch::Domain", unfinished)
    )
    queue = resource("Queue", "AWS::SQS::Queue", {"QueueName": ref("Es")})
    domain = {"DomainName": "d", "LogPublishingOptions": logs}
    main = main_of(resource("Es", "AWS::Elasticsearch::Domain", domain), queue)
    assert 'cloudwatch_log_group_arn = "a"\n    enabled                  = true\n' in main
    assert '    log_type                 = "ES_APPLICATION_LOGS"\n' in main
    assert "queue_name = aws_elasticsearch_domain.es.domain_name" in main


@pytest.mark.parametrize("password", [CANARY, Sensitive(CANARY)])
def test_passwords_become_variables(password: Any) -> None:
    broker = {
        "BrokerName": "b",
        "DeploymentMode": "SINGLE_INSTANCE",
        "EngineType": "ACTIVEMQ",
        "EngineVersion": "5.18",
        "HostInstanceType": "mq.m5.large",
        "PubliclyAccessible": False,
        "Users": [{"Username": "admin", "Password": password}],
    }
    found = files(resource("Mq", "AWS::AmazonMQ::Broker", broker))
    assert "canary" not in "".join(found.values())
    assert "    password = var.mq_users_0_password\n" in found["main.tf"]
    assert 'engine_version      = "5.18"' in found["main.tf"]


def test_a_vpn_endpoints_ways_in_are_flat_and_its_tags_a_map() -> None:
    ways = [{"Type": "certificate-authentication", "MutualAuthentication": {"ClientRootCertificateChainArn": "c"}}]
    endpoint = {
        "AuthenticationOptions": ways,
        "ConnectionLogOptions": {"Enabled": False},
        "ServerCertificateArn": "s",
        "TagSpecifications": [{"ResourceType": "client-vpn-endpoint", "Tags": [{"Key": "team", "Value": "x"}]}],
    }
    main = main_of(resource("Vpn", "AWS::EC2::ClientVpnEndpoint", endpoint))
    assert '  authentication_options {\n    root_certificate_chain_arn = "c"\n    type  ' in main
    assert '  tags = {\n    team = "x"\n  }\n' in main


@pytest.mark.parametrize(("service", "block"), [("WAF", "rules"), ("WAFRegional", "rule")])
def test_both_classic_firewalls(service: str, block: str) -> None:
    rule = {"Action": {"Type": "BLOCK"}, "Priority": 1, "RuleId": ref("Rule")}
    acl = {"Name": "acl", "MetricName": "acl", "DefaultAction": {"Type": "ALLOW"}, "Rules": [rule]}
    main = main_of(
        resource("Acl", f"AWS::{service}::WebACL", acl),
        resource("Rule", f"AWS::{service}::Rule", {"Name": "r", "MetricName": "r"}),
    )
    kind = f"aws_{service.lower()}"
    assert f"  {block} {{\n    priority = 1\n    rule_id  = {kind}_rule.rule.id\n\n    action {{\n" in main


@pytest.mark.parametrize(
    ("item", "identifier", "live", "imported"),
    [
        (resource("X", "AWS::AppMesh::Mesh", {"MeshName": "m"}), "arn:aws:appmesh:eu-central-1:1:mesh/m", {}, "m"),
        (
            resource("X", "AWS::EC2::ClientVpnTargetNetworkAssociation", {"ClientVpnEndpointId": "e", "SubnetId": "s"}),
            "cvpn-assoc-1",
            {"ClientVpnEndpointId": "cvpn-endpoint-1"},
            "cvpn-endpoint-1,cvpn-assoc-1",
        ),
        (
            resource("X", "AWS::WAFRegional::WebACLAssociation", {"WebACLId": "w", "ResourceArn": "r"}),
            "x",
            {"WebACLId": "w", "ResourceArn": "r"},
            "w:r",
        ),
        (resource("X", "AWS::DocDB::DBCluster", {}), "cluster-1", {}, "cluster-1"),
    ],
)
def test_ids_are_those_that_the_provider_documents(
    item: PlannedResource, identifier: str, live: dict[str, Any], imported: str
) -> None:
    name = LogicalId("X")
    found = files(item, identifiers={name: Identifier(identifier)}, live={name: live})
    assert f'  id = "{imported}"\n' in found["imports.tf"]
