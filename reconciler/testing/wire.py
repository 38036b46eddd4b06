"""Reading AWS requests off the wire: who asks which service for what, and how that service words an error.

Used by ``LocalAws``. It knows nothing of the program under test, so that it can be the judge of it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any
from urllib.parse import parse_qs, unquote
from xml.sax.saxutils import escape

_CREDENTIAL = re.compile(r"(?:Credential=)?([A-Z0-9]{12,128})/\d{8}/([^/]+)/([^/]+)/aws4_request")
_ACTION = re.compile(rb"(?:^|&)Action=([A-Za-z0-9]+)")
_READ = re.compile(
    r"^(Describe|Get|List|Head|Lookup|Search|Query$|Scan$|Select|BatchGet|TransactGet|Filter|Preview|Validate|Estimate"
    r"|Simulate|Decode|AssumeRole|Detect|Test|ReceiveMessage$|Verify|Encrypt$|Decrypt$|ReEncrypt$|GenerateData|Sign$|Check)"
)


@dataclass(frozen=True, slots=True)
class Call:
    """One request that reached the server.

    ``status`` is the HTTP status of the answer, 0 when it was cut off; ``answered`` the length of its body in bytes.
    """

    account: str
    service: str
    operation: str
    region: str
    access_key: str
    body: bytes
    user_agent: str = ""
    status: int = 0
    answered: int = 0

    @property
    def name(self) -> str:
        """``ec2:CreateVpc``."""
        return f"{self.service}:{self.operation}"

    @property
    def mutating(self) -> bool:
        """Whether the operation changes anything, judged by its name."""
        return not _READ.match(self.operation)


@dataclass(frozen=True, slots=True)
class _Rest:
    """How one operation of a REST service looks: method, path pattern, query keys that must be there."""

    operation: str
    method: str
    path: re.Pattern[str]
    query: frozenset[str]
    weight: tuple[int, int]


def parse(environ: Mapping[str, Any], body: bytes) -> Call:
    """The call that a WSGI request makes; unknown parts are ``?``."""
    query = environ.get("QUERY_STRING", "")
    credential = environ.get("HTTP_AUTHORIZATION", "") or unquote(query)
    found = _CREDENTIAL.search(credential)
    access_key, region, service = found.groups() if found else ("?", "?", "?")
    return Call(
        account=account_of(access_key),
        service=service,
        operation=_operation(service, environ, query, body),
        region=region,
        access_key=access_key,
        body=body,
        user_agent=environ.get("HTTP_USER_AGENT", ""),
    )


def account_of(access_key: str) -> str:
    """The account that an access key belongs to, as moto sees it."""
    from moto.iam.models import get_account_id_from

    return str(get_account_id_from(access_key))


def role_of(call: Call) -> str:
    """The name of the role that a call was made with; empty if that isn't known."""
    from moto.sts.models import sts_backends

    for backend in list(sts_backends[call.account].values()):
        assumed = backend.get_assumed_role_from_access_key(call.access_key)
        if assumed is not None:
            return str(assumed.role_arn).rpartition("/")[2]
    return ""


def _operation(service: str, environ: Mapping[str, Any], query: str, body: bytes) -> str:
    target = str(environ.get("HTTP_X_AMZ_TARGET", "")).rpartition(".")[2]
    if target:
        return target
    action = _ACTION.search(body) or _ACTION.search(query.encode())
    if action:
        return action[1].decode()
    method, path = str(environ["REQUEST_METHOD"]), str(environ["PATH_INFO"])
    keys = set(parse_qs(query, keep_blank_values=True))
    pairs = {f"{key}={values[0]}" for key, values in parse_qs(query, keep_blank_values=True).items()}
    for shape in _rest_operations(service):
        if shape.method == method and shape.query <= (keys | pairs) and shape.path.fullmatch(path):
            return shape.operation
    return f"{method} {path}"


#: Services that sign by another name than that of their model.
_MODELS = {"elasticfilesystem": "efs"}


@cache
def _rest_operations(service: str) -> tuple[_Rest, ...]:
    """The operations of a REST service by its model, the most specific first."""
    from botocore.exceptions import UnknownServiceError
    from botocore.loaders import Loader

    try:
        model = Loader().load_service_model(_MODELS.get(service, service), "service-2")
    except UnknownServiceError:
        return ()
    operations = [(name, one) for name, one in model["operations"].items() if "http" in one]
    shapes = [_rest(name, one["http"], _required(model, one)) for name, one in operations]
    return tuple(sorted(shapes, key=lambda shape: shape.weight, reverse=True))


def _required(model: Mapping[str, Any], operation: Mapping[str, Any]) -> frozenset[str]:
    """The query keys that an operation's parameters must give."""
    shape = model["shapes"][operation["input"]["shape"]] if "input" in operation else {}
    members = [shape["members"][name] for name in shape.get("required", ())]
    return frozenset(member["locationName"] for member in members if member.get("location") == "querystring")


def _rest(name: str, http: Mapping[str, str], required: frozenset[str]) -> _Rest:
    path, _, query = http["requestUri"].partition("?")
    # x-id only repeats the operation's name; SDKs may leave it out
    keys = required.union(part for part in query.split("&") if part and not part.startswith("x-id"))
    pattern = re.sub(r"\{(\w+)(\+?)\}", lambda found: ".+" if found[2] else "[^/]+", path)
    fixed = len(re.sub(r"\{.*?\}", "", path))
    return _Rest(name, http["method"], re.compile(pattern.rstrip("/") + "/?"), keys, (len(keys), fixed))


def error_response(call: Call, environ: Mapping[str, Any], code: str, message: str) -> tuple[str, bytes]:
    """Content type and body of an error, in the protocol that the request was made in."""
    if environ.get("HTTP_X_AMZ_TARGET"):
        return "application/x-amz-json-1.0", json.dumps({"__type": code, "message": message}).encode()
    text = f"<Code>{escape(code)}</Code><Message>{escape(message)}</Message>"
    if call.service == "ec2":
        return "text/xml", f"<Response><Errors><Error>{text}</Error></Errors></Response>".encode()
    if call.service == "s3":
        return "application/xml", f"<Error>{text}<RequestId>0</RequestId></Error>".encode()
    if _ACTION.search(call.body):
        return "text/xml", f"<ErrorResponse><Error><Type>Sender</Type>{text}</Error></ErrorResponse>".encode()
    return "application/json", json.dumps({"__type": code, "message": message}).encode()
