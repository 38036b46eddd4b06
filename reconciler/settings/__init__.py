"""The configuration: ``reconciler.yaml`` and ``RECONCILER_…`` in the environment, which wins over the file.

Nested fields take two underscores in the environment: ``RECONCILER_HTTP__PORT=9600``; lists take commas.
Relative paths are relative to the working directory. An unknown field is an error, never ignored.
"""

from __future__ import annotations

from reconciler.settings.loading import PREFIX, Settings, load_settings

__all__ = ["PREFIX", "Settings", "load_settings"]
