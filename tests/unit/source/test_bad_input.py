"""Everything a person can get wrong in a source. Each is named where it is, and harms no other plan."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from reconciler.source.document import Limits
from tests.unit.source._plans import PLAN, TEMPLATE, TEMPLATED, plan, source, write

Files = dict[str, str | bytes]

APPROVAL = """\
apiVersion: reconciler/v1
kind: Approval
metadata: {name: good-bob}
spec:
  plan: good
  digest: sha256:0000000000000000000000000000000000000000000000000000000000000000
  approver: bob@example.com
  approvedAt: 2026-11-23T08:00:00Z
  expiresAt: 2026-12-23T09:00:00Z
  scope: [create, update]
"""


@dataclass(frozen=True)
class Bad:
    """One bad input. ``at``: the plan or file that it is reported under; ``says``: in one of its problems."""

    files: Files
    says: str
    at: str = "dev-web"
    line: int = 0
    path: str = ""
    hint: str = ""
    make: Callable[[Path], None] | None = None
    undo: Callable[[Path], None] | None = None
    limits: Limits | None = field(default=None)


def edited(old: str, new: str, text: str = PLAN) -> Files:
    return {"bad": plan(old, new, text=text)}


def templated(old: str, new: str) -> Files:
    assert old in TEMPLATE
    return {"bad": TEMPLATED, "web.cfn.yaml": TEMPLATE.replace(old, new, 1)}


def approval(old: str, new: str) -> Files:
    assert old in APPROVAL
    return {"bad": APPROVAL.replace(old, new, 1)}


RESOURCE = "      Type: AWS::EC2::VPC\n"
CIDR = "        CidrBlock: !Ref Cidr\n"
SPEC = "spec/resources/Vpc/Properties"

BAD: dict[str, Bad] = {
    # the file
    "empty file": Bad({"bad": ""}, "no document", "bad.yaml"),
    "only comments": Bad({"bad": "# nothing\n"}, "no document", "bad.yaml"),
    "null document": Bad({"bad": "---\n~\n---\n"}, "no document", "bad.yaml"),
    "list at the top": Bad({"bad": "- a\n- b\n"}, "a list at the top", "bad.yaml", 1),
    "text at the top": Bad({"bad": "hello\n"}, "a plain value at the top", "bad.yaml", 1),
    "not YAML": Bad({"bad": PLAN + "  - x: y: z\n"}, "not valid YAML", "bad.yaml", 22),
    "tabs": Bad({"bad": PLAN.replace("  rollback", "\trollback")}, "not valid YAML", "bad.yaml", 14, hint="spaces"),
    "not JSON": Bad({"bad.json": '{"apiVersion": "reconciler/v1",\n}'}, "not valid JSON", "bad.json", 2),
    "not UTF-8": Bad({"bad": PLAN.encode().replace(b"alice", b"al\xefce")}, "not UTF-8", "bad.yaml", 5),
    "UTF-16": Bad({"bad": PLAN.encode("utf-16")}, "NUL", "bad.yaml", 1),
    "NUL byte": Bad({"bad": PLAN.encode().replace(b"alice", b"al\0ce")}, "NUL", "bad.yaml", 5),
    "control characters": Bad(edited("alice", "al\x07ce"), "control characters", "bad.yaml", 5),
    "alias bomb": Bad(
        {
            "bad": "a: &a [x,x,x,x,x,x,x,x,x]\n"
            + "".join(f"{n}: &{n} [{', '.join([f'*{p}'] * 9)}]\n" for p, n in zip("abcdef", "bcdefg", strict=True))
        },
        "alias bomb",
        "bad.yaml",
        5,
    ),
    "alias to itself": Bad({"bad": "a: &a {b: *a}\n"}, "or to itself", "bad.yaml", 1),
    "duplicate key": Bad(
        edited("  rollback: automatic\n", "  rollback: automatic\n  rollback: manual\n"),
        "duplicate key 'rollback', first on line 14",
        "bad.yaml",
        15,
    ),
    "duplicate logical id": Bad(
        edited("    Vpc:\n", "    Vpc: {Type: AWS::EC2::VPC}\n    Vpc:\n"), "duplicate key 'Vpc'", "bad.yaml", 19
    ),
    "python object": Bad(
        edited("alice@example.com", "!!python/object/new:os.system [id]"), "is not allowed", "bad.yaml", 5
    ),
    "unknown tag": Bad(edited("!Ref", "!Reff"), "unknown YAML tag !Reff", "bad.yaml", 21, hint="did you mean !Ref?"),
    "NaN": Bad(edited("10.20.0.0/16", ".nan"), "not a number", "bad.yaml", 16),
    "NaN in JSON": Bad({"bad.json": '{"a": NaN}'}, "NaN is not a number", "bad.json"),
    "number too large": Bad(edited("10.20.0.0/16", "9" * 25), "too large", "bad.yaml", 16),
    "deep nesting": Bad({"bad": "[" * 5000}, "nested deeper", "bad.yaml", 1),
    "too many documents": Bad({"bad": "--- {a: 1}\n" * 300}, "documents in one file", "bad.yaml"),
    "huge file": Bad({"bad": PLAN + "#" * 9000}, "larger than", "bad.yaml", limits=Limits(size=8192), hint="split"),
    "directory named like a plan": Bad({"bad.yaml/x.txt": ""}, "", ""),
    "file that leads out": Bad(
        {}, "leads out of the source", "bad.yaml", make=lambda root: (root / "bad.yaml").symlink_to("/etc/hosts")
    ),
    "dangling link": Bad(
        {}, "it doesn't exist", "bad.yaml", make=lambda root: (root / "bad.yaml").symlink_to("nowhere")
    ),
    "link in a circle": Bad(
        {}, "can't be read", "bad.yaml", make=lambda root: (root / "bad.yaml").symlink_to("bad.yaml")
    ),
    "directory that leads out": Bad(
        {}, "leads out of the source", "bad/", make=lambda root: (root / "bad").symlink_to("/etc")
    ),
    "named pipe": Bad({}, "not a regular file", "bad.yaml", make=lambda root: os.mkfifo(root / "bad.yaml")),
    # which kind of document
    "misspelt version": Bad(
        edited("reconciler/v1", "reconciler/v2"),
        "must be reconciler/v1",
        line=1,
        path="apiVersion",
        hint="did you mean reconciler/v1?",
    ),
    "misspelt group": Bad(
        edited("reconciler/v1", "reconcilr/v1"), "neither a plan", "bad.yaml", 1, hint="did you mean reconciler/v1?"
    ),
    "misspelt kind": Bad(
        edited("kind: Plan", "kind: Plna"),
        "kind must be Plan or Approval",
        line=2,
        path="kind",
        hint="did you mean Plan?",
    ),
    "missing kind": Bad(edited("kind: Plan\n", ""), "kind is missing", path="kind"),
    "missing version": Bad(edited("apiVersion: reconciler/v1\n", ""), "apiVersion is missing", path="apiVersion"),
    # metadata
    "name not DNS-1123": Bad(edited("name: dev-web", "name: Dev_Web"), "DNS-1123", "bad.yaml", 4, "metadata/name"),
    "name too long": Bad(edited("name: dev-web", "name: " + "x" * 64), "longer than 63", "bad.yaml", 4),
    "missing name": Bad(edited("  name: dev-web\n", ""), "name is missing", "bad.yaml", 3, "metadata/name"),
    "missing author": Bad(edited("  author: alice@example.com\n", ""), "author is missing", path="metadata/author"),
    "bad label": Bad(edited("{team: web}", "{team: [a]}"), "valid string", line=6, path="metadata/labels/team"),
    "label that is a number": Bad(edited("{team: web}", "{team: 12}"), "quote it", line=6, path="metadata/labels/team"),
    "duplicate plan name": Bad(
        {"bad": PLAN, "worse": PLAN}, "used more than once; also in worse.yaml:1", line=1, path="metadata/name"
    ),
    # spec
    "unknown key": Bad(
        edited("rollback:", "rolback:"),
        "unknown key 'rolback'",
        line=14,
        path="spec/rolback",
        hint="did you mean rollback?",
    ),
    "unknown target key": Bad(
        edited("    region:", "    regoin:"), "unknown key 'regoin'", line=11, hint="did you mean region?"
    ),
    "bad account": Bad(edited('"123456789012"', '"12345"'), "must be 12 digits", line=10, path="spec/target/account"),
    "unquoted account": Bad(edited('"123456789012"', "123456789012"), 'quote it, as in "123456789012"', line=10),
    "bad region": Bad(edited("eu-central-1", "Frankfurt"), "must be an AWS region", line=11, path="spec/target/region"),
    "unknown region": Bad(
        edited("eu-central-1", "eu-centrall-1"),
        "not a region",
        line=11,
        path="spec/target/region",
        hint="did you mean eu-central-1?",
    ),
    "environment with spaces": Bad(edited("development", "my dev"), "plain lower-case name", line=9),
    "role of another account": Bad(
        edited("    region:", "    roleArn: arn:aws:iam::999999999999:role/x\n    region:"),
        "another account",
        path="spec/target",
    ),
    "external id without role": Bad(
        edited("    region:", "    externalId: abc\n    region:"), "needs a roleArn", path="spec/target"
    ),
    "missing guardrail": Bad(
        edited("  guardrail:\n    status: passed\n", ""), "guardrail outcome is missing", path="spec/guardrail"
    ),
    "bad guardrail status": Bad(
        edited("passed", "pased"), "must be one of passed", line=13, hint="did you mean passed?"
    ),
    "undocumented exceptions": Bad(
        edited("passed", "exceptions"), "none is documented", line=12, path="spec/guardrail"
    ),
    "exception without a reason": Bad(
        edited("passed", "exceptions\n    exceptions: [{rule: r, approvedBy: b@x, expires: 2027-01-01}]"),
        "reason is missing",
        line=14,
        path="spec/guardrail/exceptions/0/reason",
    ),
    "exception that never expires": Bad(
        edited("passed", "exceptions\n    exceptions: [{rule: r, reason: x, approvedBy: b, expires: no}]"),
        "not a time",
        line=14,
        path="spec/guardrail/exceptions/0/expires",
    ),
    "missing rollback": Bad(
        edited("  rollback: automatic\n", ""), "rollback procedure is missing", path="spec/rollback"
    ),
    "bad rollback": Bad(
        edited("automatic", "automatically"),
        "must be one of automatic, manual",
        line=14,
        hint="did you mean automatic?",
    ),
    "empty rollback procedure": Bad(
        edited("automatic", "{procedure: ''}"), "must not be empty", line=14, path="spec/rollback/procedure"
    ),
    "bad interval": Bad(
        edited("  rollback:", "  interval: 5 minutes\n  rollback:"),
        "not a duration",
        line=14,
        path="spec/interval",
        hint="",
    ),
    "interval as a number": Bad(
        edited("  rollback:", "  interval: 300\n  rollback:"), "write it like 30s, 5m", path="spec/interval"
    ),
    "interval of nothing": Bad(
        edited("  rollback:", "  interval: 0s\n  rollback:"), "between 1s and 7d", path="spec/interval"
    ),
    "suspend as text": Bad(edited("  rollback:", "  suspend: 'no'\n  rollback:"), "valid boolean", path="spec/suspend"),
    "bad state": Bad(
        edited("  rollback:", "  state: gone\n  rollback:"), "must be one of present, absent", path="spec/state"
    ),
    "two deliveries": Bad(
        edited("  resources:", "  template: web.cfn.yaml\n  resources:"), "found resources and template", path="spec"
    ),
    "no delivery": Bad({"bad": PLAN[: PLAN.index("  resources:")]}, "found none", path="spec"),
    "no resources": Bad(
        {"bad": PLAN[: PLAN.index("  resources:")] + "  resources: {}\n"}, "state: absent", path="spec"
    ),
    "ignore of an unknown resource": Bad(
        edited("  rollback:", "  ignore: [{resource: Vpx, path: /A}]\n  rollback:"),
        "no resource Vpx",
        path="spec/ignore/0/resource",
        hint="did you mean Vpc?",
    ),
    "ignore without a pointer": Bad(
        edited("  rollback:", "  ignore: [{resource: Vpc, path: A}]\n  rollback:"),
        "JSON pointer",
        path="spec/ignore/0/path",
    ),
    "pipeline by remote helper": Bad(
        edited("  rollback:", "  pipeline: {repository: 'ext::sh -c id'}\n  rollback:"),
        "must be a Git URL",
        path="spec/pipeline/repository",
    ),
    "pipeline path that leads out": Bad(
        edited("  rollback:", "  pipeline: {repository: r, path: ../x}\n  rollback:"),
        "without '..'",
        path="spec/pipeline/path",
    ),
    "pipeline format": Bad(
        edited("  rollback:", "  pipeline: {repository: r, format: pulumi}\n  rollback:"),
        "must be one of terraform",
        path="spec/pipeline/format",
    ),
    # resources
    "unknown type": Bad(
        edited("EC2::VPC", "EC2::VPCX"),
        "does not exist",
        line=19,
        path="spec/resources/Vpc/Type",
        hint="did you mean AWS::EC2::VPC?",
    ),
    "missing type": Bad(edited(RESOURCE, ""), "needs a Type", line=18),
    "misspelt property": Bad(
        edited(CIDR, CIDR + "        EnableDnsHostnamez: true\n"),
        "EnableDnsHostnamez",
        line=22,
        path=f"{SPEC}/EnableDnsHostnamez",
        hint="did you mean EnableDnsHostnames?",
    ),
    "value of the wrong type": Bad(
        edited(CIDR, CIDR + "        EnableDnsSupport: maybe\n"),
        "is not of type 'boolean'",
        line=22,
        path=f"{SPEC}/EnableDnsSupport",
    ),
    "value that isn't allowed": Bad(
        edited(CIDR, CIDR + "        InstanceTenancy: defalt\n"),
        "'defalt' is not one of",
        line=22,
        hint="did you mean default?",
    ),
    "read-only property": Bad(edited(CIDR, CIDR + "        VpcId: vpc-1\n"), "VpcId", line=22),
    "missing property": Bad(
        edited(RESOURCE, "      Type: AWS::EC2::SecurityGroup\n"), "'GroupDescription' is a required property", line=20
    ),
    "unknown reference": Bad(edited("!Ref Cidr", "!Ref Cider"), "Cider", line=21, hint="did you mean Cidr?"),
    "GetAtt of an unknown attribute": Bad(
        edited(
            CIDR,
            CIDR
            + "    Sg:\n      Type: AWS::EC2::SecurityGroup\n"
            + "      Properties: {GroupDescription: x, VpcId: !GetAtt Vpc.VpcIdd}\n",
        ),
        "VpcIdd",
        line=24,
        hint="did you mean VpcId?",
    ),
    "dependency cycle": Bad(
        edited(RESOURCE, RESOURCE + "      DependsOn: B\n") | {},
        "circle",
        make=lambda root: _append(root, "    B:\n      Type: AWS::SQS::Queue\n      DependsOn: Vpc\n"),
    ),
    "depends on nothing": Bad(
        edited(RESOURCE, RESOURCE + "      DependsOn: Vpx\n"),
        "no resource 'Vpx'",
        line=20,
        path="spec/resources/Vpc/DependsOn",
        hint="did you mean Vpc?",
    ),
    "unknown attribute of a resource": Bad(
        edited("      Properties:", "      Propertees:"),
        "Propertees is not an attribute",
        line=20,
        hint="did you mean Properties?",
    ),
    "bad logical id": Bad(
        edited("    Vpc:\n", "    my-vpc:\n"), "not a logical id", line=18, path="spec/resources/my-vpc"
    ),
    "bad deletion policy": Bad(
        edited(RESOURCE, RESOURCE + "      DeletionPolicy: Keep\n"), "not a DeletionPolicy", line=20
    ),
    "bad adopt": Bad(
        edited(RESOURCE, RESOURCE + "      Metadata: {Reconciler: {adpot: vpc-1}}\n"),
        "adpot is not known here",
        line=20,
        hint="did you mean adopt?",
    ),
    "custom resource": Bad(edited("AWS::EC2::VPC", "Custom::Thing"), "custom resources are not supported", line=19),
    "cfn-lint switched off": Bad(
        edited("AWS::EC2::VPC\n", "AWS::EC2::VPC\n      Metadata: {cfn-lint: {config: {ignore_checks: [E3002]}}}\n")
        | {},
        "Nope",
        make=lambda root: _append(root, "        Nope: 1\n"),
    ),
    "parameter that is a mapping": Bad(
        edited("Cidr: 10.20.0.0/16", "Cidr: {a: b}"), "a parameter's value", line=16, path="spec/parameters/Cidr"
    ),
    # templates
    "no such template": Bad(
        {"bad": TEMPLATED}, "web.cfn.yaml: the file can't be read: it doesn't exist", path="spec/template"
    ),
    "template that leads out": Bad(
        edited("web.cfn.yaml", "../../etc/passwd", TEMPLATED), "leads out of the source", path="spec/template"
    ),
    "absolute template": Bad(
        edited("web.cfn.yaml", "/etc/passwd", TEMPLATED), "relative to the plan file", path="spec/template"
    ),
    "template behind a link that leads out": Bad(
        {"bad": TEMPLATED},
        "leads out of the source",
        path="spec/template",
        make=lambda root: (root / "web.cfn.yaml").symlink_to("/etc/hosts"),
    ),
    "template that is a list": Bad({"bad": TEMPLATED, "web.cfn.yaml": "[]"}, "a template is a mapping"),
    "template of two documents": Bad({"bad": TEMPLATED, "web.cfn.yaml": TEMPLATE + "---\n" + TEMPLATE}, "one document"),
    "template with bad YAML": Bad(templated("Resources:", "Resources: x: y"), "web.cfn.yaml:5: not valid YAML"),
    "template with a bad intrinsic": Bad(templated("!Ref Cidr", "!Join [x]"), "web.cfn.yaml:9", path=""),
    "template with an unknown section": Bad(
        templated("Resources:", "Resorces: {}\nResources:"), "Resorces", hint="did you mean Resources?"
    ),
    "SAM template": Bad(
        templated("Resources:", "Transform: AWS::Serverless-2016-10-31\nResources:"), "not supported", path="Transform"
    ),
    "bad condition": Bad(templated("Resources:", "Conditions: {C: !Equals [a]}\nResources:"), "web.cfn.yaml:5"),
    "unknown condition": Bad(
        templated("    Properties:", "    Condition: Nope\n    Properties:"), "Nope", path="Resources/Vpc/Condition"
    ),
    "unknown parameter": Bad(
        edited("Cidr:", "Cider:", TEMPLATED) | {"web.cfn.yaml": TEMPLATE},
        "the template has no parameter Cider",
        line=15,
        path="spec/parameters/Cider",
        hint="did you mean Cidr?",
    ),
    "parameter without a value": Bad(
        edited("  parameters: {Cidr: 10.20.0.0/16}\n", "", TEMPLATED) | {"web.cfn.yaml": TEMPLATE},
        "parameter Cidr has no default",
    ),
    "parameter against its pattern": Bad(
        edited("10.20.0.0/16", "nonsense", TEMPLATED) | {"web.cfn.yaml": TEMPLATE},
        "doesn't match [0-9./]+",
        line=15,
        path="spec/parameters/Cidr",
    ),
    "parameter not among the allowed": Bad(
        templated('AllowedPattern: "[0-9./]+"', "AllowedValues: [a, b]"),
        "must be one of a, b",
        line=15,
        path="spec/parameters/Cidr",
    ),
    "no such Terraform directory": Bad(
        {"bad": PLAN[: PLAN.index("  parameters:")] + "  terraform: {directory: infra}\n"},
        "doesn't exist",
        path="spec/terraform/directory",
    ),
    "no such tfvars": Bad(
        {
            "bad": PLAN[: PLAN.index("  parameters:")] + "  terraform: {directory: infra, varFiles: [x.tfvars]}\n",
            "infra__main.tf": "",
        },
        "infra/x.tfvars",
        path="spec/terraform/varFiles/0",
    ),
    # approvals
    "approval without digest": Bad(
        approval("  digest: sha256:" + "0" * 64 + "\n", ""),
        "digest that the approval is for is missing",
        "bad.yaml",
        4,
        "spec/digest",
    ),
    "approval with a bad digest": Bad(approval("sha256:00", "md5:00"), "must be sha256:", "bad.yaml", 6),
    "approval with a bad time": Bad(
        approval("2026-11-23T08:00:00Z", "yesterday"), "not a time", "bad.yaml", 8, "spec/approvedAt"
    ),
    "approval without a zone": Bad(approval("2026-11-23T08:00:00Z", "2026-11-23T08:00:00"), "a zone", "bad.yaml", 8),
    "approval that ends before it begins": Bad(approval("2026-12-23", "2026-10-23"), "after approvedAt", "bad.yaml", 4),
    "approval with an unknown scope": Bad(
        approval("create,", "creat,"), "must be one of create", "bad.yaml", 10, hint="did you mean create?"
    ),
    "approval for an unknown plan": Bad(
        approval("plan: good", "plan: goood"), "there is no plan goood", "bad.yaml", 5, "spec/plan"
    ),
}


def _append(root: Path, text: str) -> None:
    path = root / "bad.yaml"
    path.write_text(path.read_text() + text)


def test_the_table_is_long_enough() -> None:
    assert len(BAD) >= 40


@pytest.mark.parametrize("kind", sorted(BAD))
def test_bad_input_is_named_and_harms_nothing_else(kind: str, tmp_path: Path) -> None:
    bad = BAD[kind]
    write(tmp_path, good=plan(name="good"), **bad.files)
    if bad.make is not None:
        bad.make(tmp_path)
    snapshot = source(tmp_path, limits=bad.limits).load()

    assert snapshot.healthy
    assert set(snapshot.plans) == {"good"}
    if not bad.at:
        assert not snapshot.invalid
        return
    assert set(snapshot.invalid) == {bad.at}
    problems = snapshot.invalid[bad.at]
    found = [problem for problem in problems if bad.says in str(problem)]
    assert found, [str(problem) for problem in problems]
    problem = found[0]
    assert problem.file
    assert problem.reason
    assert not bad.line or problem.line == bad.line, str(problem)
    assert not bad.path or problem.path == bad.path, str(problem)
    assert bad.hint in problem.suggestion, str(problem)


def test_an_unreadable_file_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path, good=plan(name="good"), bad=PLAN)
    opened = Path.open

    def refuse(path: Path, *args: Any, **kwargs: Any) -> Any:  # chmod would not stop a test that runs as root
        if path.name == "bad.yaml":
            raise PermissionError(errno.EACCES, "Permission denied")
        return opened(path, *args, **kwargs)

    monkeypatch.setattr(Path, "open", refuse)
    snapshot = source(tmp_path).load()
    assert set(snapshot.plans) == {"good"}
    assert "permission denied" in snapshot.invalid["bad.yaml"][0].message
