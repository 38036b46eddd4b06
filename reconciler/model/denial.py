"""What AWS's texts say of a denied call: who lacks which permission on what. Pure; used where only a text is left."""

from __future__ import annotations

import re
from dataclasses import dataclass

#: How ``needs`` words a permission that AWS didn't name itself.
_NEEDS = "it takes the permission "

_DENIED = re.compile(r"not authorized to perform:? `?([a-z0-9-]+:[A-Za-z0-9*]+)")
_NEEDED = re.compile(re.escape(_NEEDS) + r"([a-z0-9-]+:[A-Za-z0-9*]+)")
_RESOURCE = re.compile(r"on (?:the )?resource:? [\"`]?([^\s\"`;)]+)")
_CALL = re.compile(r"(?:^|[\s(])([a-z][a-z0-9-]*):([A-Z][A-Za-z0-9]+): ")
_ENCODED = re.compile(r"[Ee]ncoded authorization failure message: ([A-Za-z0-9_\-+/=]+)")


@dataclass(frozen=True, slots=True)
class Denial:
    """Parts of a denied call, each empty where the text doesn't say.

    ``service`` and ``operation`` name the API call, ``permission`` the IAM action, ``resource`` an ARN. ``encoded`` is
    EC2's encoded message, which ``sts:DecodeAuthorizationMessage`` turns into text.
    """

    service: str = ""
    operation: str = ""
    permission: str = ""
    resource: str = ""
    encoded: str = ""


def denial_in(text: str) -> Denial:
    """What a message of AWS, or the text of an ``AwsFault``, says of a denial."""
    call = _CALL.search(text)
    named = _DENIED.search(text) or _NEEDED.search(text)
    resource = _RESOURCE.search(text, named.end()) if named else None
    encoded = _ENCODED.search(text)
    arn = resource[1].rstrip(".,") if resource else ""
    return Denial(
        service=call[1] if call else "",
        operation=call[2] if call else "",
        permission=named[1] if named else "",
        resource=arn if arn.startswith("arn:") else "",
        encoded=encoded[1] if encoded else "",
    )


def needing(message: str, permission: str) -> str:
    """``message`` with the permission in it, so that the text alone tells it: a denied read is kept as a text."""
    return f"{message} ({_NEEDS}{permission})"
