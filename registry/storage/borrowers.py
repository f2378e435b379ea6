"""Borrowers and their consents; exposure over all lenders by blind index."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import ClassVar

from sqlalchemy import Connection, insert, select, update

from registry.domain.errors import NotFound
from registry.domain.kinds import LoanStatus
from registry.domain.money import Money
from registry.domain.origination import Exposure
from registry.domain.parties import Borrower, Consent
from registry.storage.tables import applications, borrowers, consents, decisions, loans

APPLICATIONS_WINDOW = timedelta(days=30)
NEW_LENDER_WINDOW = timedelta(days=90)


@dataclass(eq=False)
class BorrowerUnknown(NotFound):
    """The lender has no borrower of this id."""

    borrower_id: str
    code: ClassVar[str] = "BORROWER_UNKNOWN"

    def __str__(self) -> str:
        return f"There is no borrower {self.borrower_id} at this lender."


class SqlBorrowers:
    """Implements `registry.ports.Borrowers`."""

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
            update(borrowers)
            .where(*here)
            .values(sealed=None, key_id=None, blind_index=None, external_reference=None, erased_at=at)
        )
        of_borrower = select(applications.c.id).where(
            applications.c.lender_id == borrower.lender_id, applications.c.borrower_id == borrower.id
        )
        self._connection.execute(
            update(decisions)
            .where(decisions.c.lender_id == borrower.lender_id, decisions.c.application_id.in_(of_borrower))
            .values(score=None, limit_minor=None, inputs_salt=bytes(32))
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

    def exposure(self, blind_index: bytes | None, now: datetime) -> Exposure | None:
        """What everybody with this identity number owes, at all lenders; None for a borrower without a number."""
        if blind_index is None:
            return None
        same = borrowers.c.blind_index == blind_index
        still_open = loans.c.status.in_([LoanStatus.REGISTERED, LoanStatus.ACTIVE])
        of_borrower = (loans.c.lender_id == borrowers.c.lender_id) & (loans.c.borrower_id == borrowers.c.id)
        rows = self._connection.execute(
            select(loans.c.controller_id, loans.c.currency, loans.c.outstanding_minor, loans.c.disbursed_on)
            .join_from(borrowers, loans, of_borrower)
            .where(same, still_open)
        ).all()
        submitted = [
            row.submitted_at
            for row in self._connection.execute(
                select(applications.c.submitted_at)
                .select_from(borrowers)
                .join(
                    applications,
                    (applications.c.lender_id == borrowers.c.lender_id)
                    & (applications.c.borrower_id == borrowers.c.id),
                )
                .where(same, applications.c.submitted_at >= now - APPLICATIONS_WINDOW)
            )
        ]
        owed: Counter[str] = Counter()
        for row in rows:
            owed[row.currency] += row.outstanding_minor
        recent = (now - NEW_LENDER_WINDOW).date()
        return Exposure(
            open_loans=len(rows),
            open_lenders=len({row.controller_id for row in rows}),
            new_lenders_90_days=len(
                {row.controller_id for row in rows if row.disbursed_on is None or row.disbursed_on >= recent}
            ),
            outstanding=tuple(Money(minor, currency) for currency, minor in sorted(owed.items())),
            applications_24_hours=sum(at >= now - timedelta(hours=24) for at in submitted),
            applications_30_days=len(submitted),
        )
