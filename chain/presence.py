"""Whether the chain holds a record already: asked of its logs when the contract refuses what we want to write."""

from collections.abc import Sequence
from typing import Any

from chain.events import decode_log, topic_of
from chain.hexadecimal import data, quantity
from chain.outbox_item import OutboxItem
from chain.refusal import ContractRefusal
from chain.rpc import Rpc
from registry.domain.chain_binding import ChainBinding
from registry.domain.outbox import OutboxAction

BATCH_CALLS_MAX = 50


def commitments_on_chain(
    rpc: Rpc, binding: ChainBinding, loan_keys: Sequence[bytes], *, up_to: int | None = None
) -> dict[bytes, set[bytes]]:
    """All commitments the chain holds of each loan, up to the block `up_to` (the newest when None)."""
    topics = [data(topic_of("LoanRegistered")), data(topic_of("RecordAppended"))]
    frame = {
        "address": data(binding.contract),
        "fromBlock": quantity(binding.deployed_block),
        "toBlock": "latest" if up_to is None else quantity(up_to),
    }
    held: dict[bytes, set[bytes]] = {}
    for start in range(0, len(loan_keys), BATCH_CALLS_MAX):
        chunk = loan_keys[start : start + BATCH_CALLS_MAX]
        calls: list[tuple[str, list[Any]]] = [
            ("eth_getLogs", [{**frame, "topics": [topics, data(loan_key)]}]) for loan_key in chunk
        ]
        for loan_key, logs in zip(chunk, rpc.batch(calls), strict=True):
            arguments = [decode_log(log).arguments for log in logs]
            held[loan_key] = {
                bytes(found["commitment"]) for found in arguments if isinstance(found["commitment"], bytes)
            }
    return held


def is_present(item: OutboxItem, refusal: ContractRefusal, held: set[bytes]) -> bool:
    """Whether what the item asks for is on chain, so that the refusal only says that it need not be done again."""
    if item.carries_record:
        return item.commitment in held
    pledged = item.action is OutboxAction.PLEDGE and refusal.name == "AssetAlreadyPledged"
    return pledged and refusal.loan_key == item.loan_key
