"""Taking back replaced blocks: one transaction deletes what they held and recomputes what they touched."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime

from sqlalchemy import Connection, Select, delete, func, literal, select, union, union_all

from chain.failpoint import failpoint
from indexer.apply import (
    ACTIVITY_EVENTS,
    CONTROL_ARRIVED,
    CONTROL_EVENTS,
    CONTROL_LEFT,
    LENDER_HEAD_START,
    REGISTERED_BY,
    LoanState,
)
from indexer.cursor import MirrorCursor, move_cursor
from indexer.errors import FinalBlockChanged
from indexer.tables import mirror_blocks, mirror_events, mirror_lenders, mirror_loans, mirror_records
from indexer.write import read_lenders, read_loans, update_loans, write_lenders
from registry.domain.commitments import next_lender_head

KEYS_MAX = 5_000  # in one statement


def stored_hashes(connection: Connection, cursor: MirrorCursor) -> dict[int, bytes]:
    """The mirror's block hashes by number, from the last final block up to the cursor: what a walk back can meet."""
    rows = connection.execute(
        select(mirror_blocks.c.number, mirror_blocks.c.hash).where(mirror_blocks.c.number > cursor.final_number)
    )
    hashes = {number: bytes(value) for number, value in rows}
    hashes[cursor.final_number] = cursor.final_hash
    return hashes


def rewind(
    connection: Connection,
    cursor: MirrorCursor,
    ancestor: int,
    *,
    ancestor_hash: bytes,
    head_number: int,
    now: datetime,
) -> MirrorCursor:
    """Take back every block above `ancestor`, as if it had never been read; never one that was final."""
    if ancestor < cursor.final_number:
        raise FinalBlockChanged(cursor.final_number, cursor.final_hash, b"")
    after = replace(cursor, block_number=ancestor, block_hash=ancestor_hash, head_number=head_number, indexed_at=now)
    move_cursor(connection, cursor, after)
    loans = _loans_above(connection, ancestor)
    lenders = _lenders_above(connection, ancestor)
    for table, column in (
        (mirror_records, mirror_records.c.block_number),
        (mirror_events, mirror_events.c.block_number),
        (mirror_loans, mirror_loans.c.registered_block),
        (mirror_blocks, mirror_blocks.c.number),
    ):
        connection.execute(delete(table).where(column > ancestor))
    _recompute_loans(connection, loans)
    _recompute_lenders(connection, lenders)
    failpoint("K10")
    return after


def _loans_above(connection: Connection, ancestor: int) -> list[bytes]:
    """Loans whose row depends on a block above the ancestor."""
    by_record = select(mirror_records.c.loan_key).where(mirror_records.c.block_number > ancestor)
    by_control = select(mirror_events.c.loan_key).where(
        mirror_events.c.block_number > ancestor, mirror_events.c.name.in_(CONTROL_EVENTS)
    )
    return [bytes(key) for key in connection.scalars(union(by_record, by_control))]


def _lenders_above(connection: Connection, ancestor: int) -> set[int]:
    """Lenders whose row depends on a block above the ancestor."""
    registered = select(mirror_loans.c.registered_by).where(mirror_loans.c.registered_block > ancestor)
    named = ("TransferAccepted", *ACTIVITY_EVENTS)
    above = select(mirror_events).where(mirror_events.c.block_number > ancestor, mirror_events.c.name.in_(named))
    events = above.subquery()
    numbers = connection.scalars(union(registered, select(events.c.lender_id), select(events.c.other_lender_id)))
    return {number for number in numbers if number is not None}


def _recompute_loans(connection: Connection, keys: Sequence[bytes]) -> None:
    for chunk in _chunks(keys):
        loans = read_loans(connection, chunk)
        _recompute_histories(connection, loans)
        _recompute_control(connection, loans)
        update_loans(connection, list(loans.values()))


def _recompute_histories(connection: Connection, loans: dict[bytes, LoanState]) -> None:
    """Status, head and length from each loan's last record that is left."""
    of_loans = mirror_records.c.loan_key.in_(list(loans))
    last = (
        select(mirror_records.c.loan_key, func.max(mirror_records.c.sequence).label("sequence"))
        .where(of_loans)
        .group_by(mirror_records.c.loan_key)
        .subquery()
    )
    rows = connection.execute(
        select(mirror_records).join(
            last, (mirror_records.c.loan_key == last.c.loan_key) & (mirror_records.c.sequence == last.c.sequence)
        )
    )
    for row in rows:
        loan = loans[row.loan_key]
        loan.status, loan.head, loan.records, loan.last_block = row.status, row.head, row.sequence + 1, row.block_number


def _recompute_control(connection: Connection, loans: dict[bytes, LoanState]) -> None:
    """Controller and servicer by replaying what is left of the loans' transfers and appointments."""
    for loan in loans.values():
        loan.controller_id = loan.servicer_id = loan.registered_by
    rows = connection.execute(
        select(mirror_events)
        .where(mirror_events.c.loan_key.in_(list(loans)), mirror_events.c.name.in_(CONTROL_EVENTS))
        .order_by(mirror_events.c.block_number, mirror_events.c.log_index)
    )
    for row in rows:
        loan = loans[row.loan_key]
        loan.servicer_id = row.servicer_id
        if row.name == "TransferAccepted":
            loan.controller_id = row.other_lender_id


def _recompute_lenders(connection: Connection, numbers: Iterable[int]) -> None:
    """Activity from the last event left, the running head folded anew; lenders admitted above are gone."""
    states = read_lenders(connection)
    kept = []
    for number in sorted(numbers):
        events = mirror_events.c.lender_id == number, mirror_events.c.name.in_(ACTIVITY_EVENTS)
        newest_first = mirror_events.c.block_number.desc(), mirror_events.c.log_index.desc()
        last = connection.scalar(select(mirror_events.c.name).where(*events).order_by(*newest_first).limit(1))
        if last is None:
            connection.execute(delete(mirror_lenders).where(mirror_lenders.c.lender_id == number))
            continue
        state = states[number]
        state.active = last != "LenderSuspended"
        state.head = LENDER_HEAD_START
        for row in connection.execute(_population(number).execution_options(yield_per=10_000)):
            state.head = next_lender_head(state.head, row.what, row.loan_key)
        kept.append(state)
    write_lenders(connection, kept)


def _population(lender_id: int) -> Select[tuple[int, bytes]]:
    """Registrations and transfers of a lender in chain order, as its running head folds them."""
    registered = (
        select(
            mirror_records.c.block_number,
            mirror_records.c.log_index,
            literal(REGISTERED_BY).label("what"),
            mirror_records.c.loan_key,
        )
        .join(mirror_loans, mirror_loans.c.loan_key == mirror_records.c.loan_key)
        .where(mirror_records.c.sequence == 0, mirror_loans.c.registered_by == lender_id)
    )
    left, arrived = (
        select(
            mirror_events.c.block_number,
            mirror_events.c.log_index,
            literal(what).label("what"),
            mirror_events.c.loan_key,
        ).where(mirror_events.c.name == "TransferAccepted", column == lender_id)
        for what, column in (
            (CONTROL_LEFT, mirror_events.c.lender_id),
            (CONTROL_ARRIVED, mirror_events.c.other_lender_id),
        )
    )
    moves = union_all(registered, left, arrived).subquery()
    return select(moves.c.what, moves.c.loan_key).order_by(moves.c.block_number, moves.c.log_index)


def _chunks(keys: Sequence[bytes]) -> Iterator[Sequence[bytes]]:
    for at in range(0, len(keys), KEYS_MAX):
        yield keys[at : at + KEYS_MAX]
