"""The command line. ``main`` is the entry point; nothing heavy is imported before a command needs it."""

from __future__ import annotations


def main() -> None:
    """Run the command line and exit with its code."""
    from reconciler.cli.app import run

    run()
