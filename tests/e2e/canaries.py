"""Planted secrets, and the search for them in everything that the product wrote, said or asked."""

from __future__ import annotations

import base64
import html
import json
import re
import sqlite3
import subprocess
import zlib
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import quote, quote_plus

import yaml

from reconciler.model.ids import PlanName
from reconciler.model.secrecy import forget_all
from tests.e2e.conftest import SANDBOX, Lab
from tests.e2e.running import ACCOUNTS, REGION, Answer, Shell, plan_text

PLAN = PlanName("keeper")
#: What the plan gives its NoEcho parameters. The first has everything in it that any format has to escape.
GIVEN: Mapping[str, Any] = {
    "Password": "pa\"ss'w\\örd<&>{7}/Kq=+",
    "Joined": "joined-4Kq9",
    "Subbed": "subbed$4Kq8",
    "Encoded": "encoded-4Kq7",
    "Lines": "-----BEGIN KEY-----\nMIIEvQlines4Kq6\n-----END KEY-----\n",
    "Words": ["alpha-4Kq5", "beta-4Kq4"],
    "Pin": 73910468,
    "Tagged": "tagged-4Kq3",
    "Trusted": "trusted-4Kq2",
    "Shown": "shown-4Kq1",
}
WRITTEN = "written-only-8Zx1"  # a write-only property
SECURE, STORED = "ssm-secure-8Zx2", "secrets-manager-8Zx3"  # behind dynamic references
UPDATED, FOREIGN = "updated-8Zx4", "drifted-8Zx5"
#: In the settings: passwords in URLs, the token for the API.
GIT, DATABASE, BEARER = "git-pass-8Zx6", "data/b@se-8Zx7", "bearer-8Zx8"

#: What the plan itself says: known from the moment it is read.
PLANNED = (
    *(str(item) for value in GIVEN.values() for item in (value if isinstance(value, list) else [value])),
    WRITTEN,
)
#: Every planted secret, line by line.
CANARIES = tuple(
    line
    for text in (*PLANNED, SECURE, STORED, UPDATED, FOREIGN, GIT, DATABASE, BEARER)
    for line in text.splitlines()
    if not line.startswith("-----")
)

_TRUST = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Allow",
            "Principal": {"Service": "ec2.amazonaws.com"},
            "Action": "sts:AssumeRole",
            "Condition": {"StringEquals": {"sts:ExternalId": ["public", {"Ref": "Trusted"}]}},
        }
    ],
}


def parameter(value: Any, **more: Any) -> dict[str, Any]:
    return {"Type": "AWS::SSM::Parameter", "Properties": {"Type": "String", "Value": value, **more}}


def template(name: str = "/keeper/direct", **more: Any) -> dict[str, Any]:
    """Secrets in every position that a template has for them."""
    kinds = {"Words": "CommaDelimitedList", "Pin": "Number"}
    role = {"RoleName": "keeper", "AssumeRolePolicyDocument": _TRUST}
    return {
        "Parameters": {name: {"Type": kinds.get(name, "String"), "NoEcho": True} for name in GIVEN},
        "Resources": {
            "Direct": parameter({"Ref": "Password"}, Name=name, Description=WRITTEN, Tags={"who": {"Ref": "Tagged"}}),
            "Join": parameter({"Fn::Join": [":", ["app", {"Ref": "Joined"}]]}, Name="/keeper/join"),
            "Sub": parameter({"Fn::Sub": "postgres://app:${Subbed}@db/${Pin}"}, Name="/keeper/sub"),
            "Base64": parameter({"Fn::Base64": {"Fn::Sub": "export KEY=${Encoded}"}}, Name="/keeper/base64"),
            "Key": parameter({"Ref": "Lines"}, Name="/keeper/lines"),
            "List": parameter({"Fn::Join": [",", {"Ref": "Words"}]}, Name="/keeper/list"),
            "Secure": parameter("{{resolve:ssm-secure:/outside/secure}}", Name="/keeper/secure"),
            "Stored": parameter("x{{resolve:secretsmanager:outside:SecretString:password}}", Name="/keeper/stored"),
            "Copy": parameter({"Fn::GetAtt": ["Direct", "Value"]}, Name="/keeper/copy"),
            "Topic": {"Type": "AWS::SNS::Topic", "Properties": {"DisplayName": {"Ref": "Shown"}, "TopicName": "k"}},
            "Role": {"Type": "AWS::IAM::Role", "Properties": role},
            **more,
        },
        "Outputs": {
            "Given": {"Value": {"Ref": "Password"}, "Export": {"Name": "given"}},
            "Copied": {"Value": {"Fn::GetAtt": ["Direct", "Value"]}, "Export": {"Name": "copied"}},
        },
    }


