"""Everything a compliance check may read about one application or one loan of a tape; None means missing."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from types import MappingProxyType
from typing import ClassVar, TypeVar

from registry.domain.errors import InvalidInput
from registry.domain.money import Money

T = TypeVar("T")


class LenderType(StrEnum):
    """The licence a lender works under; it selects the rate and exposure rules."""

    BANK = "BANK"
    CONSUMER_FINANCE = "CONSUMER_FINANCE"
    TRUST = "TRUST"
    MICROLOAN = "MICROLOAN"
    GUARANTEE = "GUARANTEE"
    LEASING = "LEASING"
    FACTORING = "FACTORING"
    PAWN = "PAWN"
    MARKETPLACE = "MARKETPLACE"
    PRIVATE = "PRIVATE"


class PartyKind(StrEnum):
    """Whether the borrower is a natural person or an organisation."""

    PERSON = "PERSON"
    ORGANISATION = "ORGANISATION"


class IdentityType(StrEnum):
    """The kinds of identity number the registry can validate or at least name."""

    CN_RESIDENT_ID = "CN_RESIDENT_ID"
    CN_USCC = "CN_USCC"
    LEI = "LEI"
    PASSPORT = "PASSPORT"
    OTHER = "OTHER"


@dataclass(frozen=True, slots=True)
class Instalment:
    """One payment the borrower owes, with all fees due that day."""

    due_on: date
    amount: Money


@dataclass(frozen=True, slots=True)
class Consent:
    """One consent the borrower gave this lender, for one purpose, in force or withdrawn."""

    purpose: str
    given_at: datetime
    withdrawn_at: datetime | None = None
    expires_on: date | None = None
    text_version: str | None = None


@dataclass(frozen=True, slots=True)
class ProductBounds:
    """The published version of the product that is applied for; rates are fractions of one a year."""

    version: str
    active: bool
    amount_min: Money
    amount_max: Money
    term_months_min: int
    term_months_max: int
    annual_rate_min: Decimal
    annual_rate_max: Decimal
    purposes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """The inputs of all checks.

    Rates are fractions of one a year (0.24 is 24 %). `effective_annual_rate` is the annual IRR over what was really
    paid out, with all fees. `unavailable` names fields (by their names here) the source can never have, each with the
    reason: a check that needs one answers NOT_APPLICABLE instead of REFER.
    """

    lender_type: LenderType | None = None
    channel: str | None = None
    jurisdiction: str | None = None
    applied_on: date | None = None

    amount: Money | None = None
    term_months: int | None = None
    annual_rate: Decimal | None = None
    overdue_annual_rate: Decimal | None = None
    effective_annual_rate: Decimal | None = None
    fees: Money | None = None
    interest_withheld: Money | None = None
    disbursed_on: date | None = None
    net_disbursed: Money | None = None
    instalments: tuple[Instalment, ...] | None = None
    secured: bool | None = None
    purpose: str | None = None
    product: ProductBounds | None = None

    name: str | None = None
    aliases: tuple[str, ...] = ()
    kind: PartyKind | None = None
    id_type: IdentityType | None = None
    id_number: str | None = None
    id_expires_on: date | None = None
    birth_on: date | None = None
    sex: str | None = None
    nationality: str | None = None

    monthly_income: Money | None = None
    income_verified: bool | None = None
    monthly_living_cost: Money | None = None
    monthly_debt_service: Money | None = None
    monthly_instalment: Money | None = None

    open_loans: int | None = None
    open_lenders: int | None = None
    new_lenders_90_days: int | None = None
    total_outstanding: Money | None = None
    applications_24_hours: int | None = None
    applications_30_days: int | None = None

    consents: tuple[Consent, ...] | None = None
    maker: str | None = None
    checker: str | None = None

    unavailable: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))


@dataclass(eq=False)
class InputMissing(InvalidInput):
    """A check needs a field of the subject that is not there; the evaluation turns it into REFER or NOT_APPLICABLE."""

    field: str
    code: ClassVar[str] = "INPUT_MISSING"

    def __str__(self) -> str:
        return (
            f"The check needs {self.field!r}, which is missing; give it, or name it in `unavailable` with the reason."
        )


def present(value: T | None, name: str) -> T:
    """`value`, or InputMissing when the subject does not have it."""
    if value is None:
        raise InputMissing(name)
    return value
