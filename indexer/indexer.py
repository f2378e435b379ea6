"""The indexer: keeps the mirror in step with the chain, one batch of blocks and one transaction at a time.

Each step asks the node for its head and for its block at the mirror's height, then does one of four things:

1. The hashes agree and the node is ahead: read the next blocks, fold them, commit rows and cursor together.
2. The hashes differ: walk back to the last common block and take everything above it back. If that would be a final
   block, `FinalBlockChanged`; nothing is written.
3. The node's head is lower and on our chain: it lags, or the chain was shortened. Which of the two cannot be seen, so
   wait for `patience_polls` polls (the cursor shows the lower head meanwhile), then take back the blocks that the node
   does not have. Final blocks are never taken back for this: below them, wait for as long as it takes.
4. Nothing is new: nothing is written.
"""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime

import structlog
from sqlalchemy import Connection, Engine, delete, exists, or_, select
from sqlalchemy.exc import IntegrityError, OperationalError

from chain.binding import CodeMissing, check_binding
from chain.failpoint import failpoint
from chain.finality import FinalityRule
from chain.hexadecimal import number
from chain.rpc import CallFailed, Rpc
from indexer.apply import Fold, touched_loans
from indexer.blocks import Header
from indexer.cursor import MirrorCursor, begin_cursor, check_mirror_binding, move_cursor, read_cursor
from indexer.errors import CatchUpTimedOut, FinalBlockChanged, MirrorMoved, ReadTorn
from indexer.fetch import LOGS_TARGET, Batch, LogReader, View
from indexer.rewind import rewind, stored_hashes
from indexer.tables import mirror_blocks, mirror_events, mirror_records
from indexer.write import read_lenders, read_loans, write_fold, write_headers
from registry.domain.chain_binding import ChainBinding
from registry.domain.errors import Unavailable
from registry.storage.engine import reading

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class IndexSettings:
    """How eagerly to read. `patience_polls`: how often a lower head is met before blocks are taken back for it."""

    poll_seconds: float = 0.5
    logs_target: int = LOGS_TARGET
    patience_polls: int = 10


@dataclass(frozen=True, slots=True)
class IndexReport:
    """What one step did: the blocks read (none if `from_block` > `to_block`), records mirrored, blocks taken back."""

    from_block: int
    to_block: int
    records: int
    rewound: int
    head_number: int

    @property
    def caught_up(self) -> bool:
        """Whether the mirror is where the node is, or beyond."""
        return self.to_block >= self.head_number


