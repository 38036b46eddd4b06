"""Opens scopes: finds credentials, assumes the role, and makes sure that the account is the one the plan names."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from botocore.exceptions import BotoCoreError

from reconciler.model.decision import Identity
from reconciler.model.errors import AwsFault, FaultKind
from reconciler.model.plan import Target
from reconciler.model.secrecy import know
from reconciler.ports import Clock, Scope, Telemetry
from reconciler.providers.budget import Budget, BudgetSettings
from reconciler.providers.faults import fault_of
from reconciler.providers.relief import Relief, ReliefSettings
from reconciler.providers.retry import RetryPolicy
from reconciler.providers.scope import LiveScope, Methods, Tools, Workers, bound, invoke
from reconciler.providers.sessions import ConnectionSettings, SessionKey, Sessions

_REGION = re.compile(r"[a-z]{2,}(-[a-z]+)+-\d+")


@dataclass(frozen=True, slots=True)
class AccessSettings:
    """How accounts are reached.

    ``role_pattern``: a role ARN with ``{account}``, assumed where a target names neither role nor profile.
    ``workers``: threads that all passes share for parallel reads. ``secrets``: let read-only targets read secrets,
    for plans with dynamic references.
    """

    connection: ConnectionSettings = field(default_factory=ConnectionSettings)
    role_pattern: str | None = None
    workers: int = 8
    retry: RetryPolicy = field(default_factory=RetryPolicy)
    budget: BudgetSettings | None = None
    relief: ReliefSettings = field(default_factory=ReliefSettings)
    secrets: bool = False


class Access:
    """``ports.AwsAccess`` over botocore. One per process; thread-safe."""

    def __init__(
        self,
        clock: Clock,
        telemetry: Telemetry,
        settings: AccessSettings | None = None,
        written: Callable[[str], None] = lambda _account: None,
    ) -> None:
        """``written``: told of an account when a call that changes something there has ended."""
        self._settings = settings or AccessSettings()
        self._tools = Tools(
            sessions=Sessions(self._settings.connection, telemetry, secrets=self._settings.secrets),
            workers=Workers(self._settings.workers),
            budget=Budget(clock, self._settings.budget),
            relief=Relief(clock, telemetry, self._settings.relief),
            retry=self._settings.retry,
            clock=clock,
            telemetry=telemetry,
            written=written,
        )
        self._verified: dict[tuple[SessionKey, str, str], tuple[float, Identity]] = {}
        self._verifying: dict[tuple[SessionKey, str, str], threading.Lock] = {}
        self._methods: dict[tuple[SessionKey, str, str], Methods] = {}
        self._lock = threading.Lock()

    @property
    def sessions(self) -> Sessions:
        """The sessions behind the scopes."""
        return self._tools.sessions

    def key(self, target: Target, *, read_only: bool) -> SessionKey:
        """Which session serves a target."""
        role = target.role_arn
        if role is None and target.profile is None and self._settings.role_pattern is not None:
            role = self._settings.role_pattern.replace("{account}", target.account)
        return SessionKey(target.profile, role, target.external_id, target.environment if read_only else "")

    def account(self, target: Target) -> str:
        """The account that a target's profile, role or default credentials belong to; ``target.account`` is ignored.

        Raises AwsFault, as ``open``.
        """
        key = self.key(target, read_only=True)
        return self._identify(key, self._methods_of(key, target), target).account

    def environment(self, target: Target) -> Mapping[str, str]:
        """Variables with which another program works as a writable target's identity, which ``open`` has verified.

        Raises AwsFault CREDENTIALS. Of a read-only target nothing is given to anybody.
        """
        key = self.key(target, read_only=False)
        try:
            credentials = self._tools.sessions.session(key).get_credentials()
            frozen = credentials.get_frozen_credentials() if credentials is not None else None
        except BotoCoreError as error:
            raise fault_of(error, "sts", "AssumeRole", writes=False) from error
        if frozen is None or not frozen.access_key or not frozen.secret_key:
            raise AwsFault(FaultKind.CREDENTIALS, f"no credentials for account {target.account}")
        know([frozen.secret_key, frozen.token or ""])
        endpoint = self._settings.connection.endpoint_url
        return {
            "AWS_ACCESS_KEY_ID": frozen.access_key,
            "AWS_SECRET_ACCESS_KEY": frozen.secret_key,
            **({"AWS_SESSION_TOKEN": frozen.token} if frozen.token else {}),
            "AWS_REGION": target.region,
            "AWS_DEFAULT_REGION": target.region,
            "AWS_EC2_METADATA_DISABLED": "true",
            **({"AWS_ENDPOINT_URL": endpoint} if endpoint else {}),
        }

    def open(self, target: Target, *, read_only: bool, asked: bool = False, since: float | None = None) -> Scope:
        """A scope whose account was verified, see ``ports.AwsAccess``. Raises AwsFault."""
        if not _REGION.fullmatch(target.region):
            message = f"'{target.region}' is not an AWS region: set spec.target.region (eu-central-1, say)"
            raise AwsFault(FaultKind.INVALID_REQUEST, message)
        self._tools.relief.admit(target.account, target.region, asked=asked)
        key = self.key(target, read_only=read_only)
        methods = self._methods_of(key, target)
        identity = self._identity(key, methods, target, since)
        if identity.account != target.account:
            raise AwsFault(
                FaultKind.WRONG_ACCOUNT,
                f"the credentials belong to account {identity.account} ({identity.arn}), the plan is for "
                f"{target.account}: nothing was read or changed; correct spec.target.account, profile or roleArn",
                service="sts",
                operation="GetCallerIdentity",
            )
        return LiveScope(self._tools, methods, identity, target.region)

    def close(self) -> None:
        """Stop the workers and close the connections."""
        self._tools.workers.close()
        self._tools.sessions.close()

    def _methods_of(self, key: SessionKey, target: Target) -> Methods:
        with self._lock:
            place = (key, target.account, target.region)
            if place not in self._methods:
                self._methods[place] = Methods(self._tools, key, target.account, target.region)
            return self._methods[place]

    def _identity(self, key: SessionKey, methods: Methods, target: Target, since: float | None) -> Identity:
        """Who these credentials are, as AWS said at or after ``since``."""
        if since is None:
            return self._identify(key, methods, target)
        place = (key, target.account, target.region)
        with self._lock:
            verifying = self._verifying.setdefault(place, threading.Lock())
        with verifying:  # of passes that begin together the first asks, the others wait for its answer
            known = self._verified.get(place)
            if known is None or known[0] < since:
                begun = self._tools.clock.monotonic()
                known = self._verified[place] = (begun, self._identify(key, methods, target))
            return known[1]

    def _identify(self, key: SessionKey, methods: Methods, target: Target) -> Identity:
        try:
            caller = invoke(self._tools, bound(methods, "sts", "get_caller_identity"), {})
        except AwsFault as fault:
            if fault.kind in (FaultKind.CREDENTIALS, FaultKind.REGION_DISABLED, FaultKind.ACCESS_DENIED):
                self._forget(key)
            raise _explained(fault, key, target) from fault
        return Identity(account=str(caller["Account"]), arn=str(caller["Arn"]))

    def _forget(self, key: SessionKey) -> None:
        """Read credentials anew next time: they may have been renewed on disk."""
        with self._lock:
            self._tools.sessions.forget(key)
            for place in [place for place in self._methods if place[0] == key]:
                del self._methods[place]
                self._verified.pop(place, None)


def _explained(fault: AwsFault, key: SessionKey, target: Target) -> AwsFault:
    """The fault with what a person needs: which credentials were tried and what to do."""
    tried = f"profile '{key.profile}'" if key.profile else "the default credential chain"
    if fault.operation == "AssumeRole":
        hint = f"can't assume {key.role_arn} with {tried}: let it sts:AssumeRole, and check the role's trust policy"
    elif fault.kind is FaultKind.CREDENTIALS:
        hint = f"no valid credentials for account {target.account} from {tried}: log in again or configure them"
    elif fault.kind is FaultKind.REGION_DISABLED:
        hint = f"region {target.region} isn't enabled in account {target.account}"
    else:
        hint = f"could not establish who we are in account {target.account} with {tried}"
    return AwsFault(
        fault.kind,
        f"{hint} ({fault.message})",
        service=fault.service,
        operation=fault.operation,
        code=fault.code,
        ambiguous=fault.ambiguous,
        permission=fault.permission,
        resource=fault.resource,
    )
