"""The changes of an instance that AWS makes only while it is stopped."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from reconciler.model.values import Properties
from reconciler.providers.declared import Call
from reconciler.providers.native.restarting import Restarted

#: what AWS takes of an instance that is stopped
_STOPPED = frozenset(
    {"Affinity", "EbsOptimized", "HostId", "InstanceType", "KernelId", "RamdiskId", "Tenancy", "UserData"}
)
_DNS = "PrivateDnsNameOptions"
_THIS = {"InstanceIds": ["{InstanceId}"]}


class StoppedInstance(Restarted):
    """An instance, whose states are EC2's words for them."""

    stopping: ClassVar[Call] = Call("stop_instances", constants=_THIS)
    starting: ClassVar[Call] = Call("start_instances", constants=_THIS)
    before_running: ClassVar[frozenset[str]] = frozenset({"pending", "stopped"})
    seconds: ClassVar[float] = 5.0

    def stopped_for(self, before: Properties, after: Properties, changed: frozenset[str]) -> frozenset[str]:
        """See ``Restarted``. Of the DNS options only what it is named by can't be changed while it runs."""
        old, new = before.get(_DNS) or {}, after.get(_DNS) or {}
        kinds = [one.get("HostnameType") for one in (old, new)]
        renamed = kinds[1] is not None and kinds[0] != kinds[1]
        return changed & (_STOPPED | {_DNS} if renamed else _STOPPED)

    def state_of(self, item: Mapping[str, Any]) -> str:
        """See ``Restarted``."""
        return str((item.get("State") or {}).get("Name"))
