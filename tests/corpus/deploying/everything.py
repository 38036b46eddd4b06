"""Templates judged one after the other, or by several processes that share them."""

from __future__ import annotations

import logging
import os
import tempfile
import traceback
import warnings
from collections.abc import Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack
from multiprocessing import get_context
from pathlib import Path

import structlog

from tests.corpus.deploying.site import Site
from tests.corpus.deploying.stages import Result, judged
from tests.corpus.deploying.templates import Template, named

_RUNNING: list[Site] = []
_STACK = ExitStack()


def judge(chosen: Iterable[Template], directory: Path) -> list[Result]:
    """Judge some templates in this process."""
    with Site(directory) as site:
        return [_one(site, template) for template in chosen]


def judge_apart(chosen: Sequence[Template], processes: int = 0) -> list[Result]:
    """Judge many, each process with an AWS of its own."""
    number = processes or os.cpu_count() or 1
    with ProcessPoolExecutor(number, mp_context=get_context("spawn"), initializer=_start) as pool:
        return list(pool.map(_apart, [template.title for template in chosen], chunksize=1))


def _start() -> None:
    warnings.simplefilter("ignore")
    logging.disable(logging.CRITICAL)
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    directory = _STACK.enter_context(tempfile.TemporaryDirectory())
    _RUNNING.append(_STACK.enter_context(Site(Path(directory))))


def _apart(title: str) -> Result:
    return _one(_RUNNING[0], named(title))


def _one(site: Site, template: Template) -> Result:
    try:
        return judged(site, template)
    except Exception:  # one template that breaks the test must not hide what the others show
        result = Result(template.title)
        result.fail("compared", f"the test broke: {traceback.format_exc(limit=-3)}")
        return result
