"""Three ways: what the plan last set, what it wants, what is. Nested fields and list items included."""

from __future__ import annotations

from typing import Any

import pytest

from reconciler.live.compare import compare
from reconciler.model.change import FieldChange
from reconciler.model.values import Sensitive, sealed
from reconciler.schema import TypeSchema, conceal, schema_for

BUCKET, GROUP = "AWS::S3::Bucket", "AWS::EC2::SecurityGroup"
RULE = "AWS::ElasticLoadBalancingV2::ListenerRule"
DOMAIN, BALANCER = "AWS::OpenSearchService::Domain", "AWS::ElasticLoadBalancingV2::LoadBalancer"
TASKS = "AWS::ECS::TaskDefinition"


def schema(name: str) -> TypeSchema:
    found = schema_for(name)
    assert found is not None
    return found


def diff(name: str, desired: Any, live: Any, applied: Any = None) -> list[tuple[str, str, bool]]:
    return [(change.path, change.reason, change.after is None) for change in fields(name, desired, live, applied)]


def fields(name: str, desired: Any, live: Any, applied: Any = None) -> tuple[FieldChange, ...]:
    wanted = {key: conceal(schema(name), (key,), value) for key, value in desired.items()}
    before = None if applied is None else sealed({k: conceal(schema(name), (k,), v) for k, v in applied.items()})
    return compare(schema(name), wanted, live, before)


def rule(**more: Any) -> dict[str, Any]:
    return {"IpProtocol": "tcp", "FromPort": 80, "ToPort": 80, "CidrIp": "10.0.0.0/8", **more}


def test_nested_keys_that_the_plan_does_not_set_are_not_managed() -> None:
    desired = {"VersioningConfiguration": {"Status": "Enabled"}}
    live = {"VersioningConfiguration": {"Status": "Enabled", "MfaDelete": "x"}, "Tags": [{"Key": "a", "Value": "b"}]}
    assert diff(BUCKET, desired, live, desired) == []


def test_a_nested_key_that_the_plan_stops_setting_is_taken_back() -> None:
    block = {"BlockPublicAcls": True, "IgnorePublicAcls": True}
    desired = {"PublicAccessBlockConfiguration": {"BlockPublicAcls": True}}
    found = diff(
        BUCKET,
        desired,
        {"PublicAccessBlockConfiguration": {**block, "BlockPublicPolicy": True}},
        {"PublicAccessBlockConfiguration": block},
    )
    assert found == [("/PublicAccessBlockConfiguration/IgnorePublicAcls", "plan", True)]


def test_a_nested_key_is_taken_back_although_live_is_as_wanted_otherwise() -> None:
    both = {"BlockPublicAcls": True, "IgnorePublicAcls": True}
    desired = {"PublicAccessBlockConfiguration": {"BlockPublicAcls": True}}
    assert diff(
        BUCKET,
        desired,
        {"PublicAccessBlockConfiguration": both},
        {"PublicAccessBlockConfiguration": both},
    ) == [("/PublicAccessBlockConfiguration/IgnorePublicAcls", "plan", True)]


def test_a_key_that_the_plan_stops_setting_in_a_list_item_is_taken_back() -> None:
    applied = {"SecurityGroupIngress": [rule(Description="web"), rule(FromPort=443, ToPort=443)]}
    desired = {"SecurityGroupIngress": [rule(), rule(FromPort=443, ToPort=443)]}
    assert diff(GROUP, desired, applied, applied) == [("/SecurityGroupIngress", "plan", False)]


def test_a_key_that_others_set_in_a_list_item_is_theirs() -> None:
    applied = {"SecurityGroupIngress": [rule()]}
    live = {"SecurityGroupIngress": [rule(Description="theirs")]}
    assert diff(GROUP, applied, live, applied) == []
    more = {"SecurityGroupIngress": [rule(), rule(FromPort=443, ToPort=443)]}
    assert (
        diff(
            GROUP,
            more,
            {"SecurityGroupIngress": [*live["SecurityGroupIngress"], rule(FromPort=443, ToPort=443)]},
            applied,
        )
        == []
    )


def test_items_that_several_fit_are_assigned_so_that_all_fit() -> None:
    desired = {"SecurityGroupIngress": [rule(), rule(Description="b")]}
    live = {"SecurityGroupIngress": [rule(Description="b"), rule(Description="c")]}
    assert diff(GROUP, desired, live) == []


