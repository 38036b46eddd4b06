"""The configuration: ``reconciler.yaml`` and ``RECONCILER_…`` in the environment, which wins over the file.

Nested fields take two underscores in the environment: ``RECONCILER_HTTP__PORT=9600``; lists take commas.
Relative paths are relative to the working directory. An unknown field is an error, never ignored.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from contextvars import ContextVar
from pathlib import Path
from string import Formatter
from typing import Annotated, Any, Literal

from packaging.specifiers import InvalidSpecifier, SpecifierSet
from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    SecretStr,
    ValidationError,
    field_validator,
    model_validator,
)
from pydantic_settings import (
    BaseSettings,
    InitSettingsSource,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    SettingsError,
)

from reconciler.configfile import ConfigFile, parse_config, suggestion
from reconciler.durations import format_duration, parse_duration
from reconciler.model.errors import ConfigurationError
from reconciler.model.secrecy import know
from reconciler.model.urls import credentials, without_password
from reconciler.model.values import transform

DEFAULT_FILE = Path("reconciler.yaml")
PREFIX = "RECONCILER_"
NESTED = "__"


def _split_list(value: object) -> object:
    return [part.strip() for part in value.split(",") if part.strip()] if isinstance(value, str) else value


def _placeholders(template: str) -> set[str]:
    try:
        return {name for _, name, _, _ in Formatter().parse(template) if name is not None}
    except ValueError as error:
        raise ValueError(f"{template!r} is not a template: {error}") from None


def _only(allowed: frozenset[str]) -> BeforeValidator:
    def check(value: object) -> object:
        unknown = _placeholders(value) - allowed if isinstance(value, str) else set()
        if unknown:
            raise ValueError(f"unknown placeholder {{{min(unknown)}}}; known are {sorted(allowed)}")
        return value

    return BeforeValidator(check)


def _constraint(value: object) -> object:
    if isinstance(value, str):
        try:
            SpecifierSet(value)
        except InvalidSpecifier:
            raise ValueError(f"{value!r} is no version constraint; write it like >=1.5,<2") from None
    return value


Duration = Annotated[
    float, BeforeValidator(parse_duration), Field(ge=0, allow_inf_nan=False), PlainSerializer(format_duration)
]
PositiveDuration = Annotated[
    float, BeforeValidator(parse_duration), Field(gt=0, allow_inf_nan=False), PlainSerializer(format_duration)
]
Names = Annotated[tuple[str, ...], BeforeValidator(_split_list)]


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, validate_default=True)


class GitSettings(_Section):
    """A Git repository as the source of plans. ``subdirectory`` holds the plans inside it."""

    url: str = Field(min_length=1)
    branch: str = Field(default="main", min_length=1)
    subdirectory: str = ""
    checkout: Path | None = None
    poll: PositiveDuration = 60.0


class SourceSettings(_Section):
    """Where plans and approvals come from: a directory, or a Git repository when ``git`` is set."""

    path: Path = Path("desired")
    git: GitSettings | None = None
    allowed_signers: Path | None = None


class OpaSettings(_Section):
    """A real OPA server. ``manage``: upload the policies to it instead of expecting them there."""

    address: str | None = None
    token: SecretStr | None = None
    timeout: PositiveDuration = 5.0
    manage: bool = True


class PolicySettings(_Section):
    """Rego. ``auto`` takes OPA where an address is configured, else the embedded engine."""

    directory: Path = Path("policies")
    engine: Literal["auto", "embedded", "opa"] = "auto"
    opa: OpaSettings = OpaSettings()


class StoreSettings(_Section):
    """The state store, as an SQLAlchemy URL; by default an SQLite file in ``state_dir``.

    ``lease``: after this long without a sign of life, what another machine's process held is taken over.
    """

    url: SecretStr | None = None
    lease: PositiveDuration = 60.0


class BreakerSettings(_Section):
    """When to stop trying.

    ``failures`` in a row hold a plan for ``cooldown``, doubled up to ``cooldown_max`` while its trials fail. A field
    that was put right ``flips`` times within ``window`` and came back is left alone for ``hold``. An account that
    throttles ``throttles`` calls within a minute is left alone for ``relief``.
    """

    failures: int = Field(default=5, ge=1)
    cooldown: PositiveDuration = 1800.0
    cooldown_max: PositiveDuration = 14400.0
    flips: int = Field(default=3, ge=2)
    window: PositiveDuration = 21600.0
    hold: PositiveDuration = 3600.0
    throttles: int = Field(default=60, ge=1)
    relief: PositiveDuration = 120.0


class AwsSettings(_Section):
    """How AWS is reached. ``role_pattern`` is the role to assume for a plan that names none.

    ``writable_environments`` is the half of the read-only guarantee that policy can't change.
    """

    endpoint_url: str | None = None
    role_pattern: Annotated[str | None, _only(frozenset({"account", "environment", "region"}))] = None
    threads: int = Field(default=16, ge=1, le=256)
    writable_environments: Names = ("sandbox", "development")
    connect_timeout: PositiveDuration = 5.0
    read_timeout: PositiveDuration = 30.0


class TokenReference(_Section):
    """Where a token is: in a variable of the environment, or in a file. Never the token itself."""

    token_env: str = ""
    token_file: Path | None = None
    hosts: Names = ()

    @model_validator(mode="after")
    def _one(self) -> TokenReference:
        if self.token_env and self.token_file is not None:
            raise ValueError("token_env and token_file exclude each other")
        return self


class CredentialSettings(TokenReference):
    """How Git reaches its remotes; without any of this as the user's own Git does.

    Shown to ``hosts`` alone, by default the one of ``pipeline.repository``: a plan may name any repository.
    """

    ssh_key_file: Path | None = None
    username: str = "x-access-token"


class SigningSettings(_Section):
    """What commits are signed with: an SSH private key's path, or a GPG key's id."""

    format: Literal["ssh", "gpg"]
    key: str = Field(min_length=1)


class PullRequestSettings(TokenReference):
    """Pull requests, where there is a token for them; else the command that opens one is printed and stored.

    ``api``: the address of an Enterprise server's API. ``draft``: until the checklist is green. ``refresh``: how long
    what was seen of a pull request is believed while nothing of ours changes. ``hosts``: as in the credentials.
    """

    provider: Literal["auto", "github", "gitlab", "none"] = "auto"
    api: str = ""
    labels: Names = ()
    reviewers: Names = ()
    draft: bool = True
    refresh: Duration = 900.0

    @field_validator("api")
    @classmethod
    def _safe(cls, api: str) -> str:
        if api and not re.match(r"https://|http://(127\.0\.0\.1|localhost|\[::1\])[:/]", api):
            raise ValueError("the token goes there, so it must be https")
        return api


class PipelineSettings(_Section):
    """Where staging and production changes go when the plan doesn't say, and how.

    ``freshness``: how long a look at a remote is shared by the plans of a pass over all. ``collect``: delete branches
    that have done their work and hold only our commits.
    """

    repository: str | None = None
    base: str = "main"
    branch: Annotated[str, _only(frozenset({"plan", "action", "environment"}))] = "feature/{action}-{plan}"
    path: Annotated[str, _only(frozenset({"plan", "environment", "account", "region"}))] = "infrastructure/{plan}"
    format: Literal["terraform", "cloudformation", "cdk"] = "terraform"
    provider: Literal["awscc", "aws"] = "awscc"
    language: Literal["typescript", "python"] = "typescript"
    workflow: Literal["github", "gitlab"] | None = None
    author: str = "Reconciler <reconciler@localhost>"
    credentials: CredentialSettings = CredentialSettings()
    signing: SigningSettings | None = None
    pull_requests: PullRequestSettings = PullRequestSettings()
    freshness: Duration = 2.0
    collect: bool = True
    timeout: PositiveDuration = 120.0


class TerraformSettings(_Section):
    """Terraform, or OpenTofu. ``version``: which ones are accepted (``>=1.5,<2``).

    ``environment`` names variables of the daemon's own environment that it may see beside the usual few.
    """

    binary: str = Field(default="terraform", min_length=1)
    version: Annotated[str, BeforeValidator(_constraint)] = ">=1.0"
    environment: Names = ()


class CdkSettings(_Section):
    """The CDK command line and npm; the rest as ``TerraformSettings``."""

    binary: str = Field(default="cdk", min_length=1)
    npm: str = Field(default="npm", min_length=1)
    version: Annotated[str, BeforeValidator(_constraint)] = ">=2"
    environment: Names = ()


class IacSettings(_Section):
    """Stacks, Terraform and CDK.

    ``timeout``: how long a deployment may take, and ``plan_timeout`` working out what it would do. ``lock_timeout``:
    how long a Terraform lock is waited for. ``drift``: how often at most CloudFormation is asked to detect drift of
    the same stack; null: never. ``template_bucket``: where stacks' templates go that are longer than 51,200 bytes, as
    in ``templates-{account}-{region}``; without one they are refused.
    """

    timeout: PositiveDuration = 3600.0
    plan_timeout: PositiveDuration = 900.0
    lock_timeout: Duration = 30.0
    drift: PositiveDuration | None = 900.0
    template_bucket: str = Field(default="", pattern=r"^([a-z0-9.-]|\{account\}|\{region\})*$")
    terraform: TerraformSettings = TerraformSettings()
    cdk: CdkSettings = CdkSettings()


class HttpSettings(_Section):
    """The HTTP port. Requests for a pass need ``token`` as bearer token."""

    host: str = "127.0.0.1"
    port: int = Field(default=9595, ge=0, le=65535)
    token: SecretStr | None = None


class DaemonSettings(_Section):
    """The daemon. ``jitter`` is a share of the interval; ``poll`` re-reads the source should watching miss a change."""

    interval: PositiveDuration = 300.0
    jitter: float = Field(default=0.1, ge=0, le=1)
    workers: int = Field(default=4, ge=1, le=64)
    debounce: Duration = 0.5
    poll: PositiveDuration = 30.0
    grace_period: Duration = 30.0
    backoff_base: PositiveDuration = 5.0
    backoff_max: PositiveDuration = 900.0


class LogSettings(_Section):
    """Logs. ``auto`` writes for people on a terminal and JSON elsewhere."""

    format: Literal["auto", "json", "console"] = "auto"
    level: Literal["debug", "info", "warning", "error"] = "info"


_document: ContextVar[Mapping[str, Any] | None] = ContextVar("_document", default=None)


class Settings(BaseSettings):
    """The whole configuration; every field has a default that works in a checkout."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX,
        env_nested_delimiter=NESTED,
        extra="forbid",
        frozen=True,
        validate_default=True,
        enable_decoding=False,
        hide_input_in_errors=True,
    )

    source: SourceSettings = SourceSettings()
    policy: PolicySettings = PolicySettings()
    store: StoreSettings = StoreSettings()
    state_dir: Path = Path("var")
    aws: AwsSettings = AwsSettings()
    pipeline: PipelineSettings = PipelineSettings()
    iac: IacSettings = IacSettings()
    http: HttpSettings = HttpSettings()
    daemon: DaemonSettings = DaemonSettings()
    breaker: BreakerSettings = BreakerSettings()
    log: LogSettings = LogSettings()

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - the name is pydantic-settings'
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - the name is pydantic-settings'
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Arguments win over the environment, which wins over the file."""
        return init_settings, env_settings, InitSettingsSource(settings_cls, dict(_document.get() or {}))

    def model_post_init(self, _context: Any) -> None:
        """Make the secrets in the settings known, so that they are masked in whatever quotes one."""
        for token in (self.http.token, self.policy.opa.token):
            know(token.get_secret_value() if token is not None else "")
        for url in (self.store_url, self.pipeline.repository, self.source.git.url if self.source.git else None):
            for secret in credentials(url or ""):
                know(secret)

    @property
    def store_url(self) -> str:
        """The store's URL in the clear: it may hold a password."""
        if self.store.url is not None:
            return self.store.url.get_secret_value()
        return f"sqlite:///{self.state_dir / 'reconciler.db'}"

    @property
    def allowed_signers(self) -> Path:
        """The allowed_signers file: the configured one, else the one beside the policies.

        Never one that comes with the plans: who may write a plan could name himself an approver there.
        """
        return self.source.allowed_signers or self.policy.directory / "allowed_signers"

    @property
    def poll_interval(self) -> float:
        """Seconds between two looks at the source, whether or not a change was noticed."""
        return self.source.git.poll if self.source.git else self.daemon.poll

    def shown(self) -> dict[str, Any]:
        """The effective configuration as plain JSON values, secrets masked."""
        data = self.model_dump(mode="json")
        data["store"]["url"] = self.store_url
        data["source"]["allowed_signers"] = str(self.allowed_signers)
        return {key: transform(value, without_password) for key, value in data.items()}


