"""What the emulator can't do, by the call that shows it: no fault of ours, and named one by one in the table.

moto's CloudFormation leaves out properties that a template sets, and sets others of its own. ``STACKS`` names where its
stacks differ from what their template says; ``IGNORED`` what makes the same question differ by itself.
"""

from __future__ import annotations

import re

#: what differs between any two accounts, or between two looks at one
IGNORED = re.compile(
    r"^(iam:GetUser \{\}|iam:GetAccountSummary"
    r")"
)

#: (place, as a pattern; why moto's stack differs from its template there)
STACKS: tuple[tuple[str, str], ...] = ()


def known(place: str) -> str:
    """Why moto's stack differs there, if that is known; else empty."""
    return next((why for pattern, why in STACKS if re.search(pattern, place)), "")
