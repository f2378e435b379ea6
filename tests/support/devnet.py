"""A chain of the test session's own, and the registry deployed on it; every test finds it as deployed and leaves it so.

Use by `from tests.support.devnet import chain, deployed, devnet` in a conftest.
"""

import fcntl
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import pytest
from eth_abi.abi import decode, encode
from eth_utils.crypto import keccak
from web3 import Web3
from web3.contract import Contract

from chain.artifacts import Artifact, load_artifact
from chain.devnet import Devnet, DevnetInfo
from chain.rpc import CallFailed, Rpc

TOOLS = Path(__file__).parents[2] / "hardhat-free-devnet"
GAS_PER_TRANSACTION = 30_000_000


@dataclass(frozen=True)
class Event:
    """One decoded log."""

    name: str
    values: dict[str, Any]


@dataclass(frozen=True)
class Receipt:
    gas_used: int
    block_number: int
    transaction_hash: bytes
    events: tuple[Event, ...]


@dataclass(frozen=True)
class Refusal:
    """A decoded custom error; `name` is empty when the call reverted without one."""

    name: str
    values: tuple[Any, ...] = ()


class Chain:
    """The registry, deployed now or at `address`, called straight over JSON-RPC from Anvil's unlocked accounts."""

    def __init__(self, info: DevnetInfo, artifact: Artifact, address: str | None = None) -> None:
        self.info = info
        self.artifact = artifact
        self.rpc = Rpc(info.url)
        self.accounts: list[str] = self.rpc.call("eth_accounts")
        self._functions = {entry["name"]: entry for entry in artifact.abi if entry["type"] == "function"}
        self._errors = {_selector(entry): entry for entry in artifact.abi if entry["type"] == "error"}
        self._events = {_topic(entry): entry for entry in artifact.abi if entry["type"] == "event"}
        self.address = address or self._deploy()

    @property
    def administrator(self) -> str:
        return self.accounts[0]

    @property
    def address_bytes(self) -> bytes:
        return bytes.fromhex(self.address[2:])

    @cached_property
    def web3(self) -> Web3:
        return Web3(Web3.HTTPProvider(self.info.url))

    @cached_property
    def contract(self) -> Contract:
        return self.web3.eth.contract(address=Web3.to_checksum_address(self.address), abi=self.artifact.abi)

    def send(self, function: str, *values: Any, sender: str) -> Receipt:
        """Send, wait and decode; a transaction that reverts fails the test with the contract's reason."""
        transaction = self.transaction(function, *values, sender=sender)
        receipt = self._receipt(transaction)
        if receipt["status"] != "0x1":
            pytest.fail(f"{function}{values} was refused: {self.refusal(function, *values, sender=sender)}")
        return Receipt(
            gas_used=int(receipt["gasUsed"], 16),
            block_number=int(receipt["blockNumber"], 16),
            transaction_hash=bytes.fromhex(receipt["transactionHash"][2:]),
            events=tuple(self._event(log) for log in receipt["logs"]),
        )

    def refusal(self, function: str, *values: Any, sender: str) -> Refusal:
        """The custom error with which the call is refused; a call that passes fails the test."""
        refusal = self.refusal_of_call(self.transaction(function, *values, sender=sender))
        if refusal is None:
            pytest.fail(f"{function}{values} was not refused")
        return refusal

    def outcome(self, function: str, *values: Any, sender: str) -> Receipt | Refusal:
        """What happens: the refusal, or the receipt of the transaction sent."""
        refusal = self.refusal_of_call(self.transaction(function, *values, sender=sender))
        return refusal or self.send(function, *values, sender=sender)

    def refusal_of_call(self, transaction: dict[str, Any]) -> Refusal | None:
        """Why the call would revert on the latest block; None when it would pass."""
        try:
            self.rpc.call("eth_call", transaction, "latest")
        except CallFailed as failure:
            return self.refusal_of(failure.data)
        return None

    def refusal_of(self, data: bytes) -> Refusal:
        entry = self._errors.get(data[:4])
        if entry is None:
            return Refusal("", (data,))
        return Refusal(entry["name"], decode(_types(entry["inputs"]), data[4:]))

    def transaction(self, function: str, *values: Any, sender: str) -> dict[str, Any]:
        """The call as eth_call and eth_sendTransaction take it."""
        entry = self._functions[function]
        data = _selector(entry) + encode(_types(entry["inputs"]), values)
        return {"from": sender, "to": self.address, "data": "0x" + data.hex(), "gas": hex(GAS_PER_TRANSACTION)}

    def view(self, function: str, *values: Any) -> Any:
        """A view's answer: one value, or a tuple of several."""
        return self.views([(function, *values)])[0]

    def views(self, calls: Sequence[tuple[Any, ...]]) -> list[Any]:
        """The answers of several views, each as (function, values...), in one request."""
        transactions = [self.transaction(*call, sender=self.accounts[-1]) for call in calls]
        answers = self.rpc.batch([("eth_call", (transaction, "latest")) for transaction in transactions])
        return [self._answer(call[0], answer) for call, answer in zip(calls, answers, strict=True)]

    def head(self, loan_key: bytes) -> bytes:
        return bytes(self.view("head", loan_key))

    def now(self) -> int:
        """The time of the latest block, unix seconds."""
        return int(self.rpc.call("eth_getBlockByNumber", "latest", False)["timestamp"], 16)

    def pass_time_until(self, timestamp: int) -> None:
        """Mine one block at `timestamp` (unix seconds)."""
        self.rpc.call("evm_setNextBlockTimestamp", hex(timestamp))
        self.rpc.call("anvil_mine", "0x1")

    def _answer(self, function: str, answer: str) -> Any:
        decoded = decode(_types(self._functions[function]["outputs"]), bytes.fromhex(answer[2:]))
        return decoded[0] if len(decoded) == 1 else decoded

    def _deploy(self) -> str:
        transaction = {
            "from": self.accounts[0],
            "data": "0x" + self.artifact.bytecode.hex(),
            "gas": hex(GAS_PER_TRANSACTION),
        }
        address: str = self._receipt(transaction)["contractAddress"]
        return address

    def _receipt(self, transaction: dict[str, Any]) -> dict[str, Any]:
        sent = self.rpc.call("eth_sendTransaction", transaction)
        receipt: dict[str, Any] | None = None
        while receipt is None:  # automine answers eth_sendTransaction just before the block is there
            receipt = self.rpc.call("eth_getTransactionReceipt", sent)
        return receipt

    def _event(self, log: dict[str, Any]) -> Event:
        topics = [bytes.fromhex(topic[2:]) for topic in log["topics"]]
        entry = self._events[topics[0]]
        indexed = [field for field in entry["inputs"] if field["indexed"]]
        others = [field for field in entry["inputs"] if not field["indexed"]]
        values = {
            field["name"]: decode([field["type"]], topic)[0] for field, topic in zip(indexed, topics[1:], strict=True)
        }
        data = decode(_types(others), bytes.fromhex(log["data"][2:]))
        values |= {field["name"]: value for field, value in zip(others, data, strict=True)}
        return Event(entry["name"], {field["name"]: values[field["name"]] for field in entry["inputs"]})


