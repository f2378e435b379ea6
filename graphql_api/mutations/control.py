"""Rights over a loan: offers of control and liens."""

from typing import Annotated, Any

import strawberry

from graphql_api.global_id import local_id, number_id
from graphql_api.mutations.answers import booked, offered, pledged
from graphql_api.mutations.inputs import (
    AcceptTransferInput,
    OfferTransferInput,
    PledgeAssetInput,
    RefuseTransferInput,
    ReleaseAssetInput,
    WithdrawTransferInput,
)
from graphql_api.mutations.results import (
    AcceptTransferPayload,
    AcceptTransferResult,
    OfferTransferPayload,
    OfferTransferResult,
    PledgeAssetPayload,
    PledgeAssetResult,
    RefuseTransferPayload,
    RefuseTransferResult,
    ReleaseAssetPayload,
    ReleaseAssetResult,
    WithdrawTransferPayload,
    WithdrawTransferResult,
)
from graphql_api.types.described import mutation
from registry.domain.access import Request
from registry.ports import Facilities, UnitOfWork
from registry.services import pledge_asset, transfer_control
from registry.services.pledge_asset import Asset
from registry.services.transfer_control import Offer, Seen

_INPUT = strawberry.argument(description="What is asked for, with its idempotency key.")


@strawberry.type
class ControlMutations:
    """Mutations of the lender that owns a claim, or is offered one."""

    @mutation("Offer a claim to another lender.")
    async def offer_transfer(
        self,
        info: strawberry.Info,
        input: Annotated[OfferTransferInput, _INPUT],  # noqa: A002
    ) -> OfferTransferResult:
        def offer(uow: UnitOfWork, request: Request, use: Facilities) -> dict[str, Any]:
            given = Offer(
                loan_id=local_id(input.loan_id, "Loan"),
                to_lender_id=number_id(input.to_lender_id, "Lender"),
                expires_at=input.expires_at,
                servicer_id=number_id(input.servicer_id, "Lender") if input.servicer_id is not None else None,
                price=input.price.money() if input.price is not None else None,
            )
            return transfer_control.offer_transfer(uow, given, request, use)

        return await offered(info, "offerTransfer", input, offer, OfferTransferPayload)

    @mutation("Take over a claim with the history as it stands.")
    async def accept_transfer(
        self,
        info: strawberry.Info,
        input: Annotated[AcceptTransferInput, _INPUT],  # noqa: A002
    ) -> AcceptTransferResult:
        def accept(uow: UnitOfWork, request: Request, use: Facilities) -> dict[str, Any]:
            seen = Seen(
                transfer_id=local_id(input.transfer_id, "ControlTransfer") if input.transfer_id is not None else None,
                head=input.expected_head,
            )
            return transfer_control.accept_transfer(uow, local_id(input.loan_id, "Loan"), request, use, seen=seen)

        return await booked(info, "acceptTransfer", input, accept, AcceptTransferPayload)

    @mutation("Decline an offer.")
    async def refuse_transfer(
        self,
        info: strawberry.Info,
        input: Annotated[RefuseTransferInput, _INPUT],  # noqa: A002
    ) -> RefuseTransferResult:
        def refuse(uow: UnitOfWork, request: Request, use: Facilities) -> dict[str, Any]:
            return transfer_control.refuse_transfer(uow, local_id(input.loan_id, "Loan"), request, use)

        return await offered(info, "refuseTransfer", input, refuse, RefuseTransferPayload)

    @mutation("Take an offer back.")
    async def withdraw_transfer(
        self,
        info: strawberry.Info,
        input: Annotated[WithdrawTransferInput, _INPUT],  # noqa: A002
    ) -> WithdrawTransferResult:
        def withdraw(uow: UnitOfWork, request: Request, use: Facilities) -> dict[str, Any]:
            return transfer_control.withdraw_offer(uow, local_id(input.loan_id, "Loan"), request, use)

        return await offered(info, "withdrawTransfer", input, withdraw, WithdrawTransferPayload)

    @mutation("Secure a loan with an asset.")
    async def pledge_asset(
        self,
        info: strawberry.Info,
        input: Annotated[PledgeAssetInput, _INPUT],  # noqa: A002
    ) -> PledgeAssetResult:
        def pledge(uow: UnitOfWork, request: Request, use: Facilities) -> dict[str, Any]:
            loan_id, asset = local_id(input.loan_id, "Loan"), Asset(input.asset_kind, input.asset_identifier)
            return pledge_asset.pledge_asset(uow, loan_id, asset, request, use)

        return await pledged(info, "pledgeAsset", input, pledge, PledgeAssetPayload)

    @mutation("End a lien.")
    async def release_asset(
        self,
        info: strawberry.Info,
        input: Annotated[ReleaseAssetInput, _INPUT],  # noqa: A002
    ) -> ReleaseAssetResult:
        def release(uow: UnitOfWork, request: Request, use: Facilities) -> dict[str, Any]:
            loan_id, asset = local_id(input.loan_id, "Loan"), Asset(input.asset_kind, input.asset_identifier)
            return pledge_asset.release_asset(uow, loan_id, asset, request, use)

        return await pledged(info, "releaseAsset", input, release, ReleaseAssetPayload)
