"""The published arithmetic vectors, against the product: what is covered is counted, what is not has its reason.

Vectors lie beside the checkout, in `../shared/vectors`; without them the module is skipped with one line.
"""

import json
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from registry.domain.agreement import AgreementTerms, RepaymentMethod
from registry.domain.allocation import Allocation, Component, Owed, allocate
from registry.domain.day_count import DayCount
from registry.domain.delinquency import AssetClass, classify
from registry.domain.events import Disbursed, Repaid
from registry.domain.ledger import LoanLedger
from registry.domain.money import Money
from registry.domain.rate import (
    Flow,
    Period,
    RootStatus,
    annualised,
    dated_rate,
    eu_years,
    internal_rate,
    periodic_rate,
)
from registry.domain.rounding import Rounding
from registry.domain.schedule import build_schedule

VECTORS = Path(__file__).resolve().parents[3] / "shared" / "vectors"

if not VECTORS.is_dir():
    pytest.skip("no ../shared/vectors beside the checkout: arithmetic vectors not run", allow_module_level=True)

CONVENTIONS = {"30/360 Bond Basis": DayCount.THIRTY_360, "ACT/365F": DayCount.ACT_365F, "ACT/360": DayCount.ACT_360}
PENALTY_FIRST = "due: penalty, fee, interest, principal; in advance: principal, penalty, fee, interest"

NOT_COVERED: dict[str, str] = {
    "day_counts 30E/360": "convention not offered",
    "day_counts 30E/360 ISDA": "convention not offered",
    "day_counts 30/360 US": "convention not offered",
    "day_counts ACT/ACT ISDA": "convention not offered",
    "day_counts ACT/ACT ICMA": "convention not offered",
    "day_counts ACT/ACT AFB": "convention not offered",
    "frappe-fixed-14000": "an instalment chosen by the borrower is no repayment method here",
    "alloc-duepenfeeint-duePaymentOfPenaltyAndFeeAsInAdvanceTransaction": "two orders in one row",
    "alloc-duepenfeeint-duePaymentOfHigherPenaltyAndHigherFeeAsInAdvanceTransaction": "two orders in one row",
    "schedules_fineract_cumulative": "flat interest, grace periods and interest-free periods are not offered",
    "fineract-emi-multidisbursedamt200indifferentperiod-dayinyears360-daysinmonth30-repa": "one payout per loan",
    "fineract-emi-disbursedamt100-dayinyears364-daysinmonthactual-repayevery1week": "weekly instalments not offered",
    "xirr-mathworks-30e360": "convention not offered",
    "tvm-ppmt-14": "payment in advance is not offered",
    "tvm-ipmt-15": "payment in advance is not offered",
    "tvm-nper-17": "saving plan, no loan",
    "cn-class-16": "a fact other than days past due; only the floor by days is kept here",
    "cn-class-18": "a fact other than days past due; only the floor by days is kept here",
    "cn-class-20": "a fact other than days past due; only the floor by days is kept here",
    "cn-class-21": "a fact other than days past due; only the floor by days is kept here",
    "cn-class-30": "IFRS 9 stages are not asset classes",
    "cn-class-32": "IFRS 9 stages are not asset classes",
    "delinquency_fineract": "instalments every 15 or 30 days, a down payment on day 0, pauses: not offered",
    **{
        f"fineract-{name}": "a strategy of that system (next instalment first, compounding, overdue recalculation)"
        for name in ("rp01", "rp03", "rp09", "rp10", "rp11", "rp13", "rp15")
    },
    "fineract-interest-recalculation-s2-2-overdue": "recalculates the rows to come before they fall due",
    "fineract-interest-recalculation-s3-1-paid-1-overdue": "recalculates the rows to come before they fall due",
    "fees_late_fees_fineract": "flat interest, fees in per cent of an instalment",
    "allocation_timelines_fineract": "one order for what is due and another in advance",
    "apr_us_regz": "the US actuarial method is not disclosed",
}
# A cost before the first drawdown: the published rate solves the equation, and so does one of 19,169 %.
TWO_ROOTS = {"ec-aprc-43"}

