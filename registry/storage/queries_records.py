"""Records as the API reads them: by loan in pages, by place, by commitment; only of loans the actor may know of."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, Select, and_, func, select

from registry.domain.kinds import RecordKind
from registry.domain.records import LoanRecord
from registry.storage.loans import record_of
from registry.storage.queries_loans import of_loans
from registry.storage.queries_sight import Access, Sight, access_to_loan, visible_loans
from registry.storage.tables import loan_records, loans

LoanName = tuple[int, str]


@dataclass(frozen=True, slots=True)
class FiledRecord:
    """A record with the lender whose file it is in, its loan's borrower, and how much of it is shown."""

    lender_id: int
    borrower_id: str
    access: Access
    record: LoanRecord


@dataclass(frozen=True, slots=True)
class RecordWindow:
    """The first `size` records behind the sequence `after`, of these kinds only (None: of all)."""

    size: int
    after: int = -1
    kinds: frozenset[RecordKind] | None = None


_SAME_LOAN = and_(loans.c.lender_id == loan_records.c.lender_id, loans.c.id == loan_records.c.loan_id)


def records_of_loans(
    connection: Connection, sight: Sight, names: Collection[LoanName], window: RecordWindow
) -> dict[str, tuple[FiledRecord, ...]]:
    """For each loan its records in the window, one more than its size where there are more; by loan id."""
    in_loans = of_loans(loan_records.c.lender_id, loan_records.c.loan_id, names)
    statement = _visible(sight).where(*in_loans, loan_records.c.sequence > window.after)
    if window.kinds is None:  # sequences have no gaps, so that the window is a range
        statement = statement.where(loan_records.c.sequence <= window.after + window.size + 1)
    else:
        place = func.row_number().over(
            partition_by=(loan_records.c.lender_id, loan_records.c.loan_id), order_by=loan_records.c.sequence
        )
        wanted = loan_records.c.kind.in_(sorted(int(kind) for kind in window.kinds))
        ranked = statement.where(wanted).add_columns(place.label("place")).subquery()
        statement = select(ranked).where(ranked.c.place <= window.size + 1)
    found: dict[str, list[FiledRecord]] = {}
    for row in connection.execute(statement):
        found.setdefault(row.loan_id, []).append(_record(row))
    return {loan_id: tuple(sorted(rows, key=_sequence)) for loan_id, rows in found.items()}


def histories_of_loans(
    connection: Connection, sight: Sight, names: Collection[LoanName]
) -> dict[str, tuple[FiledRecord, ...]]:
    """All records of these loans in order, by loan id."""
    statement = _visible(sight).where(*of_loans(loan_records.c.lender_id, loan_records.c.loan_id, names))
    found: dict[str, list[FiledRecord]] = {}
    for row in connection.execute(statement):
        found.setdefault(row.loan_id, []).append(_record(row))
    return {loan_id: tuple(sorted(rows, key=_sequence)) for loan_id, rows in found.items()}


def counts_of_loans(
    connection: Connection, sight: Sight, names: Collection[LoanName], kinds: Collection[RecordKind]
) -> dict[str, int]:
    """How many records of these kinds each loan has."""
    statement = (
        select(loan_records.c.loan_id, func.count().label("records"))
        .join(loans, _SAME_LOAN)
        .where(
            visible_loans(sight),
            *of_loans(loan_records.c.lender_id, loan_records.c.loan_id, names),
            loan_records.c.kind.in_(sorted(int(kind) for kind in kinds)),
        )
        .group_by(loan_records.c.lender_id, loan_records.c.loan_id)
    )
    return {row.loan_id: int(row.records) for row in connection.execute(statement)}


def records_at(
    connection: Connection, sight: Sight, places: Collection[tuple[int, str, int]]
) -> dict[tuple[str, int], FiledRecord]:
    """The records at (lender, loan id, sequence), by loan id and sequence."""
    by_loan: dict[LoanName, list[int]] = {}
    for lender_id, loan_id, sequence in places:
        by_loan.setdefault((lender_id, loan_id), []).append(sequence)
    sequences = sorted({sequence for _, _, sequence in places})
    statement = _visible(sight).where(
        *of_loans(loan_records.c.lender_id, loan_records.c.loan_id, by_loan), loan_records.c.sequence.in_(sequences)
    )
    found = {(row.loan_id, row.sequence): row for row in connection.execute(statement)}
    wanted = {(loan_id, sequence) for _, loan_id, sequence in places}
    return {place: _record(row) for place, row in found.items() if place in wanted}


def records_with(connection: Connection, sight: Sight, commitments: Collection[bytes]) -> dict[bytes, FiledRecord]:
    """The records with these commitments."""
    rows = connection.execute(_visible(sight).where(loan_records.c.commitment.in_(commitments)))
    return {row.commitment: _record(row) for row in rows}


def _visible(sight: Sight) -> Select[Any]:
    columns = (*loan_records.c, loans.c.borrower_id, access_to_loan(sight).label("access"))
    return select(*columns).join(loans, _SAME_LOAN).where(visible_loans(sight))


def _record(row: Row[Any]) -> FiledRecord:
    return FiledRecord(row.lender_id, row.borrower_id, Access(row.access), record_of(row))


def _sequence(filed: FiledRecord) -> int:
    return filed.record.sequence
