"""A thousand resources fold and resolve in a small part of a second of this process's time."""

from __future__ import annotations

import time

from reconciler.template import resolve
from tests.unit.template._template import Live, load


def test_a_thousand_resources() -> None:
    group = {
        "Type": "AWS::EC2::SecurityGroup",
        "Properties": {
            "VpcId": {"Ref": "Vpc"},
            "GroupDescription": {"Fn::Sub": "${AWS::StackName} in ${Vpc}"},
            "SecurityGroupIngress": [{"IpProtocol": "tcp", "FromPort": n, "CidrIp": "10.0.0.0/8"} for n in range(5)],
        },
    }
    document = {"Resources": {"Vpc": {"Type": "AWS::EC2::VPC"}, **{f"Group{n}": group for n in range(1000)}}}
    started = time.process_time()
    loaded = load(document)
    live = Live(references={"Vpc": "vpc-1"})
    resolved = [resolve(resource.properties, live) for resource in loaded.resources.values()]
    assert time.process_time() - started < 3.0, "about 0.1 s on an idle core"
    assert resolved[500]["GroupDescription"] == "shop in vpc-1"
