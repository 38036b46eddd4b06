"""AWS::RDS::DBInstance and DBCluster.

A delete takes no final snapshot: what has the DeletionPolicy Snapshot (the default of databases) is never deleted by a
plan, only what says Delete, and by that CloudFormation doesn't take one either.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import cached_property
from typing import Any, ClassVar

from reconciler.model.errors import AwsFault, FaultKind
from reconciler.model.ids import ClientToken, Identifier
from reconciler.model.progress import Done, Handle, Pending, Progress
from reconciler.model.values import Properties, reveal
from reconciler.ports import ResourceProvider, Scope
from reconciler.providers.declared import Call, Update
from reconciler.providers.declared.progress import UPDATE
from reconciler.providers.declared.reading import Item
from reconciler.providers.declared.shaping import at, input_shape, member
from reconciler.providers.native.lowered import Lowered
from reconciler.providers.native.rds_declared import CLUSTER, INSTANCE, LOGS, MANNER, ROLES, SECRET_KEY
from reconciler.schema import schema_for

#: AWS shows a moment later that it has begun to change something.
_MOMENT = 15.0  # seconds


class Database(Lowered):
    """What instances and clusters have in common.

    ``roots``: the property that says what one is made from, and the call that makes it so. ``restoring``: how that is
    done, which says nothing where one is made from nothing. ``lifted``: where in an answer a property is. ``groups``:
    the property with the security groups. ``role_target``: of calls about roles.
    """

    roots: ClassVar[Mapping[str, str]] = {}
    restoring: ClassVar[frozenset[str]] = frozenset()
    lifted: ClassVar[Mapping[str, str]] = {}
    groups: ClassVar[str] = ""
    role_calls: ClassVar[tuple[str, str, str]] = ("", "", "")

    def adapt_observed(self, scope: Scope, item: Item, properties: dict[str, Any]) -> dict[str, Any]:  # noqa: ARG002
        """See ``Declared``."""
        answer = item.answer
        shown = {name: at(answer, path) for name, path in self.lifted.items()}
        shown[self.groups] = [one["VpcSecurityGroupId"] for one in answer.get("VpcSecurityGroups", ())]
        shown["ManageMasterUserPassword"] = True if answer.get(SECRET_KEY) else None
        shown[ROLES] = [
            {name: one[name] for name in ("FeatureName", "RoleArn") if one.get(name)} for one in answer.get(ROLES, ())
        ]
        properties = {name: value for name, value in properties.items() if name not in shown}
        return properties | {name: value for name, value in shown.items() if value not in (None, [])}

    def adapt_given(self, scope: Scope, call: Call, values: dict[str, Any]) -> dict[str, Any]:  # noqa: ARG002
        """See ``Declared``."""
        values.pop(SECRET_KEY, None)
        return values

    def make(self, scope: Scope, desired: Properties, token: ClientToken) -> Identifier:  # noqa: ARG002 - the name is the token
        """See ``Declared``: from nothing, or from a snapshot or a source."""
        constants = dict(self.declaration.create.constants)
        if (key := at(desired.get(SECRET_KEY), "KmsKeyId")) is not None:
            constants["MasterUserSecretKmsKeyId"] = key
        root = self._root(desired)
        create = replace(self.declaration.create, operation=root or self.declaration.create.operation)
        rest = self._rest(desired)
        left = {*rest, *MANNER, self._tags_name} | (self._after_root(desired) if root else self.restoring)
        values = {name: value for name, value in desired.items() if name not in left}
        given = self._parameters(scope, replace(create, constants=constants), {}, values)
        tags = {"Tags": desired[self._tags_name]} if desired.get(self._tags_name) else {}
        answer = scope.call("rds", create.operation, **given, **tags)
        return self._identifier(scope, desired, at(answer, self.declaration.made))

    def create(self, scope: Scope, desired: Properties, token: ClientToken) -> Progress:
        """See ``ports.ResourceProvider``. Raises INVALID_REQUEST for a secret that a restored one can't be given."""
        shown = reveal(desired)
        root = self._root(shown)
        schema = schema_for(self.type_name)
        assert schema is not None
        for name in sorted(self._after_root(shown) if root else ()):
            if schema.is_secret((name,)) and name not in MANNER and name not in self.restoring:
                message = f"{name} of {self.type_name} can't be set while it is restored or copied: leave it out"
                raise AwsFault(FaultKind.INVALID_REQUEST, message)
        return super().create(scope, desired, token)

    def change(
        self, scope: Scope, identifier: Identifier, update: Update, before: Properties, after: Properties
    ) -> None:
        """See ``Declared``."""
        if ROLES in update.names:
            self._change_roles(scope, identifier, before.get(ROLES) or [], after.get(ROLES) or [])
            return
        target, constants = dict(after), dict(update.call.constants)
        if LOGS in target:
            old, new = set(before.get(LOGS) or ()), set(target.pop(LOGS))
            choice = {"EnableLogTypes": sorted(new - old), "DisableLogTypes": sorted(old - new)}
            constants["CloudwatchLogsExportConfiguration"] = {name: kinds for name, kinds in choice.items() if kinds}
        if (key := at(target.get(SECRET_KEY), "KmsKeyId")) is not None:
            constants["MasterUserSecretKmsKeyId"] = key
        if "Iops" in target and before.get("AllocatedStorage") is not None:
            target.setdefault("AllocatedStorage", before["AllocatedStorage"])
        call = replace(update.call, constants=constants)
        super().change(scope, identifier, replace(update, call=call), before, target)

    def update(
        self, scope: Scope, identifier: Identifier, before: Properties, after: Properties, changed: frozenset[str]
    ) -> Progress:
        """See ``ports.ResourceProvider``."""
        progress = super().update(scope, identifier, before, after, changed)
        if isinstance(progress, Done) and changed - {self._tags_name}:
            return Pending(Handle(identifier, UPDATE), _MOMENT, f"{identifier} is to be changed")
        return progress

    @cached_property
    def _created(self) -> frozenset[str]:
        return super()._created | self.roots.keys() | self.restoring

    def _root(self, desired: Properties) -> str:
        """The call that makes one from something else; empty if it is made from nothing."""
        return next((call for name, call in self.roots.items() if desired.get(name)), "")

    def _after_root(self, desired: Properties) -> set[str]:
        """What the call that makes one from something else doesn't take."""
        shape, renames = input_shape("rds", self._root(desired)), self.declaration.create.renames
        names = (name for name in desired if name not in (SECRET_KEY, self._tags_name))
        return {name for name in names if member(shape, name, name, renames) is None}

    def _rest(self, desired: Properties) -> dict[str, Any]:
        """See ``Declared``: how changes are made says nothing of a create, and how it is restored nothing after it."""
        rest = super()._rest(desired)
        if self._root(desired):
            # the engine is that of what it is made from
            rest |= {name: desired[name] for name in self._after_root(desired) if name != "Engine"}
        return {name: value for name, value in rest.items() if name not in MANNER and name not in self.restoring}

    def _change_roles(self, scope: Scope, identifier: str, before: list[Any], after: list[Any]) -> None:
        add, remove, parameter = self.role_calls
        for role in after:
            if role not in before:
                scope.call("rds", add, **{parameter: identifier}, **role)
        for role in before:
            if role not in after:
                scope.call("rds", remove, **{parameter: identifier}, **role)


