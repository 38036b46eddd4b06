"""The ways in which one call fails, each as microburst does it, and what the pass must come to."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from reconciler.testing.localaws import LocalAws
from reconciler.testing.wire import Call
from tests.faults.proxy import Microburst, Rule

#: What services call it when a caller asks too often, and when he may not; others say ``ThrottlingException`` …
_THROTTLED = {"ec2": "RequestLimitExceeded", "s3": "SlowDown", "iam": "Throttling", "sns": "Throttling"}
_DENIED = {"ec2": "UnauthorizedOperation", "s3": "AccessDenied", "iam": "AccessDenied", "sns": "AuthorizationError"}

#: Longer than any answer, so that a client which believes it waits for the rest until its patience ends. Bytes.
_PROMISED = "100000"


@dataclass(frozen=True)
class Kind:
    """``passes``: whether the pass must succeed nevertheless, or must fail; None: it depends on the call.

    ``applied``: the call takes effect, only its answer doesn't come.
    """

    name: str
    rule: Callable[[Call], Rule]
    passes: bool | None
    applied: bool = False

    @contextmanager
    def on(self, call: Call, proxy: Microburst, aws: LocalAws) -> Iterator[None]:
        """Inside, such calls fail."""
        if self.applied and not _cuttable(self, call):
            with _below(self, call, aws):
                yield
            return
        proxy.rules([{"service": call.service, "operation": call.operation, **self.rule(call)}])
        yield
        proxy.rules([])

    def fired(self, call: Call, proxy: Microburst) -> bool:
        """Whether microburst has done it since it was asked last; True for what it can't do."""
        done = {(one["service"], one["operation"]) for one in proxy.fired()}
        return (call.service, call.operation) in done or (self.applied and not _cuttable(self, call))


def _cuttable(kind: Kind, call: Call) -> bool:
    """microburst can't break off an answer without a body, nor promise more of one that can't have any (204)."""
    return call.answered > 0 or (kind.name == "timeout" and call.status != 204)


@contextmanager
def _below(kind: Kind, call: Call, aws: LocalAws) -> Iterator[None]:
    """The local AWS does it instead: microburst waits too; a cut becomes a gateway's 502 after the call took effect.

    What is idempotent by HTTP it asks for twice before that.
    """
    if kind.name == "timeout":
        with aws.hold(call.service, call.operation):
            yield
        return
    aws.cut(call.service, call.operation, times=2 if call.service == "s3" else 1, applied=True)
    yield
    aws.clear_faults()


def _error(code: str, status: int | None = None, **more: int) -> Callable[[Call], Rule]:
    return lambda _call: {"error": {"code": code, **({"status": status} if status else {})}, **more}


def _slow_down(times: int | None) -> Callable[[Call], Rule]:
    def rule(call: Call) -> Rule:
        error = {"code": _THROTTLED.get(call.service, "ThrottlingException"), "message": "Rate exceeded"}
        return {"error": error, **({"times": times} if times else {})}

    return rule


def _denied(call: Call) -> Rule:
    return {"error": {"code": _DENIED.get(call.service, "AccessDeniedException"), "status": 403, "message": "denied"}}


#: Those first that the pass is taken back for: the next goes on from there.
KINDS = (
    Kind("throttled for good", _slow_down(None), passes=False),
    Kind("internal error", _error("InternalFailure", 500, times=1), passes=False),
    Kind("unavailable", _error("ServiceUnavailable", 503, times=1), passes=False),
    Kind("reset", lambda _call: {"reset": True, "times": 1}, passes=False),
    Kind("denied", _denied, passes=False),
    Kind("throttled", _slow_down(3), passes=True),
    Kind("cut", lambda _call: {"response": {"abort_frac": 0.3}, "times": 1}, passes=None, applied=True),
    Kind(
        "timeout",
        lambda _call: {"response": {"set_headers": {"Content-Length": _PROMISED}}, "times": 1},
        passes=None,
        applied=True,
    ),
    Kind("slow", lambda _call: {"latency": 300, "times": 1}, passes=True),
)
