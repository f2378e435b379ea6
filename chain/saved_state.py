"""What Anvil saves of a chain, mended where it would not load as the same chain."""

from typing import Any

from chain.header import encode_header
from chain.keccak import keccak256


def with_one_genesis(state: dict[str, Any]) -> dict[str, Any]:
    """The state with the block 0 that block 1 follows and no other.

    Anvil adds the genesis of every start to what it saves, and may take any of them for block 0 when it loads it.
    """
    blocks = state.get("blocks", [])
    geneses = [block for block in blocks if int(block["header"]["number"], 16) == 0]
    if len(geneses) < 2:
        return state
    first = next((block["header"]["parentHash"] for block in blocks if int(block["header"]["number"], 16) == 1), None)
    followed = [block for block in geneses if f"0x{keccak256(encode_header(block['header'])).hex()}" == first]
    kept = followed[:1] or geneses[:1]
    return state | {"blocks": kept + [block for block in blocks if block not in geneses]}
