"""The whole: portfolio, chain, findings, and who is asking."""

from datetime import datetime
from functools import partial

import strawberry
from strawberry.scalars import JSON

from audit.queries import StoredFinding
from chain.queries import oldest_queued_seconds
from graphql_api.chain_status import queued_entries
from graphql_api.portfolio import PortfolioFigures, Share
from graphql_api.request_context import context_of
from graphql_api.scalars import Address, Bytes32, MinorUnits
from graphql_api.types.described import described
from graphql_api.types.money import MoneyValue, money
from graphql_api.types.node import Node, node_id
from graphql_api.types.party import Lender, lender_of
from indexer.cursor import MirrorCursor
from registry.domain.access import Actor, Role

_PERMISSIONS = {
    Role.LENDER: ("READ_OWN_LOANS", "READ_OFFERED_LOANS", "READ_PEOPLE", "WRITE"),
    Role.AUDITOR: ("READ_ALL_LOANS", "MAKE_EVIDENCE", "READ_FINDINGS"),
    Role.PARTNER: ("READ_SHARED_LOANS",),
    Role.ADMINISTRATOR: ("READ_SYSTEM", "READ_FINDINGS"),
}


@strawberry.type(description="A part of the portfolio in one currency.")
class Bucket:
    """One key of a breakdown; with several currencies a key comes once for each."""

    key: str = strawberry.field(description="What the loans in it have in common.")
    loans: int = strawberry.field(description="How many loans.")
    outstanding: MoneyValue = strawberry.field(description="Their outstanding principal, in one currency.")
    share: float = strawberry.field(description="Its part of all outstanding principal in that currency, 0 to 1.")


@strawberry.type(description="The loans paid out in one month, and how many of them defaulted as they aged.")
class Vintage:
    """One month's loans. Default: charged off, or 90 days past due and not cured."""

    month: str = strawberry.field(description="The month of the payout, YYYY-MM.")
    loans: int = strawberry.field(description="How many loans.")
    cumulative_default_rate: list[float] = strawberry.field(
        description="Entry k: the part that had defaulted by the end of the k-th month after the payout, 0 to 1."
    )


@strawberry.type(description="What the visible loans add up to.")
class Portfolio:
    """The figures as of one day."""

    figures: strawberry.Private[PortfolioFigures]

    @described("How many loans.")
    def loans(self) -> int:
        return self.figures.loans

    @described("Outstanding principal, one amount for each currency.")
    def outstanding(self) -> list[MoneyValue]:
        return [money(minor, currency) for currency, minor in self.figures.outstanding.items()]

    @described("Active and charged-off loans by asset class.")
    def by_asset_class(self) -> list[Bucket]:
        return [_bucket(share) for share in self.figures.by_asset_class()]

    @described("Active and charged-off loans by months past due.")
    def by_days_past_due(self) -> list[Bucket]:
        return [_bucket(share) for share in self.figures.by_days_past_due()]

    @described("Active and charged-off loans by product version.")
    def by_product(self) -> list[Bucket]:
        return [_bucket(share) for share in self.figures.by_product()]

    @described("Default rates by month of payout.")
    def vintages(self) -> list[Vintage]:
        return [
            Vintage(
                month=vintage.month,
                loans=vintage.loans,
                cumulative_default_rate=list(vintage.cumulative_default_rate),
            )
            for vintage in self.figures.vintages()
        ]

    @described("By currency, in basis points: the Herfindahl index over products and the ten largest borrowers.")
    def concentration(self) -> JSON:
        return JSON(self.figures.concentration())


@strawberry.type(description="Where chain, mirror and relay stand.")
class ChainStatus:
    """The mirror's cursor, with what waits for the relay."""

    cursor: strawberry.Private[MirrorCursor]

    @described("The chain the registry is bound to.")
    def chain_id(self) -> MinorUnits:
        return MinorUnits(self.cursor.chain_id)

    @described("The contract.")
    def contract(self) -> Address:
        return Address(self.cursor.contract)

    @described("The Keccak-256 of the contract's code.")
    def code_hash(self) -> Bytes32:
        return Bytes32(self.cursor.code_hash)

    @described("The node's head when last asked.")
    def head(self) -> MinorUnits:
        return MinorUnits(self.cursor.head_number)

    @described("The last block mirrored.")
    def indexed(self) -> MinorUnits:
        return MinorUnits(self.cursor.block_number)

    @described("The last block that is final.")
    def final(self) -> MinorUnits:
        return MinorUnits(self.cursor.final_number)

    @described("When the mirror last moved.")
    def indexed_at(self) -> datetime:
        return self.cursor.indexed_at

    @described("Entries that wait for a transaction: a lender's own, all for auditors and operators.")
    async def queued(self, info: strawberry.Info) -> int:
        context = context_of(info)
        return await context.read(partial(queued_entries, sight=context.sight))

    @described("The age in seconds of the oldest entry of the registry not in a block yet.")
    async def oldest_queued_seconds(self, info: strawberry.Info) -> float | None:
        context = context_of(info)
        return await context.read(partial(oldest_queued_seconds, now=context.now))

    @described("One hash over the whole mirror: equal for equal mirrors of the same chain.")
    async def digest(self, info: strawberry.Info) -> Bytes32:
        context = context_of(info)
        return Bytes32(await context.work(context.digests.at, context.api.engine, context.now))


@strawberry.type(description="A difference that a reconciliation found.")
class Finding(Node):
    """A finding as the last run kept it; never personal data."""

    row: strawberry.Private[StoredFinding]

    @classmethod
    def of(cls, row: StoredFinding) -> "Finding":
        return cls(id=node_id("Finding", row.id), row=row)

    @described("ERROR: something is not what was anchored. WARNING: somebody should look.")
    def severity(self) -> str:
        return self.row.finding.severity.value

    @described("The stable code of the rule it is about.")
    def rule(self) -> str:
        return self.row.finding.rule.value

    @described("Where: loan, record and table.")
    def subject(self) -> str:
        finding = self.row.finding
        key = f"0x{finding.loan_key.hex()}" if finding.loan_key is not None else None
        loan = finding.loan_id or key or "registry"
        record = f"/{finding.sequence}" if finding.sequence is not None else ""
        return f"{loan}{record} {finding.table}"

    @described("What differs: the field, what the history makes it, and what was found.")
    def detail(self) -> str:
        finding = self.row.finding
        return f"{finding.field or 'row'}: expected {finding.expected or 'none'}, found {finding.found or 'none'}"

    @described("When it was found.")
    def found_at(self) -> datetime:
        return self.row.found_at


@strawberry.type(description="Who is asking.")
class Viewer:
    """The holder of the access key."""

    id: strawberry.ID = strawberry.field(description="Stable for one name and role.")
    actor: strawberry.Private[Actor]

    @described("The name the key was issued for.")
    def name(self) -> str:
        return self.actor.name

    @described("The key's role: LENDER, AUDITOR, PARTNER or ADMINISTRATOR.")
    def role(self) -> str:
        return self.actor.role.value

    @described("The lender the key acts for.")
    async def lender(self, info: strawberry.Info) -> Lender | None:
        number = self.actor.lender_id
        return None if number is None else await lender_of(context_of(info), number)

    @described("What the key may do.")
    def permissions(self) -> list[str]:
        return list(_PERMISSIONS[self.actor.role])


def _bucket(share: Share) -> Bucket:
    return Bucket(
        key=share.key, loans=share.loans, outstanding=money(share.outstanding_minor, share.currency), share=share.share
    )
