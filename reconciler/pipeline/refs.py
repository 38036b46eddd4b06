"""Names that end up in Git: branches, directories and repository addresses, checked before Git ever sees them."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from urllib.parse import unquote, urlsplit

from reconciler.model.change import Action, ChangeSet
from reconciler.model.errors import PipelineError
from reconciler.model.plan import Plan
from reconciler.model.secrecy import know

_PLACEHOLDER = re.compile(r"\{([^{}]*)\}")
_SAFE_NAME = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")
_BAD_IN_REF = re.compile(r"[\x00-\x20\x7f~^:?*\[\\{}]|\.\.|@\{|//")
_BAD_IN_PATH = re.compile(r"[\x00-\x1f\x7f\\{}]")
_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://")
_SCP_LIKE = re.compile(r"(?:[A-Za-z0-9._-]+@)?[A-Za-z0-9][A-Za-z0-9.-]*:(?!:)[^\s]+")
_GITHUB = re.compile(
    r"(?:https://(?:[^/@]+@)?|ssh://(?:[^/@]+@)?|[^/@]+@)github\.com[:/]([A-Za-z0-9._-]+/[A-Za-z0-9._-]+?)(?:\.git)?/?"
)
_CREDENTIALS = re.compile(r"(://)[^/\s]+@")
#: How Git may reach a repository. Everything else, above all ``ext::`` which runs commands, is refused.
PROTOCOLS = ("file", "https", "ssh")
ACTIONS = ("add", "update", "remove", "rollback")


def refusal(message: str) -> PipelineError:
    """A PipelineError that trying again won't mend."""
    error = PipelineError(message)
    error.retryable = False
    return error


def action_word(changes: ChangeSet) -> str:
    """What a change set does as a whole, for branch and subject: one of ``ACTIONS``."""
    if changes.plan.rolling_back is not None:
        return "rollback"
    kinds = {change.action for change in changes.changes}
    if kinds and kinds <= {Action.CREATE, Action.ADOPT}:
        return "add"
    if kinds == {Action.DELETE} or changes.plan.absent:
        return "remove"
    return "update"


def slug(name: str) -> str:
    """``name`` as a safe part of a branch, path or file name; different names stay different."""
    if _SAFE_NAME.fullmatch(name):
        return name
    plain = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[:40]
    return f"{plain or 'plan'}-{hashlib.sha256(name.encode('utf-8', 'surrogatepass')).hexdigest()[:8]}"


def branch_name(template: str, plan: Plan, action: str) -> str:
    """The branch for a plan. Raises PipelineError if it isn't a name that Git and hosting services take."""
    name = _fill(template, plan, action, "branch")
    parts = name.split("/")
    if (
        not name
        or len(name) > 200
        or name in ("HEAD", "@")
        or name.startswith(("-", "refs/"))
        or _BAD_IN_REF.search(name)
        or any(not part or part.startswith(".") or part.endswith((".lock", ".")) for part in parts)
    ):
        raise refusal(f"plan {plan.name}: {name!r} is no usable branch name: correct pipeline.branch")
    return name


def base_name(base: str, plan: Plan) -> str:
    """The base branch, checked like a rendered one."""
    return branch_name(base, plan, "update")


def directory(template: str, plan: Plan, action: str) -> tuple[str, ...]:
    """The plan's directory in the repository, as its parts. Raises PipelineError if it leads outside or into Git."""
    text = _fill(template, plan, action, "path")
    path = PurePosixPath(text)
    bad_part = any(
        part in ("..", "") or part.lower().rstrip(" .") == ".git" or part != part.strip() for part in path.parts
    )
    if path.is_absolute() or bad_part or not path.parts or _BAD_IN_PATH.search(text) or "git~1" in text.lower():
        raise refusal(f"plan {plan.name}: {text!r} is no usable directory in a repository: correct pipeline.path")
    return path.parts


def _fill(template: str, plan: Plan, action: str, what: str) -> str:
    values: Mapping[str, str] = {
        "plan": slug(plan.name),
        "action": action,
        "environment": slug(plan.target.environment),
        "account": slug(plan.target.account),
        "region": slug(plan.target.region),
    }

    def value(match: re.Match[str]) -> str:
        if match[1] not in values:
            raise refusal(
                f"plan {plan.name}: pipeline.{what} names {{{match[1]}}}; there are "
                + ", ".join(f"{{{name}}}" for name in values)
            )
        return values[match[1]]

    return _PLACEHOLDER.sub(value, template)


def repository_address(text: str) -> str:
    """A repository's address as handed to Git; a local path made absolute. Raises PipelineError for unsafe ones."""
    address = text.strip()
    if not address or address.startswith("-") or re.search(r"[\x00-\x1f\x7f]", address):
        raise refusal(f"{masked(text)!r} is no usable repository address: correct pipeline.repository")
    scheme = _SCHEME.match(address)
    if scheme is not None and scheme[1].lower() in PROTOCOLS:
        host = address[scheme.end() :].rsplit("@", 1)[-1]
        if not host.startswith("-"):
            return address
    elif scheme is None and "::" not in address:
        if _SCP_LIKE.fullmatch(address):
            return address
        return str(Path(address).expanduser().resolve())
    raise refusal(f"{masked(address)}: repositories are reached by {', '.join(PROTOCOLS)} or a local path only")


@dataclass(frozen=True, slots=True)
class Remote:
    """A repository's address in its parts.

    ``url`` is what Git is given: the address without a password. ``scheme``: file, https or ssh. ``place``: host and,
    if it was given, port. ``path``: the project on a hosting service (``owner/name``).
    """

    url: str
    scheme: str
    host: str = ""
    place: str = ""
    path: str = ""
    user: str = ""
    password: str = field(default="", repr=False)


def remote_of(address: str) -> Remote:
    """The parts of an address that ``repository_address`` has let through."""
    scheme = _SCHEME.match(address)
    if scheme is None and not _SCP_LIKE.fullmatch(address):
        return Remote(address, "file")
    if scheme is None:
        front, _, path = address.partition(":")
        user, _, host = front.rpartition("@")
        return Remote(address, "ssh", host.lower(), host.lower(), _project(path), user)
    parts = urlsplit(address)
    if parts.scheme.lower() == "file":
        return Remote(address, "file")
    host = (parts.hostname or "").lower()
    place = parts.netloc.rsplit("@", 1)[-1]
    user, password = unquote(parts.username or ""), unquote(parts.password or "")
    if password:
        know(password)
    plain = parts._replace(netloc=f"{parts.username}@{place}" if user else place).geturl()
    return Remote(plain, parts.scheme.lower(), host, place, _project(parts.path), user, password)


def _project(path: str) -> str:
    return path.strip("/").removesuffix(".git")


def github_project(address: str) -> str | None:
    """``owner/name`` of a repository on GitHub, None for others."""
    match = _GITHUB.fullmatch(address)
    return match[1] if match else None


def hides(address: str) -> bool:
    """Whether an address is one that ``masked`` has made: nothing can be reached by it."""
    return "://***@" in address


def masked(text: str) -> str:
    """``text`` with the credentials in every address in it hidden."""
    return _CREDENTIALS.sub(r"\1***@", text)
