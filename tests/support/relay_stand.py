"""A relay with all it needs: an Anvil of its own, the contract, funded lenders, key files and a database."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from eth_account import Account
from sqlalchemy import Engine, text

from chain import tables as relay_tables
from chain.contract import LoanRegistryContract
from chain.deploy import Administration, deploy
from chain.devnet import MNEMONIC, Devnet, DevnetInfo
from chain.finality import FinalityRule
from chain.relay import Relay
from chain.relay_settings import RelaySettings
from chain.rpc import Rpc
from chain.signer import KeyRing, SigningKey, create_key
from registry.domain.chain_binding import ChainBinding
from registry.storage import tables as file_tables
from registry.storage.engine import open_engine
from tests.support import chain_oracle
from tests.support.devnet import TOOLS, install_tools
from tests.support.relay_book import RelayBook

ETHER = 10**18
REGISTERED_TOPIC = "0x" + chain_oracle.sha3.keccak_256(b"LoanRegistered(bytes32,uint32,bytes32,bytes32)").hexdigest()
APPENDED_TOPIC = "0x" + chain_oracle.sha3.keccak_256(b"RecordAppended(bytes32,uint8,bytes32)").hexdigest()

SETTINGS = RelaySettings(
    finality=FinalityRule.parse("depth 12"),
    poll_seconds=0.02,
    idle_seconds=0.02,
    backoff_seconds=0.05,
    backoff_seconds_max=0.2,
)


def anvil_key(index: int) -> SigningKey:
    """The key of one of Anvil's funded accounts."""
    Account.enable_unaudited_hdwallet_features()
    return SigningKey.of(bytes(Account.from_mnemonic(MNEMONIC, account_path=f"m/44'/60'/0'/0/{index}").key))


@dataclass
class MovableClock:
    """The system's clock, moved forward by hand."""

    ahead: timedelta = field(default_factory=timedelta)

    def now(self) -> datetime:
        return datetime.now(UTC) + self.ahead

    def forward(self, seconds: float) -> None:
        self.ahead += timedelta(seconds=seconds)


@dataclass
class RelayStand:
    """Everything a relay test touches; `relay()` makes a new one, as a restart would."""

    info: DevnetInfo
    home: Path
    rpc: Rpc
    engine: Engine
    database_url: str
    binding: ChainBinding
    keyring: KeyRing
    administration: Administration
    book: RelayBook
    clock: MovableClock = field(default_factory=MovableClock)

    def relay(self, settings: RelaySettings = SETTINGS, rpc: Rpc | None = None) -> Relay:
        return Relay(self.engine, rpc or self.rpc, self.binding, self.keyring, settings, self.clock)

    def add_lender(self) -> int:
        """A lender admitted on chain, with a funded account, a key file and a row."""
        draft = self.keyring.folder / "draft.key"
        key = create_key(draft)
        lender_id = self.administration.admit_lender(key.address)
        draft.rename(self.keyring.path_of(lender_id))
        self.administration.fund(key.address, 100 * ETHER)
        self.book.add_lender(lender_id, key.address)
        return lender_id

    def mine(self, blocks: int) -> None:
        self.rpc.call("anvil_mine", hex(blocks))

    def contract(self) -> LoanRegistryContract:
        return LoanRegistryContract(self.rpc, self.binding.contract)

    def execute(self, statement: str) -> None:
        with self.engine.begin() as connection:
            connection.execute(text(statement))

    def rows(self, query: str) -> list[dict[str, Any]]:
        with self.engine.connect() as connection:
            return [dict(row._mapping) for row in connection.execute(text(query))]

    def records_on_chain(self) -> dict[bytes, list[tuple[int, bytes]]]:
        """The records of each loan as the raw logs give them: (kind, commitment) in order, the agreement first."""
        logs = self.rpc.call(
            "eth_getLogs", {"address": "0x" + self.binding.contract.hex(), "fromBlock": "0x0", "toBlock": "latest"}
        )
        found: dict[bytes, list[tuple[int, bytes]]] = {}
        for log in logs:
            words = bytes.fromhex(log["data"][2:])
            if log["topics"][0] == REGISTERED_TOPIC:
                found.setdefault(bytes.fromhex(log["topics"][1][2:]), []).append((0, words[32:64]))
            elif log["topics"][0] == APPENDED_TOPIC:
                found[bytes.fromhex(log["topics"][1][2:])].append((words[31], words[32:64]))
        return found

    def assert_chain_is_book(self, *, without: dict[bytes, int] | None = None) -> None:
        """The chain holds exactly the booked records, once and in order; `without` limits loans to their first ones."""
        kept = without or {}
        expected = {
            key: loan.records[: kept.get(key, len(loan.records))]
            for key, loan in self.book.loans.items()
            if kept.get(key, 1) > 0
        }
        on_chain = self.records_on_chain()
        assert on_chain == expected
        for key, records in on_chain.items():
            first = chain_oracle.first_head(self.binding.chain_id, self.binding.contract, key, records[0][1])
            assert self.head(key) == chain_oracle.fold(first, records[1:])

    def head(self, key: bytes) -> bytes:
        selector = chain_oracle.sha3.keccak_256(b"head(bytes32)").digest()[:4]
        call = {"to": "0x" + self.binding.contract.hex(), "data": "0x" + (selector + key).hex()}
        return bytes.fromhex(self.rpc.call("eth_call", call, "latest")[2:])


@contextmanager
def relay_stand(
    folder: Path, database_url: str | None = None, *, block_time: int | None = None
) -> Iterator[RelayStand]:
    """A stand in `folder`; the chain stops and the connections close at the end."""
    install_tools()
    home = folder / "devnet"
    info = Devnet.up(home, TOOLS, block_time=block_time)
    url = database_url or f"sqlite:///{folder / 'registry.sqlite'}"
    engine = open_engine(url)
    try:
        with Rpc(info.url) as rpc:
            for metadata in (file_tables.metadata, relay_tables.metadata):
                metadata.create_all(engine)
            administrator = anvil_key(0)
            binding = deploy(rpc, administrator)
            yield RelayStand(
                info=info,
                home=home,
                rpc=rpc,
                engine=engine,
                database_url=url,
                binding=binding,
                keyring=KeyRing(folder / "keys"),
                administration=Administration(rpc, binding, administrator),
                book=RelayBook(engine, binding.chain_id, binding.contract),
            )
    finally:
        engine.dispose()
        Devnet.down(home)


def wait_until(condition: Any, *, seconds_max: float = 20.0) -> None:
    deadline = time.monotonic() + seconds_max
    while not condition():
        assert time.monotonic() < deadline, "the condition did not come true in time"
        time.sleep(0.02)
