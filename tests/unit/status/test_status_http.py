"""The HTTP port, over real sockets."""

from __future__ import annotations

import json
import re
import socket
import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

import httpx
import pytest
from structlog.testing import capture_logs

from reconciler.model.change import ResourceState
from reconciler.model.codec import from_json
from reconciler.model.errors import ConfigurationError, StoreError
from reconciler.model.ids import LogicalId, PlanName, RequestId, RunId, TypeName
from reconciler.model.report import ChangeSummary, PlanState, PlanStatus, Receipt, RunReport
from reconciler.model.resource import SyncState
from reconciler.model.values import Sensitive
from reconciler.status.http import HttpServer
from reconciler.status.metrics import Metrics
from reconciler.testing.memory import MemoryStore
from reconciler.testing.samples import AT, a_full_report, a_receipt, a_report, a_status

TOKEN = "correct-horse-battery"
AUTHORIZED = {"Authorization": f"Bearer {TOKEN}"}
SECRET = "hunter2-never-shown"


class Backend:
    """An ApiBackend over a store; ``requested`` says what was asked for."""

    def __init__(self) -> None:
        self.store = MemoryStore()
        self.problems: dict[str, str] = {"store": "", "policy": ""}
        self.requested: list[tuple[tuple[PlanName, ...] | None, str]] = []
        self.failure: Exception | None = None

    def statuses(self) -> Sequence[PlanStatus]:
        if self.failure:
            raise self.failure
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
        self.requested.append((plans, trigger))
        receipt = replace(a_receipt(len(self.requested)), trigger=trigger)
        self.store.save_receipt(receipt)
        return receipt

    def ready(self) -> Mapping[str, str]:
        return self.problems

    def answer(self, request: str) -> None:
        receipt = self.store.receipt(RequestId(request))
        assert receipt is not None
        outcomes = {PlanName("web"): PlanState.IN_SYNC}
        self.store.save_receipt(
            replace(receipt, runs={PlanName("web"): RunId("run-1")}, outcomes=outcomes, answered_at=AT)
        )


@pytest.fixture(scope="module")
def server() -> Iterator[tuple[HttpServer, Backend]]:
    backend = Backend()
    metrics = Metrics()
    metrics.record(None, a_status())
    serving = HttpServer(backend, metrics.exposition, port=0, token=TOKEN)
    serving.start()
    yield serving, backend
    serving.stop()


@pytest.fixture
def backend(server: tuple[HttpServer, Backend]) -> Backend:
    server[1].__init__()  # type: ignore[misc]  # one server for all tests, a fresh backend for each
    server[1].store.save_status(a_status(changes=(a_change(),), resources=(a_resource(),)))
    return server[1]


@pytest.fixture
def client(server: tuple[HttpServer, Backend], backend: Backend) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=server[0].url, timeout=10) as opened:
        yield opened


def a_change() -> ChangeSummary:
    field = {"path": "/Password", "before": Sensitive(SECRET), "after": Sensitive(SECRET)}
    return ChangeSummary(LogicalId("Db"), TypeName("AWS::RDS::DBInstance"), "update", fields=(field,))


def a_resource() -> ResourceState:
    return ResourceState(LogicalId("Db"), TypeName("AWS::RDS::DBInstance"), SyncState.DRIFTED, verified_at=AT)


def problem(answer: httpx.Response) -> dict[str, str]:
    body = answer.json()
    assert list(body) == ["error"]
    assert set(body["error"]) == {"code", "message", "hint"}
    return body["error"]  # type: ignore[no-any-return]  # parsed JSON


def test_alive(client: httpx.Client) -> None:
    answer = client.get("/healthz")
    assert (answer.status_code, answer.text) == (200, "ok\n")


def test_ready_only_when_nothing_is_wrong(client: httpx.Client, backend: Backend) -> None:
    assert (client.get("/readyz").status_code, client.get("/readyz").json()) == (200, {"ready": True, "problems": {}})
    backend.problems["policy"] = "no policy compiles"
    answer = client.get("/readyz")
    assert answer.status_code == 503
    assert answer.json() == {"ready": False, "problems": {"policy": "no policy compiles"}}


def test_metrics_are_in_the_format_that_prometheus_asks_for(client: httpx.Client) -> None:
    plain = client.get("/metrics")
    assert plain.headers["content-type"].startswith("text/plain")
    assert 'reconciler_plan_status{environment="development",plan="web",status="drifted"} 1.0' in plain.text
    modern = client.get("/metrics", headers={"Accept": "application/openmetrics-text; version=1.0.0"})
    assert modern.headers["content-type"].startswith("application/openmetrics-text")
    assert modern.text.endswith("# EOF\n")


