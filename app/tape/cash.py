"""From a loan's cash totals to dated repayments: what must have happened for the totals to be what they are.

A tape with totals says how much came in, not when. The derivation, with the agreed schedule as its guide:

- each due date up to the month of the last payment brings the scheduled instalment, as long as the cash lasts;
- where that would make more or less interest than the tape says was paid, a part was repaid ahead of time: one of the
  due dates brings all the cash there is before the last payment, the one whose interest comes nearest;
- the last payment is what the tape says it was, and whatever the due dates before it did not take;
- late fees are a penalty charged on the day of the last payment, before it;
- a loan repaid in full is settled on that day: cash above what the ledger asks was a fee of the same amount, cash below
  it is forgiven in the settlement, so that the cash stays exact whatever remains of the difference;
- a charged-off loan is charged off 150 days after the first instalment it left unpaid (the source's own rule is 120 to
  150 days); recoveries are one amount, 180 days later.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from registry.domain import events
from registry.domain.agreement import AgreementTerms
from registry.domain.allocation import Component
from registry.domain.kinds import RecordKind
from registry.domain.ledger import LoanLedger
from registry.domain.money import Money
from registry.domain.schedule import Instalment
from registry.services.book_histories import HistoryEvent

CHARGE_OFF_AFTER = timedelta(days=150)
RECOVERY_AFTER = timedelta(days=180)
NEAR_ENOUGH_MINOR = 100  # a difference of arithmetic, not of behaviour

Plan = list[tuple[date, int]]


@dataclass(frozen=True, slots=True)
class CashTotals:
    """What a tape says came in over a loan's life; `last_received_on` None: nothing ever did."""

    principal: Money
    interest: Money
    late_fees: Money
    recovered: Money
    last_received_on: date | None
    last_received: Money
    charged_off: bool

    @property
    def before_recovery_minor(self) -> int:
        return self.principal.minor + self.interest.minor + self.late_fees.minor


