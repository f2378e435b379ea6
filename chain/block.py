"""Blocks as the node names them: which one a read is about, where the chain stands, and what of it is final."""

from dataclasses import dataclass
from typing import Any, ClassVar, Literal, TypeAlias

from chain.finality import FinalityKind, FinalityRule
from chain.hexadecimal import data, number, octets, quantity
from chain.rpc import Rpc
from registry.domain.errors import Unavailable

# A block number, a block hash (32 bytes) or a tag. A read by hash cannot be answered from another fork.
BlockStamp: TypeAlias = int | bytes | Literal["latest", "pending", "finalized"]


@dataclass(eq=False)
class BlockMissing(Unavailable):
    """The node does not have the block asked for, or no longer."""

    block: str
    code: ClassVar[str] = "BLOCK_MISSING"

    def __str__(self) -> str:
        return f"The node does not have block {self.block}; it may have been replaced, or the node is still behind."


@dataclass(frozen=True, slots=True)
class ChainHead:
    """The newest block, and the highest number that is final under the rule asked with."""

    number: int
    hash: bytes
    final_number: int
    base_fee: int  # wei per gas


def block_parameter(at: BlockStamp) -> Any:
    """A stamp as JSON-RPC takes it; a hash in the form of EIP-1898."""
    if isinstance(at, bytes):
        return {"blockHash": data(at)}
    return quantity(at) if isinstance(at, int) else at


def read_head(rpc: Rpc, rule: FinalityRule) -> ChainHead:
    """The head and what is final under it, asked in one request."""
    calls: list[tuple[str, list[Any]]] = [("eth_getBlockByNumber", ["latest", False])]
    if rule.kind is FinalityKind.FINALIZED:
        calls.append(("eth_getBlockByNumber", ["finalized", False]))
    head, *tagged = rpc.batch(calls)
    if head is None:
        raise BlockMissing("latest")
    height = number(head["number"])
    finalized = number(tagged[0]["number"]) if tagged and tagged[0] else None
    return ChainHead(
        number=height,
        hash=octets(head["hash"]),
        final_number=min(height, rule.final_number(height, finalized)),
        base_fee=number(head.get("baseFeePerGas") or "0x0"),
    )


def block_hashes(rpc: Rpc, numbers: list[int]) -> dict[int, bytes | None]:
    """The hashes of the blocks that now stand at `numbers`; None where the chain is shorter."""
    found = rpc.batch([("eth_getBlockByNumber", [quantity(height), False]) for height in numbers])
    return {height: octets(block["hash"]) if block else None for height, block in zip(numbers, found, strict=True)}
