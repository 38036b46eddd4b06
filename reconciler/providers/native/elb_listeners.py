"""The listeners of a classic load balancer and the policies that they and the instances' ports have.

A policy never changes: one that is to be otherwise is taken away from where it is used, deleted, made anew and set
again. A listener that is to be otherwise is made anew, too, unless it is for its certificate alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from reconciler.ports import Scope
from reconciler.schema import schema_for
from reconciler.schema.likeness import same

Raw = Mapping[str, Any]

_TYPE = "AWS::ElasticLoadBalancing::LoadBalancer"
_PROPERTIES = ("AppCookieStickinessPolicy", "LBCookieStickinessPolicy", "Policies")
_PORTS = frozenset({"InstancePorts", "LoadBalancerPorts"})


def listener(properties: Raw) -> dict[str, Any]:
    """A listener as the create calls take it."""
    return {name: value for name, value in properties.items() if name != "PolicyNames"}


def observed(answer: Raw, described: list[dict[str, Any]]) -> dict[str, Any]:
    """Listeners and policies as properties. ``described``: all policies, where they were asked for."""
    shown = answer.get("Policies") or {}
    listeners = [
        {name: str(value) for name, value in one["Listener"].items()} | _names(one.get("PolicyNames"))
        for one in answer.get("ListenerDescriptions") or []
    ]
    others = frozenset(shown.get("OtherPolicies") or ())
    return {
        "Listeners": listeners,
        "AppCookieStickinessPolicy": [dict(one) for one in shown.get("AppCookieStickinessPolicies") or []],
        "LBCookieStickinessPolicy": [
            {name: str(value) for name, value in one.items()} for one in shown.get("LBCookieStickinessPolicies") or []
        ],
        "Policies": [{**one, **_used(answer, one["PolicyName"])} for one in described if one["PolicyName"] in others],
    }


def _names(names: Any) -> dict[str, Any]:
    return {"PolicyNames": list(names)} if names else {}


def _used(answer: Raw, name: str) -> dict[str, Any]:
    found: dict[str, Any] = {}
    if balanced := [port for port, names in _listening(answer).items() if name in names]:
        found["LoadBalancerPorts"] = [str(port) for port in balanced]
    if served := [port for port, names in _serving(answer).items() if name in names]:
        found["InstancePorts"] = [str(port) for port in served]
    return found


def _listening(answer: Raw) -> dict[int, list[str]]:
    """The names of policies by the port of the listener that has them."""
    shown = answer.get("ListenerDescriptions") or []
    return {int(one["Listener"]["LoadBalancerPort"]): list(one.get("PolicyNames") or ()) for one in shown}


def _serving(answer: Raw) -> dict[int, list[str]]:
    """The names of policies by the instances' port that has them."""
    shown = answer.get("BackendServerDescriptions") or []
    return {int(one["InstancePort"]): list(one.get("PolicyNames") or ()) for one in shown}


def bring(scope: Scope, name: str, answer: Raw, live: Raw, wanted: Raw) -> None:
    """Bring listeners and policies from ``live`` to ``wanted``, each with all four properties.

    ``answer``: the load balancer as it is described.
    """
    old, new = _policies(live), _policies(wanted)
    stale = {one for one, policy in old.items() if one not in new or not _alike(scope, new[one], policy)}
    named = {str(one) for each in wanted["Listeners"] for one in each.get("PolicyNames") or ()}
    stale -= named - new.keys()  # one of another's making that a listener names
    listening, serving = _listening(answer), _serving(answer)
    for kind, ports in (("listener", listening), ("server", serving)):
        for port, names in ports.items():
            if stale.intersection(names):
                ports[port] = [one for one in names if one not in stale]
                _set(scope, name, kind, port, ports[port])
    for one in sorted(stale):
        scope.call("elb", "delete_load_balancer_policy", LoadBalancerName=name, PolicyName=one)
    _bring_listeners(scope, name, listening, live.get("Listeners") or [], wanted["Listeners"])
    for one, (kind, policy) in new.items():
        if one not in old or one in stale:
            _make(scope, name, kind, policy)
    policies = [policy for _, policy in new.values()]
    for each in wanted["Listeners"]:
        port = int(each["LoadBalancerPort"])
        _assign(scope, name, "listener", port, listening.get(port, []), each.get("PolicyNames"), policies)
    for port in sorted({*serving, *(int(port) for policy in policies for port in policy.get("InstancePorts") or ())}):
        _assign(scope, name, "server", port, serving.get(port, []), None, policies)


