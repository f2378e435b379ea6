"""Copies of a few real loans with all their rows, and random alterations of them, each with the place it belongs to."""

import json
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, Table, and_, create_engine, delete, insert, select, update
from sqlalchemy.pool import StaticPool

from app.audit_ports import MirrorState, RelayState, ReplayedBalances, SealedFields, mirror_cursor_of
from app.migrate import ALL_TABLES
from app.wiring import Registry
from audit.finding import Finding
from audit.ports import ChainProof, OnChain
from audit.reconcile import Sources, differences
from chain.tables import relay_items, relay_transactions
from indexer.tables import mirror_blocks, mirror_cursor, mirror_events, mirror_loans, mirror_records
from registry.storage import tables
from tests.support.audit_mutations import (
    LOAN_CELLS,
    MIRROR_LOAN_CELLS,
    MIRROR_RECORD_CELLS,
    OUTBOX_CELLS,
    RECORD_CELLS,
    another,
)
from tests.support.audit_portfolio import canonical

Values = Mapping[str, Any]
OF_THE_FILE = (tables.lenders, tables.chain_binding, tables.products)
WHOLE = (*OF_THE_FILE, relay_items, relay_transactions, mirror_cursor, mirror_blocks)
# A loan's rows in tables that name it by a column of their own, which the loan's row repeats under another name.
NAMED_BY_LOAN = {
    tables.loans: ("id", "id"),
    tables.borrowers: ("id", "borrower_id"),
    tables.applications: ("id", "application_id"),
    tables.decisions: ("id", "decision_id"),
    tables.checks: ("decision_id", "decision_id"),
}
OF_LOANS = (
    *NAMED_BY_LOAN,
    *(tables.loan_records, tables.outbox, tables.liens, tables.transfers),
    *(mirror_loans, mirror_records, mirror_events),
)


@dataclass(frozen=True)
class KnownChain:
    """What the real contract says about some loans at the mirror's block, asked once."""

    standings: Mapping[bytes, OnChain]
    proofs: Mapping[bytes, ChainProof]

    def heads(self, loan_keys: Sequence[bytes], block: int) -> Mapping[bytes, OnChain]:
        assert block
        return {key: self.standings[key] for key in loan_keys if key in self.standings}

    def proof(self, loan_keys: Sequence[bytes], block: int) -> ChainProof:
        (key,) = loan_keys
        assert self.proofs[key].block_number == block
        return self.proofs[key]


@dataclass
class Copy:
    """A few loans of a registry with their rows of file, relay and mirror, in a database of their own."""

    connection: Connection
    loans: list[Row[Any]]
    chain: KnownChain
    registry: Registry

    def findings(self) -> list[Finding]:
        cursor = mirror_cursor_of(self.connection)
        assert cursor is not None
        sources = Sources(
            mirror=MirrorState(self.connection, cursor),
            chain=self.chain,
            relay=RelayState(self.connection),
            balances=ReplayedBalances(),
            opener=SealedFields(self.registry.vault),
        )
        return [
            finding
            for batch in differences(self.connection, sources)
            for finding in [*batch.strays, *(found for loan in batch.loans for found in loan.findings)]
        ]

    def rows(self, table: Table, loan: Row[Any]) -> list[dict[str, Any]]:
        """The loan's rows, in the order of their keys."""
        order = table.primary_key.columns
        return [
            dict(row)
            for row in self.connection.execute(select(table).where(_of(table, loan)).order_by(*order)).mappings()
        ]

    def set(self, table: Table, row: Values, **cells: Any) -> None:
        self.connection.execute(update(table).where(_is(table, row)).values(cells))

    def drop(self, table: Table, row: Values) -> None:
        self.connection.execute(delete(table).where(_is(table, row)))

    def add(self, table: Table, row: Values) -> None:
        self.connection.execute(insert(table).values(row))


