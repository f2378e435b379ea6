"""Where chain, mirror and relay stand."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import ClassVar

from sqlalchemy import Connection, Engine, and_, func, select

from chain.outbox_item import ItemState
from chain.tables import relay_items
from indexer.cursor import MirrorCursor
from indexer.queries import cursor, mirror_digest, snapshot
from registry.domain.access import Role
from registry.domain.errors import Unavailable
from registry.storage.queries_sight import Sight
from registry.storage.tables import lenders, outbox

DIGEST_AGE_MAX = timedelta(seconds=10)


@dataclass(eq=False)
class NotIndexed(Unavailable):
    """The indexer has not started yet, so nothing is known of the chain."""

    code: ClassVar[str] = "NOT_INDEXED"

    def __str__(self) -> str:
        return "The indexer has not read the chain yet; start it and ask again."


class MirrorDigests:
    """The digest of the mirror, kept for a moment: making it reads all of the mirror."""

    def __init__(self) -> None:
        self._kept: tuple[datetime, bytes] | None = None

    def at(self, engine: Engine, now: datetime) -> bytes:
        """The digest (32 bytes) of the mirror as it stands, not older than `DIGEST_AGE_MAX`."""
        kept = self._kept
        if kept is None or now - kept[0] > DIGEST_AGE_MAX:
            with snapshot(engine) as connection:
                kept = self._kept = (now, mirror_digest(connection))
        return kept[1]


def mirror_cursor(connection: Connection) -> MirrorCursor:
    """Where the mirror stands, or `NotIndexed`."""
    found = cursor(connection)
    if found is None:
        raise NotIndexed
    return found


def queued_entries(connection: Connection, sight: Sight) -> int:
    """How many entries wait for a transaction: a lender's own, all for auditors and administrators."""
    is_everything = sight.role in {Role.AUDITOR, Role.ADMINISTRATOR}
    taken = select(func.max(relay_items.c.position)).where(relay_items.c.lender_id == lenders.c.id)
    not_taken = lenders.c.outbox_position - func.coalesce(taken.scalar_subquery(), 0)
    held = (ItemState.WAITING, ItemState.BLOCKED)
    waiting = (
        select(func.count())
        .select_from(relay_items)
        .join(outbox, and_(outbox.c.lender_id == relay_items.c.lender_id, outbox.c.position == relay_items.c.position))
        .where(relay_items.c.lender_id == lenders.c.id, relay_items.c.state.in_(held), outbox.c.voided_at.is_(None))
    )
    statement = select(func.coalesce(func.sum(not_taken + waiting.scalar_subquery()), 0)).select_from(lenders)
    if not is_everything:
        statement = statement.where(lenders.c.id == (sight.lender_id or 0))
    return int(connection.execute(statement).scalar_one())
