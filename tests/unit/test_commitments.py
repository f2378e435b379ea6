"""The hashes of a record, held against a second implementation made of hashlib and hmac alone."""

import hashlib
import hmac
import json

import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from registry.domain import commitments
from registry.domain.kinds import RecordKind
from registry.domain.records import PERSONAL_FIELDS, field_names, personal_digests, record_commitment

SECRETS = st.binary(min_size=32, max_size=32)
VALUES = st.one_of(st.none(), st.text(max_size=40), st.integers(-(2**53) + 1, 2**53 - 1), st.booleans())


def hkdf(secret: bytes, info: bytes) -> bytes:
    """RFC 5869 with SHA-256, zero salt, one block."""
    prk = hmac.new(b"\x00" * 32, secret, hashlib.sha256).digest()
    return hmac.new(prk, info + b"\x01", hashlib.sha256).digest()


def digest(secret: bytes, name: str, value: object) -> bytes:
    return hashlib.sha256(
        b"\x10" + hkdf(secret, name.encode()) + name.encode() + b"\x00" + rfc8785.dumps(value)  # type: ignore[arg-type]
    ).digest()


@given(st.recursive(VALUES, lambda inner: st.dictionaries(st.text(max_size=8), inner) | st.lists(inner), max_leaves=12))
def test_canonical_bytes_are_those_of_rfc_8785(value: object) -> None:
    assert commitments.canonical(value) == rfc8785.dumps(value)  # type: ignore[arg-type]


def test_every_ascii_character_is_escaped_as_rfc_8785_says() -> None:
    for code in range(128):
        text = f"x{chr(code)}y"
        assert commitments.canonical(text) == rfc8785.dumps(text)
        assert json.loads(commitments.canonical(text)) == text


@given(st.sampled_from(RecordKind), SECRETS, SECRETS, st.integers(0, 2**40), st.data())
def test_a_commitment_covers_header_and_every_field(
    kind: RecordKind, secret: bytes, key: bytes, sequence: int, data: st.DataObject
) -> None:
    personal_names = PERSONAL_FIELDS[kind]
    names = [name for name in field_names(kind) if name not in personal_names]
    fields = {name: data.draw(VALUES) for name in names}
    personal = {name: data.draw(VALUES) for name in personal_names}
    digests = [digest(secret, name, fields[name]) for name in names]
    digests += [digest(key, name, personal[name]) for name in personal_names]
    header = b"\x11\x01" + key + sequence.to_bytes(8, "big") + bytes([kind])
    expected = hashlib.sha256(header + b"".join(digests)).digest()

    made = record_commitment(key, sequence, kind, fields, secret, personal_digests(kind, personal, key))

    assert made == expected


@given(st.integers(1, 2**32 - 1), SECRETS, st.integers(1, 2**63), st.binary(min_size=20, max_size=20), SECRETS)
def test_heads_bind_lender_chain_contract_and_every_record(
    lender_id: int, nonce: bytes, chain_id: int, contract: bytes, made: bytes
) -> None:
    key = commitments.loan_key(lender_id, nonce)
    assert key == hashlib.sha256(b"loan-registry/v1" + lender_id.to_bytes(4, "big") + nonce).digest()
    first = commitments.first_head(chain_id, contract, key, made)
    assert first == hashlib.sha256(b"\x12" + chain_id.to_bytes(32, "big") + contract + key + made).digest()
    assert commitments.next_head(first, 2, made) == hashlib.sha256(b"\x13" + first + b"\x02" + made).digest()
