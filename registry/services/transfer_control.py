"""Handing a claim to another lender in two steps: the seller offers, the buyer accepts or refuses."""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, ClassVar

from registry.domain.access import Actor, Request
from registry.domain.claims import ControlTransfer, TransferState
from registry.domain.errors import InvalidInput, NotFound, RuleRefused, Unavailable
from registry.domain.identifiers import new_id
from registry.domain.loan import Loan
from registry.domain.money import Money
from registry.domain.outbox import OutboxAction, OutboxEntry
from registry.ports import Facilities, UnitOfWork
from registry.services.answering import answer_once
from registry.services.authority import LoanNotYours, controlled
from registry.services.booking import store
from registry.services.record_money import reference_to


@dataclass(eq=False)
class RecordsWaiting(Unavailable):
    """A claim changes hands only when every record of the loan is on chain."""

    loan_id: str
    waiting: int
    code: ClassVar[str] = "RECORDS_WAITING"

    def __str__(self) -> str:
        return f"{self.waiting} records of loan {self.loan_id} are not on chain yet; try again when they are."


@dataclass(eq=False)
class OfferOpen(RuleRefused):
    """The loan is offered to somebody already."""

    loan_id: str
    to_lender_id: int
    code: ClassVar[str] = "OFFER_OPEN"

    def __str__(self) -> str:
        return f"Loan {self.loan_id} is offered to lender {self.to_lender_id} already; withdraw that offer first."


@dataclass(eq=False)
class OfferMissing(NotFound):
    """There is no open offer of this loan to the caller."""

    loan_id: str
    code: ClassVar[str] = "OFFER_UNKNOWN"

    def __str__(self) -> str:
        return f"There is no open offer of loan {self.loan_id} to you."


@dataclass(eq=False)
class OfferExpired(RuleRefused):
    """The offer's time has passed."""

    loan_id: str
    expired_at: datetime
    code: ClassVar[str] = "OFFER_EXPIRED"

    def __str__(self) -> str:
        return f"The offer of loan {self.loan_id} expired at {self.expired_at:%Y-%m-%d %H:%M}Z; ask for a new one."


@dataclass(eq=False)
class OfferChanged(RuleRefused):
    """What is offered now is not what the buyer read: another offer, or a longer history."""

    loan_id: str
    what: str
    code: ClassVar[str] = "OFFER_CHANGED"

    def __str__(self) -> str:
        return f"The {self.what} of loan {self.loan_id} is not the one you read any more; read it again, then decide."


@dataclass(eq=False)
class OfferInvalid(InvalidInput):
    """The offer names its own maker as the buyer, or ends in the past."""

    why: str
    code: ClassVar[str] = "OFFER_INVALID"

    def __str__(self) -> str:
        return f"This offer cannot be made: {self.why}."


@dataclass(frozen=True, slots=True)
class Offer:
    """What the seller proposes; `servicer_id` None leaves servicing to the buyer."""

    loan_id: str
    to_lender_id: int
    expires_at: datetime
    servicer_id: int | None = None
    price: Money | None = None


@dataclass(frozen=True, slots=True)
class Seen:
    """What the buyer read before accepting: the offer, and the head of the history; None is not compared."""

    transfer_id: str | None = None
    head: bytes | None = None


def offer_transfer(uow: UnitOfWork, given: Offer, request: Request, use: Facilities) -> dict[str, Any]:
    """Offer a claim to one lender until a time."""

    def change(uow: UnitOfWork) -> dict[str, Any]:
        loan, now = controlled(uow, given.loan_id, request.actor), use.clock.now()
        _check_offer(uow, loan, given, now, use)
        transfer = ControlTransfer(
            lender_id=loan.lender_id,
            id=new_id(loan.lender_id),
            loan_id=loan.id,
            from_lender_id=loan.controller_id,
            to_lender_id=given.to_lender_id,
            servicer_id=given.servicer_id or 0,
            price=given.price,
            offered_at=now,
            expires_at=given.expires_at,
            state=TransferState.OFFERED,
        )
        uow.claims.add_transfer(transfer)
        arguments = {
            "to_lender_id": given.to_lender_id,
            "servicer_id": given.servicer_id or 0,
            "expires_at": int(given.expires_at.timestamp()),
        }
        uow.outbox.queue([_entry(loan, request.actor.lender, OutboxAction.OFFER, arguments)], now)
        return {"subject": loan.id, "loan_id": loan.id, "transfer_id": transfer.id}

    return answer_once(uow, request, use.clock, "TransferOffered", change)


