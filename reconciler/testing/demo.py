"""``reconciler demo``: the daemon on a local AWS with the sample plans, and proof that it did what it says.

Each environment is an account of its own, reached by assuming a role, as in real life. Nothing here is staged: the
daemon, the policies, the signatures and Git are the real ones; only AWS is moto, in this process.
"""

from __future__ import annotations

import contextlib
import shutil
import signal
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from rich.console import Console

from reconciler.model.events import Event, StepFinished
from reconciler.model.ids import PlanName
from reconciler.model.report import PlanState, PlanStatus, StepState
from reconciler.testing.localaws import LocalAws
from reconciler.testing.stage import Stage

REGION = "eu-central-1"
SANDBOX, DEVELOPMENT, PRODUCTION = "111111111111", "222222222222", "444444444444"
BUCKET = "sandbox-lab-uploads-111111111111"
#: Seconds until the demo gives up waiting for a state: generous, because machines may be slow and shared.
PATIENCE = 90.0

EXPECTED = {
    PlanName("sandbox-lab"): (PlanState.IN_SYNC, "a sandbox plan is applied as it is"),
    PlanName("dev-network"): (PlanState.IN_SYNC, "a development plan is applied because it is approved"),
    PlanName("dev-messaging"): (PlanState.PENDING_APPROVAL, "a development plan without approval waits"),
    PlanName("production-web"): (PlanState.PIPELINE_OPEN, "a production plan becomes a branch, never a direct write"),
}


class Unverified(Exception):
    """Something the demo promised did not happen."""


@dataclass(slots=True)
class Teller:
    """Prints what happens: plain lines, with a live line for what is going on where there is a terminal."""

    console: Console = field(default_factory=lambda: Console(highlight=False, emoji=False, soft_wrap=True))

    def emit(self, event: Event) -> None:
        """Each step as it ends."""
        if isinstance(event, StepFinished):
            mark = "✓" if event.result.state is StepState.DONE else "✗"
            text = event.result.result or event.result.error
            self.say(f"    {mark} {event.plan} {event.number}/{event.total} {event.step.verb} {event.step.type} {text}")

    def say(self, text: str = "") -> None:
        """One line."""
        self.console.print(text, markup=False)

    def chapter(self, title: str) -> None:
        """A heading."""
        self.console.print(f"\n{title}", style="bold", markup=False)

    @contextlib.contextmanager
    def waiting(self, what: str) -> Iterator[None]:
        """A spinner on a terminal, nothing elsewhere."""
        if not self.console.is_terminal:
            yield
            return
        with self.console.status(what):
            yield


def main(*, once: bool, directory: Path | None, port: int) -> int:
    """Run the demo; the exit code: 0 if everything was verified. ``directory`` keeps its state after it ends."""
    teller = Teller()
    stop = threading.Event()
    with contextlib.ExitStack() as stack:
        for number in (signal.SIGINT, signal.SIGTERM):
            stack.callback(signal.signal, number, signal.signal(number, lambda *_: stop.set()))
        if directory is None:
            directory = Path(tempfile.mkdtemp(prefix="reconciler-demo-"))
            stack.callback(shutil.rmtree, directory, ignore_errors=True)
        teller.chapter("Reconciler demo: a local AWS in this process, no account needed")
        with teller.waiting("starting the local AWS …"):
            aws = stack.enter_context(LocalAws(warm=("ec2", "s3", "sts")))
        stage = stack.enter_context(Stage(directory, aws, teller, port=port))
        try:
            _tell(stage, aws, teller, stop)
        except Unverified as error:
            if stop.is_set():
                return 130
            teller.say(f"\n✗ NOT VERIFIED: {error}")
            return 1
        _signpost(stage, teller, once=once)
        if not once:
            stop.wait()
    return 0


def _tell(stage: Stage, aws: LocalAws, teller: Teller, stop: threading.Event) -> None:
    teller.chapter("1. Four plans lie in desired/; the daemon makes a pass over each")
    stage.start()
    for name, (state, why) in EXPECTED.items():
        with teller.waiting(f"waiting for {name} …"):
            status = _reached(stage, name, state, stop)
        teller.say(f"  ✓ {name}: {status.state} ({why})")
        teller.say(f"      {status.message}")
    _check_world(stage, aws, teller)
    teller.chapter("2. Somebody changes things behind the daemon's back")
    _drift(aws, teller)
    teller.chapter("3. The next pass sees exactly that, and repairs it")
    _repaired(stage, aws, teller, stop)


def _reached(stage: Stage, name: PlanName, state: PlanState, stop: threading.Event) -> PlanStatus:
    found: list[PlanStatus] = []

    def there() -> bool:
        status = stage.app.store.status(name)
        if status is not None and status.state in (PlanState.INVALID, PlanState.FAILED) and status.state is not state:
            raise Unverified(f"{name} is {status.state}: {status.message}")
        if status is not None and status.state is state:
            found.append(status)
        return bool(found)

    _until(there, f"{name} to be {state}", stop)
    return found[0]


