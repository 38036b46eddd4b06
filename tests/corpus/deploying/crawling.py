"""What lives in an account, as AWS's own describe calls tell it: nothing here knows a resource type or a provider.

Every operation of a service that only reads (by its name) is called: first those that need no parameter, then those
whose required parameters can be taken from answers so far (``GetRolePolicy`` from ``ListRoles`` and
``ListRolePolicies``), until nothing new can be asked. botocore's models say what there is to ask.
"""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError
from botocore.model import OperationModel, Shape, StringShape
from botocore.parsers import ResponseParserError

#: (service:Operation, parameters as JSON) → the answer
World = dict[tuple[str, str], Any]

_READS = re.compile(r"^(Describe|Get|List)")
#: catalogues, secrets, contents, and what changes by being asked for
_NOT_ASKED = re.compile(
    r"^ec2:(DescribeInstanceType|DescribeImage|DescribeSnapshotTier|DescribeRegions|DescribeSpot|DescribeReserved|DescribeAvailability"
    r"|DescribePrefixLists|DescribeManagedPrefixLists|DescribeVpcEndpointServices|DescribeHosts|GetPasswordData"
    r"|DescribeVpcs?EndpointServiceNames|GetConsole|DescribeSnapshots|GetInstanceUefi)"
    r"|^rds:(DescribeDBEngine|DescribeOrderable|DescribeEngineDefault|DescribeDBClusterParameters|DescribeDBParameters)"
    r"|^iam:(GetAccountAuthorization|GetCredentialReport|ListPoliciesGranting|GetContextKeys|GetOrganizations"
    r"|GetServiceLastAccessed|GenerateService|ListEntitiesForPolicy|GetAccessKeyLastUsed)"
    r"|^(s3:(GetObject|ListDirectory|GetBucketLocation|ListMultipart|ListParts|ListObjectAnno))|^ssm:(DescribeAvailable|GetDocument)"
    r"|^kinesis:(GetRecords|GetShardIterator)|^ecr:(GetAuthorization|GetDownload)|^kms:(GetParametersForImport)"
    r"|^lambda:(ListLayers)|^emr:(ListReleaseLabels|ListSupported)|^secretsmanager:(GetRandom)"
    r"|^logs:(GetLogEvents|GetQuery)|^dynamodb:(GetItem|BatchGet)|^elasticache:(DescribeCacheEngine)"
    r"|^elb:(DescribeLoadBalancerPolicyTypes)|^elbv2:(DescribeSSLPolicies)|^(cloudformation|sts):"
)
#: of EC2's 160 only those about what CloudFormation makes in moto
_EC2 = re.compile(
    r"Vpc|Subnet|RouteTable|Gateway|Address|SecurityGroup|NetworkInterface|NetworkAcl|Instances|InstanceAttribute|Volume"
    r"|LaunchTemplate|KeyPair|DhcpOptions|FlowLogs|SpotFleet|PrefixList|InstanceProfile|VpnConn|Tags"
)
#: what narrows a listing to what is the account's own
_NARROWED: Mapping[str, Mapping[str, Any]] = {
    "iam:ListPolicies": {"Scope": "Local"},
    "ec2:DescribeSnapshots": {"OwnerIds": ["self"]},
    "sqs:GetQueueAttributes": {"AttributeNames": ["All"]},
    "kms:GetKeyPolicy": {"PolicyName": "default"},
}
#: more calls of one operation than this tell nothing new
_MOST = 60
_ARN_WORDS = ("arn", "resourcearn", "resource", "resourceid", "resourceidentifier", "resourcename")


@dataclass(frozen=True, slots=True)
class Question:
    """One operation, and the names of what it must be given."""

    service: str
    operation: str
    method: str
    required: tuple[str, ...]
    lists: frozenset[str]
    enums: Mapping[str, tuple[str, ...]]

    @property
    def name(self) -> str:
        return f"{self.service}:{self.operation}"


@dataclass(slots=True)
class _Found:
    """The answers so far, and what further questions can be made of."""

    world: World = field(default_factory=dict)
    #: bindings: sets of (plain name → value) that belong together
    records: dict[str, dict[str, Any]] = field(default_factory=dict)
    arns: dict[str, None] = field(default_factory=dict)


#: operations that the emulator hasn't got, and the services of which that is known; asking once a process is enough
_MISSING: set[str] = set()
_KNOWN: set[str] = set()


def learn(clients: Any, services: frozenset[str]) -> None:
    """Find out what the emulator lacks, in an empty account: where something is, it may crash for other reasons."""
    for service in sorted(services - _KNOWN):
        _KNOWN.add(service)
        client = clients(service)
        alone = [one for one in questions(service) if not one.required]
        _MISSING.update(one.name for one in alone if _ask(client, one, {}) is None)


def crawl(clients: Any, services: frozenset[str], only: frozenset[str] = frozenset()) -> World:
    """Everything that the services tell. ``clients``: a client for a service's name, its calls not retried.

    ``only``: the operations to ask; without any, all.
    """
    found: World = {}
    for service in sorted(services):
        chosen = [one for one in questions(service) if not only or one.name in only]
        if chosen:
            found.update(_service(clients(service), chosen))
    return found


