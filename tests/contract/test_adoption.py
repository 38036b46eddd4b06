"""Every type with a native provider: what a provider has made, an import takes as it is, with nothing to change."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest

from reconciler.adoption.checking import valid_text
from reconciler.adoption.document import Head
from reconciler.adoption.finding import Finder
from reconciler.adoption.found import Draft, Guess, Subject
from reconciler.adoption.properties import plan_properties
from reconciler.adoption.references import with_references
from reconciler.clock import SystemClock
from reconciler.live.compare import compare
from reconciler.model.ids import Identifier, LogicalId, TypeName
from reconciler.model.plan import Target
from reconciler.model.resource import Observation
from reconciler.ports import Scope
from reconciler.providers.access import Access, AccessSettings
from reconciler.providers.budget import BudgetSettings
from reconciler.providers.registry import Registry
from reconciler.providers.sessions import ConnectionSettings
from reconciler.schema import schema_for
from reconciler.testing.localaws import LocalAws
from reconciler.testing.memory import FakeClock, SilentTelemetry
from tests.contract.providers_ec2 import cases as providers_ec2
from tests.contract.providers_native import collected
from tests.contract.providers_native.cases import resolved
from tests.contract.providers_native.hands import ACCOUNT, REGION, Hands, owned, owner


def type_of(case: Any) -> str:
    return str(getattr(case, "type", "") or case.type_name)


#: the first case of every type in the providers' contracts
CASES = list({type_of(case): case for case in reversed([*providers_ec2.CASES, *collected.CASES])}.values())[::-1]
#: what has to be given for these is never shown, so that somebody must fill it in
NEEDS_A_PERSON = {"AWS::EC2::LaunchTemplate", "AWS::Lambda::Function", "AWS::Lambda::LayerVersion"}
#: types of which something gives way, with a comment, because the schema refuses it as it is shown: what is nothing
#: without a secret, and values that only an emulator has
GIVE_WAY = {"AWS::IAM::User", "AWS::RDS::DBCluster", "AWS::RDS::DBInstance"}
TARGET = Target("sandbox", ACCOUNT, REGION)


@dataclass
class Bench:
    """Scopes, and what has been imported so far: it goes into one plan at the end."""

    aws: LocalAws
    writer: Scope
    reader: Scope
    drafts: list[Draft] = field(default_factory=list)
    live: dict[LogicalId, Observation] = field(default_factory=dict)

    def client(self, service: str) -> Any:
        return self.aws.client(service, account=ACCOUNT, region=REGION)


@pytest.fixture(scope="module")
def bench() -> Iterator[Bench]:
    with LocalAws() as aws:
        settings = AccessSettings(
            connection=ConnectionSettings(endpoint_url=aws.endpoint, credentials=(aws.access_key, aws.secret_key)),
            role_pattern="arn:aws:iam::{account}:role/reconciler",
            budget=BudgetSettings(rate=100_000),
        )
        access = Access(FakeClock(), SilentTelemetry(), settings)
        yield Bench(aws, access.open(TARGET, read_only=False), access.open(TARGET, read_only=True))
        access.close()


def made(bench: Bench, case: Any) -> tuple[str, Identifier]:
    """The type, and what its provider made of everything that the contract says of it."""
    if hasattr(case, "build"):
        desired, type_name = case.build(bench.client("ec2")), case.type_name
    else:
        case.setup(bench.client)
        desired, type_name = resolved(case.desired), case.type
    for name, tags in desired.items():
        if name.endswith("Tags") and isinstance(tags, list):  # an empty value is none to the schemas of some services
            desired = {**desired, name: [{**tag, "Value": tag["Value"] or "test"} for tag in tags]}
    return type_name, Hands(bench.writer, type_name).create(owned(desired, owner("Thing"), type_name))


@pytest.mark.parametrize("case", CASES, ids=type_of)
def test_what_a_provider_made_is_imported_as_it_is(bench: Bench, case: Any) -> None:
    type_name, identifier = made(bench, case)
    found = Finder(bench.reader, Registry()).find([Subject("it", (Guess(TypeName(type_name), identifier),))])
    assert found.left == ()
    (taken,) = found.taken
    assert taken.live.identifier == identifier
    schema, provider = schema_for(type_name, REGION), Registry().get(TypeName(type_name))
    assert schema is not None
    assert provider is not None
    properties, gaps = plan_properties(schema, provider.supported, taken.live.properties)
    assert compare(schema, properties, taken.live.properties) == ()
    assert not any((name,) in schema.read_only for name in properties)
    assert {gap.pointer.split("/")[1] for gap in gaps} <= {path[0] for path in schema.write_only}
    # All that was asked for is there again: set in the plan, at AWS's default, or never shown.
    wanted = case.desired if hasattr(case, "desired") else {}
    hidden = {path[0] for path in schema.write_only}
    lost = {name: value for name, value in resolved(wanted).items() if name not in hidden and name not in properties}
    assert compare(schema, lost, taken.live.properties) == ()
    name = LogicalId(type_name.replace("AWS::", "").replace("::", ""))
    bench.drafts.append(Draft(name, TypeName(type_name), identifier, properties, gaps))
    bench.live[name] = taken.live


def test_all_of_it_in_one_plan_is_valid(bench: Bench) -> None:
    """Runs after the others: every native type beside every other, with the references between them."""
    told = {type_of(case) for case in CASES} - NEEDS_A_PERSON
    drafts = with_references([draft for draft in bench.drafts if draft.type in told], bench.live, REGION)
    head = Head("everything", "alice@example.com", TARGET, "the contract")
    _, kept, problems = valid_text(head, drafts, (), SystemClock())
    assert not problems, "\n".join(map(str, problems))
    assert {draft.type for draft in kept} == told
    refused = {draft.type for draft in kept for gap in draft.gaps if "refuses" in gap.why}
    assert refused - GIVE_WAY == set()
