"""What the use cases ask about anchoring, answered from outbox, relay and mirror."""

from typing import cast

from sqlalchemy import Connection, Engine, and_, select

from chain.outbox_item import ItemState
from chain.outbox_queue import void_refused
from chain.tables import relay_items, relay_transactions
from indexer.tables import mirror_cursor, mirror_records
from registry.domain.loan import Loan
from registry.ports import UnitOfWork
from registry.storage.engine import reading
from registry.storage.tables import outbox
from registry.storage.unit_of_work import SqlUnitOfWork

_ITEM_OF_ENTRY = and_(relay_items.c.lender_id == outbox.c.lender_id, relay_items.c.position == outbox.c.position)


class AnchorsInSql:
    """Implements `registry.ports.Anchors`."""

    def __init__(self, engine: Engine) -> None:
        self._engine = reading(engine)

    def waiting(self, loan: Loan) -> int:
        """Records that the mirror does not show yet, and calls whose transaction is not mined."""
        with self._engine.connect() as connection:
            mirrored = {
                row.sequence: row.commitment
                for row in connection.execute(
                    select(mirror_records.c.sequence, mirror_records.c.commitment).where(
                        mirror_records.c.loan_key == loan.key
                    )
                )
            }
            missing = sum(mirrored.get(record.sequence) != record.commitment for record in loan.records)
            return int(missing) + _calls_under_way(connection, loan)

    def take_back(self, uow: UnitOfWork, loan: Loan, sequence: int) -> bool:
        """The refusal must be of a final block; every later record must be held back by it, or not taken yet."""
        connection = cast(SqlUnitOfWork, uow).connection
        entries = connection.execute(
            select(
                outbox.c.lender_id,
                outbox.c.position,
                outbox.c.sequence,
                relay_items.c.state,
                relay_items.c.refused_block,
            )
            .select_from(outbox.outerjoin(relay_items, _ITEM_OF_ENTRY))
            .where(
                outbox.c.file_lender_id == loan.lender_id,
                outbox.c.loan_id == loan.id,
                outbox.c.sequence >= sequence,
                outbox.c.voided_at.is_(None),
            )
        ).all()
        final = connection.execute(select(mirror_cursor.c.final_number)).scalar_one_or_none()
        refused = [entry for entry in entries if entry.sequence == sequence and entry.state == ItemState.REFUSED]
        if final is None or not any(
            entry.refused_block is not None and entry.refused_block <= final for entry in refused
        ):
            return False
        taken = {
            (lender_id, position)
            for lender_id in {entry.lender_id for entry in entries}
            for position in void_refused(connection, lender_id, loan.lender_id, loan.id)
        }
        return all(entry.state is None or (entry.lender_id, entry.position) in taken for entry in entries)


def _calls_under_way(connection: Connection, loan: Loan) -> int:
    """Offers, refusals and pledges of the loan that are queued, or in a transaction that is not mined."""
    joined = outbox.outerjoin(relay_items, _ITEM_OF_ENTRY).outerjoin(
        relay_transactions,
        and_(
            relay_transactions.c.lender_id == relay_items.c.lender_id,
            relay_transactions.c.sender == relay_items.c.sender,
            relay_transactions.c.nonce == relay_items.c.nonce,
        ),
    )
    rows = connection.execute(
        select(relay_transactions.c.state)
        .select_from(joined)
        .where(
            outbox.c.file_lender_id == loan.lender_id,
            outbox.c.loan_id == loan.id,
            outbox.c.sequence.is_(None),
            outbox.c.voided_at.is_(None),
        )
    )
    return sum(row.state not in {"MINED", "FINAL"} for row in rows)
