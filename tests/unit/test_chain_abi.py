"""Calls, refusals and events: what is encoded and decoded by hand equals what eth_abi and web3 make of the ABI."""

from typing import Any

import eth_abi
import pytest
from hypothesis import given
from hypothesis import strategies as st
from web3 import Web3
from web3._utils.events import get_event_data

from chain import abi
from chain.abi import Record, Registration
from chain.artifacts import load_artifact
from chain.events import LogUnknown, decode_log, layouts
from chain.refusal import ContractRefusal
from chain.rpc import CallFailed

ABI = list(load_artifact().abi)
CONTRACT = Web3().eth.contract(address=Web3.to_checksum_address("0x" + "11" * 20), abi=ABI)
WORDS = st.binary(min_size=32, max_size=32)
KINDS = st.integers(0, 255)
VALUES: dict[str, st.SearchStrategy[Any]] = {
    "bytes32": WORDS,
    "address": st.binary(min_size=20, max_size=20).map(lambda raw: "0x" + raw.hex()),
    "uint8": KINDS,
    "uint32": st.integers(0, 2**32 - 1),
    "uint64": st.integers(0, 2**64 - 1),
}


@given(st.lists(st.tuples(WORDS, WORDS), max_size=8))
def test_registrations_are_encoded_as_eth_abi_does(pairs: list[tuple[bytes, bytes]]) -> None:
    expected = Web3.keccak(text="registerLoans((bytes32,bytes32)[])")[:4]
    expected += eth_abi.encode(["(bytes32,bytes32)[]"], [pairs])

    assert abi.encode_registrations(Registration(*pair) for pair in pairs) == expected


@given(st.lists(st.tuples(WORDS, WORDS, KINDS, WORDS), max_size=8))
def test_records_are_encoded_as_eth_abi_does(records: list[tuple[bytes, bytes, int, bytes]]) -> None:
    expected = Web3.keccak(text="appendRecords((bytes32,bytes32,uint8,bytes32)[])")[:4]
    expected += eth_abi.encode(["(bytes32,bytes32,uint8,bytes32)[]"], [records])

    assert abi.encode_records(Record(*record) for record in records) == expected


@given(WORDS, VALUES["uint32"], VALUES["uint32"], VALUES["uint64"])
def test_other_calls_are_encoded_as_web3_does(key: bytes, to: int, servicer: int, expires: int) -> None:
    expected = CONTRACT.encode_abi("offerTransfer", [key, to, servicer, expires])

    assert "0x" + abi.encode_call("offerTransfer", key, to, servicer, expires).hex() == expected


@given(st.data())
def test_every_custom_error_is_decoded_with_its_name_and_values(data: st.DataObject) -> None:
    entry = data.draw(st.sampled_from([entry for entry in ABI if entry["type"] == "error"]))
    types = [argument["type"] for argument in entry["inputs"]]
    values = [data.draw(VALUES[kind]) for kind in types]
    selector = Web3.keccak(text=f"{entry['name']}({','.join(types)})")[:4]

    refusal = ContractRefusal.decode(bytes(selector) + eth_abi.encode(types, values))

    given_values = [bytes.fromhex(v[2:]) if k == "address" else v for k, v in zip(types, values, strict=True)]
    assert refusal.name == entry["name"]
    assert dict(refusal.arguments) == dict(zip([a["name"] for a in entry["inputs"]], given_values, strict=True))


def test_a_refusal_reads_as_the_error_with_its_values() -> None:
    refusal = ContractRefusal(
        "RecordOutOfOrder", {"loanKey": b"\x01" * 32, "given": b"\x02" * 32, "expected": b"\x03" * 32}
    )

    assert str(refusal) == f"RecordOutOfOrder(loanKey=0x{'01' * 32}, given=0x{'02' * 32}, expected=0x{'03' * 32})"
    assert refusal.loan_key == b"\x01" * 32


@given(st.binary(max_size=100))
def test_unknown_or_broken_revert_bytes_stay_hexadecimal(junk: bytes) -> None:
    refusal = ContractRefusal.decode(b"\xde\xad\xbe\xef" + junk)

    assert str(refusal) == f"Unknown(data=0xdeadbeef{junk.hex()})"
    known = bytes(Web3.keccak(text="LoanUnknown(bytes32)")[:4]) + junk[:31]
    assert str(ContractRefusal.decode(known)) == f"Unknown(data=0x{known.hex()})"


def test_a_failure_without_revert_bytes_keeps_the_words_of_the_node() -> None:
    refusal = ContractRefusal.of(CallFailed("eth_call", -32003, "out of gas", b""))

    assert str(refusal) == "Unknown(reason=out of gas)"


@given(st.data())
def test_every_event_is_decoded_as_web3_does(data: st.DataObject) -> None:
    entry = data.draw(st.sampled_from([entry for entry in ABI if entry["type"] == "event"]))
    indexed = [argument for argument in entry["inputs"] if argument["indexed"]]
    plain = [argument for argument in entry["inputs"] if not argument["indexed"]]
    signature = f"{entry['name']}({','.join(argument['type'] for argument in entry['inputs'])})"
    topics = [Web3.keccak(text=signature)]
    topics += [eth_abi.encode([a["type"]], [data.draw(VALUES[a["type"]])]) for a in indexed]
    body = eth_abi.encode([a["type"] for a in plain], [data.draw(VALUES[a["type"]]) for a in plain])
    log = {
        "topics": ["0x" + bytes(topic).hex() for topic in topics],
        "data": "0x" + body.hex(),
        "blockNumber": "0x10",
        "blockHash": "0x" + "aa" * 32,
        "transactionHash": "0x" + "bb" * 32,
        "logIndex": "0x3",
    }
    theirs: Any = {
        "topics": topics, "data": body, "blockNumber": 16, "blockHash": b"", "transactionHash": b"",
        "logIndex": 3, "transactionIndex": 0, "address": CONTRACT.address,
    }  # fmt: skip

    event = decode_log(log)

    expected = dict(get_event_data(Web3().codec, entry, theirs)["args"])
    mine = {
        name: "0x" + value.hex() if isinstance(value, bytes) and len(value) == 20 else value
        for name, value in event.arguments.items()
    }
    assert {name: v.lower() if isinstance(v, str) else v for name, v in expected.items()} == mine
    assert (event.name, event.block_number, event.log_index) == (entry["name"], 16, 3)


def test_a_log_of_no_event_of_ours_is_refused() -> None:
    with pytest.raises(LogUnknown):
        decode_log({"topics": ["0x" + "00" * 32], "data": "0x"})
    appended = next(layout for layout in layouts().values() if layout.name == "RecordAppended")
    with pytest.raises(LogUnknown):
        decode_log({"topics": ["0x" + appended.topic.hex(), "0x" + "00" * 32], "data": "0x00"})
