"""The ledger against random histories: conservation, equality with the fold, and a day-by-day second opinion."""

from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from registry.domain.agreement import AgreementTerms, RepaymentMethod
from registry.domain.allocation import Component
from registry.domain.calendar import add_months
from registry.domain.day_count import DayCount
from registry.domain.errors import RegistryError
from registry.domain.events import (
    Cancelled,
    ChargedOff,
    Disbursed,
    FeeCharged,
    LoanEvent,
    Recovered,
    Reopened,
    Repaid,
    Reversed,
    Settled,
)
from registry.domain.kinds import LoanStatus
from registry.domain.ledger import LoanLedger, replay
from registry.domain.loan_state import LoanState
from registry.domain.money import Money
from registry.domain.refusals import RepaymentExceedsOutstanding
from registry.domain.rounding import Rounding
from tests.support.agreements import given_terms
from tests.support.naive_loan import NaiveLoan

START = date(2023, 1, 31)
# Each example is a whole history of a loan; the suite stays within seconds.
FEW = settings(max_examples=50)
CHARGES = st.sampled_from([Component.FEE, Component.PENALTY])


@st.composite
def loans(draw: st.DrawFn, day_counts: tuple[DayCount, ...] = tuple(DayCount)) -> AgreementTerms:
    minor = draw(st.integers(1, 5_000_00))
    return given_terms(
        principal=Money(minor, "CNY"),
        annual_rate=draw(st.decimals(0, "0.6", places=3)),
        term_months=draw(st.integers(1, 14)),
        method=draw(st.sampled_from(RepaymentMethod)),
        day_count=draw(st.sampled_from(day_counts)),
        rounding=draw(st.sampled_from(Rounding)),
        disbursed_on=START,
        first_due_on=START + timedelta(days=draw(st.integers(1, 70))),
        upfront_fee_minor=draw(st.integers(0, minor - 1)),
        instalment_fee_minor=draw(st.sampled_from([0, 0, 3])),
    )


def _amount(ledger: LoanLedger, on: date, share: int) -> int:
    """A share of the pay-off amount in tenths; more than ten is too much."""
    owed = ledger.payoff(on).minor
    return owed * share // 10 + (share > 10)


Step = tuple[str, int, int, int]
STEPS = st.lists(
    st.tuples(
        st.sampled_from(
            ["repay"] * 6 + ["fee", "reverse", "reverse", "charge_off", "recover", "settle", "reopen", "back"]
        ),
        st.integers(0, 45),
        st.integers(0, 11),
        st.integers(1, 30),
    ),
    max_size=14,
)


