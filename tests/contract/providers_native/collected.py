"""Every case: those of ``cases`` and of each module ``cases_…`` beside it."""

from __future__ import annotations

import importlib
import pkgutil

import tests.contract.providers_native as here
from tests.contract.providers_native import cases
from tests.contract.providers_native.cases import Case

_MODULES = sorted(module.name for module in pkgutil.iter_modules(here.__path__) if module.name.startswith("cases_"))

CASES: tuple[Case, ...] = (
    *cases.OWN,
    *(case for name in _MODULES for case in importlib.import_module(f"{here.__name__}.{name}").CASES),
)
