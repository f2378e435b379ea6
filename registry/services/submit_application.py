"""A borrower applies: identity and figures are sealed, consents kept, nothing is decided yet."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from registry.domain.access import Request
from registry.domain.commitments import FieldValue
from registry.domain.identifiers import new_id
from registry.domain.money import Money
from registry.domain.origination import Application, ApplicationStatus
from registry.domain.parties import Consent, Identity
from registry.domain.product import AmountOutOfRange, Product, TermOutOfRange
from registry.ports import Facilities, UnitOfWork
from registry.services.answering import answer_once
from registry.services.personal import new_borrower, seal_inputs


@dataclass(frozen=True, slots=True)
class NewApplication:
    """What an application says. `inputs` are the figures that are scored and checked, as exact decimal strings.

    `borrower_id` names a known borrower of the lender; without it a new one is made from `identity`.
    """

    product_id: str
    amount: Money
    term_months: int
    purpose: str
    inputs: Mapping[str, FieldValue]
    identity: Identity | None = None
    borrower_id: str | None = None
    consents: Mapping[str, str] = field(default_factory=dict)  # purpose: version of the text agreed to
    external_reference: str | None = None


def submit_application(uow: UnitOfWork, given: NewApplication, request: Request, use: Facilities) -> dict[str, Any]:
    """Keep a new application; answers with its id and the borrower's."""

    def change(uow: UnitOfWork) -> dict[str, Any]:
        lender_id, now = request.actor.lender, use.clock.now()
        product = uow.products.get(given.product_id)
        _check_bounds(product, given)
        if given.borrower_id is not None:
            borrower = uow.borrowers.get(lender_id, given.borrower_id)
        else:
            identity = given.identity or Identity(name="", kind="PERSON")
            (key_id,) = use.vault.new_keys(1)
            reference = given.external_reference
            borrower = new_borrower(use.vault, key_id, new_id(lender_id), identity, reference, now)
            uow.borrowers.add([borrower])
        uow.borrowers.grant(
            Consent(lender_id, new_id(lender_id), borrower.id, purpose, None, version, now)
            for purpose, version in sorted(given.consents.items())
        )
        application = Application(
            lender_id=lender_id,
            id=new_id(lender_id),
            borrower_id=borrower.id,
            product_id=given.product_id,
            amount=given.amount,
            term_months=given.term_months,
            purpose=given.purpose,
            sealed=None,
            status=ApplicationStatus.SUBMITTED,
            submitted_by=request.actor.name,
            submitted_at=now,
        )
        application = seal_inputs(use.vault, borrower, application, given.inputs)
        uow.applications.add([application])
        return {"subject": application.id, "application_id": application.id, "borrower_id": borrower.id}

    return answer_once(uow, request, use.clock, "ApplicationSubmitted", change)


def _check_bounds(product: Product, given: NewApplication) -> None:
    low, high = product.amount_bounds(given.amount.currency)
    if not low <= given.amount <= high:
        raise AmountOutOfRange(product.id, given.amount, low, high)
    if not product.term_months_min <= given.term_months <= product.term_months_max:
        raise TermOutOfRange(product.id, given.term_months, product.term_months_min, product.term_months_max)
