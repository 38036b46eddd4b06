"""AWS::ECR::Repository."""

from __future__ import annotations

import json

from tests.contract.providers_native.cases import ABSENT, OTHER_TAGS, TAGS, Case

RULES = {
    "rules": [
        {
            "rulePriority": 1,
            "selection": {"tagStatus": "untagged", "countType": "imageCountMoreThan", "countNumber": 5},
            "action": {"type": "expire"},
        }
    ]
}
POLICY = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Principal": "*", "Action": "ecr:GetDownloadUrlForLayer"}],
}

REPOSITORY = Case(
    "AWS::ECR::Repository",
    {
        "RepositoryName": "contract/repository",
        "ImageTagMutability": "IMMUTABLE",
        "ImageScanningConfiguration": {"ScanOnPush": True},
        "EncryptionConfiguration": {"EncryptionType": "AES256"},
        "LifecyclePolicy": {"LifecyclePolicyText": json.dumps(RULES)},
        "RepositoryPolicyText": POLICY,
        "EmptyOnDelete": True,
        "Tags": TAGS,
    },
    changes={
        "ImageTagMutability": "MUTABLE",
        "ImageScanningConfiguration": {"ScanOnPush": False},
        "LifecyclePolicy": {"LifecyclePolicyText": json.dumps({"rules": [{**RULES["rules"][0], "rulePriority": 2}]})},
        "RepositoryPolicyText": {**POLICY, "Statement": [{**POLICY["Statement"][0], "Sid": "other"}]},
        "Tags": OTHER_TAGS,
    },
    resets={
        "ImageTagMutability": "MUTABLE",
        "ImageScanningConfiguration": {"ScanOnPush": False},
        "LifecyclePolicy": ABSENT,
        "RepositoryPolicyText": ABSENT,
        "Tags": ABSENT,
    },
    attributes=("Arn", "RepositoryUri"),
    foreign=lambda clients: clients("ecr").create_repository(repositoryName="contract-foreign"),
    deny=("ecr", "DescribeRepositories"),
    name="RepositoryName",
    searchable=False,
)

CASES = (REPOSITORY,)
