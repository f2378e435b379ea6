"""The loan file as it lies in the tables, read without believing it: raw cells, batches ordered by lender and loan."""

from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, NamedTuple

from sqlalchemy import Column, Connection, Select, Table, and_, select, tuple_, type_coerce
from sqlalchemy.types import NULLTYPE

from registry.domain.chain_binding import ChainBinding
from registry.storage import tables

LOANS_PER_BATCH = 250

LoanName = tuple[int, str]  # originating lender and loan id


class FileLoan(NamedTuple):
    """A row of `loans` with the borrower's key id; days are ISO text."""

    lender_id: int
    id: str
    loan_key: bytes
    nonce: bytes
    borrower_id: str
    terms: str
    currency: str
    principal_minor: int
    annual_rate: str
    disclosed_apr: str | None
    term_months: int
    external_reference: str | None
    controller_id: int
    servicer_id: int
    status: int
    next_sequence: int
    head: bytes
    outstanding_minor: int
    next_unpaid_due_on: str | None
    product_id: str
    decision_id: str | None
    disbursed_on: str | None
    matures_on: str
    borrower_key_id: str | None


class FileRecord(NamedTuple):
    """A row of `loan_records`; days are ISO text, instants as they are hashed."""

    lender_id: int
    loan_id: str
    sequence: int
    loan_key: bytes
    kind: int
    effective_on: str
    posted_at: str
    amount_minor: int | None
    currency: str | None
    fields: str
    sealed: bytes | None
    personal_digests: bytes
    secret: bytes
    commitment: bytes
    previous_head: bytes | None
    head: bytes


class FileOutbox(NamedTuple):
    """A row of `outbox` that was not voided."""

    lender_id: int
    position: int
    action: str
    file_lender_id: int
    loan_id: str
    loan_key: bytes
    sequence: int | None
    kind: int | None
    previous_head: bytes | None
    commitment: bytes | None
    arguments: str


class FileLien(NamedTuple):
    """A row of `liens`; the instant of release is text."""

    lender_id: int
    loan_id: str
    asset_tag: bytes
    released_at: str | None


class FileDecision(NamedTuple):
    """The row of `decisions` that a loan names, without the sealed inputs."""

    lender_id: int
    id: str
    outcome: str
    score: str | None
    reasons: str
    offered_rate: str | None
    limit_minor: int | None
    policy_version: str
    decided_by: str
    receipt: str
    receipt_commitment: bytes
    inputs_hash: bytes
    inputs_salt: bytes
    model_hash: bytes


@dataclass(slots=True)
class FileBatch:
    """Consecutive loans and every row filed under a name up to the last of them, loans without a row included."""

    loans: dict[LoanName, FileLoan] = field(default_factory=dict)
    records: dict[LoanName, list[FileRecord]] = field(default_factory=lambda: defaultdict(list))
    outbox: dict[LoanName, list[FileOutbox]] = field(default_factory=lambda: defaultdict(list))
    liens: dict[LoanName, list[FileLien]] = field(default_factory=lambda: defaultdict(list))
    decisions: dict[LoanName, FileDecision] = field(default_factory=dict)  # those that loans name
    accepted_servicer: dict[LoanName, int] = field(default_factory=dict)  # of the last transfer accepted


def binding_of(connection: Connection) -> ChainBinding | None:
    """The chain this file is bound to."""
    row = connection.execute(select(tables.chain_binding)).mappings().first()
    if row is None:
        return None
    return ChainBinding(row["chain_id"], row["genesis_hash"], row["contract"], row["code_hash"], row["deployed_block"])


def loan_of(connection: Connection, loan_id: str) -> FileLoan | None:
    """The loan with this id, whoever filed it."""
    row = connection.execute(_loan_rows().where(tables.loans.c.id == loan_id)).first()
    return None if row is None else _loan(tuple(row))


def records_of(connection: Connection, loan: FileLoan) -> list[FileRecord]:
    """The loan's records in order of sequence."""
    columns = tables.loan_records.c
    wanted = and_(columns.lender_id == loan.lender_id, columns.loan_id == loan.id)
    query = _raw(tables.loan_records, FileRecord._fields).where(wanted).order_by(columns.sequence)
    return [_record(tuple(row)) for row in connection.execute(query)]


def known_keys(connection: Connection, loan_keys: Sequence[bytes]) -> set[bytes]:
    """Which of these loan keys the file has a loan for."""
    rows = connection.execute(select(tables.loans.c.loan_key).where(tables.loans.c.loan_key.in_(loan_keys)))
    return {row[0] for row in rows}


def batches(
    connection: Connection, lenders: Collection[int] | None = None, loans_per_batch: int = LOANS_PER_BATCH
) -> Iterator[FileBatch]:
    """The whole file, or that of these originating lenders, a batch of loans at a time."""
    after: LoanName | None = None
    while True:
        query = _between(_loan_rows(), (tables.loans.c.lender_id, tables.loans.c.id), after, None, lenders)
        rows = [_loan(tuple(row)) for row in connection.execute(query.limit(loans_per_batch))]
        upto = (rows[-1].lender_id, rows[-1].id) if len(rows) == loans_per_batch else None
        yield _batch(connection, rows, after, upto, lenders)
        if upto is None:
            return
        after = upto


