"""Anything by its global id, through the same loaders and so under the same sight as everything else."""

from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

from sqlalchemy import Connection

from audit.queries import StoredFinding, finding_by_id
from graphql_api.global_id import GlobalId, filed_id, number_id
from graphql_api.request_context import RequestContext
from graphql_api.types.claim import ControlTransfer, Lien
from graphql_api.types.loan import Loan
from graphql_api.types.node import Node
from graphql_api.types.origination import Application, Decision
from graphql_api.types.party import Borrower, Consent, Lender, Product
from graphql_api.types.record import LoanRecord
from graphql_api.types.whole import Finding
from registry.domain.access import Role
from registry.domain.identifiers import IdMalformed, lender_of
from registry.storage.queries_claims import liens_by_id, transfers_by_id
from registry.storage.queries_parties import consents_by_id

SEQUENCE_DIGITS_MAX = 9


async def node_of(context: RequestContext, given: str) -> Node | None:
    """The node, None when there is none to see; `IdMalformed` when the id is not one of ours."""
    type_name = GlobalId.parse(given).type_name
    if type_name not in _FINDERS:
        raise IdMalformed(given)
    return await _FINDERS[type_name](context, given)


async def _loan(context: RequestContext, given: str) -> Node | None:
    found = await context.loaders.loan.load(filed_id(given, "Loan"))
    return Loan.of(found) if found is not None else None


async def _record(context: RequestContext, given: str) -> Node | None:
    found = await context.loaders.record.load(record_place(given))
    return LoanRecord.of(found) if found is not None else None


async def _lender(context: RequestContext, given: str) -> Node | None:
    found = (await context.loaders.lenders.load(None)).get(number_id(given, "Lender"))
    return Lender.of(found) if found is not None else None


async def _product(context: RequestContext, given: str) -> Node | None:
    found = await context.loaders.product.load(GlobalId.parse(given).local)
    return Product.of(found) if found is not None else None


async def _borrower(context: RequestContext, given: str) -> Node | None:
    found = await context.loaders.borrower.load(filed_id(given, "Borrower"))
    return Borrower.of(found) if found is not None else None


async def _application(context: RequestContext, given: str) -> Node | None:
    found = await context.loaders.application.load(filed_id(given, "Application"))
    return Application.of(found) if found is not None else None


async def _decision(context: RequestContext, given: str) -> Node | None:
    found = await context.loaders.decision.load(filed_id(given, "Decision"))
    return Decision.of(found) if found is not None else None


async def _by_query(
    context: RequestContext, given: str, *, type_name: str, query: Callable[..., dict[str, Any]], shown: Any
) -> Node | None:
    name = filed_id(given, type_name)
    found = await context.read(partial(query, sight=context.sight, names=[name]))
    node: Node | None = shown.of(found[name[1]]) if name[1] in found else None
    return node


async def _finding(context: RequestContext, given: str) -> Node | None:
    number, actor = number_id(given, "Finding"), context.actor

    def read(connection: Connection) -> StoredFinding | None:
        return finding_by_id(connection, number)

    found = await context.read(read)
    sees_all = actor.role in {Role.AUDITOR, Role.ADMINISTRATOR}
    is_own = actor.role is Role.LENDER and found is not None and found.finding.lender_id == actor.lender_id
    return Finding.of(found) if found is not None and (sees_all or is_own) else None


def record_place(given: str) -> tuple[int, str, int]:
    """Lender, loan id and sequence of a record from its global id."""
    parsed = GlobalId.parse(given)
    loan_id, _, sequence = parsed.local.partition("/")
    is_number = sequence.isascii() and sequence.isdigit() and len(sequence) <= SEQUENCE_DIGITS_MAX
    if parsed.type_name != "LoanRecord" or not is_number:
        raise IdMalformed(given)
    return lender_of(loan_id), loan_id, int(sequence)


_FINDERS: dict[str, Callable[[RequestContext, str], Awaitable[Node | None]]] = {
    "Loan": _loan,
    "LoanRecord": _record,
    "Lender": _lender,
    "Product": _product,
    "Borrower": _borrower,
    "Application": _application,
    "Decision": _decision,
    "Lien": partial(_by_query, type_name="Lien", query=liens_by_id, shown=Lien),
    "ControlTransfer": partial(_by_query, type_name="ControlTransfer", query=transfers_by_id, shown=ControlTransfer),
    "Consent": partial(_by_query, type_name="Consent", query=consents_by_id, shown=Consent),
    "Finding": _finding,
}
