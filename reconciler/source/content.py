"""What a plan consists of beyond its own document: the template, wherever it is written, and the files it refers to."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from reconciler.model.errors import SourceError
from reconciler.model.ids import Digest
from reconciler.source.document import Document, Place, failure, path_of
from reconciler.source.files import Tree
from reconciler.source.models import PlanSpec
from reconciler.source.parse import parse


class Reader:
    """Notes every file that a plan draws in, so that a change to any of them makes the plan be read again."""

    def __init__(self, tree: Tree) -> None:
        self.tree = tree
        self.files: set[str] = set()
        self.directories: set[str] = set()

    def document(self, path: str) -> Document:
        """The one document of a template file. Raises SourceError."""
        self.files.add(path)
        documents = parse(self.tree.read(path), path, self.tree.limits)
        if len(documents) != 1:
            raise failure("a template is one document", path, documents[1].line, reason="template")
        if not isinstance(documents[0].data, dict):
            raise failure("a template is a mapping", path, documents[0].line, reason="template")
        return documents[0]

    def digest(self, path: str) -> Digest:
        """The digest of a file's bytes. Raises SourceError."""
        self.files.add(path)
        return self.tree.digest(path)

    def directory(self, path: str) -> Mapping[str, Digest]:
        """The digests of a directory's files. Raises SourceError."""
        self.directories.add(path)
        return self.tree.directory_digests(path)


@dataclass(frozen=True, slots=True)
class Body:
    """A plan's template, wherever it is written, and how places in it map to files and lines.

    ``prefix`` is where the template's sections are in the plan document, for messages.
    """

    template: Mapping[str, Any]
    locate: Callable[[Place], tuple[str, int]]
    named: Callable[[Place], str]


def read_content(document: Document, spec: PlanSpec, reader: Reader) -> tuple[Body | None, dict[str, Any]]:
    """The template to reconcile, if the plan is reconciled resource by resource, and all referenced content."""
    if spec.resources is not None:
        return _inline(document, spec), {}
    if spec.template is not None:
        path = _follow(document, reader, ("spec", "template"), spec.template)
        template = _referenced(document, ("spec", "template"), partial(reader.document, path))
        return Body(template.data, template.locate, path_of), {spec.template: template.data}
    return None, _undelivered(document, spec, reader)


def _undelivered(document: Document, spec: PlanSpec, reader: Reader) -> dict[str, Any]:
    """What a stack, Terraform or CDK plan refers to: templates by content, the rest by digest."""
    if spec.stack is not None:
        place: Place = ("spec", "stack", "template")
        path = _follow(document, reader, place, spec.stack.template)
        return {spec.stack.template: _referenced(document, place, partial(reader.document, path)).data}
    if spec.cdk is not None:
        return _directory(document, reader, "cdk", spec.cdk.directory)
    if spec.terraform is None:
        return {}
    files = _directory(document, reader, "terraform", spec.terraform.directory)
    for index, name in enumerate(spec.terraform.var_files):
        place = ("spec", "terraform", "varFiles", index)
        reference = variable_file(spec.terraform.directory, name)
        path = _follow(document, reader, place, reference)
        files[reference] = _referenced(document, place, partial(reader.digest, path))
    return files


def variable_file(directory: str, name: str) -> str:
    """A variable file as the digest names it, relative to the plan file."""
    return f"{directory}/{name}"


def _directory(document: Document, reader: Reader, kind: str, reference: str) -> dict[str, Any]:
    place: Place = ("spec", kind, "directory")
    path = _follow(document, reader, place, reference)
    return {reference: dict(_referenced(document, place, partial(reader.directory, path)))}


def _follow(document: Document, reader: Reader, place: Place, reference: str) -> str:
    try:
        return reader.tree.follow(document.file, reference)
    except SourceError as error:
        raise _at(document, place, error) from None


def _referenced(document: Document, place: Place, read: Callable[[], Any]) -> Any:
    """What ``read`` gives; a file that can't be read is the referring plan's problem, one that is wrong its own."""
    try:
        return read()
    except SourceError as error:
        if error.problems[0].reason in ("unreadable", "path"):
            raise _at(document, place, error) from None
        raise


def _at(document: Document, place: Place, error: SourceError) -> SourceError:
    problem = error.problems[0]
    message = problem.message if problem.file == document.file else f"{problem.file}: {problem.message}"
    return SourceError([document.problem(place, message, suggestion=problem.suggestion, reason=problem.reason)])


def _inline(document: Document, spec: PlanSpec) -> Body:
    """Inline resources as a template whose parameters are the plan's own."""

    def moved(place: Place) -> Place:
        if place and place[0] == "Resources":
            return ("spec", "resources", *place[1:])
        if place and place[0] == "Parameters":
            return ("spec", "parameters", *place[1:2])
        return ("spec", "resources")

    return Body({"Resources": spec.resources or {}}, lambda place: document.locate(moved(place)), _named(moved))


def _named(moved: Callable[[Place], Place]) -> Callable[[Place], str]:
    return lambda place: path_of(moved(place))
