"""AWS::Logs::ResourcePolicy."""

from __future__ import annotations

from typing import Any

from tests.contract.providers_native.cases import Case


def _document(action: str) -> dict[str, Any]:
    principal = {"Service": "route53.amazonaws.com"}
    return {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Principal": principal, "Action": action, "Resource": "*"}],
    }


POLICY = Case(
    "AWS::Logs::ResourcePolicy",
    {"PolicyName": "contract-policy", "PolicyDocument": _document("logs:PutLogEvents")},
    changes={"PolicyDocument": _document("logs:CreateLogStream")},
    deny=("logs", "DescribeResourcePolicies"),
)

CASES = (POLICY,)
