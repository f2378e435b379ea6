"""The contract's state as bytes: where a loan's two slots lie, how they are packed, and how proofs of them are read."""

from collections.abc import Sequence
from dataclasses import dataclass

from audit import rlp
from audit.keccak import keccak_256
from audit.ports import OnChain, SlotProofs
from audit.trie import ProofRejected, proven

LOANS_MAPPING_SLOT = 0  # `_loans` in contracts/src/LoanRegistry.sol; see docs/evidence-format.md, "Storage"
_HEADER_FIELDS_MIN = 15  # before London; later forks only append fields
_STANDING_BITS = 72


@dataclass(frozen=True, slots=True)
class Header:
    """What a proof needs of a block header."""

    number: int
    state_root: bytes


@dataclass(frozen=True, slots=True)
class Account:
    """What a proof needs of a contract's account."""

    storage_root: bytes
    code_hash: bytes


def standing_slot(loan_key: bytes) -> bytes:
    """The storage key of the loan's standing: `keccak256(loanKey || slot of the mapping)`."""
    return keccak_256(loan_key + LOANS_MAPPING_SLOT.to_bytes(32, "big"))


def head_slot(loan_key: bytes) -> bytes:
    """The storage key of the loan's head: the slot after its standing."""
    return ((int.from_bytes(standing_slot(loan_key), "big") + 1) % 2**256).to_bytes(32, "big")


def read_header(encoded: bytes) -> Header:
    """Number and state root of a block header; raises `NotCanonical`."""
    fields = rlp.decode_list(encoded)
    if len(fields) < _HEADER_FIELDS_MIN or not all(isinstance(field, bytes) for field in fields):
        raise rlp.NotCanonical("not a block header")
    state_root = fields[3]
    if not isinstance(state_root, bytes) or len(state_root) != 32:
        raise rlp.NotCanonical("a state root has 32 bytes")
    return Header(rlp.integer(fields[8]), state_root)


def read_account(state_root: bytes, address: bytes, nodes: Sequence[bytes]) -> Account:
    """The account at `address` (20 bytes) under this state root; raises `ProofRejected` or `NotCanonical`."""
    value = proven(state_root, keccak_256(address), nodes)
    if value is None:
        raise ProofRejected("there is no account at the contract's address")
    fields = rlp.decode_list(value)
    if len(fields) != 4:
        raise rlp.NotCanonical("an account has four fields")
    storage_root, code_hash = fields[2], fields[3]
    if not isinstance(storage_root, bytes) or not isinstance(code_hash, bytes):
        raise rlp.NotCanonical("an account's fields are strings")
    return Account(storage_root, code_hash)


def read_loan(storage_root: bytes, loan_key: bytes, proofs: SlotProofs) -> OnChain | None:
    """Both slots of the loan, or None when they are proven empty; raises `ProofRejected` or `NotCanonical`."""
    standing = _slot(storage_root, standing_slot(loan_key), proofs.standing)
    head = _slot(storage_root, head_slot(loan_key), proofs.head)
    if standing == 0:
        return None
    if standing >> _STANDING_BITS:
        raise ProofRejected("the standing has bits set beyond its fields")
    mask = 2**32 - 1
    return OnChain(standing & mask, standing >> 32 & mask, standing >> 64, head.to_bytes(32, "big"))


def _slot(storage_root: bytes, key: bytes, nodes: Sequence[bytes]) -> int:
    value = proven(storage_root, keccak_256(key), nodes)
    if value is None:
        return 0
    word = rlp.integer(rlp.decode(value))
    if word == 0 or word >= 2**256:
        raise rlp.NotCanonical("a slot holds between 1 and 32 bytes")
    return word
