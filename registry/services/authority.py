"""Which loan an actor may change: the servicer books, the controller disposes, nobody else learns that it exists."""

from dataclasses import dataclass
from typing import ClassVar

from registry.domain.access import Actor
from registry.domain.errors import NotFound, RuleRefused
from registry.domain.loan import Loan
from registry.ports import UnitOfWork


@dataclass(eq=False)
class LoanNotYours(NotFound):
    """The loan does not exist, or belongs to lenders that are not the caller's; the two look the same."""

    loan_id: str
    code: ClassVar[str] = "LOAN_UNKNOWN"

    def __str__(self) -> str:
        return f"There is no loan {self.loan_id}; check the id."


@dataclass(eq=False)
class ServicerOnly(RuleRefused):
    """Only the loan's servicer may add records."""

    loan_id: str
    servicer_id: int
    code: ClassVar[str] = "NOT_SERVICER"

    def __str__(self) -> str:
        return f"Loan {self.loan_id} is serviced by lender {self.servicer_id}; only that lender may book on it."


@dataclass(eq=False)
class ControllerOnly(RuleRefused):
    """Only the owner of the claim may offer, pledge or release."""

    loan_id: str
    controller_id: int
    code: ClassVar[str] = "NOT_CONTROLLER"

    def __str__(self) -> str:
        return f"The claim of loan {self.loan_id} belongs to lender {self.controller_id}; only that lender may do this."


def serviced(uow: UnitOfWork, loan_id: str, actor: Actor) -> Loan:
    """The loan, if the actor's lender services it."""
    loan = _visible(uow, loan_id, actor)
    if loan.servicer_id != actor.lender:
        raise ServicerOnly(loan_id, loan.servicer_id)
    return loan


def serviced_many(uow: UnitOfWork, loan_ids: list[str], actor: Actor) -> dict[str, Loan]:
    """The loans, if the actor's lender services all of them."""
    found = uow.loans.many(loan_ids)
    for loan in found.values():
        _check_visible(loan, actor)
        if loan.servicer_id != actor.lender:
            raise ServicerOnly(loan.id, loan.servicer_id)
    return found


def controlled(uow: UnitOfWork, loan_id: str, actor: Actor) -> Loan:
    """The loan, if its claim belongs to the actor's lender."""
    loan = _visible(uow, loan_id, actor)
    if loan.controller_id != actor.lender:
        raise ControllerOnly(loan_id, loan.controller_id)
    return loan


def _visible(uow: UnitOfWork, loan_id: str, actor: Actor) -> Loan:
    loan = uow.loans.get(loan_id)
    _check_visible(loan, actor)
    return loan


def _check_visible(loan: Loan, actor: Actor) -> None:
    if actor.lender not in {loan.lender_id, loan.controller_id, loan.servicer_id}:
        raise LoanNotYours(loan.id)
