"""The fold: from events in chain order to the rows of the mirror, with the contract's own rules checked on the way.

An honest contract cannot emit what is refused here; a node that withholds or invents logs can.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from indexer.decode import ChainEvent, LoanRegistered, OtherEvent, RecordAppended
from indexer.errors import ChainInconsistent
from registry.domain.commitments import first_head, loan_key, next_head, next_lender_head
from registry.domain.kinds import KindNotAllowed, LoanStatus, RecordKind, status_after

RecordRow: TypeAlias = tuple[bytes, int, int, bytes, bytes, int, int, int, bytes]  # in the order of mirror_records

REGISTERED_BY, CONTROL_LEFT, CONTROL_ARRIVED = 0, 1, 2
LENDER_HEAD_START = bytes(32)


def _status_or_none(status: LoanStatus, kind: RecordKind) -> int | None:
    try:
        return int(status_after(status, kind)) if kind is not RecordKind.AGREEMENT else None
    except KindNotAllowed:
        return None


# (status, kind) -> status afterwards; a pair that is not allowed is absent
_STATUS_AFTER: dict[tuple[int, int], int] = {
    (int(status), int(kind)): after
    for status in LoanStatus
    for kind in RecordKind
    if (after := _status_or_none(status, kind)) is not None
}


@dataclass(slots=True)
class LoanState:
    """A loan as folded so far; `records` counts the agreement too. One row of mirror_loans."""

    loan_key: bytes
    registered_by: int
    controller_id: int
    servicer_id: int
    status: int
    records: int
    head: bytes
    registered_block: int
    last_block: int


@dataclass(slots=True)
class LenderState:
    """A lender as folded so far. One row of mirror_lenders."""

    lender_id: int
    account: bytes
    active: bool
    head: bytes


@dataclass
class Fold:
    """Applies events to loans and lenders; what must be written is in the public fields afterwards."""

    chain_id: int
    contract: bytes
    loans: dict[bytes, LoanState]
    lenders: dict[int, LenderState]
    records: list[RecordRow] = field(default_factory=list)
    events: list[OtherEvent] = field(default_factory=list)
    loans_new: set[bytes] = field(default_factory=set)
    loans_changed: set[bytes] = field(default_factory=set)
    lenders_changed: set[int] = field(default_factory=set)

    def apply(self, events: Iterable[ChainEvent]) -> None:
        """Fold the events in; they must be in chain order. `ChainInconsistent` leaves nothing to write."""
        for event in events:
            if isinstance(event, RecordAppended):
                self._append(event)
            elif isinstance(event, LoanRegistered):
                self._register(event)
            else:
                self.events.append(event)
                react = _REACTIONS.get(event.name)
                if react is not None:
                    react(self, event)

    def _append(self, event: RecordAppended) -> None:
        block, index, transaction, key, kind, commitment = event
        loan = self.loans.get(key)
        if loan is None:
            raise ChainInconsistent(block, index, f"a record for loan 0x{key.hex()}, which was never registered")
        status = _STATUS_AFTER.get((loan.status, kind))
        if status is None:
            reason = (
                f"a record of kind {kind} for loan 0x{key.hex()} in status {loan.status}, which the contract refuses"
            )
            raise ChainInconsistent(block, index, reason)
        head = next_head(loan.head, kind, commitment)
        self.records.append((key, loan.records, kind, commitment, head, status, block, index, transaction))
        loan.status, loan.head, loan.last_block = status, head, block
        loan.records += 1
        self.loans_changed.add(key)

    def _register(self, event: LoanRegistered) -> None:
        block, index, transaction, key, lender_id, nonce, commitment = event
        if key in self.loans:
            raise ChainInconsistent(block, index, f"loan 0x{key.hex()} is registered a second time")
        if key != loan_key(lender_id, nonce):
            raise ChainInconsistent(block, index, f"loan key 0x{key.hex()} does not follow from its lender and nonce")
        head = first_head(self.chain_id, self.contract, key, commitment)
        status = int(LoanStatus.REGISTERED)
        self.loans[key] = LoanState(key, lender_id, lender_id, lender_id, status, 1, head, block, block)
        self.loans_new.add(key)
        self.records.append((key, 0, int(RecordKind.AGREEMENT), commitment, head, status, block, index, transaction))
        self._advance(event, lender_id, REGISTERED_BY, key)

    def _transfer(self, event: OtherEvent) -> None:
        loan = self._loan(event)
        seller, buyer = event.lender_id or 0, event.other_lender_id or 0
        if loan.controller_id != seller:
            reason = f"lender {seller} sold loan 0x{loan.loan_key.hex()}, which lender {loan.controller_id} controls"
            raise ChainInconsistent(event.block_number, event.log_index, reason)
        self._advance(event, seller, CONTROL_LEFT, loan.loan_key)
        self._advance(event, buyer, CONTROL_ARRIVED, loan.loan_key)
        loan.controller_id, loan.servicer_id = buyer, event.servicer_id or 0
        self.loans_changed.add(loan.loan_key)

    def _appoint(self, event: OtherEvent) -> None:
        loan = self._loan(event)
        loan.servicer_id = event.servicer_id or 0
        self.loans_changed.add(loan.loan_key)

    def _admit(self, event: OtherEvent) -> None:
        lender_id, account = event.lender_id or 0, event.account or b""
        if lender_id in self.lenders:
            raise ChainInconsistent(
                event.block_number, event.log_index, f"lender {lender_id} is admitted a second time"
            )
        self.lenders[lender_id] = LenderState(lender_id, account, active=True, head=LENDER_HEAD_START)
        self.lenders_changed.add(lender_id)

    def _suspend(self, event: OtherEvent) -> None:
        self._lender(event, event.lender_id or 0).active = False

    def _reinstate(self, event: OtherEvent) -> None:
        self._lender(event, event.lender_id or 0).active = True

    def _advance(self, event: ChainEvent, lender_id: int, what: int, key: bytes) -> None:
        lender = self._lender(event, lender_id)
        lender.head = next_lender_head(lender.head, what, key)

    def _lender(self, event: ChainEvent, lender_id: int) -> LenderState:
        lender = self.lenders.get(lender_id)
        if lender is None:
            raise ChainInconsistent(event.block_number, event.log_index, f"lender {lender_id} was never admitted")
        self.lenders_changed.add(lender_id)
        return lender

    def _loan(self, event: OtherEvent) -> LoanState:
        loan = self.loans.get(event.loan_key or b"")
        if loan is None:
            raise ChainInconsistent(event.block_number, event.log_index, f"{event.name} names an unknown loan")
        return loan


_REACTIONS: Mapping[str, Callable[[Fold, OtherEvent], None]] = {
    "TransferAccepted": Fold._transfer,  # noqa: SLF001
    "ServicerAppointed": Fold._appoint,  # noqa: SLF001
    "LenderAdmitted": Fold._admit,  # noqa: SLF001
    "LenderSuspended": Fold._suspend,  # noqa: SLF001
    "LenderReinstated": Fold._reinstate,  # noqa: SLF001
}
CONTROL_EVENTS = ("TransferAccepted", "ServicerAppointed")
ACTIVITY_EVENTS = ("LenderAdmitted", "LenderSuspended", "LenderReinstated")


def touched_loans(events: Iterable[ChainEvent]) -> set[bytes]:
    """The keys of the loans whose state the fold of these events needs."""
    return {
        event.loan_key
        for event in events
        if event.loan_key is not None and (not isinstance(event, OtherEvent) or event.name in CONTROL_EVENTS)
    }
