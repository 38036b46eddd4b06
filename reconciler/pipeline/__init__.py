"""Carries changes to a Git repository instead of to AWS.

``rendering`` turns a change set into files (``terraform``, ``cloudformation``), ``message`` into words, ``publishing``
brings both onto one branch of the repository; ``refs``, ``repository`` and ``gitrun`` keep that branch, its paths and
Git safe. ``reviewing`` keeps the branch's pull request in line through a port (``forges`` has the adapters);
``retiring`` clears both away when they have done their work.
"""

from reconciler.pipeline.credentials import Credentials, TokenSource
from reconciler.pipeline.publishing import GitPipeline
from reconciler.pipeline.rendering import FORMATS, render
from reconciler.pipeline.repository import Author
from reconciler.pipeline.reviewing import ReviewOptions
from reconciler.pipeline.signing import Signing
from reconciler.pipeline.work import GitOptions

__all__ = [
    "FORMATS",
    "Author",
    "Credentials",
    "GitOptions",
    "GitPipeline",
    "ReviewOptions",
    "Signing",
    "TokenSource",
    "render",
]
