"""A reconciliation run as a whole: what it reads, what it keeps, and what it does with everything odd."""

import random
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, delete, insert, update

from audit import loan_file, queries
from audit.finding import Rule, Verification
from audit.ports import RelayProgress
from audit.reconcile import FileNotBound, MirrorOfAnotherChain, Sources, differences, reconcile
from audit.tables import metadata as audit_metadata
from registry.storage import tables
from registry.storage.engine import open_engine, reading
from tests.support.audit_mutations import LOAN_CELLS, OUTBOX_CELLS, RECORD_CELLS
from tests.support.audit_portfolio import (
    CHAIN_ID,
    FakeBalances,
    FakeChain,
    FakeMirror,
    FakeOpener,
    MadeLoan,
    Maker,
    fill,
)
from tests.support.postgres import postgres

__all__ = ["postgres"]

AT = datetime(2026, 6, 1, 12, 0, tzinfo=UTC)


class FixedClock:
    def now(self) -> datetime:
        return AT


def a_file(url: str, seed: int, loans: int) -> tuple[Engine, list[MadeLoan]]:
    engine = open_engine(url)
    tables.metadata.create_all(engine)
    audit_metadata.create_all(engine)
    made = Maker(seed).loans(loans)
    with engine.begin() as connection:
        fill(connection, made)
    return engine, made


def run(engine: Engine, sources: Sources, **options: Any) -> Any:
    with reading(engine).connect().execution_options(isolation_level=_snapshot(engine)) as connection:
        return reconcile(connection, sources, engine, FixedClock(), **options)


def _snapshot(engine: Engine) -> str:
    return "SERIALIZABLE" if engine.dialect.name == "sqlite" else "REPEATABLE READ"


def all_sources(made: list[MadeLoan]) -> Sources:
    return Sources(FakeMirror(made), FakeChain(made), None, FakeBalances(made), FakeOpener())


@pytest.fixture
def sqlite_file(tmp_path: Path) -> Iterator[tuple[Engine, list[MadeLoan]]]:
    engine, made = a_file(f"sqlite:///{tmp_path}/file.db", 5, 30)
    yield engine, made
    engine.dispose()


@pytest.fixture(params=["sqlite", "postgres"])
def file(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[Engine, list[MadeLoan]]]:
    """A filled file of thirty loans on either engine."""
    url = f"sqlite:///{tmp_path}/file.db"
    if request.param == "postgres":
        url = request.getfixturevalue("postgres").new_database()
    engine, made = a_file(url, 5, 30)
    yield engine, made
    engine.dispose()


File = tuple[Engine, list[MadeLoan]]


def test_a_run_over_a_clean_file_verifies_every_loan(file: File) -> None:
    engine, made = file
    report = run(engine, all_sources(made))
    records = sum(len(loan.records) for loan in made)
    waiting = records - sum(len(loan.mirror_records) for loan in made)
    assert (report.loans, report.records, report.not_yet, report.findings) == (30, records, waiting, 0)
    names = {(loan.row["lender_id"], loan.row["id"]) for loan in made}
    with engine.connect() as connection:
        known = queries.verification_of(connection, names)
        last = queries.last_run(connection)
    assert last is not None
    assert (last.id, last.loans, last.block_number, last.finished_at) == (report.run_id, 30, 900, AT)
    for loan in made:
        result = known[loan.row["lender_id"], loan.row["id"]]
        complete = len(loan.mirror_records) == len(loan.records)
        assert result.state is (Verification.VERIFIED if complete else Verification.NOT_YET)
        assert (result.head, result.verified_at) == (loan.row["head"], AT)
        states = [result.of_record(sequence) for sequence in range(len(loan.records))]
        assert states == [
            Verification.VERIFIED if sequence < len(loan.mirror_records) else Verification.NOT_YET
            for sequence in range(len(loan.records))
        ]


def test_findings_are_kept_until_the_next_run_and_set_the_state(file: File) -> None:
    engine, made = file
    sources = all_sources(made)
    loan = next(loan for loan in made if len(loan.mirror_records) == len(loan.records) >= 3)
    name = (loan.row["lender_id"], loan.row["id"])
    c = tables.loan_records.c
    here = (c.loan_id == name[1]) & (c.sequence == 1)
    with engine.begin() as connection:
        connection.execute(update(tables.loan_records).where(here).values(secret=bytes(32)))
    first = run(engine, sources)
    with engine.connect() as connection:
        stored = queries.list_findings(connection, first=10)
        result = queries.verification_of(connection, {name})[name]
        assert queries.list_findings(connection, first=10, after=stored[-1].id) == []
        assert queries.list_findings(connection, first=10, lenders={99}) == []
        assert queries.finding_by_id(connection, stored[0].id) == stored[0]
    assert first.findings == len(stored) == 1
    assert (stored[0].finding.loan_id, stored[0].finding.sequence) == (name[1], 1)
    assert result.state is result.of_record(1) is Verification.MISMATCH
    assert result.of_record(0) is result.of_record(2) is Verification.VERIFIED
    with engine.begin() as connection:
        connection.execute(update(tables.loan_records).where(here).values(secret=loan.records[1]["secret"]))
    assert run(engine, sources).findings == 0
    with engine.connect() as connection:
        assert queries.list_findings(connection, first=10) == []
        assert queries.verification_of(connection, {name})[name].state is Verification.VERIFIED


