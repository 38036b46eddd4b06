"""Which write-only values are no secrets, so that a file may hold them.

AWS calls a property write-only when it doesn't return it. Passwords are such, and so are names, places and switches
that only matter while something is made: a zone's name in a record set, the code of a function. As parameters those
would make a file that nobody can deploy. What can't be told to be harmless by its kind or by its name is a secret.
"""

from __future__ import annotations

import re
from typing import Any

from reconciler.schema import TypeSchema
from reconciler.schema.types import Path

#: however its name ends, a value below one of these is a secret
_SECRETIVE = re.compile(
    r"pass(?!Role)|secret(?!Arn$|Id$)|token|credential|private(?!Ip)|phrase|auth(?!orizerId$)", re.I
)
#: identifies or places something, or chooses among a few things
_HARMLESS = re.compile(
    r"(Ids?|Identifiers?|Arns?|ARN|Names?|NamePrefix|Types?|Versions?|Regions?|Modes?|Bucket|Methods?|Status|Tier|Language"
    r"|Zones?|AZs|Window|Days|Engine|Runtime|Tenancy|Action|Subdirectory|Strategy|Behavior|Vpc|Affinity|ImageUri)$"
)
#: by type: more that the rules above leave out and that somebody has looked at
_LOOKED_AT: dict[str, re.Pattern[str]] = {
    "AWS::EMR::Cluster": re.compile(r"Steps/.*|AdditionalInfo"),
    "AWS::Lambda::Function": re.compile(r"Code/(ZipFile|S3Key)"),
    "AWS::Lambda::LayerVersion": re.compile(r"Content/S3Key"),
    "AWS::RDS::DBInstance": re.compile(r"Source\w+|Restore\w+"),
    "AWS::Route53::RecordSet": re.compile(r"Comment"),
    "AWS::Route53::RecordSetGroup": re.compile(r"Comment"),
    "AWS::SecretsManager::Secret": re.compile(r"GenerateSecretString/(GenerateStringKey|ExcludeCharacters)"),
}


def may_be_written(schema: TypeSchema, path: Path, value: Any) -> bool:
    """Whether a write-only value is no secret: a switch, a number, a word that the schema lists, or so by its name.

    ``path``: where it stands below the properties, ``*`` for array items. Lists and mappings are asked of by part.
    """
    if value is None or isinstance(value, bool | int | float):
        return True
    if value in (schema.node(path) or {}).get("enum", ()):
        return True
    names = [part for part in path if part != "*"]
    looked_at = _LOOKED_AT.get(schema.type_name)
    if looked_at is not None and looked_at.fullmatch("/".join(names)):
        return True
    return _HARMLESS.search(names[-1]) is not None and not any(_SECRETIVE.search(name) for name in names)
