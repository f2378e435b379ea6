"""Seeded schedules against a chain in memory: every committed state of the mirror is the fold of the block it names."""

import os
from collections.abc import Callable
from contextlib import suppress
from random import Random

from sqlalchemy import Engine, delete

from chain.finality import FinalityKind, FinalityRule
from chain.rpc import NodeUnreachable
from indexer.indexer import Indexer, IndexSettings
from indexer.queries import cursor, mirror_digest, snapshot
from indexer.tables import metadata
from registry.domain.errors import Unavailable
from tests.support.fold import fold_logs
from tests.support.log_maker import CHAIN_ID, CONTRACT, MemoryChain, MemoryNode
from tests.support.mirrors import fixed_clock, mirror, new_mirror
from tests.support.postgres import postgres

__all__ = ["mirror", "new_mirror", "postgres"]

SEEDS = int(os.environ.get("INDEXER_SEEDS", "25"))
DEPTH = 6
STEPS = 40


class Schedule:
    """One seeded run: disturb, check every committed state, heal, converge."""

    def __init__(self, seed: int, engine: Engine) -> None:
        self.random = Random(seed)
        self.engine = engine
        self.chain = MemoryChain(Random(seed + 1))
        self.chain.mine(1)
        self.finality = FinalityRule(FinalityKind.DEPTH, DEPTH)
        self.binding = self.chain.binding()
        self.highest = 1
        self.finals: dict[int, bytes] = {}
        self.faults = self.random.choice([0.0, 0.02, 0.1])
        self.node = MemoryNode(self.chain)
        self.node.logs_max = self.random.choice([None, 12])
        self.node.before = self._interfere
        self.interfering = True
        self.restart()

    def restart(self) -> None:
        settings = IndexSettings(poll_seconds=0, logs_target=self.random.choice([3, 50]), patience_polls=2)
        self.indexer = Indexer(self.engine, self.node, self.binding, self.finality, settings, fixed_clock)

    def run(self) -> None:
        acts: list[Callable[[], None]] = [self.step] * 8 + [self.mine] * 4 + [self.reorganise, self.restart, self.drop]
        for _ in range(STEPS):
            self.random.choice(acts)()
        self.interfering = False
        self.mine()
        report = self.indexer.catch_up(10)
        assert report.to_block == self.chain.head
        assert self.check() == self.chain.head

    def step(self) -> None:
        with suppress(Unavailable):
            self.indexer.run_once()
        self.check()

    def mine(self) -> None:
        for _ in range(self.random.choice([1, 1, 3, 12])):
            self.chain.mine(self.random.choice([0, 1, 5]))
        self.highest = max(self.highest, self.chain.head)

    def reorganise(self) -> None:
        depth = self._depth()
        self.chain.reorganise(depth, [self.random.choice([0, 1, 3]) for _ in range(self.random.randint(0, depth + 2))])
        self.highest = max(self.highest, self.chain.head)

    def drop(self) -> None:
        self.chain.drop(self._depth())

    def check(self) -> int:
        """The mirror equals the fold of the logs up to the very block its cursor names; what was final stayed."""
        with snapshot(self.engine) as connection:
            found = cursor(connection)
            digest = mirror_digest(connection)
        if found is None:
            return 0
        assert digest == fold_logs(self._logs_up_to(found.block_hash), CHAIN_ID, CONTRACT).digest()
        assert self.finals.setdefault(found.final_number, found.final_hash) == found.final_hash
        assert found.final_number == max(self.finals)
        assert found.final_number <= found.block_number
        return found.block_number

    def _depth(self) -> int:
        """How many blocks may go without touching what is or was DEPTH deep, block 1 (the deployment) included."""
        deepest = self.chain.head - max(1, self.highest - DEPTH)
        return self.random.randint(0, max(0, deepest))

    def _interfere(self, method: str) -> None:
        """Between two calls of the indexer the chain moves on, or the node fails."""
        if not self.interfering or self.random.random() > self.faults:
            return
        if self.random.random() < 0.4:
            raise NodeUnreachable("memory://chain", "drawn by lot")
        self.random.choice([self.mine, self.reorganise])()

    def _logs_up_to(self, block_hash: bytes) -> list[dict[str, object]]:
        known = {block["hash"]: (block, logs) for block, logs in self.node._known()}
        logs: list[dict[str, object]] = []
        at = f"0x{block_hash.hex()}"
        while at in known:
            block, held = known[at]
            logs.extend(held)
            at = block["parentHash"]
        return logs


def test_every_committed_state_is_the_fold_of_the_block_it_names(mirror: Engine) -> None:
    for seed in range(SEEDS):
        with mirror.begin() as connection:
            for table in metadata.sorted_tables:
                connection.execute(delete(table))
        try:
            Schedule(seed, mirror).run()
        except BaseException:
            print(f"failing seed: {seed}")
            raise
