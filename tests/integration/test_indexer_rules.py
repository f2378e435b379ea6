"""What the indexer does when the node lags, lies or fails, rule by rule, against a chain in memory."""

import threading
from contextlib import suppress
from random import Random
from typing import Any

import pytest
from sqlalchemy import Engine, func, select

from chain.binding import ChainIdDiffers
from chain.finality import FinalityKind, FinalityRule
from chain.rpc import CallFailed, NodeUnreachable
from indexer.errors import (
    CatchUpTimedOut,
    ChainInconsistent,
    FinalBlockChanged,
    MirrorMoved,
    NodeContradictsItself,
    ReadTorn,
)
from indexer.indexer import Indexer, IndexReport, IndexSettings
from indexer.queries import snapshot
from indexer.tables import mirror_blocks, mirror_events, mirror_records
from registry.domain.errors import RegistryError
from tests.support.fold import fold_logs
from tests.support.log_maker import CHAIN_ID, CONTRACT, MemoryChain, MemoryNode, raw_log
from tests.support.mirrors import digest_of, fixed_clock, mirror, new_mirror, position
from tests.support.postgres import postgres

__all__ = ["mirror", "new_mirror", "postgres"]

DEPTH_4 = FinalityRule(FinalityKind.DEPTH, 4)
IMMEDIATE = FinalityRule(FinalityKind.IMMEDIATE)
SETTINGS = IndexSettings(poll_seconds=0, patience_polls=3)


@pytest.fixture
def chain() -> MemoryChain:
    chain = MemoryChain(Random(11))
    for _ in range(20):
        chain.mine(2)
    return chain


@pytest.fixture
def node(chain: MemoryChain) -> MemoryNode:
    return MemoryNode(chain)


def indexer_of(
    engine: Engine, node: MemoryNode, finality: FinalityRule = DEPTH_4, settings: IndexSettings = SETTINGS
) -> Indexer:
    return Indexer(engine, node, node.chain.binding(), finality, settings, fixed_clock)


def assert_mirrored(engine: Engine, chain: MemoryChain) -> None:
    assert position(engine).block_hash.hex() == chain.blocks[-1]["hash"][2:]
    assert digest_of(engine) == fold_logs(chain.all_logs(), CHAIN_ID, CONTRACT).digest()


def test_a_node_below_what_is_final_is_waited_for_however_long(
    mirror: Engine, chain: MemoryChain, node: MemoryNode
) -> None:
    indexer = indexer_of(mirror, node)
    indexer.catch_up(5)
    before, digest = position(mirror), digest_of(mirror)
    blocks, logs, makers = list(chain.blocks), list(chain.logs), list(chain.makers)
    chain.drop(10)

    for _ in range(5 * SETTINGS.patience_polls):
        assert indexer.run_once().rewound == 0

    assert digest_of(mirror) == digest
    assert position(mirror).final_hash == before.final_hash
    assert position(mirror).head_number == chain.head
    chain.blocks, chain.logs, chain.makers = blocks, logs, makers
    chain.mine(3)
    indexer.catch_up(5)
    assert_mirrored(mirror, chain)


def test_a_lower_head_takes_back_only_after_patience_and_only_what_the_node_lacks(
    mirror: Engine, chain: MemoryChain, node: MemoryNode
) -> None:
    indexer = indexer_of(mirror, node)
    indexer.catch_up(5)
    height = position(mirror).block_number
    chain.drop(2)

    waited = [indexer.run_once() for _ in range(SETTINGS.patience_polls)]
    assert [report.rewound for report in waited] == [0] * SETTINGS.patience_polls
    assert (position(mirror).block_number, position(mirror).head_number) == (height, height - 2)

    assert indexer.run_once().rewound == 2
    assert_mirrored(mirror, chain)


def test_a_head_that_returns_in_time_costs_nothing(mirror: Engine, chain: MemoryChain, node: MemoryNode) -> None:
    indexer = indexer_of(mirror, node)
    indexer.catch_up(5)
    blocks, logs, makers = list(chain.blocks), list(chain.logs), list(chain.makers)
    for _ in range(3):
        chain.drop(2)
        assert indexer.run_once().rewound == 0
        assert indexer.run_once().rewound == 0
        chain.blocks, chain.logs, chain.makers = list(blocks), list(logs), list(makers)
        assert indexer.run_once().rewound == 0
    assert_mirrored(mirror, chain)


def test_a_shorter_replacement_is_followed_at_once(mirror: Engine, chain: MemoryChain, node: MemoryNode) -> None:
    indexer = indexer_of(mirror, node)
    indexer.catch_up(5)
    chain.reorganise(4, [3])

    assert indexer.run_once().rewound == 4
    indexer.catch_up(5)
    assert_mirrored(mirror, chain)


