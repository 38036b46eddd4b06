"""AWS::SecretsManager::Secret."""

from __future__ import annotations

import json
import secrets
import string
from collections.abc import Mapping
from typing import Any

from reconciler.model.errors import AwsFault, FaultKind
from reconciler.model.ids import ClientToken, Identifier, TypeName
from reconciler.model.progress import Done, Progress
from reconciler.model.values import Properties, Sensitive
from reconciler.ports import ResourceProvider, Scope
from reconciler.providers.declared import Call, Declaration, Declared, Read, Tagging, Update, Waiting
from reconciler.providers.native.frame import already_exists
from reconciler.providers.native.naming import NameRule
from reconciler.providers.native.shapes import boolean
from reconciler.providers.native.tagging import as_map, owner_in

_ID = {"SecretId": "{Id}"}
_GENERATE = "GenerateSecretString"
_LENGTH, _LONGEST = 32, 4096
_KINDS = (
    ("ExcludeLowercase", string.ascii_lowercase),
    ("ExcludeUppercase", string.ascii_uppercase),
    ("ExcludeNumbers", string.digits),
    ("ExcludePunctuation", string.punctuation),
)

_SECRET = Declaration(
    type=TypeName("AWS::SecretsManager::Secret"),
    service="secretsmanager",
    renames={"Id": "ARN", "ReplicaRegions": "ReplicationStatus"},
    naming=NameRule("Name", 512),
    arn="{Id}",
    read=Read("describe_secret", constants=_ID),
    named=Read("describe_secret", constants={"SecretId": "{Name}"}),
    create=Call(
        "create_secret",
        ("Description", _GENERATE, "KmsKeyId", "Name", "ReplicaRegions", "SecretString", "Type"),
        {"ReplicaRegions": "AddReplicaRegions"},
    ),
    updates=(
        Update(Call("update_secret", ("Description", "KmsKeyId"), constants=_ID)),
        Update(Call("put_secret_value", ("SecretString",), constants=_ID)),
        Update(Call("replicate_secret_to_regions", constants=_ID), of=("ReplicaRegions",)),
    ),
    delete=Call("delete_secret", constants={**_ID, "RecoveryWindowInDays": 30}),
    tagging=Tagging("tag_resource", "untag_resource", _ID, inline="Tags", create="Tags", kind="secretsmanager:secret"),
    # A secret that is to be deleted is to be seen until then.
    waiting=Waiting("DeletedDate", gone=frozenset({"*"}), deletes=False),
    resets={"Description": "", "KmsKeyId": "", "ReplicaRegions": []},
    also=("secretsmanager:RestoreSecret", "secretsmanager:RemoveRegionsFromReplication"),
)