def test_a_run_that_stopped_half_way_shows_no_findings(sqlite_file: File) -> None:
    engine, made = sqlite_file
    mirror = FakeMirror([])

    class Failing(FakeMirror):
        def known_keys(self, after: bytes | None, limit: int) -> list[bytes]:
            raise InterruptedError

    with pytest.raises(InterruptedError):
        run(engine, replace(all_sources(made), mirror=Failing([])))
    with engine.connect() as connection:
        assert queries.list_findings(connection, first=10) == []
        assert queries.last_run(connection) is None
    assert run(engine, replace(all_sources(made), mirror=mirror)).findings > 0
    with engine.connect() as connection:
        assert queries.list_findings(connection, first=10)


def test_batches_of_any_size_come_to_the_same(sqlite_file: File) -> None:
    engine, made = sqlite_file
    lost = made[7].row["id"]
    with engine.connect() as connection:
        connection.rollback()
        connection.connection.cursor().execute("PRAGMA foreign_keys = OFF")  # as a tamperer's own connection has it
        connection.execute(delete(tables.loans).where(tables.loans.c.id == lost))
        connection.execute(update(tables.loan_records).values(secret=bytes(32)))
        outcomes = []
        for size in (1, 2, 7, 29, 30, 1_000):
            found = [
                finding
                for batch in loan_file.batches(connection, None, size)
                for finding in [*batch.loans, *(("record", *name) for name in batch.records)]
            ]
            outcomes.append(sorted(map(str, found)))
        connection.rollback()
        connection.invalidate()
    assert all(outcome == outcomes[0] for outcome in outcomes)
    assert len(outcomes[0]) == 29 + 30


def test_a_run_may_be_limited_to_some_lenders(sqlite_file: File) -> None:
    engine, made = sqlite_file
    mine = [loan for loan in made if loan.row["lender_id"] == 1]
    report = run(engine, all_sources(made), lenders={1})
    assert 0 < report.loans == len(mine) < len(made)
    assert report.findings == 0


def test_a_loan_on_chain_that_the_file_lacks_is_reported(sqlite_file: File) -> None:
    engine, made = sqlite_file
    stranger = Maker(4_711).loan(900, anchored=99)
    sources = all_sources([*made, stranger])
    assert run(engine, sources).findings == 1
    with engine.connect() as connection:
        (stored,) = queries.list_findings(connection, first=5)
    assert stored.finding.rule is Rule.LOAN_UNKNOWN
    assert (stored.finding.loan_key, stored.finding.table) == (stranger.row["loan_key"], "loans")


def test_records_the_mirror_lost_are_found_by_the_head_on_chain(sqlite_file: File) -> None:
    engine, made = sqlite_file
    loan = next(loan for loan in made if len(loan.mirror_records) >= 3)
    sources = all_sources(made)
    assert isinstance(sources.mirror, FakeMirror)
    mirror = sources.mirror
    lost = loan.mirror_records[-1]
    mirror.record_rows.remove(lost)
    row = next(row for row in mirror.loan_rows if row["loan_key"] == loan.row["loan_key"])
    row |= {"head": lost["head"], "records": lost["sequence"]} | {"head": loan.mirror_records[-2]["head"]}
    with engine.connect() as connection:
        found = [f for batch in differences(connection, sources) for loan_ in batch.loans for f in loan_.findings]
    assert {(f.rule, f.table, f.field, f.sequence) for f in found} >= {
        (Rule.MIRROR_MISSING, "mirror_records", "", lost["sequence"]),
        (Rule.MIRROR_ALTERED, "mirror_loans", "records", None),
        (Rule.MIRROR_ALTERED, "mirror_loans", "head", None),
    }


def test_a_history_that_file_and_mirror_rewrote_together_is_found_by_the_head_on_chain(sqlite_file: File) -> None:
    engine, made = sqlite_file
    honest = next(loan for loan in made if len(loan.mirror_records) == len(loan.records))
    forged = Maker(31).loan(
        int(honest.row["id"][3:]), lender_id=honest.row["lender_id"], nonce=honest.row["nonce"], anchored=99
    )
    assert forged.row["loan_key"] == honest.row["loan_key"]
    with engine.begin() as connection:
        for table in (tables.loan_records, tables.outbox, tables.transfers):
            connection.execute(delete(table).where(table.c.loan_id == honest.row["id"]))
        connection.execute(insert(tables.loan_records), forged.records)
        entries = [entry | {"position": 10_000 + number} for number, entry in enumerate(forged.outbox)]
        connection.execute(insert(tables.outbox), entries)
        if forged.transfers:
            connection.execute(insert(tables.transfers), forged.transfers)
        here = tables.loans.c.id == honest.row["id"]
        names = ("head", "next_sequence", "status", "controller_id", "servicer_id")
        connection.execute(update(tables.loans).where(here).values({name: forged.row[name] for name in names}))
    others = [loan for loan in made if loan is not honest]
    sources = Sources(FakeMirror([*others, forged]), FakeChain(made))
    with engine.connect() as connection:
        found = [f for batch in differences(connection, sources) for loan in batch.loans for f in loan.findings]
    assert {f.loan_id for f in found} == {honest.row["id"]}
    assert (Rule.CHAIN_DIFFERS, "chain", "head") in {(f.rule, f.table, f.field) for f in found}