class Derivation:
    """Builds the events of one loan on a ledger of its own, so that every amount fits what is owed that day."""

    def __init__(self, terms: AgreementTerms, cash: CashTotals) -> None:
        self.terms, self.cash = terms, cash
        self.ledger = LoanLedger(terms)
        self.events: list[HistoryEvent] = []
        self._sequence = 1  # the agreement is record 0

    def run(self) -> list[HistoryEvent]:
        """The events from disbursement to the end of the loan."""
        net = self.terms.net_disbursement
        self._apply(events.Disbursed(self.terms.disbursed_on, net.minor, self._sequence))
        self.events.append(HistoryEvent(RecordKind.DISBURSEMENT, self.terms.disbursed_on, self.terms.principal))
        total, last_on = self.cash.before_recovery_minor, self.cash.last_received_on
        if last_on is not None and total > 0:
            last_on = max(last_on, self.terms.first_due_on)
            left = self._instalments(total, last_on)
            self._last(left, last_on)
        if self.cash.charged_off:
            self._charge_off()
        elif self.ledger.payoff(self._last_day()).minor == 0 or last_on is not None:
            self._settle(self._last_day())
        return self.events

    def _instalments(self, total: int, last_on: date) -> int:
        """Payments before the last one; returns the cash that is left for it."""
        rows = [row for row in self.ledger.schedule if row.due_on < last_on]
        early = total - min(self.cash.last_received.minor, total)
        plan = self._plan(rows, early, None)
        told = bool(self.cash.last_received.minor) and not self.cash.charged_off
        if told and rows and abs(self._missing(plan, total, last_on)) > NEAR_ENOUGH_MINOR:
            plan = self._closest(rows, early, total, last_on)
        for on, minor in plan:
            self._repay(on, minor)
        return total - sum(minor for _, minor in plan)

    def _plan(self, rows: Sequence[Instalment], cash: int, lump_at: int | None) -> Plan:
        """Scheduled instalments, and in the month `lump_at` (from 1) all that is left; at least a unit stays owed."""
        plan: Plan = []
        for row in rows[:lump_at]:
            due = row.principal_minor + row.interest_minor + row.fees_minor
            wanted = cash if row.number == lump_at else min(due, cash)
            if row.number == lump_at:
                wanted = min(wanted, self._trial(plan).payoff(row.due_on).minor - 1)
            if wanted <= 0:
                break
            plan.append((row.due_on, wanted))
            cash -= wanted
        return plan

    def _closest(self, rows: Sequence[Instalment], cash: int, total: int, last_on: date) -> Plan:
        """The plan whose interest comes nearest to the tape's: the earlier the lump sum, the less interest runs."""
        low, high = 1, len(rows)
        while low < high:
            middle = (low + high) // 2
            if self._missing(self._plan(rows, cash, middle), total, last_on) < 0:
                low = middle + 1
            else:
                high = middle
        plans = [self._plan(rows, cash, month) for month in {low, max(low - 1, 1)}]
        return min(plans, key=lambda plan: abs(self._missing(plan, total, last_on)))

    def _missing(self, plan: Plan, total: int, last_on: date) -> int:
        """What the last payment would be short of clearing the loan, in minor units; below zero: beyond it."""
        rest = total - sum(minor for _, minor in plan)
        return self._trial(plan).payoff(last_on).minor + self.cash.late_fees.minor - rest

    def _trial(self, plan: Plan) -> LoanLedger:
        """A ledger on which a plan has happened."""
        booked: list[events.LoanEvent] = [
            events.Disbursed(self.terms.disbursed_on, self.terms.net_disbursement.minor, 1)
        ]
        booked += [events.Repaid(on, minor, number) for number, (on, minor) in enumerate(plan, 2)]
        return LoanLedger.of(self.terms, booked)

    def _last(self, amount: int, on: date) -> None:
        late = min(self.cash.late_fees.minor, amount)
        if late > 0:
            self._charge(on, late, Component.PENALTY, "late fees")
        excess = amount - self.ledger.payoff(on).minor
        if excess > 0:
            self._charge(on, excess, Component.FEE, "received beyond the schedule")
        if amount > 0:
            self._repay(on, amount)

    def _settle(self, on: date) -> None:
        forgiven = self.ledger.payoff(on)
        waived = forgiven if forgiven.minor else None
        self._apply(events.Settled(on, self._sequence, forgiven.minor))
        self.events.append(HistoryEvent(RecordKind.SETTLEMENT, on, waived, reason="repaid in full"))

    def _charge_off(self) -> None:
        first_unpaid = self.ledger.next_unpaid_due_on or self._last_day()
        on = max(first_unpaid + CHARGE_OFF_AFTER, self._last_day())
        self._apply(events.ChargedOff(on, self._sequence))
        self.events.append(HistoryEvent(RecordKind.CHARGE_OFF, on, reason="150 days past due"))
        recovered = self.cash.recovered.minor
        if recovered > 0:
            later = on + RECOVERY_AFTER
            amount = min(recovered, self.ledger.payoff(later).minor)
            if amount == 0:
                return
            self._apply(events.Recovered(later, amount, self._sequence))
            self.events.append(HistoryEvent(RecordKind.RECOVERY, later, self._money(amount), reason="collection"))

    def _repay(self, on: date, minor: int) -> None:
        self._apply(events.Repaid(on, minor, self._sequence))
        self.events.append(HistoryEvent(RecordKind.REPAYMENT, on, self._money(minor)))

    def _charge(self, on: date, minor: int, component: Component, reason: str) -> None:
        self._apply(events.FeeCharged(on, minor, component, self._sequence))
        self.events.append(
            HistoryEvent(RecordKind.FEE, on, self._money(minor), component=component.value, reason=reason)
        )

    def _apply(self, event: events.LoanEvent) -> None:
        self.ledger.apply(event)
        self._sequence += 1

    def _last_day(self) -> date:
        return self.events[-1].on

    def _money(self, minor: int) -> Money:
        return Money(minor, self.terms.currency)
