"""Money before its due date: it secures the next instalment, and only what that does not need prepays principal."""

from datetime import date, timedelta
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from registry.domain.agreement import AgreementTerms, RepaymentMethod
from registry.domain.allocation import Allocation, Component
from registry.domain.day_count import DayCount
from registry.domain.events import (
    Cancelled,
    ChargedOff,
    Disbursed,
    FeeCharged,
    Recovered,
    Reopened,
    Repaid,
    Reversed,
    Settled,
)
from registry.domain.ledger import LoanLedger, replay
from registry.domain.loan_state import LoanState
from registry.domain.money import Money
from registry.domain.refusals import BalanceOutstanding, RepaymentExceedsOutstanding
from registry.domain.rounding import Rounding
from tests.support.agreements import ORDERS, given_terms
from tests.support.plain_loan import PAYOUT, PRINCIPAL, a_loan, cny, dues

DAY = timedelta(days=1)
EARLY = dues(1) - DAY
START = date(2023, 1, 31)
FEW = settings(max_examples=50)


def _paid(state: LoanState) -> int:
    return (
        state.principal_paid_minor
        + state.interest_paid_minor
        + state.fees_paid_minor
        + state.penalty_paid_minor
        + state.recovered_minor
        + state.credit_minor
    )


def test_an_instalment_paid_a_day_early_is_held_and_meets_it_on_its_due_date() -> None:
    ledger = a_loan()
    assert ledger.apply(Repaid(EARLY, 1_120_00, 2)) == Allocation(unallocated_minor=1_120_00)
    state = ledger.state
    assert (state.credit_minor, state.principal_outstanding_minor) == (1_120_00, PRINCIPAL)
    assert (state.instalments[0].paid_minor, state.instalments[0].unpaid_minor) == (1_120_00, 0)
    assert (ledger.next_unpaid_due_on, ledger.days_past_due(dues(2))) == (dues(2), 0)
    assert ledger.days_past_due(dues(2) + DAY) == 1
    on_time = a_loan()
    on_time.apply(Repaid(dues(1), 1_120_00, 2))
    assert ledger.state_on(dues(1)) == on_time.state
    assert ledger.state_on(dues(9)) == on_time.state_on(dues(9))


def test_a_part_paid_early_leaves_the_rest_to_be_paid_on_the_due_date() -> None:
    ledger = a_loan()
    ledger.apply(Repaid(EARLY, 500_00, 2))
    assert ledger.next_unpaid_due_on == dues(1)
    assert ledger.state.instalments[0].unpaid_minor == 620_00
    assert ledger.state_on(dues(1)).due_minor == 620_00
    assert ledger.days_past_due(dues(1) + DAY) == 1
    assert ledger.apply(Repaid(EARLY, 700_00, 3)) == Allocation(principal_minor=80_00, unallocated_minor=620_00)


def test_twice_the_instalment_early_prepays_only_the_second_half() -> None:
    ledger = a_loan()
    split = ledger.apply(Repaid(EARLY, 2_240_00, 2))
    assert split == Allocation(principal_minor=1_120_00, unallocated_minor=1_120_00)
    assert ledger.principal_outstanding_minor == PRINCIPAL - 1_120_00
    assert ledger.days_past_due(dues(2)) == 0


def test_what_the_credit_leaves_over_prepays_principal_on_the_due_date() -> None:
    ledger = a_loan()
    ledger.apply(Repaid(PAYOUT, 1_120_00 + 6_000_00, 2))
    # Interest came out at 60.00 instead of the 120.00 that were secured.
    state = ledger.state_on(dues(1))
    assert (state.credit_minor, state.interest_paid_minor, state.principal_paid_minor) == (0, 60_00, 7_060_00)
    assert [row.principal_minor for row in state.instalments] == [1_000_00] * 5 + [940_00] + [0] * 6
    assert [row.total_minor for row in ledger.state.instalments] == [row.total_minor for row in state.instalments]


def test_what_is_due_is_paid_before_anything_is_held() -> None:
    ledger = a_loan()
    split = ledger.apply(Repaid(dues(1) + DAY, 1_500_00, 2))
    assert split == Allocation(1_000_00, 120_00, unallocated_minor=380_00)


