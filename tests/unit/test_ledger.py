"""The ledger rule by rule, on one plain loan of 12,000.00 at 12 % over 12 months."""

from datetime import date, timedelta
from decimal import Decimal

import pytest

from registry.domain.agreement import RepaymentMethod
from registry.domain.allocation import DEFAULT_ORDER, Allocation, Component
from registry.domain.errors import RegistryError
from registry.domain.events import (
    ChargedOff,
    Disbursed,
    FeeCharged,
    Recovered,
    Repaid,
    Reversed,
    Settled,
)
from registry.domain.kinds import LoanStatus
from registry.domain.ledger import replay
from registry.domain.money import AmountInvalid
from registry.domain.refusals import (
    ChargeComponentInvalid,
    DateBeforeState,
    DisbursementMismatch,
    LoanNotDisbursed,
    RepaymentExceedsOutstanding,
    ReversalTargetInvalid,
    SequenceNotRising,
)
from tests.support.plain_loan import PAYOUT, PRINCIPAL, a_loan, cny, dues


def test_a_loan_paid_as_agreed_is_paid_off_with_the_scheduled_interest() -> None:
    ledger = a_loan()
    for row in ledger.schedule:
        split = ledger.apply(Repaid(row.due_on, row.total_minor, row.number + 1))
        assert split == Allocation(row.principal_minor, row.interest_minor, row.fees_minor)
        assert ledger.days_past_due(row.due_on) == 0
    assert ledger.payoff(dues(12)) == cny(0)
    ledger.apply(Settled(dues(12), 14))
    assert ledger.status is LoanStatus.SETTLED


def test_a_repayment_above_what_is_owed_is_refused() -> None:
    ledger = a_loan()
    with pytest.raises(RepaymentExceedsOutstanding) as refusal:
        ledger.apply(Repaid(dues(1), 12_120_01, 2))
    assert (refusal.value.outstanding, refusal.value.given) == (cny(12_120_00), cny(12_120_01))
    assert ledger.apply(Repaid(dues(1), 12_120_00, 2)) == Allocation(PRINCIPAL, 120_00)


def test_money_before_the_payout_is_refused() -> None:
    ledger = a_loan(paid_out=False)
    for event in (
        Repaid(dues(1), 1_00, 1),
        FeeCharged(dues(1), 1_00, Component.FEE, 1),
        ChargedOff(dues(1), 1),
        Recovered(dues(1), 1_00, 1),
    ):
        with pytest.raises(LoanNotDisbursed):
            ledger.apply(event)
    ledger.apply(Disbursed(PAYOUT, PRINCIPAL, 1))
    with pytest.raises(LoanNotDisbursed):
        ledger.apply(Repaid(PAYOUT - timedelta(days=1), 1_00, 2))
    assert ledger.state == a_loan().state


def test_interest_follows_the_principal_really_outstanding() -> None:
    ledger = a_loan()
    ledger.apply(Repaid(dues(1), 6_120_00, 2))
    # Above the 1,120.00 due, 1,110.00 secures the second instalment and 3,890.00 prepays.
    assert ledger.principal_outstanding_minor == 7_110_00
    assert ledger.state_on(dues(2)).interest_paid_minor == 120_00 + 71_10


def test_interest_of_a_broken_period_is_counted_in_parts_and_rounded_once() -> None:
    ledger = a_loan(annual_rate=Decimal("0.1"))
    ledger.apply(Repaid(date(2024, 1, 25), 5_000_00, 2))
    # 12,000 for 10 days and 8,100 for 20 days of 30/360: 1,100 of the payment is held.
    assert ledger.state_on(dues(1)).interest_paid_minor == round((12_000_00 * 10 + 8_100_00 * 20) * 0.1 / 360)


