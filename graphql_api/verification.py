"""Verification: what file and mirror say at this moment, and what the last reconciliation found.

The live comparison folds nothing: a loan's head in the file against its head in the mirror, a record's commitment made
anew from its stored fields against the stored and the mirrored one. The reconciliation goes deeper, and its findings
stand until the next run.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, and_, case, exists, func, or_, select

from audit.finding import Verification, gravest
from audit.queries import LoanVerification, verification_of
from audit.tables import loan_verifications
from indexer.queries import MirrorRecord, records_at
from indexer.tables import mirror_loans
from registry.domain.records import LoanRecord, record_commitment
from registry.storage.queries_loans import of_loans
from registry.storage.tables import loan_records, loans

LoanName = tuple[int, str]


@dataclass(frozen=True, slots=True)
class LoanVerdict:
    """The state of a loan, its head on chain as the mirror has it, and when a reconciliation last looked at it."""

    state: Verification
    head_on_chain: bytes | None
    verified_at: datetime | None


@dataclass(frozen=True, slots=True)
class RecordVerdict:
    """The state of a record, and when a reconciliation last looked at its loan."""

    state: Verification
    verified_at: datetime | None


_last_mirrored = loan_records.alias("last_mirrored")
_MIRRORED = mirror_loans.c.loan_key == loans.c.loan_key
_LAST_MIRRORED = and_(
    _last_mirrored.c.lender_id == loans.c.lender_id,
    _last_mirrored.c.loan_id == loans.c.id,
    _last_mirrored.c.sequence == mirror_loans.c.records - 1,
)
_LIVE = case(
    (mirror_loans.c.loan_key.is_(None), Verification.NOT_YET.value),
    (mirror_loans.c.records > loans.c.next_sequence, Verification.MISSING_IN_FILE.value),
    (func.coalesce(_last_mirrored.c.head != mirror_loans.c.head, True), Verification.MISMATCH.value),
    (mirror_loans.c.records < loans.c.next_sequence, Verification.NOT_YET.value),
    (loans.c.head != mirror_loans.c.head, Verification.MISMATCH.value),
    else_=Verification.VERIFIED.value,
)


def loan_verdicts(connection: Connection, names: Collection[LoanName]) -> dict[str, LoanVerdict]:
    """The state of these loans, by loan id."""
    statement = _compared().where(*of_loans(loans.c.lender_id, loans.c.id, names))
    audited = verification_of(connection, list(names))
    return {row.id: _loan_verdict(row, audited.get((row.lender_id, row.id))) for row in connection.execute(statement)}


def record_verdicts(
    connection: Connection, records: Sequence[tuple[int, LoanRecord]]
) -> dict[tuple[str, int], RecordVerdict]:
    """The state of these records, each with its lender, by loan id and sequence."""
    mirrored = records_at(connection, [(record.loan_key, record.sequence) for _, record in records])
    audited = verification_of(connection, list({(lender_id, record.loan_id) for lender_id, record in records}))
    found = {}
    for lender_id, record in records:
        audit = audited.get((lender_id, record.loan_id))
        state = live_state(record, mirrored.get((record.loan_key, record.sequence)))
        if audit is not None:
            state = gravest(state, audit.faulty.get(record.sequence, Verification.VERIFIED))
        found[record.loan_id, record.sequence] = RecordVerdict(state, audit.verified_at if audit else None)
    return found


def live_state(record: LoanRecord, mirrored: MirrorRecord | None) -> Verification:
    """What the record as stored and the mirror say of each other now."""
    if not _holds_together(record):
        return Verification.MISMATCH
    if mirrored is None:
        return Verification.NOT_YET
    same = (mirrored.commitment, mirrored.head, mirrored.kind) == (record.commitment, record.head, int(record.kind))
    return Verification.VERIFIED if same else Verification.MISMATCH


def with_verification(states: Iterable[Verification]) -> ColumnElement[bool]:
    """A condition on `loans`: the graver of the live comparison and the last reconciliation is one of these."""
    wanted = set(states)
    live = select(_LIVE).select_from(mirror_loans).outerjoin(_last_mirrored, _LAST_MIRRORED).where(_MIRRORED)
    compared = func.coalesce(live.correlate(loans).scalar_subquery(), Verification.NOT_YET.value)
    known = and_(loan_verifications.c.lender_id == loans.c.lender_id, loan_verifications.c.loan_id == loans.c.id)
    graver = [state for state in Verification if state not in {Verification.VERIFIED, Verification.NOT_YET}]
    alternatives: list[ColumnElement[bool]] = []
    for audited in graver:
        allowed = [state.value for state in Verification if gravest(state, audited) in wanted]
        by_audit = exists().where(known, loan_verifications.c.state == audited.value).correlate(loans)
        alternatives.append(and_(by_audit, compared.in_(allowed)))
    found = exists().where(known, loan_verifications.c.state.in_([state.value for state in graver])).correlate(loans)
    alternatives.append(and_(~found, compared.in_([state.value for state in wanted])))
    return or_(*alternatives)


def _compared() -> Select[Any]:
    return (
        select(loans.c.lender_id, loans.c.id, mirror_loans.c.head.label("head_on_chain"), _LIVE.label("state"))
        .select_from(loans)
        .outerjoin(mirror_loans, _MIRRORED)
        .outerjoin(_last_mirrored, _LAST_MIRRORED)
    )


def _loan_verdict(row: Any, audit: LoanVerification | None) -> LoanVerdict:
    state = Verification(row.state)
    if audit is not None and audit.state is not Verification.NOT_YET:  # what was missing then is compared anew now
        state = gravest(state, audit.state)
    return LoanVerdict(state, row.head_on_chain, audit.verified_at if audit else None)


def _holds_together(record: LoanRecord) -> bool:
    """Whether the record's columns are its fields, and its fields what was committed to."""
    fields, amount = record.fields, record.amount
    columns = {
        "effective_on": record.effective_on.isoformat(),
        "amount_minor": str(amount.minor) if amount else None,
        "currency": amount.currency if amount else None,
    }
    if any(fields.get(name) != value for name, value in columns.items()):
        return False
    made = record_commitment(
        record.loan_key, record.sequence, record.kind, fields, record.secret, record.personal_digests
    )
    return made == record.commitment
