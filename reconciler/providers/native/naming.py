"""Physical names for resources whose plan gives none: the same owner always gets the same name.

That makes a create repeatable and lets a resource be found again without its tags. Properties that can only be
set at creation are part of the name where they may differ, so that a replacement can stand beside what it replaces.
"""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass

from reconciler.model.errors import AwsFault, FaultKind
from reconciler.model.ids import ClientToken, Owner, TypeName
from reconciler.model.values import Properties, Sensitive, has_unknown
from reconciler.ports import Scope

_DIGITS = 10
#: beginnings that some service keeps for itself; "r-" goes before them
_RESERVED = ("aws", "ssm", "xn--", "sthree-", "amzn-s3-demo-")


@dataclass(frozen=True, slots=True)
class NameRule:
    """What a service allows in names, and which property holds them.

    ``distinct``: create-only properties that tell the generated names of two versions apart.
    ``fifo``: names end in ``.fifo`` where the ``FifoQueue`` or ``FifoTopic`` property is true.
    """

    property: str
    longest: int
    lower: bool = False
    distinct: tuple[str, ...] = ()
    fifo: str = ""

    def name(self, desired: Properties, owner: Owner | None, scope: Scope) -> str | None:
        """The given or generated name; None while it, or what it is made from, isn't known."""
        given = desired.get(self.property)
        if given is not None:
            given = given.reveal() if isinstance(given, Sensitive) else given
            return None if has_unknown(given) else str(given)
        parts = [desired.get(name) for name in (*self.distinct, *([self.fifo] if self.fifo else []))]
        if owner is None or has_unknown(parts):
            return None
        return self._generated(desired, owner, scope)

    def required(self, desired: Properties, owner: Owner | None, scope: Scope, type_name: TypeName) -> str:
        """As ``name``, but raises INVALID_REQUEST where there is none."""
        name = self.name(desired, owner, scope)
        if name is None:
            message = f"{type_name} needs {self.property}, or ownership tags to generate one from"
            raise AwsFault(FaultKind.INVALID_REQUEST, message)
        return name

    def of_token(self, token: ClientToken) -> str:
        """A name for a resource that can't carry its owner's tags: the same when its create is repeated."""
        return f"r-{hashlib.sha256(token.encode()).hexdigest()[:20]}"[: self.longest]

    def _generated(self, desired: Properties, owner: Owner, scope: Scope) -> str:
        extra = {name: desired[name] for name in self.distinct if desired.get(name) not in (None, "/")}
        identity = [scope.account, scope.region, owner.plan, owner.logical_id, extra]
        digest = hashlib.sha256(json.dumps(identity, sort_keys=True).encode()).hexdigest()[:_DIGITS]
        fifo = self.fifo and str(desired.get(self.fifo, "")).lower() == "true"
        ending = f"-{digest}{'.fifo' if fifo else ''}"
        readable = re.sub(r"[^A-Za-z0-9]+", "-", f"{owner.plan}-{owner.logical_id}").strip("-")
        if readable.lower().startswith(_RESERVED):
            readable = f"r-{readable}"
        name = readable[: self.longest - len(ending)].rstrip("-") + ending
        return name.lower() if self.lower else name
