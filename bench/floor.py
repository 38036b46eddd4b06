"""The floor: bare boto3 reads of everything that a diff of the estate needs, batched wherever AWS has a batch call.

No comparison, no policy, no store: what is left of a no-change pass when everything but reading is free.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import boto3
from botocore.config import Config

SERVICES = ("ec2", "s3", "iam", "sqs", "dynamodb", "sns", "logs", "ssm", "sts", "resourcegroupstaggingapi")


class Floor:
    """Clients that are made once, and ``read``, which is measured."""

    def __init__(self, endpoint: str, credentials: dict[str, str], count: int, threads: int) -> None:
        config = Config(max_pool_connections=threads, retries={"total_max_attempts": 1})
        session = boto3.session.Session(region_name="us-east-1", **credentials)
        self._clients = {name: session.client(name, config=config, endpoint_url=endpoint) for name in SERVICES}
        self._count, self._threads = count, threads

    def read(self) -> int:
        """Everything, once; how many resources there were."""
        readers = (
            self._network,
            self._buckets,
            self._roles,
            self._queues,
            self._tables,
            self._topics,
            self._groups,
            self._values,
        )
        self._clients["sts"].get_caller_identity()
        with ThreadPoolExecutor(self._threads) as pool, ThreadPoolExecutor(len(readers)) as lists:
            found = sum(lists.map(lambda reader: reader(pool), readers))
            self._pages("resourcegroupstaggingapi", "get_resources", "ResourceTagMappingList", ResourcesPerPage=100)
        return found

    def _pages(self, service: str, operation: str, key: str, **parameters: Any) -> list[Any]:
        pages = self._clients[service].get_paginator(operation).paginate(**parameters)
        return [item for page in pages for item in page.get(key, [])]

    def _each(self, pool: ThreadPoolExecutor, calls: list[Callable[..., Any]], name: str, values: list[str]) -> int:
        jobs = [pool.submit(call, **{name: value}) for value in values for call in calls]
        for job in jobs:
            job.result()
        return len(values)

    def _network(self, _pool: ThreadPoolExecutor) -> int:
        kinds = (("vpcs", "Vpcs"), ("subnets", "Subnets"), ("security_groups", "SecurityGroups"))
        return sum(len(self._pages("ec2", f"describe_{kind}", key)) for kind, key in kinds)

    def _buckets(self, pool: ThreadPoolExecutor) -> int:
        s3 = self._clients["s3"]
        names = [bucket["Name"] for bucket in s3.list_buckets()["Buckets"]]
        calls = [s3.get_bucket_versioning, s3.get_bucket_tagging, s3.get_bucket_encryption]
        return self._each(pool, calls, "Bucket", names)

    def _roles(self, _pool: ThreadPoolExecutor) -> int:
        size = {"PageSize": 1000}
        operation, key = "get_account_authorization_details", "RoleDetailList"
        return len(self._pages("iam", operation, key, Filter=["Role"], PaginationConfig=size))

    def _queues(self, pool: ThreadPoolExecutor) -> int:
        sqs = self._clients["sqs"]
        urls = self._pages("sqs", "list_queues", "QueueUrls", PaginationConfig={"PageSize": 1000})

        def attributes(QueueUrl: str) -> Any:  # noqa: N803 - boto3's own parameter name
            return sqs.get_queue_attributes(QueueUrl=QueueUrl, AttributeNames=["All"])

        return self._each(pool, [attributes], "QueueUrl", urls)

    def _tables(self, pool: ThreadPoolExecutor) -> int:
        names = self._pages("dynamodb", "list_tables", "TableNames")
        return self._each(pool, [self._clients["dynamodb"].describe_table], "TableName", names)

    def _topics(self, pool: ThreadPoolExecutor) -> int:
        arns = [topic["TopicArn"] for topic in self._pages("sns", "list_topics", "Topics")]
        return self._each(pool, [self._clients["sns"].get_topic_attributes], "TopicArn", arns)

    def _groups(self, _pool: ThreadPoolExecutor) -> int:
        return len(self._pages("logs", "describe_log_groups", "logGroups", PaginationConfig={"PageSize": 50}))

    def _values(self, pool: ThreadPoolExecutor) -> int:
        names = [f"/bench/p{index}" for index in range(self._count // 10)]
        batches = [names[start : start + 10] for start in range(0, len(names), 10)]
        list(pool.map(lambda batch: self._clients["ssm"].get_parameters(Names=batch), batches))
        return len(names)
