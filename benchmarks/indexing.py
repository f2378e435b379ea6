"""How fast the indexer mirrors a chain from cold, against the plain way, on this machine and in this run.

`python -m benchmarks.indexing [--records 50000] [--runs 3]` builds a chain on a devnet of its own and mirrors it into
SQLite and PostgreSQL (both with fsync): by the indexer, which checks and folds everything, and by web3.py's event
decoding with SQLAlchemy's ORM, which only stores the records. The indexer's mirrors must have the digest of an
independent fold. Anvil's own work counts in both; the processor's share of the indexer alone is given beside it.
"""

import argparse
import gc
import itertools
import os
import platform
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from random import Random

from sqlalchemy import Engine, LargeBinary
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

from chain.artifacts import load_artifact
from chain.binding import bind
from chain.devnet import Devnet
from chain.finality import FinalityKind, FinalityRule
from chain.rpc import Rpc
from indexer.indexer import Indexer, IndexSettings
from indexer.tables import metadata
from registry.storage.engine import open_engine
from tests.support import chain_oracle
from tests.support.devnet import TOOLS, Chain, install_tools
from tests.support.fold import fold_node
from tests.support.mirrors import digest_of, fixed_clock
from tests.support.postgres import find_programs, start_postgres

RECORDS_PER_LOAN = 5  # the agreement and four more
RECORDS_PER_TRANSACTION = 500
BLOCKS_PER_COMMIT = 20
FINALITY = FinalityRule(FinalityKind.DEPTH, 12)


class Base(DeclarativeBase):
    """The plain way's own table."""


class NaiveRecord(Base):
    """A record as the plain way stores it: decoded, not checked, not folded."""

    __tablename__ = "naive_records"
    loan_key: Mapped[bytes] = mapped_column(LargeBinary(32), primary_key=True)
    sequence: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[int]
    commitment: Mapped[bytes] = mapped_column(LargeBinary(32), index=True)
    block_number: Mapped[int] = mapped_column(index=True)
    log_index: Mapped[int]
    transaction_hash: Mapped[bytes] = mapped_column(LargeBinary(32))
    mined_at: Mapped[int]


def build(chain: Chain, records: int) -> int:
    """Put at least `records` records on the chain in full transactions; returns how many."""
    random = Random(5)
    chain.send("admitLender", chain.accounts[1], sender=chain.administrator)
    loans_per_call = RECORDS_PER_TRANSACTION // (RECORDS_PER_LOAN - 1)
    made = 0
    while made < records:
        nonces = [random.randbytes(32) for _ in range(loans_per_call)]
        agreements = [random.randbytes(32) for _ in nonces]
        chain.send("registerLoans", list(zip(nonces, agreements, strict=True)), sender=chain.accounts[1])
        appended = []
        for nonce, agreement in zip(nonces, agreements, strict=True):
            key = chain_oracle.loan_key(1, nonce)
            head = chain_oracle.first_head(chain.info.chain_id, chain.address_bytes, key, agreement)
            for kind in [1, *[2] * (RECORDS_PER_LOAN - 2)]:
                commitment = random.randbytes(32)
                appended.append((key, head, kind, commitment))
                head = chain_oracle.next_head(head, kind, commitment)
        chain.send("appendRecords", appended, sender=chain.accounts[1])
        made += loans_per_call * RECORDS_PER_LOAN
    chain.rpc.call("anvil_mine", hex(FINALITY.depth))  # so that all of it is final, as in a backfill
    return made


def index(chain: Chain, engine: Engine) -> int:
    """Mirror everything with the indexer."""
    with Rpc(chain.info.url) as rpc:
        binding = bind(rpc, chain.address_bytes, deployed_block=1)
        report = Indexer(engine, rpc, binding, FINALITY, IndexSettings(), fixed_clock).catch_up(600)
    return report.records