def withdraw_offer(uow: UnitOfWork, loan_id: str, request: Request, use: Facilities) -> dict[str, Any]:
    """Take an open offer back."""

    def change(uow: UnitOfWork) -> dict[str, Any]:
        loan, now = controlled(uow, loan_id, request.actor), use.clock.now()
        transfer = uow.claims.open_transfer(loan_id)
        if transfer is None:
            raise OfferMissing(loan_id)
        uow.claims.save_transfer(replace(transfer, state=TransferState.WITHDRAWN, decided_at=now))
        uow.outbox.queue([_entry(loan, request.actor.lender, OutboxAction.WITHDRAW)], now)
        return {"subject": loan.id, "loan_id": loan.id, "transfer_id": transfer.id}

    return answer_once(uow, request, use.clock, "TransferWithdrawn", change)


def accept_transfer(
    uow: UnitOfWork, loan_id: str, request: Request, use: Facilities, *, seen: Seen = Seen()
) -> dict[str, Any]:
    """Take over the claim with the history as it stands, and service it unless the offer says else."""

    def change(uow: UnitOfWork) -> dict[str, Any]:
        loan, transfer = _offered(uow, loan_id, request.actor)
        now = use.clock.now()
        if seen.transfer_id not in {None, transfer.id}:
            raise OfferChanged(loan_id, "offer")
        if seen.head not in {None, loan.head}:
            raise OfferChanged(loan_id, "history")
        if transfer.expires_at <= now:
            raise OfferExpired(loan_id, transfer.expires_at)
        _none_waiting(loan, use)
        record = loan.accept(request.actor.lender, transfer.servicer_id, price=transfer.price, on=now.date(), now=now)
        store(uow, [loan], now)
        uow.claims.save_transfer(replace(transfer, state=TransferState.ACCEPTED, decided_at=now))
        return reference_to(loan, record) | {"transfer_id": transfer.id}

    return answer_once(uow, request, use.clock, "TransferAccepted", change)


def refuse_transfer(uow: UnitOfWork, loan_id: str, request: Request, use: Facilities) -> dict[str, Any]:
    """Decline an offer."""

    def change(uow: UnitOfWork) -> dict[str, Any]:
        loan, transfer = _offered(uow, loan_id, request.actor)
        now = use.clock.now()
        uow.claims.save_transfer(replace(transfer, state=TransferState.REFUSED, decided_at=now))
        uow.outbox.queue([_entry(loan, request.actor.lender, OutboxAction.REFUSE)], now)
        return {"subject": loan.id, "loan_id": loan.id, "transfer_id": transfer.id}

    return answer_once(uow, request, use.clock, "TransferRefused", change)


def _check_offer(uow: UnitOfWork, loan: Loan, given: Offer, now: datetime, use: Facilities) -> None:
    if given.to_lender_id == loan.controller_id:
        raise OfferInvalid("the buyer owns the claim already")
    if given.expires_at <= now:
        raise OfferInvalid("it would have expired before it is made")
    uow.lenders.get(given.to_lender_id)
    if given.servicer_id is not None:
        uow.lenders.get(given.servicer_id)
    standing = uow.claims.open_transfer(loan.id)
    if standing is not None and standing.expires_at > now:
        raise OfferOpen(loan.id, standing.to_lender_id)
    if standing is not None:
        uow.claims.save_transfer(replace(standing, state=TransferState.WITHDRAWN, decided_at=now))
    _none_waiting(loan, use)


def none_offered(uow: UnitOfWork, loan: Loan, now: datetime) -> None:
    """What a buyer was shown stays as it is while the offer is open; else `OfferOpen`."""
    standing = uow.claims.open_transfer(loan.id)
    if standing is not None and standing.expires_at > now:
        raise OfferOpen(loan.id, standing.to_lender_id)


def _offered(uow: UnitOfWork, loan_id: str, actor: Actor) -> tuple[Loan, ControlTransfer]:
    loan = uow.loans.get(loan_id)
    transfer = uow.claims.open_transfer(loan_id)
    if transfer is None or transfer.to_lender_id != actor.lender:
        if actor.lender in {loan.lender_id, loan.controller_id, loan.servicer_id}:
            raise OfferMissing(loan_id)
        raise LoanNotYours(loan_id)
    return loan, transfer


def _none_waiting(loan: Loan, use: Facilities) -> None:
    waiting = use.anchors.waiting(loan)
    if waiting:
        raise RecordsWaiting(loan.id, waiting)


def _entry(loan: Loan, signer: int, action: OutboxAction, arguments: Any = None) -> OutboxEntry:
    return OutboxEntry(signer, action, loan.lender_id, loan.id, loan.key, arguments=arguments)