def _event(ledger: LoanLedger, step: Step, on: date, sequence: int) -> LoanEvent:
    name, _, share, number = step
    makers: dict[str, Callable[[], LoanEvent]] = {
        "repay": lambda: Repaid(on, _amount(ledger, on, share), sequence),
        "back": lambda: Repaid(on - timedelta(days=number * 3), _amount(ledger, on, share) // 3, sequence),
        "fee": lambda: FeeCharged(on, number, list(Component)[number % 4], sequence),
        "reverse": lambda: Reversed(on, number % max(sequence, 1), sequence),
        "charge_off": lambda: ChargedOff(on, sequence),
        "recover": lambda: Recovered(on, _amount(ledger, on, share), sequence),
        "settle": lambda: Settled(on, sequence),
        "reopen": lambda: Reopened(on, sequence),
    }
    return makers[name]()


def _run(terms: AgreementTerms, steps: list[Step]) -> LoanLedger:
    """A ledger after all steps that it did not refuse; each refusal must leave it as it was."""
    ledger = LoanLedger(terms)
    ledger.apply(Disbursed(START, terms.net_disbursement.minor, 1))
    on, sequence = START, 2
    for step in steps:
        on += timedelta(days=step[1])
        before, booked = ledger.state, ledger.events
        try:
            ledger.apply(_event(ledger, step, on, sequence))
        except RegistryError:
            assert (ledger.state, ledger.events) == (before, booked)
        sequence += 1
    return ledger


@FEW
@given(loans(), STEPS)
def test_the_running_ledger_equals_the_fold_of_its_events(terms: AgreementTerms, steps: list[Step]) -> None:
    ledger = _run(terms, steps)
    assert ledger.state == replay(terms, ledger.events)
    assert ledger.state == LoanLedger.of(terms, ledger.events).state


@FEW
@given(loans(), STEPS)
def test_nothing_is_lost_or_invented(terms: AgreementTerms, steps: list[Step]) -> None:
    ledger = _run(terms, steps)
    state = ledger.state
    _conserved(terms, state)
    repaid = 0
    for event in ledger.events:
        split = ledger.allocation_of(event.sequence)
        if split is not None:
            assert split.total_minor == event.amount_minor  # type: ignore[union-attr]
            parts = (split.principal_minor, split.interest_minor, split.fees_minor, split.penalty_minor)
            assert min(*parts, split.unallocated_minor) >= 0
            repaid += split.total_minor
    for later in (0, 20, 400):
        state = ledger.state_on(state.as_of + timedelta(days=later))
        _conserved(terms, state)
        paid = state.principal_paid_minor + state.interest_paid_minor + state.fees_paid_minor + state.penalty_paid_minor
        assert paid + state.recovered_minor + state.credit_minor == repaid


def _conserved(terms: AgreementTerms, state: LoanState) -> None:
    gone = state.principal_paid_minor + state.charged_off_principal_minor
    assert state.principal_outstanding_minor == terms.principal.minor - gone
    assert state.principal_due_minor <= state.principal_outstanding_minor
    assert state.recovered_minor <= state.charged_off_minor
    assert state.credit_minor == 0 or state.payoff(state.as_of).minor > 0
    balances = (
        state.credit_minor,
        state.interest_due_minor,
        state.fees_due_minor,
        state.penalty_due_minor,
        state.minor_days,
    )
    assert min(*balances, state.principal_due_minor, state.principal_outstanding_minor) >= 0
    for row in state.instalments:
        assert 0 <= row.paid_minor <= row.total_minor
        assert min(row.principal_minor, row.interest_minor, row.fees_minor, row.penalty_minor) >= 0
    if state.status is LoanStatus.ACTIVE:
        unpaid = sum(row.unpaid_minor for row in state.instalments if row.is_due)
        charges = sum(row.penalty_minor + row.fees_minor for row in state.instalments if not row.is_due)
        assert unpaid <= state.due_minor <= unpaid + charges
        assert state.instalments[-1].outstanding_after_minor == 0
    else:
        assert state.credit_minor == 0


@FEW
@given(loans(), STEPS, st.integers(0, 600))
def test_the_payoff_of_a_day_pays_the_loan_off_and_a_unit_more_is_refused(
    terms: AgreementTerms, steps: list[Step], later: int
) -> None:
    ledger = _run(terms, steps)
    on = max(event.on for event in ledger.events) + timedelta(days=later)
    payoff = ledger.payoff(on)
    assert payoff == ledger.state.payoff(on)
    if ledger.status is not LoanStatus.ACTIVE:
        return
    sequence = ledger.events[-1].sequence + 1
    before = ledger.state
    with pytest.raises(RepaymentExceedsOutstanding):
        ledger.apply(Repaid(on, payoff.minor + 1, sequence))
    assert ledger.state == before
    if payoff.minor:
        ledger.apply(Repaid(on, payoff.minor, sequence))
    far = on + timedelta(days=5000)
    assert ledger.state.credit_minor == 0
    assert ledger.payoff(far).minor == ledger.outstanding(far).minor == ledger.days_past_due(far) == 0
    assert ledger.next_unpaid_due_on is None
    ledger.apply(Settled(far, sequence + 1))
    assert ledger.status is LoanStatus.SETTLED


@FEW
@given(loans(), STEPS)
def test_the_state_of_a_day_is_the_fold_of_the_events_up_to_it(terms: AgreementTerms, steps: list[Step]) -> None:
    ledger = _run(terms, steps)
    for event in ledger.events:
        state = ledger.state_on(event.on)
        assert state == replay(terms, ledger.events, event.on)
        assert state.as_of == event.on
        assert state.payoff(event.on) == ledger.payoff(event.on)
        assert state.outstanding(event.on) == ledger.outstanding(event.on)
        assert state.days_past_due(event.on) == ledger.days_past_due(event.on)


@FEW
@given(loans(), STEPS, st.integers(0, 900))
def test_looking_ahead_equals_the_state_of_that_day(terms: AgreementTerms, steps: list[Step], later: int) -> None:
    ledger = _run(terms, steps)
    on = max(event.on for event in ledger.events) + timedelta(days=later)
    now, then = ledger.state, ledger.state_on(on)
    assert now.payoff(on) == then.payoff(on)
    assert now.days_past_due(on) == then.days_past_due(on) >= 0
    assert now.outstanding(on).minor == then.principal_outstanding_minor


@FEW
@given(loans(), STEPS)
def test_a_reversed_repayment_counts_as_if_it_had_never_been(terms: AgreementTerms, steps: list[Step]) -> None:
    ledger = _run(terms, [step for step in steps if step[0] in {"repay", "fee"}])
    plain = ledger.state
    last = ledger.events[-1]
    ledger.apply(FeeCharged(last.on, 7, Component.FEE, last.sequence + 1))
    ledger.apply(Reversed(last.on, last.sequence + 1, last.sequence + 2))
    assert ledger.state == plain


@FEW
@given(loans(), st.lists(st.tuples(st.integers(0, 300), st.integers(1, 4)), min_size=1, max_size=6), st.randoms())
def test_repayments_of_one_day_give_the_same_balances_in_any_order_and_as_one(
    terms: AgreementTerms, given_parts: list[tuple[int, int]], random: object
) -> None:
    on = START + timedelta(days=given_parts[0][0])
    base = [Disbursed(START, terms.net_disbursement.minor, 1)]
    payoff = LoanLedger.of(terms, base).payoff(on).minor
    amounts = [payoff * share // 24 for _, share in given_parts if payoff * share // 24]
    shuffled = amounts[:]
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    runs = [amounts, shuffled, [sum(amounts)] if amounts else []]
    states = [replay(terms, [*base, *(Repaid(on, a, 2 + k) for k, a in enumerate(run))], on) for run in runs]
    assert states[0] == states[1] == states[2]


@FEW
@given(loans(), st.permutations(range(5)), st.lists(st.integers(0, 250), min_size=5, max_size=5, unique=True))
def test_booking_order_does_not_change_balances(terms: AgreementTerms, order: list[int], days: list[int]) -> None:
    amount = max(1, terms.principal.minor // 8)
    paid = [START + timedelta(days=day) for day in days]
    base = Disbursed(START, terms.net_disbursement.minor, 1)
    try:
        first = replay(terms, [base, *(Repaid(on, amount, 2 + k) for k, on in enumerate(paid))])
    except RegistryError:
        return
    ledger = LoanLedger(terms)
    ledger.apply(base)
    for k, index in enumerate(order):
        ledger.apply(Repaid(paid[index], amount, 2 + k))
    assert ledger.state == first


@FEW
@given(
    loans(day_counts=(DayCount.ACT_360, DayCount.ACT_365F)),
    st.lists(st.tuples(st.integers(0, 50), st.integers(1, 36), CHARGES | st.none() | st.none()), max_size=9),
)
def test_a_day_by_day_second_opinion_agrees(
    terms: AgreementTerms, steps: list[tuple[int, int, Component | None]]
) -> None:
    terms = given_terms(
        principal=terms.principal,
        annual_rate=terms.annual_rate,
        term_months=terms.term_months,
        method=terms.method,
        day_count=terms.day_count,
        rounding=Rounding.HALF_EVEN,
        disbursed_on=START,
        first_due_on=terms.first_due_on,
        instalment_fee_minor=terms.instalment_fee_minor,
    )
    ledger = LoanLedger(terms)
    year = 360 if terms.day_count is DayCount.ACT_360 else 365
    dues = [(row.due_on, row.principal_minor) for row in ledger.schedule]
    beyond = [add_months(terms.first_due_on, terms.term_months - 1 + k) for k in range(1, 40)]
    naive = NaiveLoan(
        terms.principal.minor, Fraction(terms.annual_rate), year, dues, beyond, terms.instalment_fee_minor
    )
    ledger.apply(Disbursed(START, terms.principal.minor, 1))
    naive.disburse(START)
    on = START
    for sequence, (days, share, charge) in enumerate(steps, start=2):
        on += timedelta(days=days)
        naive.walk(on)
        assert ledger.payoff(on).minor == naive.payoff()
        amount = naive.payoff() * share // 36
        if charge is not None:
            ledger.apply(FeeCharged(on, share, charge, sequence))
            naive.charge(on, share, charge.lower())
        elif amount:
            split = ledger.apply(Repaid(on, amount, sequence))
            taken, held = naive.repay(on, amount)
            assert split is not None
            assert (split.penalty_minor, split.fees_minor, split.interest_minor, split.principal_minor) == tuple(
                taken.values()
            )
            assert split.unallocated_minor == held
        state = ledger.state_on(on)
        assert (state.due_minor, state.principal_outstanding_minor) == (naive.owed_now(), naive.principal)
        assert state.credit_minor == naive.credit


@FEW
@given(loans(), st.integers(0, 400), st.integers(0, 9))
def test_instalments_to_come_turn_out_as_projected_if_they_are_paid(
    terms: AgreementTerms, days: int, tenths: int
) -> None:
    ledger = LoanLedger(terms)
    ledger.apply(Disbursed(START, terms.net_disbursement.minor, 1))
    agreed = [(row.principal_minor, row.interest_minor, row.fees_minor) for row in ledger.schedule]
    assert [(row.principal_minor, row.interest_minor, row.fees_minor) for row in ledger.state.instalments] == agreed
    on = min(START + timedelta(days=days), terms.matures_on)
    due = ledger.state_on(on).due_minor
    paid = due + (ledger.payoff(on).minor - due) * tenths // 10
    if paid:
        ledger.apply(Repaid(on, paid, 2))
    if left := ledger.state_on(on).due_minor:
        ledger.apply(Repaid(on, left, 3))
    ahead = [row for row in ledger.state_on(on).instalments if not row.is_due]
    for sequence, row in enumerate(ahead, start=4):
        assert ledger.state_on(row.due_on).due_minor == row.unpaid_minor
        if row.unpaid_minor:
            ledger.apply(Repaid(row.due_on, row.unpaid_minor, sequence))
        made = ledger.state_on(row.due_on).instalments[row.number - 1]
        assert (made.principal_minor, made.interest_minor, made.fees_minor, made.outstanding_after_minor) == (
            row.principal_minor, row.interest_minor, row.fees_minor, row.outstanding_after_minor
        )  # fmt: skip
    assert ledger.payoff(terms.matures_on + timedelta(days=days)).minor == 0


def test_a_cancelled_loan_takes_no_more_events() -> None:
    ledger = LoanLedger(given_terms(annual_rate=Decimal("0.1")))
    ledger.apply(Cancelled(START, 1))
    assert ledger.state == replay(ledger.terms, ledger.events)
    assert ledger.status is LoanStatus.CANCELLED
