"""What changes a loan's standing: reversal, settlement, charge-off, reopening, cancellation."""

from collections.abc import Callable
from datetime import date, datetime
from typing import Any

from registry.domain.access import Request
from registry.domain.loan import Loan
from registry.domain.money import Money
from registry.domain.records import LoanRecord
from registry.ports import Facilities, UnitOfWork
from registry.services.answering import answer_once
from registry.services.authority import serviced
from registry.services.booking import store
from registry.services.record_money import reference_to


def reverse_record(
    uow: UnitOfWork, loan_id: str, sequence: int, on: date, reason: str, request: Request, use: Facilities
) -> dict[str, Any]:
    """Take a repayment, fee or recovery back by a linked record."""
    return _book(
        uow,
        loan_id,
        request,
        use,
        "RecordReversed",
        lambda loan, now: loan.reverse(sequence, on=on, now=now, reason=reason),
    )


def settle_loan(
    uow: UnitOfWork,
    loan_id: str,
    on: date,
    final_amount: Money | None,
    reason: str,
    request: Request,
    use: Facilities,
) -> dict[str, Any]:
    """Close a loan; `final_amount` is booked first as the repayment that clears it."""

    def settle(loan: Loan, now: datetime) -> LoanRecord:
        if final_amount is not None:
            loan.repay(final_amount, on=on, now=now)
        return loan.settle(on=on, now=now, reason=reason)

    return _book(uow, loan_id, request, use, "LoanSettled", settle)


def charge_off_loan(
    uow: UnitOfWork, loan_id: str, on: date, reason: str, request: Request, use: Facilities
) -> dict[str, Any]:
    """Write off what is owed; recoveries may follow."""
    return _book(
        uow, loan_id, request, use, "LoanChargedOff", lambda loan, now: loan.charge_off(on=on, now=now, reason=reason)
    )


def reopen_loan(
    uow: UnitOfWork, loan_id: str, on: date, reason: str, request: Request, use: Facilities
) -> dict[str, Any]:
    """Open a settled or charged-off loan again."""
    return _book(
        uow, loan_id, request, use, "LoanReopened", lambda loan, now: loan.reopen(on=on, now=now, reason=reason)
    )


def cancel_loan(
    uow: UnitOfWork, loan_id: str, on: date, reason: str, request: Request, use: Facilities
) -> dict[str, Any]:
    """Call off a loan before its payout."""
    return _book(
        uow, loan_id, request, use, "LoanCancelled", lambda loan, now: loan.cancel(on=on, now=now, reason=reason)
    )


def _book(
    uow: UnitOfWork,
    loan_id: str,
    request: Request,
    use: Facilities,
    action: str,
    act: Callable[[Loan, datetime], LoanRecord],
) -> dict[str, Any]:
    def change(uow: UnitOfWork) -> dict[str, Any]:
        loan, now = serviced(uow, loan_id, request.actor), use.clock.now()
        record = act(loan, now)
        store(uow, [loan], now)
        return reference_to(loan, record)

    return answer_once(uow, request, use.clock, action, change)
