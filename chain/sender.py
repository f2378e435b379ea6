"""One transaction signed, sent and waited for: what the administrator does. Lenders' records go through the relay."""

import time
from dataclasses import dataclass
from typing import Any, ClassVar

from chain.block import read_head
from chain.fees import suggest_fees
from chain.finality import FinalityKind, FinalityRule
from chain.hexadecimal import data, number, octets, quantity
from chain.refusal import ContractRefusal
from chain.rpc import CallFailed, Rpc
from chain.signer import SigningKey
from registry.domain.errors import Unavailable

RECEIPT_SECONDS_MAX = 120.0
POLL_SECONDS = 0.05
GAS_MARGIN_PERCENT = 120
PLAIN_TRANSFER_GAS = 21_000


@dataclass(eq=False)
class NotMined(Unavailable):
    """A transaction was sent and no block took it in time; it may still be mined later."""

    transaction_hash: bytes
    seconds: float
    code: ClassVar[str] = "NOT_MINED"

    def __str__(self) -> str:
        return (
            f"Transaction 0x{self.transaction_hash.hex()} was not mined within {self.seconds:g} seconds; "
            "check that the chain makes blocks. It was sent and may still be mined."
        )


@dataclass(frozen=True, slots=True)
class Receipt:
    """A mined transaction; `contract` is the address of the contract it created, if it did."""

    transaction_hash: bytes
    block_number: int
    block_hash: bytes
    succeeded: bool
    gas_used: int
    contract: bytes | None


def receipt_of(found: dict[str, Any]) -> Receipt:
    """A receipt from its JSON form."""
    created = found.get("contractAddress")
    return Receipt(
        transaction_hash=octets(found["transactionHash"]),
        block_number=number(found["blockNumber"]),
        block_hash=octets(found["blockHash"]),
        succeeded=number(found["status"]) == 1,
        gas_used=number(found["gasUsed"]),
        contract=octets(created) if created else None,
    )


def send(rpc: Rpc, key: SigningKey, to: bytes | None, body: bytes = b"", *, value: int = 0) -> Receipt:
    """Send a call (or with `to` None create a contract), and wait for its receipt; a revert is `ContractRefusal`.

    `value` in wei. The wait is bounded by `NotMined`.
    """
    call = {"from": data(key.address), "data": data(body), "value": quantity(value)}
    if to is not None:
        call["to"] = data(to)
    try:
        gas = number(rpc.call("eth_estimateGas", call, "pending"))
    except CallFailed as failure:
        raise ContractRefusal.of(failure) from failure
    fees = suggest_fees(rpc, read_head(rpc, FinalityRule(FinalityKind.IMMEDIATE)))
    raw, transaction_hash = key.sign(
        {
            "type": 2,
            "chainId": number(rpc.call("eth_chainId")),
            "nonce": number(rpc.call("eth_getTransactionCount", data(key.address), "pending")),
            "to": to or b"",
            "value": value,
            "data": body,
            "gas": gas if gas == PLAIN_TRANSFER_GAS else gas * GAS_MARGIN_PERCENT // 100,
            "maxFeePerGas": fees.ceiling,
            "maxPriorityFeePerGas": fees.priority,
        }
    )
    rpc.call("eth_sendRawTransaction", data(raw))
    receipt = await_receipt(rpc, transaction_hash)
    if not receipt.succeeded:
        raise _replayed(rpc, call, receipt)
    return receipt


def await_receipt(rpc: Rpc, transaction_hash: bytes, *, seconds_max: float = RECEIPT_SECONDS_MAX) -> Receipt:
    deadline = time.monotonic() + seconds_max
    while True:
        found = rpc.call("eth_getTransactionReceipt", data(transaction_hash))
        if found is not None:
            return receipt_of(found)
        if time.monotonic() > deadline:
            raise NotMined(transaction_hash, seconds_max)
        time.sleep(POLL_SECONDS)


def _replayed(rpc: Rpc, call: dict[str, str], receipt: Receipt) -> ContractRefusal:
    """Why a mined transaction reverted: the same call asked again at its block."""
    try:
        rpc.call("eth_call", call, quantity(receipt.block_number))
    except CallFailed as failure:
        return ContractRefusal.of(failure)
    return ContractRefusal("Unknown", {"reason": "the transaction reverted, and the same call now passes"})
