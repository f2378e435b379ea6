"""What an actor may see of the file, as SQL: every query of the API carries one of these predicates."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlalchemy import ColumnElement, and_, case, exists, false, literal, or_, true

from registry.domain.access import Role
from registry.domain.claims import TransferState
from registry.storage.tables import applications, borrowers, consents, decisions, liens, loans, transfers


class Access(StrEnum):
    """How much of a loan is shown: all of it, all but personal data in clear, or its figures without its borrower."""

    FULL = "FULL"
    AUDIT = "AUDIT"
    SHARED = "SHARED"


@dataclass(frozen=True, slots=True)
class Sight:
    """Who looks, and when: an offer shows a loan only until it expires."""

    role: Role
    lender_id: int | None
    now: datetime

    @property
    def sees_people(self) -> bool:
        """Whether borrowers, applications and decisions can be seen at all."""
        return self.role in {Role.LENDER, Role.AUDITOR}


def visible_loans(sight: Sight) -> ColumnElement[bool]:
    """Loans the actor may know of."""
    match sight.role:
        case Role.AUDITOR:
            return true()
        case Role.LENDER if sight.lender_id is not None:
            return or_(_own(sight.lender_id), _offered(sight.lender_id, sight.now))
        case Role.PARTNER if sight.lender_id is not None:
            return or_(_held(sight.lender_id), _offered(sight.lender_id, sight.now))
        case _:
            return false()


def access_to_loan(sight: Sight) -> ColumnElement[str]:
    """How much of a visible loan is shown, an `Access`."""
    if sight.role is Role.AUDITOR:
        return literal(Access.AUDIT.value)
    if sight.role is Role.LENDER and sight.lender_id is not None:
        return case((_own(sight.lender_id), Access.FULL.value), else_=Access.SHARED.value)
    return literal(Access.SHARED.value)


def visible_borrowers(sight: Sight) -> ColumnElement[bool]:
    """Borrowers of the lender's own file, and of loans whose claim or servicing it took over."""
    return _people(sight, borrowers.c.lender_id, loans.c.borrower_id == borrowers.c.id)


def visible_applications(sight: Sight) -> ColumnElement[bool]:
    return _people(sight, applications.c.lender_id, loans.c.application_id == applications.c.id)


def visible_decisions(sight: Sight) -> ColumnElement[bool]:
    return _people(sight, decisions.c.lender_id, loans.c.decision_id == decisions.c.id)


def visible_consents(sight: Sight) -> ColumnElement[bool]:
    """Consents kept by the lender, or given to it."""
    if sight.role is Role.AUDITOR:
        return true()
    if sight.role is not Role.LENDER or sight.lender_id is None:
        return false()
    return or_(consents.c.lender_id == sight.lender_id, consents.c.recipient_lender_id == sight.lender_id)


def visible_liens(sight: Sight) -> ColumnElement[bool]:
    """Liens of loans the actor may know of."""
    loan = and_(loans.c.lender_id == liens.c.lender_id, loans.c.id == liens.c.loan_id)
    return exists().where(loan, visible_loans(sight)).correlate(liens)


def visible_transfers(sight: Sight) -> ColumnElement[bool]:
    """Offers the actor's lender made or was made; offers between others stay between them."""
    if sight.role is Role.AUDITOR:
        return true()
    if sight.role not in {Role.LENDER, Role.PARTNER} or sight.lender_id is None:
        return false()
    return or_(transfers.c.from_lender_id == sight.lender_id, transfers.c.to_lender_id == sight.lender_id)


def _own(lender_id: int) -> ColumnElement[bool]:
    return or_(loans.c.lender_id == lender_id, _held(lender_id))


def _held(lender_id: int) -> ColumnElement[bool]:
    return or_(loans.c.controller_id == lender_id, loans.c.servicer_id == lender_id)


def _offered(lender_id: int, now: datetime) -> ColumnElement[bool]:
    return (
        exists()
        .where(
            transfers.c.lender_id == loans.c.lender_id,
            transfers.c.loan_id == loans.c.id,
            transfers.c.to_lender_id == lender_id,
            transfers.c.state == TransferState.OFFERED.value,
            transfers.c.expires_at > now,
        )
        .correlate(loans)
    )


def _people(sight: Sight, kept_by: ColumnElement[int], of_loan: ColumnElement[bool]) -> ColumnElement[bool]:
    if sight.role is Role.AUDITOR:
        return true()
    if sight.role is not Role.LENDER or sight.lender_id is None:
        return false()
    taken_over = exists().where(loans.c.lender_id == kept_by, of_loan, _held(sight.lender_id)).correlate(kept_by.table)
    return or_(kept_by == sight.lender_id, taken_over)
