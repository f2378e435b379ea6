"""Bulk writing of the mirror, within the caller's transaction: executemany on SQLite, COPY and unnest on PostgreSQL."""

from collections.abc import Iterable, Sequence
from typing import Any

from psycopg import Connection as PsycopgConnection
from psycopg import sql
from sqlalchemy import Connection, Table, delete, insert, select

from indexer.apply import Fold, LenderState, LoanState
from indexer.blocks import Header
from indexer.decode import OtherEvent
from indexer.tables import mirror_blocks, mirror_events, mirror_lenders, mirror_loans, mirror_records
from registry.storage.engine import is_sqlite

VARIABLES_MAX = 16_000  # SQLite allows 32,766 in a statement

_LOAN_FIELDS: tuple[str, ...] = LoanState.__slots__
_LENDER_FIELDS: tuple[str, ...] = LenderState.__slots__
_RECORD_FIELDS = (
    "loan_key",
    "sequence",
    "kind",
    "commitment",
    "head",
    "status",
    "block_number",
    "log_index",
    "transaction_hash",
)
_LOAN_CHANGES = ("controller_id", "servicer_id", "status", "records", "head", "last_block")


def read_loans(connection: Connection, keys: Iterable[bytes]) -> dict[bytes, LoanState]:
    """The present state of those of the loans that the mirror has."""
    wanted = list(keys)
    columns = ", ".join(_LOAN_FIELDS)
    states: dict[bytes, LoanState] = {}
    for at in range(0, len(wanted), VARIABLES_MAX):
        chunk = wanted[at : at + VARIABLES_MAX]
        if is_sqlite(connection):
            marks = ",".join("?" * len(chunk))
            rows = connection.exec_driver_sql(
                f"SELECT {columns} FROM mirror_loans WHERE loan_key IN ({marks})",  # noqa: S608 (our own names)
                tuple(chunk),
            )
        else:
            rows = connection.exec_driver_sql(
                f"SELECT {columns} FROM mirror_loans WHERE loan_key = ANY(%s)",  # noqa: S608
                (chunk,),
            )
        for row in rows:
            states[row[0]] = LoanState(*row)
    return states


def read_lenders(connection: Connection) -> dict[int, LenderState]:
    """All lenders; a consortium has few."""
    rows = connection.execute(select(*(mirror_lenders.c[name] for name in _LENDER_FIELDS)))
    return {row[0]: LenderState(*row) for row in rows}


def write_fold(connection: Connection, fold: Fold) -> None:
    """Everything the fold produced."""
    insert_rows(connection, mirror_records, _RECORD_FIELDS, fold.records)
    insert_rows(connection, mirror_events, OtherEvent._fields, fold.events)
    insert_rows(connection, mirror_loans, _LOAN_FIELDS, [_loan_row(fold.loans[key]) for key in fold.loans_new])
    update_loans(connection, [fold.loans[key] for key in fold.loans_changed - fold.loans_new])
    write_lenders(connection, [fold.lenders[number] for number in sorted(fold.lenders_changed)])


def write_headers(connection: Connection, headers: Sequence[Header]) -> None:
    """Keep the blocks; none of them may be there yet."""
    if headers:
        connection.execute(
            insert(mirror_blocks),
            [
                {"number": it.number, "hash": it.hash, "parent_hash": it.parent_hash, "mined_at": it.mined_at}
                for it in headers
            ],
        )


def write_lenders(connection: Connection, lenders: Sequence[LenderState]) -> None:
    """Insert or replace the lenders."""
    if lenders:
        connection.execute(
            delete(mirror_lenders).where(mirror_lenders.c.lender_id.in_([lender.lender_id for lender in lenders]))
        )
        rows = [{name: getattr(lender, name) for name in _LENDER_FIELDS} for lender in lenders]
        connection.execute(insert(mirror_lenders), rows)


def update_loans(connection: Connection, loans: Sequence[LoanState]) -> None:
    """Bring the rows of loans that the mirror already has to their new state."""
    if not loans:
        return
    rows = [(*(getattr(loan, name) for name in _LOAN_CHANGES), loan.loan_key) for loan in loans]
    if is_sqlite(connection):
        changes = ", ".join(f"{name} = ?" for name in _LOAN_CHANGES)
        connection.exec_driver_sql(f"UPDATE mirror_loans SET {changes} WHERE loan_key = ?", rows)  # noqa: S608
        return
    changes = ", ".join(f"{name} = given.{name}" for name in _LOAN_CHANGES)
    connection.exec_driver_sql(
        f"UPDATE mirror_loans SET {changes} FROM unnest(%s::int[], %s::int[], %s::smallint[], %s::int[], "  # noqa: S608
        f"%s::bytea[], %s::bigint[], %s::bytea[]) AS given ({', '.join(_LOAN_CHANGES)}, loan_key) "
        "WHERE mirror_loans.loan_key = given.loan_key",
        tuple(list(column) for column in zip(*rows, strict=True)),
    )


def insert_rows(connection: Connection, table: Table, names: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
    """Insert rows, given as tuples in the order of `names`."""
    if not rows:
        return
    if is_sqlite(connection):
        marks = ",".join("?" * len(names))
        statement = f"INSERT INTO {table.name} ({', '.join(names)}) VALUES ({marks})"  # noqa: S608
        connection.exec_driver_sql(statement, [tuple(row) for row in rows])
        return
    driver = connection.connection.driver_connection
    assert isinstance(driver, PsycopgConnection)  # noqa: S101 (the only PostgreSQL driver there is here)
    statement_copy = sql.SQL("COPY {} ({}) FROM STDIN").format(
        sql.Identifier(table.name), sql.SQL(", ").join(map(sql.Identifier, names))
    )
    with driver.cursor() as driver_cursor, driver_cursor.copy(statement_copy) as copy:
        for row in rows:
            copy.write_row(row)


def _loan_row(loan: LoanState) -> tuple[Any, ...]:
    return tuple([getattr(loan, name) for name in _LOAN_FIELDS])
