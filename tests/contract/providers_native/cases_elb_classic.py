"""Classic load balancers."""

from __future__ import annotations

from tests.contract.providers_native.cases import ABSENT, OTHER_TAGS, TAGS, TARGETS, Case, Clients
from tests.contract.providers_native.cases_elb import network


def _foreign(clients: Clients) -> None:
    listener = {"Protocol": "TCP", "LoadBalancerPort": 80, "InstancePort": 80}
    clients("elb").create_load_balancer(
        LoadBalancerName="contract-foreign", Listeners=[listener], Subnets=[TARGETS["@classic-subnet-a"]]
    )


# Left out, because moto lacks them: an InstanceProtocol of its own, AvailabilityZones without a default VPC.
CLASSIC = Case(
    "AWS::ElasticLoadBalancing::LoadBalancer",
    {
        "LoadBalancerName": "contract-classic",
        "Scheme": "internal",
        "Subnets": ["@classic-subnet-a", "@classic-subnet-b"],
        "SecurityGroups": ["@classic-group-one"],
        "Listeners": [
            {"Protocol": "http", "LoadBalancerPort": "80", "InstancePort": "8080", "PolicyNames": ["sticky"]},
            {"Protocol": "tcp", "LoadBalancerPort": "81", "InstancePort": "8081"},
        ],
        "AppCookieStickinessPolicy": [{"PolicyName": "sticky", "CookieName": "session"}],
        "LBCookieStickinessPolicy": [{"PolicyName": "timed", "CookieExpirationPeriod": "60"}],
        "Policies": [
            {
                "PolicyName": "proxied",
                "PolicyType": "ProxyProtocolPolicyType",
                "Attributes": [{"Name": "ProxyProtocol", "Value": "true"}],
                "InstancePorts": ["8081"],
            }
        ],
        "HealthCheck": {
            "Target": "HTTP:8080/health",
            "Interval": "30",
            "Timeout": "5",
            "HealthyThreshold": "3",
            "UnhealthyThreshold": "2",
        },
        "Instances": ["i-0123456789abcdef0"],
        "CrossZone": True,
        "ConnectionDrainingPolicy": {"Enabled": True, "Timeout": 100},
        "ConnectionSettings": {"IdleTimeout": 90},
        "AccessLoggingPolicy": {"Enabled": True, "S3BucketName": "logs", "S3BucketPrefix": "lb", "EmitInterval": 5},
        "Tags": TAGS,
    },
    changes={
        "Subnets": ["@classic-subnet-b", "@classic-subnet-c"],
        "SecurityGroups": ["@classic-group-two"],
        "AppCookieStickinessPolicy": [{"PolicyName": "sticky", "CookieName": "other"}],
        "LBCookieStickinessPolicy": [{"PolicyName": "timed", "CookieExpirationPeriod": "90"}],
        "Policies": [
            {
                "PolicyName": "proxied",
                "PolicyType": "ProxyProtocolPolicyType",
                "Attributes": [{"Name": "ProxyProtocol", "Value": "false"}],
                "InstancePorts": ["8080"],
            }
        ],
        "Listeners": [
            {"Protocol": "http", "LoadBalancerPort": "80", "InstancePort": "8080", "PolicyNames": ["timed"]},
            {"Protocol": "tcp", "LoadBalancerPort": "82", "InstancePort": "8081"},
        ],
        "HealthCheck": {
            "Target": "TCP:8080",
            "Interval": "20",
            "Timeout": "4",
            "HealthyThreshold": "2",
            "UnhealthyThreshold": "3",
        },
        "Instances": ["i-0123456789abcdef1"],
        "CrossZone": False,
        "ConnectionDrainingPolicy": {"Enabled": True, "Timeout": 200},
        "ConnectionSettings": {"IdleTimeout": 120},
        "AccessLoggingPolicy": {"Enabled": True, "S3BucketName": "logs", "S3BucketPrefix": "other", "EmitInterval": 60},
        "Tags": OTHER_TAGS,
    },
    resets={
        "Policies": ABSENT,
        "LBCookieStickinessPolicy": ABSENT,
        "Instances": ABSENT,
        "CrossZone": False,
        "ConnectionDrainingPolicy": {"Enabled": False},
        "ConnectionSettings": {"IdleTimeout": 60},
        "AccessLoggingPolicy": {"Enabled": False},
        "Tags": ABSENT,
    },
    attributes=("DNSName", "CanonicalHostedZoneName", "SourceSecurityGroup"),
    setup=lambda clients: network(clients, "classic") and None,
    foreign=_foreign,
    deny=("elasticloadbalancing", "DescribeLoadBalancers"),
    name="LoadBalancerName",
    searchable=False,  # moto calls the type otherwise
)

CASES = (CLASSIC,)
