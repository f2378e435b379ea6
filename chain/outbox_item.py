"""An entry of the outbox as the relay handles it, and the states it goes through."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import orjson
from sqlalchemy import Row

from registry.domain.outbox import OutboxAction
from registry.storage.tables import outbox


class ItemState(StrEnum):
    """Where an outbox position stands with the relay; a position without an item was not taken yet."""

    WAITING = "WAITING"
    ASSIGNED = "ASSIGNED"
    FOUND = "FOUND"
    REFUSED = "REFUSED"
    BLOCKED = "BLOCKED"
    VOIDED = "VOIDED"


# What moves the head of a loan (or makes it): refused, it holds back everything later of that loan.
RECORD_ACTIONS = frozenset({OutboxAction.REGISTER, OutboxAction.APPEND, OutboxAction.ACCEPT})

ITEM_COLUMNS = tuple(
    outbox.c[name]
    for name in (
        "lender_id", "position", "action", "loan_key", "kind", "previous_head", "commitment", "arguments", "voided_at",
    )
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class OutboxItem:
    """What one entry of the outbox asks of the contract."""

    lender_id: int
    position: int
    action: OutboxAction
    loan_key: bytes
    kind: int | None
    previous_head: bytes | None
    commitment: bytes | None
    arguments: Mapping[str, Any]

    @property
    def carries_record(self) -> bool:
        return self.action in RECORD_ACTIONS


def item_of(row: Row[Any]) -> OutboxItem:
    """The item in a row of `ITEM_COLUMNS`."""
    return OutboxItem(
        lender_id=row.lender_id,
        position=row.position,
        action=OutboxAction(row.action),
        loan_key=bytes(row.loan_key),
        kind=row.kind,
        previous_head=_bytes(row.previous_head),
        commitment=_bytes(row.commitment),
        arguments=orjson.loads(row.arguments) if row.action != OutboxAction.APPEND else {},
    )


def _bytes(value: bytes | None) -> bytes | None:
    return bytes(value) if value is not None else None
