"""Schedules: conservation, level instalments, and a decimal oracle that shares no code with the product."""

from datetime import date, timedelta
from decimal import ROUND_HALF_EVEN, ROUND_HALF_UP, Decimal, localcontext

import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from registry.domain.agreement import AgreementTerms, RepaymentMethod
from registry.domain.day_count import DayCount
from registry.domain.money import Money
from registry.domain.rounding import Rounding, divide
from registry.domain.schedule import build_schedule
from tests.support.agreements import any_terms, given_terms

MODES = {Rounding.HALF_EVEN: ROUND_HALF_EVEN, Rounding.HALF_UP: ROUND_HALF_UP}


def _rounded(value: Decimal, rounding: Rounding) -> int:
    return int(value.quantize(Decimal(1), rounding=MODES[rounding]))


@settings(max_examples=50)
@given(st.integers(0, 10**20), st.integers(1, 10**6), st.sampled_from(Rounding))
def test_division_rounds_as_decimals_do(numerator: int, denominator: int, rounding: Rounding) -> None:
    with localcontext(prec=60):
        assume(denominator & (denominator - 1) == 0 or (numerator * 2) % denominator)
        assert divide(numerator, denominator, rounding) == _rounded(Decimal(numerator) / denominator, rounding)


@settings(max_examples=50)
@given(any_terms())
def test_principal_parts_add_up_and_no_part_is_negative(terms: AgreementTerms) -> None:
    rows = build_schedule(terms)
    assert sum(row.principal_minor for row in rows) == terms.principal.minor
    assert all(min(row.principal_minor, row.interest_minor, row.fees_minor) >= 0 for row in rows)
    left = terms.principal.minor
    for row in rows:
        left -= row.principal_minor
        assert row.outstanding_after_minor == left
    assert left == 0
    assert rows[-1].due_on == terms.matures_on
    assert len(rows) == (1 if terms.method is RepaymentMethod.BULLET else terms.term_months)


@example(26_355_90, Decimal("0.02"), 83, Rounding.HALF_EVEN)  # an interest of exactly 37.945
@settings(max_examples=50)
@given(
    st.integers(1_000_00, 10**10),
    st.decimals("0.001", "0.5", places=4),
    st.integers(1, 120),
    st.sampled_from(Rounding),
)
def test_equal_instalments_follow_the_annuity_formula(
    minor: int, rate: Decimal, months: int, rounding: Rounding
) -> None:
    terms = given_terms(
        principal=Money(minor, "CNY"),
        annual_rate=rate,
        term_months=months,
        rounding=rounding,
        first_due_on=date(2024, 2, 29),
    )
    rows = build_schedule(terms)
    with localcontext(prec=60):
        i = rate / 12
        level = _rounded(minor * i / (1 - (1 + i) ** -months), rounding)
        balance = minor
        for row in rows[:-1]:
            interest = _rounded(balance * rate / 12, rounding)
            assert (row.interest_minor, row.total_minor) == (interest, level)
            balance -= level - interest
        assert rows[-1].principal_minor == balance


@settings(max_examples=50)
@given(st.integers(1_000_00, 10**10), st.decimals(0, "0.4", places=4), st.integers(2, 60), st.integers(1, 80))
def test_with_actual_days_and_an_odd_start_the_last_instalment_differs_by_rounding_only(
    minor: int, rate: Decimal, months: int, head: int
) -> None:
    start = date(2023, 5, 17)
    terms = given_terms(
        principal=Money(minor, "CNY"),
        annual_rate=rate,
        term_months=months,
        day_count=DayCount.ACT_360,
        disbursed_on=start,
        first_due_on=start + timedelta(days=head),
    )
    rows = build_schedule(terms)
    assume(all(row.principal_minor > 0 for row in rows))
    assert len({row.total_minor for row in rows[:-1]}) == 1
    assert abs(rows[-1].total_minor - rows[0].total_minor) <= 2 * months * (1 + rate / 12) ** months


def test_actual_days_are_counted_from_the_due_date_before() -> None:
    terms = given_terms(day_count=DayCount.ACT_365F, method=RepaymentMethod.INTEREST_ONLY, term_months=3)
    days = [29, 29, 31]  # 31 Jan to 29 Feb, to 29 Mar, to 29 Apr 2024
    expected = [_rounded(Decimal(10_000_00) * Decimal("0.1375") * n / 365, Rounding.HALF_UP) for n in days]
    assert [row.interest_minor for row in build_schedule(terms)] == expected


def test_equal_principal_pays_equal_parts_and_the_rest_last() -> None:
    rows = build_schedule(given_terms(method=RepaymentMethod.EQUAL_PRINCIPAL, term_months=7))
    assert [row.principal_minor for row in rows] == [1_428_57] * 6 + [1_428_58]
    assert [row.interest_minor for row in rows] == sorted((row.interest_minor for row in rows), reverse=True)


def test_equal_parts_of_a_tiny_principal_end_when_it_is_paid() -> None:
    tiny = {"principal": Money(7, "CNY"), "instalment_fee_minor": 2}
    rows = build_schedule(given_terms(**tiny, method=RepaymentMethod.EQUAL_PRINCIPAL, term_months=12))
    assert [(row.principal_minor, row.fees_minor) for row in rows] == [(1, 2)] * 7 + [(0, 0)] * 5


def test_interest_only_pays_the_principal_last() -> None:
    rows = build_schedule(given_terms(method=RepaymentMethod.INTEREST_ONLY))
    assert [row.principal_minor for row in rows] == [0] * 11 + [10_000_00]
    assert {row.interest_minor for row in rows} == {114_58}


def test_a_bullet_loan_is_one_payment_of_both_at_maturity() -> None:
    terms = given_terms(method=RepaymentMethod.BULLET)
    (row,) = build_schedule(terms)
    assert (row.due_on, row.principal_minor) == (terms.matures_on, 10_000_00)
    # 31 Jan 2024 to 29 Jan 2025 is not a whole number of months: 359 days of 30/360.
    assert row.interest_minor == _rounded(Decimal(10_000_00) * Decimal("0.1375") * 359 / 360, Rounding.HALF_UP)


@pytest.mark.parametrize("method", RepaymentMethod)
def test_without_interest_the_borrower_pays_the_principal_and_the_fees(method: RepaymentMethod) -> None:
    rows = build_schedule(given_terms(annual_rate=Decimal(0), method=method, instalment_fee_minor=5_00))
    assert sum(row.total_minor for row in rows) == 10_000_00 + 5_00 * len(rows)


def test_a_schedule_is_reproducible() -> None:
    assert build_schedule(given_terms()) == build_schedule(AgreementTerms.from_dict(given_terms().to_dict()))
