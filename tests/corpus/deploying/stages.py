"""A template through the four stages: compared with a stack, looked at again, tampered with, withdrawn."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from moto.cloudformation.parsing import NULL_MODELS, get_model_map

from reconciler.model.errors import SourceError
from reconciler.model.plan import Plan
from reconciler.model.report import PlanState, RunReport
from reconciler.schema import why_unmanageable
from tests.corpus.deploying.comparing import Words, differences, plain_world
from tests.corpus.deploying.emulator import IGNORED, known, lacking, outlives, taken
from tests.corpus.deploying.services import services_of
from tests.corpus.deploying.site import NotDeployable, Site
from tests.corpus.deploying.standing import standing
from tests.corpus.deploying.tampering import Part, changes, misjudged, parts, provider_of
from tests.corpus.deploying.templates import Template

STAGES = ("compared", "second pass", "tampered", "withdrawn")


@dataclass(slots=True)
class Result:
    """What became of a template. ``excluded``: why it is none of those to test. ``failures``: by stage, why."""

    title: str
    excluded: str = ""
    valid: bool = True
    refused: str = ""
    made_up: bool = False
    types: dict[str, int] = field(default_factory=dict)
    failures: dict[str, list[str]] = field(default_factory=dict)
    changed: int = 0
    untried: dict[str, int] = field(default_factory=dict)
    emulator: list[str] = field(default_factory=list)

    @property
    def passed(self) -> bool:
        """Whether it passed all four stages."""
        return not self.excluded and not self.failures

    def fail(self, stage: str, why: str) -> None:
        """Note why a stage failed, and whose fault that is."""
        whose = "emulator" if lacking(why) else "ours"
        self.failures.setdefault(stage, []).append(f"{whose}: {why.removeprefix('ours: ')}")

    def blame(self, why: str) -> None:
        """Note what the emulator did otherwise than AWS, once."""
        if why not in self.emulator:
            self.emulator.append(why)

    def plain(self) -> dict[str, Any]:
        """As JSON."""
        return asdict(self)


def judged(site: Site, template: Template) -> Result:
    """Take a template through all of it."""
    result = Result(template.title)
    result.excluded = _unsuitable(template)
    if result.excluded:
        return result
    result.made_up = bool(template.parameters)
    services = services_of(template.types)
    site.begin()
    site.learn(services)
    try:
        ids = site.deploy(template)
    except NotDeployable as why:
        result.excluded = f"moto can't deploy it: {why}"
        return result
    stack = Words(site.stack_account, template.plan_name, _own_ids(ids, template), template.text)
    theirs = _shown(site, stack, services)
    site.begin()
    try:
        plan = _plan(site, template, result)
    except SourceError as error:
        problem = error.problems[0]
        why = f"{problem.reason}: {_general(str(problem.message))}"
        if problem.reason == "unsupported":
            result.fail("compared", f"ours: refused: {why}")
        else:
            result.excluded = f"is no template to AWS either: {why}"
        return result
    result.types = dict(Counter(str(one.type) for one in plan.resources.values()))
    foreign = sorted(one for one in result.types if provider_of(one) is None)
    if foreign:
        result.fail("compared", f"ours: {', '.join(map(_reasoned, foreign))}")
        return result
    _Walk(site, template, plan, result, services).go(theirs)
    return result


def _unsuitable(template: Template) -> str:
    data = template.data
    if data is None:
        return "no template"
    if data.get("Transform"):
        return "has a transform, which moto leaves out"
    if not data["Resources"]:
        return "has no resources"
    missing = sorted(one for one in template.types if one not in get_model_map() or one in NULL_MODELS)
    if missing:
        return f"moto's CloudFormation has no {missing[0]}"
    if "Fn::GetStackOutput" in template.text or "!GetStackOutput" in template.text:
        return "asks for another stack's output, which moto leaves out"
    declared = data.get("Parameters") or {}
    if any(not isinstance(one, Mapping) for one in declared.values()):
        return "declares a parameter as nothing"
    return ""


def _reasoned(type_name: str) -> str:
    return f"{type_name} {why_unmanageable(type_name) or 'has no native provider'}"


def _own_ids(ids: Mapping[str, str], template: Template) -> dict[str, str]:
    """Logical ids by physical ones. What only ties others together has the id of one of them in moto.

    A group of records has that of its zone, in an ARN.
    """
    resources = (template.data or {}).get("Resources", {})
    kinds = {name: str(resources.get(name, {}).get("Type")) for name in ids}

    def ties(name: str) -> bool:
        return re.search(r"(Attachment|Association|Policy)$", kinds[name]) is not None

    named = [name for name in ids if ids[name] and kinds[name] != "AWS::Route53::RecordSetGroup"]
    return {ids[name]: name for name in sorted(named, key=lambda name: (not ties(name), name))}


def _plan(site: Site, template: Template, result: Result) -> Plan:
    """The template's plan; with what the schemas find wrong with it overlooked, which is noted."""
    try:
        return template.plan(site.account)
    except SourceError as error:
        result.valid = False
        result.refused = f"{error.problems[0].reason}: {_general(str(error.problems[0].message))}"
        return template.plan(site.account, checked=False)


