"""Liens and offers of control."""

from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import strawberry

from graphql_api.loaders import required
from graphql_api.request_context import context_of
from graphql_api.scalars import Bytes32
from graphql_api.types.anchor import Anchor, anchor_of
from graphql_api.types.described import described
from graphql_api.types.enums import TransferState
from graphql_api.types.money import MoneyValue, money_of
from graphql_api.types.node import Node, node_id
from graphql_api.types.party import Lender, lender_of
from registry.domain import claims
from registry.services.authority import LoanNotYours

if TYPE_CHECKING:
    from graphql_api.types.loan import Loan


@strawberry.type(description="An asset that secures a loan; exclusive over all lenders of the registry.")
class Lien(Node):
    """A lien as its row has it."""

    row: strawberry.Private[claims.Lien]

    @classmethod
    def of(cls, row: claims.Lien) -> "Lien":
        return cls(id=node_id("Lien", row.id), row=row)

    @described("The keyed digest of the asset's identifiers, as it stands on chain.")
    def asset_tag(self) -> Bytes32:
        return Bytes32(self.row.asset_tag)

    @described("Its rank among the liens on the asset, from 1.")
    def rank(self) -> int:
        return self.row.rank

    @described("The loan it secures.")
    async def loan(self, info: strawberry.Info) -> Annotated["Loan", strawberry.lazy("graphql_api.types.loan")]:
        from graphql_api.types.loan import Loan  # noqa: PLC0415 - loans have liens, liens have loans

        found = context_of(info).loaders.loan.load((self.row.lender_id, self.row.loan_id))
        return Loan.of(await required(found, lambda: LoanNotYours(self.row.loan_id)))

    @described("When the asset was pledged.")
    def pledged_at(self) -> datetime:
        return self.row.pledged_at

    @described("When it was released.")
    def released_at(self) -> datetime | None:
        return self.row.released_at

    @described("How far the pledge has come on its way to the chain.")
    async def anchor(self, info: strawberry.Info) -> Anchor:
        found = await context_of(info).loaders.lien_anchor.load((self.row.lender_id, self.row.id))
        return anchor_of(found)


@strawberry.type(description="An offer to hand a claim to another lender.")
class ControlTransfer(Node):
    """An offer as its row has it."""

    row: strawberry.Private[claims.ControlTransfer]

    @classmethod
    def of(cls, row: claims.ControlTransfer) -> "ControlTransfer":
        return cls(id=node_id("ControlTransfer", row.id), row=row)

    @described("The loan whose claim is offered.")
    async def loan(self, info: strawberry.Info) -> Annotated["Loan", strawberry.lazy("graphql_api.types.loan")] | None:
        from graphql_api.types.loan import Loan  # noqa: PLC0415 - loans have offers, offers have loans

        found = await context_of(info).loaders.loan.load((self.row.lender_id, self.row.loan_id))
        return Loan.of(found) if found is not None else None

    @described("The seller.", name="from")
    async def seller(self, info: strawberry.Info) -> Lender:
        return await lender_of(context_of(info), self.row.from_lender_id)

    @described("The buyer.", name="to")
    async def buyer(self, info: strawberry.Info) -> Lender:
        return await lender_of(context_of(info), self.row.to_lender_id)

    @described("Who services the loan afterwards; null is the buyer.")
    async def servicer(self, info: strawberry.Info) -> Lender | None:
        number = self.row.servicer_id
        return await lender_of(context_of(info), number) if number else None

    @described("Where the offer stands.")
    def state(self) -> TransferState:
        return self.row.state

    @described("When it was made.")
    def offered_at(self) -> datetime:
        return self.row.offered_at

    @described("Until when it can be accepted.")
    def expires_at(self) -> datetime | None:
        return self.row.expires_at

    @described("The price, if one is named.")
    def price(self) -> MoneyValue | None:
        return money_of(self.row.price)

    @described("How far the offer has come on its way to the chain.")
    async def anchor(self, info: strawberry.Info) -> Anchor:
        found = await context_of(info).loaders.transfer_anchor.load((self.row.lender_id, self.row.id))
        return anchor_of(found)
