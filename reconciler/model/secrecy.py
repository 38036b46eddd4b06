"""The last line for secrets: texts that come from elsewhere (AWS's answers, libraries' errors) may quote one.

Every ``values.Sensitive`` makes its value known here, and whatever is written for people, logs or the store passes
``scrub``. Only text is touched, never a value that is used.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import html
import json
import re
import secrets
import threading
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import quote, quote_plus

MASK = "(sensitive)"
_SEAL = "(sensitive:"

#: Shorter secrets can't be told from ordinary text; up to ``_DISTINCT`` characters only whole words are taken for one.
_SHORTEST, _DISTINCT = 4, 8
#: Shorter numbers are ports, sizes and times.
_LONG_NUMBER = 6
#: How many are remembered; a pass makes its own known again each time, so the oldest are the ones that have gone.
_MOST = 20_000

#: What the keyed digests of this installation are made with; see ``use_key``.
_key = secrets.token_bytes(32)
_known: dict[str, re.Pattern[str] | None] = {}
#: How many spellings begin with these characters: by them those that may be in a text are found quickly.
_starts: dict[str, int] = {}
_lock = threading.Lock()


def know(value: Any) -> None:
    """Remember a text, or every text of a list, as a secret, in every spelling that others may give it."""
    for text in _texts(value):
        if len(text) < _SHORTEST or text in _known or text == MASK:
            continue
        with _lock:
            for spelling in _spellings(text):
                _add(spelling)
            while len(_known) > _MOST:
                _drop(next(iter(_known)))


def _spellings(text: str) -> set[str]:
    """A text as JSON, Python, URLs and markup write it, and in base64 wherever in the encoded text it stands."""
    found = {text, json.dumps(text)[1:-1], json.dumps(text, ensure_ascii=False)[1:-1], repr(text)[1:-1]}
    raw = text.encode(errors="surrogatepass")
    found |= {quote(raw), quote(raw, safe=""), quote_plus(raw), html.escape(text)}
    if len(raw) < _DISTINCT:
        return found
    # The characters that also depend on what stands before or behind it are left out.
    for at in range(3):
        encoded = base64.b64encode(b"\0" * at + raw).decode()
        found.add(encoded[-(-8 * at // 6) : 8 * (at + len(raw)) // 6])
    return found


def _add(spelling: str) -> None:
    if spelling not in _known:
        _starts[spelling[:_SHORTEST]] = _starts.get(spelling[:_SHORTEST], 0) + 1
    _known[spelling] = _word(spelling) if len(spelling) < _DISTINCT else None


def _drop(spelling: str) -> None:
    del _known[spelling]
    _starts[spelling[:_SHORTEST]] -= 1
    if not _starts[spelling[:_SHORTEST]]:
        del _starts[spelling[:_SHORTEST]]


def _in(text: str) -> list[tuple[str, re.Pattern[str] | None]]:
    """The known spellings in a text, longest first."""
    with _lock:
        if len(_known) > len(text):
            pieces = {text[at : at + _SHORTEST] for at in range(len(text) - _SHORTEST + 1)}
            if _starts.keys().isdisjoint(pieces):
                return []
        found = [(spelling, word) for spelling, word in _known.items() if spelling in text]
    return sorted(found, key=lambda item: len(item[0]), reverse=True)


def use_key(key: bytes) -> None:
    """Make digests with ``key`` from now on; until then they are good for this process only."""
    global _key
    _key = key


def seal(value: Any) -> str:
    """A keyed digest that stands in for a secret: equal for equal values, and no way back without the key."""
    text = json.dumps(value, sort_keys=True, default=str)
    return f"{_SEAL}{_key_name()}:{hmac.new(_key, text.encode(), hashlib.sha256).hexdigest()[:32]})"


def is_sealed(value: Any) -> bool:
    """Whether a stored value stands in for a secret."""
    return isinstance(value, str) and (value == MASK or value.startswith(_SEAL))


def is_comparable(value: Any) -> bool:
    """Whether a sealed value was made with the key in use: of others it can't be told whether they are equal."""
    return isinstance(value, str) and value.startswith(f"{_SEAL}{_key_name()}:")


def _key_name() -> str:
    return hashlib.sha256(b"name of the key " + _key).hexdigest()[:8]


def knows_any() -> bool:
    """Whether any secret is known, so that scrubbing could change something."""
    return bool(_known)


def forget_all() -> None:
    """Know no secret any more: for tests, which make some up."""
    with _lock:
        _known.clear()
        _starts.clear()


def scrub(text: str) -> str:
    """``text`` with every known secret in it masked."""
    if not _known:
        return text
    for spelling, word in _in(text):
        text = word.sub(MASK, text) if word else text.replace(spelling, MASK)
    return text


def scrubbed(value: Any) -> Any:
    """Plain JSON values with every text in them scrubbed; the names of fields stay."""
    if not _known:
        return value
    if isinstance(value, str):
        return scrub(value)
    if isinstance(value, Mapping):
        return {key: scrubbed(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [scrubbed(item) for item in value]
    return value


def _word(spelling: str) -> re.Pattern[str]:
    return re.compile(rf"(?<!\w){re.escape(spelling)}(?!\w)")


def _texts(value: Any) -> Iterator[str]:
    """The texts in a value. Not those inside objects: most of a document with a secret in it is no secret."""
    if isinstance(value, str):
        yield value
        yield from (line for line in value.splitlines() if line != value and len(line) >= _DISTINCT)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _texts(item)
    elif isinstance(value, int | float) and len(str(value)) >= _LONG_NUMBER:
        yield str(value)