class Secret(Declared):
    """A secret; its identifier is its ARN. Its value is written and never read.

    ``GenerateSecretString`` makes one up when the secret is created, in this process, and never again. Deleting is
    scheduled with AWS's longest window (30 days), during which it is taken back where the same plan wants it again.
    """

    def adapt_given(self, scope: Scope, call: Call, values: dict[str, Any]) -> dict[str, Any]:  # noqa: ARG002
        """See ``Declared``: what is to be made up is made up for the create call."""
        rules = values.pop(_GENERATE, None)
        if rules is None:
            return values
        if values.get("SecretString") is not None:
            message = f"{self.type_name} has both SecretString and {_GENERATE}: give one of them"
            raise AwsFault(FaultKind.INVALID_REQUEST, message)
        return {**values, "SecretString": generated(rules)}

    def make(self, scope: Scope, desired: Properties, token: ClientToken) -> Identifier:
        """See ``Declared``: the owner's own that is about to be deleted is kept after all."""
        try:
            return super().make(scope, desired, token)
        except AwsFault as fault:
            if fault.code not in ("InvalidRequestException", "ResourceExistsException"):
                raise
            found = scope.call("secretsmanager", "describe_secret", SecretId=desired["Name"])
            owner = owner_in(as_map(found.get("Tags")))
            if not found.get("DeletedDate") or owner is None or owner != owner_in(as_map(desired.get("Tags"))):
                raise
            scope.call("secretsmanager", "restore_secret", SecretId=found["ARN"])
            raise already_exists(self.type_name, found["ARN"], "and was about to be deleted") from fault

    def change(
        self, scope: Scope, identifier: Identifier, update: Update, before: Properties, after: Properties
    ) -> None:
        """See ``Declared``: replicas are added and taken away one region at a time."""
        if "ReplicaRegions" not in update.names:
            super().change(scope, identifier, update, before, after)
            return
        old, new = _by_region(before.get("ReplicaRegions")), _by_region(after.get("ReplicaRegions"))
        stale = [region for region in old if region not in new or _moved(old[region], new[region])]
        self._withdraw(scope, identifier, stale)
        if fresh := [item for region, item in new.items() if region not in old or region in stale]:
            scope.call("secretsmanager", "replicate_secret_to_regions", SecretId=identifier, AddReplicaRegions=fresh)

    def remove(self, scope: Scope, identifier: Identifier) -> None:
        """See ``Declared``: AWS deletes no secret that has replicas, nor one that it is deleting already."""
        found = self._reader.item(scope, identifier)
        self._withdraw(scope, identifier, list(_by_region(found.get("ReplicationStatus"))))
        super().remove(scope, identifier)

    def revive(self, scope: Scope, identifier: Identifier, before: Properties) -> Progress:  # noqa: ARG002 - as it was
        """See ``ports.Revivable``."""
        scope.call("secretsmanager", "restore_secret", SecretId=identifier)
        return Done(identifier)

    def _differing(self, scope: Scope, desired: Properties, live: Properties) -> frozenset[str]:
        """A value isn't to be seen: one that is wanted is written again."""
        value = frozenset({"SecretString"} if desired.get("SecretString") is not None else ())
        return super()._differing(scope, desired, live) | value

    def _withdraw(self, scope: Scope, identifier: Identifier, regions: list[str]) -> None:
        if regions:
            scope.call(
                "secretsmanager",
                "remove_regions_from_replication",
                SecretId=identifier,
                RemoveReplicaRegions=sorted(regions),
            )


def generated(rules: Mapping[str, Any]) -> str:
    """A value by the rules of ``GenerateSecretString``. Raises INVALID_REQUEST for rules that leave nothing over."""
    excluded = set(str(rules.get("ExcludeCharacters") or ""))
    length = int(rules.get("PasswordLength") or _LENGTH)
    wanted = [text for name, text in _KINDS if not boolean(rules.get(name, False))]
    kinds = [kept for text in wanted if (kept := "".join(each for each in text if each not in excluded))]
    if boolean(rules.get("IncludeSpace", False)) and " " not in excluded:
        kinds.append(" ")
    each_kind = boolean(rules.get("RequireEachIncludedType", True))
    if not kinds or not 1 <= length <= _LONGEST or (each_kind and length < len(kinds)):
        raise AwsFault(FaultKind.INVALID_REQUEST, f"no secret can be made by the rules of {_GENERATE}")
    characters = [secrets.choice(kind) for kind in kinds] if each_kind else []
    every = "".join(kinds)
    characters += [secrets.choice(every) for _ in range(length - len(characters))]
    secrets.SystemRandom().shuffle(characters)
    return _placed("".join(characters), rules)


def _placed(value: str, rules: Mapping[str, Any]) -> str:
    """The value by itself, or in the template under its key. From here on it is known as a secret."""
    template, key = rules.get("SecretStringTemplate"), rules.get("GenerateStringKey")
    Sensitive(value)
    if template is None and key is None:
        return value
    if template is None or key is None:
        message = f"{_GENERATE} needs SecretStringTemplate and GenerateStringKey together"
        raise AwsFault(FaultKind.INVALID_REQUEST, message)
    try:
        document = json.loads(template) if isinstance(template, str) else template
    except ValueError:
        document = None
    if not isinstance(document, Mapping):
        raise AwsFault(FaultKind.INVALID_REQUEST, f"SecretStringTemplate of {_GENERATE} is no JSON object")
    return json.dumps({**document, str(key): value})


def _by_region(replicas: Any) -> dict[str, Mapping[str, Any]]:
    return {str(replica["Region"]): replica for replica in replicas or ()}


def _moved(old: Mapping[str, Any], new: Mapping[str, Any]) -> bool:
    """Whether a replica is to have another key than it has."""
    return bool(new.get("KmsKeyId")) and new.get("KmsKeyId") != old.get("KmsKeyId")


PROVIDERS: tuple[ResourceProvider, ...] = (Secret(_SECRET),)
