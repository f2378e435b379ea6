"""What the chain itself says about loans, provable offline: Merkle proofs of both slots under a block's state root."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from chain.artifacts import load_artifact
from chain.block import BlockMissing, BlockStamp, block_parameter
from chain.header import header_rlp
from chain.hexadecimal import data, number, octets, quantity
from chain.keccak import keccak256
from chain.rpc import Rpc
from registry.domain.errors import Unavailable


@dataclass(eq=False)
class ProofNotOfBlock(Unavailable):
    """While the proof was fetched, another block took the place of the one it is about."""

    number: int
    code: ClassVar[str] = "PROOF_NOT_OF_BLOCK"

    def __str__(self) -> str:
        return f"Block {self.number} was replaced while a proof of it was fetched; ask again, best of a final block."


@dataclass(frozen=True, slots=True)
class SlotProof:
    """One storage slot: its key (32 bytes), its value (32 bytes) and the trie's nodes from the root down."""

    key: bytes
    value: bytes
    nodes: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class LoanProof:
    """A loan's two slots: standing (controller in bits 0-31, servicer 32-63, status 64-71) and head."""

    loan_key: bytes
    standing: SlotProof
    head: SlotProof


@dataclass(frozen=True, slots=True)
class AccountProof:
    """The contract's account under a block's state root, and loans under the account's storage root.

    keccak-256 of `header` is `block_hash`; its fourth field is the state root. `nodes` lead from there to the account.
    """

    contract: bytes
    block_number: int
    block_hash: bytes
    header: bytes
    nonce: int
    balance: int
    storage_root: bytes
    code_hash: bytes
    nodes: tuple[bytes, ...]
    loans: tuple[LoanProof, ...]


def loan_slots(loan_key: bytes) -> tuple[bytes, bytes]:
    """The storage keys of a loan's standing and head: keccak-256(loanKey || slot of the mapping), and the next one."""
    first = keccak256(loan_key + load_artifact().loans_slot.to_bytes(32, "big"))
    following = (int.from_bytes(first, "big") + 1) % 2**256
    return first, following.to_bytes(32, "big")


def fetch_proof(rpc: Rpc, contract: bytes, loan_keys: Sequence[bytes], block: BlockStamp) -> AccountProof:
    """Proofs of the loans at `block`, with the header they stand under; the header's hash is checked here.

    Nodes keep the state of recent blocks only (about 128; the devnet 300): older ones are `CallFailed`.
    """
    found = _block(rpc, block)
    header = header_rlp(found)
    height = number(found["number"])
    keys = [slot for loan_key in loan_keys for slot in loan_slots(loan_key)]
    proof, again = rpc.batch(
        [
            ("eth_getProof", [data(contract), [data(key) for key in keys], quantity(height)]),
            ("eth_getBlockByNumber", [quantity(height), False]),
        ]
    )
    if again is None or again["hash"] != found["hash"]:
        raise ProofNotOfBlock(height)
    slots = [_slot(key, entry) for key, entry in zip(keys, proof["storageProof"], strict=True)]
    return AccountProof(
        contract=contract,
        block_number=height,
        block_hash=octets(found["hash"]),
        header=header,
        nonce=number(proof["nonce"]),
        balance=number(proof["balance"]),
        storage_root=octets(proof["storageHash"]),
        code_hash=octets(proof["codeHash"]),
        nodes=tuple(octets(node) for node in proof["accountProof"]),
        loans=tuple(
            LoanProof(loan_key, standing, head)
            for loan_key, standing, head in zip(loan_keys, slots[::2], slots[1::2], strict=True)
        ),
    )


def _block(rpc: Rpc, block: BlockStamp) -> dict[str, Any]:
    if isinstance(block, bytes):
        found = rpc.call("eth_getBlockByHash", data(block), False)
    else:
        found = rpc.call("eth_getBlockByNumber", block_parameter(block), False)
    if found is None:
        raise BlockMissing(data(block) if isinstance(block, bytes) else str(block))
    return dict(found)


def _slot(key: bytes, entry: dict[str, Any]) -> SlotProof:
    value = int(entry["value"], 16).to_bytes(32, "big")
    return SlotProof(key, value, tuple(octets(node) for node in entry["proof"]))
