"""What load balancers, target groups and listeners have in common: attributes, of which a plan manages those it names.

A key that a plan doesn't name any more is nobody's from then on. When it names none at all any more, those that AWS
documents a default for get it back.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from reconciler.model.ids import Identifier
from reconciler.model.values import Properties
from reconciler.ports import Scope
from reconciler.providers.declared import Declared, Update

#: LoadBalancerAttribute in the API reference. Where kinds of load balancers differ, there is no default here.
OF_LOAD_BALANCERS: Mapping[str, str] = {
    "access_logs.s3.enabled": "false",
    "connection_logs.s3.enabled": "false",
    "client_keep_alive.seconds": "3600",
    "deletion_protection.enabled": "false",
    "dns_record.client_routing_policy": "any_availability_zone",
    "idle_timeout.timeout_seconds": "60",
    "ipv6.deny_all_igw_traffic": "false",
    "routing.http.desync_mitigation_mode": "defensive",
    "routing.http.drop_invalid_header_fields.enabled": "false",
    "routing.http.preserve_host_header.enabled": "false",
    "routing.http.x_amzn_tls_version_and_cipher_suite.enabled": "false",
    "routing.http.xff_client_port.enabled": "false",
    "routing.http.xff_header_processing.mode": "append",
    "routing.http2.enabled": "true",
    "waf.fail_open.enabled": "false",
    "zonal_shift.config.enabled": "false",
}
#: TargetGroupAttribute in the API reference.
OF_TARGET_GROUPS: Mapping[str, str] = {
    "deregistration_delay.timeout_seconds": "300",
    "lambda.multi_value_headers.enabled": "false",
    "load_balancing.algorithm.anomaly_mitigation": "off",
    "load_balancing.algorithm.type": "round_robin",
    "load_balancing.cross_zone.enabled": "use_load_balancer_configuration",
    "proxy_protocol_v2.enabled": "false",
    "slow_start.duration_seconds": "0",
    "stickiness.enabled": "false",
    "stickiness.lb_cookie.duration_seconds": "86400",
    "stickiness.app_cookie.duration_seconds": "86400",
}
#: ListenerAttribute in the API reference.
OF_LISTENERS: Mapping[str, str] = {
    "routing.http.response.server.enabled": "true",
    "tcp.idle_timeout.seconds": "350",
}


class Attributed(Declared):
    """A type with a list of attributes. ``attributes``: the property; ``defaults``: what AWS gives by key."""

    attributes: ClassVar[str]
    defaults: ClassVar[Mapping[str, str]]

    def adapt_reset(self, name: str, before: Properties, after: Properties) -> Any:
        """See ``Declared``."""
        if name != self.attributes:
            return super().adapt_reset(name, before, after)
        live = {str(one["Key"]): str(one.get("Value", "")) for one in before.get(name) or ()}
        differing = {key: self.defaults[key] for key in sorted(live) if live[key] != self.defaults.get(key, live[key])}
        return [{"Key": key, "Value": value} for key, value in differing.items()] or None

    def change(
        self, scope: Scope, identifier: Identifier, update: Update, before: Properties, after: Properties
    ) -> None:
        """See ``Declared``: a call without attributes is refused."""
        if update.names == {self.attributes} and not after.get(self.attributes):
            return
        super().change(scope, identifier, update, before, after)

    def live(self, scope: Scope, identifier: Identifier, name: str) -> Any:
        """The value of one property as it is."""
        return self._live(scope, identifier, frozenset({name})).get(name)
