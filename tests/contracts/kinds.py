"""The kinds, statuses and lifecycle as the design states them, written out once more by hand for the tests."""

from enum import IntEnum


class Kind(IntEnum):
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


class Status(IntEnum):
    NONE = 0
    REGISTERED = 1
    ACTIVE = 2
    SETTLED = 3
    CHARGED_OFF = 4
    CANCELLED = 5


K, S = Kind, Status

ALWAYS = {K.DISPUTE, K.ERASURE, K.OTHER}
SERVICING = {K.DISBURSEMENT, K.REPAYMENT, K.REVERSAL, K.FEE, K.AMENDMENT, K.RESTRUCTURE}
MOVES: dict[Status, dict[Kind, Status]] = {
    S.REGISTERED: {K.DISBURSEMENT: S.ACTIVE, K.CANCELLATION: S.CANCELLED},
    S.ACTIVE: {K.SETTLEMENT: S.SETTLED, K.CHARGE_OFF: S.CHARGED_OFF, K.CANCELLATION: S.CANCELLED},
    S.SETTLED: {K.REOPENING: S.ACTIVE},
    S.CHARGED_OFF: {K.SETTLEMENT: S.SETTLED, K.REOPENING: S.ACTIVE},
    S.CANCELLED: {},
}
STAYS: dict[Status, set[Kind]] = {
    S.REGISTERED: ALWAYS,
    S.ACTIVE: ALWAYS | SERVICING,
    S.SETTLED: ALWAYS,
    S.CHARGED_OFF: ALWAYS | {K.RECOVERY},
    S.CANCELLED: ALWAYS,
}
# How a loan gets into each status: the kinds after its agreement.
WAY_TO: dict[Status, tuple[Kind, ...]] = {
    S.REGISTERED: (),
    S.ACTIVE: (K.DISBURSEMENT,),
    S.SETTLED: (K.DISBURSEMENT, K.SETTLEMENT),
    S.CHARGED_OFF: (K.DISBURSEMENT, K.CHARGE_OFF),
    S.CANCELLED: (K.CANCELLATION,),
}


def status_after(status: Status, kind: int) -> Status | None:
    """The status after a record of `kind`, or None when it may not follow."""
    if kind not in set(Kind):
        return None
    if kind in MOVES[status]:
        return MOVES[status][Kind(kind)]
    return status if kind in STAYS[status] else None
