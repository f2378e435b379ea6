"""A block's header in RLP, the bytes whose keccak-256 is the block's hash, rebuilt from the node's JSON."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, TypeAlias

from chain.hexadecimal import octets
from chain.keccak import keccak256
from registry.domain.errors import WrongChain

Rlp: TypeAlias = "bytes | Sequence[Rlp]"

# The Yellow Paper's order (4.4.3), then what later hard forks added: EIP-1559, 4895, 4844 (two), 4788, 7685.
_DATA = frozenset(
    {
        "parentHash", "sha3Uncles", "miner", "stateRoot", "transactionsRoot", "receiptsRoot", "logsBloom", "extraData",
        "mixHash", "nonce", "withdrawalsRoot", "parentBeaconBlockRoot", "requestsHash",
    }
)  # fmt: skip
_ALWAYS = (
    "parentHash", "sha3Uncles", "miner", "stateRoot", "transactionsRoot", "receiptsRoot", "logsBloom", "difficulty",
    "number", "gasLimit", "gasUsed", "timestamp", "extraData", "mixHash", "nonce",
)  # fmt: skip
_ADDED = (
    "baseFeePerGas", "withdrawalsRoot", "blobGasUsed", "excessBlobGas", "parentBeaconBlockRoot", "requestsHash",
)  # fmt: skip


@dataclass(eq=False)
class HeaderUnprovable(WrongChain):
    """The header rebuilt from the node's answer does not hash to the block's hash."""

    number: str
    given: bytes
    rebuilt: bytes
    code: ClassVar[str] = "HEADER_UNPROVABLE"

    def __str__(self) -> str:
        return (
            f"Block {self.number} is said to have hash 0x{self.given.hex()}, but its header hashes to "
            f"0x{self.rebuilt.hex()}; the node's chain forms block hashes in another way, or its answer is wrong."
        )


def header_rlp(block: Mapping[str, Any]) -> bytes:
    """The header of `block` (as eth_getBlockBy… answers), held against the hash it comes with."""
    encoded = encode_header(block)
    rebuilt, given = keccak256(encoded), octets(block["hash"])
    if rebuilt != given:
        raise HeaderUnprovable(str(block["number"]), given, rebuilt)
    return encoded


def encode_header(fields: Mapping[str, Any]) -> bytes:
    """A header's fields, as JSON-RPC names and writes them, in RLP."""
    names = _ALWAYS + tuple(name for name in _ADDED if fields.get(name) is not None)
    return rlp_encode([_field(name, fields[name]) for name in names])


def _field(name: str, text: str) -> bytes:
    if name in _DATA:
        return octets(text)
    value = int(text, 16)
    return value.to_bytes((value.bit_length() + 7) // 8, "big")


def rlp_encode(item: Rlp) -> bytes:
    """Recursive length prefix (Yellow Paper, appendix B)."""
    if isinstance(item, bytes):
        if len(item) == 1 and item[0] < 0x80:
            return item
        return _prefix(len(item), 0x80) + item
    body = b"".join(rlp_encode(part) for part in item)
    return _prefix(len(body), 0xC0) + body


def _prefix(length: int, base: int) -> bytes:
    if length < 56:
        return bytes((base + length,))
    size = length.to_bytes((length.bit_length() + 7) // 8, "big")
    return bytes((base + 55 + len(size),)) + size