class FakeRelay:
    def __init__(self, known: dict[tuple[int, int], RelayProgress]) -> None:
        self._known = known

    def progress(self, positions: Sequence[tuple[int, int]]) -> dict[tuple[int, int], RelayProgress]:
        return {position: self._known[position] for position in positions if position in self._known}


@pytest.mark.parametrize(
    ("progress", "rule"),
    [
        (RelayProgress(None, None), None),
        (RelayProgress(889, None), None),
        (RelayProgress(888, None), Rule.RECORD_REFUSED),
        (RelayProgress(None, 889), None),
        (RelayProgress(None, 888), Rule.RECORD_NOT_ON_CHAIN),
    ],
)
def test_what_is_not_on_chain_is_missing_there_only_once_that_is_final(
    sqlite_file: File, progress: RelayProgress, rule: Rule | None
) -> None:
    engine, made = sqlite_file
    loan = next(loan for loan in made if len(loan.mirror_records) < len(loan.records))
    entry = loan.outbox[len(loan.mirror_records)]
    relay = FakeRelay({(entry["lender_id"], entry["position"]): progress})
    run(engine, replace(all_sources(made), relay=relay))
    name = (loan.row["lender_id"], loan.row["id"])
    with engine.connect() as connection:
        result = queries.verification_of(connection, {name})[name]
        rules = [stored.finding.rule for stored in queries.list_findings(connection, first=10)]
    assert rules == ([rule] if rule else [])
    assert result.state is (Verification.MISSING_ON_CHAIN if rule else Verification.NOT_YET)


def test_a_lien_on_a_closed_loan_is_a_warning(sqlite_file: File) -> None:
    engine, made = sqlite_file
    closed = next(loan for loan in made if loan.row["status"] == 3)
    open_ = next(loan for loan in made if loan.row["status"] == 2)
    with engine.begin() as connection:
        for number, loan in enumerate((closed, open_)):
            connection.execute(
                insert(tables.liens).values(
                    lender_id=loan.row["lender_id"], id=f"LI-{number}", asset_tag=bytes(32), loan_id=loan.row["id"],
                    rank=1, pledged_by=1, pledged_at=AT,
                )
            )  # fmt: skip
    sources = all_sources(made)
    assert isinstance(sources.mirror, FakeMirror)
    for loan in (closed, open_):
        row = {"asset_tag": bytes(32), "pledged": 1, "released": 0}
        sources.mirror.lien_rows[loan.row["loan_key"]].append(row)
    run(engine, sources)
    name = (closed.row["lender_id"], closed.row["id"])
    with engine.connect() as connection:
        (stored,) = queries.list_findings(connection, first=5)
        assert queries.verification_of(connection, {name})[name].state is not Verification.MISMATCH
    assert (stored.finding.rule, stored.finding.loan_id) == (Rule.LIEN_ON_CLOSED_LOAN, closed.row["id"])


GARBAGE = ["text", b"\x00bytes", 7, 7.5, ""]


def test_a_cell_of_the_wrong_type_is_a_finding_and_no_crash(sqlite_file: File) -> None:
    engine, made = sqlite_file
    rng = random.Random(3)
    sources = all_sources(made)
    with engine.connect() as connection:
        for number in range(150):
            loan = rng.choice(made)
            table, columns, key = rng.choice(
                [
                    ("loan_records", RECORD_CELLS, f"loan_id = '{loan.row['id']}' AND sequence = 0"),
                    ("loans", LOAN_CELLS, f"id = '{loan.row['id']}'"),
                    ("outbox", OUTBOX_CELLS, f"loan_id = '{loan.row['id']}' AND sequence = 0"),
                ]
            )
            column, value = rng.choice(columns), rng.choice(GARBAGE)
            connection.exec_driver_sql(f"UPDATE {table} SET {column} = ? WHERE {key}", (value,))
            found = [f for batch in differences(connection, sources) for result in batch.loans for f in result.findings]
            connection.rollback()
            described = f"{number}: {table}.{column} = {value!r} gave {found}"
            named = [f for f in found if table in f.table.split("|") and f.loan_id == loan.row["id"]]
            assert any(column in f.field.split("|") or f.field.startswith(column) for f in named), described


def test_a_mirror_of_another_chain_is_refused(sqlite_file: File) -> None:
    engine, made = sqlite_file
    with engine.begin() as connection:
        connection.execute(update(tables.chain_binding).values(chain_id=CHAIN_ID + 1))
    with pytest.raises(MirrorOfAnotherChain) as refusal:
        run(engine, all_sources(made))
    assert refusal.value.exit_code == 7
    with engine.begin() as connection:
        connection.execute(delete(tables.chain_binding))
    with pytest.raises(FileNotBound):
        run(engine, all_sources(made))
