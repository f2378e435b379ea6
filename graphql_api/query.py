"""The root of all queries."""

from collections.abc import Sequence
from datetime import date, datetime
from functools import partial
from typing import Annotated

import strawberry

from audit.queries import list_findings
from graphql_api import portfolio as figures
from graphql_api.anchors import NOT_FINAL, count_of_outbox, page_of_outbox
from graphql_api.chain_status import mirror_cursor
from graphql_api.global_id import filed_id
from graphql_api.loan_filter import LoanFilter, loan_query
from graphql_api.node_lookup import node_of
from graphql_api.paging import PageInvalid, PageTooLarge, both_ways, encode_cursor, forward, page_size
from graphql_api.request_context import RequestContext, context_of
from graphql_api.scalars import Bytes32
from graphql_api.types.claim import ControlTransfer
from graphql_api.types.described import described
from graphql_api.types.enums import AnchorState, ApplicationStatus, LoanSort
from graphql_api.types.loan import Loan
from graphql_api.types.node import Connection, Node, connection_of, node_id
from graphql_api.types.origination import Application
from graphql_api.types.party import After, First, Lender, Product
from graphql_api.types.record import LoanRecord
from graphql_api.types.whole import ChainStatus, Finding, Portfolio, Viewer
from registry.domain.access import Role
from registry.storage.queries_claims import count_of_transfers, page_of_transfers, transfer_key
from registry.storage.queries_loans import LoanQuery, count_of_loans, page_of_loans
from registry.storage.queries_origination import application_key, count_of_applications, page_of_applications
from registry.storage.queries_parties import all_products

FINDING_ROLES = frozenset({Role.AUDITOR, Role.ADMINISTRATOR, Role.LENDER})

Id = Annotated[strawberry.ID, strawberry.argument(description="A global id.")]
Last = Annotated[int | None, strawberry.argument(description="The size of a page from the end: 1 to 100.")]
Before = Annotated[str | None, strawberry.argument(description="Go back before this cursor.")]
Filter = Annotated[LoanFilter | None, strawberry.argument(description="Which loans; all visible ones if not given.")]


