"""What an ARN stands for: the resource types that it may name, and how the resource is identified there. Pure.

A rule does most of it (``ec2`` and ``security-group`` make ``AWS::EC2::SecurityGroup``), a table what follows no rule.
The answer is a guess until a read has confirmed it.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache

from reconciler.adoption.found import Guess
from reconciler.model.ids import Identifier, TypeName
from reconciler.schema import known_types, schema_for

_ARN = re.compile(r"arn:(aws[\w-]*):([^:]+):([^:]*):([^:]*):(.+)", re.DOTALL)
_PARTS = re.compile(r"[:/]")

#: the names that CloudFormation has for services, where ARNs have others
_SERVICES: Mapping[str, tuple[str, ...]] = {
    "acm": ("CertificateManager",),
    "acm-pca": ("ACMPCA",),
    "airflow": ("MWAA",),
    "aoss": ("OpenSearchServerless",),
    "apigateway": ("ApiGateway", "ApiGatewayV2"),
    "application-autoscaling": ("ApplicationAutoScaling",),
    "cassandra": ("Cassandra",),
    "cognito-identity": ("Cognito",),
    "cognito-idp": ("Cognito",),
    "ds": ("DirectoryService",),
    "elasticfilesystem": ("EFS",),
    "elasticloadbalancing": ("ElasticLoadBalancingV2", "ElasticLoadBalancing"),
    "elasticmapreduce": ("EMR",),
    "es": ("OpenSearchService", "Elasticsearch"),
    "firehose": ("KinesisFirehose",),
    "geo": ("Location",),
    "inspector2": ("InspectorV2",),
    "kafka": ("MSK",),
    "macie2": ("Macie",),
    "mq": ("AmazonMQ",),
    "network-firewall": ("NetworkFirewall",),
    "rds": ("RDS", "Neptune", "DocDB"),
    "resource-groups": ("ResourceGroups",),
    "schemas": ("EventSchemas",),
    "servicediscovery": ("ServiceDiscovery",),
    "states": ("StepFunctions",),
}
#: (service, kind of resource in the ARN) → type, where the two names differ
_KINDS: Mapping[tuple[str, str], tuple[str, ...]] = {
    ("acm-pca", "certificate-authority"): ("AWS::ACMPCA::CertificateAuthority",),
    ("apigateway", "apikeys"): ("AWS::ApiGateway::ApiKey",),
    ("apigateway", "apis"): ("AWS::ApiGatewayV2::Api",),
    ("apigateway", "apis/stages"): ("AWS::ApiGatewayV2::Stage",),
    ("apigateway", "domainnames"): ("AWS::ApiGateway::DomainName", "AWS::ApiGatewayV2::DomainName"),
    ("apigateway", "restapis"): ("AWS::ApiGateway::RestApi",),
    ("apigateway", "restapis/stages"): ("AWS::ApiGateway::Stage",),
    ("apigateway", "usageplans"): ("AWS::ApiGateway::UsagePlan",),
    ("apigateway", "vpclinks"): ("AWS::ApiGateway::VpcLink", "AWS::ApiGatewayV2::VpcLink"),
    ("cloudformation", "stack"): ("AWS::CloudFormation::Stack",),
    ("codepipeline", ""): ("AWS::CodePipeline::Pipeline",),
    ("ec2", "elastic-ip"): ("AWS::EC2::EIP",),
    ("ec2", "spot-fleet-request"): ("AWS::EC2::SpotFleet",),
    ("ec2", "vpc-flow-log"): ("AWS::EC2::FlowLog",),
    ("elasticache", "cluster"): ("AWS::ElastiCache::CacheCluster",),
    ("elasticloadbalancing", "loadbalancer"): ("AWS::ElasticLoadBalancing::LoadBalancer",),
    ("elasticloadbalancing", "loadbalancer/app"): ("AWS::ElasticLoadBalancingV2::LoadBalancer",),
    ("elasticloadbalancing", "loadbalancer/gwy"): ("AWS::ElasticLoadBalancingV2::LoadBalancer",),
    ("elasticloadbalancing", "loadbalancer/net"): ("AWS::ElasticLoadBalancingV2::LoadBalancer",),
    ("iam", "policy"): ("AWS::IAM::ManagedPolicy",),
    ("lambda", "layer"): ("AWS::Lambda::LayerVersion",),
    ("rds", "cluster"): ("AWS::RDS::DBCluster", "AWS::Neptune::DBCluster", "AWS::DocDB::DBCluster"),
    ("rds", "cluster-pg"): ("AWS::RDS::DBClusterParameterGroup", "AWS::DocDB::DBClusterParameterGroup"),
    ("rds", "db"): ("AWS::RDS::DBInstance", "AWS::Neptune::DBInstance", "AWS::DocDB::DBInstance"),
    ("rds", "es"): ("AWS::RDS::EventSubscription",),
    ("rds", "og"): ("AWS::RDS::OptionGroup",),
    ("rds", "pg"): ("AWS::RDS::DBParameterGroup",),
    ("rds", "subgrp"): ("AWS::RDS::DBSubnetGroup", "AWS::Neptune::DBSubnetGroup", "AWS::DocDB::DBSubnetGroup"),
    ("s3", ""): ("AWS::S3::Bucket",),
    ("sns", ""): ("AWS::SNS::Topic",),
    ("sns", "subscription"): ("AWS::SNS::Subscription",),
    ("sqs", ""): ("AWS::SQS::Queue",),
    **{
        ("wafv2", f"{scope}/{kind}"): (name,)
        for scope in ("global", "regional")
        for kind, name in (
            ("ipset", "AWS::WAFv2::IPSet"),
            ("regexpatternset", "AWS::WAFv2::RegexPatternSet"),
            ("rulegroup", "AWS::WAFv2::RuleGroup"),
            ("webacl", "AWS::WAFv2::WebACL"),
        )
    },
}


@dataclass(frozen=True, slots=True)
class Arn:
    """An ARN in its parts. ``kind`` and ``name``: the resource part, split at its first ``/`` or ``:``."""

    text: str
    partition: str
    service: str
    region: str
    account: str
    kind: str
    name: str

    @property
    def last(self) -> str:
        """The last word of the name."""
        return _PARTS.split(self.name)[-1]


def parse(text: str) -> Arn | None:
    """The parts of an ARN; None for what isn't one."""
    match = _ARN.fullmatch(text)
    if match is None:
        return None
    partition, service, region, account, rest = match.groups()
    rest = rest.removeprefix("/")
    cut = _PARTS.search(rest)
    kind, name = (rest[: cut.start()], rest[cut.end() :]) if cut else ("", rest)
    if service in ("s3", "sqs", "sns", "codepipeline") and "/" not in rest and (not cut or service == "codepipeline"):
        kind, name = "", rest
    if service == "sns" and cut:  # the ARN of a subscription is its topic's and an id
        kind, name = "subscription", rest
    return Arn(text, partition, service, region, account, kind, name)


