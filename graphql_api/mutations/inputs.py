"""The inputs of the mutations; each carries an idempotency key, under which the same input is answered once."""

from datetime import date, datetime
from decimal import Decimal

import strawberry
from strawberry.scalars import JSON

from graphql_api.scalars import Bytes32, MinorUnits
from graphql_api.types.enums import ChargeComponent, IdentityType, Outcome, PartyKind, RepaymentMethod
from registry.domain.money import Money

KEY = "A fresh random text for each new request; sending the same request again under it changes nothing more."
LOAN = "The global id of the loan."
ON = "The day it counts from; not in the future."


@strawberry.input(description="An amount in minor units of a currency.")
class MoneyInput:
    """An amount as a client gives it."""

    minor: MinorUnits = strawberry.field(description="The amount in minor units (cents, fen).")
    currency: str = strawberry.field(description="The ISO 4217 code of the currency.")

    def money(self) -> Money:
        return Money(self.minor, self.currency)


@strawberry.input(description="Who a borrower is; stored encrypted, under a key of its own that can be destroyed.")
class IdentityInput:
    """A borrower's identity."""

    name: str = strawberry.field(description="The full name.")
    kind: PartyKind = strawberry.field(description="A person or an organisation.")
    identity_kind: IdentityType | None = strawberry.field(default=None, description="Where the number comes from.")
    number: str | None = strawberry.field(default=None, description="The identity number.")
    born_on: date | None = strawberry.field(default=None, description="The day of birth of a person.")
    nationality: str | None = strawberry.field(default=None, description="ISO 3166 code of the nationality.")


@strawberry.input(description="A consent the borrower gave with the application.")
class ConsentInput:
    """A consent to one purpose."""

    purpose: str = strawberry.field(description="What the data may be used for.")
    text_version: str = strawberry.field(description="The version of the text agreed to.")


@strawberry.input(description="A new application for a loan.")
class SubmitApplicationInput:
    """An application; either a new borrower's identity or a known borrower."""

    idempotency_key: str = strawberry.field(description=KEY)
    product_id: strawberry.ID = strawberry.field(description="The global id of the product.")
    amount: MoneyInput = strawberry.field(description="The amount applied for.")
    term_months: int = strawberry.field(description="The term in months.")
    purpose: str = strawberry.field(description="What the money is for; one of the product's purposes.")
    inputs: JSON = strawberry.field(
        description="The figures that are scored and checked, by name; numbers with fractions as decimal strings."
    )
    identity: IdentityInput | None = strawberry.field(default=None, description="A new borrower's identity.")
    borrower_id: strawberry.ID | None = strawberry.field(default=None, description="Or a borrower known already.")
    consents: list[ConsentInput] | None = strawberry.field(default=None, description="The consents given.")
    external_reference: str | None = strawberry.field(default=None, description="The lender's own reference.")


@strawberry.input(description="Decide an application: score, checks and policy; or a person's word on a referred one.")
class DecideApplicationInput:
    """A decision to be made."""

    idempotency_key: str = strawberry.field(description=KEY)
    application_id: strawberry.ID = strawberry.field(description="The global id of the application.")
    override: Outcome | None = strawberry.field(
        default=None,
        description="A person's decision; only on what the policy refers, by somebody else than submitted.",
    )


@strawberry.input(description="Sign an approved application; what is left out is as applied for and offered.")
class SignAgreementInput:
    """What is settled at signing."""

    idempotency_key: str = strawberry.field(description=KEY)
    application_id: strawberry.ID = strawberry.field(description="The global id of the application.")
    disburse_on: date = strawberry.field(description="The day of the payout.")
    first_due_on: date = strawberry.field(description="The first due date; the others follow monthly.")
    amount: MoneyInput | None = strawberry.field(default=None, description="The amount, at most what was decided.")
    annual_rate: Decimal | None = strawberry.field(default=None, description="The nominal annual rate, as a fraction.")
    method: RepaymentMethod | None = strawberry.field(default=None, description="How the principal comes back.")
    external_reference: str | None = strawberry.field(default=None, description="The lender's own reference.")


@strawberry.input(description="Book the payout of the whole principal.")
class DisburseLoanInput:
    """A payout."""

    idempotency_key: str = strawberry.field(description=KEY)
    loan_id: strawberry.ID = strawberry.field(description=LOAN)
    amount: MoneyInput = strawberry.field(description="The principal.")
    disbursed_on: date = strawberry.field(description=ON)
    channel: str | None = strawberry.field(default=None, description="How it was paid.")


@strawberry.input(description="Book money that came in on a loan.")
class RecordRepaymentInput:
    """A repayment."""

    idempotency_key: str = strawberry.field(description=KEY)
    loan_id: strawberry.ID = strawberry.field(description=LOAN)
    amount: MoneyInput = strawberry.field(description="The amount received; at most what clears the loan.")
    received_on: date = strawberry.field(description=ON)
    channel: str | None = strawberry.field(default=None, description="How it was paid.")
    reference: str | None = strawberry.field(default=None, description="The payment's own reference.")


@strawberry.input(description="One repayment of a batch.")
class RepaymentInput:
    """A repayment without a key of its own."""

    loan_id: strawberry.ID = strawberry.field(description=LOAN)
    amount: MoneyInput = strawberry.field(description="The amount received; at most what clears the loan.")
    received_on: date = strawberry.field(description=ON)
    channel: str | None = strawberry.field(default=None, description="How it was paid.")
    reference: str | None = strawberry.field(default=None, description="The payment's own reference.")


