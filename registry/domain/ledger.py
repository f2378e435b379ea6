"""The ledger of one loan: events in, balances out; the fold of all events that count is the truth.

`replay` is that fold. `LoanLedger` keeps its running result, so that booking the next event is cheap, and folds anew
when an event changes the past: a reversal, a reopening, or an effective day before the last event's.

A repayment pays what is due, then secures the next instalment as a credit that is applied on its due date, then
prepays principal from the last instalment backwards; the rules in full stand in `registry.domain.position`.
"""

from collections.abc import Iterable
from datetime import date
from typing import Self

from registry.domain.agreement import AgreementTerms
from registry.domain.allocation import Allocation
from registry.domain.errors import RegistryError
from registry.domain.events import LoanEvent, Reopened, Reversed
from registry.domain.history import admit, effective_events
from registry.domain.kinds import LoanStatus
from registry.domain.loan_state import LoanState, days_past_due, next_unpaid_due_on, rolled, snapshot
from registry.domain.money import Money
from registry.domain.position import Position
from registry.domain.refusals import SequenceNotRising
from registry.domain.schedule import Instalment, build_schedule


def replay(terms: AgreementTerms, events: Iterable[LoanEvent], as_of: date | None = None) -> LoanState:
    """The state after the events, given in the order of booking; with `as_of`, only those effective by that day."""
    return snapshot(_fold(terms, build_schedule(terms), effective_events(events), as_of), as_of)


class LoanLedger:
    """The events booked on one loan and its running position.

    `apply` books an event or refuses it and changes nothing. Events come in rising `sequence`; their days may go back.
    """

    __slots__ = ("_events", "_last_on", "_position", "schedule", "terms")

    def __init__(self, terms: AgreementTerms) -> None:
        self.terms = terms
        self.schedule: tuple[Instalment, ...] = build_schedule(terms)
        self._events: list[LoanEvent] = []
        self._last_on = date.min
        self._position = Position(terms, self.schedule)

    @classmethod
    def of(cls, terms: AgreementTerms, events: Iterable[LoanEvent]) -> Self:
        """The ledger of events that were booked before, in the order of booking."""
        ledger = cls(terms)
        ledger._refold(list(events))
        return ledger

    def apply(self, event: LoanEvent) -> Allocation | None:
        """Book one event; for a repayment or recovery, how it was split."""
        events = self._events
        if events and event.sequence <= events[-1].sequence:
            raise SequenceNotRising(events[-1].sequence, event.sequence)
        if event.on < self._last_on or isinstance(event, Reversed | Reopened):
            admit(self._position.status, event)
            self._refold([*events, event])
            return self._position.allocations.get(event.sequence)
        try:
            self._position.book(event)
        except RegistryError:
            self._refold(events)
            raise
        events.append(event)
        self._last_on = event.on
        return self._position.allocations.get(event.sequence)

    @property
    def status(self) -> LoanStatus:
        return self._position.status

    @property
    def events(self) -> tuple[LoanEvent, ...]:
        """All that was booked, in the order of booking."""
        return tuple(self._events)

    @property
    def state(self) -> LoanState:
        """The state on the day of the last event that counts."""
        return snapshot(self._position)

    def state_on(self, as_of: date) -> LoanState:
        """The state on any day, as it is known now: only events effective by that day, none that was reversed."""
        if as_of >= self._last_on:
            return snapshot(self._position, as_of)
        return snapshot(_fold(self.terms, self.schedule, effective_events(self._events), as_of), as_of)

    def allocation_of(self, sequence: int) -> Allocation | None:
        """How a repayment or recovery is split, as it is known now; None for other events and reversed ones."""
        return self._position.allocations.get(sequence)

    def payoff(self, as_of: date) -> Money:
        """What clears the loan on a day, beside the credit held; the same as the state's, without making one."""
        return Money(self._on(as_of).payoff_minor(), self.terms.currency)

    def outstanding(self, as_of: date) -> Money:
        """The principal outstanding on a day."""
        return Money(self._on(as_of).principal_minor, self.terms.currency)

    def days_past_due(self, as_of: date) -> int:
        """Calendar days since the oldest unpaid due date, 0 if nothing due is unpaid."""
        return days_past_due(self._on(as_of), as_of)

    @property
    def principal_outstanding_minor(self) -> int:
        """The principal outstanding now, in minor units; 0 before the payout, charged off or closed."""
        return self._position.principal_minor

    @property
    def next_unpaid_due_on(self) -> date | None:
        """The due date of the first instalment that is not fully paid, nor fully secured by the credit held."""
        return next_unpaid_due_on(self._position)

    def _on(self, as_of: date) -> Position:
        if as_of >= self._last_on:
            return rolled(self._position, as_of)
        return rolled(_fold(self.terms, self.schedule, effective_events(self._events), as_of), as_of)

    def _refold(self, events: list[LoanEvent]) -> None:
        """Fold anew and keep the result; a refusal leaves the ledger as it was."""
        counting = effective_events(events)
        self._position = _fold(self.terms, self.schedule, counting, None)
        self._events = events
        self._last_on = counting[-1].on if counting else date.min


def _fold(
    terms: AgreementTerms, schedule: tuple[Instalment, ...], counting: Iterable[LoanEvent], as_of: date | None
) -> Position:
    position = Position(terms, schedule)
    for event in counting:
        if as_of is not None and event.on > as_of:
            break
        position.book(event)
    return position
