"""The quota behind an error: named, with its value where Service Quotas tells, and never a reason to fail."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from reconciler.model.errors import AwsFault, FaultKind
from reconciler.providers.quotas import quota_of


class Counter:
    """A scope in which Service Quotas answers as told."""

    account, partition = "111122223333", "aws"

    def __init__(self, answer: Mapping[str, Any] | Exception, region: str = "eu-central-1") -> None:
        self.answer, self.region = answer, region
        self.asked: list[tuple[str, dict[str, Any]]] = []

    def call(self, service: str, operation: str, /, **parameters: Any) -> Mapping[str, Any]:
        assert service == "service-quotas"
        self.asked.append((operation, parameters))
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer

    def pages(self, service: str, operation: str, key: str, /, **parameters: Any) -> list[Any]:
        return list(self.call(service, operation, **parameters)[key])


VPCS = {"ServiceCode": "vpc", "QuotaCode": "L-F678F1CE", "QuotaName": "VPCs per Region", "Value": 5.0}


def quota(scope: Counter, code: str, message: str = "no", service: str = "", operation: str = "") -> Mapping[str, str]:
    fault = AwsFault(FaultKind.QUOTA, message, service=service, operation=operation, code=code)
    return quota_of(scope, fault)  # type: ignore[arg-type]  # as much of a scope as is asked


def test_a_quota_has_name_value_code_and_a_page_to_raise_it() -> None:
    scope = Counter({"Quota": VPCS})
    assert quota(scope, "VpcLimitExceeded") == {
        "name": "VPCs per Region",
        "value": "5",
        "code": "L-F678F1CE",
        "service": "vpc",
        "region": "eu-central-1",
        "url": "https://eu-central-1.console.aws.amazon.com/servicequotas/home/services/vpc/quotas/L-F678F1CE",
    }
    assert scope.asked == [("get_service_quota", {"ServiceCode": "vpc", "QuotaCode": "L-F678F1CE"})]


@pytest.mark.parametrize(
    "answer",
    [AwsFault(FaultKind.ACCESS_DENIED, "no"), AwsFault(FaultKind.INTERNAL, "not implemented"), {"Quota": {}}, {}],
)
def test_what_service_quotas_will_not_tell_is_left_out(answer: Any) -> None:
    found = quota(Counter(answer), "AddressLimitExceeded")
    assert (found["name"], found["code"], found.get("value")) == ("EC2-VPC Elastic IPs", "L-0263D0A3", None)


def test_a_global_quota_is_asked_for_in_its_home_region_only() -> None:
    away = Counter({"Quota": {}})
    found = quota(away, "LimitExceeded", "Cannot exceed quota for RolesPerAccount: 1000", "iam", "CreateRole")
    assert away.asked == []
    assert (found["code"], found["region"], found["value"]) == ("L-FE177D64", "us-east-1", "1000")
    assert quota(Counter({"Quota": VPCS}, "us-east-1"), "LimitExceeded", "no", "iam", "CreateRole")["value"] == "5"


def test_the_call_is_found_in_the_text_of_a_step_too() -> None:
    text = "sns:CreateTopic: LimitExceededException: too many"
    assert quota(Counter({}), "LimitExceededException", text)["code"] == "L-61103206"


def test_a_quota_without_a_known_code_is_found_by_its_name() -> None:
    listed = {"Quotas": [VPCS, {"ServiceCode": "logs", "QuotaCode": "L-X", "QuotaName": "Log groups", "Value": 1e6}]}
    found = quota(Counter(listed), "LimitExceededException", "no", "logs", "CreateLogGroup")
    assert (found["code"], found["value"]) == ("L-X", "1000000")


def test_an_unknown_limit_is_nothing() -> None:
    scope = Counter({})
    assert quota(scope, "SomethingLimitExceeded", "no", "glue", "CreateJob") == {}
    assert scope.asked == []
