"""The type of the ``terraform`` fixture."""

from __future__ import annotations

import subprocess
from collections.abc import Callable

Terraform = Callable[..., "subprocess.CompletedProcess[str]"]