def _general(message: str) -> str:
    kept = [word for word in message.split() if not any(char in word for char in "'\"/0123456789")]
    return " ".join(kept[:9])


def _shown(site: Site, words: Words, services: frozenset[str], only: frozenset[str] = frozenset()) -> dict[str, Any]:
    answers = plain_world(site.world(words.account, services, only), words)
    return {key: answer for key, answer in answers.items() if not IGNORED.search(key)}


@dataclass(slots=True)
class _Walk:
    site: Site
    template: Template
    plan: Plan
    result: Result
    services: frozenset[str]
    words: Words | None = None
    telling: frozenset[str] = frozenset()

    def go(self, theirs: Mapping[str, Any]) -> None:
        """All stages, as far as they make sense after a failure."""
        empty = self._empty()
        report = self.site.run(self.plan)
        if report.state is not PlanState.IN_SYNC:
            if lax := taken(_why(report), valid=self.result.valid):
                self.result.excluded = f"moto's CloudFormation takes {lax}"
                return
            self.result.fail("compared", f"not applied: {_why(report)}")
            return
        records = self.site.records(self.plan.name)
        # the first of equal ones; moto's stacks know neither a security group's rule nor an access point by its id
        known_ids = {str(records[name].identifier): name for name in sorted(records, reverse=True)}
        ids = {one: name for one, name in known_ids.items() if not one.startswith(("sgr-", "fsap-"))}
        self.words = Words(self.site.account, self.template.plan_name, ids, self.template.text)
        ours = self._seen()
        self._compare(ours, theirs)
        self._second_pass()
        self.words = replace(self.words, tags=True)
        before = self._seen()
        self.telling = frozenset(key.split(" ")[0] for key in before if before[key] != empty.get(key))
        self._tamper(before)
        self.words = replace(self.words, tags=False)
        self._withdraw(empty)

    def _seen(self) -> dict[str, Any]:
        assert self.words is not None
        return _shown(self.site, self.words, self.services)

    def _differs(self, before: Mapping[str, Any]) -> list[tuple[str, list[str], list[str]]]:
        """What is otherwise than before, by the operations that tell of the plan."""
        assert self.words is not None
        known = {key: answer for key, answer in before.items() if key.split(" ")[0] in self.telling}
        now = _shown(self.site, self.words, self.services, self.telling) if self.telling else {}
        return differences(known, now)

    def _empty(self) -> dict[str, Any]:
        return _shown(
            self.site, Words(self.site.account, self.template.plan_name, {}, self.template.text), self.services
        )

    def _compare(self, ours: Mapping[str, Any], theirs: Mapping[str, Any]) -> None:
        for place, left, right in differences(ours, theirs):
            why = known(place, left, right, self.template.text)
            if why:
                self.result.blame(why)
            else:
                self.result.fail("compared", f"{place}: plan {_short(left)}, stack {_short(right)}")

    def _second_pass(self) -> None:
        self.site.aws.reset_calls()
        report = self.site.run(self.plan)
        if report.changes or report.state is not PlanState.IN_SYNC:
            fields = sorted(f"{change.logical_id}{item['path']}" for change in report.changes for item in change.fields)
            self.result.fail("second pass", f"{report.state}: differs in {', '.join(fields)} {_why(report)}")
        if written := self.site.mutations():
            self.result.fail("second pass", f"mutating calls: {', '.join(written)}")

    def _tamper(self, before: Mapping[str, Any]) -> None:
        records = self.site.records(self.plan.name)
        for part in list(parts(self.plan, records, self.site.outside())):
            if part.why:
                self._skip(part.why)
                continue
            if not self._changed(part, before):
                self.site.run(self.plan)
                if self._differs(before):
                    return  # what was changed stays: the rest can't be told apart from it

    def _changed(self, part: Part, before: Mapping[str, Any]) -> bool:
        """Whether everything is as before in the end."""
        record, refusals, unseen = self.site.records(self.plan.name)[part.logical_id], "", False
        for done in changes(self.site.outside(), record, part):
            if not self._differs(before):
                unseen = unseen or not done.startswith("!")
                refusals = done.removeprefix("!") if done.startswith("!") else f"{part.type} {part.name}: no effect"
                continue
            report = self.site.run(self.plan)
            if done.startswith("!"):  # refused halfway
                refusals = done.removeprefix("!")
                if left := self._differs(before):
                    why = f"{part.type} {part.title}: {left[0][0]} not put right after {refusals}"
                    self.result.fail("tampered", why)
                    return False
                continue
            wrong = misjudged(report, part)
            left = self._differs(before)
            self.result.changed += 1
            if not report.changes:
                wrong = "drift not seen"
            if left and not wrong:
                wrong = f"not as before: {left[0][0]}: was {_short(left[0][1])}, is {_short(left[0][2])}"
            if wrong:
                self.result.fail("tampered", f"{part.type} {part.title} to {_short([done])}: {wrong}")
            return not wrong
        if unseen:  # what no call shows may have changed all the same, and isn't another property's drift
            self.site.run(self.plan)
        self._skip(f"emulator: {refusals}" if refusals else "no other value")
        return True

    def _named(self, name: str) -> str:
        record = self.site.records(self.plan.name).get(name)
        return "" if record is None else re.split(r"[/:]", record.identifier)[-1]

    def _skip(self, why: str) -> None:
        self.result.untried[why] = self.result.untried.get(why, 0) + 1

    def _withdraw(self, empty: Mapping[str, Any]) -> None:
        if not self.site.records(self.plan.name):
            return
        absent = self.template.plan(self.site.account, absent=True, checked=False)
        self.site.aws.reset_calls()
        kept = [name for name, one in self.plan.resources.items() if one.deletion_policy != "Delete"]
        shown = [f"‹{name}›" for name in kept] + [self._named(name) for name in kept]
        waiting = self.site.run(absent)
        right = PlanState.IN_SYNC if len(kept) == len(self.plan.resources) else PlanState.PENDING_APPROVAL
        if waiting.state is not right or self.site.mutations():
            self.result.fail("withdrawn", f"without an approval: {waiting.state}, {self.site.mutations()}")
        report = self.site.run(absent, approved=frozenset({"delete"}))
        if report.state is not PlanState.IN_SYNC:
            self.result.fail("withdrawn", _why(report))
            return
        for place, _was, left in differences(empty, standing(self._seen())):
            text = f"{place} {left}"
            if not left or any(word and word in text for word in shown):
                continue
            if why := outlives(place):
                self.result.blame(why)
            else:
                self.result.fail("withdrawn", f"left: {place}: {_short(left)}")


def _why(report: RunReport) -> str:
    errors = [f"{step.type} {step.verb}: {step.error}" for step in report.steps if step.error]
    return "; ".join(errors[:2]) or report.message or report.error


def _short(values: list[str]) -> str:
    text = ", ".join(values)
    return text if len(text) < 120 else f"{text[:117]}…"
