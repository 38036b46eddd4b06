"""Sessions that aren't ours: whatever library or module makes one in this process gets a read-only one.

botocore calls an initializer for each session that is made. From the import of this module on, a session that is no
``OwnSession`` is guarded as if it were of a read-only target; nothing in the product needs one.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import botocore
import botocore.session
from botocore.loaders import Loader

from reconciler.ports import Telemetry
from reconciler.providers.guard import Guard

#: What the errors call such a session.
STRAY = "a session that isn't the reconciler's own"


class OwnSession(botocore.session.Session):
    """A session of ours: guarded by ``guard`` from the start, with service models from the SDK's own files alone.

    Models in ``~/.aws/models`` could give a reading name to another request.
    """

    def __init__(self, guard: Guard, loader: Loader, *, profile: str | None = None) -> None:
        super().__init__(profile=profile)
        self.register_component("data_loader", loader)
        guard.install(self.get_component("event_emitter"))


@lru_cache(maxsize=1)
def sealed_loader() -> Loader:
    """The process's loader of the service models that the SDK ships, and of no others: each model is parsed once."""
    return Loader(extra_search_paths=[Loader.BUILTIN_DATA_PATH], include_default_search_paths=False)


def guard_stray(session: Any) -> None:
    """botocore's initializer: hang the guard on a session of somebody else's."""
    if not isinstance(session, OwnSession):
        Guard(STRAY, _counted).install(session.get_component("event_emitter"))


def count_strays(telemetry: Telemetry) -> None:
    """Count from now on what strays are refused in ``telemetry``."""
    _counted.telemetry = telemetry


class _Counted:
    """Passes on to the process's telemetry, once there is one."""

    def __init__(self) -> None:
        self.telemetry: Telemetry | None = None

    def guard_blocked(self, service: str, operation: str) -> None:
        if self.telemetry is not None:
            self.telemetry.guard_blocked(service, operation)


_counted = _Counted()
botocore.register_initializer(guard_stray)