COVERED = {
    "day_counts": 30,
    "instalments": 12,
    "allocation_waterfall": 31,
    "schedules_fineract_cumulative": 0,
    "schedules_fineract_progressive": 3,
    "apr_eu_aprc": 25,
    "interval_eu_ccd": 7,
    "apr_cn_pboc": 1,
    "xirr": 9,
    "time_value": 12,
    "classification_boundaries": 11,
    "delinquency_fineract": 0,
    "prepay_partial_late_fineract": 1,
    "fees_late_fees_fineract": 0,
    "allocation_timelines_fineract": 0,
    "apr_us_regz": 0,
}
IN_FILE = {
    "day_counts": 93,
    "instalments": 13,
    "allocation_waterfall": 33,
    "schedules_fineract_cumulative": 4,
    "schedules_fineract_progressive": 5,
    "apr_eu_aprc": 25,
    "interval_eu_ccd": 7,
    "apr_cn_pboc": 1,
    "xirr": 10,
    "time_value": 15,
    "classification_boundaries": 17,
    "delinquency_fineract": 7,
    "prepay_partial_late_fineract": 10,
    "fees_late_fees_fineract": 3,
    "allocation_timelines_fineract": 10,
    "apr_us_regz": 9,
}


def _all(name: str) -> list[dict[str, Any]]:
    vectors: list[dict[str, Any]] = json.loads((VECTORS / f"{name}.json").read_text())["vectors"]
    return vectors


def _covered(name: str) -> list[dict[str, Any]]:
    return [vector for vector in _all(name) if not _reason(name, vector)]


def _reason(name: str, vector: dict[str, Any]) -> str | None:
    convention = vector["input"].get("convention")
    keys = (name, vector["id"], f"{name} {convention}" if convention else "")
    return next((NOT_COVERED[key] for key in keys if key in NOT_COVERED), None)


def _each(name: str) -> Any:
    return pytest.mark.parametrize("vector", _covered(name), ids=lambda vector: vector["id"])


def _day(text: str) -> date:
    return date.fromisoformat(text)


def _terms(principal_minor: int, rate: Decimal, months: int, **other: Any) -> AgreementTerms:
    given: dict[str, Any] = {
        "method": RepaymentMethod.EQUAL_INSTALMENT,
        "day_count": DayCount.THIRTY_360,
        "rounding": Rounding.HALF_EVEN,
        "disbursed_on": date(2024, 1, 1),
        "first_due_on": date(2024, 2, 1),
    }
    return AgreementTerms(Money(principal_minor, "EUR"), rate, months, **{**given, **other})


def _close(given: Decimal, expected: str, tolerance: str) -> bool:
    return abs(given - Decimal(expected)) <= Decimal(tolerance)


@pytest.mark.parametrize("name", sorted(COVERED))
def test_coverage_of_a_vector_file_does_not_shrink(name: str) -> None:
    vectors = _all(name)
    assert len(vectors) == IN_FILE[name]
    assert len(_covered(name)) == COVERED[name]
    assert all(_reason(name, vector) for vector in vectors if vector not in _covered(name))


@_each("day_counts")
def test_days_are_counted_as_published(vector: dict[str, Any]) -> None:
    given, expected = vector["input"], vector["expected"]
    start, end = _day(given["start"]), _day(given["end"])
    if "convention" not in given:
        assert DayCount.ACT_365F.days(start, end) == expected["days_actual"]
        return
    day_count = CONVENTIONS[given["convention"]]
    if "days" in expected:
        assert day_count.days(start, end) == expected["days"]
    else:
        assert day_count.year_fraction(start, end) == Fraction(expected["year_fraction_expression"])


