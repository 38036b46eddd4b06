"""The HTTP API: routes, what they answer, and who may ask."""

from __future__ import annotations

import asyncio
import hmac
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Annotated, Any, Protocol, TypeVar

import structlog
from fastapi import Body, Depends, FastAPI, Header, HTTPException, Query, Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ConfigDict, Field
from starlette.exceptions import HTTPException as StarletteHTTPException

import reconciler
from reconciler.model.codec import to_json
from reconciler.model.errors import ReconcilerError
from reconciler.model.ids import PlanName, RequestId, RunId
from reconciler.model.report import PlanStatus, Receipt, RunReport
from reconciler.status import page
from reconciler.status.shield import failure
from reconciler.status.views import (
    ErrorBody,
    History,
    PlanDiff,
    PlanList,
    Readiness,
    plan_diff,
    plan_summary,
    run_summary,
)

log = structlog.get_logger(__name__)

T = TypeVar("T")

#: Gives the metrics in the format that an ``Accept`` header asks for, and their content type.
Exposition = Callable[[str], tuple[bytes, str]]

MAX_WAIT = 120.0
_POLL = 0.1
_CODES = {401: "unauthorized", 403: "forbidden", 404: "not_found", 405: "method", 413: "too_large", 422: "invalid"}


class ApiBackend(Protocol):
    """What the API asks of the daemon. Thread-safe; raises ReconcilerError, shown as 503."""

    def statuses(self) -> Sequence[PlanStatus]: ...
    def status(self, name: PlanName) -> PlanStatus | None: ...
    def history(self, name: PlanName, limit: int) -> Sequence[RunReport]: ...
    def run(self, run: RunId) -> RunReport | None: ...
    def receipt(self, request: RequestId) -> Receipt | None: ...

    def request_sync(self, plans: tuple[PlanName, ...] | None, trigger: str) -> Receipt:
        """Ask for a pass over ``plans`` (None: all); returns at once, with a receipt that can be asked for again."""

    def ready(self) -> Mapping[str, str]:
        """What keeps the daemon from its work, by check; checks with an empty text are in order."""


class SyncRequest(BaseModel):
    """Which plans to make a pass over; without any, all."""

    model_config = ConfigDict(extra="forbid")
    plans: Annotated[list[Annotated[str, Field(max_length=253)]], Field(max_length=1000)] | None = None


class _Routes:
    """One method per route; the blocking ones run on the server's thread pool."""

    def __init__(self, backend: ApiBackend, exposition: Exposition) -> None:
        self._backend = backend
        self._exposition = exposition

    def page(self) -> Response:
        """The page for people."""
        return Response(page.render(self._backend.statuses()), media_type="text/html; charset=utf-8")

    def metrics(self, accept: Annotated[str, Header()] = "") -> Response:
        """Prometheus metrics."""
        body, content_type = self._exposition(accept)
        return Response(body, headers={"content-type": content_type})

    def healthz(self) -> Response:
        """Alive."""
        return Response("ok\n", media_type="text/plain")

    def readyz(self) -> Response:
        """Plans loaded, policy compiled, store writable."""
        problems = {check: problem for check, problem in self._backend.ready().items() if problem}
        return _json(Readiness(not problems, problems), 503 if problems else 200)

    def plans(self) -> Response:
        """Every plan in one line."""
        return _json(PlanList(tuple(plan_summary(status) for status in self._backend.statuses())))

    def plan(self, name: str) -> Response:
        """Everything known of a plan now."""
        return _json(self._status(name))

    def diff(self, name: str) -> Response:
        """What the last pass found to differ."""
        return _json(plan_diff(self._status(name)))

    def history(self, name: str, limit: Annotated[int, Query(ge=1, le=500)] = 50) -> Response:
        """The runs of a plan, newest first."""
        runs = self._backend.history(PlanName(name), limit)
        if not runs:
            self._status(name)  # a plan without runs is fine, an unknown one isn't
        return _json(History(PlanName(name), tuple(run_summary(run) for run in runs)))

    def run(self, run: str) -> Response:
        """The whole report of a run."""
        return _json(_found(self._backend.run(RunId(run)), "run", run))

    def receipt(self, request: str) -> Response:
        """Which runs answered a request, and how they ended."""
        return _json(_found(self._backend.receipt(RequestId(request)), "request", request))

    async def sync(
        self,
        wait: Annotated[float, Query(ge=0, le=MAX_WAIT, description="seconds to wait for the passes to end")] = 0,
        body: Annotated[SyncRequest | None, Body()] = None,
    ) -> Response:
        """Ask for a pass over all plans or some; 200 if it was answered while waiting, else 202."""
        return await self._sync(body.plans if body else None, wait)

    async def sync_plan(self, name: str, wait: Annotated[float, Query(ge=0, le=MAX_WAIT)] = 0) -> Response:
        """Ask for a pass over one plan; 200 if it was answered while waiting, else 202."""
        return await self._sync([name], wait)

    async def _sync(self, names: list[str] | None, wait: float) -> Response:
        for name in names or ():
            await run_in_threadpool(self._status, name)
        plans = None if names is None else tuple(PlanName(name) for name in dict.fromkeys(names))
        receipt = await run_in_threadpool(self._backend.request_sync, plans, "api")
        until = time.monotonic() + wait
        while not receipt.answered and time.monotonic() < until:
            await asyncio.sleep(_POLL)
            newer: Receipt | None = await run_in_threadpool(self._backend.receipt, receipt.id)
            receipt = newer or receipt
        return _json(receipt, 200 if receipt.answered else 202)

    def _status(self, name: str) -> PlanStatus:
        return _found(self._backend.status(PlanName(name)), "plan", name)


