"""Sessions and clients, shared by all passes: making one costs up to 0.3 s, using one about a millisecond."""

from __future__ import annotations

import json
import platform
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import botocore
import botocore.session
from botocore.config import Config
from botocore.credentials import (
    AssumeRoleCredentialFetcher,
    CredentialProvider,
    CredentialResolver,
    Credentials,
    DeferredRefreshableCredentials,
)
from botocore.exceptions import NoCredentialsError

from reconciler import __version__
from reconciler.ports import Telemetry
from reconciler.providers.guard import Guard, LoginGuard, SecretGuard
from reconciler.providers.keeping import KeptCredentials
from reconciler.providers.strays import OwnSession, count_strays, sealed_loader

if TYPE_CHECKING:
    from botocore.client import BaseClient

#: An AWS managed policy that narrows the credentials of a read-only target, whatever its role may do.
READ_ONLY_POLICY = "arn:{partition}:iam::aws:policy/ReadOnlyAccess"

#: What a read-only target is never asked for, should ReadOnlyAccess (or a later version of it) and the role allow it:
#: secrets, credentials, stored content. Nothing that Cloud Control needs to read a resource and ReadOnlyAccess gives;
#: therefore not s3:GetObject. An inline session policy and the ARNs may be 2,048 characters together.
NO_SECRETS = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Deny",
                "Action": [
                    "codeartifact:GetAuthorizationToken",
                    "cognito-identity:GetCredentialsForIdentity",
                    "cognito-identity:GetOpenIdToken*",
                    "connect:GetFederationToken*",
                    "dynamodb:BatchGetItem",
                    "dynamodb:GetItem",
                    "dynamodb:PartiQL*",
                    "dynamodb:Query",
                    "dynamodb:Scan",
                    "ec2:GetConsole*",
                    "ec2:GetPasswordData",
                    "ecr:GetAuthorizationToken",
                    "kinesis:GetRecords",
                    "kms:Decrypt",
                    "kms:GenerateDataKey*",
                    "lightsail:GetInstanceAccessDetails",
                    "logs:FilterLogEvents",
                    "logs:GetLogEvents",
                    "logs:GetQueryResults",
                    "redshift:GetClusterCredentials*",
                    "secretsmanager:BatchGetSecretValue",
                    "secretsmanager:GetSecretValue",
                    "sqs:ReceiveMessage",
                    "ssm:GetAccessToken",
                    "sts:AssumeRole*",
                    "sts:GetFederationToken",
                    "sts:GetSessionToken",
                ],
                "Resource": "*",
            }
        ],
    },
    separators=(",", ":"),
)

_STS_REGIONS = {"aws": "us-east-1", "aws-cn": "cn-north-1", "aws-us-gov": "us-gov-west-1"}


@dataclass(frozen=True, slots=True)
class ConnectionSettings:
    """How to reach AWS; times in seconds. ``credentials`` (key, secret) stand in for the default
    chain where there is no profile: for local endpoints.
    """

    endpoint_url: str | None = None
    connect_timeout: float = 5.0
    read_timeout: float = 60.0
    pool: int = 16
    credentials: tuple[str, str] | None = field(default=None, repr=False)
    role_session_name: str = "reconciler"

    def config(self) -> Config:
        """botocore's configuration: the SDK never retries, whoever owns the call does."""
        return Config(
            retries={"total_max_attempts": 1, "mode": "standard"},
            connect_timeout=self.connect_timeout,
            read_timeout=self.read_timeout,
            max_pool_connections=self.pool,
            tcp_keepalive=True,
            # given whole: put together by botocore, it costs a tenth of the CPU of every call
            user_agent=f"reconciler/{__version__} Botocore/{botocore.__version__} Python/{platform.python_version()}",
            parameter_validation=True,
        )


@dataclass(frozen=True, slots=True)
class SessionKey:
    """What makes two sessions different. ``guarded`` is the environment's name if it is read-only, else empty."""

    profile: str | None
    role_arn: str | None
    external_id: str | None
    guarded: str


