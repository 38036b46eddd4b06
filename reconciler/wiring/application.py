"""The application: every part of it, made from the settings and put together."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from reconciler.breakers import BreakerLimits, Breakers
from reconciler.clock import SystemClock
from reconciler.cycle import Cycle, Limits
from reconciler.model.errors import ConfigurationError
from reconciler.model.events import Event
from reconciler.model.secrecy import use_key
from reconciler.ports import Clock, EventSink, Locks, Scope
from reconciler.revisions import Revisions
from reconciler.settings import Settings
from reconciler.sharing import Writes
from reconciler.status.outcome import Backoff
from reconciler.wiring.deployers import deployers
from reconciler.wiring.publishing import pipeline

if TYPE_CHECKING:
    from reconciler.daemon.app import PolicyLike
    from reconciler.live import Outside
    from reconciler.ports import Store
    from reconciler.providers.access import Access
    from reconciler.source.claims import ClaimedSource
    from reconciler.status.metrics import Metrics

#: Steps of one plan that run at the same time.
PARALLEL_STEPS = 8


class NoEvents:
    """Drops every event: where nobody watches."""

    def emit(self, event: Event) -> None:
        """Nothing."""


@dataclass(frozen=True, slots=True)
class App:
    """Everything, wired."""

    settings: Settings
    source: ClaimedSource
    cycle: Cycle
    store: Store
    policy: PolicyLike
    metrics: Metrics
    clock: Clock
    events: EventSink
    access: Access
    revisions: Revisions
    writes: Writes

    def close(self) -> None:
        """Let go of connections, files and processes."""
        self.access.close()
        for part in (self.store, self.policy):
            close = getattr(part, "close", None)
            if close is not None:
                close()


def build(settings: Settings, *, events: EventSink | None = None, clock: Clock | None = None) -> App:
    """The application. Raises ConfigurationError or StoreError; touches neither AWS nor Git."""
    from reconciler.status.metrics import Metrics

    clock, events = clock or SystemClock(), events or NoEvents()
    metrics = Metrics(settings.daemon.interval)
    store = open_store(settings)
    source, policy = _source(settings, clock), _policy(settings, clock, metrics)
    return _assembled(settings, store, metrics, clock, events, source, policy, Writes(clock))


def open_store(settings: Settings) -> Store:
    """The store alone, for commands that only look. Raises StoreError."""
    from reconciler.store import SqlStore

    return SqlStore(settings.store_url)


def leases(settings: Settings, store: Store, clock: Clock) -> Locks:
    """The locks on plans, which all processes that share the store go by."""
    from reconciler.store.leases import StoreLeases

    return StoreLeases(store, clock, ttl=settings.store.lease, call=_longest_call(settings))


def rebuild(app: App, settings: Settings) -> App:
    """The application after a reload: new settings; the same store, metrics, clock and events.

    Source and policy engine stay too, with the last good versions that they hold, unless their settings changed.
    """
    old = app.settings
    kept = settings.source == old.source and settings.allowed_signers == old.allowed_signers
    source = app.source if kept else _source(settings, app.clock)
    policy = app.policy if settings.policy == old.policy else _policy(settings, app.clock, app.metrics)
    return _assembled(settings, app.store, app.metrics, app.clock, app.events, source, policy, app.writes)


def _assembled(
    settings: Settings,
    store: Store,
    metrics: Metrics,
    clock: Clock,
    events: EventSink,
    source: ClaimedSource,
    policy: PolicyLike,
    writes: Writes,
) -> App:
    from reconciler.providers.quotas import quota_of
    from reconciler.providers.registry import Registry
    from reconciler.store.secretkey import secret_key

    access, key = _access(settings, clock, metrics, writes), secret_key(settings.state_dir)
    use_key(key)
    revisions = Revisions(store, clock, key)
    cycle = Cycle(
        access=access,
        providers=Registry(),
        policy=policy,
        pipeline=pipeline(settings, clock),
        outside=_outside(store),
        store=store,
        clock=clock,
        events=events,
        telemetry=metrics,
        recorder=metrics,
        claims=source.claims,
        locks=leases(settings, store, clock),
        breakers=_breakers(settings, store, clock),
        revisions=revisions,
        quotas=quota_of,
        limits=_limits(settings),
        deployers=deployers(settings, store, clock, events, access),
        writes=writes,
    )
    return App(settings, source, cycle, store, policy, metrics, clock, events, access, revisions, writes)


def _breakers(settings: Settings, store: Store, clock: Clock) -> Breakers:
    from reconciler.providers.trail import last_writer

    breaker = settings.breaker
    limits = BreakerLimits(
        failures=breaker.failures,
        cooldown=breaker.cooldown,
        cooldown_max=breaker.cooldown_max,
        flips=breaker.flips,
        window=breaker.window,
        hold=breaker.hold,
    )
    return Breakers(limits, store, clock, last_writer)


def _longest_call(settings: Settings) -> float:
    return settings.aws.connect_timeout + settings.aws.read_timeout


def _access(settings: Settings, clock: Clock, metrics: Metrics, writes: Writes) -> Access:
    from reconciler.providers.access import Access, AccessSettings
    from reconciler.providers.relief import ReliefSettings
    from reconciler.providers.sessions import ConnectionSettings

    aws = settings.aws
    connection = ConnectionSettings(
        endpoint_url=aws.endpoint_url,
        connect_timeout=aws.connect_timeout,
        read_timeout=aws.read_timeout,
        pool=aws.threads,
    )
    relief = ReliefSettings(settings.breaker.throttles, settings.breaker.relief)
    access = AccessSettings(connection, aws.role_pattern, workers=aws.threads, relief=relief)
    return Access(clock, metrics, access, writes.ended)


def _policy(settings: Settings, clock: Clock, metrics: Metrics) -> PolicyLike:
    from reconciler.policy import EmbeddedEngine, OpaEngine

    policy, opa = settings.policy, settings.policy.opa
    if policy.engine == "opa" and opa.address is None:
        raise ConfigurationError("policy.engine is opa, but policy.opa.address is not set")
    if policy.engine == "embedded" or opa.address is None:
        return EmbeddedEngine(policy.directory, metrics, clock, timeout=opa.timeout)
    token = opa.token.get_secret_value() if opa.token else None
    return OpaEngine(opa.address, policy.directory, metrics, clock, manage=opa.manage, timeout=opa.timeout, token=token)


def _source(settings: Settings, clock: Clock) -> ClaimedSource:
    from reconciler.source import DirectorySource, GitSource
    from reconciler.source.claims import ClaimedSource

    source, cache = settings.source, settings.state_dir / "lint"
    if source.git is None:
        directory = DirectorySource(source.path, allowed_signers=settings.allowed_signers, clock=clock, cache=cache)
        return ClaimedSource(directory)
    repository = GitSource(
        source.git.url,
        source.git.branch,
        source.git.checkout or settings.state_dir / "source",
        subdirectory=source.git.subdirectory,
        allowed_signers=settings.allowed_signers,
        clock=clock,
        cache=cache,
    )
    return ClaimedSource(repository)


def _outside(store: Store) -> Callable[[Scope, bool], Outside]:
    """Dynamic references are resolved only where they are going to be used: in writable environments."""
    from reconciler.providers.outside import AwsOutside

    return lambda scope, secrets: AwsOutside(scope, store, secrets=secrets)


def _limits(settings: Settings) -> Limits:
    return Limits(
        writable=frozenset(settings.aws.writable_environments),
        parallel=PARALLEL_STEPS,
        backoff=Backoff(settings.daemon.backoff_base, settings.daemon.backoff_max),
    )
