"""Money of a loan's life, and what changes its standing."""

from typing import Annotated, Any

import strawberry

from graphql_api.global_id import local_id
from graphql_api.mutations.answers import booked, record_now
from graphql_api.mutations.inputs import (
    CancelLoanInput,
    ChargeFeeInput,
    ChargeOffLoanInput,
    DisburseLoanInput,
    RecordRecoveryInput,
    RecordRepaymentInput,
    RecordRepaymentsInput,
    ReopenLoanInput,
    RepaymentInput,
    ReverseRecordInput,
    SettleLoanInput,
)
from graphql_api.mutations.requests import perform
from graphql_api.mutations.results import (
    CancelLoanPayload,
    CancelLoanResult,
    ChargeFeePayload,
    ChargeFeeResult,
    ChargeOffLoanPayload,
    ChargeOffLoanResult,
    DisburseLoanPayload,
    DisburseLoanResult,
    RecordRecoveryPayload,
    RecordRecoveryResult,
    RecordRepaymentPayload,
    RecordRepaymentResult,
    RecordRepaymentsPayload,
    RecordRepaymentsResult,
    ReopenLoanPayload,
    ReopenLoanResult,
    ReverseRecordPayload,
    ReverseRecordResult,
    SettleLoanPayload,
    SettleLoanResult,
)
from graphql_api.node_lookup import record_place
from graphql_api.request_context import context_of
from graphql_api.types.described import mutation
from registry.domain.access import Request
from registry.ports import Facilities, UnitOfWork
from registry.services import change_standing, record_money
from registry.services.record_money import Repayment

_INPUT = strawberry.argument(description="What is asked for, with its idempotency key.")