def build_app(backend: ApiBackend, exposition: Exposition, token: str | None = None) -> FastAPI:
    """The application. Without a ``token`` nobody may ask for a pass; reading needs none."""
    app = FastAPI(title="Reconciler", version=reconciler.__version__, docs_url=None, redoc_url=None)
    routes = _Routes(backend, exposition)
    hidden: dict[str, Any] = {"include_in_schema": False}
    app.get("/", **hidden)(routes.page)
    app.get("/metrics", **hidden)(routes.metrics)
    app.get("/healthz", **hidden)(routes.healthz)
    app.get("/readyz", **_answers(Readiness, 503, Readiness))(routes.readyz)
    app.get("/api/v1/plans", **_answers(PlanList))(routes.plans)
    app.get("/api/v1/plans/{name}", **_answers(PlanStatus, 404))(routes.plan)
    app.get("/api/v1/plans/{name}/diff", **_answers(PlanDiff, 404))(routes.diff)
    app.get("/api/v1/plans/{name}/history", **_answers(History, 404))(routes.history)
    app.get("/api/v1/runs/{run}", **_answers(RunReport, 404))(routes.run)
    app.get("/api/v1/requests/{request}", **_answers(Receipt, 404))(routes.receipt)
    guarded: dict[str, Any] = {**_answers(Receipt, 202, Receipt, 401, 403, 404), "dependencies": [_bearer(token)]}
    app.post("/api/v1/sync", **guarded)(routes.sync)
    app.post("/api/v1/plans/{name}/sync", **guarded)(routes.sync_plan)
    _handle_errors(app)
    return app


def _bearer(token: str | None) -> Any:
    def check(request: Request) -> None:
        if not token:
            raise HTTPException(403, "asking for a pass over HTTP is off: set http.token (RECONCILER_HTTP__TOKEN)")
        scheme, _, given = request.headers.get("authorization", "").partition(" ")
        right = hmac.compare_digest(given.strip().encode(), token.encode())
        if scheme.lower() != "bearer" or not right:
            raise HTTPException(401, "a valid bearer token is needed", {"WWW-Authenticate": "Bearer"})

    return Depends(check)


def _handle_errors(app: FastAPI) -> None:
    @app.exception_handler(StarletteHTTPException)
    def refused(_request: Request, error: StarletteHTTPException) -> Response:
        headers = dict(error.headers or {})
        return failure(error.status_code, _CODES.get(error.status_code, "error"), error.detail, headers=headers)

    @app.exception_handler(RequestValidationError)
    def invalid(_request: Request, error: RequestValidationError) -> Response:
        texts = [f"{'/'.join(map(str, problem['loc']))}: {problem['msg']}" for problem in error.errors()]
        return failure(422, "invalid", "; ".join(texts))

    @app.exception_handler(ReconcilerError)
    def unavailable(_request: Request, error: ReconcilerError) -> Response:
        log.warning("request failed", reason=error.reason, error=str(error))
        return failure(503, error.reason, str(error))

    @app.exception_handler(Exception)
    def broken(request: Request, error: Exception) -> Response:
        log.error("request broke", path=request.url.path, exc_info=error)
        return failure(500, "internal", "the request could not be answered", "the daemon's log says why")


def _answers(model: type, *more: int | type) -> dict[str, Any]:
    """OpenAPI's view of a route: ``model`` for 200, then other codes, each an error unless a model follows it."""
    responses: dict[int | str, dict[str, Any]] = {200: {"model": model}}
    for index, code in enumerate(more):
        if isinstance(code, int):
            following = more[index + 1] if index + 1 < len(more) else None
            responses[code] = {"model": following if isinstance(following, type) else ErrorBody}
    return {"responses": responses, "response_class": Response}


def _found(value: T | None, kind: str, name: str) -> T:
    if value is None:
        raise HTTPException(404, f"no {kind} is called {name[:253]!r}")
    return value


def _json(value: Any, status: int = 200) -> Response:
    return Response(to_json(value), status, media_type="application/json")