@_each("instalments")
def test_instalments_are_as_published(vector: dict[str, Any]) -> None:
    given, expected = vector["input"], vector["expected"]
    minor = int(Decimal(given["principal"]) * 100)
    percent = Decimal(given.get("annual_nominal_percent", given.get("first_rate_percent")))
    rows = build_schedule(_terms(minor, percent / 100, given["periods"], rounding=Rounding.HALF_UP))
    if given["kind"] == "level_instalment":
        answer, key = rows[0].total_minor, "instalment"
    elif given["kind"] == "balance_after":
        answer, key = rows[given["after_period"] - 1].outstanding_after_minor, "balance"
    else:
        changed = given["change_after_period"]
        left = rows[changed - 1].outstanding_after_minor
        again = _terms(left, Decimal(given["second_rate_percent"]) / 100, given["periods"] - changed)
        answer, key = build_schedule(again)[0].total_minor, "second_instalment"
    assert _close(Decimal(answer) / 100, expected[key], vector["tolerance"][key])


@_each("allocation_waterfall")
def test_a_payment_is_split_as_published(vector: dict[str, Any]) -> None:
    given, expected = vector["input"], vector["expected"]
    due, _, advance = given["strategy"].partition("; ")
    named = (advance if given["timing"] == "in_advance" else due).partition(": ")[2]
    order = tuple(Component(part.upper()) for part in named.split(", "))
    owed = given["outstanding"]
    row = Owed(*(int(owed[part]) for part in ("principal", "interest", "fee", "penalty")))
    split = allocate(int(given["payment"]), [row], order)
    parts = (
        split.principal_minor,
        split.interest_minor,
        split.fees_minor,
        split.penalty_minor,
        split.unallocated_minor,
    )
    names = ("principal", "interest", "fee", "penalty", "unallocated")
    assert parts == tuple(int(expected[part]) for part in names)


@_each("schedules_fineract_progressive")
def test_a_schedule_is_row_by_row_as_published(vector: dict[str, Any]) -> None:
    given = vector["input"]
    payout, expected = given["timeline"]
    day_count = {"DAYS_365": DayCount.ACT_365F, "DAYS_360": DayCount.THIRTY_360, "ACTUAL": DayCount.ACT_365F}
    rows = build_schedule(
        _terms(
            int(Decimal(payout["amount"]) * 100),
            Decimal(given["annual_percent"]) / 100,
            len(given["periods"]),
            day_count=day_count[given["days_in_year"]],
        )
    )
    shown = [(row.total_minor, row.interest_minor, row.principal_minor, row.outstanding_after_minor) for row in rows]
    published = [
        tuple(int(Decimal(row[key]) * 100) for key in ("emi", "interest", "principal", "balance"))
        for row in expected["rows"]
    ]
    assert shown == published


def _flows(parts: list[dict[str, Any]], sign: int) -> list[Flow]:
    flows = []
    for part in parts:
        amounts = part.get("amounts", [part.get("amount")] * int(part.get("count", 1)))
        first, step = _years(part["t0"]), _years(part.get("step", "0"))
        flows += [Flow(first + k * step, sign * Decimal(amount)) for k, amount in enumerate(amounts)]
    return flows


def _years(text: str) -> Fraction:
    return sum((Fraction(part) for part in text.split("+")), Fraction(0))


@_each("prepay_partial_late_fineract")
def test_a_timeline_agrees_up_to_the_first_payment_on_its_due_date(vector: dict[str, Any]) -> None:
    """The early pay-off that follows charges interest to the period's end there, and to the day here."""
    loan, timeline = vector["input"]["loan_terms"], vector["input"]["timeline"]
    schedule = next(entry["rows"] for entry in timeline if entry["event"] == "expect_schedule")
    percent, months = Decimal(loan["ANNUAL_interest_rate"]), int(loan["numberOfRepayments"])
    ledger = LoanLedger(_terms(int(Decimal(loan["with_Principal"]) * 100), percent / 100, months))
    shown = [(row.due_on.isoformat(), row.principal_minor, row.interest_minor) for row in ledger.schedule]
    assert shown == [(row["Date"], _cents(row["Principal due"]), _cents(row["Interest"])) for row in schedule[1:]]
    repaid = [entry["rows"] for entry in timeline if entry["event"] == "expect_transactions"][1][1]
    ledger.apply(Disbursed(date(2024, 1, 1), _cents(loan["with_Principal"]), 1))
    split = ledger.apply(Repaid(_day(repaid["Transaction date"]), _cents(repaid["Amount"]), 2))
    assert split == Allocation(_cents(repaid["Principal"]), _cents(repaid["Interest"]))
    assert ledger.principal_outstanding_minor == _cents(repaid["Loan Balance"])


