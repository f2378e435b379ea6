"""The hashes that bind a record off chain to one word on chain: field digests, commitments, running heads.

Every preimage has its own first byte (0x10 to 0x14; RFC 9162 uses 0x00 and 0x01), all hashes are SHA-256, values
are canonical JSON (RFC 8785), salts come from HKDF-SHA256 (RFC 5869) with the field's name as `info`.
"""

import hashlib
import hmac
from collections.abc import Sequence
from typing import TypeAlias

import orjson
import rfc8785

FORMAT_VERSION = 1

FieldValue: TypeAlias = "str | int | bool | None | list[FieldValue] | dict[str, FieldValue]"

_LOAN_KEY_TAG = b"loan-registry/v1"
_HKDF_ZERO_SALT = bytes(32)


def loan_key(lender_id: int, nonce: bytes) -> bytes:
    """The identity of a loan on chain (32 bytes), from the registering lender and its 32 random bytes."""
    return hashlib.sha256(_LOAN_KEY_TAG + lender_id.to_bytes(4, "big") + nonce).digest()


def extract(secret: bytes) -> bytes:
    """HKDF-Extract with the zero salt; done once per secret, as every field of a record expands the same key."""
    return hmac.digest(_HKDF_ZERO_SALT, secret, "sha256")


def field_salt(extracted: bytes, name: str) -> bytes:
    """HKDF-Expand to one block of 32 bytes: the salt of the field `name`."""
    return hmac.digest(extracted, name.encode() + b"\x01", "sha256")


def canonical(value: FieldValue) -> bytes:
    """The RFC 8785 bytes of a field's value.

    Most are ASCII text or null, or flat lists and objects of those: orjson writes the same bytes for them, ten times
    faster (held against the reference by a property test). Whatever it may write differently goes the long way.
    """
    if _is_plain(value):
        return orjson.dumps(value)
    if isinstance(value, dict) and all(name.isascii() and _is_plain(part) for name, part in value.items()):
        return orjson.dumps(value, option=orjson.OPT_SORT_KEYS)
    if isinstance(value, list) and all(_is_plain(part) for part in value):
        return orjson.dumps(value)
    return rfc8785.dumps(value)


def _is_plain(value: FieldValue) -> bool:
    return value is None or (isinstance(value, str) and value.isascii())


def field_digest(salt: bytes, name: str, value: bytes) -> bytes:
    """The digest of one field: `value` is its canonical JSON."""
    return hashlib.sha256(b"\x10" + salt + name.encode() + b"\x00" + value).digest()


def commitment(key: bytes, sequence: int, kind: int, digests: Sequence[bytes]) -> bytes:
    """What goes on chain for a record: header (version, loan, position, kind), then its field digests in order."""
    header = b"\x11" + bytes((FORMAT_VERSION,)) + key + sequence.to_bytes(8, "big") + bytes((kind,))
    return hashlib.sha256(header + b"".join(digests)).digest()


def first_head(chain_id: int, contract: bytes, key: bytes, agreement_commitment: bytes) -> bytes:
    """head(0): binds the loan's history to one contract (20 bytes) on one chain."""
    preimage = b"\x12" + chain_id.to_bytes(32, "big") + contract + key + agreement_commitment
    return hashlib.sha256(preimage).digest()


def next_head(head: bytes, kind: int, record_commitment: bytes) -> bytes:
    """head(n+1) from head(n) and the record appended."""
    return hashlib.sha256(b"\x13" + head + bytes((kind,)) + record_commitment).digest()


def next_lender_head(head: bytes, event: int, key: bytes) -> bytes:
    """A lender's running head, from 32 zero bytes: event 0 = it registered the loan, 1 = control left, 2 = arrived."""
    return hashlib.sha256(b"\x14" + head + bytes((event,)) + key).digest()