class Sessions:
    """The cache. Thread-safe; one session per key, one client per session, region and service."""

    def __init__(self, settings: ConnectionSettings, telemetry: Telemetry, *, secrets: bool = False) -> None:
        self._settings = settings
        self._config = settings.config()
        self._telemetry = telemetry
        self._secrets = secrets
        self._loader = sealed_loader()  # one for all, so that each service's model is parsed once
        count_strays(telemetry)
        self._sessions: dict[SessionKey, botocore.session.Session] = {}
        self._bases: dict[str | None, botocore.session.Session] = {}
        self._clients: dict[tuple[SessionKey, str, str], BaseClient] = {}
        self._lock = threading.RLock()

    def client(self, key: SessionKey, region: str, service: str) -> BaseClient:
        """The client for a service. Raises botocore's exceptions (unknown profile, unknown service …)."""
        with self._lock:
            cached = self._clients.get((key, region, service))
            if cached is None:
                cached = self._create(self._session(key), region, service)
                self._clients[(key, region, service)] = cached
            return cached

    def pagination(self, service: str) -> Mapping[str, Any]:
        """botocore's description of a service's paginated operations, by API name."""
        with self._lock:
            model: Mapping[str, Any] = self._loader.load_service_model(service, "paginators-1")["pagination"]
            return model

    def session(self, key: SessionKey) -> botocore.session.Session:
        """The session itself, guard included: what boto3 needs for its resource interface."""
        with self._lock:
            return self._session(key)

    def forget(self, key: SessionKey) -> None:
        """Drop a session whose credentials turned out bad, so that the next pass reads them anew."""
        with self._lock:
            self._sessions.pop(key, None)
            self._bases.pop(key.profile, None)
            for entry in [entry for entry in self._clients if entry[0] == key]:
                del self._clients[entry]

    def close(self) -> None:
        """Close every connection."""
        with self._lock:
            for client in self._clients.values():
                client.close()
            self._clients.clear()
            self._sessions.clear()
            self._bases.clear()

    def _session(self, key: SessionKey) -> botocore.session.Session:
        session = self._sessions.get(key)
        if session is None:
            # Credentials come from another session, because getting them may take an AssumeRole.
            base = self._base(key.profile)
            guard = self._guard(key)
            session = OwnSession(guard, self._loader, profile=key.profile)
            provider = _Provided(lambda: self._credentials(base, key, guard))
            session.register_component("credential_provider", CredentialResolver([provider]))
            self._sessions[key] = session
        return session

    def _guard(self, key: SessionKey) -> Guard:
        if key.guarded:
            return Guard(key.guarded, self._telemetry, secrets=self._secrets)
        return SecretGuard(self._telemetry)

    def _credentials(self, base: botocore.session.Session, key: SessionKey, guard: Guard) -> Any:
        credentials = self._assumed(base, key) if key.role_arn else _required(base)
        return KeptCredentials(credentials, guard) if key.guarded else credentials

    def _base(self, profile: str | None) -> botocore.session.Session:
        """The session that gets credentials the usual way: environment, profile, container, instance."""
        session = self._bases.get(profile)
        if session is None:
            session = OwnSession(LoginGuard(self._telemetry), self._loader, profile=profile)
            if self._settings.credentials is not None and profile is None:
                session.set_credentials(*self._settings.credentials)
            self._bases[profile] = session
        return session

    def _assumed(self, base: botocore.session.Session, key: SessionKey) -> Credentials:
        """Credentials of the key's role that refresh themselves, got with those of ``base``."""
        partition = str(key.role_arn).split(":")[1]
        region = base.get_config_variable("region") or _STS_REGIONS.get(partition, "us-east-1")

        def sts(service: str, **arguments: Any) -> BaseClient:
            return self._create(base, region, service, **arguments)

        fetcher = AssumeRoleCredentialFetcher(
            client_creator=sts,
            source_credentials=_required(base),
            role_arn=str(key.role_arn),
            extra_args=self._role_arguments(key, partition),
        )
        return DeferredRefreshableCredentials(fetcher.fetch_credentials, method="assume-role")

    def _role_arguments(self, key: SessionKey, partition: str) -> dict[str, Any]:
        arguments: dict[str, Any] = {"RoleSessionName": self._settings.role_session_name}
        if key.external_id:
            arguments["ExternalId"] = key.external_id
        if key.guarded:
            arguments["PolicyArns"] = [{"arn": READ_ONLY_POLICY.format(partition=partition)}]
            if not self._secrets:
                arguments["Policy"] = NO_SECRETS
        return arguments

    def _create(self, session: Any, region: str, service: str, **arguments: Any) -> BaseClient:
        client: BaseClient = session.create_client(
            service, region_name=region, endpoint_url=self._settings.endpoint_url, config=self._config, **arguments
        )
        return client


class _Provided(CredentialProvider):
    """A link of botocore's credential chain that asks a function."""

    METHOD = "reconciler"

    def __init__(self, provide: Callable[[], Any]) -> None:
        super().__init__()
        self._provide = provide

    def load(self) -> Any:
        """The credentials, or what stands for them. Raises botocore's errors."""
        return self._provide()


def _required(session: botocore.session.Session) -> Credentials:
    """The session's credentials, or botocore's own error when there are none."""
    credentials = session.get_credentials()
    if credentials is None:
        raise NoCredentialsError
    return credentials