@pytest.mark.parametrize("call", range(1, 12))
def test_a_reorganisation_between_two_calls_leaves_one_chain_in_the_mirror(
    mirror: Engine, chain: MemoryChain, node: MemoryNode, call: int
) -> None:
    """Whichever call the chain changes before: what is then written is the fold of one chain."""
    indexer = indexer_of(mirror, node)
    indexer.catch_up(5)
    chain.mine(3)
    chain.mine(3)
    counted = iter(range(1, call + 1))

    def change(_method: str) -> None:
        if next(counted, None) == call:
            chain.reorganise(4, [3, 3, 3, 3, 3])

    node.before = change
    for _ in range(4):
        with suppress(ReadTorn):
            indexer.run_once()
    indexer.catch_up(5)
    assert_mirrored(mirror, chain)


@pytest.mark.parametrize("method", ["eth_getBlockByNumber", "eth_getLogs"])
def test_a_change_of_old_blocks_while_they_are_first_read_is_noticed(
    mirror: Engine, chain: MemoryChain, node: MemoryNode, method: str
) -> None:
    indexer = indexer_of(mirror, node)
    changes = iter([True] if method == "eth_getLogs" else [False, False, False, False, True])

    def change(called: str) -> None:
        if called == method and next(changes, False):
            chain.reorganise(19, [2] * 20)

    node.before = change
    indexer.catch_up(5)

    assert next(changes, None) is None
    assert_mirrored(mirror, chain)


@pytest.mark.parametrize("finality", [DEPTH_4, IMMEDIATE, FinalityRule(FinalityKind.FINALIZED)], ids=str)
def test_a_replaced_final_block_stops_the_indexer(
    mirror: Engine, chain: MemoryChain, node: MemoryNode, finality: FinalityRule
) -> None:
    indexer = indexer_of(mirror, node, finality)
    indexer.catch_up(5)
    before, digest = position(mirror), digest_of(mirror)
    assert chain.head - before.final_number == {"depth 4": 4, "immediate": 0, "finalized": 8}[str(finality)]
    chain.reorganise(chain.head - before.final_number + 1, [1] * 12)

    for _ in range(3):
        with pytest.raises(FinalBlockChanged):
            indexer.catch_up(5)
    assert (position(mirror), digest_of(mirror)) == (before, digest)


def test_a_node_that_turns_into_another_chain_is_refused_before_the_mirror_changes(
    mirror: Engine, chain: MemoryChain, node: MemoryNode
) -> None:
    indexer = indexer_of(mirror, node)
    indexer.catch_up(5)
    before, digest = position(mirror), digest_of(mirror)
    node.chain_id += 1
    chain.reorganise(2, [1, 1, 1])

    with pytest.raises(ChainIdDiffers) as refusal:
        indexer.run_once()

    assert refusal.value.exit_code == 7
    assert (position(mirror), digest_of(mirror)) == (before, digest)


def _withhold(method: str, answer: Any) -> Any:
    return [] if method == "eth_getLogs" else answer


def _double(method: str, answer: Any) -> Any:
    return answer + answer[:1] if method == "eth_getLogs" else answer


def _of_dropped_block(method: str, answer: Any) -> Any:
    return [{**log, "blockHash": "0x" + "ab" * 32} for log in answer] if method == "eth_getLogs" else answer


def _foreign(method: str, answer: Any) -> Any:
    return [{**log, "address": "0x" + "11" * 20} for log in answer] if method == "eth_getLogs" else answer


@pytest.mark.parametrize("lie", [_withhold, _double, _of_dropped_block, _foreign])
def test_a_lie_about_the_newest_blocks_is_noticed_and_nothing_is_written(
    mirror: Engine, chain: MemoryChain, node: MemoryNode, lie: Any
) -> None:
    indexer = indexer_of(mirror, node)
    indexer.catch_up(5)
    before, digest = position(mirror), digest_of(mirror)
    chain.mine(3)
    node.twist = lie

    with pytest.raises((NodeContradictsItself, ReadTorn)):
        indexer.run_once()

    assert (position(mirror), digest_of(mirror)) == (before, digest)
    node.twist = lambda method, answer: answer
    indexer.catch_up(5)
    assert_mirrored(mirror, chain)


@pytest.mark.parametrize("lie", [_double, _of_dropped_block, _foreign])
def test_a_lie_about_final_blocks_is_noticed_and_nothing_is_written(mirror: Engine, node: MemoryNode, lie: Any) -> None:
    node.twist = lie
    indexer = indexer_of(mirror, node)

    with pytest.raises((NodeContradictsItself, ReadTorn)):
        indexer.run_once()

    assert position(mirror).block_number == 0


@pytest.mark.parametrize("back", [2, 9], ids=["live", "final"])
def test_a_history_the_contract_forbids_is_not_written(
    mirror: Engine, chain: MemoryChain, node: MemoryNode, back: int
) -> None:
    indexer = indexer_of(mirror, node)
    indexer.catch_up(5)
    before = position(mirror)
    chain.mine_logs([raw_log("RecordAppended", bytes(32), 2, bytes(32))])
    for _ in range(back):
        chain.mine(1)

    with pytest.raises(ChainInconsistent) as stop:
        indexer.catch_up(5)

    assert stop.value.exit_code == 3
    assert stop.value.block_number == before.block_number + 1
    assert position(mirror).block_number <= before.block_number
    with snapshot(mirror) as connection:
        newest = connection.scalar(select(func.max(mirror_records.c.block_number)))
    assert newest <= before.block_number