def install_tools() -> None:
    """`npm ci` in hardhat-free-devnet unless it was done; one test process at a time."""
    with (TOOLS / "package.json").open() as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if (TOOLS / "node_modules" / "solc").is_dir():
            return
        npm = shutil.which("npm")
        if npm is None:
            pytest.fail("The chain tests need Node.js: npm is not on PATH.")
        subprocess.run([npm, "ci"], cwd=TOOLS, check=True)


@pytest.fixture(scope="session")
def devnet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DevnetInfo]:
    install_tools()
    home = tmp_path_factory.mktemp("devnet")
    yield Devnet.up(home, TOOLS)
    Devnet.down(home)


@pytest.fixture(scope="session")
def deployed(devnet: DevnetInfo) -> Iterator[Chain]:
    """The registry as just deployed, for the whole session; tests take `chain`."""
    chain = Chain(devnet, load_artifact())
    yield chain
    chain.rpc.close()


@pytest.fixture
def chain(deployed: Chain) -> Iterator[Chain]:
    """The registry as just deployed; what the test does to the chain is undone after it."""
    snapshot = deployed.rpc.call("evm_snapshot")
    yield deployed
    deployed.rpc.call("evm_revert", snapshot)


def _types(inputs: list[dict[str, Any]]) -> list[str]:
    return [_type(field) for field in inputs]


def _type(field: dict[str, Any]) -> str:
    if not field["type"].startswith("tuple"):
        return str(field["type"])
    members = ",".join(_types(field["components"]))
    return f"({members})" + field["type"][len("tuple") :]


def _topic(entry: dict[str, Any]) -> bytes:
    return bytes(keccak(text=f"{entry['name']}({','.join(_types(entry['inputs']))})"))


def _selector(entry: dict[str, Any]) -> bytes:
    return _topic(entry)[:4]
