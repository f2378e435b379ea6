"""Alterations of a filled portfolio, each with the place where an audit has to find it."""

import json
import random
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, create_engine, delete, insert, update
from sqlalchemy.pool import StaticPool

from audit.finding import Finding
from audit.reconcile import Sources, differences
from registry.storage import tables
from tests.support.audit_portfolio import (
    FakeBalances,
    FakeChain,
    FakeMirror,
    FakeOpener,
    MadeLoan,
    Maker,
    canonical,
    fill,
)


@dataclass
class Portfolio:
    """A filled file with its fakes; what a test does to the file is rolled back by `altered`."""

    connection: Connection
    loans: list[MadeLoan]

    def sources(self, *, with_chain: bool = True) -> Sources:
        return Sources(
            mirror=FakeMirror(self.loans),
            chain=FakeChain(self.loans) if with_chain else None,
            balances=FakeBalances(self.loans),
            opener=FakeOpener(),
        )

    def findings(self, sources: Sources) -> list[Finding]:
        return [
            finding
            for batch in differences(self.connection, sources)
            for finding in [*batch.strays, *(found for loan in batch.loans for found in loan.findings)]
        ]


def a_portfolio(seed: int, loans: int = 3) -> Portfolio:
    engine = create_engine("sqlite://", poolclass=StaticPool)
    tables.metadata.create_all(engine)
    connection = engine.connect()
    made = Maker(seed).loans(loans)
    fill(connection, made)
    connection.commit()
    return Portfolio(connection, made)


@dataclass
class Mutation:
    """One alteration and where it must be found: `field` is empty when the whole row is meant."""

    loan: MadeLoan
    table: str
    field: str
    sequence: int | None
    apply: Callable[[Connection, FakeMirror], None]
    also: tuple[str, ...] = ()


RECORD_CELLS = (
    "loan_key", "kind", "effective_on", "posted_at", "amount_minor", "currency", "fields", "sealed",
    "personal_digests", "secret", "commitment", "previous_head", "head",
)  # fmt: skip
LOAN_CELLS = (
    "loan_key", "nonce", "controller_id", "servicer_id", "status", "next_sequence", "head", "outstanding_minor",
    "next_unpaid_due_on", "terms", "currency", "principal_minor", "annual_rate", "disclosed_apr", "term_months",
    "external_reference", "product_id", "disbursed_on", "matures_on", "decision_id",
)  # fmt: skip
DECISION_CELLS = (
    "outcome", "score", "reasons", "offered_rate", "limit_minor", "policy_version", "receipt", "receipt_commitment",
    "inputs_hash", "model_hash",
)  # fmt: skip
OUTBOX_CELLS = ("loan_key", "kind", "commitment", "previous_head")
MIRROR_RECORD_CELLS = ("kind", "commitment", "head", "status")
MIRROR_LOAN_CELLS = ("registered_by", "controller_id", "servicer_id", "status", "records", "head")


def another(rng: random.Random, value: Any) -> Any:
    """A different value of the same type."""
    if isinstance(value, bytes):
        return bytes([value[0] ^ (1 << rng.randrange(8))]) + value[1:] if value else b"\x01"
    if isinstance(value, datetime):
        return value.replace(microsecond=(value.microsecond + 1) % 10**6)
    if hasattr(value, "toordinal"):
        return value.fromordinal(value.toordinal() + 1)
    if isinstance(value, int):
        return value + rng.choice([1, 5])
    if isinstance(value, str):
        return "USD" if value == "CNY" else value + "x"
    return rng.randbytes(32) if value is None else None


def _record_cell(rng: random.Random, loan: MadeLoan) -> Mutation:
    record = rng.choice(loan.records)
    column = rng.choice([name for name in RECORD_CELLS if record[name] is not None or name == "previous_head"])
    if column == "sealed" and rng.random() < 0.3:
        value = None
    elif column == "fields":
        return _field_cell(rng, loan, record)
    elif column == "kind":
        value = rng.choice([kind for kind in range(17) if kind != record["kind"]])
    else:
        value = another(rng, record[column])
    return Mutation(loan, "loan_records", column, record["sequence"], _set_record(record, {column: value}))


def _field_cell(rng: random.Random, loan: MadeLoan, record: dict[str, Any]) -> Mutation:
    values = json.loads(record["fields"])
    name = rng.choice(sorted(name for name, value in values.items() if value is not None))
    if rng.random() < 0.2:
        text, name = json.dumps(values) + " ", ""
    elif isinstance(values[name], dict):
        text = canonical(values | {name: values[name] | {"term_months": 0}})
    else:
        text = canonical(values | {name: another(rng, values[name])})
    column = f"fields.{name}" if name in {"effective_on", "posted_at", "amount_minor", "currency"} else "fields"
    return Mutation(loan, "loan_records", column, record["sequence"], _set_record(record, {"fields": text}))


