"""What can be said of a type: which calls make, read, change, delete, tag and find a resource.

Names of properties are those of the CloudFormation schema, names of parameters and members those of the SDK. Where the
two are the same but for the case of letters (``ShardCount``, ``shardCount``) nothing has to be said.

A text among ``constants`` may have fields in braces: ``{partition}``, ``{region}``, ``{account}``, ``{arn}``, and the
names of the properties that identify a resource or are known when the call is made. A *path* into an answer has dots
(``Cluster.Status``).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from reconciler.model.ids import TypeName
from reconciler.providers.native.naming import NameRule

Names = tuple[str, ...]
Renames = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Call:
    """A call that writes. The parts of the identifier that its input has are given by themselves.

    ``takes``: the properties that it is given; for a create, empty means all that its input has.
    ``renames``: as in ``Declaration``, for this call alone. ``under``: the parameter that all properties go into.
    ``spread``: properties whose own members are the parameters.
    """

    operation: str
    takes: Names = ()
    renames: Renames = field(default_factory=dict)
    constants: Mapping[str, Any] = field(default_factory=dict)
    under: str = ""
    spread: Names = ()


@dataclass(frozen=True, slots=True)
class Many:
    """How a read asks for several resources at once: ``parameter`` takes up to ``size`` values of the property ``of``.

    ``filter``: the name of a filter that takes the values; ``parameter`` is then that of the filters.
    """

    parameter: str
    of: str
    size: int = 100
    filter: str = ""


@dataclass(frozen=True, slots=True)
class Read:
    """A call that reads. ``answer``: the path to the resource, or to a list of resources, in what it answers.

    ``many``: asks for several at once. ``lists``: has no way to ask for one: all are listed, and picked from.
    ``shows``: the properties that a further read is made for. ``into``: the property that its answer is the value of.
    ``missing``: error codes that say that there is nothing (other than those which always do). ``paged``: what is asked
    for is one of several that come in pages.
    """

    operation: str
    answer: str = ""
    renames: Renames = field(default_factory=dict)
    constants: Mapping[str, Any] = field(default_factory=dict)
    many: Many | None = None
    lists: bool = False
    shows: Names = ()
    into: str = ""
    missing: Names = ()
    paged: bool = False


@dataclass(frozen=True, slots=True)
class Update:
    """A change of the properties that ``call`` takes, or of ``of`` alone.

    ``whole``: the call replaces everything: it is given all that it takes, changed or not. ``along``: properties that
    it is always given. ``clear``: the call that takes the properties away. ``later``: the create call doesn't take
    them, so that this one follows it.
    """

    call: Call
    of: Names = ()
    whole: bool = False
    along: Names = ()
    clear: Call | None = None
    later: bool = False

    @property
    def names(self) -> frozenset[str]:
        """The properties whose change this is for."""
        return frozenset(self.of or self.call.takes)


@dataclass(frozen=True, slots=True)
class Waiting:
    """What an asynchronous type shows while AWS works on it. ``at``: the path to the state in what the read answers.

    ``pending``, ``failed``, ``gone``: states. One that is gone doesn't exist any more; ``*``: whatever is at the path
    says so. ``leaving``: nor does one that is, but a delete waits for it. A state may be both failed and gone:
    a create that came to it has failed. ``why``: the path to a reason. ``deletes``: a delete is waited for, too.
    ``then``: the path to a state that counts where the first one is at rest.
    """

    at: str
    pending: frozenset[str] = frozenset()
    failed: frozenset[str] = frozenset()
    gone: frozenset[str] = frozenset()
    leaving: frozenset[str] = frozenset()
    why: str = ""
    deletes: bool = True
    seconds: float = 2.0
    then: str = ""

    def is_gone(self, state: str) -> bool:
        """Whether what shows this state (empty: none) has gone for good."""
        return state in self.gone or bool(state and "*" in self.gone)


@dataclass(frozen=True, slots=True)
class Tagging:
    """How tags are read and written.

    ``target``: the parameters that name the resource. ``inline``: the path to tags in what the read answers; else
    ``read`` is called (with ``asks``, if not ``target``) and ``answer`` has them. ``tags`` and ``keys``: the parameters
    of ``write`` and ``remove``.
    ``create``: the parameter of the create call; without one a create is followed by ``write``. Whether tags are a map
    or a list of pairs, and how the pairs are spelled, the SDK's model says. ``specification``: EC2's name of the type.
    ``kind``: the type's name in the tagging API (``kinesis:stream``); ``arns``: the pattern that ARNs of the type match
    where others are of that kind, too. ``checked``: not every endpoint heeds the tags of
    a create call, so that they are looked at after it.
    """

    write: str
    remove: str
    target: Mapping[str, Any]
    read: str = ""
    asks: Mapping[str, Any] = field(default_factory=dict)
    answer: str = "Tags"
    inline: str = ""
    tags: str = "Tags"
    keys: str = "TagKeys"
    create: str = ""
    specification: str = ""
    kind: str = ""
    arns: str = ""
    checked: bool = False
    service: str = ""
    constants: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Listing:
    """How resources are looked for without knowing their identifier.

    ``answer``: the path to the list. ``filtered``: takes EC2's filters by tag. ``match``: properties that no two
    resources share, so that what has those of the plan stands in its place. ``whole``: items show what the read shows;
    else each is read.
    """

    operation: str
    answer: str
    constants: Mapping[str, Any] = field(default_factory=dict)
    filtered: bool = False
    match: Names = ()
    whole: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Declaration:
    """A resource type.

    ``renames``: the member that a property is called by, both ways; a nested one by its path (``Rules/Id``). ``made``:
    the path to the new resource in what the create call answers. ``naming``: which property holds the name, for types
    that have one of their own or get one. ``named``: finds a resource by its name, where the identifier isn't told by
    the name. ``identity``: parts of the identifier that can be spelled out (``{"Arn": "arn:{partition}:…:{Name}"}``),
    of several ways by the first whose fields are all known.
    ``parts``: the same read backwards: how an identifier (an ARN) is made of properties, which calls are then given and
    the resource is seen to have; of several ways the first that fits.
    ``arn``: the resource's ARN; where the identifier is it, ``{Arn}``. ``repeatable``: the create call's parameter for
    a client token. ``looks_first``: the create call answers an existing resource as if it had made it.
    ``resets``: what AWS gives a resource that doesn't say. ``unsupported``: properties that aren't managed.
    ``prefixes``: what answers put before a property's value and the schema doesn't (``/hostedzone/``).
    ``also`` and ``also_reads``: IAM actions that writing and reading need besides (``iam:PassRole``). ``asks``: those
    that only the writing of a property needs.
    """

    type: TypeName
    service: str
    read: Read
    create: Call
    delete: Call
    extras: tuple[Read, ...] = ()
    updates: tuple[Update, ...] = ()
    tagging: Tagging | None = None
    waiting: Waiting | None = None
    naming: NameRule | None = None
    named: Read | None = None
    listing: Listing | None = None
    renames: Renames = field(default_factory=dict)
    identity: Mapping[str, str | Names] = field(default_factory=dict)
    parts: Mapping[str, Names] = field(default_factory=dict)
    arn: str = ""
    made: str = ""
    repeatable: str = ""
    looks_first: bool = False
    resets: Mapping[str, Any] = field(default_factory=dict)
    unsupported: frozenset[str] = frozenset()
    prefixes: Mapping[str, str] = field(default_factory=dict)
    also: Names = ()
    also_reads: Names = ()
    asks: Mapping[str, Names] = field(default_factory=dict)


def arn_tagging(
    resource: str,
    *,
    tags: str = "Tags",
    keys: str = "TagKeys",
    create: str = "Tags",
    read: str = "list_tags_for_resource",
    answer: str = "Tags",
    write: str = "tag_resource",
    remove: str = "untag_resource",
    inline: str = "",
    kind: str = "",
) -> Tagging:
    """The way of most services: ``TagResource`` and its likes, with the ARN in the parameter ``resource``."""
    return Tagging(
        write,
        remove,
        {resource: "{arn}"},
        read=read,
        answer=answer,
        inline=inline,
        tags=tags,
        keys=keys,
        create=create,
        kind=kind,
    )


def ec2_tagging(
    specification: str,
    identifier: str,
    *,
    create: str = "TagSpecifications",
    inline: str = "Tags",
    checked: bool = False,
) -> Tagging:
    """EC2's way; ``identifier``: the property with the resource's id."""
    return Tagging(
        "create_tags",
        "delete_tags",
        {"Resources": [f"{{{identifier}}}"]},
        inline=inline,
        keys="Tags",
        create=create,
        specification=specification,
        checked=checked,
    )