def test_plans_are_listed_in_one_line_each(client: httpx.Client, backend: Backend) -> None:
    backend.store.save_status(a_status("db", state=PlanState.INVALID, orphaned=True))
    plans = client.get("/api/v1/plans").json()["plans"]
    assert [(plan["plan"], plan["state"], plan["orphaned"]) for plan in plans] == [
        ("db", "invalid", True),
        ("web", "drifted", False),
    ]
    assert plans[1]["change_count"] == 1
    assert plans[1]["resources"] == {"drifted": 1}
    assert plans[1]["verified_at"] == "2026-11-23T09:00:00.123456Z"


def test_a_plan_is_its_whole_status_with_secrets_masked(client: httpx.Client, backend: Backend) -> None:
    answer = client.get("/api/v1/plans/web")
    assert SECRET not in answer.text
    assert from_json(PlanStatus, answer.text) == backend.store.status(PlanName("web"))


def test_the_diff_is_the_last_passs(client: httpx.Client) -> None:
    diff = client.get("/api/v1/plans/web/diff").json()
    assert set(diff) == {"plan", "state", "verified_at", "changes", "decision"}
    assert diff["changes"][0]["fields"] == [{"path": "/Password", "before": "(sensitive)", "after": "(sensitive)"}]


def test_history_is_newest_first_and_a_run_is_its_whole_report(client: httpx.Client, backend: Backend) -> None:
    report = replace(a_full_report(), run=RunId("run-9"))
    for number in range(3):
        backend.store.save_run(a_report(f"run-{number}"))
    backend.store.save_run(report)
    runs = client.get("/api/v1/plans/web/history", params={"limit": 2}).json()["runs"]
    assert [(run["run"], run["change_count"], run["error"]) for run in runs] == [("run-9", 1, "boom"), ("run-2", 0, "")]
    assert from_json(RunReport, client.get("/api/v1/runs/run-9").text) == report


def test_a_plan_without_runs_has_an_empty_history(client: httpx.Client) -> None:
    assert client.get("/api/v1/plans/web/history").json() == {"plan": "web", "runs": []}


@pytest.mark.parametrize("limit", ["0", "501", "-1", "many"])
def test_a_bad_limit_is_refused(client: httpx.Client, limit: str) -> None:
    answer = client.get("/api/v1/plans/web/history", params={"limit": limit})
    assert answer.status_code == 422
    assert "query/limit" in problem(answer)["message"]


@pytest.mark.parametrize(
    "path",
    [
        "/api/v1/plans/nope",
        "/api/v1/plans/nope/diff",
        "/api/v1/plans/nope/history",
        "/api/v1/runs/nope",
        "/api/v1/requests/nope",
        "/api/v1/plans/..%2f..%2fetc",
        "/nope",
        "/docs",
    ],
)
def test_what_is_unknown_is_not_found(client: httpx.Client, path: str) -> None:
    answer = client.get(path)
    assert answer.status_code == 404
    assert problem(answer)["code"] == "not_found"


def test_a_request_for_a_pass_answers_with_a_receipt_to_ask_for_again(client: httpx.Client, backend: Backend) -> None:
    answer = client.post("/api/v1/sync", headers=AUTHORIZED)
    assert answer.status_code == 202
    assert backend.requested == [(None, "api")]
    again = client.get(f"/api/v1/requests/{answer.json()['id']}")
    assert again.json() == answer.json()
    assert again.json()["answered_at"] is None


def test_a_request_may_name_plans(client: httpx.Client, backend: Backend) -> None:
    backend.store.save_status(a_status("db"))
    assert client.post("/api/v1/plans/web/sync", headers=AUTHORIZED).status_code == 202
    body = {"plans": ["db", "web", "db"]}
    assert client.post("/api/v1/sync", json=body, headers=AUTHORIZED).status_code == 202
    assert [plans for plans, _ in backend.requested] == [("web",), ("db", "web")]


def test_a_request_that_waits_is_answered_when_the_pass_is(client: httpx.Client, backend: Backend) -> None:
    timer = threading.Timer(0.1, lambda: backend.answer("req-1"))
    timer.start()
    answer = client.post("/api/v1/plans/web/sync", params={"wait": "9"}, headers=AUTHORIZED)
    timer.join()
    assert answer.status_code == 200
    assert answer.json()["outcomes"] == {"web": "in_sync"}


def test_waiting_in_vain_ends(client: httpx.Client) -> None:
    answer = client.post("/api/v1/sync", params={"wait": "0.2"}, headers=AUTHORIZED)
    assert (answer.status_code, answer.json()["answered_at"]) == (202, None)


