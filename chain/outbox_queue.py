"""The relay's side of the outbox: positions taken in order, given to transactions, set aside, given back.

Everything here is SQL in the caller's transaction. The relay never skips a position: all taken ones have an item.
"""

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Select, and_, func, insert, or_, select, update

from chain.outbox_item import ITEM_COLUMNS, RECORD_ACTIONS, ItemState, OutboxItem, item_of
from chain.refusal import ContractRefusal
from chain.tables import relay_items
from registry.storage.tables import lenders, outbox

_ENTRY_OF_ITEM = and_(outbox.c.lender_id == relay_items.c.lender_id, outbox.c.position == relay_items.c.position)
_UNSETTLED = (ItemState.WAITING, ItemState.REFUSED, ItemState.BLOCKED)


def lender_ids(connection: Connection) -> list[int]:
    """The lenders that ever queued anything."""
    rows = connection.execute(select(lenders.c.id).where(lenders.c.outbox_position > 0).order_by(lenders.c.id))
    return list(rows.scalars())


def last_taken(connection: Connection, lender_id: int) -> int:
    last = connection.execute(select(func.max(relay_items.c.position)).where(relay_items.c.lender_id == lender_id))
    return int(last.scalar_one() or 0)


def take(connection: Connection, lender_id: int, limit: int) -> int:
    """Take the next `limit` positions; those of a loan held back by a refused record are held back too."""
    after = last_taken(connection, lender_id)
    rows = connection.execute(
        select(*ITEM_COLUMNS)
        .where(outbox.c.lender_id == lender_id, outbox.c.position > after)
        .order_by(outbox.c.position)
        .limit(limit)
    ).all()
    culprits = _culprits(connection, lender_id) if rows else {}
    taken: list[dict[str, Any]] = []
    for expected, row in enumerate(rows, start=after + 1):
        if row.position != expected:  # positions are gapless: whatever is missing here is not committed yet
            break
        blocked_by = culprits.get(bytes(row.loan_key))
        state = ItemState.BLOCKED if blocked_by is not None else ItemState.WAITING
        if row.voided_at is not None:
            state, blocked_by = ItemState.VOIDED, None
        taken.append(
            {"lender_id": lender_id, "position": expected, "state": state, "blocked_by": blocked_by, "attempts": 0}
        )
    if taken:
        connection.execute(insert(relay_items), taken)
    return len(taken)


def waiting(connection: Connection, lender_id: int, limit: int) -> list[OutboxItem]:
    """The first items that wait for a transaction, in the order of their positions."""
    rows = connection.execute(
        _items(lender_id, ItemState.WAITING)
        .where(outbox.c.voided_at.is_(None))
        .order_by(relay_items.c.position)
        .limit(limit)
    )
    return [item_of(row) for row in rows]


def count_waiting(connection: Connection, lender_id: int) -> int:
    """How many positions the relay could still bring on chain: taken ones that wait, and those not taken yet."""
    waiting_items = select(func.count()).where(
        relay_items.c.lender_id == lender_id, relay_items.c.state == ItemState.WAITING
    )
    last = connection.execute(select(lenders.c.outbox_position).where(lenders.c.id == lender_id)).scalar_one()
    return int(connection.execute(waiting_items).scalar_one()) + int(last) - last_taken(connection, lender_id)


def has_work(connection: Connection, lender_id: int, now: datetime) -> bool:
    """Whether there is anything to take, to send, to try again or to look up again."""
    open_ = or_(
        relay_items.c.state == ItemState.WAITING,
        and_(relay_items.c.state == ItemState.REFUSED, relay_items.c.next_attempt_at <= now),
        and_(relay_items.c.state == ItemState.FOUND, relay_items.c.refused_block.is_not(None)),
    )
    states = (ItemState.WAITING, ItemState.REFUSED, ItemState.FOUND)  # the index leads with them
    row = select(relay_items.c.position).where(
        relay_items.c.lender_id == lender_id, relay_items.c.state.in_(states), open_
    )
    if connection.execute(row.limit(1)).first() is not None:
        return True
    last = connection.execute(select(lenders.c.outbox_position).where(lenders.c.id == lender_id)).scalar_one()
    return int(last) > last_taken(connection, lender_id)


