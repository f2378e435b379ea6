"""Liens and offers of control, as the file knows them."""

from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, insert, select, update

from registry.domain.claims import ControlTransfer, Lien, TransferState
from registry.domain.money import Money
from registry.storage.tables import liens, transfers


class SqlClaims:
    """Implements `registry.ports.Claims`."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def lien(self, asset_tag: bytes) -> Lien | None:
        """The lien that holds an asset now."""
        row = (
            self._connection.execute(select(liens).where(liens.c.asset_tag == asset_tag, liens.c.released_at.is_(None)))
            .mappings()
            .one_or_none()
        )
        return Lien(**row) if row is not None else None

    def add_lien(self, lien: Lien) -> None:
        values = {column.name: getattr(lien, column.name) for column in liens.c}
        self._connection.execute(insert(liens), values)

    def release(self, lien: Lien, at: datetime) -> None:
        self._connection.execute(
            update(liens).where(liens.c.lender_id == lien.lender_id, liens.c.id == lien.id).values(released_at=at)
        )

    def open_transfer(self, loan_id: str) -> ControlTransfer | None:
        row = self._connection.execute(
            select(transfers)
            .where(transfers.c.loan_id == loan_id, transfers.c.state == TransferState.OFFERED.value)
            .with_for_update()
        ).one_or_none()
        return transfer_of(row) if row is not None else None

    def add_transfer(self, transfer: ControlTransfer) -> None:
        self._connection.execute(
            insert(transfers),
            {
                "lender_id": transfer.lender_id,
                "id": transfer.id,
                "loan_id": transfer.loan_id,
                "from_lender_id": transfer.from_lender_id,
                "to_lender_id": transfer.to_lender_id,
                "servicer_id": transfer.servicer_id,
                "price_minor": transfer.price.minor if transfer.price else None,
                "currency": transfer.price.currency if transfer.price else None,
                "offered_at": transfer.offered_at,
                "expires_at": transfer.expires_at,
                "state": transfer.state.value,
                "decided_at": transfer.decided_at,
            },
        )

    def save_transfer(self, transfer: ControlTransfer) -> None:
        self._connection.execute(
            update(transfers)
            .where(transfers.c.lender_id == transfer.lender_id, transfers.c.id == transfer.id)
            .values(state=transfer.state.value, decided_at=transfer.decided_at)
        )


def transfer_of(row: Row[Any]) -> ControlTransfer:
    return ControlTransfer(
        lender_id=row.lender_id,
        id=row.id,
        loan_id=row.loan_id,
        from_lender_id=row.from_lender_id,
        to_lender_id=row.to_lender_id,
        servicer_id=row.servicer_id,
        price=Money(row.price_minor, row.currency) if row.price_minor is not None else None,
        offered_at=row.offered_at,
        expires_at=row.expires_at,
        state=TransferState(row.state),
        decided_at=row.decided_at,
    )
