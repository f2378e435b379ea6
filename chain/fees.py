"""What a transaction offers for its gas (EIP-1559)."""

from dataclasses import dataclass

from chain.block import ChainHead
from chain.hexadecimal import number
from chain.rpc import CallFailed, Rpc

# A signed transaction is never replaced by a dearer one, so its ceiling must outlast a rise: the base fee grows by an
# eighth per full block, so 10 times is about 20 full blocks. Only what the block asks is paid; the rest is a ceiling.
BASE_FEE_HEADROOM = 10
PRIORITY_FEE_FALLBACK = 1_000_000_000  # wei per gas, for nodes without eth_maxPriorityFeePerGas


@dataclass(frozen=True, slots=True)
class Fees:
    """Wei per gas: the ceiling over all, and what of it goes to the block's producer at most."""

    ceiling: int
    priority: int


def suggest_fees(rpc: Rpc, head: ChainHead) -> Fees:
    try:
        priority = number(rpc.call("eth_maxPriorityFeePerGas"))
    except CallFailed:
        priority = PRIORITY_FEE_FALLBACK
    return Fees(head.base_fee * BASE_FEE_HEADROOM + priority, priority)