class Instance(Database):
    """An instance, of its own or in a cluster."""

    roots: ClassVar[Mapping[str, str]] = {
        "DBSnapshotIdentifier": "restore_db_instance_from_db_snapshot",
        "SourceDBInstanceIdentifier": "create_db_instance_read_replica",
    }
    groups: ClassVar[str] = "VPCSecurityGroups"
    lifted: ClassVar[Mapping[str, str]] = {
        "DBParameterGroupName": "DBParameterGroups.0.DBParameterGroupName",
        "DBSubnetGroupName": "DBSubnetGroup.DBSubnetGroupName",
        "Domain": "DomainMemberships.0.Domain",
        "DomainAuthSecretArn": "DomainMemberships.0.AuthSecretArn",
        "DomainDnsIps": "DomainMemberships.0.DnsIps",
        "DomainFqdn": "DomainMemberships.0.FQDN",
        "DomainIAMRoleName": "DomainMemberships.0.IAMRoleName",
        "DomainOu": "DomainMemberships.0.OU",
        "OptionGroupName": "OptionGroupMemberships.0.OptionGroupName",
        "Port": "Endpoint.Port",
    }
    role_calls: ClassVar[tuple[str, str, str]] = (
        "add_role_to_db_instance",
        "remove_role_from_db_instance",
        "DBInstanceIdentifier",
    )

    def adapt_given(self, scope: Scope, call: Call, values: dict[str, Any]) -> dict[str, Any]:
        """See ``Declared``: without a word from the plan a change doesn't wait for the maintenance window."""
        values = super().adapt_given(scope, call, values)
        return {"ApplyImmediately": True, **values} if call.operation == "modify_db_instance" else values

    def adapt_observed(self, scope: Scope, item: Item, properties: dict[str, Any]) -> dict[str, Any]:
        """See ``Declared``."""
        found = super().adapt_observed(scope, item, properties)
        if found.get("Port") is not None:
            found["Port"] = str(found["Port"])
        groups = [one["DBSecurityGroupName"] for one in item.answer.get("DBSecurityGroups", ())]
        found.pop("DBSecurityGroups", None)
        return {**found, "DBSecurityGroups": groups} if groups else found


class Cluster(Database):
    """A cluster of Aurora, or of a database that keeps copies in several zones."""

    roots: ClassVar[Mapping[str, str]] = {
        "SnapshotIdentifier": "restore_db_cluster_from_snapshot",
        "SourceDBClusterIdentifier": "restore_db_cluster_to_point_in_time",
    }
    restoring: ClassVar[frozenset[str]] = frozenset({"RestoreToTime", "RestoreType", "UseLatestRestorableTime"})
    groups: ClassVar[str] = "VpcSecurityGroupIds"
    lifted: ClassVar[Mapping[str, str]] = {
        "Domain": "DomainMemberships.0.Domain",
        "DomainIAMRoleName": "DomainMemberships.0.IAMRoleName",
    }
    role_calls: ClassVar[tuple[str, str, str]] = (
        "add_role_to_db_cluster",
        "remove_role_from_db_cluster",
        "DBClusterIdentifier",
    )

    def adapt_observed(self, scope: Scope, item: Item, properties: dict[str, Any]) -> dict[str, Any]:
        """See ``Declared``."""
        answer, found = item.answer, super().adapt_observed(scope, item, properties)
        port = None if answer.get("Port") is None else str(answer["Port"])
        for name, address in (("Endpoint", answer.get("Endpoint")), ("ReadEndpoint", answer.get("ReaderEndpoint"))):
            found.pop(name, None)
            if address:
                found[name] = {"Address": address, **({"Port": port} if port and name == "Endpoint" else {})}
        if status := answer.get("LocalWriteForwardingStatus"):
            found["EnableLocalWriteForwarding"] = status in ("enabled", "enabling", "requested")
        return found


PROVIDERS: tuple[ResourceProvider, ...] = (Instance(INSTANCE), Cluster(CLUSTER))
