"""The vault for personal data: one data key per borrower, so that destroying the key destroys the data."""

import os
import secrets
import threading
from collections import OrderedDict
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import ClassVar, NamedTuple, Self

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from compliance import sealing
from compliance.key_store import KeyDestroyed, KeyStore, KeyUnknown
from compliance.master_key import (
    KeyFileExposed,
    KeyFileInvalid,
    KeyFileMissing,
    create_master_key,
    read_master_key,
)
from registry.domain.errors import InvalidInput

__all__ = [
    "KeyDestroyed", "KeyFileExposed", "KeyFileInvalid", "KeyFileMissing", "KeyStore", "KeyUnknown",
    "SealBroken", "Vault", "create_master_key", "mask_identity", "read_master_key",
]  # fmt: skip

DATA_KEY_BYTES = 32
CACHED_KEYS_MAX = 50_000
_VERSION = 1
_AES_256_GCM = 1
_HEADER = bytes((_VERSION, _AES_256_GCM))
_BODY_AT = len(_HEADER) + sealing.NONCE_BYTES
_DOMAIN = b"loan-registry/v1/"


@dataclass(eq=False)
class SealBroken(InvalidInput):
    """A sealed value, or the context it was sealed for, was altered; or it was sealed under another key."""

    key_id: str
    code: ClassVar[str] = "SEAL_BROKEN"
    exit_code: ClassVar[int] = 3

    def __str__(self) -> str:
        return f"A value sealed under data key {self.key_id} does not open: it or its context was altered."


class _DataKey(NamedTuple):
    cipher: AESGCM
    derivation_key: bytes


class Vault:
    """Seals and opens values, and derives secrets, under data keys that can each be destroyed for ever.

    An envelope is version (1) || algorithm (1) || nonce (12) || AES-256-GCM cipher text and tag. The caller's AAD binds
    tenant, table, record, field and version; header and key id are bound here. Nonces are random, so a data key
    must not seal more than 2^32 values. Safe for threads; a key destroyed by another process is noticed.
    """

    def __init__(self, store: KeyStore, master_key: bytes, consortium_key: bytes | None = None) -> None:
        self._store = store
        self._wrapping_key = sealing.hkdf_sha256(master_key, _DOMAIN + b"wrap", 32)
        self._index_key = sealing.hkdf_sha256(master_key, _DOMAIN + b"blind-index", 32)
        self._tag_key = sealing.hkdf_sha256(consortium_key or master_key, _DOMAIN + b"asset-tag", 32)
        self._cache: OrderedDict[str, _DataKey] = OrderedDict()
        self._generation = store.generation()
        self._destructions = 0
        self._lock = threading.Lock()

    @classmethod
    def from_files(cls, store_path: Path, master_key_path: Path, consortium_key_path: Path | None = None) -> Self:
        """A vault over the key store and key files at these paths."""
        consortium = read_master_key(consortium_key_path) if consortium_key_path else None
        return cls(KeyStore(store_path), read_master_key(master_key_path), consortium)

    def new_key(self) -> str:
        """Make a data key and return its id."""
        return self.new_keys(1)[0]

    def new_keys(self, count: int) -> list[str]:
        """Make `count` data keys in one commit and return their ids."""
        ids = [secrets.token_hex(16) for _ in range(count)]
        self._store.add(
            [(key_id, sealing.wrap_key(self._wrapping_key, secrets.token_bytes(DATA_KEY_BYTES))) for key_id in ids]
        )
        return ids

    def seal(self, key_id: str, plaintext: bytes, aad: bytes) -> bytes:
        nonce = os.urandom(sealing.NONCE_BYTES)
        return _HEADER + nonce + sealing.gcm_seal(self._key(key_id).cipher, nonce, plaintext, _bound(key_id, aad))

    def open(self, key_id: str, envelope: bytes, aad: bytes) -> bytes:
        """The plain text, or SealBroken, KeyDestroyed, KeyUnknown."""
        cipher = self._key(key_id).cipher
        if envelope[: len(_HEADER)] != _HEADER:
            raise SealBroken(key_id)
        try:
            nonce, body = envelope[len(_HEADER) : _BODY_AT], envelope[_BODY_AT:]
            return sealing.gcm_open(cipher, nonce, body, _bound(key_id, aad))
        except sealing.Rejected:
            raise SealBroken(key_id) from None

    def derive(self, key_id: str, info: bytes, length: int = 32) -> bytes:
        """A secret of `length` bytes that exists only as long as the data key does (HKDF-SHA256)."""
        return sealing.hkdf_sha256(self._key(key_id).derivation_key, info, length)

    def destroy(self, key_id: str) -> datetime:
        """Destroy the data key for ever; returns when it was destroyed."""
        destroyed_at = self._store.destroy(key_id)
        with self._lock:
            self._destructions += 1
            self._cache.pop(key_id, None)
        return destroyed_at

    def blind_index(self, normalised: bytes) -> bytes:
        """A keyed digest to search an encrypted field by; 32 bytes, the same for the same value."""
        return sealing.hmac_sha256(self._index_key, normalised)

    def asset_tag(self, normalised: bytes) -> bytes:
        """A keyed digest of an asset's identifiers under the consortium's key; 32 bytes."""
        return sealing.hmac_sha256(self._tag_key, normalised)

    def close(self) -> None:
        with self._lock:
            self._cache.clear()
        self._store.close()

    def _key(self, key_id: str) -> _DataKey:
        generation = self._store.generation()
        with self._lock:
            if generation != self._generation:
                self._cache.clear()
                self._generation = generation
            destructions = self._destructions
            if (cached := self._cache.get(key_id)) is not None:
                self._cache.move_to_end(key_id)
                return cached
        wrapped = self._store.wrapped(key_id)
        try:
            key = sealing.unwrap_key(self._wrapping_key, wrapped)
        except sealing.Rejected:
            raise SealBroken(key_id) from None
        data_key = _DataKey(
            AESGCM(sealing.hkdf_sha256(key, _DOMAIN + b"seal", 32)),
            sealing.hkdf_sha256(key, _DOMAIN + b"derive", 32),
        )
        return self._remember(key_id, data_key, generation, destructions)

    def _remember(self, key_id: str, data_key: _DataKey, generation: int, destructions: int) -> _DataKey:
        # A key destroyed while this thread was unwrapping it must not come back through the cache.
        with self._lock:
            if (generation, destructions) == (self._generation, self._destructions):
                self._cache[key_id] = data_key
            while len(self._cache) > CACHED_KEYS_MAX:
                self._cache.popitem(last=False)
        return data_key


def _bound(key_id: str, aad: bytes) -> bytes:
    name = key_id.encode()
    return b"".join((_HEADER, len(name).to_bytes(2, "big"), name, aad))


def mask_identity(number: str) -> str:
    """An identity number for display: at most the first three and last four characters stay."""
    shown = "".join(number.split())
    if len(shown) < 8:
        return "*" * len(shown)
    head = 3 if len(shown) >= 14 else 1
    tail = 4 if len(shown) >= 14 else 2
    return f"{shown[:head]}{'*' * (len(shown) - head - tail)}{shown[-tail:]}"
