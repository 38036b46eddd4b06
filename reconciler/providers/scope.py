"""Calls to one account and region as one identity: retries, budget, error mapping and metrics in one place."""

from __future__ import annotations

import contextvars
import threading
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from time import perf_counter
from typing import Any, TypeVar

import structlog
from botocore.exceptions import BotoCoreError
from botocore.paginate import Paginator

from reconciler.model.decision import Identity
from reconciler.model.errors import AwsFault, FaultKind, GuardBlocked
from reconciler.ports import Clock, Telemetry
from reconciler.providers.budget import Bucket, Budget
from reconciler.providers.faults import fault_of
from reconciler.providers.relief import Relief
from reconciler.providers.retry import RetryPolicy
from reconciler.providers.sessions import SessionKey, Sessions

log = structlog.get_logger(__name__)

T = TypeVar("T")

_READS = ("describe_", "get_", "list_", "head_", "lookup_", "search_", "batch_get_", "select_")
_READ_NAMES = frozenset({"query", "scan", "filter_log_events"})


@dataclass(frozen=True, slots=True)
class Method:
    """A client's method, looked up once. ``place``: the account and region that it goes to."""

    call: Callable[..., Mapping[str, Any]]
    service: str
    api_name: str
    writes: bool
    bucket: Bucket
    place: tuple[str, str]
    paginator: Mapping[str, Any] | None


class Workers:
    """A bounded thread pool that several passes share; a job that asks for more runs it itself."""

    def __init__(self, threads: int) -> None:
        self._pool = ThreadPoolExecutor(max_workers=threads, thread_name_prefix="aws")
        self._inside = threading.local()

    def gather(self, jobs: Iterable[Callable[[], T]]) -> list[T]:
        """Results in order. The first exception is raised after all jobs ended."""
        todo = list(jobs)
        if len(todo) < 2 or getattr(self._inside, "yes", False):
            return _results([_run_now(job) for job in todo])
        context = contextvars.copy_context()
        return _results([self._pool.submit(context.copy().run, self._run, job) for job in todo])

    def close(self) -> None:
        """Wait for what runs, start nothing more."""
        self._pool.shutdown(wait=True, cancel_futures=True)

    def _run(self, job: Callable[[], T]) -> T:
        self._inside.yes = True
        return job()


def _run_now(job: Callable[[], T]) -> Future[T]:
    future: Future[T] = Future()
    try:
        future.set_result(job())
    except Exception as error:
        future.set_exception(error)
    return future


def _results(futures: list[Future[T]]) -> list[T]:
    errors = [error for future in futures if (error := future.exception()) is not None]
    if errors:
        raise errors[0]
    return [future.result() for future in futures]


@dataclass(frozen=True, slots=True)
class Tools:
    """What all scopes of a process share."""

    sessions: Sessions
    workers: Workers
    budget: Budget
    relief: Relief
    retry: RetryPolicy
    clock: Clock
    telemetry: Telemetry
    #: told of an account when a call that changes something there has ended
    written: Callable[[str], None]


class Methods:
    """The methods of one session in one region, bound on first use; kept between passes. Thread-safe."""

    def __init__(self, tools: Tools, key: SessionKey, account: str, region: str) -> None:
        self._tools = tools
        self._key = key
        self._account = account
        self._region = region
        self._bound: dict[tuple[str, str], Method] = {}
        self._facts: dict[str, bool] = {}

    def get(self, service: str, operation: str) -> Method:
        """The method. Raises botocore's exceptions for an unknown service, AttributeError for an operation."""
        method = self._bound.get((service, operation))
        if method is None:
            # Binding twice at the same time is harmless: both results are the same.
            method = self._bound[(service, operation)] = self._bind(service, operation)
        return method

    def fact(self, name: str, find_out: Callable[[], bool]) -> bool:
        """See ``ports.Scope``. Found out twice at the same time it is the same."""
        known = self._facts.get(name)
        if known is None:
            known = self._facts[name] = find_out()
        return known

    def _bind(self, service: str, operation: str) -> Method:
        client = self._tools.sessions.client(self._key, self._region, service)
        api_name = client.meta.method_to_api_mapping[operation]
        paginated = client.can_paginate(operation)
        return Method(
            call=getattr(client, operation),
            service=service,
            api_name=api_name,
            writes=not (operation.startswith(_READS) or operation in _READ_NAMES),
            bucket=self._tools.budget.bucket(self._account, self._region, service),
            place=(self._account, self._region),
            paginator=self._tools.sessions.pagination(service)[api_name] if paginated else None,
        )