def copy_of(registry: Registry, loan_ids: Sequence[str], chain: KnownChain) -> Copy:
    """A copy in memory; its foreign keys are not enforced, as an intruder would not have them enforced either."""
    connection = create_engine("sqlite://", poolclass=StaticPool).connect()
    for metadata in ALL_TABLES:
        metadata.create_all(connection)
    with registry.engine.connect() as source:
        loans = list(source.execute(select(tables.loans).where(tables.loans.c.id.in_(loan_ids))))
        for table in WHOLE:
            _transfer(source, connection, table, select(table))
        for table in OF_LOANS:
            for loan in loans:
                _transfer(source, connection, table, select(table).where(_of(table, loan)))
    connection.commit()
    return Copy(connection, loans, chain, registry)


@dataclass(frozen=True)
class Alteration:
    """What was done, and where: an empty `column` means the whole row.

    `in_evidence` tells whether evidence of the loan shows or depends on what was altered.
    """

    loan: Row[Any]
    table: str
    column: str
    sequence: int | None
    in_evidence: bool = False

    def is_named_by(self, finding: Finding) -> bool:
        same_loan = finding.loan_id == self.loan.id or finding.loan_key == self.loan.loan_key
        if not same_loan or self.table not in finding.table.split("|") or finding.sequence != self.sequence:
            return False
        if self.column == "fields":
            return finding.field.startswith("fields")
        return self.column in finding.field.split("|")


def alter_record(rng: random.Random, copy: Copy, loan: Row[Any]) -> Alteration:
    row = rng.choice(copy.rows(tables.loan_records, loan))
    column = rng.choice([name for name in RECORD_CELLS if row[name] is not None or name == "previous_head"])
    # Heads and personal digests are made anew for evidence, and columns that repeat a field are not shown in it.
    in_evidence = column in {"fields", "kind", "secret", "commitment"}
    if column == "fields" and rng.random() < 0.2:
        value: Any = json.dumps(json.loads(row["fields"])) + " "  # the same values in other words
        in_evidence = False
    elif column == "fields":
        value = _altered_fields(rng, row["fields"])
    elif column == "kind":
        value = rng.choice([kind for kind in range(16) if kind != row["kind"]])
    else:
        value = another(rng, row[column])
    copy.set(tables.loan_records, row, **{column: value})
    return Alteration(loan, "loan_records", column, row["sequence"], in_evidence)


def delete_record(rng: random.Random, copy: Copy, loan: Row[Any]) -> Alteration:
    row = rng.choice(copy.rows(tables.loan_records, loan))
    copy.drop(tables.loan_records, row)
    return Alteration(loan, "loan_records", "", row["sequence"], in_evidence=True)


def insert_record(rng: random.Random, copy: Copy, loan: Row[Any]) -> Alteration:
    rows = copy.rows(tables.loan_records, loan)
    forged = rng.choice(rows) | {"sequence": len(rows) + rng.choice([0, 0, 3]), "commitment": rng.randbytes(32)}
    copy.add(tables.loan_records, forged)
    return Alteration(loan, "loan_records", "", forged["sequence"])


def swap_records(rng: random.Random, copy: Copy, loan: Row[Any]) -> Alteration:
    one, other = rng.sample(copy.rows(tables.loan_records, loan), 2)
    copy.set(tables.loan_records, one, sequence=9_999)
    copy.set(tables.loan_records, other, sequence=one["sequence"])
    copy.set(tables.loan_records, one | {"sequence": 9_999}, sequence=other["sequence"])
    return Alteration(loan, "loan_records", "sequence", one["sequence"], in_evidence=True)


def move_record(rng: random.Random, copy: Copy, loan: Row[Any]) -> Alteration:
    row = rng.choice(copy.rows(tables.loan_records, loan))
    copy.set(tables.loan_records, row, sequence=5_000)
    return Alteration(loan, "loan_records", "", row["sequence"], in_evidence=True)


