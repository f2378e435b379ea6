"""A loan: its file, its figures on any day, its history, and what the chain says about it."""

from datetime import date, datetime
from decimal import Decimal
from typing import Annotated

import strawberry
from strawberry.scalars import JSON

from graphql_api.disclosure import check_profile
from graphql_api.loaders import required
from graphql_api.paging import decode_cursor, encode_cursor, page_size
from graphql_api.request_context import RequestContext, context_of
from graphql_api.scalars import Bytes32
from graphql_api.types.anchor import Anchor, anchor_of
from graphql_api.types.claim import ControlTransfer, Lien
from graphql_api.types.described import described
from graphql_api.types.enums import AssetClass, DisclosureProfile, LoanStatus, RecordKind, Verification
from graphql_api.types.money import MoneyValue, money
from graphql_api.types.node import Connection, Node, connection_of, node_id
from graphql_api.types.origination import Decision
from graphql_api.types.party import After, Borrower, First, Lender, Product, borrower_of, lender_of, product_of
from graphql_api.types.record import LoanRecord
from registry.domain.delinquency import classify
from registry.domain.ledger import LoanLedger
from registry.domain.loan_state import InstalmentState
from registry.domain.schedule import Instalment as AgreedInstalment
from registry.services.authority import LoanNotYours
from registry.storage.queries_keyset import Slice
from registry.storage.queries_loans import FiledLoan
from registry.storage.queries_records import RecordWindow
from registry.storage.queries_sight import Access

AsOf = Annotated[date | None, strawberry.argument(description="The day to look at; today if not given.")]
Kinds = Annotated[list[RecordKind] | None, strawberry.argument(description="Only records of these kinds.")]
Profile = Annotated[DisclosureProfile, strawberry.argument(description="Who the evidence is for.")]


@strawberry.type(description="One instalment of the schedule as it stands on the day asked for.")
class Instalment:
    """A row of the schedule; interest not yet due is what it will be if everything is paid on its day."""

    number: int = strawberry.field(description="Its place, from 1.")
    due_on: date = strawberry.field(description="The day it falls due.")
    principal: MoneyValue = strawberry.field(description="Its principal.")
    interest: MoneyValue = strawberry.field(description="Its interest.")
    fees: MoneyValue = strawberry.field(description="Its fees.")
    penalty: MoneyValue = strawberry.field(description="Penalties charged on it.")
    paid: MoneyValue = strawberry.field(description="What was paid of all that.")
    outstanding_after: MoneyValue = strawberry.field(description="The principal left once it is paid.")


