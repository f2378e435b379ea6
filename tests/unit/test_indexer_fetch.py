"""How much is asked for at once, what a bloom says, and which block is final."""

from random import Random

import pytest
from eth_utils.crypto import keccak
from hypothesis import given
from hypothesis import strategies as st

from chain.finality import FinalityKind, FinalityRule, FinalityRuleInvalid
from indexer.blocks import Header, bloom_of
from indexer.fetch import RangeSizer
from tests.support.log_maker import CONTRACT, MemoryChain, raw_log


@given(st.integers(1, 50), st.integers(1, 20_000))
def test_ranges_settle_at_the_number_of_logs_aimed_at(logs_per_block: int, target: int) -> None:
    sizer = RangeSizer(target, 500, 100_000)
    for _ in range(30):
        sizer.answered(sizer.blocks, sizer.blocks * logs_per_block)
    assert sizer.blocks == max(1, target // logs_per_block)


def test_ranges_grow_over_empty_blocks_up_to_their_bound() -> None:
    sizer = RangeSizer(100, 10, 1_000)
    sizes = []
    for _ in range(4):
        sizer.answered(sizer.blocks, 0)
        sizes.append(sizer.blocks)
    assert sizes == [80, 640, 1_000, 1_000]


@given(st.integers(1, 100_000))
def test_refused_ranges_halve_down_to_one_block_and_then_there_is_nothing_to_try(blocks: int) -> None:
    sizer = RangeSizer(100, blocks, 100_000)
    while sizer.refused(sizer.blocks):
        assert sizer.blocks == max(1, blocks // 2)
        blocks = sizer.blocks
    assert sizer.blocks == 1


def test_a_bloom_names_every_contract_that_logged() -> None:
    chain = MemoryChain(Random(1))
    chain.mine_logs([raw_log("Paused"), raw_log("Unpaused", address=b"\x11" * 20)])
    chain.mine_logs([])
    full, empty = (Header.of(block) for block in chain.blocks[1:])

    for address in (CONTRACT, b"\x11" * 20, keccak(text="Paused()")):
        assert full.may_hold_logs_of(bloom_of(address))
        assert not empty.may_hold_logs_of(bloom_of(address))


def test_a_bloom_bit_is_where_the_yellow_paper_puts_it() -> None:
    """The empty string's keccak begins c5d2 4601 86f7: bits 0x5d2, 0x601 and 0x6f7 modulo 2048."""
    assert bloom_of(b"") == (1 << 0x5D2) | (1 << 0x601) | (1 << 0x6F7)


@pytest.mark.parametrize("text", ["immediate", "depth 12", "finalized"])
def test_a_finality_rule_reads_back_as_written(text: str) -> None:
    assert str(FinalityRule.parse(text)) == text


@pytest.mark.parametrize("text", ["", "depth", "depth 0", "depth -1", "depth twelve", "immediate 3", "safe"])
def test_an_unknown_finality_rule_is_refused(text: str) -> None:
    with pytest.raises(FinalityRuleInvalid):
        FinalityRule.parse(text)


@given(st.integers(0, 10_000), st.integers(1, 100), st.none() | st.integers(0, 10_000))
def test_the_final_block_follows_from_the_rule(head: int, depth: int, tagged: int | None) -> None:
    assert FinalityRule(FinalityKind.IMMEDIATE).final_number(head, tagged) == head
    assert FinalityRule(FinalityKind.DEPTH, depth).final_number(head, tagged) == max(0, head - depth)
    assert FinalityRule(FinalityKind.FINALIZED).final_number(head, tagged) == (tagged or 0)
