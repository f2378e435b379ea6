"""A loan's history: which event may follow in which standing, and which of the booked events count.

Standing follows the order of booking (`sequence`), balances follow the order of effective days. A reversed event
counts as if it had never happened. A reopening lifts the closings that stand, and what was recovered under a lifted
charge-off counts as repaid.
"""

from collections.abc import Iterable
from operator import attrgetter

from registry.domain.events import (
    Cancelled,
    ChargedOff,
    FeeCharged,
    LoanEvent,
    Recovered,
    Reopened,
    Repaid,
    Reversed,
    Settled,
)
from registry.domain.kinds import LoanStatus, RecordKind, status_after
from registry.domain.refusals import (
    LoanClosed,
    LoanNotDisbursed,
    RecoveryExpected,
    ReversalTargetInvalid,
    SequenceNotRising,
)

_CLOSED = (LoanStatus.SETTLED, LoanStatus.CANCELLED)
_CLOSINGS = (ChargedOff, Settled)
_REVERSIBLE = (Repaid, FeeCharged, Recovered, ChargedOff, Settled)


def admit(status: LoanStatus, event: LoanEvent) -> LoanStatus:
    """The standing after the event, or the refusal that says why it cannot follow."""
    kind = event.kind
    if status is LoanStatus.ACTIVE and kind is RecordKind.REPAYMENT:
        return status
    if status is LoanStatus.REGISTERED and not isinstance(event, Cancelled) and kind is not RecordKind.DISBURSEMENT:
        raise LoanNotDisbursed(kind, event.on)
    if status is LoanStatus.CHARGED_OFF and kind is RecordKind.REPAYMENT:
        raise RecoveryExpected(event.on)
    if status in _CLOSED and not (status is LoanStatus.SETTLED and kind is RecordKind.REOPENING):
        raise LoanClosed(status, kind)
    return status_after(status, kind)


def effective_events(booked: Iterable[LoanEvent]) -> list[LoanEvent]:
    """The events that count, in the order of their days and, within a day, of their sequence."""
    counting: dict[int, LoanEvent] = {}
    lifted: set[int] = set()
    by_sequence: dict[int, LoanEvent] = {}
    last = 0
    for event in booked:
        if event.sequence <= last:
            raise SequenceNotRising(last, event.sequence)
        last = event.sequence
        if isinstance(event, Reversed):
            _reverse(event, by_sequence, counting, lifted)
        elif isinstance(event, Reopened):
            _lift_closings(counting, lifted)
        else:
            counting[last] = event
        by_sequence[last] = event
    return sorted(counting.values(), key=attrgetter("on", "sequence"))


def _reverse(event: Reversed, booked: dict[int, LoanEvent], counting: dict[int, LoanEvent], lifted: set[int]) -> None:
    """Take the target out of what counts; a closing that a reopening has lifted is already out."""
    target = booked.get(event.reverses)
    if target is None:
        raise ReversalTargetInvalid(event.reverses, "there is no such record in this loan's ledger")
    if not isinstance(target, _REVERSIBLE):
        raise ReversalTargetInvalid(event.reverses, f"a {target.kind.name} record is not reversed")
    if event.on < target.on:
        raise ReversalTargetInvalid(event.reverses, f"the reversal is dated before it ({target.on})")
    if event.reverses in lifted:
        lifted.discard(event.reverses)
    elif counting.pop(event.reverses, None) is None:
        raise ReversalTargetInvalid(event.reverses, "it has been reversed before")


def _lift_closings(counting: dict[int, LoanEvent], lifted: set[int]) -> None:
    for sequence, event in list(counting.items()):
        if isinstance(event, _CLOSINGS):
            del counting[sequence]
            lifted.add(sequence)
        elif isinstance(event, Recovered):
            counting[sequence] = Repaid(event.on, event.amount_minor, sequence)
