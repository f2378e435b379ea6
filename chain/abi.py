"""Calls of the contract as bytes: the two hot batch calls by concatenation, all others by the committed ABI."""

from collections.abc import Iterable, Sequence
from functools import cache
from typing import Any, NamedTuple

from eth_abi.abi import decode, encode

from chain.artifacts import load_artifact
from chain.keccak import keccak256

WORD = 32
_OFFSET_OF_ARRAY = WORD.to_bytes(WORD, "big")


class Registration(NamedTuple):
    """What `registerLoans` takes for one loan; 32 bytes each."""

    nonce: bytes
    commitment: bytes


class Record(NamedTuple):
    """What `appendRecords` takes for one record."""

    loan_key: bytes
    previous_head: bytes
    kind: int
    commitment: bytes


@cache
def _entries(sort: str) -> dict[str, dict[str, Any]]:
    return {entry["name"]: entry for entry in load_artifact().abi if entry["type"] == sort}


def signature(entry: dict[str, Any]) -> str:
    """`name(type,…)` of an ABI entry, tuples spelled out."""
    return f"{entry['name']}({','.join(_type(argument) for argument in entry['inputs'])})"


def _type(argument: dict[str, Any]) -> str:
    if not argument["type"].startswith("tuple"):
        return str(argument["type"])
    inner = ",".join(_type(part) for part in argument["components"])
    return f"({inner}){argument['type'].removeprefix('tuple')}"


@cache
def selector(name: str) -> bytes:
    """The first four bytes of a call of the function `name`."""
    return keccak256(signature(_entries("function")[name]).encode())[:4]


def encode_registrations(registrations: Iterable[Registration]) -> bytes:
    """The call `registerLoans(registrations)`."""
    parts = [nonce + commitment for nonce, commitment in registrations]
    return selector("registerLoans") + _array(parts)


def encode_records(records: Iterable[Record]) -> bytes:
    """The call `appendRecords(records)`."""
    parts = [
        loan_key + previous_head + kind.to_bytes(WORD, "big") + commitment
        for loan_key, previous_head, kind, commitment in records
    ]
    return selector("appendRecords") + _array(parts)


def _array(parts: Sequence[bytes]) -> bytes:
    return b"".join((_OFFSET_OF_ARRAY, len(parts).to_bytes(WORD, "big"), *parts))


def encode_call(name: str, *arguments: Any) -> bytes:
    """The call `name(arguments)`; addresses are 20 bytes."""
    entry = _entries("function")[name]
    types = [_type(argument) for argument in entry["inputs"]]
    values = [_address(value) if kind == "address" else value for kind, value in zip(types, arguments, strict=True)]
    return selector(name) + encode(types, values)


def _address(value: bytes) -> str:
    return "0x" + value.hex()


def decode_answer(name: str, answer: bytes) -> tuple[Any, ...]:
    """What a call of the view `name` returned; addresses come as 20 bytes."""
    types = [_type(output) for output in _entries("function")[name]["outputs"]]
    return decode_values(types, answer)


def decode_values(types: Sequence[str], encoded: bytes) -> tuple[Any, ...]:
    values = decode(list(types), encoded)
    return tuple(
        bytes.fromhex(value[2:]) if kind == "address" else value for kind, value in zip(types, values, strict=True)
    )


@cache
def errors_by_selector() -> dict[bytes, dict[str, Any]]:
    """The contract's custom errors by the four bytes that revert data begins with."""
    return {keccak256(signature(entry).encode())[:4]: entry for entry in _entries("error").values()}


@cache
def events_by_topic() -> dict[bytes, dict[str, Any]]:
    """The contract's events by their topic hash."""
    return {keccak256(signature(entry).encode()): entry for entry in _entries("event").values()}
