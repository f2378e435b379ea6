"""From what a use case answered, which are references, to the payload: read anew, under the caller's sight."""

from functools import partial
from typing import Any, TypeVar

import strawberry

from graphql_api.loaders import required
from graphql_api.mutations.refusals import AnyRefusal
from graphql_api.mutations.requests import UseCase, perform
from graphql_api.mutations.results import BookedRecord, ChangedLien, ChangedTransfer
from graphql_api.request_context import RequestContext, context_of
from graphql_api.types.claim import ControlTransfer, Lien
from graphql_api.types.loan import Loan
from graphql_api.types.record import LoanRecord
from registry.domain.identifiers import lender_of
from registry.domain.loan import RecordUnknown
from registry.services.authority import LoanNotYours
from registry.storage.queries_claims import liens_by_id, transfers_by_id

Booked = TypeVar("Booked", bound=BookedRecord)
Transfer = TypeVar("Transfer", bound=ChangedTransfer)
Pledged = TypeVar("Pledged", bound=ChangedLien)


async def booked(
    info: strawberry.Info, operation: str, given: Any, use_case: UseCase, payload: type[Booked]
) -> Booked | AnyRefusal:
    """The payload of a use case that booked one record."""
    answer = await perform(info, operation, given, use_case)
    if not isinstance(answer, dict):
        return answer
    context, loan_id = context_of(info), answer["loan_id"]
    return payload(loan=await loan_now(context, loan_id), record=await record_now(context, loan_id, answer["sequence"]))


async def offered(
    info: strawberry.Info, operation: str, given: Any, use_case: UseCase, payload: type[Transfer]
) -> Transfer | AnyRefusal:
    """The payload of a use case that made or ended an offer."""
    answer = await perform(info, operation, given, use_case)
    if not isinstance(answer, dict):
        return answer
    context, transfer_id = context_of(info), answer["transfer_id"]
    name = (lender_of(transfer_id), transfer_id)
    found = await context.read(partial(transfers_by_id, sight=context.sight, names=[name]))
    loan = await context.loaders.loan.load((lender_of(answer["loan_id"]), answer["loan_id"]))
    return payload(loan=Loan.of(loan) if loan is not None else None, transfer=ControlTransfer.of(found[transfer_id]))


async def pledged(
    info: strawberry.Info, operation: str, given: Any, use_case: UseCase, payload: type[Pledged]
) -> Pledged | AnyRefusal:
    """The payload of a use case that made or ended a lien."""
    answer = await perform(info, operation, given, use_case)
    if not isinstance(answer, dict):
        return answer
    context, lien_id = context_of(info), answer["lien_id"]
    found = await context.read(partial(liens_by_id, sight=context.sight, names=[(lender_of(lien_id), lien_id)]))
    return payload(loan=await loan_now(context, answer["loan_id"]), lien=Lien.of(found[lien_id]))


async def loan_now(context: RequestContext, loan_id: str) -> Loan:
    found = context.loaders.loan.load((lender_of(loan_id), loan_id))
    return Loan.of(await required(found, lambda: LoanNotYours(loan_id)))


async def record_now(context: RequestContext, loan_id: str, sequence: int) -> LoanRecord:
    found = context.loaders.record.load((lender_of(loan_id), loan_id, sequence))
    return LoanRecord.of(await required(found, lambda: RecordUnknown(loan_id, sequence)))
