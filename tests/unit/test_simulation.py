"""The simulated portfolio: repeatable, of sound parts, within its model's shares, and exact in its money."""

import math
from collections import Counter
from datetime import date, timedelta
from fractions import Fraction
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from stdnum.cn import ric, uscc

from app.simulation.portfolio import Drawn, draw_portfolio
from registry.domain import events
from registry.domain.allocation import Component
from registry.domain.calendar import due_dates
from registry.domain.day_count import DayCount
from registry.domain.kinds import RecordKind
from registry.domain.ledger import LoanLedger
from registry.domain.product import shipped_product
from registry.services.book_histories import HistoryEvent, LoanHistory

AS_OF = date(2026, 3, 31)
LOANS = 2_000
USCC_ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"


@pytest.fixture(scope="module")
def portfolio() -> list[Drawn]:
    return list(draw_portfolio(LOANS, 7, 3, AS_OF))


@pytest.fixture(scope="module")
def histories(portfolio: list[Drawn]) -> list[LoanHistory]:
    return [drawn.history for drawn in portfolio]


def kinds(history: LoanHistory) -> Counter[RecordKind]:
    return Counter(event.kind for event in history.events)


def share(histories: list[LoanHistory], kind: RecordKind) -> float:
    return sum(bool(kinds(history)[kind]) for history in histories) / len(histories)


def ledger_of(history: LoanHistory) -> LoanLedger:
    """The ledger after all that is told of a loan."""
    ledger = LoanLedger(history.terms)
    for sequence, event in enumerate(history.events, start=1):
        ledger.apply(_event(history, event, sequence))
    return ledger


def _event(history: LoanHistory, event: HistoryEvent, sequence: int) -> events.LoanEvent:
    minor = event.amount.minor if event.amount is not None else 0
    match event.kind:
        case RecordKind.DISBURSEMENT:
            return events.Disbursed(event.on, history.terms.net_disbursement.minor, sequence)
        case RecordKind.REPAYMENT:
            return events.Repaid(event.on, minor, sequence)
        case RecordKind.FEE:
            return events.FeeCharged(event.on, minor, Component(str(event.component)), sequence)
        case RecordKind.REVERSAL:
            return events.Reversed(event.on, sequence - 1, sequence)
        case RecordKind.CHARGE_OFF:
            return events.ChargedOff(event.on, sequence)
        case RecordKind.RECOVERY:
            return events.Recovered(event.on, minor, sequence)
        case RecordKind.SETTLEMENT:
            return events.Settled(event.on, sequence)
        case _:
            pytest.fail(f"a simulated loan has no {event.kind.name}")


@given(seed=st.integers(0, 2**40), count=st.integers(1, 8))
@settings(max_examples=12, deadline=None)
def test_equal_seeds_draw_equal_portfolios_and_a_longer_one_begins_alike(seed: int, count: int) -> None:
    first = list(draw_portfolio(count, seed, 2, AS_OF))

    assert list(draw_portfolio(count, seed, 2, AS_OF)) == first
    assert list(draw_portfolio(count + 2, seed, 2, AS_OF))[:count] == first


@given(seed=st.integers(0, 2**40))
@settings(max_examples=12, deadline=None)
def test_another_seed_draws_another_portfolio(seed: int) -> None:
    def drawn(number: int) -> list[object]:
        return [
            (one.history.identity, one.history.terms, one.history.inputs) for one in draw_portfolio(4, number, 2, AS_OF)
        ]

    assert drawn(seed) != drawn(seed + 1)


@given(seed=st.integers(0, 2**40), as_of=st.dates(date(2021, 1, 1), date(2030, 12, 31)))
@settings(max_examples=15, deadline=None)
def test_nothing_happens_after_the_last_day_or_before_the_payout(seed: int, as_of: date) -> None:
    for drawn in draw_portfolio(6, seed, 2, as_of):
        days = [event.on for event in drawn.history.events]
        assert days == sorted(days)
        assert drawn.history.agreed_on == drawn.history.terms.disbursed_on == days[0]
        assert days[-1] <= as_of


def test_references_are_each_there_once(histories: list[LoanHistory]) -> None:
    assert len({history.external_reference for history in histories}) == LOANS


def test_every_product_of_the_market_and_every_kind_of_event_appears(histories: list[LoanHistory]) -> None:
    products = Counter(history.product_id for history in histories)
    told: Counter[RecordKind] = sum((kinds(history) for history in histories), Counter())

    assert {shipped_product(name.split("@")[0]).category.value for name in products} == {
        "CONSUMER", "CAR", "SCENARIO_INSTALMENT", "BUSINESS", "MORTGAGE", "SUPPLY_CHAIN", "GREEN",
    }  # fmt: skip
    assert min(products.values()) > LOANS * 0.01
    assert set(told) == {
        RecordKind.DISBURSEMENT, RecordKind.REPAYMENT, RecordKind.FEE, RecordKind.REVERSAL, RecordKind.CHARGE_OFF,
        RecordKind.RECOVERY, RecordKind.SETTLEMENT,
    }  # fmt: skip


def test_each_lender_makes_about_as_many_loans(portfolio: list[Drawn]) -> None:
    made = Counter(drawn.lender for drawn in portfolio)

    assert set(made) == {0, 1, 2}
    assert all(0.28 < count / LOANS < 0.39 for count in made.values())