def index_naively(chain: Chain, engine: Engine) -> int:
    """web3.py decodes each event, the ORM stores it; one commit for every few blocks."""
    web3, events = chain.web3, chain.contract.events
    height = web3.eth.block_number
    sequences: dict[bytes, int] = {}
    with Session(engine) as session:
        for first in range(1, height + 1, BLOCKS_PER_COMMIT):
            last = min(height, first + BLOCKS_PER_COMMIT - 1)
            found = [
                *events.LoanRegistered().get_logs(from_block=first, to_block=last),
                *events.RecordAppended().get_logs(from_block=first, to_block=last),
            ]
            times = {number: web3.eth.get_block(number)["timestamp"] for number in {it["blockNumber"] for it in found}}
            for event in sorted(found, key=lambda event: (event["blockNumber"], event["logIndex"])):
                key = bytes(event["args"]["loanKey"])
                sequence = sequences[key] = sequences.get(key, -1) + 1
                session.add(
                    NaiveRecord(
                        loan_key=key,
                        sequence=sequence,
                        kind=event["args"].get("kind", 0),
                        commitment=bytes(event["args"]["commitment"]),
                        block_number=event["blockNumber"],
                        log_index=event["logIndex"],
                        transaction_hash=bytes(event["transactionHash"]),
                        mined_at=times[event["blockNumber"]],
                    )
                )
            session.commit()
    return sum(sequences.values()) + len(sequences)


def measure(
    run: Callable[[Chain, Engine], int],
    chain: Chain,
    new_engine: Callable[[], Engine],
    expected: bytes | None,
    times: int,
) -> tuple[float, float]:
    """Records per second into an empty database, by the clock and by own CPU time; medians of `times` runs."""
    rates, processor_rates = [], []
    for _ in range(times):
        engine = new_engine()
        metadata.create_all(engine)
        Base.metadata.create_all(engine)
        gc.collect()
        started, processor_started = time.perf_counter(), time.process_time()
        records = run(chain, engine)
        rates.append(records / (time.perf_counter() - started))
        processor_rates.append(records / (time.process_time() - processor_started))
        assert expected is None or digest_of(engine) == expected, "the mirror is not the fold of the chain"
        engine.dispose()
    return statistics.median(rates), statistics.median(processor_rates)


@contextmanager
def databases(home: Path) -> Iterator[dict[str, Callable[[], Engine]]]:
    """What opens new, empty databases: SQLite, and PostgreSQL where its programs are."""
    numbers = itertools.count(1)
    openers = {"SQLite": lambda: open_engine(f"sqlite:///{home}/mirror{next(numbers)}.db")}
    programs = find_programs()
    server = start_postgres(programs, durable=True) if programs else None
    if server is not None:
        openers["PostgreSQL"] = lambda: open_engine(server.new_database())
    try:
        yield openers
    finally:
        if server is not None:
            server.stop()


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    arguments.add_argument("--records", type=int, default=50_000)
    arguments.add_argument("--runs", type=int, default=3, help="of the indexer; the plain way runs once")
    options = arguments.parse_args()
    install_tools()
    with tempfile.TemporaryDirectory() as directory:
        home = Path(directory)
        chain = Chain(Devnet.up(home / "devnet", TOOLS), load_artifact())
        try:
            started = time.perf_counter()
            records = build(chain, options.records)
            height = int(chain.rpc.call("eth_blockNumber"), 16)
            print(f"{records} records in {height} blocks, built in {time.perf_counter() - started:.1f} s")
            print(f"{platform.platform()}, Python {platform.python_version()}, {os.cpu_count()} processors\n")
            report(chain, home, options.runs)
        finally:
            chain.rpc.close()
            Devnet.down(home / "devnet")


def report(chain: Chain, home: Path, runs: int) -> None:
    """The table: records per second from an empty database."""
    expected = fold_node(chain.info.url, chain.address_bytes).digest()
    print(
        "| database | plain: web3.py + ORM, records/s | indexer, records/s | ratio | indexer, records per CPU second |"
    )
    print("|---|---:|---:|---:|---:|")
    with databases(home) as openers:
        for name, new_engine in openers.items():
            fast, processor = measure(index, chain, new_engine, expected, runs)
            plain, _ = measure(index_naively, chain, new_engine, None, 1)
            print(f"| {name} | {plain:,.0f} | {fast:,.0f} | {fast / plain:.1f} | {processor:,.0f} |")


if __name__ == "__main__":
    main()
