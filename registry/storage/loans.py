"""Loans and their records: a loan is loaded with its whole history, and only what is fresh is written."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, ClassVar

import orjson
from sqlalchemy import Connection, Row, bindparam, delete, insert, select, tuple_, update

from registry.domain import commitments
from registry.domain.agreement import AgreementTerms
from registry.domain.errors import NotFound, RuleRefused
from registry.domain.identifiers import lender_of
from registry.domain.kinds import LoanStatus, RecordKind
from registry.domain.loan import Loan
from registry.domain.loan_history import ledger_of
from registry.domain.money import Money
from registry.domain.records import LoanRecord
from registry.storage.tables import loan_records, loans, voided_records

LOANS_PER_STATEMENT = 400
DIGEST_BYTES = 32


@dataclass(eq=False)
class LoanUnknown(NotFound):
    """There is no loan of this id, or the caller may not know of it."""

    loan_id: str
    code: ClassVar[str] = "LOAN_UNKNOWN"

    def __str__(self) -> str:
        return f"There is no loan {self.loan_id}; check the id."


@dataclass(eq=False)
class ReferenceTaken(RuleRefused):
    """A loan of the lender has this external reference already."""

    reference: str
    code: ClassVar[str] = "REFERENCE_TAKEN"

    def __str__(self) -> str:
        return f"A loan with the external reference {self.reference!r} exists already; give another, or none."


class SqlLoans:
    """Implements `registry.ports.Loans`."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def get(self, loan_id: str) -> Loan:
        """The loan with its history, locked against other writers until the transaction ends."""
        return self.many([loan_id])[loan_id]

    def many(self, loan_ids: Sequence[str]) -> dict[str, Loan]:
        found: dict[str, Loan] = {}
        wanted = sorted(set(loan_ids))
        for start in range(0, len(wanted), LOANS_PER_STATEMENT):
            found.update(self._load(wanted[start : start + LOANS_PER_STATEMENT]))
        for loan_id in wanted:
            if loan_id not in found:
                raise LoanUnknown(loan_id)
        return found

    def add(self, new: Iterable[Loan]) -> None:
        new = list(new)
        if new:
            self._refuse_known_references(new)
            self._connection.execute(insert(loans), [{**_fixed(loan), **_standing(loan)} for loan in new])
            self._add_records(new)

    def save(self, changed: Iterable[Loan]) -> None:
        changed = list(changed)
        if not changed:
            return
        rows = [{"at_lender": loan.lender_id, "at_id": loan.id, **_standing(loan)} for loan in changed]
        self._connection.execute(
            update(loans).where(loans.c.lender_id == bindparam("at_lender"), loans.c.id == bindparam("at_id")), rows
        )
        self._add_records(changed)

    def known_references(self, lender_id: int, references: Sequence[str]) -> set[str]:
        rows = self._connection.execute(
            select(loans.c.external_reference).where(
                loans.c.lender_id == lender_id, loans.c.external_reference.in_(references)
            )
        )
        return {row.external_reference for row in rows}

    def of_borrower(self, lender_id: int, borrower_id: str) -> list[str]:
        rows = self._connection.execute(
            select(loans.c.id).where(loans.c.lender_id == lender_id, loans.c.borrower_id == borrower_id)
        )
        return [row.id for row in rows]

    def drop_sealed(self, lender_id: int, loan_ids: Sequence[str]) -> None:
        self._connection.execute(
            update(loan_records)
            .where(loan_records.c.lender_id == lender_id, loan_records.c.loan_id.in_(loan_ids))
            .values(sealed=None)
        )

    def void(self, loan: Loan, records: Sequence[LoanRecord], reason: str, actor: str, at: datetime) -> None:
        rows = [
            {
                "lender_id": loan.lender_id,
                "loan_id": loan.id,
                "commitment": record.commitment,
                "sequence": record.sequence,
                "kind": int(record.kind),
                "fields": _text(record.fields),
                "reason": reason,
                "voided_by": actor,
                "voided_at": at,
            }
            for record in records
        ]
        self._connection.execute(insert(voided_records), rows)
        self._connection.execute(
            delete(loan_records).where(
                loan_records.c.lender_id == loan.lender_id,
                loan_records.c.loan_id == loan.id,
                loan_records.c.sequence >= min(record.sequence for record in records),
            )
        )

    def _refuse_known_references(self, new: Sequence[Loan]) -> None:
        for lender_id in {loan.lender_id for loan in new}:
            given = [loan.external_reference for loan in new if loan.lender_id == lender_id and loan.external_reference]
            for reference in sorted(self.known_references(lender_id, given)):
                raise ReferenceTaken(reference)

    def _load(self, loan_ids: Sequence[str]) -> dict[str, Loan]:
        keys = [(lender_of(loan_id), loan_id) for loan_id in loan_ids]
        rows = self._connection.execute(
            select(loans)
            .where(tuple_(loans.c.lender_id, loans.c.id).in_(keys))
            .order_by(loans.c.lender_id, loans.c.id)
            .with_for_update()
        ).all()
        history: dict[str, list[LoanRecord]] = defaultdict(list)
        entries = self._connection.execute(
            select(loan_records)
            .where(tuple_(loan_records.c.lender_id, loan_records.c.loan_id).in_(keys))
            .order_by(loan_records.c.lender_id, loan_records.c.loan_id, loan_records.c.sequence)
        )
        for entry in entries:
            history[entry.loan_id].append(record_of(entry))
        return {row.id: loan_of(row, history[row.id]) for row in rows}

    def _add_records(self, changed: Iterable[Loan]) -> None:
        rows = [_record_row(loan, record) for loan in changed for record in loan.fresh]
        if rows:
            self._connection.execute(insert(loan_records), rows)
        for loan in changed:
            loan.fresh.clear()


