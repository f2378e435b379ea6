"""What each mutation answers: its payload, or one of the refusals."""

from typing import Annotated

import strawberry

from graphql_api.mutations.refusals import (
    InvalidInputRefusal,
    NotFoundRefusal,
    RuleRefusedRefusal,
    UnavailableRefusal,
)
from graphql_api.types.claim import ControlTransfer, Lien
from graphql_api.types.loan import Loan
from graphql_api.types.origination import Application, Decision
from graphql_api.types.party import Borrower
from graphql_api.types.record import LoanRecord

_OR_WHY_NOT = "The change, or why it was not made."


@strawberry.type
class BookedRecord:
    """A record that was booked, with its loan as it stands now."""

    loan: Loan = strawberry.field(description="The loan as it stands now.")
    record: LoanRecord = strawberry.field(description="The record; its anchor tells how far it has come.")


@strawberry.type
class ChangedTransfer:
    """An offer of control that was made or ended."""

    loan: Loan | None = strawberry.field(description="The loan; null when it can no longer be seen.")
    transfer: ControlTransfer = strawberry.field(description="The offer as it stands now.")


@strawberry.type
class ChangedLien:
    """A lien that was made or ended."""

    loan: Loan = strawberry.field(description="The loan.")
    lien: Lien = strawberry.field(description="The lien as it stands now.")


@strawberry.type(description="The application, kept.")
class SubmitApplicationPayload:
    """A new application."""

    application: Application = strawberry.field(description="The application.")


@strawberry.type(description="The decision, kept.")
class DecideApplicationPayload:
    """A decision."""

    application: Application = strawberry.field(description="The application as it stands now.")
    decision: Decision = strawberry.field(description="The decision.")


@strawberry.type(description="The repayments, booked.")
class RecordRepaymentsPayload:
    """A batch that was booked."""

    records: list[LoanRecord] = strawberry.field(description="The records, in the order given.")


@strawberry.type(description="The borrower, erased.")
class EraseBorrowerPayload:
    """A borrower whose personal data is gone."""

    borrower: Borrower = strawberry.field(description="The borrower, without personal data.")
    records: int = strawberry.field(description="How many loans got a record that says so.")


@strawberry.type(description="The payout, booked.")
class DisburseLoanPayload(BookedRecord):
    """The payout, booked."""


@strawberry.type(description="The repayment, booked.")
class RecordRepaymentPayload(BookedRecord):
    """The repayment, booked."""


@strawberry.type(description="The reversal, booked.")
class ReverseRecordPayload(BookedRecord):
    """The reversal, booked."""


@strawberry.type(description="The settlement, booked.")
class SettleLoanPayload(BookedRecord):
    """The settlement, booked."""


@strawberry.type(description="The charge-off, booked.")
class ChargeOffLoanPayload(BookedRecord):
    """The charge-off, booked."""


@strawberry.type(description="The recovery, booked.")
class RecordRecoveryPayload(BookedRecord):
    """The recovery, booked."""


@strawberry.type(description="The cancellation, booked.")
class CancelLoanPayload(BookedRecord):
    """The cancellation, booked."""


@strawberry.type(description="The reopening, booked.")
class ReopenLoanPayload(BookedRecord):
    """The reopening, booked."""


@strawberry.type(description="The fee, booked.")
class ChargeFeePayload(BookedRecord):
    """The fee, booked."""


@strawberry.type(description="The loan, with its agreement record.")
class SignAgreementPayload(BookedRecord):
    """The loan, with its agreement record."""


@strawberry.type(description="The transfer, booked.")
class AcceptTransferPayload(BookedRecord):
    """The transfer, booked."""


@strawberry.type(description="The offer, made.")
class OfferTransferPayload(ChangedTransfer):
    """The offer, made."""


@strawberry.type(description="The offer, declined.")
class RefuseTransferPayload(ChangedTransfer):
    """The offer, declined."""


@strawberry.type(description="The offer, taken back.")
class WithdrawTransferPayload(ChangedTransfer):
    """The offer, taken back."""


@strawberry.type(description="The lien, made.")
class PledgeAssetPayload(ChangedLien):
    """The lien, made."""


@strawberry.type(description="The lien, ended.")
class ReleaseAssetPayload(ChangedLien):
    """The lien, ended."""


