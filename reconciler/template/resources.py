"""The ``Resources`` section: which resources exist, and each one folded."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from reconciler.model.ids import Identifier, LogicalId, Owner, PlanName, TypeName
from reconciler.model.plan import PlannedResource
from reconciler.template.dynamic import OPENING
from reconciler.template.folding import Folder
from reconciler.template.problems import INVALID, Locate, Place, Problems, did_you_mean, kind_of
from reconciler.template.resolving import references
from reconciler.template.scope import NO_VALUE

_LOGICAL_ID = re.compile(r"[A-Za-z0-9]{1,255}")
_KEYS = frozenset({"Condition", "DeletionPolicy", "DependsOn", "Metadata", "Properties", "Type", "UpdateReplacePolicy"})
_REFUSED_KEYS: Mapping[str, str] = {
    "CreationPolicy": "waiting for signals",
    "UpdatePolicy": "rolling updates by CloudFormation",
}
_HELP = "remove it, or deliver the template as a stack (spec.stack)"
#: types that only make sense to the CloudFormation service itself
_REFUSED_TYPES = frozenset(
    {
        "AWS::CloudFormation::CustomResource",
        "AWS::CloudFormation::Macro",
        "AWS::CloudFormation::WaitCondition",
        "AWS::CloudFormation::WaitConditionHandle",
    }
)
#: a stack in a stack: policy and approvals would judge it without its contents
_NESTED = "AWS::CloudFormation::Stack"
_REFUSED_FAMILIES: Mapping[str, str] = {
    "Custom::": "custom resources are not supported",
    "AWS::Serverless::": "serverless resources need the SAM transform, which is not supported",
}
_DELETION_POLICIES = ("Delete", "Retain", "RetainExceptOnCreate", "Snapshot")
_REPLACE_POLICIES = ("Delete", "Retain", "Snapshot")
_OWN_METADATA = frozenset({"adopt", "movedFrom"})
_FORMER = re.compile(r"([a-z0-9](?:[-a-z0-9]{0,61}[a-z0-9])?)/([A-Za-z0-9]{1,255})")


def present_resources(section: Mapping[str, Any], folder: Folder, problems: Problems) -> frozenset[str]:
    """The resources whose condition holds. A condition that can't be evaluated counts as holding."""
    present = set()
    for name, node in section.items():
        condition = node.get("Condition") if isinstance(node, Mapping) else None
        if condition is None:
            present.add(name)
        elif not isinstance(condition, str):
            problems.add(("Resources", name, "Condition"), "Condition must be the name of a condition")
            present.add(name)
        elif folder.condition({"Condition": condition}, ("Resources", name, "Condition")) is not False:
            present.add(name)
    return frozenset(present)


def load_resources(
    section: Mapping[str, Any], present: frozenset[str], folder: Folder, problems: Problems, locate: Locate
) -> dict[LogicalId, PlannedResource]:
    """Every present resource, folded. Absent ones are checked for their form only."""
    found: dict[LogicalId, PlannedResource] = {}
    for name, node in section.items():
        place: Place = ("Resources", name)
        if not _well_formed(name, node, place, problems) or name not in present:
            continue
        found[LogicalId(name)] = _load(name, node, section, folder, problems, locate)
    return found


def _well_formed(name: Any, node: Any, place: Place, problems: Problems) -> bool:
    if name == "Fn::Transform":
        problems.add(
            place,
            "Fn::Transform is not supported: CloudFormation alone runs macros",
            "give what it makes",
            "unsupported",
        )
        return False
    if not isinstance(name, str) or not _LOGICAL_ID.fullmatch(name):
        problems.add(place, f"{name!r} is not a logical id", "use letters and digits only")
    if not isinstance(node, Mapping):
        problems.add(place, f"resource {name} must be a mapping, not {kind_of(node)}")
        return False
    for key in node:
        if key in _REFUSED_KEYS:
            problems.add((*place, key), f"{key} ({_REFUSED_KEYS[key]}) is not supported", _HELP, "unsupported")
        elif key not in _KEYS:
            problems.add((*place, key), f"{key} is not an attribute of a resource", did_you_mean(str(key), _KEYS))
    return _supported_type(name, node.get("Type"), place, problems)


def _supported_type(name: str, kind: Any, place: Place, problems: Problems) -> bool:
    if not isinstance(kind, str) or not kind:
        problems.add(place, f"resource {name} needs a Type", "for example AWS::S3::Bucket")
        return False
    refused = next((why for family, why in _REFUSED_FAMILIES.items() if kind.startswith(family)), "")
    if kind in _REFUSED_TYPES:
        refused = f"{kind} is not supported: it only means something inside a CloudFormation stack"
    if kind == _NESTED:
        refused = f"{kind} is not supported: nobody would see what is in it; make it a plan of its own (spec.stack)"
    if refused:
        problems.add((*place, "Type"), refused, reason="unsupported")
    return not refused