def test_what_the_next_instalment_does_not_need_prepays_principal_and_shortens_the_term() -> None:
    ledger = a_loan()
    split = ledger.apply(Repaid(date(2024, 1, 25), 3_620_00, 2))
    assert split == Allocation(principal_minor=2_500_00, unallocated_minor=1_120_00)
    # The accrued interest stayed accrued: ten days on 12,000, twenty on 9,500.
    interest = (12_000_00 * 10 + 9_500_00 * 20) * 12 // 36_000
    over = 120_00 - interest
    parts = [row.principal_minor for row in ledger.state.instalments]
    assert parts == [1_000_00] * 9 + [500_00 - over, 0, 0]
    assert ledger.state_on(dues(1)).interest_paid_minor == interest


def test_the_payoff_of_a_day_includes_the_interest_to_that_day() -> None:
    ledger = a_loan()
    on = dues(1) + timedelta(days=10)
    assert ledger.payoff(on) == cny(12_000_00 + 120_00 + 40_00)
    ledger.apply(FeeCharged(on, 7_00, Component.PENALTY, 2))
    ledger.apply(FeeCharged(on, 5_00, Component.FEE, 3))
    split = ledger.apply(Repaid(on, 12_172_00, 4))
    assert split == Allocation(PRINCIPAL, 160_00, 5_00, 7_00)
    assert ledger.payoff(on + timedelta(days=400)) == cny(0)


def test_when_the_principal_is_gone_the_accrued_interest_is_due() -> None:
    order = (Component.PRINCIPAL, Component.INTEREST, Component.FEE, Component.PENALTY)
    ledger = a_loan(term_months=1, allocation_order=order)
    on = dues(1) + timedelta(days=10)
    ledger.apply(Repaid(on, PRINCIPAL, 2))
    assert ledger.state.interest_due_minor == 120_00 + 40_00
    assert ledger.payoff(on + timedelta(days=100)) == cny(160_00)
    assert ledger.next_unpaid_due_on == dues(1)
    assert ledger.days_past_due(dues(1) + timedelta(days=9)) == 9


def test_after_the_last_due_date_interest_goes_on_in_monthly_steps() -> None:
    ledger = a_loan(term_months=1)
    assert ledger.payoff(dues(1)) == cny(12_120_00)
    assert ledger.payoff(dues(3)) == cny(12_360_00)
    assert ledger.state_on(dues(3)).interest_due_minor == 360_00
    assert len(ledger.state_on(dues(3)).instalments) == 1


def test_a_payment_meets_the_oldest_instalment_first_and_completely() -> None:
    ledger = a_loan()
    on = dues(2) + timedelta(days=1)
    ledger.apply(FeeCharged(on, 30_00, Component.PENALTY, 2))
    assert ledger.apply(Repaid(on, 1_200_00, 3)) == Allocation(1_000_00, 120_00 + 50_00, 0, 30_00)
    assert ledger.days_past_due(on) == 1
    assert ledger.next_unpaid_due_on == dues(2)


def test_the_agreed_order_of_payment_is_followed() -> None:
    ledger = a_loan(allocation_order=(Component.PRINCIPAL, Component.INTEREST, Component.FEE, Component.PENALTY))
    assert ledger.apply(Repaid(dues(1), 1_050_00, 2)) == Allocation(1_000_00, 50_00)
    assert ledger.terms.allocation_order != DEFAULT_ORDER


def test_an_instalment_fee_falls_due_while_principal_is_outstanding() -> None:
    ledger = a_loan(instalment_fee_minor=8_00)
    assert ledger.state_on(dues(2)).fees_due_minor == 16_00
    ledger.apply(Repaid(dues(1), ledger.payoff(dues(1)).minor, 2))
    assert ledger.payoff(dues(5)) == cny(0)


def test_a_charge_is_payable_at_once_and_past_due_with_its_instalment() -> None:
    ledger = a_loan()
    ledger.apply(Repaid(dues(1), 1_120_00, 2))
    on = dues(1) + timedelta(days=3)
    ledger.apply(FeeCharged(on, 9_00, Component.FEE, 3))
    assert ledger.state.due_minor == 9_00
    assert ledger.days_past_due(on + timedelta(days=10)) == 0
    assert ledger.apply(Repaid(on, 10_00, 4)) == Allocation(fees_minor=9_00, unallocated_minor=1_00)


