"""Loan products: versioned offers with bounds, from which the terms of an agreement are made.

A published version never changes; a new offer is a new version. The shipped ones are TOML files in `catalogue`.
"""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum
from functools import cache
from importlib.resources import files
from typing import Any, ClassVar, Self

from registry.domain.agreement import AgreementTerms, RepaymentMethod, plain
from registry.domain.allocation import DEFAULT_ORDER, AllocationOrder, Component
from registry.domain.calendar import add_months
from registry.domain.day_count import DayCount
from registry.domain.errors import NotFound, RuleRefused
from registry.domain.money import Money
from registry.domain.rounding import Rounding, divide


class ProductCategory(StrEnum):
    """What a product is for."""

    CONSUMER = "CONSUMER"
    BUSINESS = "BUSINESS"
    MORTGAGE = "MORTGAGE"
    CAR = "CAR"
    GREEN = "GREEN"
    SCENARIO_INSTALMENT = "SCENARIO_INSTALMENT"
    SUPPLY_CHAIN = "SUPPLY_CHAIN"


@dataclass(eq=False)
class ProductUnknown(NotFound):
    """No product of that code and version is shipped."""

    product: str
    code: ClassVar[str] = "PRODUCT_UNKNOWN"

    def __str__(self) -> str:
        return f"Product {self.product} is not in the catalogue."


@dataclass(eq=False)
class AmountOutOfRange(RuleRefused):
    """The amount is outside what the product lends."""

    product: str
    given: Money
    low: Money
    high: Money
    code: ClassVar[str] = "AMOUNT_OUT_OF_RANGE"

    def __str__(self) -> str:
        return f"{self.product} lends {self.low} to {self.high}; {self.given} is outside."


@dataclass(eq=False)
class CurrencyNotOffered(RuleRefused):
    """The product does not lend in the currency."""

    product: str
    given: str
    offered: tuple[str, ...]
    code: ClassVar[str] = "CURRENCY_NOT_OFFERED"

    def __str__(self) -> str:
        return f"{self.product} lends in {', '.join(self.offered)}, not in {self.given}."


@dataclass(eq=False)
class TermOutOfRange(RuleRefused):
    """The term is shorter or longer than the product's, in months."""

    product: str
    given: int
    low: int
    high: int
    code: ClassVar[str] = "TERM_OUT_OF_RANGE"

    def __str__(self) -> str:
        return f"{self.product} runs {self.low} to {self.high} months; {self.given} is outside."


@dataclass(eq=False)
class RateOutOfRange(RuleRefused):
    """The nominal annual rate is below or above the product's, as fractions."""

    product: str
    given: Decimal
    low: Decimal
    high: Decimal
    code: ClassVar[str] = "RATE_OUT_OF_RANGE"

    def __str__(self) -> str:
        return f"{self.product} costs {plain(self.low)} to {plain(self.high)} a year; {plain(self.given)} is outside."


@dataclass(eq=False)
class MethodNotOffered(RuleRefused):
    """The product does not offer this repayment method or day count."""

    product: str
    given: str
    offered: tuple[str, ...]
    code: ClassVar[str] = "METHOD_NOT_OFFERED"

    def __str__(self) -> str:
        return f"{self.product} offers {', '.join(self.offered)}, not {self.given}."


@dataclass(frozen=True, slots=True)
class LateRule:
    """What being late costs: `uplift` of the contract rate on overdue principal, and a fixed fee per late instalment.

    Nothing is charged in the first `grace_days`. Contract interest runs on regardless; the uplift comes on top
    (PBOC Yinfa 2003 No. 251: contract rate plus 30 to 50 per cent).
    """

    uplift: Decimal = Decimal(0)
    fixed_minor: int = 0
    grace_days: int = 0

    def penalty_minor(self, terms: AgreementTerms, overdue_principal_minor: int, days_past_due: int) -> int:
        """The penalty for so many days on an overdue principal, rounded once; 0 inside the grace days."""
        if days_past_due <= self.grace_days:
            return 0
        numerator, denominator = terms.interest_ratio()
        share, whole = self.uplift.as_integer_ratio()
        top = overdue_principal_minor * days_past_due * numerator * share
        return divide(top, denominator * whole, terms.rounding)