def _load(
    name: str, node: Mapping[str, Any], section: Mapping[str, Any], folder: Folder, problems: Problems, locate: Locate
) -> PlannedResource:
    place: Place = ("Resources", name)
    properties = _properties(node, folder, (*place, "Properties"), problems)
    default = _default_policy(node["Type"], properties)
    own = _own_metadata(node.get("Metadata"), (*place, "Metadata", "Reconciler"), problems)
    metadata = _metadata(node.get("Metadata"), folder, (*place, "Metadata"))
    return PlannedResource(
        logical_id=LogicalId(name),
        type=TypeName(node["Type"]),
        properties=properties,
        needs=references(properties)
        | references(metadata)
        | _depends_on(node, section, folder, (*place, "DependsOn"), problems),
        deletion_policy=_policy(node, "DeletionPolicy", _DELETION_POLICIES, default, folder, place, problems),
        update_replace_policy=_policy(node, "UpdateReplacePolicy", _REPLACE_POLICIES, default, folder, place, problems),
        adopt=_adopt(own, folder, (*place, "Metadata", "Reconciler"), problems),
        line=locate(place)[1],
        moved_from=_moved_from(own, folder, (*place, "Metadata", "Reconciler"), problems),
        metadata=metadata,
    )


def _properties(node: Mapping[str, Any], folder: Folder, place: Place, problems: Problems) -> Mapping[str, Any]:
    given = node.get("Properties")
    if given is None:
        return {}
    folded = folder.fold(given, place)
    if folded is NO_VALUE:
        return {}
    if not isinstance(folded, Mapping):
        if folded is not INVALID:
            problems.add(place, f"Properties must be a mapping, not {kind_of(folded)}")
        return {}
    if any(isinstance(leaf, str) and OPENING in leaf for leaf in _texts(folded)):
        problems.add(place, "a dynamic reference is not closed", "write {{resolve:service:name}}", "reference")
    return folded


def _texts(value: Any) -> list[Any]:
    """Strings outside of deferred functions, where an opening may be closed by another part."""
    if isinstance(value, Mapping):
        return [text for item in value.values() for text in _texts(item)]
    if isinstance(value, list):
        return [text for item in value for text in _texts(item)]
    return [value]


def _default_policy(kind: str, properties: Mapping[str, Any]) -> str:
    """CloudFormation keeps a snapshot of databases unless told otherwise."""
    if kind == "AWS::RDS::DBCluster" or (kind == "AWS::RDS::DBInstance" and "DBClusterIdentifier" not in properties):
        return "Snapshot"
    return "Delete"


def _depends_on(
    node: Mapping[str, Any], section: Mapping[str, Any], folder: Folder, place: Place, problems: Problems
) -> frozenset[LogicalId]:
    """The names in DependsOn. One that its condition leaves out is no dependency, as in CloudFormation."""
    given = node.get("DependsOn", [])
    names = given if isinstance(given, list) else [given]
    found = set()
    for name in names:
        if not isinstance(name, str):
            problems.add(place, f"DependsOn takes names of resources, but {kind_of(name)} was given")
        elif name in folder.scope.resources:
            found.add(LogicalId(name))
        elif name not in section:
            problems.add(place, f"DependsOn: there is no resource {name!r}", did_you_mean(name, section), "reference")
    return frozenset(found)


def _policy(
    node: Mapping[str, Any],
    key: str,
    allowed: tuple[str, ...],
    default: str,
    folder: Folder,
    place: Place,
    problems: Problems,
) -> str:
    if key not in node:
        return default
    value = folder.fold(node[key], (*place, key))
    if isinstance(value, str) and value in allowed:
        return value
    if value is not INVALID:
        shown = f"{value!r}" if isinstance(value, str) else kind_of(value)
        hint = did_you_mean(str(value), allowed) or f"one of {', '.join(allowed)}"
        problems.add((*place, key), f"{shown} is not a {key}", hint)
    return default


def _metadata(metadata: Any, folder: Folder, place: Place) -> Mapping[str, Any]:
    """What the Metadata says to others: what an instance sets itself up by, say."""
    if not isinstance(metadata, Mapping):
        return {}
    others = {str(key): folder.fold(node, (*place, key)) for key, node in metadata.items() if key != "Reconciler"}
    return {key: value for key, value in others.items() if value is not NO_VALUE}


def _own_metadata(metadata: Any, place: Place, problems: Problems) -> Mapping[str, Any]:
    """``Metadata.Reconciler``: what is said to this program."""
    own = metadata.get("Reconciler") if isinstance(metadata, Mapping) else None
    if own is None:
        return {}
    if not isinstance(own, Mapping):
        problems.add(place, f"Metadata.Reconciler must be a mapping, not {kind_of(own)}")
        return {}
    for key in own.keys() - _OWN_METADATA:
        problems.add((*place, key), f"{key} is not known here", did_you_mean(str(key), _OWN_METADATA))
    if own.keys() >= _OWN_METADATA:
        problems.add((*place, "movedFrom"), "adopt and movedFrom exclude each other", "movedFrom is enough")
    return own


def _adopt(own: Mapping[str, Any], folder: Folder, place: Place, problems: Problems) -> Identifier | None:
    if "adopt" not in own:
        return None
    value = folder.fold(own["adopt"], (*place, "adopt"))
    if isinstance(value, str) and value:
        return Identifier(value)
    if value is not INVALID:
        problems.add((*place, "adopt"), "adopt takes the identifier of an existing resource", "for example vpc-0abc")
    return None


def _moved_from(own: Mapping[str, Any], folder: Folder, place: Place, problems: Problems) -> Owner | None:
    if "movedFrom" not in own:
        return None
    place = (*place, "movedFrom")
    value = folder.fold(own["movedFrom"], place)
    if isinstance(value, str) and (found := _FORMER.fullmatch(value)):
        return Owner(PlanName(found[1]), LogicalId(found[2]))
    if value is not INVALID:
        problems.add(place, "movedFrom takes the plan and logical id that a resource had", "for example network/Vpc")
    return None