def loan_of(row: Row[Any], records: list[LoanRecord]) -> Loan:
    terms = AgreementTerms.from_dict(orjson.loads(row.terms))
    return Loan(
        lender_id=row.lender_id,
        id=row.id,
        key=row.loan_key,
        nonce=row.nonce,
        borrower_id=row.borrower_id,
        product_id=row.product_id,
        terms=terms,
        disclosed_apr=Decimal(row.disclosed_apr) if row.disclosed_apr is not None else None,
        application_id=row.application_id,
        decision_id=row.decision_id,
        external_reference=row.external_reference,
        controller_id=row.controller_id,
        servicer_id=row.servicer_id,
        status=LoanStatus(row.status),
        head=row.head,
        records=records,
        ledger=ledger_of(terms, records),
    )


def record_of(row: Row[Any]) -> LoanRecord:
    packed = row.personal_digests
    return LoanRecord(
        loan_id=row.loan_id,
        loan_key=row.loan_key,
        sequence=row.sequence,
        kind=RecordKind(row.kind),
        effective_on=row.effective_on,
        posted_at=row.posted_at,
        amount=Money(row.amount_minor, row.currency) if row.amount_minor is not None else None,
        fields=orjson.loads(row.fields),
        sealed=row.sealed,
        personal_digests=tuple(packed[at : at + DIGEST_BYTES] for at in range(0, len(packed), DIGEST_BYTES)),
        secret=row.secret,
        commitment=row.commitment,
        previous_head=row.previous_head,
        head=row.head,
    )


def _fixed(loan: Loan) -> dict[str, Any]:
    return {
        "lender_id": loan.lender_id,
        "id": loan.id,
        "loan_key": loan.key,
        "nonce": loan.nonce,
        "borrower_id": loan.borrower_id,
        "product_id": loan.product_id,
        "application_id": loan.application_id,
        "decision_id": loan.decision_id,
        "external_reference": loan.external_reference,
        "terms": _text(dict(loan.terms.to_dict())),
        "currency": loan.currency,
        "principal_minor": loan.terms.principal.minor,
        "annual_rate": format(loan.terms.annual_rate, "f"),
        "disclosed_apr": format(loan.disclosed_apr, "f") if loan.disclosed_apr is not None else None,
        "term_months": loan.terms.term_months,
        "matures_on": loan.terms.matures_on,
    }


def _standing(loan: Loan) -> dict[str, Any]:
    return {
        "disbursed_on": loan.disbursed_on,
        "controller_id": loan.controller_id,
        "servicer_id": loan.servicer_id,
        "status": int(loan.status),
        "next_sequence": loan.next_sequence,
        "head": loan.head,
        "outstanding_minor": loan.ledger.principal_outstanding_minor,
        "next_unpaid_due_on": loan.ledger.next_unpaid_due_on,
    }


def _record_row(loan: Loan, record: LoanRecord) -> dict[str, Any]:
    return {
        "lender_id": loan.lender_id,
        "loan_id": record.loan_id,
        "sequence": record.sequence,
        "loan_key": record.loan_key,
        "kind": int(record.kind),
        "effective_on": record.effective_on,
        "posted_at": record.posted_at,
        "amount_minor": record.amount.minor if record.amount is not None else None,
        "currency": record.amount.currency if record.amount is not None else None,
        "fields": _text(record.fields),
        "sealed": record.sealed,
        "personal_digests": b"".join(record.personal_digests),
        "secret": record.secret,
        "commitment": record.commitment,
        "previous_head": record.previous_head,
        "head": record.head,
    }


def _text(value: Mapping[str, Any]) -> str:
    return commitments.canonical(dict(value)).decode()
