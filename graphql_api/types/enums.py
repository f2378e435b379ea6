"""The enumerations of the schema: those of the domain, with a sentence for each value."""

from collections.abc import Mapping
from enum import Enum

import strawberry

from audit.disclosure import DisclosureProfile
from audit.finding import Verification
from compliance.subject import IdentityType, PartyKind
from graphql_api.anchors import AnchorState
from registry.domain.agreement import RepaymentMethod
from registry.domain.claims import TransferState
from registry.domain.delinquency import AssetClass
from registry.domain.kinds import LoanStatus, RecordKind
from registry.domain.origination import ApplicationStatus, Outcome
from registry.storage.queries_loans import LoanSort


class CheckResult(Enum):
    """What a compliance rule made of an application."""

    PASS = "PASS"  # noqa: S105 - a result, no password
    FAIL = "FAIL"
    REFER = "REFER"
    NOT_APPLICABLE = "NOT_APPLICABLE"
    ERROR = "ERROR"


class ChargeComponent(Enum):
    """What a charge is."""

    FEE = "FEE"
    PENALTY = "PENALTY"


def _describe(kind: type[Enum], name: str, description: str, values: Mapping[str, str]) -> None:
    """Register an enumeration under its public name, each value with its sentence."""
    strawberry.enum(kind, name=name, description=description)
    for value in kind.__strawberry_definition__.values:  # type: ignore[attr-defined]
        value.description = values[value.name]


