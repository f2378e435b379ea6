"""What others may ask of the audit's results: the state of loans and records, findings, and the last run."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, and_, exists, or_, select

from audit.finding import Finding, Rule, Severity, Verification, gravest
from audit.loan_file import LoanName
from audit.tables import audit_runs, findings, loan_verifications


@dataclass(frozen=True, slots=True)
class LoanVerification:
    """What the last run that reached the loan said: of `records` records `anchored` were on chain."""

    lender_id: int
    loan_id: str
    state: Verification
    verified_at: datetime
    records: int
    anchored: int
    head: bytes | None
    faulty: Mapping[int, Verification]  # by sequence, where a finding names the record

    def of_record(self, sequence: int) -> Verification:
        """The state of one record; one booked after the run is not verified yet."""
        if (state := self.faulty.get(sequence)) is not None:
            return state
        return Verification.VERIFIED if sequence < self.anchored else Verification.NOT_YET


@dataclass(frozen=True, slots=True)
class StoredFinding:
    """A finding with its id, by which pages go on, and when it was made."""

    id: int
    run_id: int
    found_at: datetime
    finding: Finding


@dataclass(frozen=True, slots=True)
class Run:
    """A run that came to its end."""

    id: int
    started_at: datetime
    finished_at: datetime
    block_number: int
    block_hash: bytes
    chain_read: bool
    loans: int
    records: int
    not_yet: int
    findings: int


def verification_of(connection: Connection, loans: Collection[LoanName]) -> dict[LoanName, LoanVerification]:
    """The last result for each of these loans, by (lender id, loan id); a loan no run has reached is left out."""
    table = loan_verifications.c
    by_id = {loan_id for _, loan_id in loans}
    rows = connection.execute(select(loan_verifications).where(table.loan_id.in_(by_id))).mappings()
    wanted = [row for row in rows if (row["lender_id"], row["loan_id"]) in loans]
    faulty = _faulty(connection, wanted)
    return {
        (row["lender_id"], row["loan_id"]): LoanVerification(
            row["lender_id"], row["loan_id"], Verification(row["state"]), row["verified_at"], row["records"],
            row["anchored"], row["head"], faulty.get((row["lender_id"], row["loan_id"]), {}),
        )
        for row in wanted
    }  # fmt: skip


def list_findings(
    connection: Connection, *, first: int, after: int = 0, lenders: Collection[int] | None = None
) -> list[StoredFinding]:
    """Findings of finished runs in order of id, those above `after`; `lenders` limits them to these lenders' loans."""
    is_finished = exists().where(and_(audit_runs.c.id == findings.c.run_id, audit_runs.c.finished_at.is_not(None)))
    query = select(findings).where(findings.c.id > after, is_finished).order_by(findings.c.id).limit(first)
    if lenders is not None:
        query = query.where(findings.c.lender_id.in_(lenders))
    return [_stored(row) for row in connection.execute(query).mappings()]


def finding_by_id(connection: Connection, finding_id: int) -> StoredFinding | None:
    row = connection.execute(select(findings).where(findings.c.id == finding_id)).mappings().first()
    return None if row is None else _stored(row)


def last_run(connection: Connection) -> Run | None:
    """The last run that came to its end."""
    row = (
        connection.execute(
            select(audit_runs).where(audit_runs.c.finished_at.is_not(None)).order_by(audit_runs.c.id.desc()).limit(1)
        )
        .mappings()
        .first()
    )
    return None if row is None else Run(**{**row, "chain_read": bool(row["chain_read"])})


def _faulty(connection: Connection, rows: Sequence[Any]) -> dict[LoanName, dict[int, Verification]]:
    """For each loan, the gravest state each of its records is put into by the run that last reached it."""
    runs = {(row["lender_id"], row["loan_id"]): row["run_id"] for row in rows if row["state"] != Verification.VERIFIED}
    states: dict[LoanName, dict[int, Verification]] = defaultdict(dict)
    if not runs:
        return states
    c = findings.c
    same_loan = [and_(c.lender_id == name[0], c.loan_id == name[1], c.run_id == run) for name, run in runs.items()]
    query = select(findings).where(or_(*same_loan), c.sequence.is_not(None))
    for row in connection.execute(query).mappings():
        of_loan, state = states[row["lender_id"], row["loan_id"]], _stored(row).finding.state
        of_loan[row["sequence"]] = gravest(state, of_loan.get(row["sequence"], Verification.VERIFIED))
    return states


def _stored(row: Any) -> StoredFinding:
    finding = Finding(
        Severity(row["severity"]), Rule(row["rule"]), row["lender_id"], row["loan_id"], row["loan_key"],
        row["sequence"], row["table_name"], row["field"], row["expected"], row["found"],
    )  # fmt: skip
    return StoredFinding(row["id"], row["run_id"], row["found_at"], finding)
