"""Where the mirror stands: one row that names the chain it is bound to, the block it reached and the last final one."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, insert, select, update

from indexer.errors import MirrorBoundElsewhere, MirrorMoved
from indexer.tables import mirror_cursor
from registry.domain.chain_binding import ChainBinding


@dataclass(frozen=True, slots=True)
class MirrorCursor:
    """The mirror's position. Every block above `final_number` up to `block_number` stands in mirror_blocks.

    `head_number` is the node's head when last asked; while it is below `block_number`, the node lags behind the mirror.
    """

    chain_id: int
    genesis_hash: bytes
    contract: bytes
    code_hash: bytes
    block_number: int
    block_hash: bytes
    final_number: int
    final_hash: bytes
    head_number: int
    indexed_at: datetime


_COLUMNS = [mirror_cursor.c[name] for name in MirrorCursor.__slots__]


def read_cursor(connection: Connection) -> MirrorCursor | None:
    """The cursor, or None in a mirror that has not begun."""
    row = connection.execute(select(*_COLUMNS).where(mirror_cursor.c.id == 1)).one_or_none()
    return MirrorCursor(*row) if row is not None else None


def begin_cursor(connection: Connection, binding: ChainBinding, now: datetime) -> MirrorCursor:
    """A new mirror stands at the genesis block, the one block that the binding itself vouches for."""
    cursor = MirrorCursor(
        chain_id=binding.chain_id,
        genesis_hash=binding.genesis_hash,
        contract=binding.contract,
        code_hash=binding.code_hash,
        block_number=0,
        block_hash=binding.genesis_hash,
        final_number=0,
        final_hash=binding.genesis_hash,
        head_number=0,
        indexed_at=now,
    )
    values = {name: getattr(cursor, name) for name in MirrorCursor.__slots__}
    connection.execute(insert(mirror_cursor).values(id=1, **values))
    return cursor


def move_cursor(connection: Connection, before: MirrorCursor, after: MirrorCursor) -> None:
    """Replace `before` by `after`; `MirrorMoved` if the row is no longer what this indexer took it for.

    Called first in a transaction: the row's lock then keeps a second indexer out until the commit.
    """
    moved = connection.execute(
        update(mirror_cursor)
        .where(mirror_cursor.c.id == 1)
        .where(mirror_cursor.c.block_number == before.block_number)
        .where(mirror_cursor.c.block_hash == before.block_hash)
        .where(mirror_cursor.c.final_number == before.final_number)
        .values({name: getattr(after, name) for name in MirrorCursor.__slots__[4:]})
    )
    if moved.rowcount != 1:
        raise MirrorMoved(before.block_number)


def check_mirror_binding(cursor: MirrorCursor, binding: ChainBinding) -> None:
    """Refuse a mirror that was built from another chain or contract."""
    if cursor.chain_id != binding.chain_id:
        raise MirrorBoundElsewhere("chain id", str(cursor.chain_id), str(binding.chain_id))
    for field, mirrored, expected in (
        ("genesis block", cursor.genesis_hash, binding.genesis_hash),
        ("contract", cursor.contract, binding.contract),
        ("contract code hash", cursor.code_hash, binding.code_hash),
    ):
        if mirrored != expected:
            raise MirrorBoundElsewhere(field, f"0x{mirrored.hex()}", f"0x{expected.hex()}")
