"""Which calls were made, by the program and by the clients of a test."""

from __future__ import annotations

from typing import Any

from reconciler.testing.memory import SilentTelemetry


class Calls(SilentTelemetry):
    """A telemetry that keeps the names of calls, as ``ec2:CreateVpc``."""

    def __init__(self) -> None:
        self._made: set[str] = set()

    def clear(self) -> None:
        """Begin anew."""
        self._made = set()

    def made(self) -> frozenset[str]:
        """What was called since."""
        return frozenset(self._made)

    def aws_call(self, service: str, operation: str, code: str, seconds: float) -> None:
        """See ``ports.Telemetry``."""
        self._made.add(f"{service}:{operation}")

    def watch(self, client: Any) -> Any:
        """The client of a test; its calls are kept from now on."""
        client.meta.events.register("before-call", self._before)
        return client

    def _before(self, model: Any, **_: Any) -> None:
        self._made.add(f"{model.service_model.service_name}:{model.name}")