def _batch(
    connection: Connection,
    loans: list[FileLoan],
    after: LoanName | None,
    upto: LoanName | None,
    lenders: Collection[int] | None,
) -> FileBatch:
    batch = FileBatch({(loan.lender_id, loan.id): loan for loan in loans})
    columns = tables.loan_records.c
    query = _between(
        _raw(tables.loan_records, FileRecord._fields), (columns.lender_id, columns.loan_id), after, upto, lenders
    ).order_by(columns.sequence)
    for row in connection.execute(query):
        record = _record(tuple(row))
        batch.records[record.lender_id, record.loan_id].append(record)
    queued = tables.outbox.c
    query = _between(
        _raw(tables.outbox, FileOutbox._fields), (queued.file_lender_id, queued.loan_id), after, upto, lenders
    ).where(queued.voided_at.is_(None))
    for row in connection.execute(query):
        entry = FileOutbox._make(row)
        batch.outbox[entry.file_lender_id, entry.loan_id].append(entry)
    liens = tables.liens.c
    query = _between(
        _raw(tables.liens, FileLien._fields), (liens.lender_id, liens.loan_id), after, upto, lenders
    ).order_by(liens.id)
    for row in connection.execute(query):
        lien = _lien(tuple(row))
        batch.liens[lien.lender_id, lien.loan_id].append(lien)
    if loans:
        query = _between(_decision_rows(), (tables.loans.c.lender_id, tables.loans.c.id), after, upto, lenders)
        for lender_id, loan_id, *cells in connection.execute(query):
            batch.decisions[lender_id, loan_id] = FileDecision._make(cells)
    moved = tables.transfers.c
    query = _between(
        _raw(tables.transfers, ("lender_id", "loan_id", "to_lender_id", "servicer_id")),
        (moved.lender_id, moved.loan_id),
        after,
        upto,
        lenders,
    ).where(moved.state == "ACCEPTED")
    for lender_id, loan_id, buyer, servicer_id in connection.execute(query.order_by(moved.decided_at)):
        batch.accepted_servicer[lender_id, loan_id] = servicer_id or buyer
    return batch


def _between(
    query: Select[Any],
    name: tuple[Column[Any], Column[Any]],
    after: LoanName | None,
    upto: LoanName | None,
    lenders: Collection[int] | None,
) -> Select[Any]:
    if after is not None:
        query = query.where(tuple_(*name) > tuple_(*after))
    if upto is not None:
        query = query.where(tuple_(*name) <= tuple_(*upto))
    if lenders is not None:
        query = query.where(name[0].in_(lenders))
    return query.order_by(*name)


def _loan_rows() -> Any:
    held_by = and_(
        tables.borrowers.c.lender_id == tables.loans.c.lender_id, tables.borrowers.c.id == tables.loans.c.borrower_id
    )
    query = _raw(tables.loans, FileLoan._fields[:-1]).add_columns(type_coerce(tables.borrowers.c.key_id, NULLTYPE))
    return query.select_from(tables.loans.outerjoin(tables.borrowers, held_by))


def _decision_rows() -> Any:
    """The decisions that loans name, each after its loan's name."""
    loans, decisions = tables.loans.c, tables.decisions.c
    named = and_(decisions.lender_id == loans.lender_id, decisions.id == loans.decision_id)
    query = _raw(tables.loans, ("lender_id", "id"))
    cells = (type_coerce(decisions[name], NULLTYPE).label(f"decision_{name}") for name in FileDecision._fields)
    return query.add_columns(*cells).select_from(tables.loans.join(tables.decisions, named))


def _raw(table: Table, names: Sequence[str]) -> Any:
    """The cells as the driver gives them: a cell of the wrong type must become a finding, not an exception."""
    query: Any = select(*(type_coerce(table.c[name], NULLTYPE).label(name) for name in names))
    return query


def _loan(row: tuple[Any, ...]) -> FileLoan:
    loan = FileLoan._make(row)
    return loan._replace(
        next_unpaid_due_on=_day_or_none(loan.next_unpaid_due_on),
        disbursed_on=_day_or_none(loan.disbursed_on),
        matures_on=_day_text(loan.matures_on),
    )


def _lien(row: tuple[Any, ...]) -> FileLien:
    return FileLien._make((*row[:-1], None if row[-1] is None else _instant_text(row[-1])))


def _record(row: tuple[Any, ...]) -> FileRecord:
    return FileRecord._make((*row[:5], _day_text(row[5]), _instant_text(row[6]), *row[7:]))


def _day_text(value: date | str) -> str:
    return value if type(value) is str else str(value)


def _day_or_none(value: date | str | None) -> str | None:
    return None if value is None else _day_text(value)


def _instant_text(value: datetime | str) -> str:
    """`2026-01-31 12:00:00.000000`, as stored, becomes `2026-01-31T12:00:00.000000Z`, as hashed."""
    text = value if type(value) is str else f"{value:%Y-%m-%d %H:%M:%S.%f}" if type(value) is datetime else str(value)
    return f"{text[:10]}T{text[11:]}Z"
