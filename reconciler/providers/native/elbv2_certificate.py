"""AWS::ElasticLoadBalancingV2::ListenerCertificate."""

from __future__ import annotations

from typing import Any

from reconciler.model.errors import AwsFault, FaultKind
from reconciler.model.ids import ClientToken, Identifier, TypeName
from reconciler.model.progress import Done, Progress
from reconciler.model.resource import Wanted
from reconciler.model.values import Properties, has_unknown, reveal
from reconciler.ports import ResourceProvider, Scope
from reconciler.providers.native.frame import Change, UntaggedProvider, refuse_unsupported

_SERVICE = "elbv2"


class ListenerCertificate(UntaggedProvider):
    """Certificates that a listener has beside its default one.

    AWS knows no such thing as itself: its identifier is the listener and its certificates, joined by ``|``, and
    changes when they do: an update says what it is then. Other certificates of the listener are left alone. A call
    takes one certificate.
    """

    type_name = TypeName("AWS::ElasticLoadBalancingV2::ListenerCertificate")
    supported = frozenset({"Certificates", "ListenerArn"})
    fixed = frozenset({"ListenerArn"})
    placeless = "needs Certificates and ListenerArn"

    def create(self, scope: Scope, desired: Properties, token: ClientToken) -> Progress:  # noqa: ARG002 - the place is the token
        """See ``ports.ResourceProvider``. Certificates that are on the list already are as good as added."""
        desired = reveal(desired)
        refuse_unsupported(self.type_name, self.supported, desired)
        identifier = self._place(scope, desired)
        if identifier is None:
            raise AwsFault(FaultKind.INVALID_REQUEST, f"{self.type_name} {self.placeless}")
        return self._create(scope, identifier, desired)

    def _place(self, scope: Scope, desired: Properties) -> Identifier | None:  # noqa: ARG002 - properties say it
        listener, certificates = desired.get("ListenerArn"), desired.get("Certificates")
        if not listener or not certificates or has_unknown([listener, certificates]):
            return None
        return _identifier(str(listener), certificates)

    def _observe(self, scope: Scope, item: Wanted) -> dict[str, Any]:
        listener, *own = item.identifier.split("|")
        there = _listed(scope, listener)
        found = [{"CertificateArn": arn} for arn in own if arn in there]
        if not found:
            message = f"{listener} has none of the certificates {', '.join(own)}"
            raise AwsFault(FaultKind.NOT_FOUND, message, service=_SERVICE)
        return {"Id": item.identifier, "ListenerArn": listener, "Certificates": found}

    def _create(self, scope: Scope, identifier: Identifier, desired: Properties) -> Progress:  # noqa: ARG002 - its identifier says all
        listener, *own = identifier.split("|")
        there = _listed(scope, listener)
        for arn in own:
            if arn not in there:
                _call(scope, "add_listener_certificates", listener, arn)
        return Done(identifier)

    def _update(self, scope: Scope, identifier: Identifier, change: Change) -> Progress:
        """Add what is new, then take away what isn't wanted any more, so that a name is never without."""
        listener = identifier.partition("|")[0]
        certificates = change.value("Certificates")
        if not certificates:
            raise AwsFault(FaultKind.INVALID_REQUEST, f"{self.type_name} {self.placeless}")
        wanted = _identifier(listener, certificates)
        self._create(scope, wanted, change.after)
        self._drop(scope, listener, set(identifier.split("|")[1:]) - set(wanted.split("|")[1:]))
        return Done(wanted)

    def _delete(self, scope: Scope, identifier: Identifier) -> Progress:
        listener, *own = identifier.split("|")
        self._drop(scope, listener, set(own))
        return Done(identifier)

    def _drop(self, scope: Scope, listener: str, stale: set[str]) -> None:
        for arn in sorted(stale & _listed(scope, listener)):
            _call(scope, "remove_listener_certificates", listener, arn)


def _identifier(listener: str, certificates: Any) -> Identifier:
    arns = sorted({str(one.get("CertificateArn")) for one in certificates})
    return Identifier("|".join([listener, *arns]))


def _listed(scope: Scope, listener: str) -> set[str]:
    """The certificates on a listener's list; the default one isn't unless it was added, too."""
    found = scope.pages(_SERVICE, "describe_listener_certificates", "Certificates", ListenerArn=listener)
    return {str(one["CertificateArn"]) for one in found if not one.get("IsDefault")}


def _call(scope: Scope, operation: str, listener: str, arn: str) -> None:
    scope.call(_SERVICE, operation, ListenerArn=listener, Certificates=[{"CertificateArn": arn}])


PROVIDERS: tuple[ResourceProvider, ...] = (ListenerCertificate(),)
