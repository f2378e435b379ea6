"""From application to loan, and the erasure of a borrower."""

from typing import Annotated, Any

import strawberry

from graphql_api.global_id import filed_id, local_id
from graphql_api.loaders import required
from graphql_api.mutations.answers import booked
from graphql_api.mutations.figures import exact_figures
from graphql_api.mutations.inputs import (
    DecideApplicationInput,
    EraseBorrowerInput,
    IdentityInput,
    SignAgreementInput,
    SubmitApplicationInput,
)
from graphql_api.mutations.requests import perform
from graphql_api.mutations.results import (
    DecideApplicationPayload,
    DecideApplicationResult,
    EraseBorrowerPayload,
    EraseBorrowerResult,
    SignAgreementPayload,
    SignAgreementResult,
    SubmitApplicationPayload,
    SubmitApplicationResult,
)
from graphql_api.request_context import RequestContext, context_of
from graphql_api.types.described import mutation
from graphql_api.types.origination import Application, Decision
from graphql_api.types.party import Borrower
from registry.domain.access import Request
from registry.domain.identifiers import lender_of
from registry.domain.parties import Identity
from registry.ports import Facilities, UnitOfWork
from registry.services.decide_application import decide_application
from registry.services.erase_borrower import erase_borrower
from registry.services.sign_agreement import Signing, sign_agreement
from registry.services.submit_application import NewApplication, submit_application
from registry.storage.applications import ApplicationUnknown, DecisionMissing
from registry.storage.borrowers import BorrowerUnknown

_INPUT = strawberry.argument(description="What is asked for, with its idempotency key.")


@strawberry.type
class OriginationMutations:
    """Mutations on applications and borrowers."""

    @mutation("Keep a new application; identity and figures are encrypted at once.")
    async def submit_application(
        self,
        info: strawberry.Info,
        input: Annotated[SubmitApplicationInput, _INPUT],  # noqa: A002
    ) -> SubmitApplicationResult:
        def submit(uow: UnitOfWork, request: Request, use: Facilities) -> dict[str, Any]:
            return submit_application(uow, _new_application(input), request, use)

        answer = await perform(info, "submitApplication", input, submit)
        if not isinstance(answer, dict):
            return answer
        return SubmitApplicationPayload(application=await _application(context_of(info), answer["application_id"]))

    @mutation("Assess an application and keep the decision.")
    async def decide_application(
        self,
        info: strawberry.Info,
        input: Annotated[DecideApplicationInput, _INPUT],  # noqa: A002
    ) -> DecideApplicationResult:
        def decide(uow: UnitOfWork, request: Request, use: Facilities) -> dict[str, Any]:
            application_id = local_id(input.application_id, "Application")
            return decide_application(uow, application_id, request, use, override=input.override)

        answer = await perform(info, "decideApplication", input, decide)
        if not isinstance(answer, dict):
            return answer
        context, decision_id = context_of(info), answer["decision_id"]
        found = context.loaders.decision.load((lender_of(decision_id), decision_id))
        return DecideApplicationPayload(
            application=await _application(context, answer["application_id"]),
            decision=Decision.of(await required(found, lambda: DecisionMissing(decision_id))),
        )

    @mutation("Sign an approved application: the loan begins with its agreement record.")
    async def sign_agreement(
        self,
        info: strawberry.Info,
        input: Annotated[SignAgreementInput, _INPUT],  # noqa: A002
    ) -> SignAgreementResult:
        def sign(uow: UnitOfWork, request: Request, use: Facilities) -> dict[str, Any]:
            signing = Signing(
                application_id=local_id(input.application_id, "Application"),
                disburse_on=input.disburse_on,
                first_due_on=input.first_due_on,
                amount=input.amount.money() if input.amount is not None else None,
                annual_rate=input.annual_rate,
                method=input.method,
                external_reference=input.external_reference,
            )
            return sign_agreement(uow, signing, request, use)

        return await booked(info, "signAgreement", input, sign, SignAgreementPayload)

    @mutation("Destroy a borrower's personal data for ever; heads and commitments still verify.")
    async def erase_borrower(
        self,
        info: strawberry.Info,
        input: Annotated[EraseBorrowerInput, _INPUT],  # noqa: A002
    ) -> EraseBorrowerResult:
        def erase(uow: UnitOfWork, request: Request, use: Facilities) -> dict[str, Any]:
            return erase_borrower(uow, local_id(input.borrower_id, "Borrower"), input.reason, request, use)

        answer = await perform(info, "eraseBorrower", input, erase)
        if not isinstance(answer, dict):
            return answer
        borrower_id = answer["borrower_id"]
        found = context_of(info).loaders.borrower.load((lender_of(borrower_id), borrower_id))
        borrower = Borrower.of(await required(found, lambda: BorrowerUnknown(borrower_id)))
        return EraseBorrowerPayload(borrower=borrower, records=answer["records"])


async def _application(context: RequestContext, application_id: str) -> Application:
    found = context.loaders.application.load((lender_of(application_id), application_id))
    return Application.of(await required(found, lambda: ApplicationUnknown(application_id)))


def _new_application(given: SubmitApplicationInput) -> NewApplication:
    return NewApplication(
        product_id=local_id(given.product_id, "Product"),
        amount=given.amount.money(),
        term_months=given.term_months,
        purpose=given.purpose,
        inputs=exact_figures(given.inputs),
        identity=_identity(given.identity) if given.identity is not None else None,
        borrower_id=filed_id(given.borrower_id, "Borrower")[1] if given.borrower_id is not None else None,
        consents={consent.purpose: consent.text_version for consent in given.consents or ()},
        external_reference=given.external_reference,
    )


def _identity(given: IdentityInput) -> Identity:
    return Identity(
        name=given.name,
        kind=given.kind.value,
        identity_kind=given.identity_kind.value if given.identity_kind is not None else None,
        number=given.number,
        born_on=given.born_on,
        nationality=given.nationality,
    )