def guesses(arn: Arn, region: str, type_name: TypeName | None = None) -> tuple[Guess, ...]:
    """What an ARN may stand for, the likeliest first; empty for what no type is known for.

    ``type_name``: the type is known, only the identifier is asked for.
    """
    types = (type_name,) if type_name is not None else _types(arn, region)
    found = [Guess(TypeName(kind), Identifier(place)) for kind in types for place in _identifiers(arn, kind, region)]
    return tuple(dict.fromkeys(found))


def _types(arn: Arn, region: str) -> tuple[str, ...]:
    """The types that an ARN may name, in this region."""
    known = known_types(region)
    for kind in (*_deeper(arn), arn.kind):
        if (arn.service, kind) in _KINDS:
            return tuple(name for name in _KINDS[arn.service, kind] if name in known)
    services = _SERVICES.get(arn.service, (arn.service,))
    wanted = [(_plain(service), _plain(arn.kind)) for service in services]
    table = _by_words(region)
    return tuple(name for key in wanted for name in table.get(key, ()))


def _deeper(arn: Arn) -> Iterator[str]:
    """Kinds of two words: ``loadbalancer/app`` and, of something that belongs to something else, ``apis/stages``."""
    words = arn.name.split("/")
    if len(words) >= 3:
        yield f"{arn.kind}/{words[1]}"
    if len(words) >= 2:
        yield f"{arn.kind}/{words[0]}"


@lru_cache(maxsize=16)
def _by_words(region: str) -> Mapping[tuple[str, str], tuple[str, ...]]:
    """Every type of a region by the words of its name as ARNs have them."""
    found: dict[tuple[str, str], list[str]] = defaultdict(list)
    for name in sorted(known_types(region)):
        parts = name.split("::")
        if len(parts) == 3:
            found[_plain(parts[1]), _plain(parts[2])].append(name)
    return {key: tuple(names) for key, names in found.items()}


def _plain(word: str) -> str:
    return re.sub(r"[^a-z0-9]", "", word.lower())


def _identifiers(arn: Arn, type_name: str, region: str) -> Iterator[str]:
    """What the primary identifier may be: the ARN, the whole name, its last word, or its words as parts."""
    schema = schema_for(type_name, region)
    if schema is None:
        return
    names = schema.primary_identifier
    if len(names) > 1:
        yield from _compound(arn, names)
        yield arn.last
        return
    if names and names[0].lower().endswith("arn"):
        yield arn.text
        return
    if type_name == "AWS::SSM::Parameter" and "/" in arn.name:
        yield f"/{arn.name}"
    name = arn.name.removesuffix(":*")
    yield from (name, arn.last, arn.text) if name.count(":") == 0 else (arn.last, name, arn.text)


def _compound(arn: Arn, names: tuple[str, ...]) -> Iterator[str]:
    words = [arn.kind, *arn.name.split("/")]
    left = [name for name in names if not name.lower().endswith("arn")]
    if len(left) < len(names):
        if len(left) == 1 and len(words) > 2:
            yield "|".join(words[1] if name in left else arn.text for name in names)
        return
    if len(words) == 2 * len(names):  # restapis/ID/stages/NAME
        yield "|".join(words[1::2])
    if len(words) == len(names) + 1:
        yield "|".join(words[1:])
    if arn.service == "wafv2" and len(words) == 4:  # SCOPE/webacl/NAME/ID
        yield f"{words[2]}|{words[3]}|{'CLOUDFRONT' if words[0] == 'global' else 'REGIONAL'}"