class Indexer:
    """Mirrors one contract of one chain into one database. `clock` gives the UTC instant written beside the cursor."""

    def __init__(
        self,
        engine: Engine,
        rpc: Rpc,
        binding: ChainBinding,
        finality: FinalityRule,
        settings: IndexSettings,
        clock: Callable[[], datetime],
        *,
        on_indexed: Callable[[IndexReport], None] | None = None,
    ) -> None:
        self._engine = engine
        self._rpc = rpc
        self._binding = binding
        self._finality = finality
        self._settings = settings
        self._clock = clock
        self._on_indexed = on_indexed
        self._reader = LogReader(rpc, binding.contract, binding.deployed_block, logs_target=settings.logs_target)
        self._node_checked = False
        self._lower_polls = 0

    def run_once(self) -> IndexReport:
        """One step, see above, of at most one batch; call it again at once while the report is not `caught_up`."""
        cursor = self._cursor()
        if not self._node_checked:
            self._check_node()
        view = self._reader.view(cursor.block_number, self._finality)
        if view.head.number < cursor.block_number:
            return self._lower(cursor, view.head)
        self._lower_polls = 0
        if view.at_cursor is None:
            raise ReadTorn(cursor.block_number, "it is below the head and missing")
        if view.at_cursor.hash != cursor.block_hash:
            return self._replaced(cursor, view.head)
        return self._forward(cursor, view)

    def follow(self, stop: threading.Event) -> None:
        """Run until `stop` is set. What can pass by itself is waited for; a contradiction ends it with its error."""
        reason = ""
        while not stop.is_set():
            try:
                report = self.run_once()
            except (Unavailable, CallFailed, OperationalError) as fault:
                if str(fault) != reason:
                    reason = str(fault)
                    _log.warning("indexer_waits", reason=reason)
                self._node_checked = False
                stop.wait(self._settings.poll_seconds)
                continue
            reason = ""
            if report.caught_up and not report.rewound:
                stop.wait(self._settings.poll_seconds)

    def catch_up(self, timeout: float) -> IndexReport:
        """Run until the mirror is at the node's head; `timeout` in seconds. The report covers all steps."""
        deadline = time.monotonic() + timeout
        first, records, rewound = None, 0, 0
        while True:
            try:
                step = self.run_once()
            except (ReadTorn, OperationalError):
                if time.monotonic() > deadline:
                    raise
                time.sleep(self._settings.poll_seconds)
                continue
            first = step.from_block if first is None else min(first, step.from_block)
            records, rewound = records + step.records, rewound + step.rewound
            if step.head_number == step.to_block:
                return IndexReport(first, step.to_block, records, rewound, step.head_number)
            if time.monotonic() > deadline:
                raise CatchUpTimedOut(step.to_block, step.head_number, timeout)
            if step.caught_up:
                time.sleep(self._settings.poll_seconds)

    def _cursor(self) -> MirrorCursor:
        with reading(self._engine).connect() as connection:
            cursor = read_cursor(connection)
        if cursor is None:
            self._check_node()
            try:
                with self._engine.begin() as connection:
                    cursor = read_cursor(connection) or begin_cursor(connection, self._binding, self._clock())
            except IntegrityError as failure:
                raise MirrorMoved(0) from failure
        check_mirror_binding(cursor, self._binding)
        return cursor

    def _check_node(self) -> None:
        """Refuse a node with another chain or contract; one that has not come to the deployment yet is only behind."""
        try:
            check_binding(self._rpc, self._binding)
        except CodeMissing:
            if number(self._rpc.call("eth_blockNumber")) >= self._binding.deployed_block:
                raise
        self._node_checked = True

    def _forward(self, cursor: MirrorCursor, view: View) -> IndexReport:
        head_number = view.head.number
        final_number = self._finality.final_number(head_number, view.tagged_number)
        first = cursor.block_number + 1
        if first > head_number:
            return self._still(cursor, head_number, final_number)
        if first <= final_number:
            batch: Batch | None = self._reader.final_blocks(first, final_number)
        else:
            batch = self._reader.live_blocks(first, head_number, cursor.block_hash)
        if batch is None:
            raise ReadTorn(first, "it does not follow the block before it")
        with self._engine.begin() as connection:
            records = self._write(connection, cursor, batch, head_number, final_number)
            failpoint("K8")
        failpoint("K9")
        return self._reported(IndexReport(first, batch.last.number, records, 0, head_number))

    def _write(
        self, connection: Connection, cursor: MirrorCursor, batch: Batch, head_number: int, final_number: int
    ) -> int:
        """Rows and cursor of a batch; returns the number of records."""
        moved = replace(
            cursor,
            block_number=batch.last.number,
            block_hash=batch.last.hash,
            head_number=head_number,
            indexed_at=self._clock(),
        )
        move_cursor(connection, cursor, moved)
        write_headers(connection, batch.headers)
        records = 0
        if batch.events:
            loans = read_loans(connection, touched_loans(batch.events))
            fold = Fold(self._binding.chain_id, self._binding.contract, loans, read_lenders(connection))
            fold.apply(batch.events)
            write_fold(connection, fold)
            records = len(fold.records)
        self._settle(connection, moved, final_number)
        return records

    def _settle(self, connection: Connection, cursor: MirrorCursor, final_number: int) -> None:
        """Move the final block up to `final_number`, never down, and drop headers below it that hold nothing."""
        target = min(final_number, cursor.block_number)
        if target <= cursor.final_number:
            return
        final_hash = cursor.block_hash
        if target < cursor.block_number:
            final_hash = connection.scalars(select(mirror_blocks.c.hash).where(mirror_blocks.c.number == target)).one()
        move_cursor(connection, cursor, replace(cursor, final_number=target, final_hash=final_hash))
        held = [
            exists().where(table.c.block_number == mirror_blocks.c.number) for table in (mirror_records, mirror_events)
        ]
        between = mirror_blocks.c.number >= cursor.final_number, mirror_blocks.c.number < target
        connection.execute(delete(mirror_blocks).where(*between, ~or_(*held)))

    def _still(self, cursor: MirrorCursor, head_number: int, final_number: int) -> IndexReport:
        """Nothing to read; the head seen, or a later finality, may still have to be noted."""
        if head_number != cursor.head_number or final_number > cursor.final_number:
            with self._engine.begin() as connection:
                noted = replace(cursor, head_number=head_number, indexed_at=self._clock())
                move_cursor(connection, cursor, noted)
                self._settle(connection, noted, final_number)
        return IndexReport(cursor.block_number + 1, cursor.block_number, 0, 0, head_number)

    def _lower(self, cursor: MirrorCursor, head: Header) -> IndexReport:
        """The node's head is below the mirror's block."""
        self._check_node()
        with reading(self._engine).connect() as connection:
            hashes = stored_hashes(connection, cursor)
        if head.number >= cursor.final_number:
            if hashes[head.number] != head.hash:
                return self._replaced(cursor, head)
            self._lower_polls += 1
            if self._lower_polls > self._settings.patience_polls:
                return self._take_back(cursor, head.number, head.hash, head.number)
        return self._still(cursor, head.number, 0)

    def _replaced(self, cursor: MirrorCursor, head: Header) -> IndexReport:
        """The chain has another block where the mirror stands: find the last common one and go back to it."""
        self._check_node()
        with reading(self._engine).connect() as connection:
            hashes = stored_hashes(connection, cursor)
        heights = [height for height in sorted(hashes) if height <= head.number]
        found = self._reader.headers(heights)
        for height in reversed(heights):
            if height in found and found[height].hash == hashes[height]:
                return self._take_back(cursor, height, hashes[height], head.number)
        if cursor.final_number not in found:
            raise ReadTorn(cursor.final_number, "the chain became shorter")
        raise FinalBlockChanged(cursor.final_number, cursor.final_hash, found[cursor.final_number].hash)

    def _take_back(self, cursor: MirrorCursor, ancestor: int, ancestor_hash: bytes, head_number: int) -> IndexReport:
        self._lower_polls = 0
        if ancestor == cursor.block_number:
            raise ReadTorn(ancestor, "it was replaced and came back")
        now = self._clock()
        with self._engine.begin() as connection:
            rewind(connection, cursor, ancestor, ancestor_hash=ancestor_hash, head_number=head_number, now=now)
        rewound = cursor.block_number - ancestor
        _log.info("indexer_rewound", ancestor=ancestor, blocks=rewound)
        return self._reported(IndexReport(ancestor + 1, ancestor, 0, rewound, head_number))

    def _reported(self, report: IndexReport) -> IndexReport:
        if self._on_indexed is not None:
            self._on_indexed(report)
        return report
