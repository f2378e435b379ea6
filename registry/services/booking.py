"""Storing a loan's fresh records together with the outbox entries that will anchor them."""

from collections.abc import Sequence
from datetime import datetime

from registry.domain.kinds import RecordKind
from registry.domain.loan import Loan
from registry.domain.outbox import OutboxAction, OutboxEntry
from registry.domain.records import LoanRecord
from registry.ports import UnitOfWork


def store_new(uow: UnitOfWork, loans: Sequence[Loan], now: datetime) -> None:
    """Store loans seen for the first time, with all their records."""
    entries = [entry_of(loan, record) for loan in loans for record in loan.fresh]
    uow.loans.add(loans)
    uow.outbox.queue(entries, now)


def store(uow: UnitOfWork, loans: Sequence[Loan], now: datetime) -> None:
    """Store what is fresh of loans that are known already."""
    entries = [entry_of(loan, record) for loan in loans for record in loan.fresh]
    uow.loans.save(loans)
    uow.outbox.queue(entries, now)


def entry_of(loan: Loan, record: LoanRecord) -> OutboxEntry:
    """The call that anchors a record: who signs it, and what it carries."""
    match record.kind:
        case RecordKind.AGREEMENT:
            action, signer = OutboxAction.REGISTER, loan.lender_id
        case RecordKind.TRANSFER:
            action, signer = OutboxAction.ACCEPT, loan.controller_id
        case _:
            action, signer = OutboxAction.APPEND, loan.servicer_id
    return OutboxEntry(
        lender_id=signer,
        action=action,
        file_lender_id=loan.lender_id,
        loan_id=loan.id,
        loan_key=loan.key,
        sequence=record.sequence,
        kind=int(record.kind),
        previous_head=record.previous_head,
        commitment=record.commitment,
        arguments={"nonce": loan.nonce.hex()} if action is OutboxAction.REGISTER else None,
    )
