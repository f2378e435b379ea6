"""What the chain says about a record, a lien or an offer."""

from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import strawberry

from graphql_api.anchors import NOT_QUEUED, AnchorView
from graphql_api.request_context import context_of
from graphql_api.scalars import Bytes32, MinorUnits
from graphql_api.types.described import described
from graphql_api.types.enums import AnchorState

if TYPE_CHECKING:
    from graphql_api.types.record import LoanRecord


@strawberry.type(description="How far something has come on its way to the chain, and where it stands there.")
class Anchor:
    """An anchor as it is derived now from outbox, relay and mirror."""

    view: strawberry.Private[AnchorView]

    @described("How far it has come; anything but FINAL may go back when the chain reorganises.")
    def state(self) -> AnchorState:
        return self.view.state

    @described("The transaction that carries it, once there is one.")
    def transaction_hash(self) -> Bytes32 | None:
        return _hash(self.view.transaction_hash)

    @described("The block it is in.")
    def block_number(self) -> MinorUnits | None:
        number = self.view.block_number
        return None if number is None else MinorUnits(number)

    @described("The hash of that block.")
    def block_hash(self) -> Bytes32 | None:
        return _hash(self.view.block_hash)

    @described("When that block was made.")
    def block_time(self) -> datetime | None:
        return self.view.block_time

    @described("The position of its log in that block.")
    def log_index(self) -> int | None:
        return self.view.log_index

    @described("How many blocks confirm it, its own included.")
    def confirmations(self) -> int | None:
        return self.view.confirmations

    @described("The contract's error, decoded, when it was refused.")
    def refusal(self) -> str | None:
        return self.view.refusal

    @described("An earlier record of the same loan that must go first.")
    async def blocked_by(
        self, info: strawberry.Info
    ) -> Annotated["LoanRecord", strawberry.lazy("graphql_api.types.record")] | None:
        from graphql_api.types.record import LoanRecord  # noqa: PLC0415 - records have anchors, anchors have records

        if self.view.blocked_by is None:
            return None
        found = await context_of(info).loaders.record.load(self.view.blocked_by)
        return LoanRecord.of(found) if found is not None else None

    @described("When the relay tries again, if it waits.")
    def next_attempt_at(self) -> datetime | None:
        return self.view.next_attempt_at


def anchor_of(view: AnchorView | None) -> Anchor:
    """The anchor; what has no entry in the outbox yet is queued with whatever will carry it."""
    return Anchor(view=view or NOT_QUEUED)


def _hash(value: bytes | None) -> Bytes32 | None:
    return None if value is None else Bytes32(value)
