"""The scalars of the schema: exact numbers as strings, hashes and addresses as 0x text, days and UTC instants."""

import re
from collections.abc import Mapping
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from typing import NewType

import strawberry
from graphql import GraphQLError
from strawberry.scalars import JSON
from strawberry.types.scalar import ScalarDefinition

from chain.keccak import keccak256
from registry.domain.agreement import plain

MinorUnits = NewType("MinorUnits", int)
Bytes32 = NewType("Bytes32", bytes)
Address = NewType("Address", bytes)

_WHOLE = re.compile(r"-?(0|[1-9][0-9]{0,30})")
_DECIMAL = re.compile(r"-?[0-9]{1,30}(\.[0-9]{1,30})?")
_INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d{1,6})?)?(Z|[+-]\d\d:\d\d)")
TEXT_SHOWN_MAX = 60


def _malformed(name: str, given: object, rule: str) -> GraphQLError:
    shown = str(given)[:TEXT_SHOWN_MAX]
    return GraphQLError(f"{shown!r} is not a {name}: {rule}.")


def _text(value: object, name: str, rule: str) -> str:
    if not isinstance(value, str):
        raise _malformed(name, value, rule)
    return value


def parse_minor_units(value: object) -> int:
    rule = 'give a whole number of minor units as a string, such as "125000"'
    text = _text(value, "MinorUnits", rule)
    if not _WHOLE.fullmatch(text):
        raise _malformed("MinorUnits", value, rule)
    return int(text)


def parse_decimal(value: object) -> Decimal:
    rule = 'give a decimal number as a string, such as "0.1375"'
    text = _text(value, "Decimal", rule)
    if not _DECIMAL.fullmatch(text):
        raise _malformed("Decimal", value, rule)
    try:
        return Decimal(text)
    except InvalidOperation:
        raise _malformed("Decimal", value, rule) from None


def parse_bytes32(value: object) -> bytes:
    return _octets(value, "Bytes32", 32)


def parse_address(value: object) -> bytes:
    octets = _octets(value, "Address", 20)
    text = str(value)
    if text[2:].lower() != text[2:] and checksum_address(octets) != text:
        raise _malformed("Address", value, "its capitals do not match its EIP-55 checksum")
    return octets


def parse_date(value: object) -> date:
    rule = "give a calendar day as YYYY-MM-DD"
    text = _text(value, "Date", rule)
    if len(text) != 10:
        raise _malformed("Date", value, rule)
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise _malformed("Date", value, rule) from None


def parse_instant(value: object) -> datetime:
    rule = "give an instant with its offset, such as 2026-03-01T12:00:00Z"
    text = _text(value, "DateTime", rule)
    if not _INSTANT.fullmatch(text):
        raise _malformed("DateTime", value, rule)
    try:
        return datetime.fromisoformat(text).astimezone(UTC)
    except ValueError:
        raise _malformed("DateTime", value, rule) from None


def hex_text(value: bytes) -> str:
    return "0x" + value.hex()


@lru_cache(maxsize=10_000)
def checksum_address(value: bytes) -> str:
    """An address as EIP-55 writes it: capitals carry a checksum."""
    digits = value.hex()
    nibbles = keccak256(digits.encode()).hex()
    return "0x" + "".join(
        digit.upper() if nibble >= "8" else digit for digit, nibble in zip(digits, nibbles, strict=False)
    )


def instant_text(value: datetime) -> str:
    return value.astimezone(UTC).isoformat().replace("+00:00", "Z")


def _octets(value: object, name: str, length: int) -> bytes:
    rule = f"give 0x and {2 * length} hex digits"
    text = _text(value, name, rule)
    if not re.fullmatch(rf"0x[0-9a-fA-F]{{{2 * length}}}", text):
        raise _malformed(name, value, rule)
    return bytes.fromhex(text[2:])


SCALARS: Mapping[object, ScalarDefinition] = {
    MinorUnits: strawberry.scalar(
        name="MinorUnits",
        description="A whole number as a string, of any size: amounts in minor units (cents, fen), block numbers.",
        serialize=str,
        parse_value=parse_minor_units,
    ),
    Bytes32: strawberry.scalar(
        name="Bytes32",
        description="32 bytes as 0x and 64 hex digits: hashes, commitments, loan keys.",
        serialize=hex_text,
        parse_value=parse_bytes32,
    ),
    Address: strawberry.scalar(
        name="Address",
        description="An account on chain as EIP-55 writes it.",
        serialize=checksum_address,
        parse_value=parse_address,
    ),
    Decimal: strawberry.scalar(
        name="Decimal",
        description='An exact decimal number as a string, never a float; rates are fractions ("0.1375" is 13.75 %).',
        serialize=plain,
        parse_value=parse_decimal,
    ),
    date: strawberry.scalar(
        name="Date",
        description="A calendar day as YYYY-MM-DD.",
        serialize=date.isoformat,
        parse_value=parse_date,
    ),
    datetime: strawberry.scalar(
        name="DateTime",
        description="An instant in UTC as ISO 8601, such as 2026-03-01T12:00:00Z.",
        serialize=instant_text,
        parse_value=parse_instant,
    ),
    JSON: strawberry.scalar(name="JSON", description="Any JSON value.", serialize=lambda value: value),
}
