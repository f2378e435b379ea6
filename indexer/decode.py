"""From the contract's raw logs to typed events: the two frequent ones sliced here, the others by `chain.events`.

Registrations and records are nearly all logs there are; sliced straight from the JSON text they cost about a hundredth
of what web3.py's general decoder takes.
"""

from collections.abc import Iterable
from typing import Any, NamedTuple, TypeAlias

from chain.events import LogUnknown, decode_log, topic_of
from chain.hexadecimal import data, number, octets
from indexer.errors import ChainInconsistent

RawLog: TypeAlias = dict[str, Any]

# An expiry may be any uint64, and SQL integers end here: whoever offers until later must not stop the mirror.
INSTANT_MAX = 2**63 - 1


class LoanRegistered(NamedTuple):
    """A loan came into being; its agreement is record 0."""

    block_number: int
    log_index: int
    transaction_hash: bytes
    loan_key: bytes
    lender_id: int
    nonce: bytes
    commitment: bytes


class RecordAppended(NamedTuple):
    """A record was folded into the loan's head."""

    block_number: int
    log_index: int
    transaction_hash: bytes
    loan_key: bytes
    kind: int
    commitment: bytes


class OtherEvent(NamedTuple):
    """Everything else: control, offers, liens, lenders, administration. A field the event does not have is None.

    `lender_id` is the one that acted or is meant: the seller of a transfer, the refusing buyer, the pledging or
    admitted lender. `other_lender_id` is the buyer. `expires_at` is in unix seconds, capped at 2^63 - 1.
    """

    block_number: int
    log_index: int
    transaction_hash: bytes
    name: str
    loan_key: bytes | None = None
    asset_tag: bytes | None = None
    lender_id: int | None = None
    other_lender_id: int | None = None
    servicer_id: int | None = None
    account: bytes | None = None
    expires_at: int | None = None


ChainEvent: TypeAlias = LoanRegistered | RecordAppended | OtherEvent

# the contract's argument names -> fields of the event
_FIELDS = {
    "loanKey": "loan_key",
    "assetTag": "asset_tag",
    "lenderId": "lender_id",
    "fromLenderId": "lender_id",
    "byLenderId": "lender_id",
    "toLenderId": "other_lender_id",
    "servicerId": "servicer_id",
    "account": "account",
    "expiresAt": "expires_at",
}
_REGISTERED = data(topic_of("LoanRegistered"))
_APPENDED = data(topic_of("RecordAppended"))
_REGISTERED_SHAPE = (3, 2 + 2 * 64)  # topics, and characters of data: two words
_APPENDED_SHAPE = (2, 2 + 2 * 64)


def decode(logs: Iterable[RawLog]) -> list[ChainEvent]:
    """The events of the contract's logs, in the order given; an unknown or misshapen log is `ChainInconsistent`."""
    unhex = bytes.fromhex
    events: list[ChainEvent] = []
    block_text = transaction_text = ""
    block_number, transaction_hash = 0, b""
    for log in logs:
        if log["blockNumber"] != block_text:
            block_text = log["blockNumber"]
            block_number = number(block_text)
        if log["transactionHash"] != transaction_text:
            transaction_text = log["transactionHash"]
            transaction_hash = octets(transaction_text)
        topics, body, index = log["topics"], log["data"], int(log["logIndex"], 16)
        topic, shape = topics[0] if topics else None, (len(topics), len(body))
        if topic == _APPENDED and shape == _APPENDED_SHAPE:
            kind, commitment = int(body[2:66], 16), unhex(body[66:])
            key = unhex(topics[1][2:])
            events.append(RecordAppended(block_number, index, transaction_hash, key, kind, commitment))
        elif topic == _REGISTERED and shape == _REGISTERED_SHAPE:
            key, lender_id = unhex(topics[1][2:]), int(topics[2], 16)
            nonce, commitment = unhex(body[2:66]), unhex(body[66:])
            events.append(LoanRegistered(block_number, index, transaction_hash, key, lender_id, nonce, commitment))
        else:
            events.append(_decode_other(block_number, index, log))
    return events


def _decode_other(block_number: int, index: int, log: RawLog) -> OtherEvent:
    try:
        event = decode_log(log)
    except LogUnknown as failure:
        raise ChainInconsistent(block_number, index, "it is none of the contract's events") from failure
    values: dict[str, Any] = {_FIELDS[name]: value for name, value in event.arguments.items()}
    if "expires_at" in values:
        values["expires_at"] = min(values["expires_at"], INSTANT_MAX)
    return OtherEvent(block_number, index, event.transaction_hash, event.name, **values)