class LiveScope:
    """``ports.Scope`` over botocore. Cheap to make: one per pass and target; what is dear is in ``Methods``."""

    __slots__ = ("_identity", "_methods", "_partition", "_region", "_tools")

    def __init__(self, tools: Tools, methods: Methods, identity: Identity, region: str) -> None:
        self._tools = tools
        self._methods = methods
        self._identity = identity
        self._region = region
        self._partition = identity.arn.split(":")[1] if identity.arn.count(":") > 1 else "aws"

    @property
    def account(self) -> str:
        """The twelve digits of the account, as verified."""
        return self._identity.account

    @property
    def region(self) -> str:
        """The region that calls go to."""
        return self._region

    @property
    def partition(self) -> str:
        """aws, aws-cn, aws-us-gov …"""
        return self._partition

    @property
    def identity(self) -> Identity:
        """Who the calls are made as."""
        return self._identity

    def call(self, service: str, operation: str, /, **parameters: Any) -> Mapping[str, Any]:
        """One API call, repeated where that is safe. Raises AwsFault or GuardBlocked."""
        return invoke(self._tools, bound(self._methods, service, operation), parameters)

    def pages(self, service: str, operation: str, key: str, /, **parameters: Any) -> list[Any]:
        """All pages of a read, each retried by itself, concatenated under ``key``."""
        method = bound(self._methods, service, operation)
        if method.paginator is None:
            return list(invoke(self._tools, method, parameters).get(key) or ())

        paginator: Any = Paginator  # the stubs describe it as if only botocore made them

        def page(**arguments: Any) -> Mapping[str, Any]:
            return invoke(self._tools, method, arguments)

        found: list[Any] = []
        for answer in paginator(page, method.paginator, None).paginate(**parameters):
            found.extend(answer.get(key) or ())
        return found

    def fact(self, name: str, find_out: Callable[[], bool]) -> bool:
        """See ``ports.Scope``."""
        return self._methods.fact(name, find_out)

    def gather(self, jobs: Iterable[Callable[[], T]]) -> list[T]:
        """Run jobs on the pool that all scopes share; see ``ports.Scope``."""
        return self._tools.workers.gather(jobs)


def bound(methods: Methods, service: str, operation: str) -> Method:
    """A method, or an AwsFault if the SDK has no such service or operation or can't find credentials."""
    try:
        return methods.get(service, operation)
    except (BotoCoreError, KeyError) as error:
        if isinstance(error, KeyError):
            message = f"this version of the SDK has no operation {operation}"
            raise AwsFault(FaultKind.INVALID_REQUEST, message, service=service, operation=operation) from error
        raise fault_of(error, service, operation, writes=False) from error


def invoke(tools: Tools, method: Method, parameters: Mapping[str, Any]) -> Mapping[str, Any]:
    """Call until it succeeds or must not be repeated. Raises AwsFault or GuardBlocked."""
    attempt = 0
    started = tools.clock.monotonic()
    while True:
        attempt += 1
        method.bucket.take()
        try:
            return _once(tools, method, parameters)
        except AwsFault as fault:
            if fault.kind is FaultKind.THROTTLED:
                method.bucket.throttled()
                tools.relief.throttled(*method.place)
                tools.telemetry.aws_throttled(method.service)
            elapsed = tools.clock.monotonic() - started
            if not tools.retry.again(fault, writes=method.writes, attempt=attempt, elapsed=elapsed):
                raise
            pause = tools.retry.pause(attempt)
            log.debug(
                "aws call repeated", service=method.service, operation=method.api_name, code=fault.code, after=pause
            )
            tools.clock.sleep(pause)


def _once(tools: Tools, method: Method, parameters: Mapping[str, Any]) -> Mapping[str, Any]:
    started = perf_counter()
    code = ""
    try:
        return method.call(**parameters)
    except GuardBlocked:
        code = "GuardBlocked"
        raise
    except Exception as error:
        fault = fault_of(error, method.service, method.api_name, writes=method.writes)
        code = fault.code or fault.kind.value
        raise fault from error
    finally:
        if method.writes:
            tools.written(method.place[0])
        tools.telemetry.aws_call(method.service, method.api_name, code, perf_counter() - started)