def load_settings(path: Path | None = None) -> Settings:
    """Settings from the file at ``path``, else at RECONCILER_CONFIG, else ``reconciler.yaml`` if there is one.

    Raises ConfigurationError with every problem: file, line, field and a suggestion.
    """
    config = _read(path)
    token = _document.set(config.data if config else {})
    try:
        return Settings()
    except ValidationError as error:
        raise ConfigurationError("\n".join(_explain(error, config))) from None
    except SettingsError as error:
        raise ConfigurationError(f"environment: {error}") from None
    finally:
        _document.reset(token)


def _read(path: Path | None) -> ConfigFile | None:
    named = path or (Path(os.environ["RECONCILER_CONFIG"]) if os.environ.get("RECONCILER_CONFIG") else None)
    if named is None and not DEFAULT_FILE.exists():
        return None
    return parse_config(named or DEFAULT_FILE)


def _explain(error: ValidationError, config: ConfigFile | None) -> list[str]:
    return [_explain_one(item["loc"], item["type"], item["msg"], config) for item in error.errors(include_input=False)]


def _explain_one(loc: tuple[int | str, ...], kind: str, message: str, config: ConfigFile | None) -> str:
    field = ".".join(str(part) for part in loc)
    if kind == "extra_forbidden":
        message = f"unknown field{suggestion(str(loc[-1]), _fields_at(loc[:-1]))}"
    else:
        message = message.removeprefix("Value error, ")
    variable = PREFIX + NESTED.join(str(part) for part in loc).upper()
    if any(name.upper() == variable for name in os.environ):
        return f"environment variable {variable}: {message}"
    return f"{config.where(loc) if config else 'configuration'}: {field}: {message}"


def _fields_at(loc: tuple[int | str, ...]) -> list[str]:
    """The names of the fields of the section at ``loc``."""
    model: type[BaseModel] = Settings
    for part in loc:
        field = model.model_fields.get(str(part))
        candidates = [field.annotation, *getattr(field.annotation, "__args__", ())] if field else []
        inner = [kind for kind in candidates if isinstance(kind, type) and issubclass(kind, BaseModel)]
        if not inner:
            return []
        model = inner[0]
    return sorted(model.model_fields)
