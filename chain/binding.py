"""Which chain a node serves, held against the one the registry is bound to; asked before anything is written."""

from dataclasses import dataclass
from typing import Any, ClassVar

from chain.hexadecimal import data, number, octets
from chain.keccak import keccak256
from chain.rpc import Rpc
from registry.domain.chain_binding import ChainBinding
from registry.domain.errors import WrongChain


@dataclass(eq=False)
class ChainIdDiffers(WrongChain):
    """The node serves another chain."""

    bound: int
    found: int
    code: ClassVar[str] = "CHAIN_ID_DIFFERS"

    def __str__(self) -> str:
        return (
            f"The node serves chain {self.found}, but the registry is bound to chain {self.bound}; check the RPC URL."
        )


@dataclass(eq=False)
class GenesisDiffers(WrongChain):
    """The node's chain has the right id but another first block: it was started anew, or is a copy."""

    bound: bytes
    found: bytes
    code: ClassVar[str] = "GENESIS_DIFFERS"

    def __str__(self) -> str:
        return (
            f"The chain's first block is 0x{self.found.hex()}, but the registry is bound to 0x{self.bound.hex()}; "
            "check the RPC URL, or that the devnet was started with its saved state."
        )


@dataclass(eq=False)
class CodeMissing(WrongChain):
    """There is no contract at the address."""

    contract: bytes
    code_hash: bytes
    code: ClassVar[str] = "CODE_MISSING"

    def __str__(self) -> str:
        return (
            f"There is no code at 0x{self.contract.hex()}, where code with hash 0x{self.code_hash.hex()} is expected; "
            "check the contract's address and that the chain was not reset."
        )


@dataclass(eq=False)
class CodeDiffers(WrongChain):
    """Another contract stands at the address."""

    contract: bytes
    bound: bytes
    found: bytes
    code: ClassVar[str] = "CODE_DIFFERS"

    def __str__(self) -> str:
        return (
            f"The code at 0x{self.contract.hex()} has hash 0x{self.found.hex()}, but 0x{self.bound.hex()} is expected; "
            "check the contract's address."
        )


def bind(rpc: Rpc, contract: bytes, *, deployed_block: int = 0) -> ChainBinding:
    """The binding to a contract that already stands at `contract`, as the node now answers.

    The code hash is taken from the chain: compare it with the artifact's before trusting it.
    """
    chain_id, genesis, code_hash = _identity(rpc, contract)
    if code_hash is None:
        raise CodeMissing(contract, bytes(32))
    return ChainBinding(chain_id, genesis, contract, code_hash, deployed_block)


def check_binding(rpc: Rpc, binding: ChainBinding) -> None:
    """Raise a `WrongChain` unless the node serves exactly the chain and contract of `binding`; one request."""
    chain_id, genesis, code_hash = _identity(rpc, binding.contract)
    if chain_id != binding.chain_id:
        raise ChainIdDiffers(binding.chain_id, chain_id)
    if genesis != binding.genesis_hash:
        raise GenesisDiffers(binding.genesis_hash, genesis)
    if code_hash is None:
        raise CodeMissing(binding.contract, binding.code_hash)
    if code_hash != binding.code_hash:
        raise CodeDiffers(binding.contract, binding.code_hash, code_hash)


def _identity(rpc: Rpc, contract: bytes) -> tuple[int, bytes, bytes | None]:
    """Chain id, hash of block 0, and the hash of the code at `contract` if there is any."""
    calls: list[tuple[str, list[Any]]] = [
        ("eth_chainId", []),
        ("eth_getBlockByNumber", ["0x0", False]),
        ("eth_getCode", [data(contract), "latest"]),
    ]
    chain_id, genesis, code = rpc.batch(calls)
    body = octets(code)
    return number(chain_id), octets(genesis["hash"]) if genesis else bytes(32), keccak256(body) if body else None