def _policies(properties: Raw) -> dict[str, tuple[str, Raw]]:
    """Policies by name, each with the property that has it."""
    return {str(policy["PolicyName"]): (kind, policy) for kind in _PROPERTIES for policy in properties.get(kind) or ()}


def _alike(scope: Scope, wanted: tuple[str, Raw], live: tuple[str, Raw]) -> bool:
    kind, policy = wanted
    if kind != live[0]:
        return False
    own = {name: value for name, value in policy.items() if name not in _PORTS}
    return same(schema_for(_TYPE, scope.region), (kind, "*"), own, live[1])


def _bring_listeners(
    scope: Scope, name: str, listening: dict[int, list[str]], live: list[Raw], wanted: list[Raw]
) -> None:
    """Make and delete listeners; ``listening`` has the policies of those that stay as they are."""
    schema = schema_for(_TYPE, scope.region)
    there = {int(one["LoadBalancerPort"]): one for one in live}
    target = {int(one["LoadBalancerPort"]): one for one in wanted}
    for port, one in there.items():
        kept = {key: value for key, value in listener(target.get(port, {})).items() if key != "SSLCertificateId"}
        if kept and same(schema, ("Listeners", "*"), kept, one):
            certificate = target[port].get("SSLCertificateId")
            if certificate and certificate != one.get("SSLCertificateId"):
                scope.call(
                    "elb",
                    "set_load_balancer_listener_ssl_certificate",
                    LoadBalancerName=name,
                    LoadBalancerPort=port,
                    SSLCertificateId=certificate,
                )
            del target[port]
        else:
            listening.pop(port, None)
            scope.call("elb", "delete_load_balancer_listeners", LoadBalancerName=name, LoadBalancerPorts=[port])
    if target:
        fresh = [
            {**listener(one), "LoadBalancerPort": port, "InstancePort": int(one["InstancePort"])}
            for port, one in target.items()
        ]
        scope.call("elb", "create_load_balancer_listeners", LoadBalancerName=name, Listeners=fresh)


def _make(scope: Scope, name: str, kind: str, policy: Raw) -> None:
    given: dict[str, Any] = {"LoadBalancerName": name, "PolicyName": policy["PolicyName"]}
    if kind == "AppCookieStickinessPolicy":
        scope.call("elb", "create_app_cookie_stickiness_policy", **given, CookieName=policy["CookieName"])
    elif kind == "LBCookieStickinessPolicy":
        if policy.get("CookieExpirationPeriod") is not None:
            given["CookieExpirationPeriod"] = int(policy["CookieExpirationPeriod"])
        scope.call("elb", "create_lb_cookie_stickiness_policy", **given)
    else:
        attributes = [
            {"AttributeName": one.get("Name"), "AttributeValue": str(one.get("Value"))}
            for one in policy.get("Attributes") or ()
        ]
        scope.call(
            "elb",
            "create_load_balancer_policy",
            **given,
            PolicyTypeName=policy["PolicyType"],
            PolicyAttributes=attributes,
        )


def _assign(scope: Scope, name: str, kind: str, port: int, live: list[str], given: Any, policies: list[Raw]) -> None:
    """Set the policies of a port. ``given``: those that its listener names; without them what isn't told stays."""
    key = "LoadBalancerPorts" if kind == "listener" else "InstancePorts"
    asked = {str(policy["PolicyName"]): _ports(policy, key) for policy in policies if policy.get(key) is not None}
    kept = list(given) if given is not None else [one for one in live if one not in asked]
    target = list(dict.fromkeys([*kept, *(one for one, ports in asked.items() if port in ports)]))
    if set(target) != set(live):
        _set(scope, name, kind, port, target)


def _ports(policy: Raw, key: str) -> frozenset[int]:
    return frozenset(int(port) for port in policy[key])


def _set(scope: Scope, name: str, kind: str, port: int, names: list[str]) -> None:
    if kind == "listener":
        scope.call(
            "elb",
            "set_load_balancer_policies_of_listener",
            LoadBalancerName=name,
            LoadBalancerPort=port,
            PolicyNames=names,
        )
    else:
        scope.call(
            "elb",
            "set_load_balancer_policies_for_backend_server",
            LoadBalancerName=name,
            InstancePort=port,
            PolicyNames=names,
        )
