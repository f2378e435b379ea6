"""Block headers as the indexer needs them, and what their blooms say about a contract's logs."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from chain.hexadecimal import number, octets
from chain.keccak import keccak256


@dataclass(frozen=True, slots=True)
class Header:
    """A block's identity, parent and time; `logs_bloom` is the filter over its logs' addresses and topics."""

    number: int
    hash: bytes
    parent_hash: bytes
    mined_at: datetime
    logs_bloom: int

    @classmethod
    def of(cls, answer: Mapping[str, Any]) -> "Header":
        """From the node's answer."""
        return cls(
            number(answer["number"]),
            octets(answer["hash"]),
            octets(answer["parentHash"]),
            datetime.fromtimestamp(number(answer["timestamp"]), UTC),
            number(answer.get("logsBloom") or "0x0"),
        )

    def may_hold_logs_of(self, address_bloom: int) -> bool:
        """False is certain; True may be another contract's doing."""
        return self.logs_bloom & address_bloom == address_bloom


def bloom_of(value: bytes) -> int:
    """The three bits a value sets in a block's bloom (Ethereum yellow paper, section 4.3.1)."""
    digest = keccak256(value)
    bits = 0
    for at in (0, 2, 4):
        bits |= 1 << (int.from_bytes(digest[at : at + 2], "big") & 2047)
    return bits
