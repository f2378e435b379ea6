"""Headers: the hand-written RLP equals the library's, and a header that does not hash to its block is refused."""

from typing import Any

import pytest
import rlp
from hypothesis import given
from hypothesis import strategies as st

from chain.header import HeaderUnprovable, header_rlp, rlp_encode
from chain.keccak import keccak256

ITEMS = st.recursive(st.binary(max_size=70), lambda inner: st.lists(inner, max_size=6), max_leaves=20)


@given(ITEMS)
def test_rlp_is_what_the_library_makes(item: Any) -> None:
    assert rlp_encode(item) == rlp.encode(item)


@given(st.integers(0, 70_000))
def test_lengths_take_as_many_bytes_as_they_need(length: int) -> None:
    assert rlp_encode(bytes(length)) == rlp.encode(bytes(length))


def a_block(**changes: str) -> dict[str, str]:
    word = "0x" + "11" * 32
    block = dict.fromkeys(
        ("parentHash", "sha3Uncles", "stateRoot", "transactionsRoot", "receiptsRoot", "mixHash"), word
    )
    block |= {"miner": "0x" + "22" * 20, "logsBloom": "0x" + "00" * 256, "difficulty": "0x0", "number": "0x10"}
    block |= {
        "gasLimit": "0x3938700",
        "gasUsed": "0x5208",
        "timestamp": "0x65",
        "extraData": "0x",
        "nonce": "0x" + "00" * 8,
    }
    return block | {"baseFeePerGas": "0x7", "withdrawalsRoot": word} | changes


def test_a_header_hashes_to_its_block_and_any_change_is_seen() -> None:
    fields = a_block()
    order = [
        "parentHash",
        "sha3Uncles",
        "miner",
        "stateRoot",
        "transactionsRoot",
        "receiptsRoot",
        "logsBloom",
        "difficulty",
        "number",
        "gasLimit",
        "gasUsed",
        "timestamp",
        "extraData",
        "mixHash",
        "nonce",
        "baseFeePerGas",
        "withdrawalsRoot",
    ]
    numbers = {"difficulty", "number", "gasLimit", "gasUsed", "timestamp", "baseFeePerGas"}
    values = [
        rlp.sedes.big_endian_int.serialize(int(fields[name], 16))
        if name in numbers
        else bytes.fromhex(fields[name][2:])
        for name in order
    ]
    encoded = rlp.encode(values)
    sealed = fields | {"hash": "0x" + keccak256(encoded).hex()}

    assert header_rlp(sealed) == encoded
    for name in order:
        changed = sealed | {name: fields[name][:-2] + "99" if len(fields[name]) > 4 else "0x99"}
        with pytest.raises(HeaderUnprovable):
            header_rlp(changed)