@strawberry.type(description="Everything that can be read. What a key may not see is as if it did not exist.")
class Query:
    """The queries of the public schema."""

    @described("Anything by its global id; null when there is none, or none to see.")
    async def node(self, info: strawberry.Info, id: Id) -> Node | None:  # noqa: A002 - the Relay specification's name
        return await node_of(context_of(info), id)

    @described("Many things by their global ids, in the order given; at most 100.")
    async def nodes(
        self,
        info: strawberry.Info,
        ids: Annotated[list[strawberry.ID], strawberry.argument(description="Global ids.")],
    ) -> Sequence[Node | None]:
        context = context_of(info)
        if len(ids) > context.api.limits.page_max:
            raise PageTooLarge(len(ids), context.api.limits.page_max)
        return await context.gather(node_of(context, one) for one in ids)

    @described("Who is asking.")
    def viewer(self, info: strawberry.Info) -> Viewer | None:
        actor = context_of(info).actor
        return Viewer(id=node_id("Viewer", f"{actor.role.value}/{actor.lender_id or 0}/{actor.name}"), actor=actor)

    @described("One loan by its global id or its loan key.")
    async def loan(
        self,
        info: strawberry.Info,
        id: Annotated[strawberry.ID | None, strawberry.argument(description="Its global id.")] = None,  # noqa: A002
        loan_key: Annotated[Bytes32 | None, strawberry.argument(description="Its identity on chain.")] = None,
    ) -> Loan | None:
        loaders = context_of(info).loaders
        if (id is None) == (loan_key is None):
            raise PageInvalid("give either id or loanKey")
        if loan_key is not None:
            found = await loaders.loan_of_key.load(loan_key)
        else:
            found = await loaders.loan.load(filed_id(str(id), "Loan"))
        return Loan.of(found) if found is not None else None

    @described("Loans, filtered and ordered, in pages.")
    async def loans(
        self,
        info: strawberry.Info,
        filter: Filter = None,  # noqa: A002 - the contract's name
        order_by: Annotated[
            LoanSort | None, strawberry.argument(description="The order of the pages.")
        ] = LoanSort.DISBURSED_ON_DESC,
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
    ) -> Connection[Loan]:
        context = context_of(info)
        query, order = loan_query(filter, context.today), order_by or LoanSort.DISBURSED_ON_DESC
        window = both_ways(
            context.api.limits,
            order.name,
            (_key_kind(order), str),
            first=first,
            after=after,
            last=last,
            before=before,
        )
        page = await context.read(partial(page_of_loans, sight=context.sight, query=query, sort=order, window=window))
        cursors = [encode_cursor(order.name, order.key_of(row)) for row in page.rows]
        count = partial(context.read, partial(count_of_loans, sight=context.sight, query=query))
        return connection_of(page, [Loan.of(row) for row in page.rows], cursors, count)

    @described("One record by what stands on chain for it.")
    async def record(
        self,
        info: strawberry.Info,
        commitment: Annotated[Bytes32, strawberry.argument(description="The record's commitment.")],
    ) -> LoanRecord | None:
        found = await context_of(info).loaders.record_with.load(commitment)
        return LoanRecord.of(found) if found is not None else None

    @described("One application.")
    async def application(self, info: strawberry.Info, id: Id) -> Application | None:  # noqa: A002
        found = await context_of(info).loaders.application.load(filed_id(id, "Application"))
        return Application.of(found) if found is not None else None

    @described("Applications, newest first.")
    async def applications(
        self,
        info: strawberry.Info,
        status: Annotated[
            list[ApplicationStatus] | None, strawberry.argument(description="Only those standing so.")
        ] = None,
        first: First = None,
        after: After = None,
    ) -> Connection[Application]:
        context = context_of(info)
        window = forward(context.api.limits, "applications", (datetime, str), first, after)
        page = await context.read(partial(page_of_applications, sight=context.sight, statuses=status, window=window))
        cursors = [encode_cursor("applications", application_key(row)) for row in page.rows]
        count = partial(context.read, partial(count_of_applications, sight=context.sight, statuses=status))
        return connection_of(page, [Application.of(row) for row in page.rows], cursors, count)

    @described("Open offers of control made to the key's lender, or by it; auditors see all.")
    async def transfers(
        self,
        info: strawberry.Info,
        incoming: Annotated[bool, strawberry.argument(description="Those made to the lender; else by it.")] = True,
        first: First = None,
        after: After = None,
    ) -> Connection[ControlTransfer]:
        context = context_of(info)
        window = forward(context.api.limits, "transfers", (datetime, str), first, after)
        page = await context.read(partial(page_of_transfers, sight=context.sight, window=window, incoming=incoming))
        cursors = [encode_cursor("transfers", transfer_key(row)) for row in page.rows]
        count = partial(context.read, partial(count_of_transfers, sight=context.sight, incoming=incoming))
        return connection_of(page, [ControlTransfer.of(row) for row in page.rows], cursors, count)

    @described(
        "Records on their way to the chain in the order they were queued: what waits, why, until when. "
        "Without a state: those that are not on chain."
    )
    async def outbox(
        self,
        info: strawberry.Info,
        state: Annotated[
            list[AnchorState] | None, strawberry.argument(description="Only those that have come so far.")
        ] = None,
        first: First = None,
        after: After = None,
    ) -> Connection[LoanRecord]:
        context = context_of(info)
        states = NOT_FINAL if state is None else tuple(state)
        window = forward(context.api.limits, "outbox", (int, int), first, after)
        page, places = await context.read(partial(page_of_outbox, sight=context.sight, states=states, window=window))
        found = await context.gather(context.loaders.record_with.load(commitment) for commitment in page.rows)
        cursors = [encode_cursor("outbox", places[commitment]) for commitment in page.rows]
        count = partial(context.read, partial(count_of_outbox, sight=context.sight, states=states))
        return connection_of(page, [LoanRecord.of(filed) for filed in found if filed is not None], cursors, count)

    @described("Published products.")
    async def products(
        self,
        info: strawberry.Info,
        active: Annotated[
            bool | None, strawberry.argument(description="Only those still offered, or no longer; null for all.")
        ] = True,
    ) -> list[Product]:
        return [Product.of(row) for row in await context_of(info).read(partial(all_products, is_active=active))]

    @described("The lenders of the registry.")
    async def lenders(self, info: strawberry.Info) -> list[Lender]:
        return [Lender.of(row) for row in (await context_of(info).loaders.lenders.load(None)).values()]

    @described("What the visible loans add up to; a past day replays each loan.")
    async def portfolio(
        self,
        info: strawberry.Info,
        filter: Filter = None,  # noqa: A002 - the contract's name
        as_of: Annotated[date | None, strawberry.argument(description="The day; today if not given.")] = None,
    ) -> Portfolio:
        context = context_of(info)
        return Portfolio(figures=await _figures(context, loan_query(filter, context.today), as_of))

    @described("Where chain, mirror and relay stand.")
    async def chain(self, info: strawberry.Info) -> ChainStatus:
        return ChainStatus(cursor=await context_of(info).read(mirror_cursor))

    @described("Differences found by reconciliations: a lender's own, all for auditors.")
    async def findings(
        self,
        info: strawberry.Info,
        first: Annotated[int | None, strawberry.argument(description="How many, 1 to 100.")] = 50,
    ) -> list[Finding]:
        context = context_of(info)
        size, actor = page_size(context.api.limits, first), context.actor
        if actor.role not in FINDING_ROLES:
            return []
        lenders = [actor.lender_id or 0] if actor.role is Role.LENDER else None
        found = await context.read(partial(list_findings, first=size, lenders=lenders))
        return [Finding.of(row) for row in found]


def _key_kind(order: LoanSort) -> type:
    match order:
        case LoanSort.OUTSTANDING_ASC | LoanSort.OUTSTANDING_DESC:
            return int
        case LoanSort.LOAN_KEY_ASC:
            return bytes
        case _:
            return date


async def _figures(context: RequestContext, query: LoanQuery, as_of: date | None) -> figures.PortfolioFigures:
    if as_of is None or as_of >= context.today:
        return await context.read(partial(figures.portfolio_now, sight=context.sight, query=query, today=context.today))
    return await context.read(
        partial(
            figures.portfolio_on,
            sight=context.sight,
            query=query,
            as_of=as_of,
            most=context.api.limits.replayed_loans,
        )
    )
