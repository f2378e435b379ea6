"""What waits to reach the chain: one entry per call the lender's key must sign, in the order it was committed."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from registry.domain.commitments import FieldValue


class OutboxAction(StrEnum):
    """Which call of the contract an entry becomes. REGISTER and APPEND go in batches, the others alone."""

    REGISTER = "REGISTER"  # arguments: nonce (hex); commitment of the agreement
    APPEND = "APPEND"  # previous_head, kind, commitment
    OFFER = "OFFER"  # arguments: to_lender_id, servicer_id, expires_at (unix seconds)
    WITHDRAW = "WITHDRAW"
    ACCEPT = "ACCEPT"  # previous_head is the expected head; commitment of the TRANSFER record
    REFUSE = "REFUSE"
    PLEDGE = "PLEDGE"  # arguments: asset_tag (hex)
    RELEASE = "RELEASE"  # arguments: asset_tag (hex)


@dataclass(frozen=True, slots=True)
class OutboxEntry:
    """An entry as it is queued; its position is given out when it commits.

    `lender_id` is whose key signs, `file_lender_id` the loan's originator, under whom loan and record are filed.
    """

    lender_id: int
    action: OutboxAction
    file_lender_id: int
    loan_id: str
    loan_key: bytes
    sequence: int | None = None
    kind: int | None = None
    previous_head: bytes | None = None
    commitment: bytes | None = None
    arguments: Mapping[str, FieldValue] | None = None
