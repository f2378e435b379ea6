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

# A charged-off claim is still a claim: who owns it must know the debtor.
OPEN = frozenset({LoanStatus.REGISTERED, LoanStatus.ACTIVE, LoanStatus.CHARGED_OFF})


@dataclass(eq=False)
class OthersInvolved(RuleRefused):
    """Another lender owns or services a loan of the borrower."""

    borrower_id: str
    lender_ids: tuple[int, ...]
    code: ClassVar[str] = "OTHER_LENDERS_INVOLVED"

    def __str__(self) -> str:
        others = ", ".join(str(lender_id) for lender_id in self.lender_ids)
        return f"Lender {others} owns or services a loan of borrower {self.borrower_id}; it must hand it back first."


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
        others = {party for loan in loans for party in (loan.controller_id, loan.servicer_id)} - {lender_id}
        if others:
            raise OthersInvolved(borrower_id, tuple(sorted(others)))
        for loan in loans:
            details = {"key_id": borrower.key_id, "reason": reason}
            loan.append(RecordKind.ERASURE, on=now.date(), now=now, amount=None, details=details)
        store(uow, loans, now)
        uow.loans.drop_sealed(lender_id, [loan.id for loan in loans])
        uow.borrowers.erase(borrower, now)
        use.vault.destroy(borrower.key_id)
        return {"subject": borrower_id, "borrower_id": borrower_id, "records": len(loans)}

    return answer_once(uow, request, use.clock, "BorrowerErased", change)
