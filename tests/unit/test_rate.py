"""Rates: found by substitution, checked against pyxirr, and refused when there is none or more than one."""

from datetime import date, timedelta
from decimal import Decimal, localcontext
from fractions import Fraction

import pytest
import pyxirr
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from registry.domain.agreement import RepaymentMethod
from registry.domain.day_count import DayCount
from registry.domain.money import Money
from registry.domain.rate import (
    Flow,
    Period,
    RootStatus,
    annualised,
    dated_rate,
    disclosed_rates,
    effective_annual_rate,
    eu_years,
    internal_rate,
    periodic_rate,
)
from tests.support.agreements import given_terms


@st.composite
def lent_and_repaid(draw: st.DrawFn) -> tuple[int, list[int]]:
    """A principal and up to 60 payments that bring back between half and 19 times of it."""
    principal = draw(st.integers(10_000, 10**8))
    weights = draw(st.lists(st.integers(0, 100), min_size=1, max_size=60).filter(any))
    total = principal * draw(st.integers(6, 190)) // 10
    return principal, [total * weight // sum(weights) for weight in weights]


@settings(max_examples=50)
@given(lent_and_repaid())
def test_a_periodic_rate_equals_the_oracles(loan: tuple[int, list[int]]) -> None:
    principal, payments = loan
    flows = [-principal, *payments]
    expected = pyxirr.irr(flows)
    assume(expected is not None and expected > -0.9)
    found = periodic_rate(flows, places=9)
    assert found.rate is not None
    assert abs(float(found.rate) - expected) < 1e-8 * max(1.0, expected)


@settings(max_examples=50)
@given(lent_and_repaid(), st.lists(st.integers(30, 6000), min_size=60, max_size=60))
def test_a_dated_rate_equals_the_oracles(loan: tuple[int, list[int]], days: list[int]) -> None:
    principal, payments = loan
    start = date(2015, 3, 1)
    paid = [(start + timedelta(days=after), amount) for after, amount in zip(days, payments, strict=False)]
    flows = [(start, -principal), *paid]
    expected = pyxirr.xirr([on for on, _ in flows], [amount for _, amount in flows])
    assume(expected is not None and -0.9 < expected < 1000)
    found = dated_rate(flows, DayCount.ACT_365F, places=9).rate
    assert found is not None
    assert abs(float(found) - expected) < 1e-6 * max(1.0, expected)


@settings(max_examples=50)
@given(lent_and_repaid(), st.integers(2, 10))
def test_the_answer_is_the_nearest_decimal_of_its_places(loan: tuple[int, list[int]], places: int) -> None:
    principal, payments = loan
    rate = periodic_rate([principal, *[-amount for amount in payments]], places).rate
    assume(rate is not None and rate > Decimal("-0.9"))
    assert rate is not None
    assert -rate.as_tuple().exponent == places

    def worth(at: Decimal) -> Decimal:
        with localcontext(prec=60):
            return principal - sum(amount * (1 + at) ** -(k + 1) for k, amount in enumerate(payments))

    half = Decimal(1).scaleb(-places) / 2
    assert worth(rate - half) <= 0 <= worth(rate + half)


@pytest.mark.parametrize(("back", "expected"), [(100_005, "0.0001"), (100_015, "0.0002"), (100_025, "0.0003")])
def test_a_rate_exactly_between_two_decimals_is_rounded_up(back: int, expected: str) -> None:
    assert periodic_rate([-100_000, back], places=4).rate == Decimal(expected)


def test_flows_of_one_sign_have_no_rate() -> None:
    assert periodic_rate([100, 20, 30]).status is RootStatus.NONE
    assert periodic_rate([]).status is RootStatus.NONE
    assert periodic_rate([0, 0]).rate is None


def test_no_rate_is_said_when_the_signs_change_and_nothing_solves_it() -> None:
    found = periodic_rate([1, -2, 2])
    assert (found.status, found.rate) == (RootStatus.NONE, None)


def test_several_rates_are_listed_and_none_is_chosen() -> None:
    # (1.1 − g)(1.2 − g)·1000 as flows: both 10 % and 20 % solve it.
    found = periodic_rate([1000, -2300, 1320], places=6)
    assert found.status is RootStatus.SEVERAL
    assert found.roots == (Decimal("0.100000"), Decimal("0.200000"))
    assert found.rate is None


@pytest.mark.parametrize("rate", ["0.0365", "0.2399", "1.8"])
@pytest.mark.parametrize("method", RepaymentMethod)
def test_without_fees_the_simple_rate_is_the_nominal_one(rate: str, method: RepaymentMethod) -> None:
    terms = given_terms(
        principal=Money(10**9, "CNY"),
        annual_rate=Decimal(rate),
        method=method,
        disbursed_on=date(2024, 1, 15),
        first_due_on=date(2024, 2, 15),
    )
    rates = disclosed_rates(terms)
    assert rates is not None
    if method is RepaymentMethod.BULLET:
        assert rates.compound == Decimal(rate).quantize(Decimal("1e-6"))
    else:
        assert abs(rates.simple - Decimal(rate)) <= Decimal("0.000001")
        assert rates == annualised(rates.monthly) or abs(rates.compound - annualised(rates.monthly).compound) < 2e-6


def test_fees_raise_the_rate_over_the_net_payout() -> None:
    plain = effective_annual_rate(given_terms()).rate
    withheld = effective_annual_rate(given_terms(upfront_fee_minor=200_00)).rate
    monthly = effective_annual_rate(given_terms(instalment_fee_minor=20_00)).rate
    assert plain is not None
    assert withheld is not None
    assert monthly is not None
    assert plain < withheld
    assert plain < monthly


def test_a_loan_without_interest_or_fees_costs_nothing() -> None:
    assert effective_annual_rate(given_terms(annual_rate=Decimal(0))).rate == 0


def test_an_early_first_instalment_raises_the_effective_rate() -> None:
    regular = {"disbursed_on": date(2024, 1, 15), "first_due_on": date(2024, 2, 15)}
    first, second = (
        effective_annual_rate(given_terms(instalment_fee_minor=50_00, **{**regular, "first_due_on": on})).rate
        for on in (date(2024, 2, 15), date(2024, 1, 20))
    )
    assert first is not None
    assert second is not None
    assert first < second


def test_flows_of_one_time_count_together() -> None:
    year = Fraction(1)
    split = [Flow(Fraction(0), Decimal(100)), Flow(year, Decimal(-60)), Flow(year, Decimal(-50))]
    assert internal_rate(split).rate == Decimal("0.100000")


@settings(max_examples=50)
@given(st.dates(date(2000, 1, 1), date(2050, 1, 1)), st.integers(0, 4000))
def test_an_eu_interval_grows_with_the_payment_date(start: date, days: int) -> None:
    one, two = (eu_years(start, start + timedelta(days=n), Period.MONTH) for n in (days, days + 31))
    assert 0 <= one < two
    assert abs(float(one) - days / 365.25) < 0.02
