"""Where plans and approvals come from.

``directory`` and ``git`` are the two sources. A file goes through ``parse`` (bytes to documents with line numbers),
``models`` (their shape, made of ``kinds``), ``content`` (files they refer to), ``templates`` and ``lint`` (what the
resources mean), ``plans`` (the result) and ``digest``; ``approvals`` checks signatures; ``reading`` remembers what
hasn't changed and ``inforce`` keeps the last good version of what is broken now.
"""

from reconciler.source.directory import DirectorySource
from reconciler.source.git import GitSource

__all__ = ["DirectorySource", "GitSource"]
