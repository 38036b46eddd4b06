"""Passwords and tokens in URLs: found, to be known as secrets, and left out of what is shown."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import unquote

from reconciler.model.secrecy import MASK

#: What stands before the host of a URL. A password may hold what it shouldn't (``/``, ``@``): rather too much than
#: too little, but a port isn't a password.
_USER_INFO = re.compile(r"://(?:([^:/@\s]*):(?!\d+(?:/|$))(\S*)|([^/@\s]+))@")
#: From how many characters on a name without a password is taken for a token.
_TOKEN = 16


def credentials(url: str) -> Iterator[str]:
    """The password or token in a URL, as it stands there and as it is meant."""
    for found in _USER_INFO.finditer(url):
        name, password, alone = found.groups()
        for text in (password, name or alone):
            if text and (text == password or len(text) >= _TOKEN):
                yield from (text, unquote(text))


def without_password(value: Any) -> Any:
    """A URL may carry a password or a token before the host, or in its query."""
    if not isinstance(value, str):
        return value
    hidden = _USER_INFO.sub(f"://{MASK}@", value)
    return re.sub(r"(?i)([?&][^=&]*(?:password|token|secret|key)[^=&]*=)[^&]+", rf"\g<1>{MASK}", hidden)
