"""What others may ask the mirror: read-only, in bulk, one statement for any number of keys up to `KEYS_MAX`.

Every function takes a connection; take it from `snapshot(engine)` where several answers must belong to one moment.
"""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar

from sqlalchemy import ColumnElement, Connection, Engine, Select, and_, exists, func, or_, select, tuple_

from indexer.cursor import MirrorCursor, read_cursor
from indexer.digest import mirror_digest
from indexer.tables import mirror_blocks, mirror_events, mirror_lenders, mirror_loans, mirror_records
from registry.storage.engine import reading

__all__ = [
    "MirrorCursor",
    "MirrorLender",
    "MirrorLien",
    "MirrorLoan",
    "MirrorOffer",
    "MirrorRecord",
    "cursor",
    "lenders",
    "liens",
    "loans",
    "mirror_digest",
    "offers",
    "records_at",
    "records_of",
    "records_with",
    "shared_loans",
    "snapshot",
]

KEYS_MAX = 5_000  # in one statement; more keys take more statements

Key = TypeVar("Key")


@dataclass(frozen=True, slots=True)
class MirrorRecord:
    """A record as the chain has it, with its block. `head` and `status` are the loan's after it."""

    loan_key: bytes
    sequence: int
    kind: int
    commitment: bytes
    head: bytes
    status: int
    block_number: int
    log_index: int
    transaction_hash: bytes
    block_hash: bytes
    mined_at: datetime


@dataclass(frozen=True, slots=True)
class MirrorLoan:
    """A loan's present standing on chain; `records` counts the agreement, `last_block` is that of its last record."""

    loan_key: bytes
    registered_by: int
    controller_id: int
    servicer_id: int
    status: int
    records: int
    head: bytes
    registered_block: int
    last_block: int


@dataclass(frozen=True, slots=True)
class MirrorLender:
    """A lender the contract knows; `head` is the running hash over its registrations and transfers."""

    lender_id: int
    account: bytes
    active: bool
    head: bytes


@dataclass(frozen=True, slots=True)
class MirrorLien:
    """An asset that secures a loan now; `lender_id` is who pledged it, the block is that of the pledge."""

    asset_tag: bytes
    loan_key: bytes
    lender_id: int
    block_number: int
    log_index: int
    transaction_hash: bytes
    block_hash: bytes
    mined_at: datetime


@dataclass(frozen=True, slots=True)
class MirrorOffer:
    """An open offer of control, expired or not. `servicer_id` 0: the buyer. `expires_at` in unix seconds."""

    loan_key: bytes
    from_lender_id: int
    to_lender_id: int
    servicer_id: int
    expires_at: int
    block_number: int
    log_index: int
    transaction_hash: bytes
    block_hash: bytes
    mined_at: datetime


@contextmanager
def snapshot(engine: Engine) -> Iterator[Connection]:
    """A connection that only reads and sees one state of the mirror throughout."""
    options = {} if engine.dialect.name == "sqlite" else {"isolation_level": "REPEATABLE READ"}
    with reading(engine).execution_options(**options).connect() as connection:
        yield connection


def cursor(connection: Connection) -> MirrorCursor | None:
    """How far the mirror has come and what of it is final; None before the indexer's first start."""
    return read_cursor(connection)


def records_of(connection: Connection, loan_keys: Iterable[bytes]) -> dict[bytes, list[MirrorRecord]]:
    """All records of the loans, by loan in sequence; a loan without any is absent."""
    found: dict[bytes, list[MirrorRecord]] = {}
    for chunk in _chunks(loan_keys):
        statement = _records().where(mirror_records.c.loan_key.in_(chunk)).order_by(*_RECORD_KEY)
        for row in connection.execute(statement):
            found.setdefault(row.loan_key, []).append(MirrorRecord(*row))
    return found


def records_at(connection: Connection, positions: Iterable[tuple[bytes, int]]) -> dict[tuple[bytes, int], MirrorRecord]:
    """The records at the given (loan key, sequence); those not mirrored are absent."""
    found: dict[tuple[bytes, int], MirrorRecord] = {}
    for chunk in _chunks(positions):
        for row in connection.execute(_records().where(tuple_(*_RECORD_KEY).in_(chunk))):
            found[row.loan_key, row.sequence] = MirrorRecord(*row)
    return found


def records_with(connection: Connection, commitments: Iterable[bytes]) -> dict[bytes, list[MirrorRecord]]:
    """The records that carry the given commitments. A commitment can stand twice: the contract does not forbid it."""
    found: dict[bytes, list[MirrorRecord]] = {}
    for chunk in _chunks(commitments):
        statement = _records().where(mirror_records.c.commitment.in_(chunk)).order_by(*_RECORD_KEY)
        for row in connection.execute(statement):
            found.setdefault(row.commitment, []).append(MirrorRecord(*row))
    return found


def loans(connection: Connection, loan_keys: Iterable[bytes]) -> dict[bytes, MirrorLoan]:
    """The standing of the loans; those not mirrored are absent."""
    found: dict[bytes, MirrorLoan] = {}
    for chunk in _chunks(loan_keys):
        for row in connection.execute(_loans().where(mirror_loans.c.loan_key.in_(chunk))):
            found[row.loan_key] = MirrorLoan(*row)
    return found