def _set_record(record: dict[str, Any], cells: dict[str, Any]) -> Callable[[Connection, FakeMirror], None]:
    c = tables.loan_records.c
    here = (c.loan_id == record["loan_id"]) & (c.sequence == record["sequence"])
    return lambda connection, _: connection.execute(update(tables.loan_records).where(here).values(cells)) and None


def _delete_record(rng: random.Random, loan: MadeLoan) -> Mutation:
    record, c = rng.choice(loan.records), tables.loan_records.c

    def apply(connection: Connection, _: FakeMirror) -> None:
        here = (c.loan_id == record["loan_id"]) & (c.sequence == record["sequence"])
        connection.execute(delete(tables.loan_records).where(here))

    return Mutation(loan, "loan_records", "", record["sequence"], apply)


def _insert_copy(rng: random.Random, loan: MadeLoan) -> Mutation:
    sequence = len(loan.records) + rng.choice([0, 0, 3])
    copy = rng.choice(loan.records) | {"sequence": sequence, "commitment": rng.randbytes(32)}
    return Mutation(
        loan, "loan_records", "", sequence,
        lambda connection, _: connection.execute(insert(tables.loan_records).values(copy)) and None,
    )  # fmt: skip


def _swap_records(rng: random.Random, loan: MadeLoan) -> Mutation:
    if len(loan.records) < 2:
        return _delete_record(rng, loan)
    one, other = rng.sample(loan.records, 2)

    def apply(connection: Connection, mirror: FakeMirror) -> None:
        _set_record(one, {"sequence": 99})(connection, mirror)
        _set_record(other, {"sequence": one["sequence"]})(connection, mirror)
        _set_record(one | {"sequence": 99}, {"sequence": other["sequence"]})(connection, mirror)

    return Mutation(loan, "loan_records", "sequence", one["sequence"], apply)


def _move_record(rng: random.Random, loan: MadeLoan) -> Mutation:
    record = rng.choice(loan.records)
    return Mutation(loan, "loan_records", "", record["sequence"], _set_record(record, {"sequence": 50}))


def _loan_cell(rng: random.Random, loan: MadeLoan) -> Mutation:
    column = rng.choice(LOAN_CELLS)
    value = another(rng, loan.row[column])
    if column == "terms":
        value = canonical(json.loads(loan.row["terms"]) | {"method": "BULLET"})
    if column == "disclosed_apr":
        value = "0.0999"
    if column == "decision_id" and loan.row[column] is None:
        value = "DC-99999"
    if column in {"next_unpaid_due_on", "disbursed_on"} and loan.row[column] is None:
        value = datetime(2026, 5, 5, tzinfo=UTC).date()
    here = tables.loans.c.id == loan.row["id"]
    return Mutation(
        loan, "loans", column, None,
        lambda connection, _: connection.execute(update(tables.loans).where(here).values({column: value})) and None,
    )  # fmt: skip


def _delete_loan(_: random.Random, loan: MadeLoan) -> Mutation:
    here = tables.loans.c.id == loan.row["id"]
    return Mutation(
        loan, "loans", "", None, lambda connection, _: connection.execute(delete(tables.loans).where(here)) and None
    )


def _of_records(loan: MadeLoan) -> list[dict[str, Any]]:
    """The entries of the queue that carry a record."""
    return [entry for entry in loan.outbox if entry["sequence"] is not None]


def _outbox_cell(rng: random.Random, loan: MadeLoan) -> Mutation:
    entry, column = rng.choice(_of_records(loan)), rng.choice(OUTBOX_CELLS)
    value, c = another(rng, entry[column]), tables.outbox.c
    here = (c.lender_id == entry["lender_id"]) & (c.position == entry["position"])
    return Mutation(
        loan, "outbox", column, entry["sequence"],
        lambda connection, _: connection.execute(update(tables.outbox).where(here).values({column: value})) and None,
    )  # fmt: skip


def _delete_waiting(rng: random.Random, loan: MadeLoan) -> Mutation:
    waiting = _of_records(loan)[len(loan.mirror_records) :]
    if not waiting:
        return _outbox_cell(rng, loan)
    entry, c = rng.choice(waiting), tables.outbox.c
    here = (c.lender_id == entry["lender_id"]) & (c.position == entry["position"])
    return Mutation(
        loan, "outbox", "", entry["sequence"],
        lambda connection, _: connection.execute(delete(tables.outbox).where(here)) and None,
    )  # fmt: skip


def _mirror_record_cell(rng: random.Random, loan: MadeLoan) -> Mutation:
    if not loan.mirror_records:
        return _loan_cell(rng, loan)
    row, column = rng.choice(loan.mirror_records), rng.choice(MIRROR_RECORD_CELLS)

    def apply(_: Connection, mirror: FakeMirror) -> None:
        next(found for found in mirror.record_rows if found == row)[column] = another(rng, row[column])

    return Mutation(loan, "mirror_records", column, row["sequence"], apply)