def test_a_charge_alone_takes_nothing_to_principal_that_is_not_due() -> None:
    ledger = a_loan(allocation_order=(Component.PRINCIPAL, Component.INTEREST, Component.FEE, Component.PENALTY))
    ledger.apply(FeeCharged(PAYOUT, 9_00, Component.FEE, 2))
    assert ledger.apply(Repaid(PAYOUT, 9_00, 3)) == Allocation(fees_minor=9_00)


def test_the_next_unpaid_instalment_may_be_one_of_interest_only() -> None:
    ledger = a_loan(method=RepaymentMethod.INTEREST_ONLY)
    assert ledger.next_unpaid_due_on == dues(1)
    ledger.apply(Repaid(dues(1), 120_00, 2))
    assert ledger.next_unpaid_due_on == dues(2)
    assert a_loan(method=RepaymentMethod.INTEREST_ONLY, annual_rate=Decimal(0)).next_unpaid_due_on == dues(12)


def test_a_charge_after_the_last_due_date_counts_from_its_own_day() -> None:
    ledger = a_loan()
    ledger.apply(Repaid(dues(12), ledger.payoff(dues(12)).minor, 2))
    on = dues(12) + timedelta(days=50)
    ledger.apply(FeeCharged(on, 9_00, Component.FEE, 3))
    assert ledger.days_past_due(on + timedelta(days=4)) == 4


def test_days_past_due_run_from_the_oldest_unpaid_due_date() -> None:
    ledger = a_loan()
    assert ledger.days_past_due(dues(1)) == 0
    assert ledger.days_past_due(dues(1) + timedelta(days=1)) == 1
    assert ledger.days_past_due(dues(4)) == 90
    ledger.apply(Repaid(dues(4), 1_120_00 - 1, 2))
    assert ledger.days_past_due(dues(4)) == 90, "a partial payment does not reset the clock"
    ledger.apply(Repaid(dues(4), 1, 3))
    assert ledger.days_past_due(dues(4)) == (dues(4) - dues(2)).days


def test_a_reversal_replays_without_the_reversed_repayment() -> None:
    ledger = a_loan()
    ledger.apply(Repaid(dues(1), 1_120_00, 2))
    ledger.apply(Repaid(dues(2), 1_110_00, 3))
    ledger.apply(Reversed(dues(2), 2, 4))
    other = a_loan()
    assert ledger.allocation_of(2) is None
    assert ledger.allocation_of(3) == other.apply(Repaid(dues(2), 1_110_00, 3)) == Allocation(990_00, 120_00)
    assert ledger.state == other.state


def test_a_record_is_reversed_once_and_only_if_it_is_reversible() -> None:
    ledger = a_loan()
    ledger.apply(Repaid(dues(1), 1_120_00, 2))
    with pytest.raises(ReversalTargetInvalid, match="before it"):
        ledger.apply(Reversed(PAYOUT, 2, 3))
    ledger.apply(Reversed(dues(1), 2, 3))
    for target, why in ((2, "reversed before"), (1, "DISBURSEMENT"), (3, "REVERSAL"), (9, "no such record")):
        with pytest.raises(ReversalTargetInvalid, match=why):
            ledger.apply(Reversed(dues(1), target, 4))
    assert len(ledger.events) == 3


def test_a_fee_cannot_be_reversed_under_a_repayment_that_paid_it_off() -> None:
    ledger = a_loan()
    ledger.apply(FeeCharged(dues(1), 50_00, Component.FEE, 2))
    ledger.apply(Repaid(dues(1), ledger.payoff(dues(1)).minor, 3))
    with pytest.raises(RepaymentExceedsOutstanding):
        ledger.apply(Reversed(dues(1), 2, 4))
    assert ledger.payoff(dues(1)) == cny(0)


def test_a_back_dated_repayment_is_booked_where_it_belongs() -> None:
    ledger = a_loan()
    ledger.apply(Repaid(dues(2), 1_110_00, 2))
    split = ledger.apply(Repaid(dues(1), 1_120_00, 3))
    assert split == Allocation(1_000_00, 120_00)
    assert ledger.allocation_of(2) == Allocation(1_000_00, 110_00)
    assert ledger.days_past_due(dues(2)) == 0


