"""A resource's life on an emulator, step by step, and at which steps it goes otherwise than AWS's documentation says.

The steps are ``prepare`` (what it needs), ``make``, ``make PROPERTY``, ``show ATTRIBUTE``, ``repeat`` (the create),
``find``, ``search`` (by tags alone), ``change PROPERTY``, ``keep PROPERTY`` (while others change), ``undo PROPERTY``
(all changes at once, twice), ``reset PROPERTY`` and ``delete``. A property that the table of gaps has at ``make`` isn't
wanted any more once it has been seen there; a gap at ``prepare``, ``make`` or ``change`` as such ends that part.
"""

from __future__ import annotations

import time
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError
from botocore.parsers import ResponseParserError

from reconciler.model.errors import AwsFault
from reconciler.model.ids import Identifier
from reconciler.model.progress import Done, Pending, Progress
from reconciler.model.resource import Located
from reconciler.model.values import Unknown
from reconciler.ports import Scope
from tests.contract.elsewhere.subjects import Clients, Source, Subject
from tests.contract.elsewhere.watching import Calls
from tests.contract.providers_native.cases import ABSENT
from tests.contract.providers_native.hands import Hands

#: What takes longer on an emulator never ends. Seconds.
_PATIENCE = 3.0


class PatientHands(Hands):
    """Hands that wait in real time: the emulator is a process of its own."""

    def wait(self, progress: Progress) -> Identifier:
        """See ``Hands``."""
        deadline = time.monotonic() + _PATIENCE
        while not isinstance(progress, Done):
            assert isinstance(progress, Pending)
            assert time.monotonic() < deadline, f"never done: {progress.message}"
            time.sleep(0.01)
            progress = self.provider.poll(self.scope, progress.handle)
        return progress.identifier


@dataclass(frozen=True)
class Sight:
    """What was seen at a step, and the calls that can have shown it: the one that failed, or all that it took."""

    text: str
    calls: frozenset[str]


