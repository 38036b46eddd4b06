"""The whole configuration, and how it is loaded: from the file, the environment, and with every problem at once."""

from __future__ import annotations

import os
from collections.abc import Mapping
from contextvars import ContextVar
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic_settings import (
    BaseSettings,
    InitSettingsSource,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    SettingsError,
)

from reconciler.configfile import ConfigFile, parse_config, suggestion
from reconciler.model.errors import ConfigurationError
from reconciler.model.secrecy import know
from reconciler.model.urls import credentials, without_password
from reconciler.model.values import transform
from reconciler.settings.sections import (
    AwsSettings,
    BreakerSettings,
    DaemonSettings,
    HttpSettings,
    IacSettings,
    LogSettings,
    PipelineSettings,
    PolicySettings,
    SourceSettings,
    StoreSettings,
)

DEFAULT_FILE = Path("reconciler.yaml")
PREFIX = "RECONCILER_"
NESTED = "__"

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
