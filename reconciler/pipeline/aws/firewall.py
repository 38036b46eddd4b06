"""AWS::WAF, AWS::WAFRegional: the classic firewall, once for CloudFront and once for a region's own."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from reconciler.pipeline.aws.rules import AwsType, Nested, Rules, names

_FIELD = Nested("field_to_match", names("Data Type"))
_MATCH: Rules = {**names("TextTransformation"), "FieldToMatch": _FIELD}
_ACL_RULE: Rules = {**names("Priority RuleId"), "Action": Nested("action", names("Type"))}


def _association(_identifier: str, live: Mapping[str, Any]) -> str | None:
    acl, resource = live.get("WebACLId"), live.get("ResourceArn")
    return f"{acl}:{resource}" if isinstance(acl, str) and isinstance(resource, str) else None


def _both(service: str, provider: str, plural: str) -> Iterator[tuple[str, AwsType]]:
    """What both of them have; the provider calls some blocks of the one in the plural."""
    named = names("Name")
    matches = Nested("byte_match_tuples", {**_MATCH, **names("PositionalConstraint TargetString")})
    yield f"AWS::{service}::ByteMatchSet", AwsType(f"{provider}_byte_match_set", {**named, "ByteMatchTuples": matches})
    addresses = Nested(f"ip_set_descriptor{plural}", names("Type Value"))
    yield f"AWS::{service}::IPSet", AwsType(f"{provider}_ipset", {**named, "IPSetDescriptors": addresses})
    predicates = Nested(f"predicate{plural}", names("DataId Negated Type"))
    yield f"AWS::{service}::Rule", AwsType(f"{provider}_rule", {**names("MetricName Name"), "Predicates": predicates})
    sizes = Nested("size_constraints", {**_MATCH, **names("ComparisonOperator Size")})
    yield (
        f"AWS::{service}::SizeConstraintSet",
        AwsType(f"{provider}_size_constraint_set", {**named, "SizeConstraints": sizes}),
    )
    injections = Nested(f"sql_injection_match_tuple{plural}", _MATCH)
    yield (
        f"AWS::{service}::SqlInjectionMatchSet",
        AwsType(f"{provider}_sql_injection_match_set", {**named, "SqlInjectionMatchTuples": injections}),
    )
    scripts = Nested(f"xss_match_tuple{plural}", _MATCH)
    yield f"AWS::{service}::XssMatchSet", AwsType(f"{provider}_xss_match_set", {**named, "XssMatchTuples": scripts})
    acl: Rules = {
        **names("MetricName Name"),
        "DefaultAction": Nested("default_action", names("Type")),
        "Rules": Nested(f"rule{plural}", _ACL_RULE),
    }
    yield f"AWS::{service}::WebACL", AwsType(f"{provider}_web_acl", acl)


TYPES: Mapping[str, AwsType] = {
    **dict(_both("WAF", "aws_waf", "s")),
    **dict(_both("WAFRegional", "aws_wafregional", "")),
    "AWS::WAFRegional::GeoMatchSet": AwsType(
        "aws_wafregional_geo_match_set",
        {**names("Name"), "GeoMatchConstraints": Nested("geo_match_constraint", names("Type Value"))},
    ),
    "AWS::WAFRegional::RateBasedRule": AwsType(
        "aws_wafregional_rate_based_rule",
        {
            **names("MetricName Name RateKey RateLimit"),
            "MatchPredicates": Nested("predicate", names("DataId Negated Type")),
        },
    ),
    "AWS::WAFRegional::RegexPatternSet": AwsType(
        "aws_wafregional_regex_pattern_set", names("Name RegexPatternStrings")
    ),
    "AWS::WAFRegional::WebACLAssociation": AwsType(
        "aws_wafregional_web_acl_association",
        names("ResourceArn", WebACLId="web_acl_id"),
        imported=_association,
    ),
}
