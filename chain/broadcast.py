"""Signed bytes handed to the node; its answers read for what they mean to the relay."""

from dataclasses import dataclass

from chain.hexadecimal import data
from chain.rpc import CallFailed, Rpc

# What nodes say (geth, Anvil, Besu, Erigon, Nethermind) when they have the transaction, or had it: no failure.
_HELD = ("already known", "already imported", "known transaction", "alreadyknown", "transaction already")
_NONCE_USED = ("nonce too low", "noncetoolow", "nonce is too low", "oldnonce")


@dataclass(frozen=True, slots=True)
class Answer:
    """Whether the node has the transaction, as far as its answer says; else why it did not take it."""

    accepted: bool
    reason: str | None = None


def broadcast(rpc: Rpc, raw: bytes) -> Answer:
    """Send the bytes; sending them again is always harmless.

    "Nonce too low" counts as accepted: either these bytes were mined, or others were; the receipt and the account's
    nonce tell which.
    """
    try:
        rpc.call("eth_sendRawTransaction", data(raw))
    except CallFailed as failure:
        reason = failure.reason.lower()
        accepted = any(phrase in reason for phrase in _HELD + _NONCE_USED)
        return Answer(accepted, failure.reason[:300])
    return Answer(accepted=True)