def sweep_voided(connection: Connection, lender_id: int) -> int:
    """Mark what was voided since it was taken, unless a transaction already carries it."""
    voided = connection.execute(
        select(relay_items.c.position)
        .join(outbox, _ENTRY_OF_ITEM)
        .where(
            relay_items.c.lender_id == lender_id,
            relay_items.c.state.in_(_UNSETTLED),
            outbox.c.voided_at.is_not(None),
        )
    ).scalars()
    return _set(connection, lender_id, list(voided), _UNSETTLED, state=ItemState.VOIDED, blocked_by=None)


def assign(connection: Connection, lender_id: int, positions: Sequence[int], sender: bytes, nonce: int) -> bool:
    """Give waiting items to a transaction; False, and the caller must roll back, if one is waiting no more."""
    still_there = connection.execute(
        select(func.count())
        .select_from(outbox)
        .where(outbox.c.lender_id == lender_id, outbox.c.position.in_(positions), outbox.c.voided_at.is_(None))
    ).scalar_one()
    values = {"state": ItemState.ASSIGNED, "sender": sender, "nonce": nonce, "refusal": None, "refusal_name": None}
    assigned = _set(
        connection, lender_id, positions, (ItemState.WAITING,), refused_block=None, next_attempt_at=None, **values
    )
    return bool(still_there == assigned == len(positions))


def give_back(connection: Connection, lender_id: int, sender: bytes, nonces: Collection[int]) -> int:
    """Items of transactions that will not settle them wait again."""
    returned = connection.execute(
        update(relay_items)
        .where(
            relay_items.c.lender_id == lender_id,
            relay_items.c.sender == sender,
            relay_items.c.nonce.in_(nonces),
            relay_items.c.state == ItemState.ASSIGNED,
        )
        .values(state=ItemState.WAITING, sender=None, nonce=None)
    )
    return int(returned.rowcount)


def mark_found(connection: Connection, lender_id: int, positions: Sequence[int], block: int) -> int:
    """Items whose records the chain holds already, as seen at `block`."""
    return _set(
        connection,
        lender_id,
        positions,
        (ItemState.WAITING,),
        state=ItemState.FOUND,
        refused_block=block,
        refusal=None,
        refusal_name=None,
    )


def set_aside(
    connection: Connection, item: OutboxItem, refusal: ContractRefusal, block: int, next_attempt_at: datetime
) -> int:
    """Mark a refused item, and hold back its loan's later ones if it is a record; returns how many are held back."""
    refused = _set(
        connection,
        item.lender_id,
        [item.position],
        (ItemState.WAITING,),
        state=ItemState.REFUSED,
        refusal=str(refusal),
        refusal_name=refusal.name,
        refused_block=block,
        attempts=1,
        next_attempt_at=next_attempt_at,
    )
    if not refused or not item.carries_record:
        return 0
    later = connection.execute(
        _items(item.lender_id, ItemState.WAITING).where(
            outbox.c.loan_key == item.loan_key, relay_items.c.position > item.position
        )
    )
    positions = [row.position for row in later]
    return _set(
        connection,
        item.lender_id,
        positions,
        (ItemState.WAITING,),
        state=ItemState.BLOCKED,
        blocked_by=item.position,
    )


def due_refused(connection: Connection, lender_id: int, now: datetime, limit: int) -> list[tuple[OutboxItem, int]]:
    """Refused items that are to be tried again, with the number of refusals so far."""
    rows = connection.execute(
        _items(lender_id, ItemState.REFUSED, relay_items.c.attempts)
        .where(relay_items.c.next_attempt_at <= now, outbox.c.voided_at.is_(None))
        .order_by(relay_items.c.next_attempt_at)
        .limit(limit)
    )
    return [(item_of(row), int(row.attempts)) for row in rows]


def refuse_again(
    connection: Connection, item: OutboxItem, refusal: ContractRefusal, attempts: int, next_attempt_at: datetime
) -> None:
    """Note another refusal; the block stays that of the first one, so that the refusal can become final."""
    _set(
        connection,
        item.lender_id,
        [item.position],
        (ItemState.REFUSED,),
        refusal=str(refusal),
        refusal_name=refusal.name,
        attempts=min(attempts, 30_000),
        next_attempt_at=next_attempt_at,
    )


