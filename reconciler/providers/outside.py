"""Values that a plan takes from outside of it: availability zones, other plans' exports, dynamic references."""

from __future__ import annotations

import json
from typing import Any

from reconciler.model.errors import AwsFault, FaultKind
from reconciler.model.values import Sensitive, Unknown
from reconciler.ports import Scope, Store
from reconciler.providers.guard import resolving_reference


class AwsOutside:
    """Asks AWS and the store, once for each value in a pass. Secrets are resolved at use and never kept.

    ``secrets``: whether dynamic references may be read at all; read-only targets leave them unresolved.
    """

    def __init__(self, scope: Scope, store: Store, *, secrets: bool) -> None:
        self._scope, self._store, self._secrets = scope, store, secrets
        self._zones: list[str] | None = None
        self._dynamic: dict[tuple[str, str], Any] = {}

    def zones(self, region: str) -> list[str]:
        """Names of the region's availability zones, in order. Raises AwsFault."""
        if region != self._scope.region:
            raise AwsFault(
                FaultKind.INVALID_REQUEST,
                f"Fn::GetAZs of {region} is not possible from a plan for {self._scope.region}",
            )
        if self._zones is None:
            answer = self._scope.call("ec2", "describe_availability_zones")
            self._zones = sorted(zone["ZoneName"] for zone in answer["AvailabilityZones"])
        return self._zones

    def imported(self, name: str) -> Any:
        """The exported output ``name`` of another plan in the same account and region; unknown until it has one."""
        value = self._store.export(self._scope.account, self._scope.region, name)
        return Unknown(f"import {name}") if value is None else value

    def parameter(self, name: str) -> Any:
        """A parameter's plain value, ``name`` or ``name:version``. Raises AwsFault; for a SecureString too."""
        place = ("ssm parameter", name)
        if place not in self._dynamic:
            found = self._scope.call("ssm", "get_parameter", Name=name, WithDecryption=False)["Parameter"]
            if found.get("Type") == "SecureString":
                raise AwsFault(
                    FaultKind.INVALID_REQUEST,
                    f"the parameter {name} is a SecureString, which AWS::SSM::Parameter::Value can't hold: use "
                    "{{resolve:ssm-secure:…}}, which is never stored or shown",
                )
            self._dynamic[place] = found["Value"]
        return self._dynamic[place]

    def dynamic(self, service: str, key: str) -> Any:
        """A dynamic reference (``{{resolve:service:key}}``), as a secret. Raises AwsFault."""
        if not self._secrets:
            return Unknown(f"resolve:{service}:{key}")
        if (service, key) not in self._dynamic:
            with resolving_reference():
                self._dynamic[service, key] = Sensitive(self._resolve(service, key))
        return self._dynamic[service, key]

    def _resolve(self, service: str, key: str) -> Any:
        if service in ("ssm", "ssm-secure"):
            answer = self._scope.call("ssm", "get_parameter", Name=key, WithDecryption=service == "ssm-secure")
            return answer["Parameter"]["Value"]
        return self._secret(key)

    def _secret(self, key: str) -> Any:
        """``secret-id:SecretString:json-key:version-stage:version-id``, as CloudFormation writes it."""
        arn = key.startswith("arn:")
        parts = key.split(":")
        name, rest = (":".join(parts[:7]), parts[7:]) if arn else (parts[0], parts[1:])
        _kind, json_key, stage, version = (*rest, "", "", "", "")[:4]
        wanted = {"VersionStage": stage} if stage else {"VersionId": version} if version else {}
        text = self._scope.call("secretsmanager", "get_secret_value", SecretId=name, **wanted)["SecretString"]
        if not json_key:
            return text
        try:
            return json.loads(text)[json_key]
        except (ValueError, KeyError, TypeError):
            raise AwsFault(FaultKind.INVALID_REQUEST, f"the secret {name} has no key {json_key}") from None