@dataclass(frozen=True, slots=True)
class Product:
    """One version of a product. Rates and fee rates are fractions of one; amounts are bounds by currency.

    The first of `methods` and of `day_counts` is the default. `upfront_fee_rate` of the principal is kept back from the
    payout; `instalment_fee_rate` of the principal falls due with each instalment. `rate_cap_rule` names the compliance
    rule that limits its all-in cost.
    """

    code: str
    version: int
    category: ProductCategory
    names: Mapping[str, str]
    amounts: tuple[tuple[Money, Money], ...]
    term_months_min: int
    term_months_max: int
    annual_rate_min: Decimal
    annual_rate_max: Decimal
    methods: tuple[RepaymentMethod, ...]
    day_counts: tuple[DayCount, ...]
    rounding: Rounding
    purposes: tuple[str, ...]
    rate_cap_rule: str
    offered_from: date
    allocation_order: AllocationOrder = DEFAULT_ORDER
    upfront_fee_rate: Decimal = Decimal(0)
    instalment_fee_rate: Decimal = Decimal(0)
    late: LateRule = LateRule()
    secured: bool = False

    @property
    def id(self) -> str:
        return f"{self.code}@{self.version}"

    @property
    def currencies(self) -> tuple[str, ...]:
        return tuple(low.currency for low, _ in self.amounts)

    def name(self, locale: str = "en") -> str:
        """The name in a language, English if there is none."""
        return self.names.get(locale.split("-", maxsplit=1)[0].lower(), self.names["en"])

    def amount_bounds(self, currency: str) -> tuple[Money, Money]:
        """The least and the most lent in a currency."""
        for low, high in self.amounts:
            if low.currency == currency:
                return low, high
        raise CurrencyNotOffered(self.id, currency, self.currencies)

    def terms_for(
        self,
        amount: Money,
        term_months: int,
        annual_rate: Decimal,
        start: date,
        *,
        method: RepaymentMethod | None = None,
        day_count: DayCount | None = None,
        first_due_on: date | None = None,
    ) -> AgreementTerms:
        """The terms of a loan of this product paid out on `start`, or the bound it breaks."""
        low, high = self.amount_bounds(amount.currency)
        if not low <= amount <= high:
            raise AmountOutOfRange(self.id, amount, low, high)
        if not self.term_months_min <= term_months <= self.term_months_max:
            raise TermOutOfRange(self.id, term_months, self.term_months_min, self.term_months_max)
        if not self.annual_rate_min <= annual_rate <= self.annual_rate_max:
            raise RateOutOfRange(self.id, annual_rate, self.annual_rate_min, self.annual_rate_max)
        method = method or self.methods[0]
        day_count = day_count or self.day_counts[0]
        if method not in self.methods:
            raise MethodNotOffered(self.id, method.value, tuple(self.methods))
        if day_count not in self.day_counts:
            raise MethodNotOffered(self.id, day_count.value, tuple(self.day_counts))
        return AgreementTerms(
            principal=amount,
            annual_rate=annual_rate,
            term_months=term_months,
            method=method,
            day_count=day_count,
            rounding=self.rounding,
            disbursed_on=start,
            first_due_on=first_due_on or add_months(start, 1),
            upfront_fee_minor=self._share(self.upfront_fee_rate, amount),
            instalment_fee_minor=self._share(self.instalment_fee_rate, amount),
            allocation_order=self.allocation_order,
        )

    def _share(self, rate: Decimal, amount: Money) -> int:
        share, whole = rate.as_integer_ratio()
        return divide(amount.minor * share, whole, self.rounding)

    def to_dict(self) -> dict[str, Any]:
        """The version as canonical-JSON-safe values, in the shape of a catalogue file: rates and amounts as strings."""
        return {
            "code": self.code,
            "version": self.version,
            "category": self.category.value,
            "names": dict(self.names),
            "amounts": [
                {"currency": low.currency, "min_minor": str(low.minor), "max_minor": str(high.minor)}
                for low, high in self.amounts
            ],
            "term_months": {"min": self.term_months_min, "max": self.term_months_max},
            "annual_rate": {"min": plain(self.annual_rate_min), "max": plain(self.annual_rate_max)},
            "methods": [method.value for method in self.methods],
            "day_counts": [day_count.value for day_count in self.day_counts],
            "rounding": self.rounding.value,
            "allocation_order": [component.value for component in self.allocation_order],
            "fees": {"upfront_rate": plain(self.upfront_fee_rate), "instalment_rate": plain(self.instalment_fee_rate)},
            "late": {
                "uplift": plain(self.late.uplift),
                "fixed_minor": str(self.late.fixed_minor),
                "grace_days": self.late.grace_days,
            },
            "purposes": list(self.purposes),
            "rate_cap_rule": self.rate_cap_rule,
            "secured": self.secured,
            "offered_from": self.offered_from.isoformat(),
        }

    @classmethod
    def from_dict(cls, given: Mapping[str, Any]) -> Self:
        """The inverse of `to_dict`."""
        fees, late = given["fees"], given["late"]
        return cls(
            code=given["code"],
            version=int(given["version"]),
            category=ProductCategory(given["category"]),
            names=dict(given["names"]),
            amounts=tuple(
                (Money(int(row["min_minor"]), row["currency"]), Money(int(row["max_minor"]), row["currency"]))
                for row in given["amounts"]
            ),
            term_months_min=given["term_months"]["min"],
            term_months_max=given["term_months"]["max"],
            annual_rate_min=Decimal(given["annual_rate"]["min"]),
            annual_rate_max=Decimal(given["annual_rate"]["max"]),
            methods=tuple(map(RepaymentMethod, given["methods"])),
            day_counts=tuple(map(DayCount, given["day_counts"])),
            rounding=Rounding(given["rounding"]),
            allocation_order=tuple(map(Component, given["allocation_order"])),
            upfront_fee_rate=Decimal(fees["upfront_rate"]),
            instalment_fee_rate=Decimal(fees["instalment_rate"]),
            late=LateRule(Decimal(late["uplift"]), int(late["fixed_minor"]), late["grace_days"]),
            purposes=tuple(given["purposes"]),
            rate_cap_rule=given["rate_cap_rule"],
            secured=given["secured"],
            offered_from=date.fromisoformat(given["offered_from"]),
        )


@cache
def shipped_products() -> tuple[Product, ...]:
    """Every version in the catalogue, by code and version."""
    folder = files("registry.domain.catalogue").joinpath("products")
    read = [
        Product.from_dict(tomllib.loads(file.read_text(encoding="utf-8")))
        for file in folder.iterdir()
        if file.name.endswith(".toml")
    ]
    return tuple(sorted(read, key=lambda product: (product.code, product.version)))


def shipped_product(code: str, version: int | None = None) -> Product:
    """One product of the catalogue; its newest version unless one is named."""
    found = [product for product in shipped_products() if product.code == code and version in {None, product.version}]
    if not found:
        raise ProductUnknown(code if version is None else f"{code}@{version}")
    return found[-1]
