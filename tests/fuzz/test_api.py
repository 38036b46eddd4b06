"""The HTTP API against its own description: whatever is sent, the answers are those that /openapi.json promises."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import httpx
import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings

from reconciler.model.ids import PlanName, RequestId, RunId
from reconciler.model.report import PlanStatus, Receipt, RunReport
from reconciler.status.http import HttpServer
from reconciler.testing.memory import MemoryStore
from reconciler.testing.samples import AT, a_full_report, a_receipt, a_status

TOKEN = "correct-horse-battery"
EXAMPLES = 2000 if os.environ.get("RECONCILER_STRESS") == "1" else 25
KNOWN = {"name": a_status().plan, "run": a_full_report().run, "request": a_receipt().id}
RIGHT = {"Authorization": f"Bearer {TOKEN}"}


class Backend:
    """An ApiBackend over a store; ``asked`` counts the passes asked for."""

    def __init__(self) -> None:
        self.store, self.asked = MemoryStore(), 0
        self.store.save_status(a_status())
        self.store.save_run(a_full_report())
        self.store.save_receipt(a_receipt())

    def statuses(self) -> Sequence[PlanStatus]:
        return self.store.statuses()

    def status(self, name: PlanName) -> PlanStatus | None:
        return self.store.status(name)

    def history(self, name: PlanName, limit: int) -> Sequence[RunReport]:
        return self.store.history(name, limit)

    def run(self, run: RunId) -> RunReport | None:
        return self.store.run(run)

    def receipt(self, request: RequestId) -> Receipt | None:
        return self.store.receipt(request)

    def request_sync(self, plans: tuple[PlanName, ...] | None, trigger: str) -> Receipt:
        self.asked += 1
        receipt = a_receipt(answered_at=AT)
        self.store.save_receipt(receipt)
        return receipt

    def ready(self) -> Mapping[str, str]:
        return {"store": ""}


@pytest.fixture(scope="module")
def backend() -> Backend:
    return Backend()


@pytest.fixture(scope="module")
def operations(backend: Backend) -> Iterator[list[Any]]:
    """Every operation that the server describes."""
    server = HttpServer(backend, lambda accept: (b"", "text/plain"), host="127.0.0.1", port=0, token=TOKEN)
    server.start()
    base = f"http://127.0.0.1:{server.port}"
    schema = schemathesis.openapi.from_dict(httpx.get(f"{base}/openapi.json").json())
    schema.config.update(base_url=base)
    yield [found.ok() for found in schema.get_all_operations()]
    server.stop()


def each(operations: list[Any], check: Callable[[Any], None]) -> int:
    """Give ``check`` generated cases of each operation, and return how many there were."""
    tried = 0
    for operation in operations:

        @settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck), database=None)
        @given(case=operation.as_strategy())
        def run(case: Any) -> None:
            nonlocal tried
            tried += 1
            check(case)

        run()
    return tried


def test_answers_are_as_described(operations: list[Any]) -> None:
    assert len(operations) >= 9

    def described(case: Any) -> None:
        case.call_and_validate(headers=RIGHT, timeout=30)
        if case.path_parameters:  # hardly ever those of something that is there
            case.path_parameters = {name: KNOWN[name] for name in case.path_parameters}
            case.call_and_validate(headers=RIGHT, timeout=30)

    tried = each(operations, described)
    print(f"{tried} requests over {len(operations)} operations")
    assert tried > len(operations)


def test_nothing_acts_without_the_token(operations: list[Any], backend: Backend) -> None:
    posts = [operation for operation in operations if operation.method.upper() == "POST"]
    asked = backend.asked

    def refused(case: Any) -> None:
        for value in ("Bearer wrong", "Basic Zm9v", "", TOKEN):
            answer = case.call(headers={"Authorization": value}, timeout=30)
            assert answer.status_code in (400, 401, 403, 404, 405, 413, 422), answer.status_code
            assert backend.asked == asked

    each(posts, refused)
    httpx.post(posts[0].schema.config.base_url + "/api/v1/sync", headers=RIGHT).raise_for_status()
    assert backend.asked == asked + 1