@pytest.mark.parametrize("change", [{"FromPort": 81}, {"CidrIp": "10.0.0.0/9"}, {"IpProtocol": "udp"}])
def test_a_changed_item_shows(change: dict[str, Any]) -> None:
    applied = {"SecurityGroupIngress": [rule(), rule(FromPort=443, ToPort=443)]}
    live = {"SecurityGroupIngress": [rule(FromPort=443, ToPort=443), rule(**change, Description="x")]}
    assert diff(GROUP, applied, live, applied) == [("/SecurityGroupIngress", "drift", False)]


def test_the_order_of_objects_counts_where_the_schema_says_so() -> None:
    actions = [{"Type": "fixed-response", "Order": 1}, {"Type": "forward", "Order": 2}]
    found = diff(
        "AWS::ElasticLoadBalancingV2::Listener", {"DefaultActions": actions}, {"DefaultActions": actions[::-1]}
    )
    assert found == [("/DefaultActions", "plan", False)]


def test_settings_that_the_plan_does_not_name_are_left_in_a_list_of_attributes() -> None:
    def setting(key: str, value: str) -> dict[str, str]:
        return {"Key": key, "Value": value}

    desired = {"LoadBalancerAttributes": [setting("idle_timeout.timeout_seconds", "60")]}
    rest = [setting("deletion_protection.enabled", "false"), setting("routing.http2.enabled", "true")]
    live = {"LoadBalancerAttributes": [*rest, setting("idle_timeout.timeout_seconds", "60")]}
    assert diff(BALANCER, desired, live, desired) == []
    live = {"LoadBalancerAttributes": [*rest, setting("idle_timeout.timeout_seconds", "61")]}
    assert diff(BALANCER, desired, live, desired) == [("/LoadBalancerAttributes", "drift", False)]


def test_a_nested_write_only_value_is_not_drift() -> None:
    desired = {"AdvancedSecurityOptions": {"Enabled": True, "MasterUserOptions": {"MasterUserPassword": "Secret-1"}}}
    live = {"AdvancedSecurityOptions": {"Enabled": True}}
    assert diff(DOMAIN, desired, live, desired) == []
    assert diff(DOMAIN, desired, {"AdvancedSecurityOptions": {"Enabled": False}}, desired) == [
        ("/AdvancedSecurityOptions/Enabled", "drift", False)
    ]


def test_a_changed_nested_write_only_value_is_a_change_of_the_plan_and_stays_hidden() -> None:
    def options(password: str) -> dict[str, Any]:
        return {"AdvancedSecurityOptions": {"Enabled": True, "MasterUserOptions": {"MasterUserPassword": password}}}

    live = {"AdvancedSecurityOptions": {"Enabled": True}}
    (change,) = fields(DOMAIN, options("Secret-2"), live, options("Secret-1"))
    assert change.path.startswith("/AdvancedSecurityOptions/MasterUserOptions")
    assert change.reason == "plan"
    assert "Secret" not in repr(change)


def test_a_write_only_value_that_the_plan_has_only_now_is_sent() -> None:
    base = {"DBInstanceIdentifier": "db", "DBInstanceClass": "db.t3.micro"}
    wanted = {**base, "MasterUserPassword": "Secret-1"}
    assert diff("AWS::RDS::DBInstance", wanted, base, base) == [("/MasterUserPassword", "plan", False)]
    for unknown in (None, {}):  # nobody knows what was applied: found by its tags, say
        assert diff("AWS::RDS::DBInstance", wanted, base, unknown) == []

    def options(**more: Any) -> dict[str, Any]:
        return {"AdvancedSecurityOptions": {"Enabled": True, **more}}

    nested = options(MasterUserOptions={"MasterUserPassword": "Secret-1"})
    (change,) = fields(DOMAIN, nested, options(), options())
    assert change.path == "/AdvancedSecurityOptions/MasterUserOptions"
    assert "Secret" not in repr(change)


