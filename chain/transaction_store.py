"""Signed transactions as stored before they are sent: the bytes of a nonce never change, only what became of them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import Connection, func, insert, select, update

from chain.tables import relay_transactions


class TransactionState(StrEnum):
    """What became of a signed transaction. FINAL settles its nonce for good, whether it succeeded or reverted."""

    SIGNED = "SIGNED"
    SENT = "SENT"
    MINED = "MINED"
    REVERTED = "REVERTED"
    FINAL = "FINAL"
    DISPLACED = "DISPLACED"  # its nonce was used by a transaction not made here


UNMINED = (TransactionState.SIGNED, TransactionState.SENT)
OPEN = (*UNMINED, TransactionState.MINED, TransactionState.REVERTED)

_COLUMNS = tuple(column for column in relay_transactions.c if column.name not in {"raw", "signed_at"})


@dataclass(frozen=True, slots=True)
class StoredTransaction:
    """One signed transaction without its bytes."""

    lender_id: int
    sender: bytes
    nonce: int
    transaction_hash: bytes
    state: TransactionState
    attempts: int
    sent_at: datetime | None
    next_attempt_at: datetime | None
    block_number: int | None
    block_hash: bytes | None
    gas_used: int | None
    last_error: str | None

    @property
    def is_unmined(self) -> bool:
        return self.state in UNMINED


def store(
    connection: Connection,
    lender_id: int,
    sender: bytes,
    nonce: int,
    transaction_hash: bytes,
    raw: bytes,
    signed_at: datetime,
) -> None:
    """Keep the bytes that will be sent for this nonce; the primary key refuses a second payload."""
    connection.execute(
        insert(relay_transactions),
        {
            "lender_id": lender_id,
            "sender": sender,
            "nonce": nonce,
            "transaction_hash": transaction_hash,
            "raw": raw,
            "state": TransactionState.SIGNED,
            "attempts": 0,
            "signed_at": signed_at,
        },
    )


def open_transactions(connection: Connection, lender_id: int) -> list[StoredTransaction]:
    """Those not settled for good, by sender and nonce."""
    rows = connection.execute(
        select(*_COLUMNS)
        .where(relay_transactions.c.lender_id == lender_id, relay_transactions.c.state.in_(OPEN))
        .order_by(relay_transactions.c.sender, relay_transactions.c.nonce)
    )
    return [_stored(row) for row in rows]


def raw_bytes(connection: Connection, transaction: StoredTransaction) -> bytes:
    return bytes(connection.execute(select(relay_transactions.c.raw).where(*_key(transaction))).scalar_one())


def last_nonce(connection: Connection, lender_id: int, sender: bytes) -> int | None:
    """The highest nonce that ever got a payload."""
    last: int | None = connection.execute(
        select(func.max(relay_transactions.c.nonce)).where(
            relay_transactions.c.lender_id == lender_id, relay_transactions.c.sender == sender
        )
    ).scalar_one()
    return last


def senders(connection: Connection, lender_id: int) -> list[bytes]:
    """Every account that ever signed for the lender."""
    rows = connection.execute(
        select(relay_transactions.c.sender).where(relay_transactions.c.lender_id == lender_id).distinct()
    )
    return [bytes(sender) for sender in rows.scalars()]


def mark(connection: Connection, transaction: StoredTransaction, state: TransactionState, **values: Any) -> None:
    connection.execute(update(relay_transactions).where(*_key(transaction)).values(state=state, **values))


def reopen(connection: Connection, lender_id: int, sender: bytes, nonces: range) -> int:
    """Settled transactions the chain has lost are to be sent again, the same bytes; returns how many."""
    reopened = connection.execute(
        update(relay_transactions)
        .where(
            relay_transactions.c.lender_id == lender_id,
            relay_transactions.c.sender == sender,
            relay_transactions.c.nonce >= nonces.start,
            relay_transactions.c.nonce < nonces.stop,
            relay_transactions.c.state == TransactionState.FINAL,
        )
        .values(state=TransactionState.SENT, block_number=None, block_hash=None, next_attempt_at=None, sent_at=None)
    )
    return int(reopened.rowcount)


def _key(transaction: StoredTransaction) -> Sequence[Any]:
    return (
        relay_transactions.c.lender_id == transaction.lender_id,
        relay_transactions.c.sender == transaction.sender,
        relay_transactions.c.nonce == transaction.nonce,
    )


def _stored(row: Any) -> StoredTransaction:
    return StoredTransaction(
        lender_id=row.lender_id,
        sender=bytes(row.sender),
        nonce=row.nonce,
        transaction_hash=bytes(row.transaction_hash),
        state=TransactionState(row.state),
        attempts=row.attempts,
        sent_at=row.sent_at,
        next_attempt_at=row.next_attempt_at,
        block_number=row.block_number,
        block_hash=bytes(row.block_hash) if row.block_hash is not None else None,
        gas_used=row.gas_used,
        last_error=row.last_error,
    )
