"""What AWS publishes about its resource types, and comparison by meaning that follows from it.

``data`` finds and reads cfn-lint's packaged provider schemas, ``types`` gives them a shape, ``identity`` knows
identifiers and what Ref and Fn::GetAtt return, ``canonical`` brings values into the one form in which ``==`` means
"the same" (``policydoc``, ``scalars``, ``spellings`` and ``rules`` are its helpers; ``declared`` is the table of what
AWS normalises and the schemas don't say), ``transforms`` what AWS makes of a value given; ``likeness`` is all of it.
"""

from reconciler.schema.canonical import canonical, conceal, tag_values
from reconciler.schema.identity import GROUPS_BY_NAME, attribute_value, identifier_of, reference_value
from reconciler.schema.likeness import EMPTY, Around, absent, below, is_tags, pairs, same, whole
from reconciler.schema.types import (
    MISSING,
    Missing,
    Path,
    TypeSchema,
    defaults,
    known_types,
    overlaps,
    schema_for,
    why_unmanageable,
)

__all__ = [
    "EMPTY",
    "GROUPS_BY_NAME",
    "MISSING",
    "Around",
    "Missing",
    "Path",
    "TypeSchema",
    "absent",
    "attribute_value",
    "below",
    "canonical",
    "conceal",
    "defaults",
    "identifier_of",
    "is_tags",
    "known_types",
    "overlaps",
    "pairs",
    "reference_value",
    "same",
    "schema_for",
    "tag_values",
    "whole",
    "why_unmanageable",
]
