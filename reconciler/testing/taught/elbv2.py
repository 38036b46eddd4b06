"""Load balancing: a listener's list of certificates is another thing than its default one."""

from __future__ import annotations

from typing import Any

from moto.elbv2.models import ELBv2Backend

from reconciler.testing.taught.lesson import Lesson, changes, remembered


def _listener(self: Any, arn: str) -> Any:
    return self.describe_listeners(load_balancer_arn=None, listener_arns=[arn])[0]


def add_listener_certificates(self: Any, arn: str, certificates: list[dict[str, Any]]) -> list[str]:
    """AddListenerCertificates, at the backend."""
    remembered(_listener(self, arn), "list").update({one["CertificateArn"]: True for one in certificates})
    return [one["CertificateArn"] for one in certificates]


def describe_listener_certificates(self: Any, arn: str) -> list[str]:
    """DescribeListenerCertificates, at the backend: the default one comes first."""
    listener = _listener(self, arn)
    return [*listener.certificates[:1], *remembered(listener, "list")]


def remove_listener_certificates(self: Any, arn: str, certificates: list[dict[str, Any]]) -> None:
    """RemoveListenerCertificates, at the backend."""
    for one in certificates:
        remembered(_listener(self, arn), "list").pop(one["CertificateArn"], None)


LESSONS = (
    Lesson(
        call="elbv2:AddListenerCertificates",
        aws="puts a certificate on the listener's list, once; the listener itself shows the default one alone",
        moto="makes it one of the listener's, each time anew, until the listener is changed",
        given=(
            changes(
                ELBv2Backend, add_listener_certificates, describe_listener_certificates, remove_listener_certificates
            ),
        ),
    ),
)
