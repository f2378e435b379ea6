"""Borrowers and their consents; exposure over all lenders by blind index."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, ClassVar

from sqlalchemy import Connection, func, insert, select, update

from registry.domain.errors import NotFound
from registry.domain.kinds import LoanStatus
from registry.domain.money import Money
from registry.domain.origination import Exposure
from registry.domain.parties import Borrower, Consent
from registry.storage.tables import applications, borrowers, consents, loans


@dataclass(eq=False)
class BorrowerUnknown(NotFound):
    """The lender has no borrower of this id."""

    borrower_id: str
    code: ClassVar[str] = "BORROWER_UNKNOWN"

    def __str__(self) -> str:
        return f"There is no borrower {self.borrower_id} at this lender."


class SqlBorrowers:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def get(self, lender_id: int, borrower_id: str) -> Borrower:
        row = (
            self._connection.execute(
                select(borrowers).where(borrowers.c.lender_id == lender_id, borrowers.c.id == borrower_id)
            )
            .mappings()
            .one_or_none()
        )
        if row is None:
            raise BorrowerUnknown(borrower_id)
        return Borrower(**row)

    def add(self, new: Iterable[Borrower]) -> None:
        rows = [asdict(borrower) for borrower in new]
        if rows:
            self._connection.execute(insert(borrowers), rows)

    def erase(self, borrower: Borrower, at: datetime) -> None:
        """Take out what the destroyed key no longer opens, and the index that could still be searched."""
        here = (borrowers.c.lender_id == borrower.lender_id, borrowers.c.id == borrower.id)
        self._connection.execute(
            update(borrowers).where(*here).values(sealed=None, key_id=None, blind_index=None, erased_at=at)
        )
        self._connection.execute(
            update(applications)
            .where(applications.c.lender_id == borrower.lender_id, applications.c.borrower_id == borrower.id)
            .values(sealed=None)
        )

    def grant(self, granted: Iterable[Consent]) -> None:
        rows = [asdict(consent) for consent in granted]
        if rows:
            self._connection.execute(insert(consents), rows)

    def withdraw(self, lender_id: int, consent_id: str, at: datetime) -> None:
        self._connection.execute(
            update(consents)
            .where(consents.c.lender_id == lender_id, consents.c.id == consent_id, consents.c.withdrawn_at.is_(None))
            .values(withdrawn_at=at)
        )

    def consents(self, lender_id: int, borrower_id: str) -> list[Consent]:
        rows = self._connection.execute(
            select(consents)
            .where(consents.c.lender_id == lender_id, consents.c.borrower_id == borrower_id)
            .order_by(consents.c.granted_at, consents.c.id)
        ).mappings()
        return [Consent(**row) for row in rows]

    def exposure(self, blind_index: bytes | None, since: datetime) -> Exposure:
        """What everybody with this identity number owes, at all lenders; nothing for a borrower without a number."""
        if blind_index is None:
            return Exposure(0, 0, (), 0)
        same = borrowers.c.blind_index == blind_index
        open_loans = self._connection.execute(
            select(
                loans.c.currency,
                func.count().label("loans"),
                func.sum(loans.c.outstanding_minor).label("owed"),
            )
            .join_from(borrowers, loans, _loan_of_borrower())
            .where(same, loans.c.status.in_([LoanStatus.REGISTERED, LoanStatus.ACTIVE]))
            .group_by(loans.c.currency)
            .order_by(loans.c.currency)
        ).all()
        lender_count = self._connection.execute(
            select(func.count(loans.c.controller_id.distinct()))
            .join_from(borrowers, loans, _loan_of_borrower())
            .where(same, loans.c.status.in_([LoanStatus.REGISTERED, LoanStatus.ACTIVE]))
        ).scalar_one()
        recent = self._connection.execute(
            select(func.count())
            .select_from(borrowers)
            .join(
                applications,
                (applications.c.lender_id == borrowers.c.lender_id) & (applications.c.borrower_id == borrowers.c.id),
            )
            .where(same, applications.c.submitted_at >= since)
        ).scalar_one()
        outstanding = tuple(Money(int(row.owed), row.currency) for row in open_loans)
        return Exposure(sum(row.loans for row in open_loans), lender_count, outstanding, recent)


def _loan_of_borrower() -> Any:
    return (loans.c.lender_id == borrowers.c.lender_id) & (loans.c.borrower_id == borrowers.c.id)
