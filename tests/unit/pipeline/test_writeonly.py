"""What of the write-only properties a file may hold, and what it must not."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
import yaml
from pipeline_builders import creating, plan_of, resource

from reconciler.model.change import Action, Change, FieldChange
from reconciler.model.errors import PipelineError
from reconciler.model.ids import LogicalId, TypeName
from reconciler.model.values import Sensitive
from reconciler.pipeline import render
from reconciler.pipeline.writeonly import may_be_written
from reconciler.schema import conceal, schema_for


@pytest.mark.parametrize(
    ("type_name", "path", "value"),
    [
        ("AWS::Lambda::Function", "Code/ZipFile", "def handler(event, context): pass"),
        ("AWS::Lambda::Function", "Code/S3Bucket", "artifacts"),
        ("AWS::S3::Bucket", "AccessControl", "PublicRead"),
        ("AWS::Route53::RecordSet", "HostedZoneName", "example.com."),
        ("AWS::RDS::DBInstance", "SourceDBInstanceIdentifier", "web"),
        ("AWS::KMS::Key", "PendingWindowInDays", 7),
        ("AWS::SecretsManager::Secret", "GenerateSecretString/GenerateStringKey", "password"),
    ],
)
def test_names_places_switches_and_code_are_no_secrets(type_name: str, path: str, value: Any) -> None:
    schema = schema_for(type_name)
    assert schema is not None
    parts = tuple(path.split("/"))
    assert schema.is_secret(parts), "the schema calls it write-only"
    assert may_be_written(schema, parts, value)


@pytest.mark.parametrize(
    ("type_name", "path"),
    [
        ("AWS::RDS::DBInstance", "MasterUserPassword"),
        ("AWS::SecretsManager::Secret", "SecretString"),
        ("AWS::SecretsManager::Secret", "GenerateSecretString/SecretStringTemplate"),
        ("AWS::DMS::Endpoint", "KafkaSettings/SslClientKeyPassword"),
        ("AWS::DMS::Certificate", "CertificatePem"),
        ("AWS::Cognito::UserPoolUser", "ValidationData"),
        ("AWS::AppStream::DirectoryConfig", "ServiceAccountCredentials/AccountName"),
        ("AWS::SecurityLake::SubscriberNotification",
         "NotificationConfiguration/HttpsNotificationConfiguration/AuthorizationApiKeyName"),
    ],
)  # fmt: skip
def test_what_is_not_known_to_be_harmless_is_a_secret(type_name: str, path: str) -> None:
    schema = schema_for(type_name)
    assert schema is not None
    assert not may_be_written(schema, tuple(path.split("/")), "some text")


def test_code_is_in_the_template_and_a_passed_secret_is_not() -> None:
    code = {"Code": {"ZipFile": Sensitive("hunter2-of-the-owner")}, "Role": "arn:aws:iam::444455556666:role/r"}
    plan = plan_of(
        resource("Open", "AWS::Lambda::Function", {**code, "Code": {"ZipFile": "pass"}}),
        resource("Closed", "AWS::Lambda::Function", code),
    )
    content = next(file.content for file in render(creating(plan), "cloudformation") if file.path == "template.yaml")
    resources = yaml.safe_load(content)["Resources"]
    assert resources["Open"]["Properties"]["Code"] == {"ZipFile": "pass"}
    assert resources["Closed"]["Properties"]["Code"] == {"ZipFile": {"Ref": "ClosedCodeZipFile"}}
    assert "hunter2" not in content


def test_a_switched_word_that_stands_elsewhere_too_stops_nothing() -> None:
    """As a pass hands it over: what is write-only is veiled in what was and in what will be."""
    schema = schema_for("AWS::S3::Bucket")
    assert schema is not None
    bucket = resource("Bucket", "AWS::S3::Bucket", {"AccessControl": "PublicRead", "BucketName": "public-files"})
    plan = plan_of(bucket, resource("Other", "AWS::SNS::Topic", {"DisplayName": "Private and PublicRead"}))
    wanted = {name: conceal(schema, (name,), value) for name, value in bucket.properties.items()}
    change = Change(
        LogicalId("Bucket"), TypeName("AWS::S3::Bucket"), Action.UPDATE, before={"AccessControl": Sensitive("Private")},
        after=wanted, fields=(FieldChange("/AccessControl", Sensitive("Private"), Sensitive("PublicRead")),),
    )  # fmt: skip
    changes = replace(creating(plan), changes=(change,), desired={LogicalId("Bucket"): wanted})
    assert "PublicRead" in render(changes, "cloudformation")[0].content


def test_a_password_that_stands_elsewhere_too_stops_everything() -> None:
    schema = schema_for("AWS::RDS::DBInstance")
    assert schema is not None
    database = resource("Database", "AWS::RDS::DBInstance", {"MasterUserPassword": "hunter2-of-the-owner"})
    topic = resource("Topic", "AWS::SNS::Topic", {"DisplayName": "it is hunter2-of-the-owner"})
    wanted = {name: conceal(schema, (name,), value) for name, value in database.properties.items()}
    changes = replace(creating(plan_of(database, topic)), desired={LogicalId("Database"): wanted})
    with pytest.raises(PipelineError, match="would hold a secret"):
        render(changes, "cloudformation")


def test_what_stands_openly_beside_a_secret_is_none() -> None:
    """Live values are veiled as a whole where a part of them is secret."""
    live = {"Environment": Sensitive({"Variables": {"STAGE": "production", "PASSWORD": "hunter2-of-the-owner"}})}
    wanted = {"Variables": {"STAGE": "production", "PASSWORD": Sensitive("another-one-of-them")}}
    function = resource("Function", "AWS::Lambda::Function", {"Environment": wanted})
    changes = replace(creating(plan_of(function)), live={LogicalId("Function"): live})
    content = render(changes, "cloudformation")[0].content
    assert "STAGE: production" in content
    assert "hunter2" not in content
    assert "another-one" not in content
