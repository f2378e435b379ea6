"""What can happen to a loan, and in which standing: the kinds and statuses the contract knows, with its rules."""

from dataclasses import dataclass
from enum import IntEnum
from typing import ClassVar

from registry.domain.errors import RuleRefused


class RecordKind(IntEnum):
    """The kind of a record; the value is the kind byte on chain, so kinds are only ever added at the end."""

    AGREEMENT = 0
    DISBURSEMENT = 1
    REPAYMENT = 2
    REVERSAL = 3
    FEE = 4
    AMENDMENT = 5
    RESTRUCTURE = 6
    CHARGE_OFF = 7
    RECOVERY = 8
    SETTLEMENT = 9
    CANCELLATION = 10
    REOPENING = 11
    TRANSFER = 12
    DISPUTE = 13
    ERASURE = 14
    OTHER = 15


class LoanStatus(IntEnum):
    """The standing of a loan as the contract stores it; 0 on chain means that there is no such loan."""

    REGISTERED = 1
    ACTIVE = 2
    SETTLED = 3
    CHARGED_OFF = 4
    CANCELLED = 5


_ANY_STATUS = frozenset({RecordKind.DISPUTE, RecordKind.ERASURE, RecordKind.OTHER, RecordKind.TRANSFER})
_SERVICING = frozenset(
    {
        RecordKind.DISBURSEMENT,
        RecordKind.REPAYMENT,
        RecordKind.REVERSAL,
        RecordKind.FEE,
        RecordKind.AMENDMENT,
        RecordKind.RESTRUCTURE,
    }
)
_TRANSITIONS: dict[LoanStatus, dict[RecordKind, LoanStatus]] = {
    LoanStatus.REGISTERED: {
        RecordKind.DISBURSEMENT: LoanStatus.ACTIVE,
        RecordKind.CANCELLATION: LoanStatus.CANCELLED,
    },
    LoanStatus.ACTIVE: {
        RecordKind.SETTLEMENT: LoanStatus.SETTLED,
        RecordKind.CHARGE_OFF: LoanStatus.CHARGED_OFF,
        RecordKind.CANCELLATION: LoanStatus.CANCELLED,
        **dict.fromkeys(_SERVICING, LoanStatus.ACTIVE),
    },
    LoanStatus.SETTLED: {RecordKind.REOPENING: LoanStatus.ACTIVE},
    LoanStatus.CHARGED_OFF: {
        RecordKind.RECOVERY: LoanStatus.CHARGED_OFF,
        RecordKind.SETTLEMENT: LoanStatus.SETTLED,
        RecordKind.REOPENING: LoanStatus.ACTIVE,
    },
    LoanStatus.CANCELLED: {},
}


@dataclass(eq=False)
class KindNotAllowed(RuleRefused):
    """A record of this kind cannot follow in the loan's present status."""

    kind: RecordKind
    status: LoanStatus
    code: ClassVar[str] = "KIND_NOT_ALLOWED"

    def __str__(self) -> str:
        return f"A {self.kind.name} record cannot be added to a loan that is {self.status.name}."


def status_after(status: LoanStatus, kind: RecordKind) -> LoanStatus:
    """The status after a record of `kind`; the same table as the contract's, or `KindNotAllowed`."""
    if kind in _ANY_STATUS:
        return status
    after = _TRANSITIONS[status].get(kind)
    if after is None:
        raise KindNotAllowed(kind, status)
    return after