def test_a_write_only_value_in_a_list_item_is_not_drift_and_its_change_is_seen() -> None:
    def actions(secret: str, client: str = "ann") -> dict[str, Any]:
        config = {"ClientId": client, "ClientSecret": secret, "Issuer": "https://example.com"}
        return {"Actions": [{"Type": "authenticate-oidc", "AuthenticateOidcConfig": config}]}

    live = actions("")
    del live["Actions"][0]["AuthenticateOidcConfig"]["ClientSecret"]
    assert diff(RULE, actions("Secret-1"), live, actions("Secret-1")) == []
    assert diff(RULE, actions("Secret-1"), live) == []
    (change,) = fields(RULE, actions("Secret-2"), live, actions("Secret-1"))
    assert (change.path, change.reason) == ("/Actions", "plan")
    assert "Secret-" not in repr(change)
    assert diff(RULE, actions("Secret-1", "bob"), live, actions("Secret-1", "bob")) == [("/Actions", "drift", False)]


def test_a_transform_in_a_list_item_is_known() -> None:
    desired = {"Schema": [{"Name": "team", "AttributeDataType": "String"}]}
    live = {"Schema": [{"Name": "custom:team", "AttributeDataType": "String", "Mutable": True}]}
    assert diff("AWS::Cognito::UserPool", desired, live, desired) == []
    live["Schema"][0]["Name"] = "custom:crew"
    assert diff("AWS::Cognito::UserPool", desired, live, desired) == [("/Schema", "drift", False)]


def test_a_form_that_fits_any_value_hides_no_change_of_the_plan() -> None:
    live = {"KmsKeyId": "arn:aws:kms:us-east-1:123456789012:key/1-2"}
    assert diff("AWS::EFS::FileSystem", {"KmsKeyId": "alias/a"}, live, {"KmsKeyId": "alias/a"}) == []
    assert diff("AWS::EFS::FileSystem", {"KmsKeyId": "alias/b"}, live, {"KmsKeyId": "alias/a"}) == [
        ("/KmsKeyId", "plan", False)
    ]


def test_a_default_within_an_item_that_aws_leaves_out_is_no_difference() -> None:
    desired = {"Cpu": "1 vCPU", "Memory": "2 GB"}
    assert diff(TASKS, desired, {"Cpu": "1024", "Memory": "2048"}, desired) == []
    assert diff(TASKS, desired, {"Cpu": "512", "Memory": "2048"}, desired) == [("/Cpu", "drift", False)]


def test_a_secret_that_a_transform_takes_is_not_kept() -> None:
    from reconciler.schema import transforms

    before = transforms._kept.cache_info().currsize
    wanted = {"DBName": Sensitive("very-Secret")}
    assert compare(schema("AWS::RDS::DBInstance"), wanted, {"DBName": "VERY-SECRET"}) == ()
    assert transforms._kept.cache_info().currsize == before


def test_the_validation_of_names_that_the_plan_says_nothing_of_does_not_count() -> None:
    def certificate(*options: dict[str, str]) -> dict[str, Any]:
        return {"DomainName": "example.com", "DomainValidationOptions": list(options)}

    name, path = "AWS::CertificateManager::Certificate", "/DomainValidationOptions"
    own = {"DomainName": "a.example.com", "ValidationDomain": "example.com"}
    live = certificate({"DomainName": "example.com", "ValidationDomain": "example.com"}, own)
    assert diff(name, certificate(own), live) == []
    assert diff(name, certificate({"DomainName": "a.example.com"}), live) == []
    other = certificate({**own, "ValidationDomain": "a.example.com"})
    assert [one[0] for one in diff(name, other, live)] == [path]
    assert [one[0] for one in diff(name, certificate({"DomainName": "b.example.com"}), live)] == [path]
    (change,) = fields(name, other, live, certificate(own))
    assert (change.reason, change.forces_replacement) == ("plan", True)


def test_indexes_that_the_service_answers_in_another_order_are_the_same() -> None:
    schema = schema_for("AWS::DynamoDB::Table")
    assert schema is not None
    one, two = {"IndexName": "one", "KeySchema": []}, {"IndexName": "two", "KeySchema": []}
    wanted = {"GlobalSecondaryIndexes": [one, two], "LocalSecondaryIndexes": [two, one]}
    live = {"GlobalSecondaryIndexes": [two, one], "LocalSecondaryIndexes": [one, two]}
    assert compare(schema, wanted, live) == ()
    assert [field.path for field in compare(schema, wanted, {**live, "GlobalSecondaryIndexes": [two]})] == [
        "/GlobalSecondaryIndexes"
    ]
