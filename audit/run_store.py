"""The audit's tables being written: a run starts, keeps the outcome of batch after batch, and finishes."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, Engine, and_, delete, insert, true, tuple_, update

from audit.finding import Finding
from audit.loan_result import LoanResult
from audit.ports import MirrorCursor
from audit.tables import audit_runs, findings, loan_verifications

_NAMES_PER_STATEMENT = 200  # two parameters each; SQLite's oldest limit is 999


@dataclass(frozen=True, slots=True)
class Report:
    """What a run came to; `not_yet` counts the records that are not on chain yet and may still get there.

    `errors` of the `findings` are differences; the others are warnings.
    """

    run_id: int
    block_number: int
    loans: int
    records: int
    not_yet: int
    findings: int
    errors: int


def start(engine: Engine, cursor: MirrorCursor, at: datetime, *, chain_read: bool) -> int:
    """A new run at the mirror's block; its id."""
    with engine.begin() as connection:
        row = {
            "started_at": at, "block_number": cursor.block_number, "block_hash": cursor.block_hash,
            "chain_read": int(chain_read), "loans": 0, "records": 0, "not_yet": 0, "findings": 0,
        }  # fmt: skip
        run: int = connection.execute(insert(audit_runs).values(row).returning(audit_runs.c.id)).scalar_one()
        return run


def keep(engine: Engine, run: int, loans: Sequence[LoanResult], strays: Iterable[Finding], at: datetime) -> None:
    """Replace what is known of these loans, and add what was found."""
    found = [*strays, *(finding for loan in loans for finding in loan.findings)]
    with engine.begin() as connection:
        _replace(connection, run, loans, at)
        if found:
            connection.execute(insert(findings), [_finding_row(run, finding, at) for finding in found])


def finish(engine: Engine, report: Report, at: datetime, lenders: Collection[int] | None) -> None:
    """Close the run, and drop what earlier runs said about the same lenders' loans."""
    with engine.begin() as connection:
        connection.execute(
            update(audit_runs)
            .where(audit_runs.c.id == report.run_id)
            .values(
                finished_at=at, loans=report.loans, records=report.records, not_yet=report.not_yet,
                findings=report.findings,
            )
        )  # fmt: skip
        for table in (findings, loan_verifications):
            same = true() if lenders is None else table.c.lender_id.in_(lenders)
            connection.execute(delete(table).where(and_(table.c.run_id < report.run_id, same)))


def _replace(connection: Connection, run: int, loans: Sequence[LoanResult], at: datetime) -> None:
    table = loan_verifications
    for first in range(0, len(loans), _NAMES_PER_STATEMENT):
        part = loans[first : first + _NAMES_PER_STATEMENT]
        names = [(loan.lender_id, loan.loan_id) for loan in part]
        connection.execute(delete(table).where(tuple_(table.c.lender_id, table.c.loan_id).in_(names)))
        connection.execute(insert(table), [_loan_row(run, loan, at) for loan in part])


def _loan_row(run: int, loan: LoanResult, at: datetime) -> dict[str, object]:
    return {
        "lender_id": loan.lender_id, "loan_id": loan.loan_id, "loan_key": loan.loan_key, "run_id": run,
        "state": loan.state.value, "records": loan.records, "anchored": loan.anchored, "head": loan.head,
        "verified_at": at,
    }  # fmt: skip


def _finding_row(run: int, finding: Finding, at: datetime) -> dict[str, object]:
    return {
        "run_id": run, "severity": finding.severity.value, "rule": finding.rule.value,
        "lender_id": finding.lender_id, "loan_id": finding.loan_id, "loan_key": finding.loan_key,
        "sequence": finding.sequence, "table_name": finding.table, "field": finding.field,
        "expected": finding.expected, "found": finding.found, "found_at": at,
    }  # fmt: skip
