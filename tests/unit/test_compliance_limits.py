"""The checks of price and capacity: rate caps, what was paid out, affordability, exposure, indebtedness, speed."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from compliance.check import CheckResult
from compliance.subject import Instalment, LenderType, PartyKind
from registry.domain.money import Money
from tests.unit.test_compliance_checks import TODAY, cny, outcome


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"effective_annual_rate": Decimal("0.24")}, CheckResult.PASS),
        ({"effective_annual_rate": Decimal("0.2401")}, CheckResult.FAIL),
        ({"overdue_annual_rate": Decimal("0.25")}, CheckResult.FAIL),
        ({"lender_type": LenderType.MICROLOAN, "effective_annual_rate": Decimal("0.30")}, CheckResult.REFER),
        ({"lender_type": LenderType.PRIVATE, "effective_annual_rate": Decimal("0.12")}, CheckResult.PASS),
        ({"lender_type": LenderType.PRIVATE, "effective_annual_rate": Decimal("0.1201")}, CheckResult.FAIL),
        ({"amount": Money.of("1000", "USD")}, CheckResult.NOT_APPLICABLE),
        ({"amount": Money.of("1000", "JPY")}, CheckResult.REFER),
        ({"channel": None}, CheckResult.REFER),
    ],
)
def test_the_rate_cap_follows_lender_channel_currency_and_the_all_in_rate(
    changes: dict[str, Any], expected: CheckResult
) -> None:
    assert outcome("rate_cap", **changes)[0] is expected


def test_the_all_in_cap_binds_from_its_first_day_only() -> None:
    above = {"effective_annual_rate": Decimal("0.25")}

    assert outcome("rate_cap", date(2025, 9, 30), **above)[0] is CheckResult.REFER
    assert outcome("rate_cap", date(2025, 10, 1), **above)[0] is CheckResult.FAIL


@settings(deadline=None)
@given(rate=st.decimals(Decimal("0.01"), Decimal("0.23"), places=4), months=st.integers(3, 36))
def test_an_effective_rate_that_the_cash_flows_contradict_is_referred(rate: Decimal, months: int) -> None:
    # One payment after `months` months of 30 days, so the true rate is known in closed form.
    days = months * 30
    due = 30_000_00 * (1 + float(rate)) ** (days / 365)
    flows = {
        "disbursed_on": TODAY,
        "instalments": (Instalment(date.fromordinal(TODAY.toordinal() + days), Money(round(due), "CNY")),),
        "annual_rate": Decimal("0.005"),
    }

    assert outcome("rate_cap", effective_annual_rate=rate, **flows)[0] is CheckResult.PASS
    wrong = rate - Decimal("0.01") * 36 / months
    assert outcome("rate_cap", effective_annual_rate=wrong, **flows)[1] == ("EFFECTIVE_RATE_NOT_CONFIRMED",)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"interest_withheld": cny("1"), "net_disbursed": cny("29999")}, "INTEREST_WITHHELD"),
        ({"net_disbursed": cny("30000.01")}, "DISBURSED_ABOVE_PRINCIPAL"),
        ({"net_disbursed": cny("29999.99")}, "DISBURSED_BELOW_PRINCIPAL"),
        ({"net_disbursed": cny("26999.99"), "fees": cny("3000.01")}, "FEES_WITHHELD_HIGH"),
    ],
)
def test_what_is_paid_out_is_the_principal(changes: dict[str, Any], expected: str) -> None:
    assert outcome("net_disbursement", **changes)[1] == (expected,)


@pytest.mark.parametrize(
    ("service", "verified", "expected"),
    [
        ("6000", True, CheckResult.PASS),
        ("6000.01", True, CheckResult.REFER),
        ("6600", True, CheckResult.REFER),
        ("6600.01", True, CheckResult.FAIL),
        ("4200", None, CheckResult.PASS),
        ("4200.01", None, CheckResult.REFER),
    ],
)
def test_debt_service_is_at_most_half_of_income_and_unverified_income_counts_less(
    service: str, verified: bool | None, expected: CheckResult
) -> None:
    split = {"monthly_debt_service": cny(service) - cny("1"), "monthly_instalment": cny("1")}
    assert outcome("affordability", income_verified=verified, **split)[0] is expected


def test_without_a_level_instalment_the_heaviest_month_counts() -> None:
    rows = [(date(2026, 4, 1), "2000"), (date(2026, 4, 30), "3000"), (date(2026, 5, 1), "4999.99")]
    flows = tuple(Instalment(day, cny(amount)) for day, amount in rows)

    heavy = {"monthly_instalment": None, "instalments": flows, "monthly_debt_service": cny("1000.01")}
    assert outcome("affordability", **heavy)[0] is CheckResult.REFER
    light = heavy | {"monthly_debt_service": cny("1000")}
    assert outcome("affordability", **light)[0] is CheckResult.PASS


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"total_outstanding": cny("170000")}, CheckResult.PASS),
        ({"total_outstanding": cny("170000.01")}, CheckResult.FAIL),
        ({"total_outstanding": cny("170000.01"), "secured": True}, CheckResult.NOT_APPLICABLE),
        ({"kind": PartyKind.ORGANISATION, "lender_type": LenderType.MICROLOAN}, CheckResult.PASS),
        ({"amount": Money.of("1", "EUR")}, CheckResult.NOT_APPLICABLE),
    ],
)
def test_exposure_over_all_lenders_stays_under_the_cap(changes: dict[str, Any], expected: CheckResult) -> None:
    assert outcome("exposure", **changes)[0] is expected


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"open_lenders": 4, "open_loans": 4}, "MANY_OPEN_LENDERS"),
        ({"new_lenders_90_days": 3}, "MANY_NEW_LENDERS"),
        ({"total_outstanding": cny("114000.01")}, "DEBT_OVER_INCOME_HIGH"),
        ({"open_lenders": 2, "open_loans": 1}, "EXPOSURE_COUNTS_DISAGREE"),
    ],
)
def test_over_indebtedness_is_for_a_human(changes: dict[str, Any], reason: str) -> None:
    assert outcome("over_indebtedness", **changes) == (CheckResult.REFER, (reason,))


def test_many_applications_are_for_a_human() -> None:
    assert outcome("velocity", applications_24_hours=3, applications_30_days=5)[0] is CheckResult.PASS
    assert outcome("velocity", applications_24_hours=4, applications_30_days=6) == (
        CheckResult.REFER,
        ("MANY_APPLICATIONS_24_HOURS", "MANY_APPLICATIONS_30_DAYS"),
    )
