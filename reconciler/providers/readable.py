"""Secrets that the Cloud Control API gives out: which types show one when they are read, or read one to be shown.

``GetResource`` is one operation for every type, so what it reveals depends on the type. What the schema calls
write-only is never returned; of the rest names decide, as in ``revealing``: whatever sounds like a secret counts as one
unless it was looked at. The handlers' own calls are made as us, so that those which give out a secret count too.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import lru_cache

from reconciler.providers.revealing import Reveals, named_read
from reconciler.schema import Path, TypeSchema, schema_for

_SOUNDS_SECRET = re.compile(
    "Token|Credential|Password|Secret|Passphrase|ApiKey|APIKey|AccessKey|PrivateKey|SharedKey|StreamKey|SecurityKey"
    "|AuthKey|Presign"
)
#: Endings of names that speak of a secret without being one.
_ABOUT_ONE = re.compile(
    "(Arn|ARN|Arns|ARNs|Id|Ids|Name|Names|Type|Types|Enabled|Version|Status|Mode|Url|Uri|Endpoint|Expiration|Path"
    "|Provider|Unit|Length|Source|Location|Policy|Count|Reference|Age|Vendor|Prefix|Parameter|Param|Role|Header"
    "|JsonKey|StringKey|Expression|Pattern|Method|HttpTokens|Generation|ClientToken|VersionToken)$|Validity|KmsKey"
)
#: Looked at: names, references, or meant for everybody to see.
_PLAIN: Mapping[str, frozenset[str]] = {
    "AWS::ApiGateway::Authorizer": frozenset({"AuthorizerCredentials"}),  # a role
    "AWS::ApiGateway::Method": frozenset({"Integration/Credentials"}),  # a role
    "AWS::Cognito::UserPoolClient": frozenset(
        f"TokenValidityUnits/{kind}Token" for kind in ("Access", "Id", "Refresh")
    ),
    "AWS::EC2::SqlHaStandbyDetectedInstance": frozenset({"SqlServerCredentials"}),  # a secret's ARN
    "AWS::FSx::StorageVirtualMachine": frozenset(
        {
            "ActiveDirectoryConfiguration/SelfManagedActiveDirectoryConfiguration/DomainJoinServiceAccountSecret",
        }
    ),  # a secret's ARN
    "AWS::Kendra::DataSource": frozenset(
        {
            "DataSourceConfiguration/WebCrawlerConfiguration/AuthenticationConfiguration/BasicAuthentication/*/Credentials",
            "DataSourceConfiguration/WebCrawlerConfiguration/ProxyConfiguration/Credentials",
        }
    ),  # secrets' ARNs
    "AWS::Lambda::Permission": frozenset(
        {"EventSourceToken"}
    ),  # what a skill must name; Lambda shows it to all readers
    "AWS::ManagedBlockchain::Accessor": frozenset({"BillingToken"}),  # told to AWS with each request, opens nothing
    "AWS::MediaPackage::OriginEndpoint": frozenset({"Authorization/CdnIdentifierSecret"}),  # a secret's ARN
    "AWS::MediaPackage::PackagingGroup": frozenset({"Authorization/CdnIdentifierSecret"}),  # a secret's ARN
    "AWS::SES::EmailIdentity": frozenset(f"DkimDNSToken{part}{n}" for part in ("Name", "Value") for n in (1, 2, 3)),
    "AWS::SecurityAgent::TargetDomain": frozenset(
        {"VerificationDetails/DnsTxt/Token", "VerificationDetails/HttpRoute/Token"}
    ),
    "AWS::VerifiedPermissions::IdentitySource": frozenset({"Configuration/OpenIdConnectConfiguration/TokenSelection"}),
}
#: Secrets whose names don't tell.
_BESIDES: Mapping[str, tuple[str, ...]] = {
    "AWS::AppSync::GraphQLApi": ("EnvironmentVariables",),
    "AWS::Cognito::UserPoolIdentityProvider": ("ProviderDetails",),
    "AWS::EC2::VPNConnection": ("VpnTunnelOptionsSpecifications",),
    "AWS::Glue::Connection": ("ConnectionInput",),
    "AWS::IVS::StreamKey": ("Value",),
    "AWS::IoTWireless::WirelessDevice": ("LoRaWAN", "Sidewalk"),
}
#: Handlers that may make a call which gives out a secret or content, but not for what is read of these.
_HARMLESS = frozenset(
    {
        "AWS::Amplify::Branch",
        "AWS::EC2::VPNConnectionRoute",  # of the connection, only that it is there
        "AWS::ElasticBeanstalk::ConfigurationTemplate",
        "AWS::ElasticLoadBalancingV2::TrustStore",
        "AWS::Glue::Database",  # of a connection, only that it is there
        "AWS::Lambda::Function",  # the code's address isn't passed on
        "AWS::Lambda::LayerVersion",  # neither here
        "AWS::RUM::AppMonitor",
        "AWS::ServiceCatalog::CloudFormationProduct",
        "AWS::ServiceCatalog::CloudFormationProvisionedProduct",
    }
)
_READING_HANDLERS = ("read", "list")
_SHOWING = frozenset({"GetResource", "ListResources"})
_DEEPEST = 8


def shows_resources(service: str, operation: str) -> bool:
    """Whether it depends on the type that a call names what it gives away."""
    return service == "cloudcontrol" and operation in _SHOWING


@lru_cache(maxsize=4096)
def type_reveals(type_name: str) -> Reveals | None:
    """Why a type isn't read through Cloud Control for a read-only target; None where nothing speaks against it.

    A type that the packaged schemas don't have can't be judged, which counts as a secret.
    """
    schema = schema_for(type_name)
    if schema is None or readable_secrets(type_name):
        return Reveals.SECRET
    if type_name in _HARMLESS:
        return None
    calls = (call for handler in _READING_HANDLERS for call in schema.handler_permissions.get(handler, ()))
    # Decrypting what a service keeps encrypted is no look at a secret.
    found = {named_read(*call.partition(":")[::2]) for call in calls if not call.startswith("kms:")} - {None}
    return next((reason for reason in Reveals if reason in found), None)


@lru_cache(maxsize=4096)
def readable_secrets(type_name: str) -> tuple[Path, ...]:
    """Where in the properties of a type a secret can be read: they are hidden as soon as they have been."""
    schema = schema_for(type_name)
    if schema is None:
        return ()
    plain = _PLAIN.get(type_name, frozenset())
    named = (path for path in _texts(schema, schema.document, (), ()) if _SOUNDS_SECRET.search(path[-1]))
    found = [path for path in named if not _ABOUT_ONE.search(path[-1]) and "/".join(path) not in plain]
    besides = [(name,) for name in _BESIDES.get(type_name, ()) if name in schema.properties]
    return tuple(path for path in (*found, *besides) if not schema.is_secret(path))


def _texts(schema: TypeSchema, node: Mapping[str, object], path: Path, above: tuple[int, ...]) -> Iterator[Path]:
    """The path of every property that may hold text."""
    node = schema.follow(node)
    if id(node) in above or len(path) > _DEEPEST:
        return
    above = (*above, id(node))
    properties = node.get("properties")
    for name, below in properties.items() if isinstance(properties, Mapping) else ():
        if schema.follow(below).get("type", "string") in ("string", ["string"]):
            yield (*path, name)
        yield from _texts(schema, below, (*path, name), above)
    items = node.get("items")
    if isinstance(items, Mapping):
        yield from _texts(schema, items, (*path, "*"), above)
    for keyword in ("oneOf", "anyOf", "allOf"):
        alternatives = node.get(keyword)
        for alternative in alternatives if isinstance(alternatives, list) else ():
            yield from _texts(schema, alternative, path, above)
