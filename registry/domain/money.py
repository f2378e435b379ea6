"""Money as integer minor units of a known currency; nothing here is ever a binary float."""

from dataclasses import dataclass
from decimal import Decimal
from typing import ClassVar, Self

from registry.domain.errors import InvalidInput

# ISO 4217 exponents: how many decimal places the minor unit stands behind. An unknown currency is an error, not 2.
MINOR_DIGITS: dict[str, int] = {
    "AUD": 2, "BHD": 3, "CAD": 2, "CHF": 2, "CLF": 4, "CNY": 2, "CZK": 2, "DKK": 2, "EUR": 2, "GBP": 2,
    "HKD": 2, "IDR": 2, "INR": 2, "JPY": 0, "KRW": 0, "KWD": 3, "MOP": 2, "MYR": 2, "NOK": 2, "NZD": 2,
    "OMR": 3, "PHP": 2, "PLN": 2, "SEK": 2, "SGD": 2, "THB": 2, "TWD": 2, "USD": 2, "UYW": 4, "VND": 0,
}  # fmt: skip

MINOR_MAX = 2**63 - 1


@dataclass(eq=False)
class CurrencyUnknown(InvalidInput):
    """The currency code is not one the registry knows the minor unit of."""

    currency: str
    code: ClassVar[str] = "CURRENCY_UNKNOWN"

    def __str__(self) -> str:
        return f"Currency {self.currency!r} is not known; use an ISO 4217 code such as CNY, USD or EUR."


@dataclass(eq=False)
class CurrencyMismatch(InvalidInput):
    """Two amounts of different currencies were combined."""

    left: str
    right: str
    code: ClassVar[str] = "CURRENCY_MISMATCH"

    def __str__(self) -> str:
        return f"An amount in {self.right} was given where {self.left} is needed; give it in {self.left}."


@dataclass(eq=False)
class AmountInvalid(InvalidInput):
    """An amount is negative, zero, too fine or too large where that is not allowed."""

    given: str
    rule: str
    code: ClassVar[str] = "AMOUNT_INVALID"

    def __str__(self) -> str:
        return f"Amount {self.given} is not allowed: {self.rule}."


@dataclass(frozen=True, slots=True, order=False)
class Money:
    """An amount in minor units (cents, fen) of `currency`; signed, so that differences can be expressed."""

    minor: int
    currency: str

    def __post_init__(self) -> None:
        if self.currency not in MINOR_DIGITS:
            raise CurrencyUnknown(self.currency)
        if not -MINOR_MAX <= self.minor <= MINOR_MAX:
            raise AmountInvalid(str(self.minor), "it must fit 63 bits of minor units")

    @classmethod
    def zero(cls, currency: str) -> Self:
        return cls(0, currency)

    @classmethod
    def of(cls, major: Decimal | str, currency: str) -> Self:
        """An amount written in major units, exact: `Money.of("12.34", "USD")`; finer than the unit is refused."""
        if currency not in MINOR_DIGITS:
            raise CurrencyUnknown(currency)
        scaled = Decimal(major).scaleb(MINOR_DIGITS[currency])
        if scaled != scaled.to_integral_value():
            raise AmountInvalid(str(major), f"{currency} has {MINOR_DIGITS[currency]} decimal places")
        return cls(int(scaled), currency)

    @property
    def major(self) -> Decimal:
        """The amount in major units, exact."""
        return Decimal(self.minor).scaleb(-MINOR_DIGITS[self.currency])

    def __add__(self, other: "Money") -> "Money":
        self._same(other)
        return Money(self.minor + other.minor, self.currency)

    def __sub__(self, other: "Money") -> "Money":
        self._same(other)
        return Money(self.minor - other.minor, self.currency)

    def __le__(self, other: "Money") -> bool:
        self._same(other)
        return self.minor <= other.minor

    def __lt__(self, other: "Money") -> bool:
        self._same(other)
        return self.minor < other.minor

    def __str__(self) -> str:
        return f"{self.major} {self.currency}"

    def _same(self, other: "Money") -> None:
        if self.currency != other.currency:
            raise CurrencyMismatch(self.currency, other.currency)
