"""Money of a loan's life: disbursement, repayments, fees, recoveries; booked and queued for anchoring in one commit."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, ClassVar

from registry.domain.access import Request
from registry.domain.errors import InvalidInput, RegistryError
from registry.domain.loan import Loan
from registry.domain.money import Money
from registry.domain.records import LoanRecord
from registry.ports import Facilities, UnitOfWork
from registry.services.answering import answer_once
from registry.services.authority import serviced, serviced_many
from registry.services.booking import store

REPAYMENTS_MAX = 1_000


@dataclass(frozen=True, slots=True)
class Repayment:
    """One amount received on one loan."""

    loan_id: str
    amount: Money
    received_on: date
    channel: str | None = None
    reference: str | None = None


@dataclass(eq=False)
class BatchTooLarge(InvalidInput):
    """More repayments in one request than are booked in one transaction."""

    given: int
    code: ClassVar[str] = "BATCH_TOO_LARGE"

    def __str__(self) -> str:
        return f"{self.given} repayments were given; send 1 to {REPAYMENTS_MAX} at a time."


@dataclass(eq=False)
class RepaymentRefused(RegistryError):
    """One repayment of a batch is refused, so none of them is booked; `index` counts from 0."""

    index: int
    cause: RegistryError

    @property
    def code(self) -> str:  # type: ignore[override]
        return self.cause.code

    def __str__(self) -> str:
        return f"Repayment {self.index} of the batch is refused, none was booked. {self.cause}"


def disburse_loan(
    uow: UnitOfWork, loan_id: str, amount: Money, on: date, channel: str | None, request: Request, use: Facilities
) -> dict[str, Any]:
    """Book the payout of the whole principal."""

    def change(uow: UnitOfWork) -> dict[str, Any]:
        loan, now = serviced(uow, loan_id, request.actor), use.clock.now()
        record = loan.disburse(amount, on=on, now=now, channel=channel)
        store(uow, [loan], now)
        return reference_to(loan, record)

    return answer_once(uow, request, use.clock, "LoanDisbursed", change)


def record_repayment(uow: UnitOfWork, given: Repayment, request: Request, use: Facilities) -> dict[str, Any]:
    """Book one repayment against a loan."""

    def change(uow: UnitOfWork) -> dict[str, Any]:
        loan, now = serviced(uow, given.loan_id, request.actor), use.clock.now()
        record = loan.repay(
            given.amount, on=given.received_on, now=now, channel=given.channel, reference=given.reference
        )
        store(uow, [loan], now)
        return reference_to(loan, record)

    return answer_once(uow, request, use.clock, "RepaymentRecorded", change)


def record_repayments(uow: UnitOfWork, given: Sequence[Repayment], request: Request, use: Facilities) -> dict[str, Any]:
    """Book many repayments, all or none; several of one loan are booked in the order given."""
    if not 1 <= len(given) <= REPAYMENTS_MAX:
        raise BatchTooLarge(len(given))

    def change(uow: UnitOfWork) -> dict[str, Any]:
        now = use.clock.now()
        loans = serviced_many(uow, [repayment.loan_id for repayment in given], request.actor)
        booked: list[Any] = []
        for index, repayment in enumerate(given):
            loan = loans[repayment.loan_id]
            try:
                record = loan.repay(
                    repayment.amount,
                    on=repayment.received_on,
                    now=now,
                    channel=repayment.channel,
                    reference=repayment.reference,
                )
            except RegistryError as refusal:
                raise RepaymentRefused(index, refusal) from refusal
            booked.append([loan.id, record.sequence])
        store(uow, list(loans.values()), now)
        return {"subject": f"{len(booked)} repayments", "records": booked}

    return answer_once(uow, request, use.clock, "RepaymentsRecorded", change)


def charge_fee(
    uow: UnitOfWork,
    loan_id: str,
    amount: Money,
    on: date,
    component: str,
    reason: str | None,
    request: Request,
    use: Facilities,
) -> dict[str, Any]:
    """Charge a fee (`component` FEE) or a penalty (PENALTY)."""

    def change(uow: UnitOfWork) -> dict[str, Any]:
        loan, now = serviced(uow, loan_id, request.actor), use.clock.now()
        record = loan.charge_fee(amount, on=on, now=now, component=component, reason=reason)
        store(uow, [loan], now)
        return reference_to(loan, record)

    return answer_once(uow, request, use.clock, "FeeCharged", change)


def record_recovery(
    uow: UnitOfWork, loan_id: str, amount: Money, on: date, channel: str | None, request: Request, use: Facilities
) -> dict[str, Any]:
    """Book money that came in on a charged-off loan."""

    def change(uow: UnitOfWork) -> dict[str, Any]:
        loan, now = serviced(uow, loan_id, request.actor), use.clock.now()
        record = loan.recover(amount, on=on, now=now, channel=channel, reason=None)
        store(uow, [loan], now)
        return reference_to(loan, record)

    return answer_once(uow, request, use.clock, "RecoveryRecorded", change)


def reference_to(loan: Loan, record: LoanRecord) -> dict[str, Any]:
    """How an answer names a record."""
    return {"subject": f"{loan.id}/{record.sequence}", "loan_id": loan.id, "sequence": record.sequence}
