"""Keccak-256 as Ethereum uses it (not SHA3-256): addresses, selectors, topics, block and code hashes."""

from sha3 import keccak_256


def keccak256(message: bytes) -> bytes:
    return bytes(keccak_256(message).digest())
