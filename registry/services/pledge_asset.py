"""Liens: one asset secures one loan at a time, over all lenders of the registry."""

from dataclasses import dataclass
from typing import Any, ClassVar

from registry.domain.access import Request
from registry.domain.claims import Lien
from registry.domain.errors import InvalidInput, NotFound, RuleRefused
from registry.domain.identifiers import new_id
from registry.domain.loan import Loan
from registry.domain.outbox import OutboxAction, OutboxEntry
from registry.ports import Facilities, UnitOfWork
from registry.services.answering import answer_once
from registry.services.authority import controlled

IDENTIFIER_MAX = 200


@dataclass(eq=False)
class AssetAlreadyPledged(RuleRefused):
    """The asset secures a loan already; which one is not told."""

    asset_tag: bytes
    code: ClassVar[str] = "ASSET_ALREADY_PLEDGED"

    def __str__(self) -> str:
        return "This asset secures another loan in the registry; it can be pledged once that lien is released."


@dataclass(eq=False)
class AssetNotPledged(NotFound):
    """No lien of the loan holds this asset."""

    loan_id: str
    code: ClassVar[str] = "ASSET_NOT_PLEDGED"

    def __str__(self) -> str:
        return f"Loan {self.loan_id} has no lien on this asset."


@dataclass(eq=False)
class AssetInvalid(InvalidInput):
    """The asset's identifiers are missing or too long."""

    code: ClassVar[str] = "ASSET_INVALID"

    def __str__(self) -> str:
        return f"Name the kind of asset and its identifier, each 1 to {IDENTIFIER_MAX} characters."


@dataclass(frozen=True, slots=True)
class Asset:
    """An asset by its kind (vehicle, property, invoice …) and official identifier (VIN, title or invoice number)."""

    kind: str
    identifier: str

    def normalised(self) -> bytes:
        if not 1 <= len(self.kind) <= IDENTIFIER_MAX or not 1 <= len(self.identifier) <= IDENTIFIER_MAX:
            raise AssetInvalid
        return f"{self.kind.strip().upper()}:{''.join(self.identifier.split()).upper()}".encode()


def pledge_asset(uow: UnitOfWork, loan_id: str, asset: Asset, request: Request, use: Facilities) -> dict[str, Any]:
    """Secure a loan with an asset; refused when the asset secures another one anywhere in the registry."""

    def change(uow: UnitOfWork) -> dict[str, Any]:
        loan, now = controlled(uow, loan_id, request.actor), use.clock.now()
        tag = use.vault.asset_tag(asset.normalised())
        if uow.claims.lien(tag) is not None:
            raise AssetAlreadyPledged(tag)
        lien = Lien(loan.lender_id, new_id(loan.lender_id), tag, loan.id, 1, request.actor.lender, now)
        uow.claims.add_lien(lien)
        uow.outbox.queue([_entry(loan, request.actor.lender, OutboxAction.PLEDGE, tag)], now)
        return {"subject": loan.id, "loan_id": loan.id, "lien_id": lien.id}

    return answer_once(uow, request, use.clock, "AssetPledged", change)


def release_asset(uow: UnitOfWork, loan_id: str, asset: Asset, request: Request, use: Facilities) -> dict[str, Any]:
    """End a lien; only the present owner of the claim may."""

    def change(uow: UnitOfWork) -> dict[str, Any]:
        loan, now = controlled(uow, loan_id, request.actor), use.clock.now()
        lien = uow.claims.lien(use.vault.asset_tag(asset.normalised()))
        if lien is None or lien.loan_id != loan.id:
            raise AssetNotPledged(loan_id)
        uow.claims.release(lien, now)
        uow.outbox.queue([_entry(loan, request.actor.lender, OutboxAction.RELEASE, lien.asset_tag)], now)
        return {"subject": loan.id, "loan_id": loan.id, "lien_id": lien.id}

    return answer_once(uow, request, use.clock, "AssetReleased", change)


def _entry(loan: Loan, signer: int, action: OutboxAction, tag: bytes) -> OutboxEntry:
    return OutboxEntry(signer, action, loan.lender_id, loan.id, loan.key, arguments={"asset_tag": tag.hex()})
