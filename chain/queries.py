"""What others may read of the relay: how far each entry of the outbox has come, what is stuck, why, and until when."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import Any, TypeAlias

from sqlalchemy import Connection, Row, Select, and_, func, or_, select, tuple_

from chain.outbox_item import ItemState
from chain.tables import relay_items, relay_transactions
from chain.transaction_store import UNMINED, TransactionState
from registry.domain.outbox import OutboxAction
from registry.storage.tables import lenders, outbox

RecordKey: TypeAlias = tuple[int, str, int]  # originator, loan id, sequence

_KEYS_PER_QUERY = 300

_ITEM_OF_ENTRY = and_(relay_items.c.lender_id == outbox.c.lender_id, relay_items.c.position == outbox.c.position)
_TRANSACTION_OF_ITEM = and_(
    relay_transactions.c.lender_id == relay_items.c.lender_id,
    relay_transactions.c.sender == relay_items.c.sender,
    relay_transactions.c.nonce == relay_items.c.nonce,
)


@dataclass(frozen=True, slots=True)
class AnchorRow:
    """How far an entry of the outbox has come. Only the mirror says that a record is anchored.

    `item_state` None: not taken by the relay yet. `refused_block` is the head at which a refusal was first seen, or for
    FOUND the head at which the record was seen on chain, until that is final. `blocked_by` is the position, of the same
    signing lender, whose refusal holds this one back. `last_error` is what the node said about the transaction.
    """

    lender_id: int
    position: int
    action: OutboxAction
    file_lender_id: int
    loan_id: str
    sequence: int | None
    created_at: datetime
    voided_at: datetime | None
    item_state: ItemState | None
    transaction_state: TransactionState | None
    transaction_hash: bytes | None
    nonce: int | None
    block_number: int | None
    refusal_name: str | None
    refusal: str | None
    refused_block: int | None
    blocked_by: int | None
    attempts: int
    next_attempt_at: datetime | None
    last_error: str | None


_COLUMNS: tuple[Any, ...] = (
    outbox.c.lender_id,
    outbox.c.position,
    outbox.c.action,
    outbox.c.file_lender_id,
    outbox.c.loan_id,
    outbox.c.sequence,
    outbox.c.created_at,
    outbox.c.voided_at,
    relay_items.c.state.label("item_state"),
    relay_transactions.c.state.label("transaction_state"),
    relay_transactions.c.transaction_hash,
    relay_items.c.nonce,
    relay_transactions.c.block_number,
    relay_items.c.refusal_name,
    relay_items.c.refusal,
    relay_items.c.refused_block,
    relay_items.c.blocked_by,
    func.coalesce(relay_items.c.attempts, 0).label("attempts"),
    func.coalesce(relay_items.c.next_attempt_at, relay_transactions.c.next_attempt_at).label("next_attempt_at"),
    relay_transactions.c.last_error,
)


def anchor_rows(connection: Connection, keys: Iterable[RecordKey]) -> dict[RecordKey, AnchorRow]:
    """The entries of many records, by (originator, loan id, sequence); voided entries are left out."""
    rows: dict[RecordKey, AnchorRow] = {}
    key = tuple_(outbox.c.file_lender_id, outbox.c.loan_id, outbox.c.sequence)
    for chunk in _chunks(keys):
        for row in connection.execute(_entries().where(key.in_(chunk), outbox.c.voided_at.is_(None))):
            rows[row.file_lender_id, row.loan_id, row.sequence] = _anchor_row(row)
    return rows


def list_outbox(
    connection: Connection,
    *,
    lender_id: int | None = None,
    state: ItemState | str | None = None,
    after: tuple[int, int] | None = None,
    limit: int = 100,
) -> list[AnchorRow]:
    """Entries in the order of (signing lender, position), from behind `after` on.

    `state` is an `ItemState`, or "QUEUED" for what the relay has not taken yet.
    """
    query = _entries().order_by(outbox.c.lender_id, outbox.c.position).limit(limit)
    if lender_id is not None:
        query = query.where(outbox.c.lender_id == lender_id)
    if state == "QUEUED":
        query = query.where(_not_taken())
    elif state is not None:
        query = query.where(relay_items.c.state == ItemState(state))
    if after is not None:
        behind = and_(outbox.c.lender_id == after[0], outbox.c.position > after[1])
        query = query.where(or_(outbox.c.lender_id > after[0], behind))
    return [_anchor_row(row) for row in connection.execute(query)]


def show(connection: Connection, lender_id: int, position: int) -> AnchorRow | None:
    """One entry of the outbox."""
    row = connection.execute(
        _entries().where(outbox.c.lender_id == lender_id, outbox.c.position == position)
    ).one_or_none()
    return _anchor_row(row) if row is not None else None


def oldest_queued_seconds(connection: Connection, now: datetime) -> float | None:
    """The age of the oldest entry that is not in a mined transaction and not set aside; None when there is none."""
    in_transaction = and_(relay_items.c.state == ItemState.ASSIGNED, relay_transactions.c.state.in_(UNMINED))
    waiting = relay_items.c.state == ItemState.WAITING
    # From the relay's side, so that only what is under way is read and not every entry there ever was.
    taken = (
        select(func.min(outbox.c.created_at))
        .select_from(relay_items)
        .join(outbox, _ITEM_OF_ENTRY)
        .outerjoin(relay_transactions, _TRANSACTION_OF_ITEM)
        .where(or_(waiting, in_transaction), outbox.c.voided_at.is_(None))
    )
    not_taken = select(func.min(outbox.c.created_at)).join_from(outbox, lenders, lenders.c.id == outbox.c.lender_id)
    instants = [
        connection.execute(taken).scalar_one(),
        connection.execute(not_taken.where(_not_taken(), outbox.c.voided_at.is_(None))).scalar_one(),
    ]
    known = [instant for instant in instants if instant is not None]
    return (now - min(known)).total_seconds() if known else None


def counts(connection: Connection) -> Mapping[str, int]:
    """Entries by `ItemState`, and "QUEUED" for those the relay has not taken yet."""
    by_state = select(relay_items.c.state, func.count()).group_by(relay_items.c.state)
    found: dict[str, int] = {str(state): 0 for state in ItemState}
    found |= {state: int(count) for state, count in connection.execute(by_state)}
    positions = select(func.coalesce(func.sum(lenders.c.outbox_position), 0))
    taken = sum(found.values())
    return found | {"QUEUED": int(connection.execute(positions).scalar_one()) - taken}


def transaction_counts(connection: Connection) -> Mapping[str, int]:
    """Transactions by `TransactionState`."""
    by_state = select(relay_transactions.c.state, func.count()).group_by(relay_transactions.c.state)
    found = {str(state): 0 for state in TransactionState}
    return found | {state: int(count) for state, count in connection.execute(by_state)}


def _entries() -> Select[Any]:
    return (
        select(*_COLUMNS)
        .select_from(outbox)
        .outerjoin(relay_items, _ITEM_OF_ENTRY)
        .outerjoin(relay_transactions, _TRANSACTION_OF_ITEM)
    )


def _not_taken() -> Any:
    """The relay takes positions in order without gaps, so what it has not taken lies behind its last one."""
    last = select(func.max(relay_items.c.position)).where(relay_items.c.lender_id == outbox.c.lender_id)
    return outbox.c.position > func.coalesce(last.correlate(outbox).scalar_subquery(), 0)


def _anchor_row(row: Row[Any]) -> AnchorRow:
    values = dict(row._mapping)  # noqa: SLF001  SQLAlchemy's public name for a row as a mapping
    values["action"] = OutboxAction(row.action)
    values["item_state"] = ItemState(row.item_state) if row.item_state is not None else None
    known = row.transaction_state is not None
    values["transaction_state"] = TransactionState(row.transaction_state) if known else None
    values["transaction_hash"] = bytes(row.transaction_hash) if known else None
    return AnchorRow(**values)


def _chunks(keys: Iterable[RecordKey]) -> Iterator[Sequence[RecordKey]]:
    rest = iter(keys)
    while chunk := list(islice(rest, _KEYS_PER_QUERY)):
        yield chunk