def test_the_instalment_fee_is_secured_too_and_the_agreed_order_holds_on_the_due_date() -> None:
    order = (Component.PRINCIPAL, Component.INTEREST, Component.FEE, Component.PENALTY)
    ledger = a_loan(instalment_fee_minor=8_00, allocation_order=order)
    assert ledger.apply(Repaid(EARLY, 1_121_00, 2)) == Allocation(unallocated_minor=1_121_00)
    assert ledger.next_unpaid_due_on == dues(1)
    assert ledger.state_on(dues(1)).fees_due_minor == 7_00
    assert ledger.apply(Repaid(EARLY, 7_00, 3)) == Allocation(unallocated_minor=7_00)
    assert ledger.next_unpaid_due_on == dues(2)


def test_a_charge_is_not_paid_from_the_credit_before_the_due_date() -> None:
    ledger = a_loan()
    ledger.apply(Repaid(PAYOUT, 1_120_00, 2))
    ledger.apply(FeeCharged(PAYOUT + DAY, 30_00, Component.PENALTY, 3))
    assert (ledger.state.due_minor, ledger.state.credit_minor) == (30_00, 1_120_00)
    assert ledger.next_unpaid_due_on == dues(1)
    late = ledger.state_on(dues(1))
    assert (late.penalty_paid_minor, late.principal_due_minor, late.credit_minor) == (30_00, 30_00, 0)
    assert ledger.apply(Repaid(EARLY, 30_00, 4)) == Allocation(penalty_minor=30_00)
    assert ledger.days_past_due(dues(2)) == 0


def test_the_payoff_counts_the_credit_and_leaves_none() -> None:
    ledger = a_loan()
    ledger.apply(Repaid(PAYOUT + DAY, 700_00, 2))
    on = PAYOUT + timedelta(days=15)
    assert ledger.payoff(on) == cny(PRINCIPAL + 60_00 - 700_00)
    with pytest.raises(RepaymentExceedsOutstanding) as refusal:
        ledger.apply(Repaid(on, 11_360_01, 3))
    assert refusal.value.outstanding == cny(11_360_00)
    # The credit met the interest and 640.00 of the principal.
    assert ledger.apply(Repaid(on, 11_360_00, 3)) == Allocation(principal_minor=11_360_00)
    ledger.apply(Settled(on, 4))
    state = ledger.state
    assert (state.credit_minor, state.principal_paid_minor, state.interest_paid_minor) == (0, PRINCIPAL, 60_00)


def test_a_payoff_below_what_is_due_lets_the_credit_pay_the_rest() -> None:
    ledger = a_loan(term_months=1)
    ledger.apply(Repaid(PAYOUT, 11_990_00, 2))
    ledger.apply(FeeCharged(PAYOUT, 30_00, Component.PENALTY, 3))
    ledger.apply(FeeCharged(PAYOUT, 5_00, Component.FEE, 4))
    assert ledger.payoff(PAYOUT) == cny(45_00)
    ledger.apply(Repaid(PAYOUT, 20_00, 5))
    assert ledger.apply(Repaid(PAYOUT, 25_00, 6)) == Allocation(10_00, 0, 5_00, 10_00)
    assert _paid(ledger.state) == PRINCIPAL + 35_00 == ledger.state.principal_paid_minor + 35_00


def test_the_last_instalment_early_pays_off_at_the_interest_to_that_day() -> None:
    ledger = a_loan(term_months=1)
    with pytest.raises(RepaymentExceedsOutstanding):
        ledger.apply(Repaid(PAYOUT + timedelta(days=15), 12_120_00, 2))
    assert ledger.apply(Repaid(PAYOUT + timedelta(days=15), 12_060_00, 2)) == Allocation(PRINCIPAL, 60_00)
    assert ledger.payoff(dues(2)) == cny(0)


def test_a_reversal_takes_the_credit_away() -> None:
    ledger = a_loan()
    ledger.apply(Repaid(EARLY, 1_120_00, 2))
    ledger.apply(Repaid(dues(2), 1_110_00, 3))
    assert ledger.days_past_due(dues(2)) == 0
    ledger.apply(Reversed(dues(2), 2, 4))
    other = a_loan()
    assert ledger.allocation_of(3) == other.apply(Repaid(dues(2), 1_110_00, 3))
    assert ledger.state == other.state
    assert ledger.days_past_due(dues(2)) == 31 - 2


def test_a_back_dated_early_payment_mends_the_days_after_it() -> None:
    ledger = a_loan()
    ledger.apply(Repaid(dues(2), 1_110_00, 2))
    assert ledger.days_past_due(dues(2)) == 31 - 2
    assert ledger.apply(Repaid(EARLY, 1_120_00, 3)) == Allocation(unallocated_minor=1_120_00)
    assert ledger.allocation_of(2) == Allocation(1_000_00, 110_00)
    assert ledger.days_past_due(dues(2)) == 0
    assert ledger.state == LoanLedger.of(ledger.terms, ledger.events).state