class Watch:
    """A lab with a plan full of secrets, and a record of everything that is said there."""

    def __init__(self, lab: Lab, environment: str = "sandbox", **variables: str) -> None:
        self.lab, self.environment = lab, environment
        self.shell = Shell(lab, RECONCILER_LOG__LEVEL="debug", RECONCILER_HTTP__TOKEN=BEARER, **variables)
        self.said: dict[str, bytes] = {}
        self.client("ssm").put_parameter(Name="/outside/secure", Type="SecureString", Value=SECURE)
        self.client("secretsmanager").create_secret(Name="outside", SecretString=json.dumps({"password": STORED}))

    def client(self, service: str) -> Any:
        return self.lab.aws.client(service, account=ACCOUNTS[self.environment], region=REGION)

    def write(self, body: Mapping[str, Any] | None = None, *, given: Mapping[str, Any] = GIVEN, **spec: Any) -> str:
        """The plan and its template; the plan's text."""
        (self.lab.desired / "templates").mkdir(exist_ok=True)
        (self.lab.desired / "templates" / "keeper.cfn.yaml").write_text(yaml.safe_dump(dict(body or template())))
        document = yaml.safe_load(plan_text(PLAN, {}, self.environment, **spec))
        del document["spec"]["resources"]
        document["spec"] |= {"template": "templates/keeper.cfn.yaml", "parameters": dict(given)}
        text = str(yaml.safe_dump(document))
        self.lab.write(text)
        return text

    def hear(self, what: str, text: str) -> None:
        """Keep what was said."""
        self.said[f"{len(self.said)}: {what}"] = text.encode(errors="surrogateescape")

    def __call__(self, *arguments: str, **variables: str) -> Answer:
        """A command as a process of its own would run it: one that has met no secret yet."""
        forget_all()
        answer = self.shell("--debug", *arguments, **variables)
        self.hear(" ".join(arguments), answer.out + answer.err)
        return answer

    def applied(self) -> None:
        """A pass goes through."""
        answer = self("apply")
        assert answer.code == 0, answer.text

    def diffs(self, code: int = 2) -> None:
        """What would change, in every form."""
        for output in ("table", "json", "markdown"):
            answer = self("diff", "--output", output)
            assert answer.code == code, answer.text

    def look(self) -> None:
        """Every way to look at what is and what was."""
        self.glance()
        for command in (("status", "--output", "json"), ("history", PLAN), ("history", PLAN, "--output", "json")):
            self(*command)

    def glance(self) -> None:
        """What is now, and how it came to be."""
        self("status", PLAN)
        for output in ("table", "json"):
            self("report", self.lab.app.store.history(PLAN)[0].run, "--output", output)

    def leaks(self) -> list[str]:
        """Where any canary is found: in what was said, in files, in the store, in Git."""
        parts = (self.said, dict(files(self.lab)), dict(rows(self.lab)), dict(objects(self.lab)))
        heard = [(what, text) for part in parts for what, text in part.items()]
        return [f"{what}: {found!r} in {around(text, found)!r}" for what, text in heard for found in hits(text)]


def files(lab: Lab) -> Iterator[tuple[str, bytes]]:
    """Every file of the installation but the plans themselves."""
    for path in sorted(lab.directory.rglob("*")):
        if path.is_file() and lab.desired not in path.parents:
            yield str(path.relative_to(lab.directory)), path.name.encode() + b"\n" + path.read_bytes()


