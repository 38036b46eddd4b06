"""Plans that another tool delivers: their files go to the branch as they are in the source, with a list of them beside.

The list says which files are ours: unlike rendered ones they can't say so themselves.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from reconciler.model.change import ChangeSet
from reconciler.pipeline import refs
from reconciler.pipeline.files import RenderedFile
from reconciler.pipeline.header import HEADER
from reconciler.pipeline.repository import Repository

#: The list, in the plan's directory.
LIST = "reconciler-files.txt"


def render(changes: ChangeSet) -> tuple[RenderedFile, ...]:
    """The files of a stack, Terraform or CDK plan, and the list of them. Pure."""
    plan = changes.plan
    if any(file.path == LIST for file in changes.files):
        raise refs.refusal(f"plan {plan.name}: {LIST} is the list of what is published; name your file otherwise")
    header = f"# {HEADER} from plan {' '.join(plan.name.split())}: change these files where the plan is, not here."
    listed = "\n".join([header, *sorted(file.path for file in changes.files)]) + "\n"
    return (*(RenderedFile(file.path, file.content) for file in changes.files), RenderedFile(LIST, listed))


def stale(repository: Repository, base: str, directory: Sequence[str], wanted: Iterable[str]) -> list[str]:
    """Files of ours in the base that are no longer wanted. ``wanted``: full paths.

    Raises PipelineError where a file to write is there and isn't ours.
    """
    place = "/".join(directory)
    ours = {f"{place}/{path}" for path in _listed(repository, base, directory)}
    paths = set(wanted)
    taken = sorted(path for path in paths - ours if _blob(repository, base, path) is not None)
    if taken:
        raise refs.refusal(f"{taken[0]} wasn't published by reconciler and is left alone: choose another pipeline.path")
    return sorted(path for path in ours - paths if _blob(repository, base, path) is not None)


def holds(repository: Repository, commit: str, files: Mapping[str, str]) -> bool:
    """Whether a commit has all of these files, by full path."""
    found = ((_blob(repository, commit, path), content) for path, content in files.items())
    return all(sha is not None and repository.blob(sha) == content for sha, content in found)


def _listed(repository: Repository, base: str, directory: Sequence[str]) -> list[str]:
    sha = _blob(repository, base, "/".join([*directory, LIST]))
    text = repository.blob(sha) if sha is not None else ""
    if not text.startswith(f"# {HEADER}"):
        return []
    return [LIST, *(line for line in text.splitlines()[1:] if line and ".." not in line.split("/"))]


def _blob(repository: Repository, commit: str, path: str) -> str | None:
    *parents, name = path.split("/")
    found = repository.entries(commit, parents).get(name)
    return found[1] if found is not None else None
