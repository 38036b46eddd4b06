"""AWS::CertificateManager::Certificate."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from reconciler.model.errors import AwsFault, FaultKind
from reconciler.model.ids import ClientToken, Identifier, TypeName
from reconciler.model.progress import Pending, Progress
from reconciler.model.values import Properties
from reconciler.ports import ResourceProvider, Scope
from reconciler.providers.declared import Call, Declaration, Declared, Read, Tagging, Update, Waiting
from reconciler.providers.declared.reading import Item
from reconciler.providers.native.tagging import as_map

_ARN = {"CertificateArn": "{CertificateArn}"}
_LOGGING, _EXPORT = "CertificateTransparencyLoggingPreference", "CertificateExport"
_VALIDATION = "DomainValidationOptions"
_OPTION = ("DomainName", "ValidationDomain")
#: Longest token that ACM takes.
_TOKEN = 32

_CERTIFICATE = Declaration(
    type=TypeName("AWS::CertificateManager::Certificate"),
    service="acm",
    arn="{CertificateArn}",
    read=Read("describe_certificate", "Certificate"),
    create=Call(
        "request_certificate",
        (
            "CertificateAuthorityArn",
            _EXPORT,
            _LOGGING,
            "DomainName",
            _VALIDATION,
            "KeyAlgorithm",
            "SubjectAlternativeNames",
            "ValidationMethod",
        ),
    ),
    updates=(Update(Call("update_certificate_options", (_LOGGING,))),),
    delete=Call("delete_certificate"),
    tagging=Tagging(
        "add_tags_to_certificate",
        "remove_tags_from_certificate",
        _ARN,
        read="list_tags_for_certificate",
        keys="Tags",
        create="Tags",
        kind="acm:certificate",
    ),
    waiting=Waiting(
        "Status",
        pending=frozenset({"PENDING_VALIDATION"}),
        failed=frozenset({"FAILED", "VALIDATION_TIMED_OUT"}),
        why="FailureReason",
        deletes=False,
        seconds=10.0,
    ),
    resets={_LOGGING: "ENABLED"},
)


class Certificate(Declared):
    """A certificate. As with CloudFormation, making one takes until it is issued.

    Meanwhile the message says which DNS records prove that the domains are one's own. They aren't written by the
    provider: a plan with a hosted zone in its validation options is refused.
    """

    def adapt_given(self, scope: Scope, call: Call, values: dict[str, Any]) -> dict[str, Any]:  # noqa: ARG002
        """See ``Declared``: two properties are options."""
        options = {"CertificateTransparencyLoggingPreference": values.pop(_LOGGING, None)}
        options["Export"] = values.pop(_EXPORT, None)
        given = {name: value for name, value in options.items() if value is not None}
        return {**values, "Options": given} if given else values

    def adapt_observed(self, scope: Scope, item: Item, properties: dict[str, Any]) -> dict[str, Any]:  # noqa: ARG002
        """See ``Declared``: validation is shown for all names, whether the plan says something of them or not."""
        options = item.answer.get("Options") or {}
        shown = {_LOGGING: options.get("CertificateTransparencyLoggingPreference"), _EXPORT: options.get("Export")}
        properties |= {name: value for name, value in shown.items() if value is not None}
        names = [name for name in properties.get("SubjectAlternativeNames", ()) if name != properties["DomainName"]]
        properties["SubjectAlternativeNames"] = names
        algorithm = properties.get("KeyAlgorithm")
        if isinstance(algorithm, str):
            properties["KeyAlgorithm"] = algorithm.replace("-", "_")
        shown_options = item.answer.get(_VALIDATION, ())
        properties[_VALIDATION] = [{name: one[name] for name in _OPTION if one.get(name)} for one in shown_options]
        return {name: value for name, value in properties.items() if value != []}

    def make(self, scope: Scope, desired: Properties, token: ClientToken) -> Identifier:
        """See ``Declared``. Raises INVALID_REQUEST for what AWS would show otherwise than it was given."""
        if desired["DomainName"] in (desired.get("SubjectAlternativeNames") or ()):
            message = f"DomainName {desired['DomainName']} is one of the certificate's names by itself"
            message = f"{message}: leave it out of SubjectAlternativeNames"
            raise AwsFault(FaultKind.INVALID_REQUEST, message)
        values = {name: value for name, value in desired.items() if name in self.declaration.create.takes}
        values[_VALIDATION] = _options(values.get(_VALIDATION))
        values = {name: value for name, value in values.items() if value not in (None, [])}
        given = self._parameters(scope, self.declaration.create, {}, values)
        assert self._tagger is not None
        given |= self._tagger.created("request_certificate", as_map(desired.get("Tags")))
        given["IdempotencyToken"] = hashlib.sha256(token.encode()).hexdigest()[:_TOKEN]
        return Identifier(scope.call("acm", "request_certificate", **given)["CertificateArn"])

    def _standing_by(self, scope: Scope, identifier: Identifier, kind: str) -> Progress:
        """As ``Declared`` does, and says what has to be done meanwhile."""
        progress = super()._standing_by(scope, identifier, kind)
        if not isinstance(progress, Pending):
            return progress
        records = _records(self._reader.item(scope, identifier))
        return replace(progress, message=f"{progress.message}: {'; '.join(records)}") if records else progress


def _options(given: Any) -> list[dict[str, str]]:
    """Validation options as the API takes them. Raises INVALID_REQUEST for a hosted zone."""
    found: list[dict[str, str]] = []
    for option in given or ():
        if option.get("HostedZoneId"):
            message = (
                f"the records that validate {option.get('DomainName')} aren't written to a hosted zone by this "
                "version: leave HostedZoneId out and make them of what the pass shows while it waits"
            )
            raise AwsFault(FaultKind.INVALID_REQUEST, message)
        if option.get("ValidationDomain"):
            found.append({name: str(option[name]) for name in _OPTION})
    return found


def _records(certificate: Mapping[str, Any]) -> list[str]:
    """What proves that a domain is one's own, of those for which that isn't done yet."""
    waiting = [one for one in certificate.get(_VALIDATION, ()) if one.get("ValidationStatus") != "SUCCESS"]
    records = [one["ResourceRecord"] for one in waiting if one.get("ResourceRecord")]
    mails = sorted({address for one in waiting for address in one.get("ValidationEmails", ())})
    texts = sorted({f"{record['Name']} {record['Type']} {record['Value']}" for record in records})
    return [*texts, *([f"mail was sent to {', '.join(mails)}"] if mails else [])]


PROVIDERS: tuple[ResourceProvider, ...] = (Certificate(_CERTIFICATE),)
