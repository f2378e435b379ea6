"""Liens and offers of control as the API reads them."""

from collections.abc import Collection
from typing import Any

from sqlalchemy import Connection, Select, func, select

from registry.domain.claims import ControlTransfer, Lien, TransferState
from registry.storage.claims import transfer_of
from registry.storage.queries_keyset import KeyValues, Slice, SortKey, Window, sliced, windowed
from registry.storage.queries_loans import of_loans
from registry.storage.queries_sight import Sight, visible_liens, visible_transfers
from registry.storage.tables import liens, transfers

TRANSFER_ORDER = (
    SortKey(transfers.c.offered_at, is_descending=True),
    SortKey(transfers.c.id, is_descending=True),
)


def liens_of_loans(connection: Connection, sight: Sight, names: Collection[tuple[int, str]]) -> dict[str, list[Lien]]:
    """The liens of these loans, released ones included, oldest first, by loan id."""
    statement = (
        select(liens)
        .where(visible_liens(sight), *of_loans(liens.c.lender_id, liens.c.loan_id, names))
        .order_by(liens.c.pledged_at, liens.c.id)
    )
    found: dict[str, list[Lien]] = {}
    for row in connection.execute(statement).mappings():
        found.setdefault(row["loan_id"], []).append(Lien(**row))
    return found


def liens_by_id(connection: Connection, sight: Sight, names: Collection[tuple[int, str]]) -> dict[str, Lien]:
    """The visible ones of these liens, by id."""
    statement = select(liens).where(visible_liens(sight), *of_loans(liens.c.lender_id, liens.c.id, names))
    return {row["id"]: Lien(**row) for row in connection.execute(statement).mappings()}


def open_transfers_of_loans(
    connection: Connection, sight: Sight, names: Collection[tuple[int, str]]
) -> dict[str, ControlTransfer]:
    """The open offer of each of these loans, if the actor is a party to it, by loan id."""
    statement = _open(sight).where(*of_loans(transfers.c.lender_id, transfers.c.loan_id, names))
    return {row.loan_id: transfer_of(row) for row in connection.execute(statement)}


def transfers_by_id(
    connection: Connection, sight: Sight, names: Collection[tuple[int, str]]
) -> dict[str, ControlTransfer]:
    """The visible ones of these offers in any state, by id."""
    statement = select(transfers).where(
        visible_transfers(sight), *of_loans(transfers.c.lender_id, transfers.c.id, names)
    )
    return {row.id: transfer_of(row) for row in connection.execute(statement)}


def page_of_transfers(connection: Connection, sight: Sight, window: Window, *, incoming: bool) -> Slice:
    """Open offers, newest first: those the actor's lender was made (`incoming`) or made; an auditor sees all."""
    statement = windowed(_directed(sight, incoming=incoming), TRANSFER_ORDER, window)
    page = sliced(connection.execute(statement).all(), window)
    return Slice(tuple(transfer_of(row) for row in page.rows), page.has_next, page.has_previous)


def count_of_transfers(connection: Connection, sight: Sight, *, incoming: bool) -> int:
    found = _directed(sight, incoming=incoming).subquery()
    return int(connection.execute(select(func.count()).select_from(found)).scalar_one())


def transfer_key(transfer: ControlTransfer) -> KeyValues:
    """Where an offer stands in the order of `page_of_transfers`."""
    return transfer.offered_at, transfer.id


def _open(sight: Sight) -> Select[Any]:
    is_open = transfers.c.state == TransferState.OFFERED.value
    return select(transfers).where(visible_transfers(sight), is_open, transfers.c.expires_at > sight.now)


def _directed(sight: Sight, *, incoming: bool) -> Select[Any]:
    if sight.lender_id is None:
        return _open(sight)
    side = transfers.c.to_lender_id if incoming else transfers.c.from_lender_id
    return _open(sight).where(side == sight.lender_id)
