"""Anchor states, derived while reading from outbox, relay and mirror in one statement; nothing here is stored.

FINAL or ANCHORED: the mirror has the very commitment at that place. REFUSED: the relay saw the contract refuse it in a
block that is final, and the mirror does not have it. SENT: a transaction with it is on its way. Everything else QUEUED.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, Connection, FromClause, Row, Select, Table, and_, case, func, or_, select, true

from chain.outbox_item import ItemState
from chain.tables import relay_items, relay_transactions
from chain.transaction_store import TransactionState
from indexer.tables import mirror_blocks, mirror_cursor, mirror_events, mirror_loans, mirror_records
from registry.domain.outbox import OutboxAction
from registry.storage.queries_keyset import Slice, SortKey, Window, sliced, windowed
from registry.storage.queries_loans import of_loans
from registry.storage.queries_sight import Sight, visible_loans
from registry.storage.tables import liens, loan_records, loans, outbox, transfers

LoanName = tuple[int, str]


class AnchorState(StrEnum):
    """How far a record has come on its way to the chain; anything but FINAL may go back."""

    QUEUED = "QUEUED"
    SENT = "SENT"
    ANCHORED = "ANCHORED"
    FINAL = "FINAL"
    REFUSED = "REFUSED"


@dataclass(frozen=True, slots=True)
class AnchorView:
    """What is known of one anchoring. `blocked_by` names (lender, loan id, sequence) of the record that holds it back.

    `confirmations` counts the block itself; blocks, hash and time are the mirror's.
    """

    state: AnchorState
    transaction_hash: bytes | None = None
    block_number: int | None = None
    block_hash: bytes | None = None
    block_time: datetime | None = None
    log_index: int | None = None
    confirmations: int | None = None
    refusal: str | None = None
    blocked_by: tuple[int, str, int] | None = None
    next_attempt_at: datetime | None = None


NOT_QUEUED = AnchorView(AnchorState.QUEUED)
NOT_FINAL = (AnchorState.QUEUED, AnchorState.SENT, AnchorState.REFUSED)
OUTBOX_ORDER = (SortKey(outbox.c.lender_id), SortKey(outbox.c.position))

_blocking = outbox.alias("blocking")
_final = select(mirror_cursor.c.final_number).where(mirror_cursor.c.id == 1).scalar_subquery()
_head = select(mirror_cursor.c.head_number).where(mirror_cursor.c.id == 1).scalar_subquery()

_OUTBOX_OF_RECORD = and_(
    outbox.c.file_lender_id == loan_records.c.lender_id,
    outbox.c.loan_id == loan_records.c.loan_id,
    outbox.c.sequence == loan_records.c.sequence,
    outbox.c.voided_at.is_(None),
)
_ITEM = and_(relay_items.c.lender_id == outbox.c.lender_id, relay_items.c.position == outbox.c.position)
_TRANSACTION = and_(
    relay_transactions.c.lender_id == relay_items.c.lender_id,
    relay_transactions.c.sender == relay_items.c.sender,
    relay_transactions.c.nonce == relay_items.c.nonce,
)
_BLOCKING = and_(_blocking.c.lender_id == relay_items.c.lender_id, _blocking.c.position == relay_items.c.blocked_by)
_MIRRORED = and_(
    mirror_records.c.loan_key == loan_records.c.loan_key,
    mirror_records.c.sequence == loan_records.c.sequence,
    mirror_records.c.commitment == loan_records.c.commitment,
)
_LOAN = and_(loans.c.lender_id == loan_records.c.lender_id, loans.c.id == loan_records.c.loan_id)


def anchors_of_records(connection: Connection, commitments: Collection[bytes]) -> dict[bytes, AnchorView]:
    """The anchors of the records with these commitments."""
    statement = _records().where(loan_records.c.commitment.in_(commitments))
    return {row.commitment: _view(row) for row in connection.execute(statement)}


def anchors_of_loans(connection: Connection, names: Collection[LoanName]) -> dict[str, AnchorView]:
    """For each loan the anchor of its newest record, by loan id."""
    newest = loan_records.c.sequence == loans.c.next_sequence - 1
    statement = _records().join(loans, _LOAN).where(newest, *of_loans(loans.c.lender_id, loans.c.id, names))
    return {row.loan_id: _view(row) for row in connection.execute(statement)}


def anchors_of_agreements(connection: Connection, names: Collection[LoanName]) -> dict[str, AnchorView]:
    """The anchors of the agreements these applications led to, by application id."""
    of_applications = of_loans(loans.c.lender_id, loans.c.application_id, names)
    statement = _records().join(loans, _LOAN).add_columns(loans.c.application_id)
    rows = connection.execute(statement.where(loan_records.c.sequence == 0, *of_applications))
    return {row.application_id: _view(row) for row in rows}


def anchors_of_liens(connection: Connection, names: Collection[LoanName]) -> dict[str, AnchorView]:
    """The anchors of the pledges behind these liens, named by (lender, lien id), by lien id."""
    same_asset = mirror_events.c.asset_tag == liens.c.asset_tag
    statement = _calls(liens, liens.c.pledged_at, OutboxAction.PLEDGE, "AssetPledged", same_asset)
    statement = statement.add_columns(liens.c.asset_tag).where(*of_loans(liens.c.lender_id, liens.c.id, names))
    rows = connection.execute(statement).all()
    return {row.id: _view(row) for row in rows if row.asset_tag.hex() in row.arguments}


def anchors_of_transfers(connection: Connection, names: Collection[LoanName]) -> dict[str, AnchorView]:
    """The anchors of these offers, named by (lender, transfer id), by transfer id."""
    statement = _calls(transfers, transfers.c.offered_at, OutboxAction.OFFER, "TransferOffered", true())
    statement = statement.where(*of_loans(transfers.c.lender_id, transfers.c.id, names))
    return {row.id: _view(row) for row in connection.execute(statement)}


def page_of_outbox(
    connection: Connection, sight: Sight, states: Collection[AnchorState], window: Window
) -> tuple[Slice, dict[bytes, tuple[int, int]]]:
    """Commitments of the visible records in these states, in the order they were queued, with their places."""
    statement = windowed(_queued(sight, states), OUTBOX_ORDER, window)
    page = sliced(connection.execute(statement).all(), window)
    places = {row.commitment: (row.lender_id, row.position) for row in page.rows}
    return Slice(tuple(places), page.has_next, page.has_previous), places


def count_of_outbox(connection: Connection, sight: Sight, states: Collection[AnchorState]) -> int:
    found = _queued(sight, states).subquery()
    return int(connection.execute(select(func.count()).select_from(found)).scalar_one())


def _state(block_number: ColumnElement[Any]) -> ColumnElement[str]:
    refused = and_(relay_items.c.state == ItemState.REFUSED, relay_items.c.refused_block <= _final)
    on_its_way = (TransactionState.SENT, TransactionState.MINED, TransactionState.FINAL)
    sent = or_(
        and_(relay_items.c.state == ItemState.ASSIGNED, relay_transactions.c.state.in_(on_its_way)),
        relay_items.c.state == ItemState.FOUND,
    )
    return case(
        (block_number <= _final, AnchorState.FINAL.value),
        (block_number.is_not(None), AnchorState.ANCHORED.value),
        (refused, AnchorState.REFUSED.value),
        (sent, AnchorState.SENT.value),
        else_=AnchorState.QUEUED.value,
    )


def _progress(mirror: FromClause) -> tuple[ColumnElement[Any], ...]:
    """What a view is made of; `mirror` is the table the block comes from."""
    block_number = mirror.c.block_number
    return (
        _state(block_number).label("state"),
        func.coalesce(mirror.c.transaction_hash, relay_transactions.c.transaction_hash).label("transaction_hash"),
        block_number,
        mirror_blocks.c.hash.label("block_hash"),
        mirror_blocks.c.mined_at.label("block_time"),
        mirror.c.log_index,
        (_head - block_number + 1).label("confirmations"),
        relay_items.c.refusal,
        func.coalesce(relay_items.c.next_attempt_at, relay_transactions.c.next_attempt_at).label("next_attempt_at"),
        _blocking.c.file_lender_id.label("blocking_lender_id"),
        _blocking.c.loan_id.label("blocking_loan_id"),
        _blocking.c.sequence.label("blocking_sequence"),
    )


def _records() -> Select[Any]:
    columns = (loan_records.c.commitment, loan_records.c.loan_id, *_progress(mirror_records))
    return (
        select(*columns)
        .select_from(loan_records)
        .outerjoin(outbox, _OUTBOX_OF_RECORD)
        .outerjoin(relay_items, _ITEM)
        .outerjoin(relay_transactions, _TRANSACTION)
        .outerjoin(_blocking, _BLOCKING)
        .outerjoin(mirror_records, _MIRRORED)
        .outerjoin(mirror_blocks, mirror_blocks.c.number == mirror_records.c.block_number)
    )


def _calls(
    table: Table, made_at: ColumnElement[Any], action: OutboxAction, event: str, condition: ColumnElement[bool]
) -> Select[Any]:
    """Calls that carry no record, found by the instant that row and outbox entry share.

    The event is that of the same transaction, where the transaction is known; the newest comes last.
    """
    queued = and_(
        outbox.c.file_lender_id == table.c.lender_id,
        outbox.c.loan_id == table.c.loan_id,
        outbox.c.action == action.value,
        outbox.c.created_at == made_at,
        outbox.c.voided_at.is_(None),
    )
    same_event = and_(
        mirror_events.c.name == event,
        mirror_events.c.loan_key == outbox.c.loan_key,
        condition,
        or_(
            relay_transactions.c.transaction_hash.is_(None),
            mirror_events.c.transaction_hash == relay_transactions.c.transaction_hash,
        ),
    )
    return (
        select(table.c.id, outbox.c.arguments, *_progress(mirror_events))
        .select_from(table)
        .join(outbox, queued)
        .outerjoin(relay_items, _ITEM)
        .outerjoin(relay_transactions, _TRANSACTION)
        .outerjoin(_blocking, _BLOCKING)
        .outerjoin(mirror_events, same_event)
        .outerjoin(mirror_blocks, mirror_blocks.c.number == mirror_events.c.block_number)
        .order_by(mirror_events.c.block_number, mirror_events.c.log_index)
    )


def _queued(sight: Sight, states: Collection[AnchorState]) -> Select[Any]:
    """Entries of visible records in these states. What is not on chain is found from the loans that have more records
    than the mirror, so that entries long settled are not read.
    """
    entries = (
        select(outbox.c.lender_id, outbox.c.position, loan_records.c.commitment)
        .select_from(loans)
        .outerjoin(mirror_loans, mirror_loans.c.loan_key == loans.c.loan_key)
        .join(loan_records, _LOAN)
        .join(outbox, _OUTBOX_OF_RECORD)
        .outerjoin(relay_items, _ITEM)
        .outerjoin(relay_transactions, _TRANSACTION)
        .outerjoin(mirror_records, _MIRRORED)
    )
    state = _state(mirror_records.c.block_number)
    statement = entries.where(visible_loans(sight), state.in_([state.value for state in states]))
    if {AnchorState.ANCHORED, AnchorState.FINAL}.isdisjoint(states):
        on_chain = func.coalesce(mirror_loans.c.records, 0)
        statement = statement.where(loans.c.next_sequence > on_chain, loan_records.c.sequence >= on_chain)
    return statement


def _view(row: Row[Any]) -> AnchorView:
    blocked_by = None
    if row.blocking_sequence is not None:
        blocked_by = (row.blocking_lender_id, row.blocking_loan_id, row.blocking_sequence)
    state = AnchorState(row.state)
    is_refused = state is AnchorState.REFUSED
    return AnchorView(
        state=state,
        transaction_hash=row.transaction_hash,
        block_number=row.block_number,
        block_hash=row.block_hash,
        block_time=row.block_time,
        log_index=row.log_index,
        confirmations=max(1, row.confirmations) if row.confirmations is not None else None,
        refusal=row.refusal if is_refused or row.block_number is None else None,
        blocked_by=blocked_by,
        next_attempt_at=row.next_attempt_at if row.block_number is None else None,
    )
