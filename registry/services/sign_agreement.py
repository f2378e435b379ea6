"""Signing: an approved application becomes a loan whose AGREEMENT record waits to be registered on chain."""

import hashlib
import secrets
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any, ClassVar

from registry.domain import commitments
from registry.domain.access import Request
from registry.domain.agreement import AgreementTerms, RepaymentMethod
from registry.domain.calendar import add_months
from registry.domain.chain_binding import ChainBinding
from registry.domain.errors import RuleRefused
from registry.domain.identifiers import new_id
from registry.domain.loan import Agreed, DateNotAllowed, Loan
from registry.domain.money import Money
from registry.domain.origination import Application, ApplicationStatus, Decision
from registry.domain.parties import Borrower, Identity
from registry.domain.product import Product
from registry.domain.rate import effective_annual_rate
from registry.domain.schedule import Instalment, build_schedule
from registry.ports import Facilities, UnitOfWork, Vault
from registry.services.answering import answer_once
from registry.services.booking import store_new
from registry.services.personal import identity_of, seal_agreement

PAYOUT_WITHIN = timedelta(days=90)
FIRST_DUE_MONTHS_MAX = 2


@dataclass(eq=False)
class NotApproved(RuleRefused):
    """Only an approved application can be signed, once."""

    application_id: str
    status: ApplicationStatus
    code: ClassVar[str] = "APPLICATION_NOT_APPROVED"

    def __str__(self) -> str:
        return f"Application {self.application_id} is {self.status.value}; only an approved one can be signed."


@dataclass(eq=False)
class AboveApproved(RuleRefused):
    """The agreement asks more than the decision allows: a larger amount or another rate."""

    what: str
    given: str
    approved: str
    code: ClassVar[str] = "ABOVE_APPROVED"

    def __str__(self) -> str:
        return f"The decision allows {self.what} {self.approved}, not {self.given}; change it or decide again."


@dataclass(frozen=True, slots=True)
class Signing:
    """What is settled at signing; None takes what was applied for and offered."""

    application_id: str
    disburse_on: date
    first_due_on: date
    amount: Money | None = None
    annual_rate: Decimal | None = None
    method: RepaymentMethod | None = None
    external_reference: str | None = None


def sign_agreement(uow: UnitOfWork, given: Signing, request: Request, use: Facilities) -> dict[str, Any]:
    """Make the loan, with everything that was decided committed to in its agreement record."""

    def change(uow: UnitOfWork) -> dict[str, Any]:
        lender_id, now = request.actor.lender, use.clock.now()
        application = uow.applications.get(lender_id, given.application_id)
        if application.status is not ApplicationStatus.APPROVED:
            raise NotApproved(application.id, application.status)
        decision = uow.applications.decision_of(lender_id, application.id)
        borrower = uow.borrowers.get(lender_id, application.borrower_id)
        product = uow.products.get(application.product_id)
        _check_days(given, now.date())
        terms = _terms(product, application, decision, given)
        loan = make_loan(
            use.vault,
            Origin(uow.bindings.get(), borrower, identity_of(use.vault, borrower), product, application, decision),
            terms,
            external_reference=given.external_reference,
            agreed_on=now.date(),
            now=now,
        )
        store_new(uow, [loan], now)
        uow.applications.save(replace(application, status=ApplicationStatus.SIGNED))
        return {"subject": loan.id, "loan_id": loan.id, "sequence": 0}

    return answer_once(uow, request, use.clock, "AgreementSigned", change)


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a loan comes from: the contract it will be registered in, the borrower, the product, what was decided."""

    binding: ChainBinding
    borrower: Borrower
    identity: Identity
    product: Product
    application: Application | None = None
    decision: Decision | None = None


def make_loan(
    vault: Vault,
    origin: Origin,
    terms: AgreementTerms,
    *,
    external_reference: str | None,
    agreed_on: date,
    now: datetime,
) -> Loan:
    """A loan with its agreement record; nothing is stored yet."""
    borrower, product = origin.borrower, origin.product
    loan_id, nonce = new_id(borrower.lender_id), secrets.token_bytes(32)
    key = commitments.loan_key(borrower.lender_id, nonce)
    personal = seal_agreement(vault, borrower, loan_id, key, origin.identity)
    schedule = build_schedule(terms)
    decision = origin.decision
    agreed = Agreed(
        product_code=product.code,
        product_version=product.version,
        secret=personal.secret,
        personal_digests=personal.digests,
        sealed=personal.sealed,
        schedule_sha256=schedule_digest(schedule),
        disclosed_apr=effective_annual_rate(terms).rate,
        decision_receipt=decision.assessment.receipt_commitment if decision else None,
        agreed_on=agreed_on,
    )
    return Loan.agree(
        agreed,
        terms,
        lender_id=borrower.lender_id,
        loan_id=loan_id,
        nonce=nonce,
        borrower_id=borrower.id,
        product_id=product.id,
        binding=origin.binding,
        now=now,
        application_id=origin.application.id if origin.application else None,
        decision_id=decision.id if decision else None,
        external_reference=external_reference,
    )


def schedule_digest(schedule: tuple[Instalment, ...]) -> str:
    """SHA-256 over the canonical JSON of the rows as text, so that a later calculator can be held against this one.

    A row is `number due_on principal interest fees`, amounts in minor units, separated by single spaces.
    """
    rows: list[commitments.FieldValue] = [
        f"{row.number} {row.due_on} {row.principal_minor} {row.interest_minor} {row.fees_minor}" for row in schedule
    ]
    return hashlib.sha256(commitments.canonical(rows)).hexdigest()


def _check_days(given: Signing, today: date) -> None:
    """The payout follows the signing, and the first instalment the payout, before what was decided has aged."""
    if not today <= given.disburse_on <= today + PAYOUT_WITHIN:
        raise DateNotAllowed(given.disburse_on, today, today + PAYOUT_WITHIN)
    earliest, latest = given.disburse_on + timedelta(days=1), add_months(given.disburse_on, FIRST_DUE_MONTHS_MAX)
    if not earliest <= given.first_due_on <= latest:
        raise DateNotAllowed(given.first_due_on, earliest, latest)


def _terms(product: Product, application: Application, decision: Decision, given: Signing) -> AgreementTerms:
    assessed = decision.assessment
    amount = given.amount or application.amount
    ceiling = assessed.limit if assessed.limit is not None and assessed.limit < application.amount else None
    allowed = ceiling or application.amount
    if allowed < amount:
        raise AboveApproved("an amount of", str(amount), str(allowed))
    rate = given.annual_rate if given.annual_rate is not None else assessed.offered_rate
    if rate is None:
        raise AboveApproved("a rate of", "none", "none")
    if assessed.offered_rate is not None and rate > assessed.offered_rate:
        raise AboveApproved("a rate of", format(rate, "f"), format(assessed.offered_rate, "f"))
    return product.terms_for(
        amount,
        application.term_months,
        rate,
        given.disburse_on,
        first_due_on=given.first_due_on,
        method=given.method,
    )
