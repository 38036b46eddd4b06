"""Reading what a search has named, until it is certain what each thing is. Nothing counts that a read hasn't shown."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

from reconciler.adoption.exceptions import fits, looked_up
from reconciler.adoption.found import Guess, Left, Subject, Taken
from reconciler.live import as_far_as_known, has_no_call
from reconciler.model.errors import AwsFault, FaultKind, GuardBlocked
from reconciler.model.ids import Identifier, LogicalId, Owner, PlanName, TypeName
from reconciler.model.resource import Located, Observation, Unreadable, Wanted
from reconciler.ports import Providers, Scope
from reconciler.schema import identifier_of, reference_value, schema_for, why_unmanageable

#: looks for something by its place: it is nobody's yet
_NOBODY = Owner(PlanName("nobody"), LogicalId("Nobody"))


@dataclass(frozen=True, slots=True)
class Found:
    """What was read, and what wasn't, each in the order of the subjects."""

    taken: tuple[Taken, ...]
    left: tuple[Left, ...]


class Finder:
    """Reads subjects in batches, one type at a time; guess by guess, then by the place where one must be."""

    def __init__(self, scope: Scope, providers: Providers) -> None:
        self._scope, self._providers = scope, providers

    def find(self, subjects: Sequence[Subject]) -> Found:
        """Everything that is there. Raises AwsFault only for what concerns all of it (credentials)."""
        taken: dict[int, Taken] = {}
        why: dict[int, str] = {}
        for turn in range(max((len(subject.guesses) for subject in subjects), default=0)):
            open_ = {
                index: subject.guesses[turn]
                for index, subject in enumerate(subjects)
                if index not in taken and turn < len(subject.guesses) and self._is_likely(subject.guesses[turn])
            }
            self._read(subjects, open_, taken, why)
        for index, subject in enumerate(subjects):
            if index not in taken and (subject.place or subject.guesses):
                self._read(subjects, self._placed(index, subject, why), taken, why, sure=True)
        return Found(*_sorted_out(subjects, taken, why))

    def _is_likely(self, guess: Guess) -> bool:
        """Whether it has the form of such an identifier: some services take anything and answer for something."""
        schema = schema_for(guess.type, self._scope.region)
        names = schema.primary_identifier if schema is not None else ()
        if len(names) != 1:
            return True
        ending, beginning = names[0].lower()[-3:], {"arn": "arn:", "url": "http"}
        return guess.identifier.startswith(beginning.get(ending, ""))

    def _read(
        self,
        subjects: Sequence[Subject],
        wanted: Mapping[int, Guess],
        taken: dict[int, Taken],
        why: dict[int, str],
        *,
        sure: bool = False,
    ) -> None:
        """Read guesses and keep what is meant. ``sure``: a provider has found them where they must be."""
        by_type: dict[TypeName, dict[int, Identifier]] = defaultdict(dict)
        for index, guess in wanted.items():
            by_type[guess.type][index] = guess.identifier
        for type_name, identifiers in by_type.items():
            answers = self._answers(type_name, list(dict.fromkeys(identifiers.values())))
            for index, identifier in identifiers.items():
                answer = answers.get(identifier)
                if isinstance(answer, Unreadable):
                    why.setdefault(index, answer.message)
                elif answer is not None and self._is_meant(subjects[index], type_name, answer, sure=sure):
                    taken[index] = Taken(subjects[index], type_name, self._named(type_name, answer))

    def _answers(
        self, type_name: TypeName, identifiers: Sequence[Identifier]
    ) -> Mapping[Identifier, Observation | Unreadable]:
        provider, schema = self._providers.get(type_name), schema_for(type_name, self._scope.region)
        if provider is None or schema is None:
            reason = f"{type_name} {why_unmanageable(type_name) or f'does not exist in {self._scope.region}'}"
            return {one: Unreadable(one, FaultKind.INVALID_REQUEST, reason) for one in identifiers}
        every = schema.properties | provider.supported

        def read(one: Identifier, names: frozenset[str]) -> Observation | Unreadable | None:
            return provider.read_many(self._scope, [Wanted(one, names)]).get(one)

        try:
            found = provider.read_many(self._scope, [Wanted(one, every) for one in identifiers])
            unread = [one for one, answer in found.items() if has_no_call(answer)]
            again = {one: as_far_as_known(partial(read, one), schema.required, every) for one in unread}
            return {**found, **{one: answer for one, answer in again.items() if answer is not None}}
        except AwsFault as fault:
            if fault.kind is FaultKind.CREDENTIALS:
                raise
            return {one: Unreadable(one, fault.kind, str(fault)) for one in identifiers}
        except GuardBlocked as blocked:
            return {one: Unreadable(one, FaultKind.ACCESS_DENIED, str(blocked)) for one in identifiers}

    def _is_meant(self, subject: Subject, type_name: TypeName, live: Observation, *, sure: bool) -> bool:
        """Whether what was read is what the search named.

        The physical ids of types that hang on others (a route, say; they have no tags) may be CloudFormation's own and
        tell nothing; what stands where the template puts it is meant then. Of others it might be somebody else's.
        """
        schema = schema_for(type_name, self._scope.region)
        if not fits(type_name, live.properties):
            return False
        if subject.reference and schema is not None:
            known = subject.declared is not None and bool(subject.declared.properties)
            placed = sure and known and schema.tag_property is None
            return placed or subject.reference in (reference_value(schema, live), live.identifier)
        if not subject.arn:
            return True
        arns = {text for text in live.properties.values() if isinstance(text, str) and text.startswith("arn:")}
        own = {text for name, text in live.properties.items() if name.lower().endswith("arn") and text in arns}
        return subject.arn in own or all(part in subject.arn for part in live.identifier.split("/")[-1:]) or not own

    def _named(self, type_name: TypeName, live: Observation) -> Observation:
        """The observation under its whole identifier: a part of one may have been enough to read it."""
        schema = schema_for(type_name, self._scope.region)
        if schema is None or live.identifier.count("|") + 1 == len(schema.primary_identifier):
            return live
        whole = identifier_of(schema, live.properties)
        return live if whole is None else replace(live, identifier=whole)

    def _placed(self, index: int, subject: Subject, why: dict[int, str]) -> Mapping[int, Guess]:
        """Where a provider finds something that stands in the subject's place."""
        provider = self._providers.get(subject.type)
        if provider is None:
            return {}
        try:
            known = looked_up(self._scope, subject.type, subject.reference or subject.shown)
            if known is not None:
                return {index: Guess(subject.type, known)}
            found: Sequence[Located] = provider.locate(self._scope, subject.place, _NOBODY)
        except (AwsFault, GuardBlocked) as fault:
            why.setdefault(index, str(fault))
            return {}
        return {index: Guess(subject.type, found[0].identifier)} if len(found) == 1 else {}


def _sorted_out(
    subjects: Sequence[Subject], taken: Mapping[int, Taken], why: Mapping[int, str]
) -> tuple[tuple[Taken, ...], tuple[Left, ...]]:
    """The same thing found twice is there once."""
    seen: dict[tuple[TypeName, Identifier], Taken] = {}
    left = []
    for index, subject in enumerate(subjects):
        entry = taken.get(index)
        if entry is None:
            left.append(Left(subject.shown, why.get(index) or _absent(subject)))
        else:
            seen.setdefault((entry.type, entry.live.identifier), entry)
    return tuple(seen.values()), tuple(left)


def _absent(subject: Subject) -> str:
    if subject.declared is not None or subject.reference:
        return "not found, neither by its physical id nor where the template puts it: was it deleted?"
    schema = schema_for(subject.type)
    form = "|".join(schema.primary_identifier) if schema is not None else ""
    return f"no {subject.type} is identified by it" + (f" (an identifier is its {form})" if form else "")
