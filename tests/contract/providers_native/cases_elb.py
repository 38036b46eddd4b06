"""Load balancers, their target groups, listeners, rules and certificates."""

from __future__ import annotations

from typing import Any

from tests.contract.providers_native.cases import ABSENT, OTHER_TAGS, TAGS, TARGETS, Case, Clients
from tests.contract.providers_native.hands import REGION


def network(clients: Clients, prefix: str) -> str:
    """A VPC with two subnets and a security group; their ids go into ``TARGETS`` as ``@PREFIXsubnet-a`` and so on."""
    ec2 = clients("ec2")
    vpc = ec2.create_vpc(CidrBlock="10.9.0.0/16")["Vpc"]["VpcId"]
    for number, zone in enumerate("abc"):
        subnet = ec2.create_subnet(VpcId=vpc, CidrBlock=f"10.9.{number}.0/24", AvailabilityZone=f"{REGION}{zone}")[
            "Subnet"
        ]
        TARGETS[f"@{prefix}-subnet-{zone}"] = subnet["SubnetId"]
    for name in ("one", "two"):
        group = ec2.create_security_group(GroupName=f"{prefix}-{name}", Description="for a test", VpcId=vpc)
        TARGETS[f"@{prefix}-group-{name}"] = group["GroupId"]
    TARGETS[f"@{prefix}-vpc"] = vpc
    return str(vpc)


def _foreign_balancer(clients: Clients) -> None:
    subnets = [TARGETS["@lb-subnet-a"], TARGETS["@lb-subnet-b"]]
    clients("elbv2").create_load_balancer(Name="contract-foreign", Subnets=subnets)


# Left out, because moto doesn't keep them: MinimumLoadBalancerCapacity, EnablePrefixForIpv6SourceNat,
# EnforceSecurityGroupInboundRulesOnPrivateLinkTraffic, Ipv4IpamPoolId, addresses in SubnetMappings.
LOAD_BALANCER = Case(
    "AWS::ElasticLoadBalancingV2::LoadBalancer",
    {
        "Name": "contract-balancer",
        "Scheme": "internal",
        "Type": "application",
        "IpAddressType": "ipv4",
        "Subnets": ["@lb-subnet-a", "@lb-subnet-b"],
        "SecurityGroups": ["@lb-group-one"],
        "LoadBalancerAttributes": [{"Key": "idle_timeout.timeout_seconds", "Value": "30"}],
        "Tags": TAGS,
    },
    changes={
        "IpAddressType": "dualstack",
        "Subnets": ["@lb-subnet-b", "@lb-subnet-c"],
        "SecurityGroups": ["@lb-group-two", "@lb-group-one"],
        "LoadBalancerAttributes": [{"Key": "routing.http2.enabled", "Value": "false"}],
        "Tags": OTHER_TAGS,
    },
    resets={"IpAddressType": "ipv4", "Tags": ABSENT},
    attributes=("DNSName", "CanonicalHostedZoneID", "LoadBalancerFullName", "LoadBalancerName"),
    setup=lambda clients: network(clients, "lb"),
    foreign=_foreign_balancer,
    deny=("elasticloadbalancing", "DescribeLoadBalancers"),
    name="Name",
)

# Left out, because moto doesn't keep it: TargetControlPort.
TARGET_GROUP = Case(
    "AWS::ElasticLoadBalancingV2::TargetGroup",
    {
        "Name": "contract-group",
        "VpcId": "@tg-vpc",
        "Port": 8080,
        "Protocol": "HTTP",
        "ProtocolVersion": "HTTP1",
        "TargetType": "ip",
        "IpAddressType": "ipv4",
        "HealthCheckEnabled": True,
        "HealthCheckProtocol": "HTTP",
        "HealthCheckPort": "8081",
        "HealthCheckPath": "/health",
        "HealthCheckIntervalSeconds": 15,
        "HealthCheckTimeoutSeconds": 7,
        "HealthyThresholdCount": 3,
        "UnhealthyThresholdCount": 4,
        "Matcher": {"HttpCode": "200-299"},
        "TargetGroupAttributes": [{"Key": "deregistration_delay.timeout_seconds", "Value": "10"}],
        "Targets": [{"Id": "10.9.0.10", "Port": 8080}, {"Id": "10.9.0.11"}],
        "Tags": TAGS,
    },
    changes={
        "HealthCheckProtocol": "HTTPS",
        "HealthCheckPort": "8082",
        "HealthCheckPath": "/ready",
        "HealthCheckIntervalSeconds": 20,
        "HealthCheckTimeoutSeconds": 8,
        "HealthyThresholdCount": 4,
        "UnhealthyThresholdCount": 3,
        "Matcher": {"HttpCode": "204"},
        "TargetGroupAttributes": [
            {"Key": "stickiness.enabled", "Value": "true"},
            {"Key": "stickiness.type", "Value": "lb_cookie"},
        ],
        "Targets": [{"Id": "10.9.0.11"}, {"Id": "10.9.0.12", "Port": 9090}],
        "Tags": OTHER_TAGS,
    },
    resets={
        "HealthCheckProtocol": "HTTP",
        "HealthCheckPort": "traffic-port",
        "HealthCheckPath": "/",
        "HealthCheckIntervalSeconds": 30,
        "HealthCheckTimeoutSeconds": 5,
        "HealthyThresholdCount": 5,
        "UnhealthyThresholdCount": 2,
        "Matcher": {"HttpCode": "200"},
        "Targets": [],
        "Tags": ABSENT,
    },
    attributes=("TargetGroupFullName", "TargetGroupName"),
    setup=lambda clients: network(clients, "tg"),
    foreign=lambda clients: clients("elbv2").create_target_group(
        Name="contract-foreign", Protocol="HTTP", Port=80, VpcId=TARGETS["@tg-vpc"]
    ),
    deny=("elasticloadbalancing", "DescribeTargetGroups"),
    name="Name",
)


