"""What moto is taught: in one list, of operations that there are, and no longer than moto does otherwise."""

from __future__ import annotations

import subprocess
import sys
from importlib import import_module
from pkgutil import iter_modules

import pytest
from botocore.session import Session

from reconciler.testing import taught
from reconciler.testing.taught.lesson import Lesson

LESSONS = taught.lessons()

#: prints the members that moto has although a lesson adds them, or lacks although a lesson changes them
COMPARE = """
from reconciler.testing.taught import lessons

for lesson in lessons():
    for given in lesson.given:
        for name in given.members:
            if hasattr(given.owner, name) is given.new:
                print(lesson.call, name)
"""


def test_every_lesson_of_the_folder_is_in_the_list() -> None:
    names = {module.name for module in iter_modules(taught.__path__)} - {"lesson"}
    written = [lesson for name in sorted(names) for lesson in import_module(f"{taught.__name__}.{name}").LESSONS]
    assert sorted(map(id, written)) == sorted(map(id, LESSONS))


@pytest.mark.parametrize("lesson", LESSONS, ids=[lesson.call for lesson in LESSONS])
def test_the_call_that_shows_a_lesson_is_one_of_the_service(lesson: Lesson) -> None:
    service, _, operation = lesson.call.partition(":")
    assert operation in Session().get_service_model(service).operation_names


def test_moto_lacks_what_is_added_and_has_what_is_changed() -> None:
    untaught = subprocess.run([sys.executable, "-c", COMPARE], capture_output=True, text=True, check=True, timeout=60)
    assert untaught.stdout == ""
