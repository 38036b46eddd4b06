"""Builds the real adapters from the settings. Settings stop here; nothing else makes an adapter."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from email.utils import parseaddr
from pathlib import Path
from typing import TYPE_CHECKING

from reconciler.breakers import BreakerLimits, Breakers
from reconciler.clock import SystemClock
from reconciler.cycle import Cycle, Limits
from reconciler.model.errors import ConfigurationError, GuardBlocked
from reconciler.model.events import Event
from reconciler.model.plan import Delivery, PipelineTarget, Target
from reconciler.model.secrecy import use_key
from reconciler.ports import Clock, Deployer, EventSink, Locks, Pipeline, Scope
from reconciler.revisions import Revisions
from reconciler.settings import Settings
from reconciler.settings.sections import PipelineSettings, TokenReference
from reconciler.sharing import Writes
from reconciler.status.outcome import Backoff
from reconciler.subprocesses import withhold

if TYPE_CHECKING:
    from reconciler.daemon.app import PolicyLike
    from reconciler.live import Outside
    from reconciler.pipeline import TokenSource
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
        pipeline=_pipeline(settings, clock),
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
        deployers=_deployers(settings, store, clock, events, access),
        writes=writes,
    )
    return App(settings, source, cycle, store, policy, metrics, clock, events, access, revisions, writes)


def _deployers(
    settings: Settings, store: Store, clock: Clock, events: EventSink, access: Access
) -> Mapping[Delivery, Deployer]:
    from reconciler.iac.cdk import CdkDeployer
    from reconciler.iac.drift import Drifts
    from reconciler.iac.looking import Looker
    from reconciler.iac.stack import StackDeployer
    from reconciler.iac.stackrun import StackRun
    from reconciler.iac.terraform import TerraformDeployer
    from reconciler.iac.tftool import Limits as ToolLimits
    from reconciler.iac.tools import Tool

    iac = settings.iac
    origin, state = _plans_directory(settings), settings.state_dir / "iac"
    limits = ToolLimits(plan=iac.plan_timeout, apply=iac.timeout, lock=iac.lock_timeout)

    def lend(target: Target) -> Mapping[str, str]:
        """Only a writable target's credentials are given to other programs."""
        if target.environment not in settings.aws.writable_environments:
            raise GuardBlocked("credentials", "ReadKeys", target.environment)
        return access.environment(target)

    cdk = Tool("iac.cdk", iac.cdk.binary, iac.cdk.version, iac.cdk.environment)
    npm = iac.cdk.npm
    terraform = Tool("iac.terraform", iac.terraform.binary, iac.terraform.version, iac.terraform.environment)
    looker = Looker(store, clock, Drifts(clock, iac.drift), iac.template_bucket)
    run = StackRun(store, clock, iac.timeout)
    return {
        Delivery.STACK: StackDeployer(store, clock, events, looker, run),
        Delivery.CDK: CdkDeployer(store, clock, events, cdk, npm, origin, state, lend, limits, looker, run),
        Delivery.TERRAFORM: TerraformDeployer(store, clock, events, terraform, origin, state, lend, limits),
    }


def _plans_directory(settings: Settings) -> Path:
    """Where the source has its files."""
    git = settings.source.git
    if git is None:
        return settings.source.path
    return (git.checkout or settings.state_dir / "source") / git.subdirectory


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


def _pipeline(settings: Settings, clock: Clock) -> Pipeline:
    from reconciler.pipeline import Author, Credentials, GitOptions, GitPipeline, ReviewOptions, Signing
    from reconciler.pipeline.forges import ForgeOptions, HostedForges

    pipeline = settings.pipeline
    default = None
    if pipeline.repository is not None:
        default = PipelineTarget(
            pipeline.repository,
            pipeline.base,
            pipeline.branch,
            pipeline.path,
            pipeline.format,
            provider=pipeline.provider,
            language=pipeline.language,
            workflow=pipeline.workflow,
        )
    credentials, review = pipeline.credentials, pipeline.pull_requests
    options = GitOptions(
        author=Author(*parseaddr(pipeline.author)),
        timeout=pipeline.timeout,
        freshness=pipeline.freshness,
        collect=pipeline.collect,
        credentials=Credentials(
            _hosts(pipeline, credentials), credentials.ssh_key_file, _token(credentials), credentials.username
        ),
        signing=Signing(pipeline.signing.format, pipeline.signing.key) if pipeline.signing else None,
    )
    forge = ForgeOptions(review.provider, review.api, _token(review), _hosts(pipeline, review))
    return GitPipeline(
        settings.state_dir / "pipeline",
        default=default,
        clock=clock,
        options=options,
        forges=HostedForges(forge, clock),
        review=ReviewOptions(review.labels, review.reviewers, review.draft, review.refresh),
    )


def _token(reference: TokenReference) -> TokenSource | None:
    from reconciler.pipeline import TokenSource

    if reference.token_env:
        withhold(reference.token_env)
    found = reference.token_env or reference.token_file
    return TokenSource(reference.token_env, reference.token_file) if found else None


def _hosts(pipeline: PipelineSettings, reference: TokenReference) -> frozenset[str]:
    """Who may see a token or a key: the hosts named with it, else the one of the configured repository."""
    from reconciler.pipeline.refs import remote_of, repository_address

    if reference.hosts or pipeline.repository is None:
        return frozenset(name.lower() for name in reference.hosts)
    return frozenset({remote_of(repository_address(pipeline.repository)).host} - {""})


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
