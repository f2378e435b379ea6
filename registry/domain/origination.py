"""From application to decision: what was asked, what scores and checks said, and what was decided."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum

from registry.domain.commitments import FieldValue
from registry.domain.money import Money


class ApplicationStatus(StrEnum):
    """How far an application has come."""

    SUBMITTED = "SUBMITTED"
    IN_REVIEW = "IN_REVIEW"
    APPROVED = "APPROVED"
    DECLINED = "DECLINED"
    WITHDRAWN = "WITHDRAWN"
    SIGNED = "SIGNED"


class Outcome(StrEnum):
    """What is decided; REFER leaves it to a person."""

    APPROVE = "APPROVE"
    REFER = "REFER"
    DECLINE = "DECLINE"

    @property
    def application_status(self) -> ApplicationStatus:
        return {
            Outcome.APPROVE: ApplicationStatus.APPROVED,
            Outcome.REFER: ApplicationStatus.IN_REVIEW,
            Outcome.DECLINE: ApplicationStatus.DECLINED,
        }[self]


@dataclass(frozen=True, slots=True)
class Application:
    """An application for a loan; `sealed` holds what is scored and checked, under the borrower's data key."""

    lender_id: int
    id: str
    borrower_id: str
    product_id: str
    amount: Money
    term_months: int
    purpose: str
    sealed: bytes | None
    status: ApplicationStatus
    submitted_by: str
    submitted_at: datetime

    def associated_data(self, key_id: str) -> bytes:
        return f"{self.lender_id}|applications|{self.id}|sealed|1|{key_id}".encode()


@dataclass(frozen=True, slots=True)
class CheckOutcome:
    """The result of one compliance rule: PASS, FAIL, REFER, NOT_APPLICABLE or ERROR, with stable reason codes."""

    rule: str
    rule_version: str
    result: str
    reasons: tuple[str, ...]
    evaluated_at: datetime


@dataclass(frozen=True, slots=True)
class Assessment:
    """What scoring, checks and policy make of an application: everything a decision stores.

    `score` is None when no score could be made; `receipt` is canonical JSON, `receipt_commitment` its salted hash.
    """

    outcome: Outcome
    score: Mapping[str, FieldValue] | None
    checks: tuple[CheckOutcome, ...]
    reasons: tuple[str, ...]
    offered_rate: Decimal | None
    limit: Money | None
    policy_version: str
    model_hash: bytes
    inputs_hash: bytes
    inputs_salt: bytes
    receipt: str
    receipt_commitment: bytes


@dataclass(frozen=True, slots=True)
class Decision:
    """A decision on an application; `decided_by` is "policy" or the person who overrode it."""

    lender_id: int
    id: str
    application_id: str
    assessment: Assessment
    outcome: Outcome
    decided_by: str
    decided_at: datetime


@dataclass(frozen=True, slots=True)
class Exposure:
    """What a borrower owes over all lenders of the registry, found by the blind index of the identity number."""

    open_loans: int
    open_lenders: int
    new_lenders_90_days: int
    outstanding: tuple[Money, ...]
    applications_24_hours: int
    applications_30_days: int
