"""ACM: a request for a certificate that is gone is a new one."""

from __future__ import annotations

from typing import Any

from moto.acm.models import AWSCertificateManagerBackend

from reconciler.testing.taught.lesson import Lesson, changes

_delete = AWSCertificateManagerBackend.delete_certificate


def delete_certificate(self: Any, arn: str) -> None:
    """DeleteCertificate, at the backend."""
    _delete(self, arn)
    known = self._idempotency_tokens
    for token in [token for token, entry in known.items() if entry["arn"] == arn]:
        del known[token]


LESSONS = (
    Lesson(
        call="acm:RequestCertificate",
        aws="makes a new certificate if the one that the token was used for is gone",
        moto="still knows the token, and crashes on it",
        given=(changes(AWSCertificateManagerBackend, delete_certificate),),
    ),
)