@strawberry.type
class ServicingMutations:
    """Mutations of the lender that services a loan."""

    @mutation("Book the payout of a loan.")
    async def disburse_loan(
        self,
        info: strawberry.Info,
        input: Annotated[DisburseLoanInput, _INPUT],  # noqa: A002
    ) -> DisburseLoanResult:
        def book(uow: UnitOfWork, request: Request, use: Facilities) -> dict[str, Any]:
            loan_id, amount = local_id(input.loan_id, "Loan"), input.amount.money()
            return record_money.disburse_loan(uow, loan_id, amount, input.disbursed_on, input.channel, request, use)

        return await booked(info, "disburseLoan", input, book, DisburseLoanPayload)

    @mutation("Book a repayment; its allocation follows the agreement.")
    async def record_repayment(
        self,
        info: strawberry.Info,
        input: Annotated[RecordRepaymentInput, _INPUT],  # noqa: A002
    ) -> RecordRepaymentResult:
        def book(uow: UnitOfWork, request: Request, use: Facilities) -> dict[str, Any]:
            return record_money.record_repayment(uow, _repayment(input), request, use)

        return await booked(info, "recordRepayment", input, book, RecordRepaymentPayload)

    @mutation("Book many repayments, all or none.")
    async def record_repayments(
        self,
        info: strawberry.Info,
        input: Annotated[RecordRepaymentsInput, _INPUT],  # noqa: A002
    ) -> RecordRepaymentsResult:
        def book(uow: UnitOfWork, request: Request, use: Facilities) -> dict[str, Any]:
            given = [_repayment(one) for one in input.repayments]
            return record_money.record_repayments(uow, given, request, use)

        answer = await perform(info, "recordRepayments", input, book)
        if not isinstance(answer, dict):
            return answer
        context = context_of(info)
        places = [(str(loan_id), int(sequence)) for loan_id, sequence in answer["records"]]
        return RecordRepaymentsPayload(records=await context.gather(record_now(context, *place) for place in places))

    @mutation("Take a record back by a linked one; nothing is overwritten.")
    async def reverse_record(
        self,
        info: strawberry.Info,
        input: Annotated[ReverseRecordInput, _INPUT],  # noqa: A002
    ) -> ReverseRecordResult:
        def book(uow: UnitOfWork, request: Request, use: Facilities) -> dict[str, Any]:
            _, loan_id, sequence = record_place(input.record_id)
            return change_standing.reverse_record(
                uow, loan_id, sequence, input.effective_on, input.reason, request, use
            )

        return await booked(info, "reverseRecord", input, book, ReverseRecordPayload)

    @mutation("Close a loan.")
    async def settle_loan(
        self,
        info: strawberry.Info,
        input: Annotated[SettleLoanInput, _INPUT],  # noqa: A002
    ) -> SettleLoanResult:
        def book(uow: UnitOfWork, request: Request, use: Facilities) -> dict[str, Any]:
            loan_id = local_id(input.loan_id, "Loan")
            final = input.final_amount.money() if input.final_amount is not None else None
            return change_standing.settle_loan(uow, loan_id, input.effective_on, final, input.reason, request, use)

        return await booked(info, "settleLoan", input, book, SettleLoanPayload)

    @mutation("Write a loan off.")
    async def charge_off_loan(
        self,
        info: strawberry.Info,
        input: Annotated[ChargeOffLoanInput, _INPUT],  # noqa: A002
    ) -> ChargeOffLoanResult:
        def book(uow: UnitOfWork, request: Request, use: Facilities) -> dict[str, Any]:
            loan_id = local_id(input.loan_id, "Loan")
            return change_standing.charge_off_loan(uow, loan_id, input.effective_on, input.reason, request, use)

        return await booked(info, "chargeOffLoan", input, book, ChargeOffLoanPayload)

    @mutation("Book money that came in on a charged-off loan.")
    async def record_recovery(
        self,
        info: strawberry.Info,
        input: Annotated[RecordRecoveryInput, _INPUT],  # noqa: A002
    ) -> RecordRecoveryResult:
        def book(uow: UnitOfWork, request: Request, use: Facilities) -> dict[str, Any]:
            loan_id, amount = local_id(input.loan_id, "Loan"), input.amount.money()
            return record_money.record_recovery(uow, loan_id, amount, input.received_on, input.channel, request, use)

        return await booked(info, "recordRecovery", input, book, RecordRecoveryPayload)

    @mutation("Call a loan off.")
    async def cancel_loan(
        self,
        info: strawberry.Info,
        input: Annotated[CancelLoanInput, _INPUT],  # noqa: A002
    ) -> CancelLoanResult:
        def book(uow: UnitOfWork, request: Request, use: Facilities) -> dict[str, Any]:
            loan_id = local_id(input.loan_id, "Loan")
            return change_standing.cancel_loan(uow, loan_id, input.effective_on, input.reason, request, use)

        return await booked(info, "cancelLoan", input, book, CancelLoanPayload)

    @mutation("Open a closed loan again; precedes the reversal of a closing or earlier record.")
    async def reopen_loan(
        self,
        info: strawberry.Info,
        input: Annotated[ReopenLoanInput, _INPUT],  # noqa: A002
    ) -> ReopenLoanResult:
        def book(uow: UnitOfWork, request: Request, use: Facilities) -> dict[str, Any]:
            loan_id = local_id(input.loan_id, "Loan")
            return change_standing.reopen_loan(uow, loan_id, input.effective_on, input.reason, request, use)

        return await booked(info, "reopenLoan", input, book, ReopenLoanPayload)

    @mutation("Charge a fee or a penalty.")
    async def charge_fee(
        self,
        info: strawberry.Info,
        input: Annotated[ChargeFeeInput, _INPUT],  # noqa: A002
    ) -> ChargeFeeResult:
        def book(uow: UnitOfWork, request: Request, use: Facilities) -> dict[str, Any]:
            loan_id, amount = local_id(input.loan_id, "Loan"), input.amount.money()
            component = input.component.value
            return record_money.charge_fee(
                uow, loan_id, amount, input.effective_on, component, input.reason, request, use
            )

        return await booked(info, "chargeFee", input, book, ChargeFeePayload)


def _repayment(given: RecordRepaymentInput | RepaymentInput) -> Repayment:
    return Repayment(
        loan_id=local_id(given.loan_id, "Loan"),
        amount=given.amount.money(),
        received_on=given.received_on,
        channel=given.channel,
        reference=given.reference,
    )
