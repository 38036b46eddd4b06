"""Creating resources by a pass against bare boto3, side by side in one process: client CPU and calls.

    python bench/create.py [--resources 1000] [--threads 8]

Each creates the same estate in an emulator of its own, and has made ten resources before, so that no client is new.
Bare boto3 only makes the calls; a pass looks before each step and after it, journals, and remembers. Prints both and
their ratios; exits 1 when a ratio is over its limit.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from estate import INLINE, TRUST, plan, plans
from rig import Figures, application, credentials, servers

from reconciler.model.ids import PlanName
from reconciler.model.report import PlanState
from reconciler.status.logs import configure
from reconciler.testing.outsiders import outsider

CPU_LIMIT, CALL_LIMIT = 1.5, 1.3
SERVICES = ("ec2", "s3", "iam", "sqs", "dynamodb", "sns", "logs", "ssm")
TAGS = [{"Key": "bench", "Value": "1"}]


class Bare:
    """The calls that the estate takes, with its tags, and nothing else. ``calls`` counts them."""

    def __init__(self, endpoint: str, keys: dict[str, str], threads: int) -> None:
        import boto3
        from botocore.config import Config

        config = Config(max_pool_connections=threads, read_timeout=120, retries={"total_max_attempts": 1})
        with outsider():
            session = boto3.session.Session(region_name="us-east-1", **keys)
            self._clients = {name: session.client(name, config=config, endpoint_url=endpoint) for name in SERVICES}
        self.calls = 0
        for client in self._clients.values():
            client.meta.events.register("before-call", self._count)
        self._threads = threads

    def create(self, indexes: range) -> None:
        """Ten resources an index, type by type."""
        base = self._clients["ec2"].create_vpc(CidrBlock="172.16.0.0/16")["Vpc"]["VpcId"]
        makers: tuple[Callable[[int], Any], ...] = (
            lambda index: self._vpc(index) if index > indexes.start else None,
            lambda index: self._subnet(base, index),
            lambda index: self._group(base, index),
            self._bucket,
            self._role,
            self._simple,
        )
        with ThreadPoolExecutor(self._threads) as pool:
            for maker in makers:
                list(pool.map(maker, indexes))

    def _count(self, **_event: Any) -> None:
        self.calls += 1

    def _vpc(self, index: int) -> None:
        tags = [{"ResourceType": "vpc", "Tags": TAGS}]
        self._clients["ec2"].create_vpc(CidrBlock=f"10.{index // 256}.{index % 256}.0/24", TagSpecifications=tags)

    def _subnet(self, base: str, index: int) -> None:
        cidr, tags = f"172.16.{index // 16}.{index % 16 * 16}/28", [{"ResourceType": "subnet", "Tags": TAGS}]
        self._clients["ec2"].create_subnet(
            VpcId=base, CidrBlock=cidr, AvailabilityZone="us-east-1a", TagSpecifications=tags
        )

    def _group(self, base: str, index: int) -> None:
        ec2, tags = self._clients["ec2"], [{"ResourceType": "security-group", "Tags": TAGS}]
        made = ec2.create_security_group(
            GroupName=f"bench-{index}", Description="bench", VpcId=base, TagSpecifications=tags
        )
        rules = [
            {"IpProtocol": "tcp", "FromPort": port, "ToPort": port, "IpRanges": [{"CidrIp": "10.0.0.0/8"}]}
            for port in (80, 443, 8080)
        ]
        ec2.authorize_security_group_ingress(GroupId=made["GroupId"], IpPermissions=rules)

    def _bucket(self, index: int) -> None:
        s3, name = self._clients["s3"], f"bench-{index}"
        s3.create_bucket(Bucket=name)
        s3.put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": "Enabled"})
        s3.put_bucket_tagging(Bucket=name, Tagging={"TagSet": TAGS})
        rule = {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}}
        s3.put_bucket_encryption(Bucket=name, ServerSideEncryptionConfiguration={"Rules": [rule]})

    def _role(self, index: int) -> None:
        iam, name = self._clients["iam"], f"bench-{index}"
        iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(TRUST), Tags=TAGS)
        iam.put_role_policy(RoleName=name, PolicyName="p", PolicyDocument=json.dumps(INLINE))

    def _simple(self, index: int) -> None:
        name, clients = f"bench-{index}", self._clients
        clients["sqs"].create_queue(QueueName=name, tags={"bench": "1"})
        clients["dynamodb"].create_table(
            TableName=name,
            BillingMode="PAY_PER_REQUEST",
            KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
            Tags=TAGS,
        )
        clients["sns"].create_topic(Name=name, Tags=TAGS)
        clients["logs"].create_log_group(logGroupName=f"/bench/{index}", tags={"bench": "1"})
        clients["logs"].put_retention_policy(logGroupName=f"/bench/{index}", retentionInDays=7)
        clients["ssm"].put_parameter(Name=f"/bench/p{index}", Type="String", Value="v", Tags=TAGS)


def bare(count: int, threads: int) -> Figures:
    with servers(0) as (upstream, _replayed):
        maker = Bare(upstream, credentials(upstream), threads)
        maker.create(range(count // 10, count // 10 + 1))  # warms up
        return _taken(lambda: maker.create(range(count // 10)), lambda: maker.calls)


def by_pass(count: int, threads: int) -> Figures:
    with servers(0) as (upstream, _replayed), tempfile.TemporaryDirectory() as name:
        desired = Path(name, "desired")
        desired.mkdir()
        desired.joinpath("bench-0.json").write_text(plans(count)["bench-0"])
        desired.joinpath("warm.json").write_text(plan("warm", range(count // 10, count // 10 + 1)))
        app = application(Path(name), upstream, threads)
        one_pass(app, "warm")
        figures = _taken(lambda: one_pass(app, "bench-0"), lambda: calls_of(app))
        app.close()
        return figures


def one_pass(app: Any, name: str) -> None:
    report = app.cycle.run(app.source.load().plans[PlanName(name)], (), "bench")
    if report.state is not PlanState.IN_SYNC:
        raise SystemExit(f"the estate could not be created: {report.message}")


def _taken(call: Callable[[], Any], calls: Callable[[], int]) -> Figures:
    before, cpu, wall = calls(), time.process_time(), time.perf_counter()
    call()
    return Figures(time.process_time() - cpu, calls() - before, time.perf_counter() - wall)


def calls_of(app: Any) -> int:
    families = app.metrics.registry.collect()
    samples = [sample for family in families for sample in family.samples]
    return int(sum(sample.value for sample in samples if sample.name == "reconciler_aws_calls_total"))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--resources", type=int, default=1000)
    parser.add_argument("--threads", type=int, default=8)
    options = parser.parse_args()
    os.environ |= {"AWS_ACCESS_KEY_ID": "AKIALOCALAWS00000000", "AWS_SECRET_ACCESS_KEY": "local"}
    configure("error", "console")
    rows = [("bare boto3", bare(options.resources, options.threads))]
    rows.append(("a pass", by_pass(options.resources, options.threads)))
    print(f"creating {options.resources} resources    client CPU s    calls   wall s")
    for label, taken in rows:
        print(f"{label:28}{taken.cpu:13.3f}{taken.calls:9}{taken.wall:9.1f}")
    theirs, ours = rows[0][1], rows[1][1]
    cpu, calls = ours.cpu / theirs.cpu, ours.calls / theirs.calls
    print(f"ratio{'':23}{cpu:13.2f}{calls:9.2f}   limits {CPU_LIMIT} and {CALL_LIMIT}")
    return 1 if cpu > CPU_LIMIT or calls > CALL_LIMIT else 0


if __name__ == "__main__":
    sys.exit(main())
