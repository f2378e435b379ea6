"""Erasing a borrower: the data key is destroyed, an ERASURE record says so, and every head still verifies."""

from dataclasses import dataclass
from typing import Any, ClassVar

from registry.domain.access import Request
from registry.domain.errors import RuleRefused
from registry.domain.kinds import LoanStatus, RecordKind
from registry.ports import Facilities, UnitOfWork
from registry.services.answering import answer_once
from registry.services.booking import store
from registry.services.personal import BorrowerErased

OPEN = frozenset({LoanStatus.REGISTERED, LoanStatus.ACTIVE})


@dataclass(eq=False)
class ErasureOnHold(RuleRefused):
    """The data is still needed: a loan of the borrower is open."""

    borrower_id: str
    open_loans: int
    code: ClassVar[str] = "ERASURE_ON_HOLD"

    def __str__(self) -> str:
        return f"Borrower {self.borrower_id} has {self.open_loans} open loans; erase the data when they are closed."


def erase_borrower(uow: UnitOfWork, borrower_id: str, reason: str, request: Request, use: Facilities) -> dict[str, Any]:
    """Destroy the borrower's data key for ever, and what it sealed with it.

    The key goes before the commit: if the commit fails the data is gone all the same, and asking again finishes it.
    """

    def change(uow: UnitOfWork) -> dict[str, Any]:
        lender_id, now = request.actor.lender, use.clock.now()
        borrower = uow.borrowers.get(lender_id, borrower_id)
        if borrower.key_id is None:
            raise BorrowerErased(borrower_id)
        loans = list(uow.loans.many(uow.loans.of_borrower(lender_id, borrower_id)).values())
        still_open = sum(loan.status in OPEN for loan in loans)
        if still_open:
            raise ErasureOnHold(borrower_id, still_open)
        own = [loan for loan in loans if loan.servicer_id == lender_id]
        for loan in own:
            details = {"key_id": borrower.key_id, "reason": reason}
            loan.append(RecordKind.ERASURE, on=now.date(), now=now, amount=None, details=details)
        store(uow, own, now)
        uow.loans.drop_sealed(lender_id, [loan.id for loan in loans])
        uow.borrowers.erase(borrower, now)
        use.vault.destroy(borrower.key_id)
        return {"subject": borrower_id, "borrower_id": borrower_id, "records": len(own)}

    return answer_once(uow, request, use.clock, "BorrowerErased", change)