def lenders(connection: Connection) -> dict[int, MirrorLender]:
    """All lenders the contract knows, by number."""
    statement = select(*(mirror_lenders.c[name] for name in MirrorLender.__slots__))
    return {row.lender_id: MirrorLender(*row) for row in connection.execute(statement)}


def shared_loans(connection: Connection, lender_id: int) -> list[MirrorLoan]:
    """Loans of other lenders' files that concern this one: it controls or services them, or is offered control."""
    last = _last_offer_event().subquery()
    offered = select(last.c.loan_key).where(last.c.name == "TransferOffered", last.c.other_lender_id == lender_id)
    concerned = or_(
        mirror_loans.c.controller_id == lender_id,
        mirror_loans.c.servicer_id == lender_id,
        mirror_loans.c.loan_key.in_(offered),
    )
    statement = _loans().where(mirror_loans.c.registered_by != lender_id, concerned).order_by(mirror_loans.c.loan_key)
    return [MirrorLoan(*row) for row in connection.execute(statement)]


def liens(
    connection: Connection, *, asset_tags: Iterable[bytes] = (), loan_keys: Iterable[bytes] = ()
) -> list[MirrorLien]:
    """The liens that stand now on any of the assets or for any of the loans, oldest first."""
    rows: dict[bytes, Any] = {}
    for column, keys in ((mirror_events.c.asset_tag, asset_tags), (mirror_events.c.loan_key, loan_keys)):
        for chunk in _chunks(keys):
            rows |= {row.asset_tag: row for row in connection.execute(_standing_liens(column.in_(chunk)))}
    return sorted((MirrorLien(*row) for row in rows.values()), key=lambda lien: (lien.block_number, lien.log_index))


def offers(connection: Connection, loan_keys: Iterable[bytes]) -> dict[bytes, MirrorOffer]:
    """The open offers on the loans."""
    found: dict[bytes, MirrorOffer] = {}
    for chunk in _chunks(loan_keys):
        last = _last_offer_event(mirror_events.c.loan_key.in_(chunk)).subquery()
        statement: Select[Any] = (
            select(
                *(last.c[name] for name in ("loan_key", "lender_id", "other_lender_id", "servicer_id", "expires_at")),
                *(last.c[name] for name in _PLACE),
                mirror_blocks.c.hash,
                mirror_blocks.c.mined_at,
            )
            .join(mirror_blocks, mirror_blocks.c.number == last.c.block_number)
            .where(last.c.name == "TransferOffered")
        )
        for row in connection.execute(statement):
            found[row.loan_key] = MirrorOffer(*row)
    return found


_RECORD_KEY = (mirror_records.c.loan_key, mirror_records.c.sequence)
_PLACE = ("block_number", "log_index", "transaction_hash")
_OFFER_EVENTS = ("TransferOffered", "TransferWithdrawn", "TransferRefused", "TransferAccepted")


def _records() -> Select[Any]:
    names = MirrorRecord.__slots__[:-2]
    return select(*(mirror_records.c[name] for name in names), mirror_blocks.c.hash, mirror_blocks.c.mined_at).join(
        mirror_blocks, mirror_blocks.c.number == mirror_records.c.block_number
    )


def _loans() -> Select[Any]:
    return select(*(mirror_loans.c[name] for name in MirrorLoan.__slots__))


def _standing_liens(condition: ColumnElement[bool]) -> Select[Any]:
    """Pledges that no later release of the same asset has ended."""
    release = mirror_events.alias("release")
    later = or_(
        release.c.block_number > mirror_events.c.block_number,
        and_(release.c.block_number == mirror_events.c.block_number, release.c.log_index > mirror_events.c.log_index),
    )
    ended = exists().where(release.c.name == "AssetReleased", release.c.asset_tag == mirror_events.c.asset_tag, later)
    return (
        select(
            *(mirror_events.c[name] for name in ("asset_tag", "loan_key", "lender_id", *_PLACE)),
            mirror_blocks.c.hash,
            mirror_blocks.c.mined_at,
        )
        .join(mirror_blocks, mirror_blocks.c.number == mirror_events.c.block_number)
        .where(mirror_events.c.name == "AssetPledged", condition, ~ended)
    )


def _last_offer_event(*conditions: ColumnElement[bool]) -> Select[Any]:
    """For each loan the last event that opened or closed an offer."""
    offering = mirror_events.c.name.in_(_OFFER_EVENTS)
    order = func.row_number().over(
        partition_by=mirror_events.c.loan_key,
        order_by=(mirror_events.c.block_number.desc(), mirror_events.c.log_index.desc()),
    )
    ranked = select(mirror_events, order.label("place")).where(offering, *conditions).subquery()
    return select(ranked).where(ranked.c.place == 1)


def _chunks(keys: Iterable[Key]) -> Iterator[Sequence[Key]]:
    wanted = list(dict.fromkeys(keys))
    for at in range(0, len(wanted), KEYS_MAX):
        yield wanted[at : at + KEYS_MAX]
