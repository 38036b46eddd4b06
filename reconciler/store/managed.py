"""What plans manage: records, and the outputs that other plans import."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from typing import Any

from sqlalchemy import Connection, bindparam, delete, select

from reconciler.model.ids import Identifier, LogicalId, Owner, PlanName, TypeName
from reconciler.model.resource import Record
from reconciler.store import tables
from reconciler.store.part import Part
from reconciler.store.rules import storable

_RECORDS = tables.records.c
_OF_PLAN = select(_RECORDS.body).where(_RECORDS.plan == bindparam("plan")).order_by(_RECORDS.logical_id)
_IN_PLACE = (
    select(_RECORDS.body)
    .where(_RECORDS.account == bindparam("account"), _RECORDS.region == bindparam("region"))
    .order_by(_RECORDS.plan, _RECORDS.logical_id)
)
_OF_TYPES = _IN_PLACE.where(_RECORDS.type.in_(bindparam("types", expanding=True)))
_EXPORTS = tables.exports.c
_EXPORTED = select(_EXPORTS.name, _EXPORTS.body).where(
    _EXPORTS.account == bindparam("account"),
    _EXPORTS.region == bindparam("region"),
    _EXPORTS.plan == bindparam("plan"),
)


class Managed(Part):
    """Records and exports."""

    def records(self, plan: PlanName) -> Mapping[LogicalId, Record]:
        return {record.logical_id: record for record in self._db.values(Record, _OF_PLAN, plan=plan)}

    def owner_of(self, type_name: TypeName, identifier: Identifier, account: str, region: str) -> Record | None:
        columns = tables.records.c
        query = (
            select(columns.body)
            .where(columns.type == type_name, columns.identifier == identifier)
            .where(columns.account == account, columns.region == region)
            .order_by(columns.plan, columns.logical_id)
        )
        return self._db.first(Record, query)

    def save_record(self, record: Record) -> None:
        with self._db.write() as connection:
            self._save_record(connection, record)

    def move_record(self, record: Record, former: Owner) -> None:
        with self._db.write() as connection:
            self._drop_record(connection, former.plan, former.logical_id)
            self._save_record(connection, record)

    def records_in(self, account: str, region: str, types: Collection[TypeName] | None = None) -> Collection[Record]:
        if types is None:
            return self._db.values(Record, _IN_PLACE, account=account, region=region)
        return self._db.values(Record, _OF_TYPES, account=account, region=region, types=sorted(types))

    def identifiers(self, account: str, region: str, type_name: TypeName) -> Mapping[Owner, Identifier]:
        columns = tables.records.c
        query = (
            select(columns.plan, columns.logical_id, columns.identifier)
            .where(columns.account == account, columns.region == region, columns.type == type_name)
            .order_by(columns.plan, columns.logical_id)
        )
        rows = self._db.rows(query)
        return {Owner(PlanName(plan), LogicalId(name)): Identifier(identifier) for plan, name, identifier in rows}

    def drop_record(self, plan: PlanName, logical_id: LogicalId) -> None:
        with self._db.write() as connection:
            self._drop_record(connection, plan, logical_id)

    def recorded_plans(self) -> Collection[PlanName]:
        column = tables.records.c.plan
        return [PlanName(name) for (name,) in self._db.rows(select(column).distinct().order_by(column))]

    def save_exports(self, plan: PlanName, account: str, region: str, exports: Mapping[str, Any]) -> None:
        columns = tables.exports.c
        kept = {name: self._db.encode(value) for name, value in exports.items() if storable(value)}
        if dict(self._db.rows(_EXPORTED, account=account, region=region, plan=plan)) == kept:
            return
        place = (columns.account == account, columns.region == region, columns.plan == plan)
        with self._db.write() as connection:
            connection.execute(delete(tables.exports).where(*place, columns.name.not_in(kept)))
            for name, body in kept.items():
                row = {"account": account, "region": region, "name": name, "plan": plan, "body": body}
                self._db.upsert(connection, tables.exports, ("account", "region", "name", "plan"), row)

    def export(self, account: str, region: str, name: str) -> Any | None:
        columns = tables.exports.c
        query = (
            select(columns.body)
            .where(columns.account == account, columns.region == region, columns.name == name)
            .order_by(columns.seq)  # of two plans that export the same name, the first keeps it
        )
        return next((json.loads(body) for (body,) in self._db.rows(query.limit(1))), None)

    def _save_record(self, connection: Connection, record: Record) -> None:
        row = {
            "plan": record.plan,
            "logical_id": record.logical_id,
            "type": record.type,
            "identifier": record.identifier,
            "account": record.account,
            "region": record.region,
            "body": self._db.encode(record),
        }
        self._db.upsert(connection, tables.records, ("plan", "logical_id"), row)

    def _drop_record(self, connection: Connection, plan: PlanName, logical_id: LogicalId) -> None:
        table = tables.records
        connection.execute(delete(table).where(table.c.plan == plan, table.c.logical_id == logical_id))