def test_a_credit_at_a_charge_off_pays_what_is_due_and_lowers_the_claim() -> None:
    ledger = a_loan()
    ledger.apply(Repaid(PAYOUT, 1_000_00, 2))
    ledger.apply(FeeCharged(PAYOUT, 30_00, Component.PENALTY, 3))
    on = PAYOUT + timedelta(days=15)
    owed = ledger.payoff(on)
    assert owed == cny(PRINCIPAL + 60_00 + 30_00 - 1_000_00)
    ledger.apply(ChargedOff(on, 4))
    state = ledger.state
    assert (state.credit_minor, state.penalty_paid_minor, state.interest_paid_minor) == (0, 30_00, 60_00)
    assert state.charged_off_minor == state.charged_off_principal_minor == owed.minor
    assert ledger.apply(Recovered(on, 100_00, 5)) == Allocation(principal_minor=100_00)
    assert _paid(ledger.state) == 1_100_00
    ledger.apply(Reopened(on, 6))
    assert (ledger.state.credit_minor, ledger.payoff(on)) == (1_000_00 + 70_00, cny(owed.minor - 100_00))


def test_a_credit_above_the_current_instalment_at_a_charge_off_pays_principal() -> None:
    ledger = a_loan()
    ledger.apply(Repaid(PAYOUT, 1_120_00, 2))
    ledger.apply(ChargedOff(PAYOUT, 3))
    state = ledger.state
    assert (state.principal_paid_minor, state.charged_off_minor) == (1_120_00, PRINCIPAL - 1_120_00)
    assert sum(row.principal_minor for row in state.instalments) == PRINCIPAL - 120_00
    assert ledger.next_unpaid_due_on == dues(2)


def test_a_settlement_forgives_what_the_credit_does_not_pay() -> None:
    ledger = a_loan()
    ledger.apply(Repaid(EARLY, 1_120_00, 2))
    left = ledger.payoff(EARLY)
    with pytest.raises(BalanceOutstanding):
        ledger.apply(Settled(EARLY, 3, left.minor + 1_120_00))
    ledger.apply(Settled(EARLY, 3, left.minor))
    assert (ledger.state.credit_minor, _paid(ledger.state)) == (0, 1_120_00)


def test_a_loan_is_cancelled_once_payments_and_credit_bring_the_principal_back() -> None:
    on = PAYOUT + timedelta(days=5)
    ledger = a_loan()
    ledger.apply(Repaid(on, PRINCIPAL - 1, 2))
    with pytest.raises(BalanceOutstanding) as refusal:
        ledger.apply(Cancelled(on, 3))
    assert refusal.value.outstanding == cny(1)
    ledger.apply(Repaid(on, 10_00, 3))
    ledger.apply(Cancelled(on, 4))
    state = ledger.state
    assert (state.credit_minor, state.principal_paid_minor, state.interest_paid_minor) == (0, PRINCIPAL, 9_99)


@st.composite
def lent(draw: st.DrawFn) -> AgreementTerms:
    """A loan whose every instalment is well below what is still owed when it is paid."""
    return given_terms(
        principal=Money(draw(st.integers(10_000, 5_000_00)), "CNY"),
        annual_rate=draw(st.decimals(0, "0.36", places=3)),
        term_months=draw(st.integers(1, 24)),
        method=draw(st.sampled_from(RepaymentMethod)),
        day_count=DayCount.THIRTY_360,
        rounding=draw(st.sampled_from(Rounding)),
        disbursed_on=START,
        first_due_on=START + timedelta(days=draw(st.integers(1, 70))),
        instalment_fee_minor=draw(st.sampled_from([0, 3])),
        allocation_order=draw(ORDERS),
    )


def _lend(terms: AgreementTerms) -> LoanLedger:
    ledger = LoanLedger(terms)
    ledger.apply(Disbursed(START, terms.net_disbursement.minor, 1))
    return ledger


