"""One hash over the whole mirror, so that two mirrors, or a mirror and a fold of the raw logs, compare in one line.

SHA-256 over the label `loan-registry/mirror/v1` and these entries, each after its letter; numbers are big-endian with
the width in bytes given, hashes and keys are raw:

    L  per loan, by loan key:              loan key, registered by (4), controller (4), servicer (4), status (1),
                                           records (4), head, block of registration (8), block of the last record (8)
    R  per record, by loan key, sequence:  loan key, sequence (4), kind (1), commitment, head after it,
                                           status after it (1), block number (8), block hash, log index (4),
                                           transaction hash
    E  per other event, by block number    block number (8), block hash, log index (4), length of the name (1), name,
       and log index:                      transaction hash, then loan key, asset tag, lender (4), other lender (4),
                                           servicer (4), account (20), expiry (8): each 0x00 if the event has none,
                                           else 0x01 and the value
    N  per lender, by number:              number (4), first account (20), active (1), running head

Lender is the one that acted or is meant (fromLenderId, byLenderId), other lender the buyer (toLenderId); an expiry
above 2^63 - 1 counts as that. E holds every event but LoanRegistered and RecordAppended, from which records and heads
follow as the contract's manual says; the block of a loan's last record is not moved by other events.
Nothing else of the database enters: not the cursor, not when or how the mirror was built.
"""

import hashlib
from collections.abc import Iterable, Iterator
from struct import Struct
from typing import Any

from sqlalchemy import Connection, Select, select

from indexer.tables import mirror_blocks, mirror_events, mirror_lenders, mirror_loans, mirror_records

LABEL = b"loan-registry/mirror/v1"
ROWS_AT_ONCE = 5_000

_LOAN = Struct(">c32sIIIBI32sQQ")
_RECORD = Struct(">c32sIB32s32sBQ32sI32s")
_LENDER = Struct(">cI20sB32s")
_EVENT = Struct(">cQ32sIB")

_LOAN_NAMES = (
    "loan_key",
    "registered_by",
    "controller_id",
    "servicer_id",
    "status",
    "records",
    "head",
    "registered_block",
    "last_block",
)
_WIDTHS = {"lender_id": 4, "other_lender_id": 4, "servicer_id": 4, "expires_at": 8}
_OPTIONAL = ("loan_key", "asset_tag", "lender_id", "other_lender_id", "servicer_id", "account", "expires_at")


def mirror_digest(connection: Connection) -> bytes:
    """The digest (32 bytes) of everything mirrored; reads all of it, a batch of rows at a time.

    The connection must see one state throughout: take it from `indexer.queries.snapshot`.
    """
    digest = hashlib.sha256(LABEL)
    for part in (_loans(connection), _records(connection), _events(connection), _lenders(connection)):
        for entries in part:
            digest.update(entries)
    return digest.digest()


def _loans(connection: Connection) -> Iterator[bytes]:
    table = mirror_loans
    statement = select(*(table.c[name] for name in _LOAN_NAMES)).order_by(table.c.loan_key)
    for rows in _partitions(connection, statement):
        yield b"".join(_LOAN.pack(b"L", *row) for row in rows)


def _records(connection: Connection) -> Iterator[bytes]:
    table = mirror_records
    before = (table.c[name] for name in ("loan_key", "sequence", "kind", "commitment", "head", "status"))
    statement = (
        select(*before, table.c.block_number, mirror_blocks.c.hash, table.c.log_index, table.c.transaction_hash)
        .join(mirror_blocks, mirror_blocks.c.number == table.c.block_number)
        .order_by(table.c.loan_key, table.c.sequence)
    )
    for rows in _partitions(connection, statement):
        yield b"".join(_RECORD.pack(b"R", *row) for row in rows)


def _events(connection: Connection) -> Iterator[bytes]:
    table = mirror_events
    statement = (
        select(table, mirror_blocks.c.hash)
        .join(mirror_blocks, mirror_blocks.c.number == table.c.block_number)
        .order_by(table.c.block_number, table.c.log_index)
    )
    for rows in _partitions(connection, statement):
        yield b"".join(_event(row) for row in rows)


def _event(row: Any) -> bytes:
    name = row.name.encode()
    parts = [_EVENT.pack(b"E", row.block_number, row.hash, row.log_index, len(name)), name, row.transaction_hash]
    for field in _OPTIONAL:
        value = getattr(row, field)
        if value is None:
            parts.append(b"\x00")
        else:
            parts.append(b"\x01" + (value.to_bytes(_WIDTHS[field], "big") if field in _WIDTHS else value))
    return b"".join(parts)


def _lenders(connection: Connection) -> Iterator[bytes]:
    table = mirror_lenders
    statement = select(table.c.lender_id, table.c.account, table.c.active, table.c.head).order_by(table.c.lender_id)
    for rows in _partitions(connection, statement):
        yield b"".join(_LENDER.pack(b"N", *row) for row in rows)


def _partitions(connection: Connection, statement: Select[Any]) -> Iterable[Iterable[Any]]:
    return connection.execute(statement.execution_options(yield_per=ROWS_AT_ONCE)).partitions()