def _service(client: Any, chosen: Sequence[Question]) -> World:
    found = _Found()
    asked: set[tuple[str, str]] = set()
    counts: dict[str, int] = {}
    for _round in range(4):
        new = False
        for question in chosen:
            if question.name in _MISSING:
                continue
            for parameters in list(_parameters(question, found)):
                key = (question.name, json.dumps(parameters, sort_keys=True, default=str))
                if key in asked or counts.get(question.name, 0) >= _MOST:
                    continue
                asked.add(key)
                counts[question.name] = counts.get(question.name, 0) + 1
                answer = _ask(client, question, parameters)
                if answer is None:
                    continue
                new = True
                found.world[key] = answer
                _note(found, answer, parameters)
        if not new:
            break
    return found.world


def _ask(client: Any, question: Question, parameters: Mapping[str, Any]) -> Any:
    """The answer, an error's code, or None where the emulator doesn't know the operation."""
    more = _NARROWED.get(question.name, {})
    try:
        answer = getattr(client, question.method)(**parameters, **more)
    except ClientError as error:
        code = str(error.response["Error"]["Code"])
        return None if code in ("500", "501", "404") and not parameters else f"error {code}"
    except (BotoCoreError, ResponseParserError):  # a page of HTML where an answer should be
        return "error unreadable" if parameters else None
    return _plain(answer)


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        kept = {str(key): _plain(item) for key, item in value.items() if key not in ("ResponseMetadata",)}
        return {key: item for key, item in kept.items() if not re.match(r"(?i)^(next_?token|next_?marker)$", key)}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, str | int | float | bool | None):
        return value
    if isinstance(value, datetime):
        return "‹time›"
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    return f"‹{type(value).__name__}›"


# what can be asked


@cache
def questions(service: str) -> tuple[Question, ...]:
    """The reading operations of a service, those that need nothing first."""
    from botocore.session import Session

    model = Session().get_service_model(service)
    from botocore import xform_name

    found = []
    for name in model.operation_names:
        if service == "ec2" and not _EC2.search(name):
            continue
        if _READS.match(name) and not _NOT_ASKED.search(f"{service}:{name}"):
            operation: OperationModel = model.operation_model(name)
            shape: Any = operation.input_shape
            members: Mapping[str, Shape] = shape.members if shape is not None else {}
            required = tuple(shape.required_members) if shape is not None else ()
            lists = frozenset(one for one in required if members[one].type_name == "list")
            enums = {
                one: tuple(members[one].enum)
                for one in required
                if isinstance(members[one], StringShape) and members[one].enum
            }
            if all(members[one].type_name in ("string", "list") for one in required):
                found.append(Question(service, name, xform_name(name), required, lists, enums))
    return tuple(sorted(found, key=lambda one: (len(one.required), one.operation)))


def _parameters(question: Question, found: _Found) -> Iterator[dict[str, Any]]:
    if not question.required:
        yield {}
        return
    words = [_word(name) for name in question.required if name not in question.enums]
    if len(words) == 1 and words[0] in _ARN_WORDS:
        for arn in found.arns:
            yield from _spelled(question, {words[0]: arn})
        return
    for record in list(found.records.values()):
        values = {word: _value(record, word, question) for word in words}
        if all(value is not None for value in values.values()):
            yield from _spelled(question, values)


def _spelled(question: Question, values: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    free = [name for name in question.required if name in question.enums]
    for choice in itertools.product(*(question.enums[name] for name in free)):
        parameters: dict[str, Any] = dict(zip(free, choice, strict=True))
        for name in question.required:
            if name not in question.enums:
                value = values[_word(name)]
                parameters[name] = [value] if name in question.lists else value
        yield parameters


def _value(record: Mapping[str, Any], word: str, question: Question) -> Any:
    for candidate in (word, word.removesuffix("s"), f"{word}name", f"{word.removesuffix('s')}arn", f"{word}id"):
        if candidate in record:
            return record[candidate]
    return None


# what answers give


def _note(found: _Found, answer: Any, parameters: Mapping[str, Any]) -> None:
    given = {_word(name): value for name, value in parameters.items() if isinstance(value, str)}
    _walk(found, answer, given, "")


def _walk(found: _Found, value: Any, outer: Mapping[str, Any], name: str) -> None:
    if isinstance(value, Mapping):
        inner = {**outer, **_bindings(found, value, name)}
        _keep(found, inner)
        below = {key: item for key, item in inner.items() if key not in ("name", "id", "arn")}
        for key, item in value.items():
            if isinstance(item, Mapping | list):
                _walk(found, item, below, _word(key))
    elif isinstance(value, list):
        singular = name.removesuffix("s")
        for item in value:
            if isinstance(item, str) and item:
                _keep(found, {**outer, **_bindings(found, {singular: item}, "")})
            else:
                _walk(found, item, outer, singular)


def _bindings(found: _Found, value: Mapping[str, Any], name: str) -> dict[str, Any]:
    """What an object says by plain names: ``Name`` in a list of ``Buckets`` is a ``bucketname``, and a ``bucket``."""
    bound: dict[str, Any] = {}
    for key, item in value.items():
        if not isinstance(item, str) or not item or len(item) > 300:
            continue
        bound[_word(key)] = item
        if item.startswith("arn:"):
            found.arns.setdefault(item)
        if _word(key) in ("name", "id", "arn", "url") and name:
            bound[f"{name}{_word(key)}"] = item
            bound.setdefault(name, item)
    return bound


def _keep(found: _Found, record: dict[str, Any]) -> None:
    if record and len(found.records) < 4000:
        found.records.setdefault(json.dumps(record, sort_keys=True), record)


def _word(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name.lower())
