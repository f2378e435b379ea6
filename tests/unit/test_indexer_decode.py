"""Decoding raw logs: equal to a general ABI decoder for every event, and nothing misshapen gets through."""

from typing import Any

import pytest
from eth_utils.crypto import keccak
from hypothesis import given
from hypothesis import strategies as st

from chain.events import topic_of
from indexer.decode import INSTANT_MAX, LoanRegistered, OtherEvent, RecordAppended, decode
from indexer.errors import ChainInconsistent
from tests.support.fold import EVENTS
from tests.support.log_maker import raw_log

VALUES: dict[str, st.SearchStrategy[Any]] = {
    "bytes32": st.binary(min_size=32, max_size=32),
    "uint8": st.integers(0, 2**8 - 1),
    "uint32": st.integers(0, 2**32 - 1),
    "uint64": st.integers(0, 2**64 - 1),
    "address": st.binary(min_size=20, max_size=20).map(lambda value: "0x" + value.hex()),
}
FIELDS = {
    "loan": "loan_key",
    "asset": "asset_tag",
    "lender": "lender_id",
    "other": "other_lender_id",
    "servicer": "servicer_id",
    "expiry": "expires_at",
}


@st.composite
def placed_logs(draw: st.DrawFn) -> tuple[str, dict[str, Any], dict[str, Any]]:
    """An event's name, its arguments by name, and its log in a block."""
    name = draw(st.sampled_from(sorted(EVENTS)))
    arguments = {argument: draw(VALUES[type_]) for type_, argument, _ in EVENTS[name]}
    place = {"blockNumber": hex(draw(st.integers(0, 2**40))), "logIndex": hex(draw(st.integers(0, 5000)))}
    hashes = {"transactionHash": "0x" + draw(VALUES["bytes32"]).hex(), "blockHash": "0x" + "00" * 32}
    return name, arguments, {**raw_log(name, *arguments.values()), **place, **hashes}


@given(st.lists(placed_logs(), max_size=6))
def test_every_event_is_decoded_as_it_was_encoded(made: list[tuple[str, dict[str, Any], dict[str, Any]]]) -> None:
    events = decode([log for _, _, log in made])

    assert len(events) == len(made)
    for event, (name, arguments, log) in zip(events, made, strict=True):
        assert (event.block_number, event.log_index) == (int(log["blockNumber"], 16), int(log["logIndex"], 16))
        assert event.transaction_hash.hex() == log["transactionHash"][2:]
        assert _name(event) == name
        for argument, value in arguments.items():
            expected = bytes.fromhex(value[2:]) if argument == "account" else value
            expected = min(value, INSTANT_MAX) if argument == "expiry" else expected
            assert getattr(event, FIELDS.get(argument, argument)) == expected


def test_the_topics_are_the_hashes_of_the_signatures_in_the_manual() -> None:
    for name, arguments in EVENTS.items():
        assert topic_of(name) == keccak(text=f"{name}({','.join(type_ for type_, _, _ in arguments)})")


@given(placed_logs(), st.data())
def test_a_log_with_other_arguments_than_its_event_has_is_refused(
    made: tuple[str, dict[str, Any], dict[str, Any]], data: st.DataObject
) -> None:
    _, _, log = made
    word = "00" * 32
    changed = data.draw(
        st.sampled_from(
            [
                {**log, "topics": [*log["topics"], "0x" + word]},
                {**log, "data": log["data"] + word},
                {**log, "data": log["data"] + "00"},
                {**log, "topics": ["0x" + "5a" * 32, *log["topics"][1:]]},
                {**log, "topics": []},
            ]
        )
    )
    with pytest.raises(ChainInconsistent):
        decode([changed])


def test_an_expiry_beyond_what_sql_can_hold_does_not_stop_the_mirror() -> None:
    log = raw_log("TransferOffered", bytes(32), 1, 2, 0, 2**64 - 1)
    placed = {**log, "blockNumber": "0x1", "logIndex": "0x0", "blockHash": "0x00", "transactionHash": "0x" + "00" * 32}

    (event,) = decode([placed])

    assert isinstance(event, OtherEvent)
    assert event.expires_at == 2**63 - 1


def _name(event: Any) -> str:
    if isinstance(event, OtherEvent):
        return event.name
    return {LoanRegistered: "LoanRegistered", RecordAppended: "RecordAppended"}[type(event)]
