"""Taking a record that the chain refused out of a loan's history, and committing anew to what followed it."""

from dataclasses import dataclass
from typing import Any, ClassVar

from registry.domain.access import Request
from registry.domain.errors import RuleRefused
from registry.domain.kinds import RecordKind
from registry.ports import Facilities, UnitOfWork
from registry.services.answering import answer_once
from registry.services.booking import store


@dataclass(eq=False)
class NotRefused(RuleRefused):
    """Only a record that the chain refused for good can be taken out."""

    loan_id: str
    sequence: int
    code: ClassVar[str] = "NOT_REFUSED"

    def __str__(self) -> str:
        return (
            f"Record {self.sequence} of loan {self.loan_id} is not refused for good; "
            "wait until the refusal is final, or correct it with a reversal."
        )


def resolve_refusal(
    uow: UnitOfWork, loan_id: str, sequence: int, reason: str, request: Request, use: Facilities
) -> dict[str, Any]:
    """Void the refused record with those that reversed it; later ones get new secrets, places and commitments.

    One commit: the voided rows are kept for audit, the balances replay without them, and the outbox carries the new
    commitments. A later record that no longer fits (a repayment above what is owed now) refuses the whole.
    """

    def change(uow: UnitOfWork) -> dict[str, Any]:
        loan, now = uow.loans.get(loan_id), use.clock.now()
        record = loan.record(sequence)
        if record.kind is RecordKind.AGREEMENT or not use.anchors.take_back(uow, loan, sequence):
            raise NotRefused(loan_id, sequence)
        voided = loan.recommit(sequence)
        uow.loans.void(loan, voided, reason, request.actor.name, now)
        uow.outbox.void(loan, sequence, now)
        store(uow, [loan], now)
        return {"subject": f"{loan_id}/{sequence}", "loan_id": loan_id, "voided": sequence}

    return answer_once(uow, request, use.clock, "RefusalResolved", change)
