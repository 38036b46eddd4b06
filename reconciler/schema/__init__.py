"""What AWS publishes about its resource types, and comparison by meaning that follows from it.

``data`` finds and reads cfn-lint's packaged provider schemas, ``types`` gives them a shape, ``identity`` knows
identifiers and what Ref and Fn::GetAtt return, ``canonical`` brings values into the one form in which ``==`` means
"the same" (``policydoc``, ``scalars`` and ``rules`` are its helpers), ``transforms`` what AWS makes of a value given.
"""

from reconciler.schema.canonical import canonical, conceal
from reconciler.schema.identity import attribute_value, identifier_of, reference_value
from reconciler.schema.transforms import accepts
from reconciler.schema.types import (
    MISSING,
    Missing,
    Path,
    TypeSchema,
    defaults,
    known_types,
    schema_for,
    why_unmanageable,
)

__all__ = [
    "MISSING",
    "Missing",
    "Path",
    "TypeSchema",
    "accepts",
    "attribute_value",
    "canonical",
    "conceal",
    "defaults",
    "identifier_of",
    "known_types",
    "reference_value",
    "schema_for",
    "why_unmanageable",
]