_describe(
    AnchorState,
    "AnchorState",
    "How far something has come on its way to the chain. Anything but FINAL may go back when the chain reorganises.",
    {
        "QUEUED": "Committed in the file; waits to be put in a transaction.",
        "SENT": "In a transaction that was sent.",
        "ANCHORED": "On chain, in a block that is not final yet.",
        "FINAL": "On chain, in a final block.",
        "REFUSED": "The contract refused it, and the refusal is final.",
    },
)
_describe(
    Verification,
    "Verification",
    "How file and chain compare: now, and in the last reconciliation; the graver of the two.",
    {
        "VERIFIED": "File and chain agree.",
        "NOT_YET": "Not everything is on chain yet; what is there agrees.",
        "MISSING_IN_FILE": "The chain has a record that the file lacks.",
        "MISSING_ON_CHAIN": "The file has a record that will not reach the chain by itself.",
        "MISMATCH": "The file is not what was anchored.",
    },
)
_describe(
    LoanStatus,
    "LoanStatus",
    "The standing of a loan, as the contract keeps it.",
    {
        "REGISTERED": "Agreed, not paid out.",
        "ACTIVE": "Paid out and running.",
        "SETTLED": "Closed with nothing owed, or with the rest forgiven.",
        "CHARGED_OFF": "Written off; recoveries may follow.",
        "CANCELLED": "Called off.",
    },
)
_describe(
    RecordKind,
    "RecordKind",
    "The kind of a record; its position is the kind byte on chain, so kinds are only ever added at the end.",
    {
        "AGREEMENT": "The signed terms: the first record of every loan.",
        "DISBURSEMENT": "The payout.",
        "REPAYMENT": "Money in.",
        "REVERSAL": "Takes another record back.",
        "FEE": "A fee or penalty charged.",
        "AMENDMENT": "A change of terms by agreement.",
        "RESTRUCTURE": "A change of terms because of difficulties.",
        "CHARGE_OFF": "The claim is written off.",
        "RECOVERY": "Money in after the charge-off.",
        "SETTLEMENT": "The loan is closed.",
        "CANCELLATION": "The loan is called off.",
        "REOPENING": "A closed loan is opened again.",
        "TRANSFER": "The claim went to another lender.",
        "DISPUTE": "The borrower disputes a record.",
        "ERASURE": "Personal data of the borrower was destroyed.",
        "OTHER": "A remark.",
    },
)
_describe(
    AssetClass,
    "AssetClass",
    "The five classes of credit risk, by days past due and the rules in force on the day.",
    {
        "NORMAL": "Paid as agreed, or past due by less than any rule minds.",
        "SPECIAL_MENTION": "Past due; performing.",
        "SUBSTANDARD": "Non-performing.",
        "DOUBTFUL": "Non-performing; loss likely.",
        "LOSS": "Non-performing; little will come back.",
    },
)
_describe(
    DisclosureProfile,
    "DisclosureProfile",
    "Who evidence is made for, and so which fields it opens.",
    {
        "AUDITOR": "Everything that can still be opened, personal data included.",
        "PARTNER": "No personal data.",
        "BORROWER": "All but what lenders agreed between themselves.",
        "PUBLIC": "Kinds, commitments and heads only.",
    },
)
_describe(
    ApplicationStatus,
    "ApplicationStatus",
    "Where an application stands.",
    {
        "SUBMITTED": "Waits for a decision.",
        "IN_REVIEW": "Referred to a person.",
        "APPROVED": "May be signed.",
        "DECLINED": "Turned down.",
        "WITHDRAWN": "Taken back by the applicant.",
        "SIGNED": "Became a loan.",
    },
)
_describe(
    Outcome,
    "Outcome",
    "What a decision says.",
    {"APPROVE": "Lend.", "REFER": "A person must decide.", "DECLINE": "Do not lend."},
)
_describe(
    CheckResult,
    "CheckResult",
    "What a compliance rule made of an application.",
    {
        "PASS": "The rule is met.",
        "FAIL": "The rule is broken.",
        "REFER": "A person must look.",
        "NOT_APPLICABLE": "The rule does not apply here.",
        "ERROR": "The rule could not be evaluated.",
    },
)
_describe(
    TransferState,
    "TransferState",
    "Where an offer of control stands.",
    {
        "OFFERED": "Waits for the buyer.",
        "ACCEPTED": "The claim changed hands.",
        "REFUSED": "The buyer declined.",
        "WITHDRAWN": "The seller took it back.",
    },
)
_describe(
    RepaymentMethod,
    "RepaymentMethod",
    "How the principal comes back.",
    {
        "EQUAL_INSTALMENT": "Every instalment is the same (等额本息).",
        "EQUAL_PRINCIPAL": "Every principal part is the same (等额本金).",
        "INTEREST_ONLY": "Interest each month, all principal at the end (先息后本).",
        "BULLET": "One payment of both at the end (到期还本付息).",
    },
)
_describe(
    ChargeComponent,
    "ChargeComponent",
    "What a charge is.",
    {"FEE": "A fee for a service.", "PENALTY": "A penalty for being late."},
)
_describe(
    PartyKind,
    "PartyKind",
    "Whether a borrower is a natural person or an organisation.",
    {"PERSON": "A natural person.", "ORGANISATION": "A company or other organisation."},
)
_describe(
    IdentityType,
    "IdentityType",
    "The document or register an identity number comes from.",
    {
        "CN_RESIDENT_ID": "Resident identity number of China (GB 11643).",
        "CN_USCC": "Unified social credit code of China (GB 32100).",
        "LEI": "Legal Entity Identifier (ISO 17442).",
        "PASSPORT": "A passport.",
        "OTHER": "Any other document.",
    },
)
_describe(
    LoanSort,
    "LoanOrder",
    "The order of a page of loans; loans without the value come last.",
    {
        "DISBURSED_ON_ASC": "Oldest payout first.",
        "DISBURSED_ON_DESC": "Newest payout first.",
        "OUTSTANDING_ASC": "Least outstanding first, in minor units whatever the currency.",
        "OUTSTANDING_DESC": "Most outstanding first, in minor units whatever the currency.",
        "DAYS_PAST_DUE_DESC": "Longest unpaid first.",
        "LOAN_KEY_ASC": "By loan key.",
    },
)

__all__ = [
    "AnchorState", "ApplicationStatus", "AssetClass", "ChargeComponent", "CheckResult", "DisclosureProfile",
    "IdentityType", "LoanSort", "LoanStatus", "Outcome", "PartyKind", "RecordKind", "RepaymentMethod",
    "TransferState", "Verification",
]  # fmt: skip