SubmitApplicationResult = Annotated[
    SubmitApplicationPayload | InvalidInputRefusal | NotFoundRefusal | RuleRefusedRefusal | UnavailableRefusal,
    strawberry.union(name="SubmitApplicationResult", description=_OR_WHY_NOT),
]
DecideApplicationResult = Annotated[
    DecideApplicationPayload | InvalidInputRefusal | NotFoundRefusal | RuleRefusedRefusal | UnavailableRefusal,
    strawberry.union(name="DecideApplicationResult", description=_OR_WHY_NOT),
]
RecordRepaymentsResult = Annotated[
    RecordRepaymentsPayload | InvalidInputRefusal | NotFoundRefusal | RuleRefusedRefusal | UnavailableRefusal,
    strawberry.union(name="RecordRepaymentsResult", description=_OR_WHY_NOT),
]
EraseBorrowerResult = Annotated[
    EraseBorrowerPayload | InvalidInputRefusal | NotFoundRefusal | RuleRefusedRefusal | UnavailableRefusal,
    strawberry.union(name="EraseBorrowerResult", description=_OR_WHY_NOT),
]
DisburseLoanResult = Annotated[
    DisburseLoanPayload | InvalidInputRefusal | NotFoundRefusal | RuleRefusedRefusal | UnavailableRefusal,
    strawberry.union(name="DisburseLoanResult", description=_OR_WHY_NOT),
]
RecordRepaymentResult = Annotated[
    RecordRepaymentPayload | InvalidInputRefusal | NotFoundRefusal | RuleRefusedRefusal | UnavailableRefusal,
    strawberry.union(name="RecordRepaymentResult", description=_OR_WHY_NOT),
]
ReverseRecordResult = Annotated[
    ReverseRecordPayload | InvalidInputRefusal | NotFoundRefusal | RuleRefusedRefusal | UnavailableRefusal,
    strawberry.union(name="ReverseRecordResult", description=_OR_WHY_NOT),
]
SettleLoanResult = Annotated[
    SettleLoanPayload | InvalidInputRefusal | NotFoundRefusal | RuleRefusedRefusal | UnavailableRefusal,
    strawberry.union(name="SettleLoanResult", description=_OR_WHY_NOT),
]
ChargeOffLoanResult = Annotated[
    ChargeOffLoanPayload | InvalidInputRefusal | NotFoundRefusal | RuleRefusedRefusal | UnavailableRefusal,
    strawberry.union(name="ChargeOffLoanResult", description=_OR_WHY_NOT),
]
RecordRecoveryResult = Annotated[
    RecordRecoveryPayload | InvalidInputRefusal | NotFoundRefusal | RuleRefusedRefusal | UnavailableRefusal,
    strawberry.union(name="RecordRecoveryResult", description=_OR_WHY_NOT),
]
CancelLoanResult = Annotated[
    CancelLoanPayload | InvalidInputRefusal | NotFoundRefusal | RuleRefusedRefusal | UnavailableRefusal,
    strawberry.union(name="CancelLoanResult", description=_OR_WHY_NOT),
]
ReopenLoanResult = Annotated[
    ReopenLoanPayload | InvalidInputRefusal | NotFoundRefusal | RuleRefusedRefusal | UnavailableRefusal,
    strawberry.union(name="ReopenLoanResult", description=_OR_WHY_NOT),
]
ChargeFeeResult = Annotated[
    ChargeFeePayload | InvalidInputRefusal | NotFoundRefusal | RuleRefusedRefusal | UnavailableRefusal,
    strawberry.union(name="ChargeFeeResult", description=_OR_WHY_NOT),
]
SignAgreementResult = Annotated[
    SignAgreementPayload | InvalidInputRefusal | NotFoundRefusal | RuleRefusedRefusal | UnavailableRefusal,
    strawberry.union(name="SignAgreementResult", description=_OR_WHY_NOT),
]
AcceptTransferResult = Annotated[
    AcceptTransferPayload | InvalidInputRefusal | NotFoundRefusal | RuleRefusedRefusal | UnavailableRefusal,
    strawberry.union(name="AcceptTransferResult", description=_OR_WHY_NOT),
]
OfferTransferResult = Annotated[
    OfferTransferPayload | InvalidInputRefusal | NotFoundRefusal | RuleRefusedRefusal | UnavailableRefusal,
    strawberry.union(name="OfferTransferResult", description=_OR_WHY_NOT),
]
RefuseTransferResult = Annotated[
    RefuseTransferPayload | InvalidInputRefusal | NotFoundRefusal | RuleRefusedRefusal | UnavailableRefusal,
    strawberry.union(name="RefuseTransferResult", description=_OR_WHY_NOT),
]
WithdrawTransferResult = Annotated[
    WithdrawTransferPayload | InvalidInputRefusal | NotFoundRefusal | RuleRefusedRefusal | UnavailableRefusal,
    strawberry.union(name="WithdrawTransferResult", description=_OR_WHY_NOT),
]
PledgeAssetResult = Annotated[
    PledgeAssetPayload | InvalidInputRefusal | NotFoundRefusal | RuleRefusedRefusal | UnavailableRefusal,
    strawberry.union(name="PledgeAssetResult", description=_OR_WHY_NOT),
]
ReleaseAssetResult = Annotated[
    ReleaseAssetPayload | InvalidInputRefusal | NotFoundRefusal | RuleRefusedRefusal | UnavailableRefusal,
    strawberry.union(name="ReleaseAssetResult", description=_OR_WHY_NOT),
]
