"""The provider schemas that cfn-lint packages, read as files.

cfn-lint itself is never imported here: that costs the better part of a second and two hundred megabytes, and all
that is wanted is one JSON file per type. ``providers/<region>.json`` maps a type to a hash, ``resources/<hash>.json``
is its schema; regions share most of the files.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path
from types import MappingProxyType
from typing import Any

from reconciler.model.errors import ConfigurationError

FALLBACK_REGION = "us-east-1"
_REGION = re.compile(r"[a-z0-9-]{1,40}")


@lru_cache(maxsize=1)
def _root() -> Path:
    spec = find_spec("cfnlint")
    for location in spec.submodule_search_locations or () if spec else ():
        root = Path(location) / "data" / "schemas"
        if (root / "providers" / f"{FALLBACK_REGION}.json").is_file():
            return root
    raise ConfigurationError(
        "the CloudFormation provider schemas were not found: install cfn-lint 1.58 or later, which packages them"
    )


@lru_cache(maxsize=64)
def type_index(region: str) -> Mapping[str, str]:
    """The types of a region and the hash of each one's schema.

    A region that cfn-lint doesn't know is taken for us-east-1, which has every type. Raises ConfigurationError when
    the schemas are missing or damaged.
    """
    file = _root() / "providers" / f"{region}.json"
    if not _REGION.fullmatch(region) or not file.is_file():
        file = _root() / "providers" / f"{FALLBACK_REGION}.json"
    index: dict[str, str] = _read(file)
    return MappingProxyType(index)


def read_schema(digest: str) -> Mapping[str, Any]:
    """The schema document with this hash. Raises ConfigurationError when it is missing or damaged."""
    document: Mapping[str, Any] = _read(_root() / "resources" / f"{digest}.json")
    return document


def _read(file: Path) -> Any:
    try:
        return json.loads(file.read_bytes())
    except (OSError, ValueError) as error:
        raise ConfigurationError(
            f"the provider schema {file.name} can't be read ({error}): reinstall cfn-lint"
        ) from error
