"""Plan texts and sources for the tests of this part."""

from __future__ import annotations

import atexit
import shutil
import tempfile
from datetime import UTC, datetime
from pathlib import Path

from hypothesis import settings

from reconciler.model.plan import Snapshot
from reconciler.source import DirectorySource
from reconciler.source.document import Limits
from reconciler.testing.memory import FakeClock

#: these tests share their machine; time is measured where it matters
QUICK = settings(deadline=None, max_examples=80)

#: validation results shared by the tests of one run
CACHE = Path(tempfile.mkdtemp(prefix="reconciler-test-"))
atexit.register(shutil.rmtree, CACHE, ignore_errors=True)

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)

PLAN = """\
apiVersion: reconciler/v1
kind: Plan
metadata:
  name: dev-web
  author: alice@example.com
  labels: {team: web}
spec:
  target:
    environment: development
    account: "123456789012"
    region: eu-central-1
  guardrail:
    status: passed
  rollback: automatic
  parameters:
    Cidr: 10.20.0.0/16
  resources:
    Vpc:
      Type: AWS::EC2::VPC
      Properties:
        CidrBlock: !Ref Cidr
"""

TEMPLATED = PLAN[: PLAN.index("  parameters:")] + "  parameters: {Cidr: 10.20.0.0/16}\n  template: web.cfn.yaml\n"

TEMPLATE = """\
Parameters:
  Cidr:
    Type: String
    AllowedPattern: "[0-9./]+"
Resources:
  Vpc:
    Type: AWS::EC2::VPC
    Properties:
      CidrBlock: !Ref Cidr
"""


def plan(old: str = "", new: str = "", *, name: str = "dev-web", text: str = PLAN) -> str:
    """A plan's text with one thing changed."""
    assert not old or old in text, old
    text = text.replace(old, new, 1) if old else text
    return text.replace("name: dev-web", f"name: {name}", 1)


def write(root: Path, **files: str | bytes) -> None:
    """Write files; ``__`` in a name stands for ``/`` and a missing suffix for ``.yaml``."""
    for name, content in files.items():
        path = root / name.replace("__", "/")
        path = path if path.suffix else path.with_suffix(".yaml")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)


def source(
    root: Path, *, allowed_signers: Path | None = None, limits: Limits | None = None, now: datetime = NOW
) -> DirectorySource:
    """A source over ``root`` on virtual time."""
    return DirectorySource(root, allowed_signers=allowed_signers, clock=FakeClock(now), cache=CACHE, limits=limits)


def load(root: Path, **files: str | bytes) -> Snapshot:
    """Write files and read the source once."""
    write(root, **files)
    return source(root).load()