@strawberry.type(description="A loan of the registry: the lender's file, joined with what the chain says about it.")
class Loan(Node):
    """A loan as its row has it; what needs its history is read only when asked for."""

    row: strawberry.Private[FiledLoan]

    @classmethod
    def of(cls, row: FiledLoan) -> "Loan":
        return cls(id=node_id("Loan", row.id), row=row)

    @described("The identity of the loan on chain.")
    def loan_key(self) -> Bytes32:
        return Bytes32(self.row.loan_key)

    @described("The lender's own reference for it.")
    def external_reference(self) -> str | None:
        return self.row.external_reference

    @described("Its standing.")
    def status(self) -> LoanStatus:
        return self.row.status

    @described("Who owns the claim.")
    async def lender(self, info: strawberry.Info) -> Lender:
        return await lender_of(context_of(info), self.row.controller_id)

    @described("Who made the loan and keeps its file.")
    async def originator(self, info: strawberry.Info) -> Lender:
        return await lender_of(context_of(info), self.row.lender_id)

    @described("Who books on it.")
    async def servicer(self, info: strawberry.Info) -> Lender:
        return await lender_of(context_of(info), self.row.servicer_id)

    @described("The product it was made from.")
    async def product(self, info: strawberry.Info) -> Product | None:
        return await product_of(context_of(info), self.row.product_id)

    @described("The borrower; null without a right to see it.")
    async def borrower(self, info: strawberry.Info) -> Borrower | None:
        if self.row.access is Access.SHARED:
            return None
        return await borrower_of(context_of(info), (self.row.lender_id, self.row.borrower_id))

    @described("The amount lent.")
    def principal(self) -> MoneyValue:
        return money(self.row.principal_minor, self.row.currency)

    @described("The principal not yet repaid or written off on a day.")
    async def outstanding(self, info: strawberry.Info, as_of: AsOf = None) -> MoneyValue:
        if as_of is None:
            return money(self.row.outstanding_minor, self.row.currency)
        return money((await self._ledger(context_of(info))).outstanding(as_of).minor, self.row.currency)

    @described(
        "What clears the loan on a day: all that is due, the interest to that day, the principal, less credit held."
    )
    async def payoff(self, info: strawberry.Info, as_of: AsOf = None) -> MoneyValue:
        context = context_of(info)
        ledger = await self._ledger(context)
        return money(ledger.payoff(as_of or context.today).minor, self.row.currency)

    @described("The nominal annual rate of the agreement, as a fraction.")
    def annual_rate(self) -> Decimal:
        return Decimal(self.row.annual_rate)

    @described("The annual rate with all fees, as disclosed at signing, as a fraction.")
    def disclosed_apr(self) -> Decimal | None:
        return Decimal(self.row.disclosed_apr) if self.row.disclosed_apr is not None else None

    @described("The term in months.")
    def term_months(self) -> int:
        return self.row.term_months

    @described("The day of the payout.")
    def disbursed_on(self) -> date | None:
        return self.row.disbursed_on

    @described("The last due date.")
    def matures_on(self) -> date | None:
        return self.row.matures_on

    @described("Calendar days since the oldest unpaid due date, 0 if nothing due is unpaid.")
    async def days_past_due(self, info: strawberry.Info, as_of: AsOf = None) -> int:
        return await self._days_past_due(context_of(info), as_of)

    @described("The class by days past due and the rules in force on the day.")
    async def asset_class(self, info: strawberry.Info, as_of: AsOf = None) -> AssetClass:
        context = context_of(info)
        return classify(await self._days_past_due(context, as_of), as_of or context.today)

    @described("The instalments as they stand on a day.")
    async def schedule(self, info: strawberry.Info, as_of: AsOf = None) -> list[Instalment]:
        context = context_of(info)
        ledger = await self._ledger(context)
        if self.row.status is LoanStatus.REGISTERED:
            return [_agreed_instalment(row, self.row.currency) for row in ledger.schedule]
        rows = ledger.state_on(as_of or context.today).instalments
        return [_instalment(row, self.row.currency) for row in rows]

    @described("The history in order.")
    async def records(
        self, info: strawberry.Info, first: First = None, after: After = None, kind: Kinds = None
    ) -> Connection[LoanRecord]:
        context = context_of(info)
        size, kinds = page_size(context.api.limits, first), frozenset(kind) if kind is not None else None
        behind = decode_cursor("records", (int,), after)[0] if after is not None else -1
        rows = await context.loaders.records.load((self._name, RecordWindow(size, behind, kinds)))
        page = Slice(rows[:size], len(rows) > size, after is not None)

        async def count() -> int:
            if kinds is None:
                return self.row.next_sequence
            return await context.loaders.record_count.load((self._name, kinds))

        cursors = [encode_cursor("records", (filed.record.sequence,)) for filed in page.rows]
        return connection_of(page, [LoanRecord.of(filed) for filed in page.rows], cursors, count)

    @described("The running hash of all its records, as the file computes it.")
    def head(self) -> Bytes32:
        return Bytes32(self.row.head)

    @described("The same as the mirror of the chain has it; null while it is not on chain.")
    async def head_on_chain(self, info: strawberry.Info) -> Bytes32 | None:
        verdict = await context_of(info).loaders.verdict.load(self._name)
        return Bytes32(verdict.head_on_chain) if verdict is not None and verdict.head_on_chain is not None else None

    @described("Whether file and mirror agree now, and what the last reconciliation found.")
    async def verification(self, info: strawberry.Info) -> Verification:
        verdict = await context_of(info).loaders.verdict.load(self._name)
        return verdict.state if verdict is not None else Verification.MISSING_IN_FILE

    @described("When a reconciliation last looked at it; null before the first.")
    async def verified_at(self, info: strawberry.Info) -> datetime | None:
        verdict = await context_of(info).loaders.verdict.load(self._name)
        return verdict.verified_at if verdict is not None else None

    @described("The anchor of its newest record.")
    async def anchor(self, info: strawberry.Info) -> Anchor:
        return anchor_of(await context_of(info).loaders.loan_anchor.load(self._name))

    @described("The assets that secure it, released ones included, oldest first.")
    async def liens(self, info: strawberry.Info) -> list[Lien]:
        return [Lien.of(row) for row in await context_of(info).loaders.liens.load(self._name)]

    @described("The decision that led to it; null without a right to see it.")
    async def decision(self, info: strawberry.Info) -> Decision | None:
        if self.row.decision_id is None or self.row.access is Access.SHARED:
            return None
        found = await context_of(info).loaders.decision.load((self.row.lender_id, self.row.decision_id))
        return Decision.of(found) if found is not None else None

    @described("The open offer of the claim, to its parties and auditors.")
    async def transfer(self, info: strawberry.Info) -> ControlTransfer | None:
        found = await context_of(info).loaders.open_transfer.load(self._name)
        return ControlTransfer.of(found) if found is not None else None

    @described("One self-contained file that proves the history against the chain: save it and verify it offline.")
    async def evidence(self, info: strawberry.Info, profile: Profile = DisclosureProfile.AUDITOR) -> JSON:
        context = context_of(info)
        check_profile(context.actor, self.row.access, profile)
        return JSON(await context.evidence(self.row.id, profile.value))

    @property
    def _name(self) -> tuple[int, str]:
        return self.row.lender_id, self.row.id

    async def _ledger(self, context: RequestContext) -> LoanLedger:
        found = context.loaders.ledger.load((*self._name, self.row.terms))
        return await required(found, lambda: LoanNotYours(self.row.id))

    async def _days_past_due(self, context: RequestContext, as_of: date | None) -> int:
        if as_of is not None and as_of < context.today:
            return (await self._ledger(context)).days_past_due(as_of)
        due = self.row.next_unpaid_due_on
        return max(0, ((as_of or context.today) - due).days) if due is not None else 0


def _instalment(row: InstalmentState, currency: str) -> Instalment:
    return Instalment(
        number=row.number,
        due_on=row.due_on,
        principal=money(row.principal_minor, currency),
        interest=money(row.interest_minor, currency),
        fees=money(row.fees_minor, currency),
        penalty=money(row.penalty_minor, currency),
        paid=money(row.paid_minor, currency),
        outstanding_after=money(row.outstanding_after_minor, currency),
    )


def _agreed_instalment(row: AgreedInstalment, currency: str) -> Instalment:
    """An instalment of a loan that was not paid out yet, as it was agreed."""
    return Instalment(
        number=row.number,
        due_on=row.due_on,
        principal=money(row.principal_minor, currency),
        interest=money(row.interest_minor, currency),
        fees=money(row.fees_minor, currency),
        penalty=money(0, currency),
        paid=money(0, currency),
        outstanding_after=money(row.outstanding_after_minor, currency),
    )
