"""What the use cases ask about anchoring, answered from outbox, relay and mirror."""

from sqlalchemy import Connection, Engine, and_, select

from chain.tables import relay_items, relay_transactions
from indexer.tables import mirror_cursor, mirror_records
from registry.domain.loan import Loan
from registry.storage.engine import reading
from registry.storage.tables import outbox


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

    def refused_for_good(self, loan: Loan, sequence: int) -> bool:
        """The relay set the record aside, in a block that is final now, and the mirror does not have it."""
        with self._engine.connect() as connection:
            refused = connection.execute(
                select(relay_items.c.refused_block)
                .join(
                    outbox,
                    and_(outbox.c.lender_id == relay_items.c.lender_id, outbox.c.position == relay_items.c.position),
                )
                .where(
                    outbox.c.file_lender_id == loan.lender_id,
                    outbox.c.loan_id == loan.id,
                    outbox.c.sequence == sequence,
                    outbox.c.voided_at.is_(None),
                    relay_items.c.state == "REFUSED",
                )
            ).scalar_one_or_none()
            final = connection.execute(select(mirror_cursor.c.final_number)).scalar_one_or_none()
            if refused is None or final is None or refused > final:
                return False
            mirrored = connection.execute(
                select(mirror_records.c.sequence).where(
                    mirror_records.c.loan_key == loan.key,
                    mirror_records.c.commitment == loan.records[sequence].commitment,
                )
            ).first()
            return mirrored is None


def _calls_under_way(connection: Connection, loan: Loan) -> int:
    """Offers, refusals and pledges of the loan that are queued, or in a transaction that is not mined."""
    joined = outbox.outerjoin(
        relay_items,
        and_(relay_items.c.lender_id == outbox.c.lender_id, relay_items.c.position == outbox.c.position),
    ).outerjoin(
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