def rows(lab: Lab) -> Iterator[tuple[str, bytes]]:
    """Every value in the store, uncompressed."""
    database = sqlite3.connect(lab.directory / "state" / "reconciler.db")
    for (table,) in database.execute("select name from sqlite_master where type = 'table'").fetchall():
        for number, row in enumerate(database.execute(f'select * from "{table}"')):
            for column, value in enumerate(row):
                plain = zlib.decompress(value) if isinstance(value, bytes) else str(value).encode()
                yield f"{table} {number}.{column}", plain
    database.close()


def objects(lab: Lab) -> Iterator[tuple[str, bytes]]:
    """Every object of every repository, reachable or not."""
    for head in lab.directory.rglob("HEAD"):
        if (head.parent / "objects").is_dir():
            command = ["git", f"--git-dir={head.parent}", "cat-file", "--batch-all-objects", "--batch"]
            yield str(head.parent), subprocess.run(command, capture_output=True, check=True).stdout


def spellings(secret: str) -> set[str]:
    """A text as JSON, Python, URLs, markup and base64 (wherever in the encoded text it stands) write it."""
    encoded = [base64.b64encode(b"x" * at + secret.encode()).decode()[(4 * at + 2) // 3 :] for at in range(3)]
    return {
        secret,
        json.dumps(secret)[1:-1],
        json.dumps(secret, ensure_ascii=False)[1:-1],
        repr(secret)[1:-1],
        html.escape(secret),
        quote(secret),
        quote(secret, safe=""),
        quote_plus(secret),
        *(text.rstrip("=")[:-1] for text in encoded),
    }


_NEEDLES = {spelling: spelling.encode() for secret in CANARIES for spelling in sorted(spellings(secret))}
_SPACE = re.compile(rb"\s+")


def hits(text: bytes) -> Iterator[str]:
    """The canaries in a text, also those that a table broke over two lines."""
    squashed = _SPACE.sub(b"", text)
    yield from (spelling for spelling, needle in _NEEDLES.items() if needle in text or needle in squashed)


def around(text: bytes, found: str) -> bytes:
    at = max(0, text.find(found.encode()))
    return text[max(0, at - 80) : at + 80]


def echo(*met: str) -> str:
    """An error message that quotes every secret of the plan, and others, in every way that AWS or a library may."""
    said = (*PLANNED, *met)
    words = [f"{text} {text!r} {json.dumps(text)} {quote(text)} {html.escape(text)}" for text in said]
    return "Value not valid: " + " | ".join([*words, *(base64.b64encode(text.encode()).decode() for text in said)])


def values(watch: Watch) -> dict[str, str]:
    """What AWS has, by name."""
    ssm = watch.client("ssm")
    names = [item["Name"] for item in ssm.describe_parameters()["Parameters"] if item["Name"].startswith("/keeper/")]
    found = [ssm.get_parameter(Name=name)["Parameter"] for name in names]
    return {item["Name"].removeprefix("/keeper/"): item["Value"] for item in found}


def drift(watch: Watch) -> None:
    """Somebody else sets everything that holds a secret."""
    ssm, iam = watch.client("ssm"), watch.client("iam")
    for name in values(watch):
        ssm.put_parameter(Name=f"/keeper/{name}", Overwrite=True, Value=FOREIGN, Type="String")
    tags = [{"Key": "who", "Value": FOREIGN}]
    ssm.add_tags_to_resource(ResourceType="Parameter", ResourceId="/keeper/direct", Tags=tags)
    arn = f"arn:aws:sns:us-east-1:{SANDBOX}:k"
    watch.client("sns").set_topic_attributes(TopicArn=arn, AttributeName="DisplayName", AttributeValue=FOREIGN)
    trust = json.dumps(iam.get_role(RoleName="keeper")["Role"]["AssumeRolePolicyDocument"])
    iam.update_assume_role_policy(RoleName="keeper", PolicyDocument=trust.replace(GIVEN["Trusted"], FOREIGN))