@pytest.mark.parametrize("path", ["/api/v1/sync", "/api/v1/plans/web/sync", "/api/v1/plans/nope/sync"])
@pytest.mark.parametrize(
    "headers",
    [{}, {"Authorization": "Bearer wrong"}, {"Authorization": f"Basic {TOKEN}"}, {"Authorization": TOKEN}],
    ids=["none", "wrong", "basic", "bare"],
)
def test_without_the_token_nothing_is_asked_for(
    client: httpx.Client, backend: Backend, path: str, headers: dict[str, str]
) -> None:
    answer = client.post(path, headers=headers)
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"] == "Bearer"
    assert problem(answer)["code"] == "unauthorized"
    assert backend.requested == []


def test_a_token_that_is_not_ascii_is_refused_like_any_other(client: httpx.Client) -> None:
    answer = client.post("/api/v1/sync", headers={"Authorization": b"Bearer \xff\xfe"})
    assert answer.status_code == 401


@pytest.mark.parametrize(
    ("path", "arguments", "code"),
    [
        ("/api/v1/plans/nope/sync", {}, 404),
        ("/api/v1/sync", {"json": {"plans": ["web", "nope"]}}, 404),
        ("/api/v1/sync", {"json": {"plan": "web"}}, 422),
        ("/api/v1/sync", {"json": ["web"]}, 422),
        ("/api/v1/sync", {"content": b"{", "headers": {"content-type": "application/json"}}, 422),
        ("/api/v1/sync?wait=-1", {}, 422),
        ("/api/v1/sync?wait=100000", {}, 422),
        ("/api/v1/sync?wait=nan", {}, 422),
        ("/api/v1/sync", {"content": b" " * 70_000}, 413),
    ],
)
def test_a_bad_request_is_refused_and_asks_for_nothing(
    client: httpx.Client, backend: Backend, path: str, arguments: dict[str, object], code: int
) -> None:
    headers = {**AUTHORIZED, **arguments.pop("headers", {})} if "headers" in arguments else AUTHORIZED  # type: ignore[dict-item]
    answer = client.post(path, headers=headers, **arguments)  # type: ignore[arg-type]
    assert answer.status_code == code
    assert problem(answer)["message"]
    assert backend.requested == []


def test_a_body_in_chunks_is_limited_too(client: httpx.Client, backend: Backend) -> None:
    answer = client.post("/api/v1/sync", content=(b" " * 1000 for _ in range(100)), headers=AUTHORIZED)
    assert answer.status_code == 413
    assert backend.requested == []


def test_a_method_that_is_not_there_is_refused(client: httpx.Client) -> None:
    answer = client.delete("/api/v1/plans/web")
    assert (answer.status_code, problem(answer)["code"]) == (405, "method")


@pytest.mark.parametrize("host", ["evil.example", "evil.example:9595", "127.0.0.1.evil.example", "10.0.0.1", "[::", ""])
def test_another_host_is_refused(client: httpx.Client, host: str) -> None:
    answer = client.get("/api/v1/plans", headers={"Host": host})
    assert answer.status_code in (400, 421)
    assert "plans" not in answer.json()


@pytest.mark.parametrize("host", ["localhost", "localhost:9595", "127.0.0.1", "[::1]:9595", "LOCALHOST"])
def test_this_machine_has_several_names(client: httpx.Client, host: str) -> None:
    assert client.get("/api/v1/plans", headers={"Host": host}).status_code == 200


def test_every_answer_carries_the_headers_that_keep_browsers_out_of_trouble(client: httpx.Client) -> None:
    for path in ("/", "/api/v1/plans", "/nope", "/metrics"):
        headers = client.get(path, headers={"Origin": "https://evil.example"}).headers
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["x-frame-options"] == "DENY"
        assert "default-src 'none'" in headers["content-security-policy"]
        assert not [name for name in headers if name.startswith("access-control-")]
        assert "server" not in headers


def test_a_store_that_fails_is_503_and_a_bug_is_500_without_its_details(client: httpx.Client, backend: Backend) -> None:
    backend.failure = StoreError("state store /x: disk is full")
    answer = client.get("/api/v1/plans")
    assert (answer.status_code, problem(answer)["code"]) == (503, "store")
    assert "disk is full" in problem(answer)["message"]
    backend.failure = KeyError(SECRET)
    with capture_logs() as logged:
        answer = client.get("/api/v1/plans")
    assert [line["event"] for line in logged] == ["request broke"]
    assert (answer.status_code, problem(answer)["code"]) == (500, "internal")
    assert SECRET not in answer.text
    backend.failure = None
    assert client.get("/api/v1/plans").status_code == 200