@FEW
@given(lent(), st.lists(st.integers(0, 25), min_size=24, max_size=24))
def test_a_borrower_who_always_pays_early_is_never_past_due_and_pays_what_was_agreed(
    terms: AgreementTerms, days: list[int]
) -> None:
    ledger = _lend(terms)
    for row, early in zip(ledger.schedule, days, strict=False):
        if not row.total_minor:
            continue
        is_last = row.outstanding_after_minor == 0
        on = row.due_on if is_last else max(START, row.due_on - timedelta(days=early))
        split = ledger.apply(Repaid(on, row.total_minor, row.number + 1))
        assert split is not None
        assert split.unallocated_minor == (row.total_minor if on < row.due_on else 0)
        assert ledger.days_past_due(on) == ledger.days_past_due(row.due_on) == 0
        assert ledger.days_past_due(row.due_on + timedelta(days=27)) == 0
        assert is_last or ledger.state_on(row.due_on).principal_outstanding_minor == row.outstanding_after_minor
    state = ledger.state_on(terms.matures_on)
    assert (state.payoff(terms.matures_on).minor, state.credit_minor) == (0, 0)
    assert state.principal_paid_minor == terms.principal.minor
    assert state.interest_paid_minor == sum(row.interest_minor for row in ledger.schedule)
    assert state.fees_paid_minor == sum(row.fees_minor for row in ledger.schedule)


@FEW
@given(lent(), st.integers(0, 23), st.integers(1, 25), st.integers(1, 100))
def test_up_to_an_instalment_paid_early_is_as_good_as_paid_on_its_due_date(
    terms: AgreementTerms, paid: int, early: int, share: int
) -> None:
    ledger = _lend(terms)
    rows = [row for row in ledger.schedule if row.total_minor]
    paid = min(paid, len(rows) - 1)
    for row in rows[:paid]:
        ledger.apply(Repaid(row.due_on, row.total_minor, row.number + 1))
    row = rows[paid]
    on = max(START, row.due_on - timedelta(days=early))
    amount = min(row.total_minor * share // 100, ledger.payoff(on).minor - 1)
    if amount <= 0:
        return
    then = replay(terms, [*ledger.events, Repaid(row.due_on, amount, 30)])
    now = replay(terms, [*ledger.events, Repaid(on, amount, 30)], row.due_on)
    assert now == then


@FEW
@given(lent(), st.lists(st.tuples(st.integers(0, 40), st.integers(1, 60)), min_size=1, max_size=8), st.integers(0, 99))
def test_a_loan_that_ends_holds_nothing_and_loses_nothing(
    terms: AgreementTerms, steps: list[tuple[int, int]], later: int
) -> None:
    ledger = _lend(terms)
    on, paid = START, 0
    for sequence, (days, share) in enumerate(steps, start=2):
        on += timedelta(days=days)
        amount = ledger.payoff(on).minor * share // 100
        if amount:
            ledger.apply(Repaid(on, amount, sequence))
            paid += amount
    on += timedelta(days=later)
    owed = ledger.payoff(on).minor
    assert _paid(ledger.state_on(on)) == paid
    charged_off = replay(terms, [*ledger.events, ChargedOff(on, 30)])
    assert (_paid(charged_off), charged_off.credit_minor) == (paid, 0)
    assert charged_off.charged_off_minor == charged_off.payoff(on).minor == owed
    forgiven = replay(terms, [*ledger.events, Settled(on, 30, owed)])
    assert (_paid(forgiven), forgiven.credit_minor) == (paid, 0)
    if owed:
        cleared = replay(terms, [*ledger.events, Repaid(on, owed, 30)])
        assert (_paid(cleared), cleared.credit_minor) == (paid + owed, 0)
        assert cleared.principal_paid_minor == terms.principal.minor


def test_an_advance_on_an_interest_free_loan_of_interest_only_prepays() -> None:
    ledger = a_loan(method=RepaymentMethod.INTEREST_ONLY, annual_rate=Decimal(0))
    assert ledger.apply(Repaid(EARLY, 500_00, 2)) == Allocation(principal_minor=500_00)


@pytest.mark.parametrize(("days_before", "held"), [(32, 0), (31, 100_00), (1, 100_00)])
def test_the_single_instalment_of_a_bullet_loan_is_secured_in_its_last_month_only(days_before: int, held: int) -> None:
    terms = given_terms(method=RepaymentMethod.BULLET, term_months=6)
    ledger = LoanLedger(terms)
    ledger.apply(Disbursed(terms.disbursed_on, terms.net_disbursement.minor, 1))
    due_on = ledger.schedule[0].due_on

    split = ledger.apply(Repaid(due_on - timedelta(days=days_before), 100_00, 2))

    assert split is not None
    assert split.unallocated_minor == held
    assert split.principal_minor == 100_00 - held
