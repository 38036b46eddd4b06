"""AWS::CertificateManager::Certificate."""

from __future__ import annotations

import moto.settings

from tests.contract.providers_native.cases import ABSENT, OTHER_TAGS, TAGS, Case, Clients


def _issued_at_once(_clients: Clients) -> None:
    """moto issues a certificate a minute after it was asked for, unless it is told otherwise."""
    moto.settings.ACM_VALIDATION_WAIT = 0


# moto validates each name in a domain of its own, whatever it is told; it knows one kind of key only, nothing of
# private authorities that it doesn't have, and changes no options.
CERTIFICATE = Case(
    "AWS::CertificateManager::Certificate",
    {
        "DomainName": "www.example.com",
        "SubjectAlternativeNames": ["a.example.com", "b.example.com"],
        "ValidationMethod": "DNS",
        "DomainValidationOptions": [{"DomainName": "a.example.com", "ValidationDomain": "a.example.com"}],
        "KeyAlgorithm": "RSA_2048",
        "CertificateTransparencyLoggingPreference": "ENABLED",
        "Tags": TAGS,
    },
    changes={"Tags": OTHER_TAGS},
    resets={"Tags": ABSENT},
    attributes=("CertificateArn",),
    setup=_issued_at_once,
    deny=("acm", "DescribeCertificate"),
    twice=False,
)

CASES = (CERTIFICATE,)