def readmit(connection: Connection, item: OutboxItem) -> int:
    """A refused item passes now: it waits again, and so does what it held back."""
    count = _set(
        connection, item.lender_id, [item.position], (ItemState.REFUSED,), state=ItemState.WAITING, next_attempt_at=None
    )
    held_back = connection.execute(
        select(relay_items.c.position).where(
            relay_items.c.lender_id == item.lender_id,
            relay_items.c.state == ItemState.BLOCKED,
            relay_items.c.blocked_by == item.position,
        )
    ).scalars()
    blocked = (ItemState.BLOCKED,)
    return count + _set(connection, item.lender_id, list(held_back), blocked, state=ItemState.WAITING, blocked_by=None)


def unsettled_found(connection: Connection, lender_id: int, limit: int) -> list[tuple[OutboxItem, int]]:
    """Found items whose block was not final when last looked at, with that block's number."""
    rows = connection.execute(
        _items(lender_id, ItemState.FOUND, relay_items.c.refused_block)
        .where(relay_items.c.refused_block.is_not(None))
        .order_by(relay_items.c.position)
        .limit(limit)
    )
    return [(item_of(row), int(row.refused_block)) for row in rows]


def settle_found(connection: Connection, lender_id: int, kept: Sequence[int], lost: Sequence[int]) -> None:
    """Found items whose block became final: `kept` are settled for good, `lost` ones wait again."""
    _set(connection, lender_id, kept, (ItemState.FOUND,), refused_block=None)
    _set(connection, lender_id, lost, (ItemState.FOUND,), state=ItemState.WAITING, refused_block=None)


def void_refused(connection: Connection, lender_id: int, file_lender_id: int, loan_id: str) -> tuple[int, ...]:
    """Take a loan's refused record and everything it holds back out of the relay's hands, for `outbox resolve`.

    `lender_id` signs, `file_lender_id` and `loan_id` name the loan. Returns the positions that are VOIDED from now on:
    exactly these, and later ones the relay has not taken, may be voided in the outbox in the same transaction. What is
    missing from them is waiting or in a transaction, and may still reach the chain.
    """
    rows = connection.execute(
        select(relay_items.c.position)
        .join(outbox, _ENTRY_OF_ITEM)
        .where(
            relay_items.c.lender_id == lender_id,
            relay_items.c.state.in_((ItemState.REFUSED, ItemState.BLOCKED)),
            outbox.c.file_lender_id == file_lender_id,
            outbox.c.loan_id == loan_id,
        )
        .order_by(relay_items.c.position)
        .with_for_update(of=relay_items)
    ).scalars()
    positions = list(rows)
    _set(
        connection,
        lender_id,
        positions,
        (ItemState.REFUSED, ItemState.BLOCKED),
        state=ItemState.VOIDED,
        blocked_by=None,
        next_attempt_at=None,
    )
    return tuple(positions)


def _items(lender_id: int, state: ItemState, *more: Any) -> Select[Any]:
    return (
        select(*ITEM_COLUMNS, *more)
        .join_from(relay_items, outbox, _ENTRY_OF_ITEM)
        .where(relay_items.c.lender_id == lender_id, relay_items.c.state == state)
    )


def _culprits(connection: Connection, lender_id: int) -> dict[bytes, int]:
    """The refused record that holds back each blocked loan, by loan key."""
    rows = connection.execute(
        select(outbox.c.loan_key, relay_items.c.position, relay_items.c.blocked_by)
        .join_from(relay_items, outbox, _ENTRY_OF_ITEM)
        .where(
            relay_items.c.lender_id == lender_id,
            or_(
                relay_items.c.state == ItemState.BLOCKED,
                and_(relay_items.c.state == ItemState.REFUSED, outbox.c.action.in_([str(a) for a in RECORD_ACTIONS])),
            ),
        )
    )
    return {bytes(row.loan_key): row.blocked_by or row.position for row in rows}


def _set(
    connection: Connection, lender_id: int, positions: Sequence[int], states: Iterable[ItemState], **values: Any
) -> int:
    """Change the items at `positions` that are in one of `states`; returns how many were."""
    if not positions:
        return 0
    changed = connection.execute(
        update(relay_items)
        .where(
            relay_items.c.lender_id == lender_id,
            relay_items.c.position.in_(positions),
            relay_items.c.state.in_(tuple(states)),
        )
        .values(**values)
    )
    return int(changed.rowcount)
