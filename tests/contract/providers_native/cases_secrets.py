"""AWS::SecretsManager::Secret."""

from __future__ import annotations

from tests.contract.providers_native.cases import ABSENT, OTHER_TAGS, TAGS, Case

# moto takes no description back, and shows no Type.
SECRET = Case(
    "AWS::SecretsManager::Secret",
    {
        "Name": "contract/secret",
        "Description": "as wanted",
        "KmsKeyId": "alias/mine",
        "SecretString": "a-quiet-word",
        "ReplicaRegions": [{"Region": "eu-west-1"}],
        "Tags": TAGS,
    },
    changes={
        "Description": "otherwise",
        "KmsKeyId": "alias/other",
        "SecretString": "another-word",
        "ReplicaRegions": [{"Region": "eu-west-2"}, {"Region": "eu-west-3"}],
        "Tags": OTHER_TAGS,
    },
    # Not the tags: without its owner's the next test's secret of that name would be somebody else's, for 30 days.
    resets={"ReplicaRegions": ABSENT},
    attributes=("Id",),
    foreign=lambda clients: clients("secretsmanager").create_secret(Name="contract-foreign", SecretString="x"),
    deny=("secretsmanager", "DescribeSecret"),
    name="Name",
)

CASES = (SECRET,)
