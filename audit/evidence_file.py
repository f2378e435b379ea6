"""The evidence file, version 1, read strictly: exactly these members, one way to write each, nothing ignored."""

import re
from dataclasses import dataclass
from typing import Any, NoReturn

from audit import bounded_json
from audit.ports import SlotProofs
from registry.domain.commitments import FieldValue
from registry.domain.kinds import LoanStatus, RecordKind

FORMAT = "loan-registry/evidence"
VERSION = 1
BYTES_MAX = 64 * 2**20
_ID_MAX = 2**32 - 1
_SAFE_MAX = 2**53 - 1  # the integers every JSON reader keeps exact (RFC 7493)
_HEX = re.compile("0x((?:[0-9a-f]{2})*)")


class Malformed(ValueError):
    """The file is not evidence of this version; the message says where and why."""


class VersionUnknown(ValueError):
    """The file says it is evidence of a version this verifier does not know."""


@dataclass(frozen=True, slots=True)
class OpenedField:
    """A field that is shown, with the salt that lets its digest be recomputed."""

    name: str
    value: FieldValue
    salt: bytes


@dataclass(frozen=True, slots=True)
class RedactedField:
    """A field of which only the digest is shown."""

    name: str
    digest: bytes


@dataclass(frozen=True, slots=True)
class EvidenceRecord:
    """One record; `fields` is None in evidence that shows no contents at all."""

    sequence: int
    kind: RecordKind
    fields: tuple[OpenedField | RedactedField, ...] | None
    commitment: bytes
    head: bytes


@dataclass(frozen=True, slots=True)
class Evidence:
    """The whole file, typed."""

    chain_id: int
    genesis_hash: bytes
    contract: bytes
    code_hash: bytes
    block_number: int
    block_hash: bytes
    header: bytes
    loan_key: bytes
    lender_id: int
    nonce: bytes
    controller_id: int
    servicer_id: int
    status: LoanStatus
    records: tuple[EvidenceRecord, ...]
    account: tuple[bytes, ...]
    slots: SlotProofs


def load(data: bytes) -> dict[str, Any]:
    """The JSON object in `data`: UTF-8, no repeated names, no fractions, no NaN."""
    if len(data) > BYTES_MAX:
        raise Malformed(f"the file is larger than {BYTES_MAX} bytes")
    try:
        loaded = bounded_json.loads(
            data.decode(),
            object_pairs_hook=_without_repeats,
            parse_float=_no_fractions,
            parse_constant=_no_fractions,
        )
    except Malformed:
        raise
    except ValueError as fault:
        raise Malformed(f"the file is not JSON ({fault})") from None
    if type(loaded) is not dict:
        raise Malformed("the file is not a JSON object")
    return loaded


def read(loaded: dict[str, Any]) -> Evidence:
    """The evidence in a loaded object; raises `VersionUnknown` or `Malformed`."""
    if loaded.get("format") != FORMAT:
        raise Malformed(f"format is not {FORMAT!r}")
    version = loaded.get("version")
    if type(version) is not int:
        raise Malformed("version is not a number")
    if version != VERSION:
        raise VersionUnknown(f"the file has version {version}; this verifier knows version {VERSION}")
    _members(loaded, "the file", ("format", "version", "chain", "block", "loan", "records", "proof"))
    chain = _members(loaded["chain"], "chain", ("chain_id", "genesis_hash", "contract", "code_hash"))
    block = _members(loaded["block"], "block", ("number", "hash", "header"))
    loan = _members(
        loaded["loan"], "loan", ("loan_key", "lender_id", "nonce", "controller_id", "servicer_id", "status")
    )
    proof = _members(loaded["proof"], "proof", ("account", "standing", "head"))
    return Evidence(
        _number(chain["chain_id"], "chain.chain_id", _SAFE_MAX),
        _bytes(chain["genesis_hash"], "chain.genesis_hash", 32),
        _bytes(chain["contract"], "chain.contract", 20),
        _bytes(chain["code_hash"], "chain.code_hash", 32),
        _number(block["number"], "block.number", _SAFE_MAX),
        _bytes(block["hash"], "block.hash", 32),
        _bytes(block["header"], "block.header"),
        _bytes(loan["loan_key"], "loan.loan_key", 32),
        _number(loan["lender_id"], "loan.lender_id", _ID_MAX),
        _bytes(loan["nonce"], "loan.nonce", 32),
        _number(loan["controller_id"], "loan.controller_id", _ID_MAX),
        _number(loan["servicer_id"], "loan.servicer_id", _ID_MAX),
        LoanStatus[_member_name(LoanStatus, loan["status"], "loan.status")],
        _records(loaded["records"]),
        _nodes(proof["account"], "proof.account"),
        SlotProofs(_nodes(proof["standing"], "proof.standing"), _nodes(proof["head"], "proof.head")),
    )


