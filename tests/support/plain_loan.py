"""A plain loan to test the ledger with: 12,000.00 at 12 % over 12 months from 15 January 2024."""

from datetime import date
from decimal import Decimal
from typing import Any

from registry.domain.agreement import RepaymentMethod
from registry.domain.events import Disbursed
from registry.domain.ledger import LoanLedger
from registry.domain.money import Money
from tests.support.agreements import given_terms

PAYOUT = date(2024, 1, 15)
PRINCIPAL = 12_000_00


def dues(number: int) -> date:
    return date(2024 + number // 12, number % 12 + 1, 15)


def cny(minor: int) -> Money:
    return Money(minor, "CNY")


def a_loan(*, paid_out: bool = True, **terms: Any) -> LoanLedger:
    """Equal principal parts of 1,000.00; interest is 120.00, 110.00, … with each."""
    fields: dict[str, Any] = {
        "principal": cny(PRINCIPAL),
        "annual_rate": Decimal("0.12"),
        "method": RepaymentMethod.EQUAL_PRINCIPAL,
        "disbursed_on": PAYOUT,
        "first_due_on": dues(1),
    }
    ledger = LoanLedger(given_terms(**{**fields, **terms}))
    if paid_out:
        ledger.apply(Disbursed(PAYOUT, ledger.terms.net_disbursement.minor, 1))
    return ledger
