"""The registry's hashes, recomputed from their written definition with hashlib; no code of the product is used."""

import hashlib
from collections.abc import Iterable

import sha3

REGISTERED_BY, CONTROL_LEFT, CONTROL_ARRIVED = 0, 1, 2


def loan_key(lender_id: int, nonce: bytes) -> bytes:
    return hashlib.sha256(b"loan-registry/v1" + lender_id.to_bytes(4, "big") + nonce).digest()


def first_head(chain_id: int, registry: bytes, key: bytes, commitment: bytes) -> bytes:
    assert (len(registry), len(key), len(commitment)) == (20, 32, 32)
    return hashlib.sha256(b"\x12" + chain_id.to_bytes(32, "big") + registry + key + commitment).digest()


def next_head(head: bytes, kind: int, commitment: bytes) -> bytes:
    return hashlib.sha256(b"\x13" + head + bytes([kind]) + commitment).digest()


def fold(head: bytes, records: Iterable[tuple[int, bytes]]) -> bytes:
    """The head after `records`, each as (kind, commitment)."""
    for kind, commitment in records:
        head = next_head(head, kind, commitment)
    return head


def next_lender_head(head: bytes, event: int, key: bytes) -> bytes:
    return hashlib.sha256(b"\x14" + head + bytes([event]) + key).digest()


def lender_head(events: Iterable[tuple[int, bytes]]) -> bytes:
    """A lender's head over `events`, each as (event, loan key), from 32 zero bytes."""
    head = bytes(32)
    for event, key in events:
        head = next_lender_head(head, event, key)
    return head


def standing_slot(mapping_slot: int, key: bytes) -> int:
    """The storage slot of a loan's standing: keccak256(key || mapping slot), Solidity's rule for mappings."""
    return int.from_bytes(sha3.keccak_256(key + mapping_slot.to_bytes(32, "big")).digest(), "big")