def test_the_api_describes_itself(client: httpx.Client) -> None:
    schema = client.get("/openapi.json").json()
    assert {
        "/readyz",
        "/api/v1/plans",
        "/api/v1/plans/{name}",
        "/api/v1/plans/{name}/diff",
        "/api/v1/plans/{name}/history",
        "/api/v1/plans/{name}/sync",
        "/api/v1/runs/{run}",
        "/api/v1/requests/{request}",
        "/api/v1/sync",
    } <= set(schema["paths"])
    models = schema["components"]["schemas"]
    assert {"state", "changes", "decision", "verified_at"} <= set(models["PlanStatus"]["properties"])
    codes = schema["paths"]["/api/v1/sync"]["post"]["responses"]
    assert {"200", "202", "401", "403", "404"} <= set(codes)


def test_the_page_lists_plans_by_environment_and_escapes_what_it_shows(client: httpx.Client, backend: Backend) -> None:
    backend.store.save_status(a_status("prod", environment="production", state=PlanState.PIPELINE_OPEN))
    backend.store.save_status(a_status("box", environment="sandbox", message="<script>alert(1)</script>"))
    backend.store.save_status(a_status('x" onload=y', environment="<b>", suspended=True, verified_at=None))
    answer = client.get("/")
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    text = answer.text
    places = [text.index(f"<h2>{name}</h2>") for name in ("sandbox", "development", "production", "&lt;b&gt;")]
    assert places == sorted(places)
    assert "<script" not in text and "&lt;script&gt;alert(1)" in text
    assert 'href="/api/v1/plans/x%22%20onload%3Dy"' in text
    assert "pipeline open" in text and "(suspended)" in text and ">never<" in text
    assert not re.findall(r'(?:src|href)="(?!/)', text), "nothing comes from outside"


def test_the_pages_style_is_the_one_that_its_policy_lets_in(client: httpx.Client) -> None:
    import base64
    import hashlib

    answer = client.get("/")
    style = re.search(r"<style>(.*?)</style>", answer.text, re.DOTALL)
    assert style is not None
    digest = base64.b64encode(hashlib.sha256(style.group(1).encode()).digest()).decode()
    assert f"'sha256-{digest}'" in answer.headers["content-security-policy"]


def test_without_plans_the_page_says_so(client: httpx.Client, backend: Backend) -> None:
    backend.store.drop_status(PlanName("web"))
    assert "No plans yet" in client.get("/").text


def test_without_a_configured_token_nobody_may_ask_for_a_pass() -> None:
    backend = Backend()
    backend.store.save_status(a_status())
    serving = HttpServer(backend, Metrics().exposition, port=0)
    serving.start()
    try:
        for headers in ({}, AUTHORIZED, {"Authorization": "Bearer"}):
            answer = httpx.post(f"{serving.url}/api/v1/sync", headers=headers)
            assert answer.status_code == 403
            assert "http.token" in problem(answer)["message"]
        assert backend.requested == []
    finally:
        serving.stop()


def test_a_port_in_use_is_a_clear_error() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(ConfigurationError, match=rf"127\.0\.0\.1:{port}.*http\.port"):
            HttpServer(Backend(), Metrics().exposition, port=port).start()


@pytest.mark.parametrize("host", ["no.such.host.invalid", "203.0.113.1"])
def test_an_address_that_is_not_ours_is_a_clear_error(host: str) -> None:
    with pytest.raises(ConfigurationError, match=r"can't listen on"):
        HttpServer(Backend(), Metrics().exposition, host=host, port=0).start()


def test_stopping_closes_the_port_and_may_be_repeated() -> None:
    serving = HttpServer(Backend(), Metrics().exposition, port=0)
    serving.stop()
    serving.start()
    assert json.loads(httpx.get(f"{serving.url}/readyz").text)["ready"] is True
    port = serving.port
    serving.stop()
    serving.stop()
    with pytest.raises(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
        pass


def test_stopping_does_not_wait_for_those_who_wait() -> None:
    backend = Backend()
    serving = HttpServer(backend, Metrics().exposition, port=0, token=TOKEN)
    serving.start()
    answers: list[object] = []

    def ask() -> None:
        try:
            answers.append(httpx.post(f"{serving.url}/api/v1/sync?wait=60", headers=AUTHORIZED, timeout=30).status_code)
        except httpx.HTTPError as error:
            answers.append(error)

    asking = threading.Thread(target=ask)
    asking.start()
    while not backend.requested:
        pass
    serving.stop(timeout=10)
    asking.join(5)
    assert not asking.is_alive()
    assert len(answers) == 1