def _cents(text: str) -> int:
    return int(Decimal(text) * 100)


@_each("apr_eu_aprc")
def test_the_aprc_is_as_published(vector: dict[str, Any]) -> None:
    given, expected = vector["input"], vector["expected"]
    found = internal_rate(_flows(given["drawdowns"], 1) + _flows(given["payments"], -1), places=9)
    assert found.status is (RootStatus.SEVERAL if vector["id"] in TWO_ROOTS else RootStatus.FOUND)
    percent = min(found.roots) * 100
    assert _close(percent, expected["apr_percent"], vector["tolerance"]["apr_percent"])
    assert percent.quantize(Decimal("0.1"), rounding=ROUND_HALF_UP) == Decimal(expected["apr_percent_1dp"])


@_each("interval_eu_ccd")
def test_an_eu_interval_is_as_published(vector: dict[str, Any]) -> None:
    given = vector["input"]
    years = eu_years(_day(given["first_drawdown"]), _day(given["payment"]), Period(given["regular_period"].upper()))
    assert years == _years(vector["expected"]["years_expression"])


@_each("apr_cn_pboc")
def test_the_example_of_the_central_bank_comes_out_in_both_forms(vector: dict[str, Any]) -> None:
    given, expected = vector["input"], vector["expected"]
    net = Decimal(given["loan"]) - Decimal(given["upfront_fee"])
    monthly = periodic_rate([net, *[-Decimal(given["payment"])] * int(given["count"])], places=12).rate
    assert monthly is not None
    rates = annualised(monthly)
    assert _close(rates.simple * 100, expected["simple_annual_percent_2dp"], "0.005")
    assert _close(rates.compound * 100, expected["compound_irr_annual_percent_2dp"], "0.005")


@_each("xirr")
def test_a_dated_rate_is_as_published_or_among_the_several_found(vector: dict[str, Any]) -> None:
    given = vector["input"]
    flows = [(_day(on), Decimal(amount)) for on, amount in given["flows"]]
    found = dated_rate(flows, CONVENTIONS[given["day_count"]], places=9)
    assert found.status is not RootStatus.NONE
    assert any(_close(root, vector["expected"]["rate"], "1e-7") for root in found.roots)


@_each("time_value")
def test_time_value_functions_are_as_published(vector: dict[str, Any]) -> None:
    given, expected = vector["input"], vector["expected"]["value"]
    tolerance = vector["tolerance"]["value"]
    if given["function"] == "irr":
        found = periodic_rate([Decimal(amount) for amount in given["cashflows"]], places=11)
        assert any(_close(root, expected, tolerance) for root in found.roots)
        return
    unit = Decimal("1e-8")
    terms = _terms(int(Decimal(given["pv"]) / unit), Decimal(given["rate"].removesuffix("/12")), given["nper"])
    row = build_schedule(terms)[given.get("per", 1) - 1]
    answer = {"pmt": row.total_minor, "ipmt": row.interest_minor, "ppmt": row.principal_minor}[given["function"]]
    assert _close(-answer * unit, expected, tolerance)


@_each("classification_boundaries")
def test_the_class_floor_by_days_is_as_the_rule_says(vector: dict[str, Any]) -> None:
    given = vector["input"]
    rules = "cn-credit-card" if given["asset"] == "credit_card" else "cn-five-class"
    technical = given.get("technical_overdue", False)
    floor = classify(given["dpd"], date(2024, 1, 1), rules=rules, technical=technical)
    assert floor is AssetClass[vector["expected"]["minimum_class"].upper()]
