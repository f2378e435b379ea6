"""Liens: one asset secures one loan at a time, over all lenders of the registry."""

import re
import unicodedata
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, ClassVar

from registry.domain.access import Request
from registry.domain.claims import Lien
from registry.domain.errors import InvalidInput, NotFound, RuleRefused
from registry.domain.identifiers import new_id
from registry.domain.kinds import LoanStatus
from registry.domain.loan import Loan
from registry.domain.outbox import OutboxAction, OutboxEntry
from registry.ports import Facilities, UnitOfWork
from registry.services.answering import answer_once
from registry.services.authority import controlled
from registry.services.transfer_control import none_offered

IDENTIFIER_MAX = 200
VIN = re.compile("[A-HJ-NPR-Z0-9]{17}")  # ISO 3779
PLEDGEABLE = frozenset({LoanStatus.REGISTERED, LoanStatus.ACTIVE, LoanStatus.CHARGED_OFF})


@dataclass(eq=False)
class AssetAlreadyPledged(RuleRefused):
    """The asset secures a loan already; which one is not told."""

    asset_tag: bytes
    code: ClassVar[str] = "ASSET_ALREADY_PLEDGED"

    def __str__(self) -> str:
        return "This asset secures another loan in the registry; it can be pledged once that lien is released."


@dataclass(eq=False)
class NothingToSecure(RuleRefused):
    """A closed loan needs no security."""

    loan_id: str
    code: ClassVar[str] = "NOTHING_TO_SECURE"

    def __str__(self) -> str:
        return f"Loan {self.loan_id} is closed; only a loan on which something may be owed can be secured."


@dataclass(eq=False)
class AssetNotPledged(NotFound):
    """No lien of the loan holds this asset."""

    loan_id: str
    code: ClassVar[str] = "ASSET_NOT_PLEDGED"

    def __str__(self) -> str:
        return f"Loan {self.loan_id} has no lien on this asset."


class AssetKind(StrEnum):
    """Kinds of asset that can secure a loan, one word for each so that two lenders name the same asset alike."""

    VEHICLE = "VEHICLE"
    PROPERTY = "PROPERTY"
    INVOICE = "INVOICE"
    EQUIPMENT = "EQUIPMENT"
    INVENTORY = "INVENTORY"
    SECURITIES = "SECURITIES"


@dataclass(eq=False)
class AssetInvalid(InvalidInput):
    """The asset's kind is not known, or its identifier cannot be one."""

    problem: str
    code: ClassVar[str] = "ASSET_INVALID"

    def __str__(self) -> str:
        return f"This asset cannot be pledged: {self.problem}."


@dataclass(frozen=True, slots=True)
class Asset:
    """An asset by its kind and official identifier: VIN (17 characters), title, invoice or serial number."""

    kind: str
    identifier: str

    def normalised(self) -> bytes:
        """The same bytes however the identifier is spelled: width, case, spaces and punctuation do not count."""
        kind = self.kind.strip().upper()
        if kind not in AssetKind.__members__:
            raise AssetInvalid(f"its kind is one of {', '.join(AssetKind)}")
        spelled = unicodedata.normalize("NFKC", self.identifier[: IDENTIFIER_MAX + 1]).upper()
        letters = "".join(character for character in spelled if character.isalnum())
        if not letters or len(self.identifier) > IDENTIFIER_MAX:
            raise AssetInvalid(f"its identifier needs 1 to {IDENTIFIER_MAX} characters, letters or digits among them")
        if kind == AssetKind.VEHICLE and not VIN.fullmatch(letters):
            raise AssetInvalid("a vehicle is named by its identification number: 17 letters and digits, not I, O or Q")
        return f"{kind}:{letters}".encode()


def pledge_asset(uow: UnitOfWork, loan_id: str, asset: Asset, request: Request, use: Facilities) -> dict[str, Any]:
    """Secure a loan with an asset; refused when the asset secures another one anywhere in the registry."""

    def change(uow: UnitOfWork) -> dict[str, Any]:
        loan, now = controlled(uow, loan_id, request.actor), use.clock.now()
        if loan.status not in PLEDGEABLE:
            raise NothingToSecure(loan_id)
        none_offered(uow, loan, now)
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
        none_offered(uow, loan, now)
        lien = uow.claims.lien(use.vault.asset_tag(asset.normalised()))
        if lien is None or lien.loan_id != loan.id:
            raise AssetNotPledged(loan_id)
        uow.claims.release(lien, now)
        uow.outbox.queue([_entry(loan, request.actor.lender, OutboxAction.RELEASE, lien.asset_tag)], now)
        return {"subject": loan.id, "loan_id": loan.id, "lien_id": lien.id}

    return answer_once(uow, request, use.clock, "AssetReleased", change)


def _entry(loan: Loan, signer: int, action: OutboxAction, tag: bytes) -> OutboxEntry:
    return OutboxEntry(signer, action, loan.lender_id, loan.id, loan.key, arguments={"asset_tag": tag.hex()})