def test_the_payout_is_one_of_the_agreed_amount_before_the_first_due_date() -> None:
    ledger = a_loan(paid_out=False, upfront_fee_minor=100_00)
    for on, minor in ((PAYOUT, PRINCIPAL), (dues(1), 11_900_00)):
        with pytest.raises(DisbursementMismatch):
            ledger.apply(Disbursed(on, minor, 1))
    ledger.apply(Disbursed(PAYOUT, 11_900_00, 1))
    assert ledger.principal_outstanding_minor == PRINCIPAL
    with pytest.raises(DisbursementMismatch):
        ledger.apply(Disbursed(PAYOUT, 11_900_00, 2))


def test_interest_runs_from_the_day_of_the_real_payout() -> None:
    ledger = a_loan(paid_out=False)
    ledger.apply(Disbursed(date(2024, 2, 5), PRINCIPAL, 1))
    assert ledger.state_on(dues(1)).interest_due_minor == 40_00


@pytest.mark.parametrize("amount", [0, -1])
def test_an_amount_must_be_positive(amount: int) -> None:
    ledger = a_loan()
    for event in (Repaid(dues(1), amount, 2), FeeCharged(dues(1), amount, Component.FEE, 2)):
        with pytest.raises(AmountInvalid):
            ledger.apply(event)


def test_only_fees_and_penalties_are_charged() -> None:
    with pytest.raises(ChargeComponentInvalid):
        a_loan().apply(FeeCharged(dues(1), 1_00, Component.INTEREST, 2))


def test_sequences_rise() -> None:
    ledger = a_loan()
    with pytest.raises(SequenceNotRising):
        ledger.apply(Repaid(dues(1), 1_00, 1))
    with pytest.raises(SequenceNotRising):
        replay(ledger.terms, [*ledger.events, *ledger.events])


def test_a_state_does_not_answer_for_days_before_it() -> None:
    ledger = a_loan()
    ledger.apply(Repaid(dues(1), 1_00, 2))
    with pytest.raises(DateBeforeState):
        ledger.state.payoff(PAYOUT)
    assert ledger.state_on(PAYOUT).payoff(PAYOUT) == ledger.payoff(PAYOUT) == cny(PRINCIPAL)


def test_nothing_is_owed_before_the_payout() -> None:
    before = PAYOUT - timedelta(days=20)
    for ledger in (a_loan(paid_out=False), a_loan()):
        state = ledger.state_on(before)
        assert (state.status, state.as_of, state.next_unpaid_due_on) == (LoanStatus.REGISTERED, before, None)
        assert state.payoff(before) == state.outstanding(before) == ledger.payoff(before) == cny(0)
        assert [row.principal_minor for row in state.instalments] == [1_000_00] * 12


def test_a_state_is_not_changed_by_later_events() -> None:
    ledger = a_loan()
    state = ledger.state
    ledger.apply(FeeCharged(dues(2), 9_00, Component.FEE, 2))
    ledger.apply(Repaid(dues(2), 5_000_00, 3))
    assert state == a_loan().state
    assert state.payoff(dues(2)) == cny(12_240_00)
    assert state.days_past_due(dues(2)) == 31 - 2


def test_a_question_at_the_end_of_the_calendar_is_answered() -> None:
    assert a_loan().payoff(date.max).minor > PRINCIPAL


def test_every_refusal_says_what_is_wrong_with_a_stable_code() -> None:
    ledger = a_loan()
    refused = (Repaid(dues(1), 10**9, 2), Settled(dues(1), 2), Disbursed(PAYOUT, 1, 2), Reversed(dues(1), 7, 2))
    codes = set()
    for event in refused:
        with pytest.raises(RegistryError) as refusal:
            ledger.apply(event)
        assert len(str(refusal.value)) > 20
        codes.add(refusal.value.code)
    assert len(codes) == len(refused)
