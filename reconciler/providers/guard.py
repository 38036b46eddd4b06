"""The guard: no call leaves the process that its session has no business with.

It hangs on botocore's events, below everything that makes calls: clients, paginators, waiters, resources, presigned
URLs. It knows nothing of policy or plans and can't be talked out of it by either. Every session has one of three:
``Guard`` (read-only targets and sessions that aren't ours), ``SecretGuard`` (writable targets), ``LoginGuard`` (the
sessions that only fetch credentials).
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, Protocol

import structlog

from reconciler.model.errors import GuardBlocked
from reconciler.providers.levels import harmless_read
from reconciler.providers.readable import shows_resources, type_reveals
from reconciler.providers.revealing import REFERENCES, listed_secret, resolves_reference, reveals
from reconciler.providers.wire import fields, says

if TYPE_CHECKING:
    from botocore.model import ServiceModel

log = structlog.get_logger(__name__)

# From the first moment an operation is named to the last before its bytes are sent. One would do; each catches what
# skips those before it (a presigned POST has no parameters, a hand-made request no operation).
_EVENTS = (
    "provide-client-params",
    "before-parameter-build",
    "before-call",
    "choose-signer",
    "request-created",
    "before-sign",
    "before-send",
)
_WITH_PARAMETERS = ("provide-client-params", "before-parameter-build")

#: What botocore itself calls to get credentials.
_LOGIN: Mapping[str, frozenset[str]] = {
    "sts": frozenset({"AssumeRole", "AssumeRoleWithWebIdentity"}),
    "sso": frozenset({"GetRoleCredentials"}),
    "sso-oidc": frozenset({"CreateToken"}),
    "signin": frozenset({"CreateOAuth2Token"}),
}

_resolving: ContextVar[bool] = ContextVar("reconciler_resolving_reference", default=False)


@contextmanager
def resolving_reference() -> Iterator[None]:
    """Inside, this thread may read the secret that a plan's dynamic reference names, where its target is writable."""
    token = _resolving.set(True)
    try:
        yield
    finally:
        _resolving.reset(token)


class Counter(Protocol):
    """The part of ``ports.Telemetry`` that the guard feeds."""

    def guard_blocked(self, service: str, operation: str) -> None:
        """A call was refused."""


class Emitter(Protocol):
    """The part of botocore's event emitters that the guard needs."""

    def register_first(self, event_name: str, handler: Any, unique_id: str | None = None) -> None:
        """Call ``handler`` before those registered otherwise."""

    def register_last(self, event_name: str, handler: Any, unique_id: str | None = None) -> None:
        """Call ``handler`` after those registered otherwise."""


