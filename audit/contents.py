"""The commitment of a filed record, recomputed from the cells it was made of; the inner loop of a reconciliation."""

from collections.abc import Mapping
from hashlib import sha256
from hmac import digest as hmac_digest
from json.encoder import encode_basestring
from typing import NamedTuple

from audit import bounded_json
from registry.domain import commitments
from registry.domain.commitments import FieldValue
from registry.domain.kinds import RecordKind
from registry.domain.records import FINANCIAL_FIELDS, PERSONAL_FIELDS

SAFE_MAX = 2**53 - 1

# Per kind and financial field: its name, the HKDF info block, and what stands before the value in the digest.
_LAYOUTS = {
    int(kind): tuple((name, name.encode() + b"\x01", name.encode() + b"\x00") for name in names)
    for kind, names in FINANCIAL_FIELDS.items()
}
PERSONAL_BYTES = {int(kind): 32 * len(PERSONAL_FIELDS[kind]) for kind in RecordKind}


class Unreadable(ValueError):
    """The text of the fields is not canonical JSON of fields that the kind has."""


class Contents(NamedTuple):
    """The financial values of a record and their digests, joined in order."""

    values: Mapping[str, FieldValue]
    digests: bytes


def read_contents(kind: int, text: str, secret: bytes) -> Contents:
    """The values in `text` with their digests, or `Unreadable`: anything but the one canonical text is refused."""
    try:
        values = bounded_json.loads(text)
        if type(values) is not dict:
            raise Unreadable("not an object")
        encoded = {name: canonical_value(value) for name, value in values.items()}
        if text.encode() != b"{%s}" % b",".join([b'"%s":%s' % (n.encode(), encoded[n]) for n in sorted(encoded)]):
            raise Unreadable("not in canonical form")
    except ValueError as fault:
        raise Unreadable(str(fault)) from None
    if kind not in _LAYOUTS:
        raise Unreadable(f"kind {kind} is not known")
    layout = _LAYOUTS[kind]
    if len(encoded) > len(layout) or not encoded.keys() <= {name for name, _, _ in layout}:
        raise Unreadable("a field that the kind does not have")
    return Contents(values, _digests(layout, encoded, secret))


def with_value(kind: int, contents: Contents, name: str, value: FieldValue, secret: bytes) -> bytes:
    """The joined digests if the field `name` were `value`."""
    encoded = {known: canonical_value(given) for known, given in contents.values.items()}
    return _digests(_LAYOUTS[kind], {**encoded, name: canonical_value(value)}, secret)


def commitment(key: bytes, sequence: int, kind: int, digests: bytes) -> bytes:
    """The commitment over all digests, financial ones first, joined."""
    return commitments.commitment(key, sequence, kind, (digests,))


def canonical_value(value: FieldValue) -> bytes:
    """RFC 8785, with the common cases done by the standard library, which escapes strings the same way."""
    if isinstance(value, str):
        return encode_basestring(value).encode()
    if value is None:
        return b"null"
    if type(value) is int and -SAFE_MAX <= value <= SAFE_MAX:
        return b"%d" % value
    return commitments.canonical(value)


def _digests(layout: tuple[tuple[str, bytes, bytes], ...], encoded: Mapping[str, bytes], secret: bytes) -> bytes:
    """As `commitments.field_salt` and `commitments.field_digest`, field by field; a test holds the two together."""
    extracted = commitments.extract(secret)
    return b"".join(
        [
            sha256(b"\x10" + hmac_digest(extracted, info, "sha256") + prefix + encoded.get(name, b"null")).digest()
            for name, info, prefix in layout
        ]
    )