def _records(given: Any) -> tuple[EvidenceRecord, ...]:
    listed = _list(given, "records")
    if not listed:
        raise Malformed("records is empty; a loan has at least its agreement")
    records = tuple(_record(item, f"records[{position}]") for position, item in enumerate(listed))
    if len({record.fields is None for record in records}) > 1:
        raise Malformed("some records have fields and some have none; either all have them or no record has")
    return records


def _record(given: Any, where: str) -> EvidenceRecord:
    names = ("sequence", "kind", "commitment", "head")
    has_fields = type(given) is dict and "fields" in given
    record = _members(given, where, (*names, "fields") if has_fields else names)
    return EvidenceRecord(
        _number(record["sequence"], f"{where}.sequence", _SAFE_MAX),
        RecordKind[_member_name(RecordKind, record["kind"], f"{where}.kind")],
        tuple(
            _field(item, f"{where}.fields[{position}]")
            for position, item in enumerate(_list(record["fields"], f"{where}.fields"))
        )
        if has_fields
        else None,
        _bytes(record["commitment"], f"{where}.commitment", 32),
        _bytes(record["head"], f"{where}.head", 32),
    )


def _field(given: Any, where: str) -> OpenedField | RedactedField:
    if type(given) is dict and "digest" in given:
        redacted = _members(given, where, ("name", "digest"))
        return RedactedField(_text(redacted["name"], where), _bytes(redacted["digest"], f"{where}.digest", 32))
    opened = _members(given, where, ("name", "value", "salt"))
    return OpenedField(_text(opened["name"], where), opened["value"], _bytes(opened["salt"], f"{where}.salt", 32))


def _nodes(given: Any, where: str) -> tuple[bytes, ...]:
    return tuple(_bytes(node, f"{where}[{position}]") for position, node in enumerate(_list(given, where)))


def _members(given: Any, where: str, names: tuple[str, ...]) -> dict[str, Any]:
    if type(given) is not dict:
        raise Malformed(f"{where} is not an object")
    for name in names:
        if name not in given:
            raise Malformed(f"{where} has no {name!r}")
    for name in given:
        if name not in names:
            raise Malformed(f"{where} has an unknown member {name!r}")
    return given


def _list(given: Any, where: str) -> list[Any]:
    if type(given) is not list:
        raise Malformed(f"{where} is not a list")
    return given


def _text(given: Any, where: str) -> str:
    if type(given) is not str:
        raise Malformed(f"{where}.name is not a string")
    return given


def _number(given: Any, where: str, largest: int) -> int:
    if type(given) is not int or not 0 <= given <= largest:
        raise Malformed(f"{where} is not a whole number from 0 to {largest}")
    return given


def _bytes(given: Any, where: str, length: int | None = None) -> bytes:
    matched = _HEX.fullmatch(given) if type(given) is str else None
    if matched is None:
        raise Malformed(f"{where} is not 0x and pairs of lower-case hex digits")
    value = bytes.fromhex(matched[1])
    if length is not None and len(value) != length:
        raise Malformed(f"{where} does not have {length} bytes")
    return value


def _member_name(members: type[RecordKind] | type[LoanStatus], given: Any, where: str) -> str:
    if type(given) is not str or given not in members.__members__:
        raise Malformed(f"{where} is not one of {', '.join(members.__members__)}")
    return given


def _without_repeats(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise Malformed("a name is given twice in one object")
    return members


def _no_fractions(text: str) -> NoReturn:
    raise Malformed(f"{text} is not a whole number; fractions are written as strings")
