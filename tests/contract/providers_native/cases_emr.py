"""AWS::EMR."""

from __future__ import annotations

import json

from tests.contract.providers_native.cases import Case

SECURITY_CONFIGURATION = Case(
    "AWS::EMR::SecurityConfiguration",
    {
        "Name": "contract-security",
        "SecurityConfiguration": json.dumps(
            {"EncryptionConfiguration": {"EnableInTransitEncryption": False, "EnableAtRestEncryption": False}}
        ),
    },
    deny=("elasticmapreduce", "DescribeSecurityConfiguration"),
)

CASES = (SECURITY_CONFIGURATION,)
