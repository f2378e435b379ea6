"""Which chain and contract a registry belongs to; every head and every proof is bound to it."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ChainBinding:
    """The identity of the deployed contract: chain, genesis hash, address (20 bytes), keccak code hash."""

    chain_id: int
    genesis_hash: bytes
    contract: bytes
    code_hash: bytes
    deployed_block: int
