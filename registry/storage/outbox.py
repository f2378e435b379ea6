"""The outbox: positions are given out under a lock on the signing lender, so their order is the order of commits."""

from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime

import orjson
from sqlalchemy import Connection, insert, update

from registry.domain.loan import Loan
from registry.domain.outbox import OutboxEntry
from registry.storage.lenders import LenderUnknown
from registry.storage.tables import lenders, outbox


class SqlOutbox:
    """Implements `registry.ports.Outbox`."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def queue(self, entries: Iterable[OutboxEntry], at: datetime) -> None:
        """Append entries; each lender's row stays locked until the commit."""
        by_lender: dict[int, list[OutboxEntry]] = defaultdict(list)
        for entry in entries:
            by_lender[entry.lender_id].append(entry)
        for lender_id in sorted(by_lender):
            queued = by_lender[lender_id]
            last = self._connection.execute(
                update(lenders)
                .where(lenders.c.id == lender_id)
                .values(outbox_position=lenders.c.outbox_position + len(queued))
                .returning(lenders.c.outbox_position)
            ).scalar_one_or_none()
            if last is None:
                raise LenderUnknown(lender_id)
            first = last - len(queued) + 1
            rows = [_row(entry, first + offset, at) for offset, entry in enumerate(queued)]
            self._connection.execute(insert(outbox), rows)

    def void(self, loan: Loan, from_sequence: int, at: datetime) -> None:
        self._connection.execute(
            update(outbox)
            .where(
                outbox.c.file_lender_id == loan.lender_id,
                outbox.c.loan_id == loan.id,
                outbox.c.sequence >= from_sequence,
                outbox.c.voided_at.is_(None),
            )
            .values(voided_at=at)
        )


def _row(entry: OutboxEntry, position: int, at: datetime) -> dict[str, object]:
    return {
        "lender_id": entry.lender_id,
        "position": position,
        "action": entry.action.value,
        "file_lender_id": entry.file_lender_id,
        "loan_id": entry.loan_id,
        "loan_key": entry.loan_key,
        "sequence": entry.sequence,
        "kind": entry.kind,
        "previous_head": entry.previous_head,
        "commitment": entry.commitment,
        "arguments": orjson.dumps(entry.arguments or {}, option=orjson.OPT_SORT_KEYS).decode(),
        "created_at": at,
    }
