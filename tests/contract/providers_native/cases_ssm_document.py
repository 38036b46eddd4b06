"""AWS::SSM::Document."""

from __future__ import annotations

import json
from typing import Any

from tests.contract.providers_native.cases import ABSENT, OTHER_TAGS, TAGS, Case


def _content(text: str) -> dict[str, Any]:
    step = {"action": "aws:runShellScript", "name": "say", "inputs": {"runCommand": [f"echo {text}"]}}
    return {"schemaVersion": "2.2", "description": "says something", "mainSteps": [step]}


# moto answers neither Requires nor Attachments.
DOCUMENT = Case(
    "AWS::SSM::Document",
    {
        "Name": "contract-document",
        "Content": _content("one"),
        "DocumentFormat": "JSON",
        "DocumentType": "Command",
        "TargetType": "/AWS::EC2::Instance",
        "UpdateMethod": "NewVersion",
        "Tags": TAGS,
    },
    changes={"Content": _content("two"), "Tags": OTHER_TAGS},
    resets={"Tags": ABSENT},
    foreign=lambda clients: clients("ssm").create_document(
        Name="contract-foreign", DocumentType="Command", Content=json.dumps(_content("theirs"))
    ),
    deny=("ssm", "DescribeDocument"),
    name="Name",
    searchable=False,
)

#: No two versions may have the same name, so that it is only ever changed together with the content.
NAMED_VERSION = Case(
    "AWS::SSM::Document",
    {
        "Name": "contract-version",
        "Content": _content("one"),
        "DocumentType": "Command",
        "VersionName": "first",
        "Tags": TAGS,
    },
    changes={"Tags": OTHER_TAGS},
    deny=("ssm", "DescribeDocument"),
    name="Name",
    searchable=False,
    label="DocumentVersion",
)

CASES = (DOCUMENT, NAMED_VERSION)