class Life:
    """``gaps``: the steps at which something is expected. ``seen``: those at which something was."""

    def __init__(self, source: Source, scope: Scope, clients: Clients, calls: Calls, gaps: Collection[str]) -> None:
        self._source = source
        self._hands = PatientHands(scope, source.type)
        self._clients = clients
        self._calls = calls
        self._gaps = gaps
        self._given: Mapping[str, Any] = {}
        self.seen: dict[str, Sight] = {}

    def run(self) -> Mapping[str, Sight]:
        """From what the resource needs to its end."""
        subject = self._prepared()
        if subject is None:
            return self.seen
        desired, made = self._made(subject)
        if made is None:
            return self.seen
        self._shown(subject, desired, made)
        made = self._repeated(subject, made)
        self._found(subject, desired, made)
        if "change" in self._gaps:
            self._unchangeable(subject, desired, made)
            made = self._hands.create(self._given)
        else:
            self._changed_and_reset(subject, desired, made)
        self._deleted(subject, desired, made)
        return self.seen

    # the steps

    def _prepared(self) -> Subject | None:
        with self._step("prepare"):
            return self._source.build(self._clients)
        return None

    def _made(self, subject: Subject) -> tuple[dict[str, Any], Identifier | None]:
        """What can be wanted of it, and its identifier. What can't is tried alone where all of it can't be tried."""
        lost = self._declared("make")
        wanted = _without(subject.desired, lost)
        with self._step("make" if not lost else ""):
            made = self._hands.create(subject.desired)
            self._compare("make", made, subject.desired)
            self._given = subject.desired
            return wanted, made
        self._cleared(subject)
        for path in sorted(lost):
            with self._step(f"make {path}"):
                alone = _without(subject.desired, lost - {path})
                self._compare("make", self._hands.create(alone), alone)
            self._cleared(subject)
        if lost:
            with self._step("make"):
                made = self._hands.create(wanted)
                self._compare("make", made, wanted)
                self._given = wanted
                return wanted, made
        return wanted, None

    def _shown(self, subject: Subject, desired: Mapping[str, Any], made: Identifier) -> None:
        with self._step("show"):
            live = self._hands.read(made, *desired)
            assert live is not None
            for name in subject.attributes:
                if not live.properties.get(name):
                    self._note(f"show {name}", "nothing there")

    def _repeated(self, subject: Subject, made: Identifier) -> Identifier:
        if not subject.repeatable:
            return made
        with self._step("repeat"):
            again = self._hands.create(self._given)
            if again == made:
                return made
            self._note("repeat", f"made {again} beside {made}")
            self._hands.delete(again)
            self._hands.delete(made)
            return self._hands.create(self._given)
        return made

    def _found(self, subject: Subject, desired: Mapping[str, Any], made: Identifier) -> None:
        expected = Located(made, subject.owner if subject.tagged else None)
        if subject.findable:
            with self._step("find"):
                self._expect("find", self._hands.locate(desired, subject.owner), expected)
        if subject.nameless:
            with self._step("search"):
                unknown = {**desired, subject.nameless: Unknown("Other.Name")}
                self._expect("search", self._hands.locate(unknown, subject.owner), expected)

    def _unchangeable(self, subject: Subject, desired: Mapping[str, Any], made: Identifier) -> None:
        name, value = subject.changes[0]
        with self._step("change"):
            self._hands.update(made, {**desired, name: value}, name)
            self._compare("change", made, {name: value})
        with suppress(AwsFault):
            self._hands.delete(made)
        self._cleared(subject)

    def _changed_and_reset(self, subject: Subject, desired: dict[str, Any], made: Identifier) -> None:
        target = dict(desired)
        failed = set()
        for name, value in subject.changes:
            before = dict(target)
            target[name] = _pruned(name, value, self._declared("make"))
            if not self._changed(made, target, name):
                failed.add(name)
                target = before
        with self._step("keep"):
            self._compare("keep", made, {name: value for name, value in target.items() if name not in failed})
        names = sorted({name for name, _ in subject.changes if name in desired} - failed)
        with self._step("undo"):
            target |= {name: desired[name] for name in names}
            for _ in range(2 if names else 0):
                self._hands.update(made, target, *names)
            self._compare("undo", made, {name: value for name, value in target.items() if name not in failed})
        for name, left in subject.resets.items():
            if name in target:
                self._reset(made, target, name, left)

    def _changed(self, made: Identifier, target: dict[str, Any], name: str) -> bool:
        with self._step(f"change {name}"):
            self._hands.update(made, target, name)
            return self._compare("change", made, {name: target[name]})
        return False

    def _reset(self, made: Identifier, target: Mapping[str, Any], name: str, left: Any) -> None:
        with self._step(f"reset {name}"):
            self._hands.update(made, {key: value for key, value in target.items() if key != name}, name)
            live = self._hands.read(made, name)
            assert live is not None, "gone"
            value = live.properties.get(name, ABSENT)
            if value != left and not (
                isinstance(left, dict) and isinstance(value, dict) and left.items() <= value.items()
            ):
                self._note(f"reset {name}", f"{value!r} is left")

    def _deleted(self, subject: Subject, desired: Mapping[str, Any], made: Identifier) -> None:
        with self._step("delete"):
            self._hands.delete(made)
            self._expect("delete", self._hands.read(made, *desired), None)
            self._expect("delete", self._hands.locate(desired, subject.owner), None)
            self._hands.delete(made)

    # helpers

    @contextmanager
    def _step(self, name: str) -> Iterator[None]:
        """A step that may fail; without a name what fails isn't worth a note."""
        self._calls.clear()
        try:
            yield
        except (AwsFault, AssertionError, BotoCoreError, ClientError, ResponseParserError) as error:
            if name:
                self._note(name, f"{type(error).__name__}: {error}", _failed(error))

    def _note(self, step: str, text: str, failed: str = "") -> None:
        calls = self._calls.made()
        self.seen.setdefault(step, Sight(text[:500], frozenset(call for call in calls if call.endswith(failed))))

    def _expect(self, step: str, got: Any, expected: Any) -> None:
        if got != expected:
            self._note(step, f"{got!r} in place of {expected!r}")

    def _compare(self, step: str, made: Identifier, desired: Mapping[str, Any]) -> bool:
        drift = self._hands.drift(made, desired)
        for path, live, wanted in drift:
            self._note(f"{step} {_named(path)}", f"{live!r} in place of {wanted!r}")
        return not drift

    def _declared(self, step: str) -> set[str]:
        """The properties, or paths in them, of the gaps at a step."""
        return {gap.partition(" ")[2] for gap in self._gaps if gap.startswith(f"{step} ")}

    def _cleared(self, subject: Subject) -> None:
        """What an attempt that failed may have left is gone."""
        with suppress(AwsFault):
            for located in self._hands.provider.locate(self._hands.scope, subject.desired, subject.owner):
                self._hands.delete(located.identifier)


def _failed(error: Exception) -> str:
    """The call that failed, or how its name ends; empty where none did."""
    if isinstance(error, AwsFault):
        return f"{error.service}:{error.operation}" if error.operation else ""
    return f":{error.operation_name}" if isinstance(error, ClientError) else ""


def _named(path: str) -> str:
    """How the table calls a path; tags are one thing."""
    name, _, rest = path.strip("/").partition("/")
    return name if name.endswith("Tags") or not rest else f"{name}/{rest}"


def _without(desired: Mapping[str, Any], paths: Collection[str]) -> dict[str, Any]:
    kept = {name: value for name, value in desired.items() if name not in paths}
    return {name: _pruned(name, value, paths) for name, value in kept.items()}


def _pruned(at: str, value: Any, paths: Collection[str]) -> Any:
    """A value at a path without what the longer paths name."""
    if not isinstance(value, Mapping):
        return value
    inner = {name: f"{at}/{name}" for name in value}
    return {name: _pruned(path, value[name], paths) for name, path in inner.items() if path not in paths}
