"""Agreements to test with: any allowed terms, and one plain agreement to vary."""

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from hypothesis import strategies as st

from registry.domain.agreement import AgreementTerms, RepaymentMethod
from registry.domain.allocation import Component
from registry.domain.day_count import DayCount
from registry.domain.money import Money
from registry.domain.rounding import Rounding

ORDERS = st.permutations(list(Component)).map(tuple)
RATES = st.decimals(0, 10, places=6)


@st.composite
def any_terms(draw: st.DrawFn) -> AgreementTerms:
    start = draw(st.dates(date(2000, 1, 1), date(2050, 1, 1)))
    principal = draw(st.integers(1, 500) | st.integers(1, 10**13))
    return AgreementTerms(
        principal=Money(principal, draw(st.sampled_from(["CNY", "USD", "EUR", "JPY"]))),
        annual_rate=draw(RATES),
        term_months=draw(st.integers(1, 600)),
        method=draw(st.sampled_from(RepaymentMethod)),
        day_count=draw(st.sampled_from(DayCount)),
        rounding=draw(st.sampled_from(Rounding)),
        disbursed_on=start,
        first_due_on=start + timedelta(days=draw(st.integers(1, 90))),
        upfront_fee_minor=draw(st.integers(0, principal - 1)),
        instalment_fee_minor=draw(st.integers(0, 10_000)),
        allocation_order=draw(ORDERS),
    )


def given_terms(**other: Any) -> AgreementTerms:
    fields: dict[str, Any] = {
        "principal": Money(10_000_00, "CNY"),
        "annual_rate": Decimal("0.1375"),
        "term_months": 12,
        "method": RepaymentMethod.EQUAL_INSTALMENT,
        "day_count": DayCount.THIRTY_360,
        "rounding": Rounding.HALF_UP,
        "disbursed_on": date(2024, 1, 31),
        "first_due_on": date(2024, 2, 29),
    }
    return AgreementTerms(**{**fields, **other})
