"""The contract's events: topic hashes and argument layouts from the committed ABI, and logs decoded by them.

Every argument of every event is one word of 32 bytes, so decoding is slicing.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, ClassVar

from chain import abi
from chain.hexadecimal import number, octets
from registry.domain.errors import WrongChain


@dataclass(eq=False)
class LogUnknown(WrongChain):
    """A log of the contract's address is none of the contract's events."""

    topics: tuple[str, ...]
    code: ClassVar[str] = "LOG_UNKNOWN"

    def __str__(self) -> str:
        return f"A log with topics {', '.join(self.topics)} is no event of this contract; check the contract's address."


@dataclass(frozen=True, slots=True)
class EventLayout:
    """An event: its topic hash, and its arguments in order as (name, type), those in topics before those in data."""

    name: str
    topic: bytes
    indexed: tuple[tuple[str, str], ...]
    plain: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class ContractEvent:
    """A decoded log: integers, 32-byte words and 20-byte addresses by the argument's name in the contract."""

    name: str
    arguments: Mapping[str, int | bytes]
    block_number: int
    block_hash: bytes
    transaction_hash: bytes
    log_index: int


@cache
def layouts() -> Mapping[bytes, EventLayout]:
    """Every event of the contract by its topic hash."""
    return {topic: _layout(topic, entry) for topic, entry in abi.events_by_topic().items()}


@cache
def topic_of(name: str) -> bytes:
    """The topic hash of the event `name`."""
    return next(layout.topic for layout in layouts().values() if layout.name == name)


def decode_log(log: Mapping[str, Any]) -> ContractEvent:
    """The event in a log as JSON-RPC gives it, or `LogUnknown`."""
    topics, body = [octets(topic) for topic in log["topics"]], octets(log["data"])
    layout = layouts().get(topics[0]) if topics else None
    if layout is None or len(topics) != 1 + len(layout.indexed) or len(body) != abi.WORD * len(layout.plain):
        raise LogUnknown(tuple(log["topics"]))
    words = topics[1:] + [body[start : start + abi.WORD] for start in range(0, len(body), abi.WORD)]
    pairs = zip(layout.indexed + layout.plain, words, strict=True)
    return ContractEvent(
        name=layout.name,
        arguments={name: _value(kind, word) for (name, kind), word in pairs},
        block_number=number(log["blockNumber"]),
        block_hash=octets(log["blockHash"]),
        transaction_hash=octets(log["transactionHash"]),
        log_index=number(log["logIndex"]),
    )


def _layout(topic: bytes, entry: Mapping[str, Any]) -> EventLayout:
    arguments = [(item["name"], item["type"], item["indexed"]) for item in entry["inputs"]]
    indexed = tuple((name, kind) for name, kind, is_indexed in arguments if is_indexed)
    plain = tuple((name, kind) for name, kind, is_indexed in arguments if not is_indexed)
    return EventLayout(entry["name"], topic, indexed, plain)


def _value(kind: str, word: bytes) -> int | bytes:
    if kind == "bytes32":
        return word
    if kind == "address":
        return word[12:]
    return int.from_bytes(word, "big")