@strawberry.input(description="Book many repayments, all or none; at most 1,000.")
class RecordRepaymentsInput:
    """A batch of repayments."""

    idempotency_key: str = strawberry.field(description=KEY)
    repayments: list[RepaymentInput] = strawberry.field(description="The repayments, in the order to be booked.")


@strawberry.input(description="Take a repayment, fee, recovery or closing back by a linked record.")
class ReverseRecordInput:
    """A reversal."""

    idempotency_key: str = strawberry.field(description=KEY)
    record_id: strawberry.ID = strawberry.field(description="The global id of the record to take back.")
    effective_on: date = strawberry.field(description=ON)
    reason: str = strawberry.field(description="Why.")


@strawberry.input(description="Close a loan on which nothing is owed, after the final amount if one is given.")
class SettleLoanInput:
    """A settlement."""

    idempotency_key: str = strawberry.field(description=KEY)
    loan_id: strawberry.ID = strawberry.field(description=LOAN)
    effective_on: date = strawberry.field(description=ON)
    reason: str = strawberry.field(description="Why.")
    final_amount: MoneyInput | None = strawberry.field(default=None, description="Booked first, as a repayment.")


@strawberry.input(description="Write off what is owed; recoveries may follow.")
class ChargeOffLoanInput:
    """A charge-off."""

    idempotency_key: str = strawberry.field(description=KEY)
    loan_id: strawberry.ID = strawberry.field(description=LOAN)
    effective_on: date = strawberry.field(description=ON)
    reason: str = strawberry.field(description="Why.")


@strawberry.input(description="Call a loan off before its payout, or after all of it came back.")
class CancelLoanInput(ChargeOffLoanInput):
    """A cancellation."""


@strawberry.input(description="Open a settled or charged-off loan again.")
class ReopenLoanInput(ChargeOffLoanInput):
    """A reopening."""


@strawberry.input(description="Book money that came in on a charged-off loan.")
class RecordRecoveryInput:
    """A recovery."""

    idempotency_key: str = strawberry.field(description=KEY)
    loan_id: strawberry.ID = strawberry.field(description=LOAN)
    amount: MoneyInput = strawberry.field(description="The amount received; at most what was charged off.")
    received_on: date = strawberry.field(description=ON)
    channel: str | None = strawberry.field(default=None, description="How it was paid.")


@strawberry.input(description="Charge a fee or a penalty, due at once.")
class ChargeFeeInput:
    """A fee."""

    idempotency_key: str = strawberry.field(description=KEY)
    loan_id: strawberry.ID = strawberry.field(description=LOAN)
    amount: MoneyInput = strawberry.field(description="The amount charged.")
    effective_on: date = strawberry.field(description=ON)
    component: ChargeComponent = strawberry.field(description="A fee or a penalty.")
    reason: str | None = strawberry.field(default=None, description="Why.")


@strawberry.input(description="Offer a claim to another lender until a time; all its records must be on chain.")
class OfferTransferInput:
    """An offer of control."""

    idempotency_key: str = strawberry.field(description=KEY)
    loan_id: strawberry.ID = strawberry.field(description=LOAN)
    to_lender_id: strawberry.ID = strawberry.field(description="The global id of the buyer.")
    expires_at: datetime = strawberry.field(description="Until when it can be accepted.")
    servicer_id: strawberry.ID | None = strawberry.field(
        default=None, description="The lender that services the loan afterwards; the buyer if not given."
    )
    price: MoneyInput | None = strawberry.field(default=None, description="The price.")


@strawberry.input(description="Accept the open offer of a loan, with its history as it stands.")
class AcceptTransferInput:
    """An acceptance."""

    idempotency_key: str = strawberry.field(description=KEY)
    loan_id: strawberry.ID = strawberry.field(description=LOAN)
    transfer_id: strawberry.ID | None = strawberry.field(
        default=None, description="The offer that was read. Give it: without it, whatever is offered now is accepted."
    )
    expected_head: Bytes32 | None = strawberry.field(
        default=None, description="The head of the history that was read. Give it: a longer history is then refused."
    )


@strawberry.input(description="Decline the open offer of a loan.")
class RefuseTransferInput:
    """A refusal of an offer."""

    idempotency_key: str = strawberry.field(description=KEY)
    loan_id: strawberry.ID = strawberry.field(description=LOAN)


@strawberry.input(description="Take the open offer of a loan back.")
class WithdrawTransferInput:
    """The withdrawal of an offer."""

    idempotency_key: str = strawberry.field(description=KEY)
    loan_id: strawberry.ID = strawberry.field(description=LOAN)


@strawberry.input(description="Secure a loan with an asset; refused when it secures another one anywhere.")
class PledgeAssetInput:
    """A pledge."""

    idempotency_key: str = strawberry.field(description=KEY)
    loan_id: strawberry.ID = strawberry.field(description=LOAN)
    asset_kind: str = strawberry.field(
        description="What it is: VEHICLE, PROPERTY, INVOICE, EQUIPMENT, INVENTORY or SECURITIES."
    )
    asset_identifier: str = strawberry.field(
        description="Its official identifier: VIN, title or invoice number. Only a keyed digest of it is kept."
    )


@strawberry.input(description="End the lien of a loan on an asset.")
class ReleaseAssetInput(PledgeAssetInput):
    """A release."""


@strawberry.input(description="Destroy a borrower's personal data for ever; all loans must be closed.")
class EraseBorrowerInput:
    """An erasure."""

    idempotency_key: str = strawberry.field(description=KEY)
    borrower_id: strawberry.ID = strawberry.field(description="The global id of the borrower.")
    reason: str = strawberry.field(description="Why.")
