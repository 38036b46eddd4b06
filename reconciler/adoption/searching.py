"""From what a person asks for to a plan: search, read, write down."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from reconciler.adoption import arns
from reconciler.adoption.checking import valid_text
from reconciler.adoption.document import Head
from reconciler.adoption.finding import Finder, Found
from reconciler.adoption.found import Adoption, Draft, Guess, Left, Subject, Taken
from reconciler.adoption.naming import logical_ids
from reconciler.adoption.properties import plan_properties
from reconciler.adoption.references import with_references
from reconciler.adoption.stacks import stack_subjects, tagged_arns
from reconciler.live import owner_in
from reconciler.model.errors import ConfigurationError
from reconciler.model.ids import Identifier, LogicalId, Owner, TypeName
from reconciler.ports import Clock, Providers, Scope
from reconciler.schema import TypeSchema, known_types, schema_for, why_unmanageable
from reconciler.template.problems import did_you_mean

_STACK = "AWS::CloudFormation::Stack"
_STACK_TAG = "aws:cloudformation:stack-name"
#: Who owns a resource by the store: type, identifier.
Owners = Callable[[TypeName, Identifier], Owner | None]

#: (parent type, its property) → the type that says the same by itself, and its property that names the parent
_APART: Mapping[tuple[str, str], tuple[str, str]] = {
    ("AWS::EC2::SecurityGroup", "SecurityGroupIngress"): ("AWS::EC2::SecurityGroupIngress", "GroupId"),
    ("AWS::EC2::SecurityGroup", "SecurityGroupEgress"): ("AWS::EC2::SecurityGroupEgress", "GroupId"),
    ("AWS::IAM::Role", "Policies"): ("AWS::IAM::RolePolicy", "RoleName"),
    ("AWS::IAM::User", "Policies"): ("AWS::IAM::UserPolicy", "UserName"),
    ("AWS::IAM::Group", "Policies"): ("AWS::IAM::GroupPolicy", "GroupName"),
}


@dataclass(frozen=True, slots=True)
class Asked:
    """What to take over: resources of a type by their identifiers, what has all these tags, or a stack's resources.

    A tag without values is one with any value.
    """

    type: str = ""
    identifiers: tuple[str, ...] = ()
    tags: Mapping[str, tuple[str, ...]] | None = None
    stack: str = ""


@dataclass(frozen=True, slots=True)
class Search:
    """Makes plans of what is in one account and region, which it only reads."""

    scope: Scope
    providers: Providers
    owners: Owners
    clock: Clock
    lint_cache: Path | None = None

    def adopt(self, asked: Asked, head: Head) -> Adoption:
        """The plan. Raises AwsFault; ConfigurationError where there is nothing to take over, or not what was named."""
        if asked.stack:
            found, left = self._of_stack(asked.stack, head)
        elif asked.tags is not None:
            found, left = self._of_tags(asked.tags)
        else:
            found, left = self._of_type(asked.type, asked.identifiers), []
        taken, owned = self._not_owned(found.taken, head)
        left = [*left, *found.left, *owned]
        if left and (asked.identifiers or not taken):
            raise ConfigurationError(
                "\n".join(["nothing was written:", *(f"  {one.shown}: {one.why}" for one in left)])
            )
        drafts = self._drafts(taken, head.target.region)
        text, kept, problems = valid_text(head, drafts, left, self.clock, self.lint_cache)
        managed = {} if asked.stack else _managed(drafts, taken)
        return Adoption(text, tuple(kept), tuple(left), tuple(str(problem) for problem in problems), managed)

    # what a search names

    def _of_type(self, type_name: str, identifiers: Sequence[str]) -> Found:
        schema = schema_for(type_name, self.scope.region)
        if schema is None:
            near = did_you_mean(type_name, known_types(self.scope.region))
            hint = near or "a type is written like AWS::S3::Bucket"
            raise ConfigurationError(f"{type_name} is no resource type in {self.scope.region}: {hint}")
        if type_name == _STACK:
            raise ConfigurationError("a stack is taken over by its resources: reconciler import --stack NAME")
        if self.providers.get(TypeName(type_name)) is None:
            raise ConfigurationError(f"{type_name} {why_unmanageable(type_name) or 'is not supported by this version'}")
        return self._finder().find([self._named(schema, one) for one in dict.fromkeys(identifiers)])

    def _named(self, schema: TypeSchema, text: str) -> Subject:
        type_name, arn = TypeName(schema.type_name), arns.parse(text)
        if arn is None:
            names = _names(schema)
            place = {names[0]: text} if names and len(schema.primary_identifier) == 1 else {}
            return Subject(text, (Guess(type_name, Identifier(text)),), place=place)
        if elsewhere := self._elsewhere(arn):
            raise ConfigurationError(f"{text}: {elsewhere}")
        raw = Guess(type_name, Identifier(text))
        guesses = dict.fromkeys((*arns.guesses(arn, self.scope.region, type_name), raw))
        return Subject(text, tuple(guesses), place=dict.fromkeys(_names(schema)[:1], arn.last))

    def _of_tags(self, tags: Mapping[str, tuple[str, ...]]) -> tuple[Found, list[Left]]:
        filters = [{"Key": key, **({"Values": list(values)} if values else {})} for key, values in tags.items()]
        items = self.scope.pages(
            "resourcegroupstaggingapi", "get_resources", "ResourceTagMappingList", TagFilters=filters
        )
        named = {str(item["ResourceARN"]): _stack_in(item.get("Tags", ())) for item in items}
        if not named:
            shown = ", ".join(f"{key}={'|'.join(values)}" if values else key for key, values in tags.items())
            raise ConfigurationError(
                f"nothing in account {self.scope.account}, {self.scope.region} is tagged {shown}: check the tags, "
                "--account and --region"
            )
        subjects, left = [], []
        for text, stack in sorted(named.items()):
            subject, why = self._by_arn(text)
            if subject is None:
                left.append(Left(text, why))
            else:
                subjects.append(replace(subject, stack=stack))
        return self._finder().find(subjects), left

    def _by_arn(self, text: str) -> tuple[Subject | None, str]:
        arn = arns.parse(text)
        if arn is None:
            return None, "not an ARN"
        if elsewhere := self._elsewhere(arn):
            return None, elsewhere
        guesses = arns.guesses(arn, self.scope.region)
        if guesses and guesses[0].type == _STACK:
            return None, f"a CloudFormation stack: reconciler import --stack {arn.name.split('/')[0]}"
        if not guesses:
            return None, "no resource type is known for such an ARN: import it by reconciler import TYPE ID"
        schema = schema_for(guesses[0].type, self.scope.region)
        place = dict.fromkeys(_names(schema)[:1] if schema is not None else (), arn.last)
        return Subject(text, guesses, arn=text, place=place), ""

    def _elsewhere(self, arn: arns.Arn) -> str:
        """Why an ARN is none of this account and region; empty if it may be."""
        if arn.region not in ("", self.scope.region):
            return f"it is in {arn.region}, a plan has one region: import what is there with --region {arn.region}"
        if arn.account.isdigit() and arn.account != self.scope.account:
            return (
                f"it is in account {arn.account}, not in {self.scope.account}: import it with --account {arn.account}"
            )
        return ""

    def _of_stack(self, name: str, head: Head) -> tuple[Found, list[Left]]:
        stack = stack_subjects(self.scope, name, head.target)
        found = self._finder().find(stack.subjects)
        done = {entry.subject.logical_id for entry in found.taken}
        missing = [subject for subject in stack.subjects if subject.logical_id not in done]
        if missing:
            found = self._by_stack_tags(stack.name, stack.subjects, missing, found)
        return found, list(stack.left)

    def _by_stack_tags(
        self, stack: str, subjects: Sequence[Subject], missing: Sequence[Subject], found: Found
    ) -> Found:
        """What a physical id hasn't led to, by the ARN that CloudFormation's tags lead to."""
        known = tagged_arns(self.scope, stack)
        again = []
        for subject in missing:
            arn = arns.parse(known.get(str(subject.logical_id), ""))
            guesses = arns.guesses(arn, self.scope.region, subject.type) if arn is not None else ()
            if guesses:
                again.append(replace(subject, guesses=guesses))
        more = self._finder().find(again) if again else Found((), ())
        entries = {entry.subject.logical_id: entry for entry in (*found.taken, *more.taken)}
        ordered = [entries[subject.logical_id] for subject in subjects if subject.logical_id in entries]
        shown = {entry.subject.shown for entry in more.taken}
        return Found(tuple(ordered), tuple(one for one in found.left if one.shown not in shown))

    def _finder(self) -> Finder:
        return Finder(self.scope, self.providers)

    # what becomes of it

    def _not_owned(self, taken: Iterable[Taken], head: Head) -> tuple[list[Taken], list[Left]]:
        """Without what another plan has."""
        free, left = [], []
        for entry in taken:
            owner = self._owner(entry)
            if owner is None or owner.plan == head.name:
                free.append(entry)
            else:
                why = (
                    f"it belongs to plan {owner.plan} ({owner.logical_id}): move it with Metadata.Reconciler.movedFrom"
                )
                left.append(Left(entry.subject.shown, why))
        return free, left

    def _owner(self, entry: Taken) -> Owner | None:
        schema = schema_for(entry.type, self.scope.region)
        tagged = owner_in(entry.live.properties, schema.tag_property if schema is not None else None)
        return tagged or self.owners(entry.type, entry.live.identifier)

    def _drafts(self, taken: Sequence[Taken], region: str) -> tuple[Draft, ...]:
        names = logical_ids(taken, region)
        drafts = [self._draft(name, entry, region, names) for name, entry in zip(names, taken, strict=True)]
        live = {name: entry.live for name, entry in zip(names, taken, strict=True)}
        return with_references(_said_once(drafts), live, region)

    def _draft(self, name: LogicalId, entry: Taken, region: str, names: Sequence[LogicalId]) -> Draft:
        schema, provider = schema_for(entry.type, region), self.providers.get(entry.type)
        assert schema is not None
        assert provider is not None
        declared = entry.subject.declared
        properties, gaps = plan_properties(schema, provider.supported, entry.live.properties, declared)
        return Draft(
            name,
            entry.type,
            entry.live.identifier,
            properties,
            gaps,
            tuple(LogicalId(need) for need in (declared.depends_on if declared else ()) if need in names),
            declared.deletion_policy if declared else "",
            declared.update_replace_policy if declared else "",
        )


def _managed(drafts: Sequence[Draft], taken: Sequence[Taken]) -> dict[LogicalId, str]:
    """The stacks that resources belong to, as far as CloudFormation's tags are shown."""
    known = {draft.logical_id: entry.subject.stack for draft, entry in zip(drafts, taken, strict=True)}
    return {name: stack for name, stack in known.items() if stack}


def _stack_in(tags: Iterable[Mapping[str, str]]) -> str:
    return next((tag.get("Value", "") for tag in tags if tag.get("Key") == _STACK_TAG), "")


def _said_once(drafts: Sequence[Draft]) -> list[Draft]:
    """Without what a resource says of another that is in the plan by itself: they would be at odds one day."""
    apart = {
        (draft.type, str(value)) for draft in drafts for value in draft.properties.values() if isinstance(value, str)
    }
    found = []
    for draft in drafts:
        twice = {
            name
            for (kind, name), (child, _) in _APART.items()
            if kind == draft.type and (child, str(draft.identifier)) in apart
        }
        kept = {name: value for name, value in draft.properties.items() if name not in twice}
        found.append(replace(draft, properties=kept))
    return found


def _names(schema: TypeSchema) -> tuple[str, ...]:
    """The properties that hold a resource's own name."""
    short = schema.type_name.rpartition("::")[2]
    return tuple(name for name in (f"{short}Name", "Name") if name in schema.settable)