def _until(reached: Callable[[], bool], what: str, stop: threading.Event) -> None:
    deadline = time.monotonic() + PATIENCE
    while not reached():
        if stop.wait(0.1):
            raise Unverified("interrupted")
        if time.monotonic() > deadline:
            raise Unverified(f"waited {PATIENCE:.0f} s in vain for {what}")


def _claim(holds: bool, what: str, teller: Teller) -> None:
    if not holds:
        raise Unverified(what)
    teller.say(f"  ✓ {what}")


def _check_world(stage: Stage, aws: LocalAws, teller: Teller) -> None:
    """Ask AWS and Git, not the daemon."""
    with aws.uncounted():
        buckets = aws.client("s3", account=SANDBOX, region=REGION).list_buckets()["Buckets"]
        groups = _web_groups(aws)
        topics = aws.client("sns", account=DEVELOPMENT, region=REGION).list_topics()["Topics"]
    _claim(BUCKET in {bucket["Name"] for bucket in buckets}, "AWS has the sandbox's bucket", teller)
    _claim(len(groups) == 1, "AWS has the development network's security group", teller)
    _claim(not topics, "AWS has nothing of the plan that waits", teller)
    writes = sum(aws.mutations(PRODUCTION).values())
    _claim(writes == 0, "not one mutating call reached the production account", teller)
    branch, subject, files = stage.published()
    _claim(
        "main.tf" in {Path(name).name for name in files}, f"branch {branch} of the repository holds Terraform", teller
    )
    teller.say(f"      {subject}")
    for name in files:
        teller.say(f"      {name}")


def _web_groups(aws: LocalAws) -> list[dict[str, object]]:
    client = aws.client("ec2", account=DEVELOPMENT, region=REGION)
    answer = client.describe_security_groups(Filters=[{"Name": "group-name", "Values": ["dev-web"]}])
    return list(answer["SecurityGroups"])


def _drift(aws: LocalAws, teller: Teller) -> None:
    s3 = aws.client("s3", account=SANDBOX, region=REGION)
    s3.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Suspended"})
    teller.say(f"  ! versioning of s3://{BUCKET} suspended")
    open_door = {"IpProtocol": "tcp", "FromPort": 22, "ToPort": 22, "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}
    group = str(_web_groups(aws)[0]["GroupId"])
    ec2 = aws.client("ec2", account=DEVELOPMENT, region=REGION)
    ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=[open_door])
    teller.say(f"  ! port 22 of {group} opened to the world")


def _repaired(stage: Stage, aws: LocalAws, teller: Teller, stop: threading.Event) -> None:
    with teller.waiting("a pass over both plans …"):
        reports = stage.sync(PlanName("sandbox-lab"), PlanName("dev-network"), patience=PATIENCE, stop=stop)
    for report in reports:
        for change in report.changes:
            paths = ", ".join(str(item["path"]) for item in change.fields)
            teller.say(f"  ~ {report.plan}: {change.action} {change.logical_id}: {paths} ({change.reason})")
    found = {
        (change.logical_id, item["path"]) for report in reports for change in report.changes for item in change.fields
    }
    wanted = {("Uploads", "/VersioningConfiguration/Status"), ("Web", "/SecurityGroupIngress")}
    _claim(found == wanted, "the diff names the two changed fields and nothing else", teller)
    s3 = aws.client("s3", account=SANDBOX, region=REGION)
    versioning = s3.get_bucket_versioning(Bucket=BUCKET).get("Status")
    _claim(versioning == "Enabled", "versioning is on again", teller)
    rules = _web_groups(aws)[0]["IpPermissions"]
    assert isinstance(rules, list)
    ports = {rule.get("FromPort") for rule in rules}
    _claim(ports == {443}, "port 22 is closed again", teller)


def _signpost(stage: Stage, teller: Teller, *, once: bool) -> None:
    teller.chapter("Everything verified.")
    teller.say(f"  dashboard {stage.url}/      metrics {stage.url}/metrics      API {stage.url}/api/v1/plans")
    teller.say(f"  plans     {stage.plans}")
    teller.say(f"  branches  git -C {stage.repository} log --oneline --all")
    if once:
        return
    teller.say("\n  Try, from another terminal:")
    for name, value in stage.environment().items():
        teller.say(f"    export {name}={value}")
    teller.say("    reconciler status dev-messaging")
    teller.say(f"    reconciler approve dev-messaging --key {stage.key}     # and watch it being applied")
    teller.say(f"    curl -X POST -H 'Authorization: Bearer {stage.token}' {stage.url}/api/v1/sync")
    teller.say("  or edit a plan. Ctrl-C ends it.")