def test_logs_left_out_of_old_blocks_are_noticed_by_what_follows_them(mirror: Engine, node: MemoryNode) -> None:
    """The fold itself: a loan whose registration was withheld has records that belong to nothing."""
    registered = raw_log("LoanRegistered", bytes(32), 1, bytes(32), bytes(32))["topics"][0]
    node.twist = lambda method, answer: (
        [log for log in answer if log["topics"][0] != registered] if method == "eth_getLogs" else answer
    )
    with pytest.raises(ChainInconsistent):
        indexer_of(mirror, node).catch_up(5)


def test_a_second_indexer_on_the_same_mirror_writes_nothing_twice(
    mirror: Engine, chain: MemoryChain, node: MemoryNode
) -> None:
    first, second = indexer_of(mirror, node), indexer_of(mirror, MemoryNode(chain))
    first.catch_up(5)
    chain.mine(4)
    interleaved = []

    def overtake(method: str) -> None:
        if method == "eth_getLogs" and not interleaved:
            interleaved.append(second.catch_up(5))

    node.before = overtake
    with pytest.raises(MirrorMoved):
        first.run_once()

    first.catch_up(5)
    assert_mirrored(mirror, chain)


def test_two_indexers_at_once_leave_one_true_mirror(mirror: Engine, chain: MemoryChain) -> None:
    settings = IndexSettings(poll_seconds=0, logs_target=2)
    stopped: list[RegistryError] = []

    def run() -> None:
        indexer = indexer_of(mirror, MemoryNode(chain), settings=settings)
        while True:
            try:
                indexer.catch_up(20)
            except MirrorMoved:
                continue
            except RegistryError as error:
                stopped.append(error)
            return

    threads = [threading.Thread(target=run) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)

    assert stopped == []
    assert_mirrored(mirror, chain)


def test_following_outlasts_a_node_that_fails_and_ends_when_told(
    mirror: Engine, chain: MemoryChain, node: MemoryNode
) -> None:
    stop, failures = threading.Event(), iter([1, 2, 3, 4, 5])
    reports: list[IndexReport] = []

    def fail(method: str) -> None:
        if method == "eth_getLogs" and next(failures, None):
            raise NodeUnreachable("memory://chain", "down")
        if method == "eth_blockNumber" and next(failures, None):
            raise CallFailed(method, -32005, "limit exceeded", b"")

    def seen(report: IndexReport) -> None:
        reports.append(report)
        if report.caught_up:
            stop.set()

    node.before = fail
    binding = chain.binding()
    indexer = Indexer(mirror, node, binding, DEPTH_4, SETTINGS, fixed_clock, on_indexed=seen)
    follower = threading.Thread(target=indexer.follow, args=(stop,))
    follower.start()
    follower.join(20)

    assert not follower.is_alive()
    assert sum(report.records for report in reports) == len(fold_logs(chain.all_logs(), CHAIN_ID, CONTRACT).records)
    assert_mirrored(mirror, chain)


def test_following_ends_with_the_contradiction_it_meets(mirror: Engine, chain: MemoryChain, node: MemoryNode) -> None:
    indexer = indexer_of(mirror, node)
    indexer.catch_up(5)
    chain.reorganise(6, [1] * 8)

    with pytest.raises(FinalBlockChanged):
        indexer.follow(threading.Event())


def test_catching_up_gives_up_in_time(mirror: Engine, node: MemoryNode) -> None:
    settings = IndexSettings(poll_seconds=0, logs_target=1)
    with pytest.raises(CatchUpTimedOut):
        indexer_of(mirror, node, settings=settings).catch_up(0)


def test_only_blocks_that_hold_something_are_kept_below_the_final_one(
    mirror: Engine, chain: MemoryChain, node: MemoryNode
) -> None:
    indexer = indexer_of(mirror, node)
    for acts in (0, 0, 2, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0):
        chain.mine(acts)
        indexer.catch_up(5)

    with snapshot(mirror) as connection:
        kept = set(connection.scalars(select(mirror_blocks.c.number)))
        held = {
            number
            for table in (mirror_records, mirror_events)
            for number in connection.scalars(select(table.c.block_number))
        }
    final = position(mirror).final_number
    assert kept == held | set(range(final, chain.head + 1))


def test_nothing_new_writes_nothing(mirror: Engine, node: MemoryNode) -> None:
    indexer = indexer_of(mirror, node)
    indexer.catch_up(5)
    before = position(mirror)
    node.calls.clear()

    report = indexer.run_once()

    assert (report.records, report.rewound, report.from_block) == (0, 0, report.to_block + 1)
    assert position(mirror) == before
    assert node.calls == ["eth_getBlockByNumber"] * 2
