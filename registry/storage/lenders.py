"""Lenders as rows; their ids are the contract's."""

from dataclasses import dataclass
from typing import Any, ClassVar

from sqlalchemy import Connection, Row, insert, select, update

from registry.domain.errors import NotFound
from registry.domain.parties import Lender
from registry.storage.tables import lenders


@dataclass(eq=False)
class LenderUnknown(NotFound):
    """No lender has this number."""

    lender_id: int
    code: ClassVar[str] = "LENDER_UNKNOWN"

    def __str__(self) -> str:
        return f"There is no lender {self.lender_id} in this registry."


_COLUMNS = [column for column in lenders.c if column.name != "outbox_position"]


class SqlLenders:
    """Implements `registry.ports.Lenders`."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def get(self, lender_id: int) -> Lender:
        row = self._connection.execute(select(*_COLUMNS).where(lenders.c.id == lender_id)).one_or_none()
        if row is None:
            raise LenderUnknown(lender_id)
        return _lender(row)

    def all(self) -> list[Lender]:
        return [_lender(row) for row in self._connection.execute(select(*_COLUMNS).order_by(lenders.c.id))]

    def add(self, lender: Lender) -> None:
        values = {column.name: getattr(lender, column.name) for column in _COLUMNS}
        self._connection.execute(insert(lenders), {**values, "outbox_position": 0})

    def change_account(self, lender_id: int, account: bytes) -> None:
        self._connection.execute(update(lenders).where(lenders.c.id == lender_id).values(account=account))


def _lender(row: Row[Any]) -> Lender:
    return Lender(row.id, row.code, row.name, row.lei, row.kind, row.account, row.active)
