"""Rights over a loan besides its balance: liens on assets and offers of control."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from registry.domain.money import Money


@dataclass(frozen=True, slots=True)
class Lien:
    """An asset pledged for a loan; `asset_tag` (32 bytes) is an HMAC of its identifiers, never themselves."""

    lender_id: int
    id: str
    asset_tag: bytes
    loan_id: str
    rank: int
    pledged_by: int
    pledged_at: datetime
    released_at: datetime | None = None


class TransferState(StrEnum):
    """How far an offer of control has come."""

    OFFERED = "OFFERED"
    ACCEPTED = "ACCEPTED"
    REFUSED = "REFUSED"
    WITHDRAWN = "WITHDRAWN"


@dataclass(frozen=True, slots=True)
class ControlTransfer:
    """An offer to hand the claim to another lender; `servicer_id` 0 means that the buyer also services the loan."""

    lender_id: int
    id: str
    loan_id: str
    from_lender_id: int
    to_lender_id: int
    servicer_id: int
    price: Money | None
    offered_at: datetime
    expires_at: datetime
    state: TransferState
    decided_at: datetime | None = None
