"""How a simulated borrower pays: on time, late, early, back and forth, or at some point no more.

The model, for a borrower with lifetime probability of default PD (see `scoring.simulated`):

- the borrower defaults with probability PD, before an instalment drawn evenly from the second to the 18th;
- until then each instalment is paid on its due day with probability 1 - p, else late by 1 + Exp(mean 8) days, where
  p = 0.04 + 0.5 PD; once in three hundred a payment bounces and is made good three days later;
- each month the loan is repaid in full with probability 0.7 %, and a part of 5 to 30 % of the balance with 0.5 %;
- lateness beyond the product's days of grace costs the product's penalty, charged with the payment;
- a defaulted loan is charged off 150 days after its first unpaid instalment; from half of them 10 to 60 % of the claim
  is recovered 90 to 360 days later.

Only what happened up to `as_of` is told. Every amount comes from the loan's own ledger.
"""

import random
from datetime import date, timedelta

from registry.domain import events
from registry.domain.agreement import AgreementTerms
from registry.domain.allocation import Component
from registry.domain.kinds import RecordKind
from registry.domain.ledger import LoanLedger
from registry.domain.money import Money
from registry.domain.product import Product
from registry.services.book_histories import HistoryEvent

CHARGE_OFF_AFTER = timedelta(days=150)
BOUNCE, EARLY, PARTIAL = 1 / 300, 0.007, 0.005
BOUNCED_AGAIN_AFTER = timedelta(days=3)


class Life:
    """The life of one loan up to a day, drawn with `rng`."""

    def __init__(
        self, rng: random.Random, product: Product, terms: AgreementTerms, default_probability: float, as_of: date
    ) -> None:
        self.rng, self.product, self.terms, self.as_of = rng, product, terms, as_of
        self.ledger = LoanLedger(terms)
        self.told: list[HistoryEvent] = []
        self._sequence = 1
        self._late_share = 0.04 + 0.5 * default_probability
        defaults = rng.random() < default_probability
        self._stops_before = rng.randint(2, max(2, min(18, terms.term_months))) if defaults else None

    def run(self) -> list[HistoryEvent]:
        """Everything from the disbursement to `as_of`."""
        terms = self.terms
        self._tell(
            events.Disbursed(terms.disbursed_on, terms.net_disbursement.minor, self._sequence),
            HistoryEvent(RecordKind.DISBURSEMENT, terms.disbursed_on, terms.principal),
        )
        for row in self.ledger.schedule:
            if row.number == self._stops_before:
                self._default(row.due_on)
                break
            if not self._instalment(row.due_on):
                break
        return self.told

    def _instalment(self, due_on: date) -> bool:
        """Pay what is due; False when the loan is over or `as_of` is reached."""
        late_days = 1 + int(self.rng.expovariate(1 / 8)) if self.rng.random() < self._late_share else 0
        on = max(due_on + timedelta(days=late_days), self.told[-1].on)
        if on > self.as_of:
            return False
        self._penalty(on, late_days)
        due = self.ledger.state_on(on).due_minor
        if due and self.rng.random() < BOUNCE and on + BOUNCED_AGAIN_AFTER <= self.as_of:
            self._bounce(on, due)
            on += BOUNCED_AGAIN_AFTER
            due = self.ledger.state_on(on).due_minor
        owed = self.ledger.payoff(on).minor
        drawn = self.rng.random()
        if drawn < EARLY or (due and due_on == self.terms.matures_on):
            due = owed  # who pays late at the end is asked for the interest since, too
        elif drawn < EARLY + PARTIAL:
            due = min(owed, due + int(owed * self.rng.uniform(0.05, 0.3)))
        if due:
            self._repay(on, due)
        if self.ledger.payoff(on).minor == 0:
            self._tell(
                events.Settled(on, self._sequence), HistoryEvent(RecordKind.SETTLEMENT, on, reason="repaid in full")
            )
            return False
        return True

    def _default(self, due_on: date) -> None:
        on = due_on + CHARGE_OFF_AFTER
        if on > self.as_of:
            return
        self._tell(events.ChargedOff(on, self._sequence), HistoryEvent(RecordKind.CHARGE_OFF, on, reason="in default"))
        later = on + timedelta(days=self.rng.randint(90, 360))
        if self.rng.random() < 0.5 and later <= self.as_of:
            amount = max(1, int(self.ledger.payoff(later).minor * self.rng.uniform(0.1, 0.6)))
            self._tell(
                events.Recovered(later, amount, self._sequence),
                HistoryEvent(RecordKind.RECOVERY, later, self._money(amount), reason="collection"),
            )

    def _penalty(self, on: date, late_days: int) -> None:
        if late_days <= self.product.late.grace_days:
            return
        state = self.ledger.state_on(on)
        if not state.due_minor:
            return
        overdue = state.principal_due_minor
        minor = self.product.late.penalty_minor(self.terms, overdue, late_days) + self.product.late.fixed_minor
        if minor > 0:
            self._tell(
                events.FeeCharged(on, minor, Component.PENALTY, self._sequence),
                HistoryEvent(
                    RecordKind.FEE, on, self._money(minor), component="PENALTY", reason=f"{late_days} days late"
                ),
            )

    def _bounce(self, on: date, minor: int) -> None:
        self._repay(on, minor)
        bounced = self._sequence - 1
        self._tell(
            events.Reversed(on, bounced, self._sequence),
            HistoryEvent(RecordKind.REVERSAL, on, reason="returned by the borrower's bank"),
        )

    def _repay(self, on: date, minor: int) -> None:
        self._tell(
            events.Repaid(on, minor, self._sequence),
            HistoryEvent(RecordKind.REPAYMENT, on, self._money(minor), channel="DIRECT_DEBIT"),
        )

    def _tell(self, event: events.LoanEvent, told: HistoryEvent) -> None:
        self.ledger.apply(event)
        self.told.append(told)
        self._sequence += 1

    def _money(self, minor: int) -> Money:
        return Money(minor, self.terms.currency)
