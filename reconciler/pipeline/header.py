"""By what rendered files are known to be a plan's: their first line."""

from __future__ import annotations

#: How the first line of a rendered file begins, after the comment sign. Files that don't aren't ours to overwrite.
HEADER = "Written by reconciler"
