"""AWS::ElasticLoadBalancingV2::Listener and AWS::ElasticLoadBalancingV2::ListenerRule."""

from __future__ import annotations

from typing import Any

from reconciler.model.ids import Identifier, TypeName
from reconciler.model.values import Properties
from reconciler.ports import ResourceProvider, Scope
from reconciler.providers.declared import Call, Declaration, Declared, Listing, Many, Read, Update
from reconciler.providers.declared.reading import Item
from reconciler.providers.native.elbv2 import tagging
from reconciler.providers.native.elbv2_attributes import OF_LISTENERS, Attributed

_ENCRYPTED = ("HTTPS", "TLS")
_ONLY_ENCRYPTED = frozenset({"AlpnPolicy", "Certificates", "MutualAuthentication", "SslPolicy"})

_LISTENER = Declaration(
    type=TypeName("AWS::ElasticLoadBalancingV2::Listener"),
    service="elbv2",
    arn="{ListenerArn}",
    read=Read("describe_listeners", "Listeners", many=Many("ListenerArns", "ListenerArn", 20)),
    extras=(
        Read("describe_listener_attributes", "Attributes", shows=("ListenerAttributes",), into="ListenerAttributes"),
    ),
    create=Call("create_listener"),
    made="Listeners.0",
    looks_first=True,
    updates=(
        Update(
            Call(
                "modify_listener",
                (
                    "AlpnPolicy",
                    "Certificates",
                    "DefaultActions",
                    "MutualAuthentication",
                    "Port",
                    "Protocol",
                    "SslPolicy",
                ),
            )
        ),
        Update(
            Call("modify_listener_attributes", ("ListenerAttributes",), {"ListenerAttributes": "Attributes"}),
            later=True,
        ),
    ),
    delete=Call("delete_listener"),
    # A load balancer has no two listeners on a port.
    listing=Listing(
        "describe_listeners", "Listeners", {"LoadBalancerArn": "{LoadBalancerArn}"}, match=("LoadBalancerArn", "Port")
    ),
    tagging=tagging(),
    resets={
        "AlpnPolicy": ["None"],
        "MutualAuthentication": {"Mode": "off"},
        "SslPolicy": "ELBSecurityPolicy-2016-08",
    },
)


class Listener(Attributed):
    """A listener."""

    attributes = "ListenerAttributes"
    defaults = OF_LISTENERS

    def adapt_reset(self, name: str, before: Properties, after: Properties) -> Any:
        """See ``Declared``: what is about encryption goes by itself with a protocol that has none."""
        if name in _ONLY_ENCRYPTED and after.get("Protocol", before.get("Protocol")) not in _ENCRYPTED:
            return None
        return super().adapt_reset(name, before, after)


_RULE = Declaration(
    type=TypeName("AWS::ElasticLoadBalancingV2::ListenerRule"),
    service="elbv2",
    arn="{RuleArn}",
    read=Read("describe_rules", "Rules", many=Many("RuleArns", "RuleArn", 20)),
    create=Call("create_rule"),
    made="Rules.0",
    looks_first=True,
    updates=(
        Update(Call("set_rule_priorities"), of=("Priority",)),
        Update(Call("modify_rule", ("Actions", "Conditions"))),
        Update(
            Call("modify_rule", ("Transforms",)),
            clear=Call("modify_rule", constants={"ResetTransforms": True}),
        ),
    ),
    delete=Call("delete_rule"),
    # A listener has no two rules of a priority.
    listing=Listing("describe_rules", "Rules", {"ListenerArn": "{ListenerArn}"}, match=("Priority",)),
    tagging=tagging(),
)


class ListenerRule(Declared):
    """A rule of a listener."""

    def adapt_observed(self, scope: Scope, item: Item, properties: dict[str, Any]) -> dict[str, Any]:  # noqa: ARG002
        """See ``Declared``: a rule's ARN is its listener's with the rule's id at the end."""
        arn = str(properties.get("RuleArn", ""))
        properties["ListenerArn"] = arn.replace(":listener-rule/", ":listener/").rpartition("/")[0]
        return properties

    def change(
        self, scope: Scope, identifier: Identifier, update: Update, before: Properties, after: Properties
    ) -> None:
        """See ``Declared``."""
        if update.names == {"Priority"}:
            priority = int(after["Priority"])
            if priority != before.get("Priority"):
                pair = {"RuleArn": identifier, "Priority": priority}
                scope.call("elbv2", "set_rule_priorities", RulePriorities=[pair])
            return
        super().change(scope, identifier, update, before, after)


PROVIDERS: tuple[ResourceProvider, ...] = (Listener(_LISTENER), ListenerRule(_RULE))
