"""A chain state made of whole cloth with the `trie` and `rlp` packages: header, accounts, the contract's storage."""

import hashlib
import random
from typing import Any

import rlp
import sha3
from trie import HexaryTrie

from audit.ports import ChainProof, SlotProofs
from registry.domain.chain_binding import ChainBinding
from tests.support.audit_portfolio import GENESIS, MadeLoan

CODE_HASH = hashlib.sha256(b"runtime code").digest()


def keccak(data: bytes) -> bytes:
    return bytes(sha3.keccak_256(data).digest())


def scalar(value: int) -> bytes:
    return value.to_bytes((value.bit_length() + 7) // 8, "big")


def loan_slots(key: bytes) -> tuple[bytes, bytes]:
    """The storage keys of standing and head: the mapping is at slot 0."""
    standing = keccak(key + bytes(32))
    return standing, (int.from_bytes(standing, "big") + 1).to_bytes(32, "big")


def packed(standing: tuple[int, int, int, bytes]) -> int:
    controller, servicer, status, _ = standing
    return controller | servicer << 32 | status << 64


class World:
    """A block in which the contract holds these loans, among other accounts and slots."""

    def __init__(self, loans: list[MadeLoan], chain_id: int, contract: bytes, number: int = 900, seed: int = 1) -> None:
        rng = random.Random(seed)
        self.binding = ChainBinding(chain_id, GENESIS, contract, CODE_HASH, 1)
        self.number = number
        self._storage = HexaryTrie({})
        for made in loans:
            if made.standing is not None:
                standing, head = loan_slots(made.row["loan_key"])
                self._storage[keccak(standing)] = rlp.encode(scalar(packed(made.standing)))
                self._storage[keccak(head)] = rlp.encode(scalar(int.from_bytes(made.standing[3], "big")))
        for _ in range(40):
            self._storage[keccak(rng.randbytes(32))] = rlp.encode(scalar(rng.randrange(1, 2**20)))
        self._accounts = HexaryTrie({})
        account = [scalar(1), b"", self._storage.root_hash, CODE_HASH]
        self._accounts[keccak(contract)] = rlp.encode(account)
        for _ in range(40):
            other = [scalar(rng.randrange(5)), scalar(rng.randrange(10**18)), rng.randbytes(32), rng.randbytes(32)]
            self._accounts[keccak(rng.randbytes(20))] = rlp.encode(other)
        fields: list[Any] = [rng.randbytes(32) for _ in range(21)]
        fields[3], fields[8], fields[11] = self._accounts.root_hash, scalar(number), scalar(1_800_000_000)
        self.header = rlp.encode(fields)
        self.block_hash = keccak(self.header)

    def proof(self, *loan_keys: bytes) -> ChainProof:
        return ChainProof(
            self.number, self.block_hash, self.header, self._nodes(self._accounts, self.binding.contract), CODE_HASH,
            {
                key: SlotProofs(*(self._nodes(self._storage, slot) for slot in loan_slots(key)))
                for key in loan_keys
            },
        )  # fmt: skip

    @staticmethod
    def _nodes(trie: HexaryTrie, key: bytes) -> tuple[bytes, ...]:
        return tuple(rlp.encode(node) for node in trie.get_proof(keccak(key)))
