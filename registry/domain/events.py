"""What happens to a loan, as the ledger sees it: one frozen event for each record that moves money or standing.

`on` is the effective day, `sequence` the position of the record in the loan's history (the agreement is 0), so
sequences rise in the order of booking while days may go back. Amounts are positive minor units of the agreement's
currency.
"""

from dataclasses import dataclass
from datetime import date
from typing import ClassVar

from registry.domain.allocation import Component
from registry.domain.kinds import RecordKind


@dataclass(frozen=True, slots=True)
class Disbursed:
    """The loan was paid out; the amount is the agreement's `net_disbursement`."""

    on: date
    amount_minor: int
    sequence: int
    kind: ClassVar[RecordKind] = RecordKind.DISBURSEMENT


@dataclass(frozen=True, slots=True)
class Repaid:
    """Money came in from the borrower."""

    on: date
    amount_minor: int
    sequence: int
    kind: ClassVar[RecordKind] = RecordKind.REPAYMENT


@dataclass(frozen=True, slots=True)
class FeeCharged:
    """A fee or a penalty was charged; it is payable from its day on."""

    on: date
    amount_minor: int
    component: Component
    sequence: int
    kind: ClassVar[RecordKind] = RecordKind.FEE


@dataclass(frozen=True, slots=True)
class Reversed:
    """The record at sequence `reverses` is taken back: a repayment, fee, recovery, charge-off or settlement."""

    on: date
    reverses: int
    sequence: int
    kind: ClassVar[RecordKind] = RecordKind.REVERSAL


@dataclass(frozen=True, slots=True)
class ChargedOff:
    """The lender wrote the claim off; nothing accrues from here on."""

    on: date
    sequence: int
    kind: ClassVar[RecordKind] = RecordKind.CHARGE_OFF


@dataclass(frozen=True, slots=True)
class Recovered:
    """Money came in on a charged-off claim."""

    on: date
    amount_minor: int
    sequence: int
    kind: ClassVar[RecordKind] = RecordKind.RECOVERY


@dataclass(frozen=True, slots=True)
class Settled:
    """The loan was closed: with nothing owed, with exactly what is owed forgiven, or after a charge-off."""

    on: date
    sequence: int
    waived_minor: int = 0
    kind: ClassVar[RecordKind] = RecordKind.SETTLEMENT


@dataclass(frozen=True, slots=True)
class Cancelled:
    """The loan was called off before its principal was out, or after all of it came back."""

    on: date
    sequence: int
    kind: ClassVar[RecordKind] = RecordKind.CANCELLATION


@dataclass(frozen=True, slots=True)
class Reopened:
    """A settled or charged-off loan is active again: the closing is lifted as if it had not been."""

    on: date
    sequence: int
    kind: ClassVar[RecordKind] = RecordKind.REOPENING


LoanEvent = Disbursed | Repaid | FeeCharged | Reversed | ChargedOff | Recovered | Settled | Cancelled | Reopened