def _mirror_record_row(rng: random.Random, loan: MadeLoan) -> Mutation:
    if not loan.mirror_records:
        return _delete_record(rng, loan)
    row = rng.choice(loan.mirror_records)
    if rng.random() < 0.5:
        return Mutation(loan, "mirror_records", "", row["sequence"], lambda _, mirror: mirror.record_rows.remove(row))
    forged = row | {"sequence": len(loan.mirror_records), "commitment": rng.randbytes(32)}
    return Mutation(loan, "mirror_records", "", forged["sequence"], lambda _, mirror: mirror.record_rows.append(forged))


def _mirror_loan(rng: random.Random, loan: MadeLoan) -> Mutation:
    if loan.mirror_row is None:
        return _outbox_cell(rng, loan)
    row, column = loan.mirror_row, rng.choice([*MIRROR_LOAN_CELLS, ""])
    if column == "servicer_id" and len(loan.transfers) and row["controller_id"] != loan.row["controller_id"]:
        column = "controller_id"  # while a transfer waits, only the chain can tell the servicer before it

    def apply(_: Connection, mirror: FakeMirror) -> None:
        if column:
            next(found for found in mirror.loan_rows if found == row)[column] = another(rng, row[column])
        else:
            mirror.loan_rows.remove(row)

    return Mutation(loan, "mirror_loans", column, None, apply)


def _decision_cell(rng: random.Random, loan: MadeLoan) -> Mutation:
    if loan.decision is None:
        return _loan_cell(rng, loan)
    row, column = loan.decision, rng.choice([*DECISION_CELLS, ""])
    if column == "outcome" and row["decided_by"] != "policy":
        column = "receipt"  # a person may have decided either way
    here = (tables.decisions.c.lender_id == row["lender_id"]) & (tables.decisions.c.id == row["id"])
    if not column:
        return Mutation(
            loan, "decisions", "id", None,
            lambda connection, _: connection.execute(delete(tables.decisions).where(here)) and None,
        )  # fmt: skip
    value = another(rng, row[column])
    if row[column] is None:
        value = {"limit_minor": 7, "offered_rate": "0.5", "score": '{"grade":"A"}'}[column]
    elif column in {"score", "reasons"}:
        value = row[column].replace('"grade":"B"', '"grade":"A"') if column == "score" else '["OTHER"]'
    elif column == "receipt":
        value = row[column].replace("policy@3", "policy@4")
    return Mutation(
        loan, "decisions", column, None,
        lambda connection, _: connection.execute(update(tables.decisions).where(here).values({column: value})) and None,
    )  # fmt: skip


def _lien_cell(rng: random.Random, loan: MadeLoan) -> Mutation:
    if not loan.liens:
        return _loan_cell(rng, loan)
    row, column = rng.choice(loan.liens), rng.choice(["asset_tag", "released_at", ""])
    here = (tables.liens.c.lender_id == row["lender_id"]) & (tables.liens.c.id == row["id"])
    if not column:
        return Mutation(
            loan, "liens", "", None, lambda connection, _: connection.execute(delete(tables.liens).where(here)) and None
        )
    value = another(rng, row[column])
    if column == "released_at":
        value = None if row[column] else datetime(2026, 4, 1, tzinfo=UTC)
    return Mutation(
        loan, "liens", "" if column == "asset_tag" else column, None,
        lambda connection, _: connection.execute(update(tables.liens).where(here).values({column: value})) and None,
    )  # fmt: skip


def _mirrored_lien(rng: random.Random, loan: MadeLoan) -> Mutation:
    """A lien on chain that the file does not know."""
    if loan.mirror_row is None:
        return _loan_cell(rng, loan)
    key, row = loan.row["loan_key"], {"asset_tag": rng.randbytes(32), "pledged": 1, "released": rng.randrange(2)}
    return Mutation(loan, "liens", "", None, lambda _, mirror: mirror.lien_rows[key].append(row))


KINDS_OF_MUTATION = (
    [_record_cell] * 10
    + [_delete_record, _insert_copy, _swap_records, _move_record, _delete_loan, _delete_waiting]
    + [_loan_cell, _outbox_cell, _mirror_record_cell, _mirror_record_row, _mirror_loan] * 2
    + [_decision_cell] * 4
    + [_lien_cell, _lien_cell, _mirrored_lien]
)


def names(mutation: Mutation, finding: Finding) -> bool:
    same_loan = finding.loan_id == mutation.loan.row["id"] or finding.loan_key == mutation.loan.row["loan_key"]
    if not same_loan or mutation.table not in finding.table.split("|") or finding.sequence != mutation.sequence:
        return False
    if mutation.field == "fields":
        return finding.field.startswith("fields")
    return mutation.field in finding.field.split("|")