def _balancer(prefix: str) -> Any:
    def setup(clients: Clients) -> None:
        vpc = network(clients, prefix)
        elb = clients("elbv2")
        subnets = [TARGETS[f"@{prefix}-subnet-a"], TARGETS[f"@{prefix}-subnet-b"]]
        balancer = elb.create_load_balancer(Name=f"{prefix}-balancer", Subnets=subnets)["LoadBalancers"][0]
        TARGETS[f"@{prefix}-balancer"] = balancer["LoadBalancerArn"]
        for name in ("one", "two"):
            group = elb.create_target_group(Name=f"{prefix}-{name}", Protocol="HTTP", Port=80, VpcId=vpc)
            TARGETS[f"@{prefix}-target-{name}"] = group["TargetGroups"][0]["TargetGroupArn"]
        actions = [{"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "404"}}]
        arn = balancer["LoadBalancerArn"]
        if prefix == "rule":
            made = elb.create_listener(LoadBalancerArn=arn, Port=80, Protocol="HTTP", DefaultActions=actions)
            TARGETS["@rule-listener"] = made["Listeners"][0]["ListenerArn"]
        acm = clients("acm")
        for name in ("one", "two"):
            arn = acm.request_certificate(DomainName=f"{name}.example.com")["CertificateArn"]
            TARGETS[f"@{prefix}-certificate-{name}"] = arn

    return setup


# Left out, because moto doesn't keep them: AlpnPolicy changes, MutualAuthentication.
LISTENER = Case(
    "AWS::ElasticLoadBalancingV2::Listener",
    {
        "LoadBalancerArn": "@listener-balancer",
        "Port": 443,
        "Protocol": "HTTPS",
        "SslPolicy": "ELBSecurityPolicy-TLS13-1-2-2021-06",
        "Certificates": [{"CertificateArn": "@listener-certificate-one"}],
        "DefaultActions": [{"Type": "forward", "TargetGroupArn": "@listener-target-one"}],
        "ListenerAttributes": [{"Key": "routing.http.response.server.enabled", "Value": "false"}],
        "Tags": TAGS,
    },
    changes={
        "Port": 8443,
        "SslPolicy": "ELBSecurityPolicy-2016-08",
        "Certificates": [{"CertificateArn": "@listener-certificate-two"}],
        "DefaultActions": [
            {
                "Type": "redirect",
                "RedirectConfig": {"Protocol": "HTTPS", "Port": "444", "StatusCode": "HTTP_301"},
            }
        ],
        "ListenerAttributes": [{"Key": "routing.http.response.server.enabled", "Value": "true"}],
        "Tags": OTHER_TAGS,
    },
    resets={"SslPolicy": "ELBSecurityPolicy-2016-08", "Tags": ABSENT},
    attributes=("ListenerArn",),
    setup=_balancer("listener"),
    deny=("elasticloadbalancing", "DescribeListeners"),
    searchable=False,  # its place tells which it is, whoever asks
)

# Left out, because moto doesn't keep them: Transforms.
RULE = Case(
    "AWS::ElasticLoadBalancingV2::ListenerRule",
    {
        "ListenerArn": "@rule-listener",
        "Priority": 10,
        "Conditions": [
            {"Field": "path-pattern", "PathPatternConfig": {"Values": ["/api/*"]}},
            {"Field": "http-request-method", "HttpRequestMethodConfig": {"Values": ["GET"]}},
            {"Field": "query-string", "QueryStringConfig": {"Values": [{"Key": "v", "Value": "1"}]}},
        ],
        "Actions": [
            {
                "Type": "forward",
                "ForwardConfig": {
                    "TargetGroups": [
                        {"TargetGroupArn": "@rule-target-one", "Weight": 1},
                        {"TargetGroupArn": "@rule-target-two", "Weight": 9},
                    ]
                },
            }
        ],
        "Tags": TAGS,
    },
    changes={
        "Priority": 20,
        "Conditions": [{"Field": "host-header", "HostHeaderConfig": {"Values": ["*.example.com"]}}],
        "Actions": [{"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "503", "MessageBody": "later"}}],
        "Tags": OTHER_TAGS,
    },
    resets={"Tags": ABSENT},
    attributes=("RuleArn",),
    setup=_balancer("rule"),
    deny=("elasticloadbalancing", "DescribeRules"),
    searchable=False,  # its place tells which it is, whoever asks
)


def certified(clients: Clients) -> None:
    """A listener with a certificate of its own, and two more."""
    _balancer("certified")(clients)
    certificate = clients("acm").request_certificate(DomainName="own.example.com")["CertificateArn"]
    made = clients("elbv2").create_listener(
        LoadBalancerArn=TARGETS["@certified-balancer"],
        Port=443,
        Protocol="HTTPS",
        Certificates=[{"CertificateArn": certificate}],
        DefaultActions=[{"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "404"}}],
    )
    TARGETS["@certified-listener"] = made["Listeners"][0]["ListenerArn"]


# Its identifier changes with its certificates: ``test_certificates`` has that.
CERTIFICATES = Case(
    "AWS::ElasticLoadBalancingV2::ListenerCertificate",
    {
        "ListenerArn": "@certified-listener",
        "Certificates": [
            {"CertificateArn": "@certified-certificate-one"},
            {"CertificateArn": "@certified-certificate-two"},
        ],
    },
    attributes=("Id",),
    setup=certified,
    deny=("elasticloadbalancing", "DescribeListenerCertificates"),
)

CASES = (LOAD_BALANCER, TARGET_GROUP, LISTENER, RULE, CERTIFICATES)
