"""The cryptographic operations the vault is built from, each a published standard used as it stands."""

import hashlib
import hmac

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.keywrap import (
    InvalidUnwrap,
    aes_key_unwrap_with_padding,
    aes_key_wrap_with_padding,
)

NONCE_BYTES = 12
TAG_BYTES = 16


class Rejected(Exception):
    """A cipher text, a wrapped key or a parameter was refused; the vault says which key and record it was."""


def gcm_seal(cipher: AESGCM, nonce: bytes, plaintext: bytes, aad: bytes) -> bytes:
    """AES-GCM (NIST SP 800-38D) with a 96-bit nonce; returns cipher text and tag."""
    if len(nonce) != NONCE_BYTES:
        raise Rejected
    return cipher.encrypt(nonce, plaintext, aad)


def gcm_open(cipher: AESGCM, nonce: bytes, sealed: bytes, aad: bytes) -> bytes:
    if len(nonce) != NONCE_BYTES or len(sealed) < TAG_BYTES:
        raise Rejected
    try:
        return cipher.decrypt(nonce, sealed, aad)
    except InvalidTag:
        raise Rejected from None


def wrap_key(wrapping_key: bytes, key: bytes) -> bytes:
    """AES key wrap with padding (RFC 5649)."""
    return aes_key_wrap_with_padding(wrapping_key, key)


def unwrap_key(wrapping_key: bytes, wrapped: bytes) -> bytes:
    try:
        return aes_key_unwrap_with_padding(wrapping_key, wrapped)
    except (InvalidUnwrap, ValueError):
        raise Rejected from None


def hkdf_sha256(key_material: bytes, info: bytes, length: int, salt: bytes = b"") -> bytes:
    """HKDF with SHA-256 (RFC 5869); at most 255 blocks of 32 bytes."""
    try:
        return HKDF(algorithm=SHA256(), length=length, salt=salt or None, info=info).derive(key_material)
    except (ValueError, OverflowError):
        raise Rejected from None


def hmac_sha256(key: bytes, message: bytes) -> bytes:
    return hmac.digest(key, message, hashlib.sha256)
