"""Which files of a repository we wrote: the only ones that are ever overwritten or removed.

Names are relative to a plan's directory; one that begins with ``/`` is relative to the repository's root. Text says by
its first line that we wrote it. JSON can't: a file beside it, which only we would put there with it, speaks for it.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping, Sequence

from reconciler.model.errors import PipelineError
from reconciler.pipeline.header import HEADER
from reconciler.pipeline.rendering import MANAGED_FILES
from reconciler.pipeline.repository import Repository

#: file mode and object of everything that is there
Held = Mapping[str, tuple[str, str]]

_REGULAR = ("100644", "100755")
_DIRECTORY = "040000"
_FOLDERS = sorted({name.rsplit("/", 1)[0] for name in MANAGED_FILES if "/" in name})
_TYPESCRIPT, _PYTHON, _TEMPLATE = "bin/app.ts", "app.py", "template.yaml"
_SPEAKERS: Mapping[str, tuple[str, ...]] = {
    "cdk.json": (_TYPESCRIPT, _PYTHON),
    "imports.json": (_TEMPLATE, _TYPESCRIPT, _PYTHON),
    "package.json": (_TYPESCRIPT,),
    "package-lock.json": (_TYPESCRIPT,),
    "parameters.json": (_TEMPLATE,),
    "tsconfig.json": (_TYPESCRIPT,),
}


def full(directory: Sequence[str], name: str) -> str:
    """A file's path in the repository."""
    return name[1:] if name.startswith("/") else "/".join((*directory, name))


def held(
    repository: Repository, commit: str, directory: Sequence[str], others: Iterable[str], wanted: Container[str]
) -> Held:
    """What a commit holds where a plan's files may be: its directory, its folders there, and ``others`` (with ``/``).

    Raises PipelineError where the directory of one that is ``wanted`` is something else.
    """
    found = dict(repository.entries(commit, directory))
    for folder in _FOLDERS:
        if found.get(folder, ("", ""))[0] == _DIRECTORY:
            inner = repository.entries(commit, (*directory, folder))
            found |= {f"{folder}/{name}": entry for name, entry in inner.items()}
    for name in others:
        *parents, last = name[1:].split("/")
        try:
            beside = repository.entries(commit, parents)
        except PipelineError:
            if name in wanted:
                raise
            continue
        if last in beside:
            found[name] = beside[last]
    return found


def is_ours(repository: Repository, found: Held, name: str) -> bool:
    """Whether a file is a regular one that we wrote."""
    if name not in MANAGED_FILES and not name.startswith("/"):
        return False
    if found[name][0] not in _REGULAR:
        return False
    speakers = _SPEAKERS.get(name, (name,))
    return any(_says_so(repository, found, speaker) for speaker in speakers)


def _says_so(repository: Repository, found: Held, name: str) -> bool:
    if name not in found or found[name][0] not in _REGULAR:
        return False
    return repository.blob(found[name][1]).startswith((f"# {HEADER}", f"// {HEADER}"))