class Guard:
    """Refuses every operation that isn't positively known to be Read or List, and reads that nobody here needs.

    ``environment`` names the target in errors. ``secrets``: allow the reads that resolve dynamic references (a plan
    for a read-only target might need them); without it they are refused as well.
    """

    #: whether the bytes about to be sent are held against the operation that was announced
    _exact = True

    def __init__(self, environment: str, telemetry: Counter, *, secrets: bool = False) -> None:
        self._environment = environment
        self._telemetry = telemetry
        self._secrets = secrets
        self._services: dict[str, ServiceModel] = {}
        self._settled: set[str] = set()  # events that passed and always will: eight of them in a call cost something
        self._passed = threading.local()

    def install(self, emitter: Emitter) -> None:
        """Hang the guard on a session (then on every client made of it afterwards) or on a client.

        By a function that nobody else holds and without an id, so that it can't be unregistered by either.
        """

        def check(event_name: str, **details: Any) -> None:
            self._check(event_name, details)

        for event in _EVENTS:
            emitter.register_first(event, check)
        emitter.register_last("before-send", check)  # once more, after whoever changed the request

    def allows(
        self, service: str, operation: str, names: tuple[str, ...] = (), params: Mapping[str, Any] | None = None, /
    ) -> bool:
        """Whether an operation may be called. ``service`` and ``names`` as in ``levels.level``."""
        decrypting = bool((params or {}).get("WithDecryption"))
        if resolves_reference(service, operation, decrypting):
            return self._secrets and harmless_read(service, operation, names)
        if params is not None and shows_resources(service, operation) and _shows(params):
            return False
        return reveals(service, operation) is None and harmless_read(service, operation, names)

    def signing(self) -> bool:
        """Whether this thread is about to sign a call that was let through; asking uses it up."""
        passed, self._passed.signing = getattr(self._passed, "signing", False), False
        return bool(passed)

    def refuse(self, service: str, operation: str, hook: str, why: str = "") -> GuardBlocked:
        """Count and log a refusal. Returns the error to raise. ``why``: the ground, if it isn't the usual one."""
        operation = operation or "unknown"
        self._telemetry.guard_blocked(service, operation)
        log.warning("call blocked by guard", service=service, operation=operation, event_hook=hook)
        return GuardBlocked(service, operation, self._environment, why or self._why())

    def _why(self) -> str:
        """The ground that the error gives; empty: the environment is read-only."""
        return ""

    def _check(self, event_name: str, details: Mapping[str, Any]) -> None:
        """The handler. Event names are ``before-call.<service id>.<operation>``."""
        if event_name in self._settled:
            self._passed.signing = event_name.startswith("before-sign.")
            return
        hook, *middle = event_name.split(".")
        service_id, operation = (middle[0], middle[-1]) if len(middle) > 1 else ("", "")
        self._passed.signing = False
        about = self._service(service_id, details.get("model"))
        service = service_id if about is None else about.service_name
        names = () if about is None else (about.signing_name, about.endpoint_prefix)
        params = details.get("params") if hook in _WITH_PARAMETERS else None
        if hook == "before-send":
            params = self._sent(details.get("request"), about, service, operation)
        if about is None or not self.allows(service, operation, names, params):
            raise self.refuse(service, operation, hook, _ground(service, operation, params))
        self._passed.signing = hook == "before-sign"
        by_parameters = service in REFERENCES or shows_resources(service, operation)
        if not by_parameters and not (hook == "before-send" and self._exact):
            self._settled.add(event_name)

    def _sent(self, request: Any, about: ServiceModel | None, service: str, operation: str) -> Mapping[str, Any] | None:
        """The parameters on the wire where they matter. Raises GuardBlocked if the bytes say something else."""
        if about is None or operation not in about.operation_names:
            return None
        if self._exact and not says(request, about.operation_model(operation)):
            raise self.refuse(service, operation, "wire")
        judged = (service == "ssm" and operation in REFERENCES["ssm"]) or shows_resources(service, operation)
        return fields(request) if judged else None

    def _service(self, service_id: str, model: Any) -> ServiceModel | None:
        """The model of a service. Learnt where an event carries it, which the first ones do.

        A service never met before under that id is an unknown one, whose operations are refused.
        """
        known = self._services.get(service_id)
        if known is None and model is not None:
            known = self._services[service_id] = model.service_model
        return known


def _shows(params: Mapping[str, Any]) -> str:
    """What reading the type that a call names would give away; empty: nothing."""
    reason = type_reveals(str(params.get("TypeName", "")))
    return f"{params.get('TypeName')} {reason.value}" if reason else ""


def _ground(service: str, operation: str, params: Mapping[str, Any] | None) -> str:
    if params is None or not shows_resources(service, operation):
        return ""
    shown = _shows(params)
    return f"reading {shown}, which no read-only target is asked for" if shown else ""


class SecretGuard(Guard):
    """For writable targets: everything but the reading of secrets, apart from those that a plan's references name."""

    _exact = False

    def __init__(self, telemetry: Counter) -> None:
        super().__init__("a writable environment", telemetry)

    def allows(
        self, service: str, operation: str, _names: tuple[str, ...] = (), params: Mapping[str, Any] | None = None, /
    ) -> bool:
        """Whether an operation may be called; see ``resolving_reference``."""
        if resolves_reference(service, operation, bool((params or {}).get("WithDecryption"))):
            return _resolving.get()
        return not listed_secret(service, operation)

    def _why(self) -> str:
        return "it gives out a secret that no plan's dynamic reference asks for"


class LoginGuard(Guard):
    """For the sessions that only fetch credentials: what botocore calls for that and nothing else."""

    def __init__(self, telemetry: Counter) -> None:
        super().__init__("the session that fetches credentials", telemetry)

    def allows(
        self, service: str, operation: str, _names: tuple[str, ...] = (), _params: Mapping[str, Any] | None = None, /
    ) -> bool:
        """Whether an operation fetches credentials."""
        return operation in _LOGIN.get(service, ())

    def _why(self) -> str:
        return "this session only fetches credentials"
