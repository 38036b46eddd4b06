"""The formats that changes can be rendered in."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from reconciler.model.change import ChangeSet
from reconciler.model.errors import PipelineError
from reconciler.model.plan import Delivery
from reconciler.pipeline import cdk, cloudformation, sources, terraform, workflow
from reconciler.pipeline.files import Place, RenderedFile
from reconciler.pipeline.variables import refuse_secrets

FORMATS: Mapping[str, Callable[[ChangeSet, str, str], tuple[RenderedFile, ...]]] = {
    "terraform": lambda changes, _, provider: terraform.render(changes, provider),
    "cloudformation": lambda changes, *_: cloudformation.render(changes),
    "cdk": lambda changes, language, _: cdk.render(changes, language),
}
#: Every file that some renderer writes: what may be removed when the format changes.
MANAGED_FILES = (
    frozenset(terraform.FILES) | frozenset(cloudformation.FILES) | frozenset(cdk.FILES) | frozenset(workflow.FILES)
)


def _as_they_are(changes: ChangeSet, _language: str, _provider: str) -> tuple[RenderedFile, ...]:
    return sources.render(changes)


def render(
    changes: ChangeSet, format_name: str, language: str = "typescript", *, provider: str = "awscc"
) -> tuple[RenderedFile, ...]:
    """The plan's whole desired state as files. Pure, and the same for the same plan.

    ``format_name`` is ``terraform`` (with ``awscc`` or ``aws`` as the preferred ``provider``), ``cloudformation`` or
    ``cdk``, which comes in two languages (``typescript``, ``python``). Raises PipelineError for any other, for what the
    format can't express (naming resource and property), and if a secret would end up in a file.
    """
    renderer = FORMATS.get(format_name) if changes.plan.delivery is Delivery.RESOURCES else _as_they_are
    if renderer is None:
        error = PipelineError(
            f"format {format_name} is not supported by this version ({', '.join(sorted(FORMATS, reverse=True))})"
        )
        error.retryable = False
        raise error
    files = renderer(changes, language, provider)
    _refuse_unwritable(files)
    refuse_secrets(changes, ((file.path, file.content) for file in files))
    return files


def _refuse_unwritable(files: tuple[RenderedFile, ...]) -> None:
    for file in files:
        try:
            file.content.encode()
        except UnicodeEncodeError as error:
            raise Place(file.path).refuse("a value holds half a character (a lone surrogate)") from error
