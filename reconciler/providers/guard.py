"""The read-only guard: on a read-only target no call leaves the process unless it only reads.

It hangs on botocore's events, below everything that makes calls: clients, paginators, waiters, resources, presigned
URLs. It knows nothing of policy or plans and can't be talked out of it by either.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

import structlog

from reconciler.model.errors import GuardBlocked
from reconciler.ports import Telemetry
from reconciler.providers.levels import harmless_read, reveals_secret

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
_DECRYPTING = frozenset({"GetParameter", "GetParameters", "GetParametersByPath", "GetParameterHistory"})


class Emitter(Protocol):
    """The part of botocore's event emitters that the guard needs."""

    def register_first(self, event_name: str, handler: Any, unique_id: str | None = None) -> None:
        """Call ``handler`` before those registered otherwise."""


class Guard:
    """Refuses every operation that isn't positively known to be Read or List.

    ``environment`` names the target in errors. ``secrets``: allow reads that reveal secrets (a plan with dynamic
    references needs them); without it they are refused as well.
    """

    def __init__(self, environment: str, telemetry: Telemetry, *, secrets: bool = False) -> None:
        self._environment = environment
        self._telemetry = telemetry
        self._secrets = secrets
        self._services: dict[str, tuple[str, tuple[str, ...]]] = {}

    def install(self, emitter: Emitter) -> None:
        """Hang the guard on a session (then on every client made of it afterwards) or on a client."""
        for event in _EVENTS:
            emitter.register_first(event, self._check, unique_id=f"reconciler-guard-{event}")

    def allows(
        self, service: str, operation: str, names: tuple[str, ...] = (), params: Mapping[str, Any] | None = None
    ) -> bool:
        """Whether an operation may be called. ``service`` and ``names`` as in ``levels.level``."""
        if not harmless_read(service, operation, names):
            return False
        if self._secrets:
            return True
        decrypting = service == "ssm" and operation in _DECRYPTING and (params or {}).get("WithDecryption")
        return not decrypting and not reveals_secret(service, operation)

    def _check(self, event_name: str, **details: Any) -> None:
        """The handler. Event names are ``before-call.<service id>.<operation>``."""
        parts = event_name.split(".")
        service_id, operation = (parts[1], parts[-1]) if len(parts) > 2 else ("", "")
        service, names = self._service(service_id, details.get("model"))
        params = details.get("params") if parts[0] in ("provide-client-params", "before-parameter-build") else None
        if self.allows(service, operation, names, params):
            return
        self._telemetry.guard_blocked(service, operation or "unknown")
        log.warning("call blocked by read-only guard", service=service, operation=operation, event_hook=parts[0])
        raise GuardBlocked(service, operation or "unknown", self._environment)

    def _service(self, service_id: str, model: Any) -> tuple[str, tuple[str, ...]]:
        """SDK name and IAM names of a service. Learnt where an event carries the model, which the first ones do.

        A service never met before under that id is an unknown one, whose operations are refused.
        """
        known = self._services.get(service_id)
        if known is None:
            if model is None:
                return service_id, ()
            about = model.service_model
            known = (about.service_name, (about.signing_name, about.endpoint_prefix))
            self._services[service_id] = known
        return known