def alter_loan(rng: random.Random, copy: Copy, loan: Row[Any]) -> Alteration:
    (row,) = copy.rows(tables.loans, loan)
    column = rng.choice([name for name in LOAN_CELLS if row[name] is not None])
    value = another(rng, row[column])
    if column == "terms":
        value = canonical(json.loads(row["terms"]) | {"upfront_fee_minor": "1"})
    copy.set(tables.loans, row, **{column: value})
    return Alteration(loan, "loans", column, None)


def delete_loan(_: random.Random, copy: Copy, loan: Row[Any]) -> Alteration:
    copy.drop(tables.loans, loan._mapping)
    return Alteration(loan, "loans", "", None)


def alter_outbox(rng: random.Random, copy: Copy, loan: Row[Any]) -> Alteration:
    row = rng.choice([row for row in copy.rows(tables.outbox, loan) if row["sequence"] is not None])
    column = rng.choice(OUTBOX_CELLS)
    copy.set(tables.outbox, row, **{column: another(rng, row[column])})
    return Alteration(loan, "outbox", column, row["sequence"])


def alter_mirrored(rng: random.Random, copy: Copy, loan: Row[Any]) -> Alteration:
    row = rng.choice(copy.rows(mirror_records, loan))
    column = rng.choice(MIRROR_RECORD_CELLS)
    copy.set(mirror_records, row, **{column: another(rng, row[column])})
    return Alteration(loan, "mirror_records", column, row["sequence"])


def drop_or_add_mirrored(rng: random.Random, copy: Copy, loan: Row[Any]) -> Alteration:
    rows = copy.rows(mirror_records, loan)
    row = rng.choice(rows)
    if rng.random() < 0.5:
        copy.drop(mirror_records, row)
        return Alteration(loan, "mirror_records", "", row["sequence"])
    forged = row | {"sequence": len(rows), "commitment": rng.randbytes(32)}
    copy.add(mirror_records, forged)
    return Alteration(loan, "mirror_records", "", forged["sequence"])


def alter_mirrored_loan(rng: random.Random, copy: Copy, loan: Row[Any]) -> Alteration:
    (row,) = copy.rows(mirror_loans, loan)
    column = rng.choice([*MIRROR_LOAN_CELLS, ""])
    if column:
        copy.set(mirror_loans, row, **{column: another(rng, row[column])})
    else:
        copy.drop(mirror_loans, row)
    return Alteration(loan, "mirror_loans", column, None)


KINDS: Sequence[Callable[[random.Random, Copy, Row[Any]], Alteration]] = (
    *[alter_record] * 10,
    *[delete_record, insert_record, swap_records, move_record] * 2,
    *[alter_loan, alter_outbox, alter_mirrored, drop_or_add_mirrored, alter_mirrored_loan] * 2,
    delete_loan,
)


def _altered_fields(rng: random.Random, text: str) -> str:
    """One value of a record's contents changed."""
    values = json.loads(text)
    name = rng.choice(sorted(name for name, value in values.items() if value is not None))
    if isinstance(values[name], dict):
        return canonical(values | {name: {**values[name], "term_months": 0}})
    return canonical(values | {name: another(rng, values[name])})


def _of(table: Table, loan: Row[Any]) -> Any:
    """The rows of a table that belong to a loan."""
    if table in NAMED_BY_LOAN:
        column, name = NAMED_BY_LOAN[table]
        return and_(table.c.lender_id == loan.lender_id, table.c[column] == getattr(loan, name))
    if table is tables.outbox:
        return and_(table.c.file_lender_id == loan.lender_id, table.c.loan_id == loan.id)
    if "loan_id" in table.c:  # the rows of a loan's file
        return and_(table.c.lender_id == loan.lender_id, table.c.loan_id == loan.id)
    return table.c.loan_key == loan.loan_key


def _is(table: Table, row: Values) -> Any:
    return and_(*(column == row[column.name] for column in table.primary_key.columns))


def _transfer(source: Connection, target: Connection, table: Table, query: Any) -> None:
    rows = [dict(row) for row in source.execute(query).mappings()]
    if rows:
        target.execute(insert(table), rows)
