"""AWS::CloudFront: distributions. Where nothing is set, Terraform's defaults aren't those of CloudFormation."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from reconciler.pipeline.aws.rules import (
    TAGS,
    As,
    AwsType,
    Implied,
    Inside,
    Nested,
    Rules,
    assuming,
    names,
)


def _behavior(value: Mapping[str, Any]) -> Mapping[str, Any]:
    """A cache behavior. Times to live are its own where no cache policy has them; Terraform's default is 0 then."""
    methods = {"AllowedMethods": ["GET", "HEAD"], "CachedMethods": ["GET", "HEAD"]}
    times = {} if value.get("CachePolicyId") else {"DefaultTTL": 86400, "MaxTTL": 31536000}
    return {**methods, **times, **value}


def _origin_group(value: Mapping[str, Any]) -> Mapping[str, Any]:
    """An origin group. How its members are selected can't be said, but needn't be for the usual way."""
    usual = value.get("SelectionCriteria") == "default"
    return {name: item for name, item in value.items() if name != "SelectionCriteria" or not usual}


_FORWARDED: Rules = {
    **names("Headers QueryString QueryStringCacheKeys"),
    "Cookies": Nested("cookies", names("Forward WhitelistedNames")),
}
_BEHAVIOR: Rules = {
    **names(
        "AllowedMethods CachePolicyId CachedMethods Compress FieldLevelEncryptionId OriginRequestPolicyId "
        "RealtimeLogConfigArn ResponseHeadersPolicyId SmoothStreaming TargetOriginId TrustedKeyGroups TrustedSigners "
        "ViewerProtocolPolicy",
        DefaultTTL="default_ttl",
        MaxTTL="max_ttl",
        MinTTL="min_ttl",
    ),
    "ForwardedValues": Nested("forwarded_values", _FORWARDED, read=assuming(Cookies={"Forward": "none"})),
    "FunctionAssociations": Nested(
        "function_association",
        names("EventType", FunctionARN="function_arn"),
        needs=("EventType", "FunctionARN"),
    ),
    "GrpcConfig": Nested("grpc_config", names("Enabled")),
    "LambdaFunctionAssociations": Nested(
        "lambda_function_association",
        names("EventType IncludeBody", LambdaFunctionARN="lambda_arn"),
        needs=("EventType", "LambdaFunctionARN"),
    ),
}
_CUSTOM_ORIGIN = Nested(
    "custom_origin_config",
    names(
        "IpAddressType OriginKeepaliveTimeout OriginProtocolPolicy OriginReadTimeout",
        HTTPPort="http_port",
        HTTPSPort="https_port",
        OriginSSLProtocols="origin_ssl_protocols",
    ),
    read=assuming(HTTPPort=80, HTTPSPort=443, OriginSSLProtocols=["TLSv1", "SSLv3"]),
)
_ORIGIN: Rules = {
    **names(
        "ConnectionAttempts ConnectionTimeout DomainName OriginAccessControlId OriginPath ResponseCompletionTimeout",
        Id="origin_id",
    ),
    "CustomOriginConfig": _CUSTOM_ORIGIN,
    "OriginCustomHeaders": Nested("custom_header", names("", HeaderName="name", HeaderValue="value")),
    "OriginShield": Nested("origin_shield", names("Enabled OriginShieldRegion"), needs=("Enabled",)),
    # one without an identity is what Terraform takes an origin for that has no configuration
    "S3OriginConfig": Nested(
        "s3_origin_config",
        names("OriginAccessIdentity"),
        read=assuming(OriginAccessIdentity=""),
        nothing=({}, {"OriginAccessIdentity": ""}),
    ),
    "VpcOriginConfig": Nested("vpc_origin_config", names("OriginKeepaliveTimeout OriginReadTimeout VpcOriginId")),
}
_ORIGIN_GROUP: Rules = {
    "FailoverCriteria": Nested(
        "failover_criteria", {"StatusCodes": Inside({"Items": As("status_codes"), "Quantity": Implied()})}
    ),
    "Id": As("origin_id"),
    "Members": Inside({"Items": Nested("member", names("OriginId")), "Quantity": Implied()}),
}
_CONFIG: Rules = {
    **names(
        "Aliases AnycastIpListId Comment ContinuousDeploymentPolicyId DefaultRootObject Enabled HttpVersion PriceClass "
        "Staging",
        IPV6Enabled="is_ipv6_enabled",
        WebACLId="web_acl_id",
    ),
    "CacheBehaviors": Nested(
        "ordered_cache_behavior", {**_BEHAVIOR, "PathPattern": As("path_pattern")}, read=_behavior
    ),
    "CustomErrorResponses": Nested(
        "custom_error_response",
        names("ErrorCode ResponseCode ResponsePagePath", ErrorCachingMinTTL="error_caching_min_ttl"),
        read=assuming(ErrorCachingMinTTL=300),
    ),
    "DefaultCacheBehavior": Nested("default_cache_behavior", _BEHAVIOR, read=_behavior),
    "Logging": Nested("logging_config", names("Bucket IncludeCookies Prefix")),
    "OriginGroups": Inside({"Items": Nested("origin_group", _ORIGIN_GROUP, read=_origin_group), "Quantity": Implied()}),
    "Origins": Nested("origin", _ORIGIN),
    "Restrictions": Nested(
        "restrictions", {"GeoRestriction": Nested("geo_restriction", names("Locations RestrictionType"))}
    ),
    "ViewerCertificate": Nested(
        "viewer_certificate",
        names(
            "AcmCertificateArn IamCertificateId MinimumProtocolVersion SslSupportMethod",
            CloudFrontDefaultCertificate="cloudfront_default_certificate",
        ),
    ),
}

TYPES: Mapping[str, AwsType] = {
    "AWS::CloudFront::Distribution": AwsType(
        "aws_cloudfront_distribution",
        {
            "DistributionConfig": Inside(
                _CONFIG,
                read=assuming(
                    HttpVersion="http1.1",
                    Restrictions={"GeoRestriction": {"RestrictionType": "none"}},
                    ViewerCertificate={"CloudFrontDefaultCertificate": True},
                ),
                needs=("Origins",),
            ),
            **TAGS,
        },
        attributes={"DomainName": "domain_name", "Id": "id"},
    ),
}
