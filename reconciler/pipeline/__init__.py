"""Carries changes to a Git repository instead of to AWS.

``rendering`` turns a change set into files (``terraform``, ``cloudformation``), ``message`` into words, ``publishing``
brings both onto one branch of the repository; ``refs`` and ``repository`` keep that branch, its paths and Git safe.
"""

from reconciler.pipeline.publishing import GitPipeline
from reconciler.pipeline.rendering import FORMATS, render
from reconciler.pipeline.repository import Author

__all__ = ["FORMATS", "Author", "GitPipeline", "render"]