def test_terms_are_within_the_products_bounds(histories: list[LoanHistory]) -> None:
    for history in histories:
        product, terms = shipped_product(history.product_id.split("@")[0]), history.terms
        low, high = product.amount_bounds("CNY")
        assert low <= terms.principal <= high
        assert product.term_months_min <= terms.term_months <= product.term_months_max
        assert product.annual_rate_min <= terms.annual_rate <= product.annual_rate_max
        assert history.purpose in product.purposes
        assert (history.asset is not None) >= product.secured


def test_identity_numbers_are_valid(histories: list[LoanHistory]) -> None:
    people = {history.identity for history in histories}

    assert {identity.kind for identity in people} == {"PERSON", "ORGANISATION"}
    for identity in people:
        number = str(identity.number)
        if identity.kind == "PERSON":
            assert ric.validate(number) == number
            assert number[6:14] == f"{identity.born_on:%Y%m%d}"
            # ISO 7064 MOD 11-2, as GB 11643 has it.
            assert (
                sum(2 ** (17 - at) * (10 if digit == "X" else int(digit)) for at, digit in enumerate(number)) % 11 == 1
            )
        else:
            assert uscc.validate(number) == number
            # GB 32100: weights are powers of three, modulo 31.
            assert sum(3**at % 31 * USCC_ALPHABET.index(sign) for at, sign in enumerate(number[:17])) % 31 == (
                -USCC_ALPHABET.index(number[17]) % 31
            )


def test_borrowers_are_of_an_age_to_borrow(histories: list[LoanHistory]) -> None:
    for history in histories:
        if (born_on := history.identity.born_on) is not None:
            years = (history.terms.disbursed_on - born_on).days / 365.25
            # A returning borrower was drawn for the day of an earlier or later loan, up to three years away.
            assert 18 < years < 65


def test_some_borrow_again(histories: list[LoanHistory]) -> None:
    again = LOANS - len({history.identity for history in histories})

    assert 0.03 < again / LOANS < 0.10


def test_shares_of_defaults_prepayments_and_charges_are_those_of_the_model(histories: list[LoanHistory]) -> None:
    early = sum(
        bool(kinds(history)[RecordKind.SETTLEMENT])
        and history.events[-1].on < history.terms.matures_on - timedelta(days=40)
        for history in histories
    )

    assert 0.005 < share(histories, RecordKind.CHARGE_OFF) < 0.12
    assert 0.02 < early / LOANS < 0.30
    assert 0.20 < share(histories, RecordKind.SETTLEMENT) < 0.60
    assert 0.005 < share(histories, RecordKind.REVERSAL) < 0.12
    assert 0.10 < share(histories, RecordKind.FEE) < 0.70
    lost = [history for history in histories if kinds(history)[RecordKind.CHARGE_OFF]]
    assert 0.10 < share(lost, RecordKind.RECOVERY) < 0.70


def test_some_running_loans_are_in_arrears_and_most_are_not(histories: list[LoanHistory]) -> None:
    closed = {RecordKind.SETTLEMENT, RecordKind.CHARGE_OFF}
    running = [history for history in histories if not closed & set(kinds(history))][:500]
    late = sum(ledger_of(history).days_past_due(AS_OF) > 0 for history in running)

    assert len(running) == 500
    assert 0.005 < late / 500 < 0.20


def test_a_charge_off_comes_150_days_after_an_unpaid_due_day(histories: list[LoanHistory]) -> None:
    for history in histories:
        for event in history.events:
            if event.kind is RecordKind.CHARGE_OFF:
                due_on = event.on - timedelta(days=150)
                assert due_on in due_dates(history.terms.first_due_on, history.terms.term_months)
                assert not any(due_on <= other.on < event.on for other in history.events)


def test_money_is_conserved_to_the_cent_in_loans_paid_as_agreed(histories: list[LoanHistory]) -> None:
    """A second calculation, in fractions: what each payment leaves after interest and fee is principal, to zero."""
    walked = settled = 0
    for history in histories:
        payments = _as_agreed(history)
        if payments:
            balance = history.terms.principal.minor
            start = history.terms.disbursed_on
            for due_on, paid in payments:
                balance -= paid - _interest(history, balance, start, due_on) - history.terms.instalment_fee_minor
                start = due_on
            assert balance >= 0
            assert (balance == 0) == bool(kinds(history)[RecordKind.SETTLEMENT]), history.external_reference
            walked += 1
            settled += balance == 0
    assert walked > LOANS / 5
    assert settled > LOANS / 50


def _as_agreed(history: LoanHistory) -> list[tuple[date, int]]:
    """The payments of a loan on which only due days were paid, each once, without charges; else nothing."""
    plain = {RecordKind.DISBURSEMENT, RecordKind.REPAYMENT, RecordKind.SETTLEMENT}
    paid = [
        (event.on, event.amount.minor)
        for event in history.events
        if event.kind is RecordKind.REPAYMENT and event.amount
    ]
    dues = due_dates(history.terms.first_due_on, history.terms.term_months)
    if history.terms.method == "BULLET" or not set(kinds(history)) <= plain:
        return []
    return paid if [on for on, _ in paid] == list(dues[: len(paid)]) and not _has_prepaid(paid) else []


def _has_prepaid(paid: list[tuple[date, int]]) -> bool:
    """Part prepayments stand out among level, falling or interest-only instalments; a full one is the last payment."""
    amounts = [amount for _, amount in paid[:-1]]
    return any(later > earlier * Fraction(112, 100) for earlier, later in pairwise(amounts))


def _interest(history: LoanHistory, balance: int, start: date, end: date) -> int:
    terms = history.terms
    days = 30 if terms.day_count is DayCount.THIRTY_360 else (end - start).days
    return math.floor(balance * Fraction(terms.annual_rate) * days / 360 + Fraction(1, 2))
