"""The terms a borrower signs: everything that changes a number is an explicit field here."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import date
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from typing import ClassVar, Self, TypeVar

from registry.domain.allocation import DEFAULT_ORDER, AllocationOrder, Component, positions
from registry.domain.calendar import add_months
from registry.domain.day_count import DayCount
from registry.domain.errors import InvalidInput
from registry.domain.money import Money
from registry.domain.rounding import Rounding, divide

CALCULATOR_VERSION = "1"
TERM_MONTHS_MAX = 600
ANNUAL_RATE_MAX = Decimal(10)
RATE_PLACES_MAX = 12

_Member = TypeVar("_Member", bound=StrEnum)


class RepaymentMethod(StrEnum):
    """How the principal comes back.

    `EQUAL_INSTALMENT` (等额本息): every instalment is the same. `EQUAL_PRINCIPAL` (等额本金): every principal part is.
    `INTEREST_ONLY` (先息后本): interest each month, all principal at the end. `BULLET` (到期还本付息): one payment
    of both at the end.
    """

    EQUAL_INSTALMENT = "EQUAL_INSTALMENT"
    EQUAL_PRINCIPAL = "EQUAL_PRINCIPAL"
    INTEREST_ONLY = "INTEREST_ONLY"
    BULLET = "BULLET"


@dataclass(eq=False)
class TermsInvalid(InvalidInput):
    """A term of an agreement is malformed or contradicts another."""

    field: str
    given: str
    rule: str
    code: ClassVar[str] = "TERMS_INVALID"

    def __str__(self) -> str:
        return f"Term {self.field} = {self.given} is not allowed: {self.rule}."


@dataclass(frozen=True, slots=True)
class AgreementTerms:
    """The signed terms of one loan.

    `annual_rate` is nominal per year (`Decimal("0.1375")` is 13.75 %). `first_due_on` is the first due date; the
    others follow monthly, counted from it. `upfront_fee_minor` is kept back from the payout, so that the borrower
    receives `net_disbursement`; `instalment_fee_minor` falls due with every instalment while principal is
    outstanding. `calculator_version` names the arithmetic the schedule was made with.
    """

    principal: Money
    annual_rate: Decimal
    term_months: int
    method: RepaymentMethod
    day_count: DayCount
    rounding: Rounding
    disbursed_on: date
    first_due_on: date
    upfront_fee_minor: int = 0
    instalment_fee_minor: int = 0
    allocation_order: AllocationOrder = DEFAULT_ORDER
    calculator_version: str = CALCULATOR_VERSION

    def __post_init__(self) -> None:
        rate = self.annual_rate
        _require(self.principal.minor > 0, "principal", self.principal, "it must be positive")
        _require(
            rate.is_finite() and 0 <= rate <= ANNUAL_RATE_MAX and _places(rate) <= RATE_PLACES_MAX,
            "annual_rate",
            rate,
            f"it must be 0 to {ANNUAL_RATE_MAX} as a fraction, with at most {RATE_PLACES_MAX} decimal places",
        )
        _require(1 <= self.term_months <= TERM_MONTHS_MAX, "term_months", self.term_months, f"1 to {TERM_MONTHS_MAX}")
        _require(
            self.first_due_on > self.disbursed_on, "first_due_on", self.first_due_on, "it must follow disbursed_on"
        )
        _require(
            0 <= self.upfront_fee_minor < self.principal.minor,
            "upfront_fee_minor",
            self.upfront_fee_minor,
            "it must be at least 0 and below the principal",
        )
        _require(self.instalment_fee_minor >= 0, "instalment_fee_minor", self.instalment_fee_minor, "at least 0")
        _require(
            self.calculator_version == CALCULATOR_VERSION,
            "calculator_version",
            self.calculator_version,
            f"this program calculates version {CALCULATOR_VERSION}",
        )
        positions(self.allocation_order)
        add_months(self.first_due_on, self.term_months)

    @property
    def currency(self) -> str:
        return self.principal.currency

    @property
    def matures_on(self) -> date:
        """The last due date."""
        return add_months(self.first_due_on, self.term_months - 1)

    @property
    def net_disbursement(self) -> Money:
        """What is paid out: the principal less the fee kept back."""
        return Money(self.principal.minor - self.upfront_fee_minor, self.currency)

    def interest_ratio(self) -> tuple[int, int]:
        """Interest per minor unit of principal and day, as an exact (numerator, denominator)."""
        numerator, denominator = self.annual_rate.as_integer_ratio()
        return numerator, denominator * self.day_count.year_days

    def interest_minor(self, minor_days: int) -> int:
        """The interest on `minor_days` (principal in minor units × days), rounded once."""
        numerator, denominator = self.interest_ratio()
        return divide(minor_days * numerator, denominator, self.rounding)

    def to_dict(self) -> dict[str, str]:
        """The terms as strings only, the same for equal terms: amounts in minor units, the rate as a plain decimal."""
        return {
            "principal_minor": str(self.principal.minor),
            "currency": self.currency,
            "annual_rate": plain(self.annual_rate),
            "term_months": str(self.term_months),
            "method": self.method.value,
            "day_count": self.day_count.value,
            "rounding": self.rounding.value,
            "disbursed_on": self.disbursed_on.isoformat(),
            "first_due_on": self.first_due_on.isoformat(),
            "upfront_fee_minor": str(self.upfront_fee_minor),
            "instalment_fee_minor": str(self.instalment_fee_minor),
            "allocation_order": ",".join(component.value for component in self.allocation_order),
            "calculator_version": self.calculator_version,
        }

    @classmethod
    def from_dict(cls, given: Mapping[str, str]) -> Self:
        """The inverse of `to_dict`; a missing, unknown or malformed field is named in the refusal."""
        known = {field.name for field in fields(cls)} - {"principal"} | {"principal_minor", "currency"}
        for name in sorted(known ^ set(given)):
            raise TermsInvalid(name, given.get(name, "missing"), f"the fields are {', '.join(sorted(known))}")
        return cls(
            principal=Money(_whole(given, "principal_minor"), given["currency"]),
            annual_rate=_decimal(given, "annual_rate"),
            term_months=_whole(given, "term_months"),
            method=_member(RepaymentMethod, given, "method"),
            day_count=_member(DayCount, given, "day_count"),
            rounding=_member(Rounding, given, "rounding"),
            disbursed_on=_day(given, "disbursed_on"),
            first_due_on=_day(given, "first_due_on"),
            upfront_fee_minor=_whole(given, "upfront_fee_minor"),
            instalment_fee_minor=_whole(given, "instalment_fee_minor"),
            allocation_order=_order(given, "allocation_order"),
            calculator_version=given["calculator_version"],
        )


def plain(value: Decimal) -> str:
    """A decimal without exponent or trailing zeros: equal decimals have the same text."""
    text = format(value, "f")
    text = text.rstrip("0").rstrip(".") if "." in text else text
    return "0" if text in {"-0", ""} else text


def _require(holds: bool, field: str, given: object, rule: str) -> None:  # noqa: FBT001 - a condition, not a switch
    if not holds:
        raise TermsInvalid(field, str(given), rule)


def _places(rate: Decimal) -> int:
    exponent = rate.normalize().as_tuple().exponent
    return -exponent if isinstance(exponent, int) and exponent < 0 else 0


def _whole(given: Mapping[str, str], name: str) -> int:
    text = given[name]
    if not (text.isascii() and text.isdigit()):
        raise TermsInvalid(name, text, "a whole number in decimal digits")
    return int(text)


def _decimal(given: Mapping[str, str], name: str) -> Decimal:
    try:
        return Decimal(given[name])
    except InvalidOperation:
        raise TermsInvalid(name, given[name], "a decimal number") from None


def _day(given: Mapping[str, str], name: str) -> date:
    try:
        return date.fromisoformat(given[name])
    except ValueError:
        raise TermsInvalid(name, given[name], "a date as YYYY-MM-DD") from None


def _member(kind: type[_Member], given: Mapping[str, str], name: str) -> _Member:
    try:
        return kind(given[name])
    except ValueError:
        raise TermsInvalid(name, given[name], f"one of {', '.join(kind)}") from None


def _order(given: Mapping[str, str], name: str) -> AllocationOrder:
    try:
        return tuple(Component(part) for part in given[name].split(","))
    except ValueError:
        raise TermsInvalid(name, given[name], f"a list of {', '.join(Component)}") from None
