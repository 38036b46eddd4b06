"""The sections of the configuration, each field with its default and its limits."""

from __future__ import annotations

import re
from pathlib import Path
from string import Formatter
from typing import Annotated, Literal

from packaging.specifiers import InvalidSpecifier, SpecifierSet
from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    SecretStr,
    field_validator,
    model_validator,
)

from reconciler.durations import format_duration, parse_duration


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
