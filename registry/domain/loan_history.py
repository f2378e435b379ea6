"""From records back to balances: the events a loan's records stand for, and the ledger they replay to."""

from collections.abc import Iterable, Sequence

from registry.domain import events
from registry.domain.agreement import AgreementTerms
from registry.domain.allocation import Component
from registry.domain.kinds import RecordKind
from registry.domain.ledger import LoanLedger
from registry.domain.records import LoanRecord


def ledger_of(terms: AgreementTerms, records: Sequence[LoanRecord]) -> LoanLedger:
    """The ledger after all records, from the agreed terms."""
    return LoanLedger.of(terms, events_of(records))


def events_of(records: Iterable[LoanRecord]) -> Iterable[events.LoanEvent]:
    """What each record means for the balances; agreements, transfers and remarks mean nothing."""
    for record in records:
        event = event_of(record)
        if event is not None:
            yield event


def event_of(record: LoanRecord) -> events.LoanEvent | None:
    on, sequence = record.effective_on, record.sequence
    minor = record.amount.minor if record.amount is not None else 0
    match record.kind:
        case RecordKind.DISBURSEMENT:
            return events.Disbursed(on=on, amount_minor=int(str(record.fields["net_minor"])), sequence=sequence)
        case RecordKind.REPAYMENT:
            return events.Repaid(on=on, amount_minor=minor, sequence=sequence)
        case RecordKind.FEE:
            part = Component(str(record.fields["component"]))
            return events.FeeCharged(on=on, amount_minor=minor, component=part, sequence=sequence)
        case RecordKind.REVERSAL:
            return events.Reversed(on=on, reverses=record.reverses or 0, sequence=sequence)
        case RecordKind.CHARGE_OFF:
            return events.ChargedOff(on=on, sequence=sequence)
        case RecordKind.RECOVERY:
            return events.Recovered(on=on, amount_minor=minor, sequence=sequence)
        case RecordKind.SETTLEMENT:
            return events.Settled(on=on, sequence=sequence, waived_minor=minor)
        case RecordKind.CANCELLATION:
            return events.Cancelled(on=on, sequence=sequence)
        case RecordKind.REOPENING:
            return events.Reopened(on=on, sequence=sequence)
        case _:
            return None
