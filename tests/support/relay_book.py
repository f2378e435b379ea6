"""A lender's outbox written straight by SQL, with the chain it must become: no code of the product makes the hashes."""

import json
import secrets
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Engine, insert, select, update

from registry.storage.tables import lenders, outbox
from tests.support import chain_oracle

DISBURSEMENT, REPAYMENT, CHARGE_OFF, RECOVERY, SETTLEMENT, OTHER = 1, 2, 7, 8, 9, 15


@dataclass
class BookedLoan:
    """A loan as booked: `records` are (kind, commitment) in order, the agreement first."""

    lender_id: int
    id: str
    nonce: bytes
    key: bytes
    head: bytes
    records: list[tuple[int, bytes]] = field(default_factory=list)


class RelayBook:
    """Books loans and records into lenders' outboxes, and remembers what the chain must hold in the end."""

    def __init__(self, engine: Engine, chain_id: int, contract: bytes) -> None:
        self.engine = engine
        self.chain_id = chain_id
        self.contract = contract
        self.loans: dict[bytes, BookedLoan] = {}

    def add_lender(self, lender_id: int, account: bytes) -> None:
        values = {"id": lender_id, "code": f"L{lender_id}", "name": f"Lender {lender_id}", "kind": "BANK"}
        with self.engine.begin() as connection:
            connection.execute(insert(lenders), {**values, "account": account, "active": True, "outbox_position": 0})

    def register(self, lender_id: int, count: int = 1) -> list[BookedLoan]:
        """Book new loans with their agreements."""
        loans, entries = [], []
        for _ in range(count):
            nonce, commitment = secrets.token_bytes(32), secrets.token_bytes(32)
            key = chain_oracle.loan_key(lender_id, nonce)
            head = chain_oracle.first_head(self.chain_id, self.contract, key, commitment)
            loan = BookedLoan(lender_id, f"LN-{key.hex()[:12]}", nonce, key, head, [(0, commitment)])
            loans.append(loan)
            self.loans[key] = loan
            arguments = {"nonce": nonce.hex()}
            entries.append(_entry(loan, "REGISTER", 0, 0, None, commitment, arguments))
        self._queue(lender_id, entries)
        return loans

    def append(self, loan: BookedLoan, *kinds: int, signer: int | None = None) -> list[int]:
        """Book records of one loan; returns their positions in the outbox."""
        return self.append_many([(loan, kind) for kind in kinds], signer=signer)

    def append_many(self, records: list[tuple[BookedLoan, int]], *, signer: int | None = None) -> list[int]:
        """Book records of many loans, in this order."""
        by_signer: dict[int, list[dict[str, Any]]] = defaultdict(list)
        for loan, kind in records:
            commitment = secrets.token_bytes(32)
            entry = _entry(loan, "APPEND", len(loan.records), kind, loan.head, commitment, {})
            by_signer[signer or loan.lender_id].append(entry)
            loan.records.append((kind, commitment))
            loan.head = chain_oracle.next_head(loan.head, kind, commitment)
        return [position for who, entries in by_signer.items() for position in self._queue(who, entries)]

    def control(self, signer: int, action: str, loan: BookedLoan, **arguments: Any) -> int:
        """Book a control action that adds no record."""
        return self._queue(signer, [_entry(loan, action, None, None, None, None, arguments)])[0]

    def accept(self, signer: int, loan: BookedLoan) -> int:
        """Book the acceptance of an offer: it adds a TRANSFER record."""
        commitment, kind = secrets.token_bytes(32), 12
        entry = _entry(loan, "ACCEPT", len(loan.records), kind, loan.head, commitment, {})
        loan.records.append((kind, commitment))
        loan.head = chain_oracle.next_head(loan.head, kind, commitment)
        return self._queue(signer, [entry])[0]

    def void(self, lender_id: int, positions: list[int]) -> None:
        with self.engine.begin() as connection:
            connection.execute(
                update(outbox)
                .where(outbox.c.lender_id == lender_id, outbox.c.position.in_(positions))
                .values(voided_at=datetime.now(UTC))
            )

    def _queue(self, lender_id: int, entries: list[dict[str, Any]]) -> list[int]:
        with self.engine.begin() as connection:
            query = select(lenders.c.outbox_position).where(lenders.c.id == lender_id).with_for_update()
            last = connection.execute(query).scalar_one()
            positions = list(range(last + 1, last + 1 + len(entries)))
            rows = [
                {**entry, "lender_id": lender_id, "position": at} for entry, at in zip(entries, positions, strict=True)
            ]
            connection.execute(insert(outbox), rows)
            connection.execute(update(lenders).where(lenders.c.id == lender_id).values(outbox_position=positions[-1]))
        return positions


def _entry(
    loan: BookedLoan,
    action: str,
    sequence: int | None,
    kind: int | None,
    previous_head: bytes | None,
    commitment: bytes | None,
    arguments: dict[str, Any],
) -> dict[str, Any]:
    return {
        "action": action,
        "file_lender_id": loan.lender_id,
        "loan_id": loan.id,
        "loan_key": loan.key,
        "sequence": sequence,
        "kind": kind,
        "previous_head": previous_head,
        "commitment": commitment,
        "arguments": json.dumps(arguments),
        "created_at": datetime.now(UTC),
    }
