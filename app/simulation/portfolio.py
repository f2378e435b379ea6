"""Drawing a whole portfolio: products, applicants, terms, and the lives of the loans, one after the other."""

import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from app.simulation.behaviour import Life
from app.simulation.people import draw_company, draw_person
from registry.domain.agreement import AgreementTerms, RepaymentMethod
from registry.domain.commitments import FieldValue
from registry.domain.money import Money
from registry.domain.parties import Identity
from registry.domain.product import Product, ProductCategory, shipped_product
from registry.domain.schedule import build_schedule
from registry.services.book_histories import LoanHistory
from registry.services.pledge_asset import Asset
from scoring.features import Raw
from scoring.simulated import default_probability, simulate_applicant

# Weights of the products in the simulated market, and the category of `scoring.simulated` their applicants come from.
MARKET: Mapping[str, tuple[int, str]] = {
    "consumer-cny": (38, "personal"),
    "car-cny": (18, "auto"),
    "scenario-cny": (16, "personal"),
    "business-cny": (12, "small_business"),
    "mortgage-cny": (8, "mortgage"),
    "supply-chain-cny": (5, "small_business"),
    "green-cny": (3, "small_business"),
}
ORGANISATIONS = frozenset({ProductCategory.BUSINESS, ProductCategory.SUPPLY_CHAIN, ProductCategory.GREEN})
CONSENTS = {"CREDIT_QUERY": "2026-1", "CREDIT_REPORTING": "2026-1", "REGISTRY_SHARING": "2026-1"}
OLDEST_DAYS, YOUNGEST_DAYS = 1_090, 35
RETURNING_SHARE = 0.06
MONTHS_PER_YEAR = 12
RISK_MAX, BURDEN_MAX = 0.15, Decimal("0.48")


@dataclass(frozen=True, slots=True)
class Drawn:
    """One simulated loan, and which of the portfolio's lenders (from 0) makes it."""

    lender: int
    history: LoanHistory


def draw_portfolio(count: int, seed: int, lenders: int, as_of: date) -> Iterator[Drawn]:
    """`count` loans of `lenders` lenders with what happened to them up to `as_of`; equal seeds draw equal portfolios.

    Six borrowers in a hundred have borrowed before, often from another lender: exposure over all lenders shows it.
    """
    rng = random.Random(seed)  # noqa: S311 - a simulation must be repeatable
    known: list[Identity] = []
    for number in range(1, count + 1):
        (code,) = rng.choices(list(MARKET), [weight for weight, _ in MARKET.values()])
        product = shipped_product(code)
        disbursed_on = as_of - timedelta(days=rng.randint(YOUNGEST_DAYS, OLDEST_DAYS))
        history = _history(rng, product, known, disbursed_on, as_of, f"SIM-{seed}-{number:06d}")
        yield Drawn(rng.randrange(lenders), history)


def _identity(rng: random.Random, product: Product, known: list[Identity], terms: AgreementTerms) -> Identity:
    kind = "ORGANISATION" if product.category in ORGANISATIONS else "PERSON"
    again = [identity for identity in known[-200:] if identity.kind == kind]
    if again and rng.random() < RETURNING_SHARE:
        return rng.choice(again)
    identity = draw_company(rng) if kind == "ORGANISATION" else draw_person(rng, terms.disbursed_on, terms.matures_on)
    known.append(identity)
    return identity


def _history(
    rng: random.Random, product: Product, known: list[Identity], disbursed_on: date, as_of: date, reference: str
) -> LoanHistory:
    wanted = _applicant(rng, product, disbursed_on)
    story = Life(rng, product, wanted.terms, wanted.default_probability, as_of).run()
    return LoanHistory(
        external_reference=reference,
        identity=_identity(rng, product, known, wanted.terms),
        product_id=product.id,
        terms=wanted.terms,
        purpose=rng.choice(product.purposes),
        inputs=_inputs(wanted.raw),
        events=story,
        agreed_on=disbursed_on,
        consents=CONSENTS,
        asset=_asset(rng, product),
    )


@dataclass(frozen=True, slots=True)
class _Applicant:
    """Somebody the lender lends to, and the terms."""

    raw: Mapping[str, Raw]
    terms: AgreementTerms
    default_probability: float


def _applicant(rng: random.Random, product: Product, disbursed_on: date) -> _Applicant:
    """Draw until the lender would lend: the risk is below its cut-off, and the instalment fits beside other debts.

    An amount too high for the income is lowered first, down to the least the product lends.
    """
    low, high = product.amount_bounds("CNY")
    method = rng.choice(product.methods[:2])
    while True:
        raw = simulate_applicant(rng, MARKET[product.code][1])
        term = min(max(int(str(raw["term_months"])), product.term_months_min), product.term_months_max)
        amount = min(max(Money.of(Decimal(str(raw["amount"])), "CNY"), low, key=_minor), high, key=_minor)
        while amount >= low:
            drawn = dict(raw, amount=amount.major, term_months=term)
            probability = default_probability(drawn)
            terms = product.terms_for(amount, term, _rate(product, probability), disbursed_on, method=method)
            if probability < RISK_MAX and _burden(drawn, terms) <= BURDEN_MAX:
                return _Applicant(drawn, terms, probability)
            amount = Money(amount.minor * 4 // 5 // 10_000 * 10_000, "CNY")


def _burden(raw: Mapping[str, Raw], terms: AgreementTerms) -> Decimal:
    """Debt service after the loan as a share of monthly income; a single payment at the end is no burden."""
    if terms.method in {RepaymentMethod.BULLET, RepaymentMethod.INTEREST_ONLY}:
        return Decimal(str(raw["debt_to_income"]))
    rows = build_schedule(terms)
    instalment = max(row.principal_minor + row.interest_minor + row.fees_minor for row in rows)
    monthly_income = Decimal(str(raw["annual_income"])) * 100 / MONTHS_PER_YEAR
    return Decimal(str(raw["debt_to_income"])) + instalment / monthly_income


def _rate(product: Product, probability: float) -> Decimal:
    """A base of 4 % plus a third of the probability of default, within the product's bounds; to a basis point."""
    asked = Decimal(str(round(0.04 + probability / 3, 4)))
    return min(max(asked, product.annual_rate_min), product.annual_rate_max)


def _inputs(raw: Mapping[str, Raw]) -> dict[str, FieldValue]:
    given = {name: value for name, value in raw.items() if name not in _OF_APPLICATION}
    inputs: dict[str, FieldValue] = {
        name: value if isinstance(value, int) or value is None else str(value) for name, value in given.items()
    }
    inputs["income_verified"] = "yes"
    return inputs


# What the application itself says and the underwriting takes from there.
_OF_APPLICATION = frozenset({"amount", "term_months", "purpose", "product_category"})


def _asset(rng: random.Random, product: Product) -> Asset | None:
    if product.category is ProductCategory.CAR:
        return Asset("VEHICLE", "L" + "".join(rng.choices("0123456789ABCDEFGHJKLMNPRSTUVWXYZ", k=16)))
    if product.category is ProductCategory.MORTGAGE:
        return Asset("PROPERTY", f"TITLE-{rng.randrange(10**10):010d}")
    if product.category is ProductCategory.SUPPLY_CHAIN:
        return Asset("INVOICE", f"{rng.randrange(10**20):020d}")
    return None


def _minor(money: Money) -> int:
    return money.minor
