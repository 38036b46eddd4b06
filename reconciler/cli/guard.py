"""Registers commands so that every error ends in one clear message and an exit code, never in a traceback."""

from __future__ import annotations

import functools
import os
import sys
import traceback
from collections.abc import Callable
from typing import Any, TypeVar

import typer

from reconciler.cli.terminal import complain
from reconciler.model.errors import ReconcilerError
from reconciler.model.secrecy import scrub

F = TypeVar("F", bound=Callable[..., Any])

FAILED = 1
INTERRUPTED = 130

#: Set by ``--debug``: show where an error came from.
debugging = False


def guarded(function: F) -> F:
    """``function`` with its errors reported; its signature, which Typer reads, stays."""

    @functools.wraps(function)
    def run(*args: Any, **kwargs: Any) -> Any:
        try:
            return function(*args, **kwargs)
        except ReconcilerError as error:
            _trace()
            complain(f"Error: {error}")
            raise typer.Exit(FAILED) from None
        except KeyboardInterrupt:
            raise typer.Exit(INTERRUPTED) from None
        except BrokenPipeError:
            _abandon_output()
            raise typer.Exit(FAILED) from None
        except (typer.Exit, typer.Abort, typer.TyperException):
            raise
        except Exception as error:
            _trace()
            hint = "" if debugging else "; run it with --debug for where it comes from"
            complain(scrub(f"Internal error: {type(error).__name__}: {error}{hint}"))
            raise typer.Exit(FAILED) from None

    return run  # type: ignore[return-value]  # wraps keeps the signature


def flush() -> None:
    """Write what is still buffered; a reader that has gone is no error."""
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        _abandon_output()


def _abandon_output() -> None:
    """Whoever read the output has gone; the interpreter must not complain about it again at exit."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _trace() -> None:
    if debugging:
        complain(scrub(traceback.format_exc()))
