"""How a loan ends and is opened again: charge-off, recovery, settlement, cancellation, reopening."""

from datetime import timedelta

import pytest

from registry.domain.allocation import Allocation, Component
from registry.domain.events import (
    Cancelled,
    ChargedOff,
    FeeCharged,
    Recovered,
    Reopened,
    Repaid,
    Reversed,
    Settled,
)
from registry.domain.kinds import KindNotAllowed, LoanStatus
from registry.domain.refusals import (
    BalanceOutstanding,
    LoanClosed,
    RecoveryExceedsChargedOff,
    RecoveryExpected,
)
from tests.support.plain_loan import PAYOUT, PRINCIPAL, a_loan, cny, dues


def test_a_charge_off_moves_what_is_owed_to_the_claim_and_ends_accrual() -> None:
    ledger = a_loan()
    on = dues(4)
    owed = ledger.payoff(on)
    ledger.apply(ChargedOff(on, 2))
    assert ledger.payoff(on + timedelta(days=500)) == owed == cny(ledger.state.charged_off_minor)
    assert ledger.principal_outstanding_minor == 0
    assert ledger.days_past_due(on + timedelta(days=10)) == 100
    with pytest.raises(RecoveryExpected):
        ledger.apply(Repaid(on, 1_00, 3))
    with pytest.raises(KindNotAllowed):
        ledger.apply(FeeCharged(on, 1_00, Component.FEE, 3))


def test_recoveries_reduce_the_claim_and_cannot_exceed_it() -> None:
    ledger = a_loan()
    ledger.apply(ChargedOff(dues(1), 2))
    assert ledger.apply(Recovered(dues(2), 200_00, 3)) == Allocation(80_00, 120_00)
    assert ledger.state.payoff(dues(3)) == ledger.payoff(dues(3)) == cny(11_920_00)
    with pytest.raises(RecoveryExceedsChargedOff) as refusal:
        ledger.apply(Recovered(dues(3), 11_920_01, 4))
    assert refusal.value.left == cny(11_920_00)
    ledger.apply(Settled(dues(3), 4))
    assert (ledger.status, ledger.state.recovered_minor) == (LoanStatus.SETTLED, 200_00)


def test_reopening_a_charge_off_turns_recoveries_into_repayments() -> None:
    ledger = a_loan()
    ledger.apply(ChargedOff(dues(1), 2))
    ledger.apply(Recovered(dues(1), 1_120_00, 3))
    ledger.apply(Reopened(dues(3), 4))
    other = a_loan()
    other.apply(Repaid(dues(1), 1_120_00, 3))
    assert ledger.state == other.state
    ledger.apply(Reversed(dues(3), 2, 5))
    ledger.apply(Reversed(dues(3), 3, 6))
    assert ledger.payoff(dues(1)) == cny(12_120_00)


def test_a_bounced_last_payment_is_reversed_after_reopening() -> None:
    ledger = a_loan()
    ledger.apply(Repaid(dues(1), 12_120_00, 2))
    ledger.apply(Settled(dues(1), 3))
    with pytest.raises(LoanClosed):
        ledger.apply(Reversed(dues(1), 2, 4))
    ledger.apply(Reopened(dues(2), 4))
    ledger.apply(Reversed(dues(2), 2, 5))
    assert ledger.status is LoanStatus.ACTIVE
    assert ledger.payoff(dues(2)) == cny(12_240_00)


def test_closing_needs_nothing_owed() -> None:
    ledger = a_loan()
    with pytest.raises(BalanceOutstanding) as refusal:
        ledger.apply(Settled(dues(1), 2))
    assert refusal.value.outstanding == cny(12_120_00)
    with pytest.raises(BalanceOutstanding):
        ledger.apply(Cancelled(dues(1), 2))
    ledger.apply(Repaid(PAYOUT + timedelta(days=5), PRINCIPAL, 2))
    ledger.apply(Cancelled(PAYOUT + timedelta(days=5), 3))
    assert ledger.payoff(dues(3)) == cny(0)


@pytest.mark.parametrize("closing", [Settled, Cancelled])
def test_a_closed_loan_takes_no_money(closing: type[Settled] | type[Cancelled]) -> None:
    ledger = a_loan()
    ledger.apply(Repaid(PAYOUT, PRINCIPAL, 2))
    ledger.apply(closing(PAYOUT, 3))
    with pytest.raises(LoanClosed):
        ledger.apply(Repaid(dues(1), 1_00, 4))
