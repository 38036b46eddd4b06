"""Who wrote last, as an emulator's CloudTrail recorded it (ministack; it ties events to resources for buckets only)."""

from __future__ import annotations

import subprocess
import time
import urllib.request
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from boto3.session import Session

from reconciler.model.ids import Identifier
from reconciler.model.plan import Target
from reconciler.ports import Scope
from reconciler.providers.access import Access, AccessSettings
from reconciler.providers.sessions import ConnectionSettings
from reconciler.providers.trail import last_writer
from reconciler.testing.memory import CountingTelemetry, FakeClock
from reconciler.testing.outsiders import outsider
from tests.e2e.running import free_port
from tests.parts import real_part

pytestmark = pytest.mark.ministack

ACCOUNT, REGION = "111111111111", "us-east-1"
MALLORY = f"arn:aws:iam::{ACCOUNT}:user/{ACCOUNT}"


@pytest.fixture(scope="module")
def endpoint(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    command = real_part("ministack")
    home, port = tmp_path_factory.mktemp("ministack"), free_port()
    chosen = {"CLOUDTRAIL_RECORDING": "1", "BIND_HOST": "127.0.0.1", "GATEWAY_PORT": str(port), "HOME": str(home)}
    with (home / "log").open("wb") as log:
        process = subprocess.Popen([command], env=chosen, stdout=log, stderr=log)
    try:
        yield _ready(f"http://127.0.0.1:{port}")
    finally:
        process.kill()
        process.wait()


def _ready(url: str) -> str:
    for _ in range(300):
        try:
            urllib.request.urlopen(f"{url}/_ministack/health", timeout=5).read()
        except OSError:
            time.sleep(0.1)
        else:
            return url
    raise AssertionError("ministack didn't start")


@pytest.fixture
def scope(endpoint: str) -> Iterator[Scope]:
    connection = ConnectionSettings(endpoint_url=endpoint, credentials=(ACCOUNT, "x"))
    settings = AccessSettings(connection, "arn:aws:iam::{account}:role/reconciler")
    access = Access(FakeClock(), CountingTelemetry(), settings)
    yield access.open(Target("sandbox", ACCOUNT, REGION), read_only=False)
    access.close()


def test_somebody_else_is_named(endpoint: str, scope: Scope) -> None:
    since = datetime.now(UTC) - timedelta(minutes=5)
    with outsider():
        session = Session(aws_access_key_id=ACCOUNT, aws_secret_access_key="x", region_name=REGION)
    session.client("s3", endpoint_url=endpoint).create_bucket(Bucket="fought-over")
    assert scope.identity.arn != MALLORY
    assert last_writer(scope, Identifier("fought-over"), since) == f"{MALLORY} (CreateBucket)"
    assert last_writer(scope, Identifier("nobodys"), since) == ""
