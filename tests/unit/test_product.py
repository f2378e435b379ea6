"""Products: what their bounds refuse, and that every shipped version makes loans."""

import json
from datetime import date
from decimal import Decimal

import pytest
import rfc8785

from registry.domain.agreement import RepaymentMethod
from registry.domain.day_count import DayCount
from registry.domain.ledger import LoanLedger
from registry.domain.money import Money
from registry.domain.product import (
    AmountOutOfRange,
    CurrencyNotOffered,
    LateRule,
    MethodNotOffered,
    Product,
    ProductCategory,
    ProductUnknown,
    RateOutOfRange,
    TermOutOfRange,
    shipped_product,
    shipped_products,
)
from registry.domain.rate import disclosed_rates
from tests.support.agreements import given_terms

START = date(2026, 1, 31)
USD = shipped_product("consumer-usd")
AMOUNT = Money(10_000_00, "USD")
RATE = Decimal("0.1375")


def test_every_category_is_on_offer() -> None:
    assert {product.category for product in shipped_products()} == set(ProductCategory)
    assert len({product.id for product in shipped_products()}) == len(shipped_products())


@pytest.mark.parametrize("product", shipped_products(), ids=lambda product: product.id)
def test_a_shipped_product_lends_at_its_bounds_and_is_named_in_both_languages(product: Product) -> None:
    for currency in product.currencies:
        low, high = product.amount_bounds(currency)
        for amount, months, rate in (
            (low, product.term_months_min, product.annual_rate_min),
            (high, product.term_months_max, product.annual_rate_max),
        ):
            for method in product.methods:
                terms = product.terms_for(amount, months, rate, START, method=method)
                assert (terms.method, terms.day_count) == (method, product.day_counts[0])
                assert LoanLedger(terms).schedule[-1].due_on == terms.matures_on
                assert disclosed_rates(terms) is not None
    assert product.name("zh") != product.name("en")
    assert product.name("zh-CN") == product.name("zh")
    assert product.name("fr") == product.name()


@pytest.mark.parametrize("product", shipped_products(), ids=lambda product: product.id)
def test_a_version_comes_back_equal_from_its_text(product: Product) -> None:
    assert Product.from_dict(json.loads(rfc8785.dumps(product.to_dict()))) == product


def test_an_amount_outside_the_bounds_is_refused() -> None:
    for minor in (500_00 - 1, 40_000_00 + 1):
        with pytest.raises(AmountOutOfRange) as refusal:
            USD.terms_for(Money(minor, "USD"), 36, RATE, START)
        assert (refusal.value.low, refusal.value.high) == (Money(500_00, "USD"), Money(40_000_00, "USD"))
    with pytest.raises(CurrencyNotOffered, match="USD"):
        USD.terms_for(Money(10_000_00, "CNY"), 36, RATE, START)


@pytest.mark.parametrize("months", [35, 61])
def test_a_term_outside_the_bounds_is_refused(months: int) -> None:
    with pytest.raises(TermOutOfRange, match="36 to 60"):
        USD.terms_for(AMOUNT, months, RATE, START)


@pytest.mark.parametrize("rate", ["0.0499", "0.3101"])
def test_a_rate_outside_the_bounds_is_refused(rate: str) -> None:
    with pytest.raises(RateOutOfRange, match=rate):
        USD.terms_for(AMOUNT, 36, Decimal(rate), START)


def test_a_method_or_day_count_that_is_not_offered_is_refused() -> None:
    with pytest.raises(MethodNotOffered, match="EQUAL_INSTALMENT"):
        USD.terms_for(AMOUNT, 36, RATE, START, method=RepaymentMethod.BULLET)
    with pytest.raises(MethodNotOffered, match="THIRTY_360"):
        USD.terms_for(AMOUNT, 36, RATE, START, day_count=DayCount.ACT_360)


def test_the_first_instalment_is_due_a_month_after_the_payout_unless_said_otherwise() -> None:
    assert USD.terms_for(AMOUNT, 36, RATE, START).first_due_on == date(2026, 2, 28)
    later = date(2026, 3, 15)
    assert USD.terms_for(AMOUNT, 36, RATE, START, first_due_on=later).first_due_on == later


def test_fees_are_shares_of_the_amount() -> None:
    chain = shipped_product("supply-chain-cny").terms_for(Money(1_000_000_00, "CNY"), 3, Decimal("0.05"), START)
    assert chain.net_disbursement == Money(998_000_00, "CNY")
    plan = shipped_product("scenario-cny").terms_for(Money(3_000_00, "CNY"), 6, Decimal(0), START)
    assert {row.fees_minor for row in LoanLedger(plan).schedule} == {13_50}


def test_a_known_instalment_of_the_dollar_product() -> None:
    # A loan of USD 10,000 at 13.75 % over 36 months: the annuity formula gives 340.56 a month.
    assert LoanLedger(USD.terms_for(AMOUNT, 36, RATE, START)).schedule[0].total_minor == 340_56


def test_an_unknown_product_is_named() -> None:
    with pytest.raises(ProductUnknown, match="gold"):
        shipped_product("gold")
    with pytest.raises(ProductUnknown, match="consumer-usd@9"):
        shipped_product("consumer-usd", 9)
    assert shipped_product("consumer-usd", 1) == USD


def test_a_penalty_is_the_uplift_on_overdue_principal_after_the_grace_days() -> None:
    rule = LateRule(uplift=Decimal("0.5"), grace_days=3)
    terms = given_terms(annual_rate=Decimal("0.12"), day_count=DayCount.ACT_360)
    assert rule.penalty_minor(terms, 6_000_00, 3) == 0
    assert rule.penalty_minor(terms, 6_000_00, 30) == 6_000_00 * 30 * 6 // 36_000
