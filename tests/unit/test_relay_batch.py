"""Batches: no item lost or doubled, no loan's order changed, no transaction above its limits."""

from collections import defaultdict

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chain.batch import Call, plan
from chain.outbox_item import OutboxItem
from chain.preflight import unencodable
from chain.relay_settings import RelaySettings
from registry.domain.outbox import OutboxAction

BATCHED = (OutboxAction.REGISTER, OutboxAction.APPEND)


@st.composite
def outboxes(draw: st.DrawFn) -> list[OutboxItem]:
    """Items in the order of their positions; a loan's first one is its registration."""
    items: list[OutboxItem] = []
    seen: set[int] = set()
    actions = st.sampled_from([OutboxAction.APPEND] * 6 + [OutboxAction.PLEDGE, OutboxAction.OFFER])
    for position, number in enumerate(draw(st.lists(st.integers(0, 7), max_size=60)), start=1):
        action = draw(actions) if number in seen else OutboxAction.REGISTER
        seen.add(number)
        items.append(an_item(position, number, action))
    return items


def an_item(position: int, number: int, action: OutboxAction) -> OutboxItem:
    word = bytes([number]) * 32
    terms = {"nonce": "01" * 32, "asset_tag": "02" * 32, "to_lender_id": 2, "servicer_id": 0, "expires_at": 9}
    return OutboxItem(1, position, action, word, 2, word, position.to_bytes(32, "big"), terms)


LIMITS = {"records_max": st.integers(1, 20), "gas_max": st.integers(150_000, 2_000_000)}


@given(outboxes(), LIMITS["records_max"], LIMITS["gas_max"])
def test_every_item_goes_out_once(items: list[OutboxItem], records_max: int, gas_max: int) -> None:
    calls = plan(items, records_max=records_max, gas_max=gas_max)

    assert sorted(position for call in calls for position in call.positions) == [item.position for item in items]


@given(outboxes(), LIMITS["records_max"], LIMITS["gas_max"])
def test_the_order_within_a_loan_stays(items: list[OutboxItem], records_max: int, gas_max: int) -> None:
    by_loan: dict[bytes, list[int]] = defaultdict(list)
    for call in plan(items, records_max=records_max, gas_max=gas_max):
        for item in call.items:
            by_loan[item.loan_key].append(item.position)

    assert all(positions == sorted(positions) for positions in by_loan.values())


@given(outboxes(), LIMITS["records_max"], LIMITS["gas_max"])
def test_no_call_is_mixed_or_above_its_limits(items: list[OutboxItem], records_max: int, gas_max: int) -> None:
    for call in plan(items, records_max=records_max, gas_max=gas_max):
        assert {item.action for item in call.items} == {call.action}
        assert len(call.items) <= (records_max if call.action in BATCHED else 1)
        assert call.gas <= gas_max or len(call.items) == 1


@given(outboxes())
def test_no_control_action_is_overtaken_or_overtakes(items: list[OutboxItem]) -> None:
    calls = plan(items, records_max=100, gas_max=16_000_000)
    for number, call in enumerate(calls):
        if call.action not in BATCHED:
            (position,) = call.positions
            assert all(p < position for before in calls[:number] for p in before.positions)
            assert all(p > position for after in calls[number + 1 :] for p in after.positions)


def test_a_backlog_fills_its_transactions() -> None:
    items = [an_item(position, position % 8, OutboxAction.APPEND) for position in range(1, 1001)]

    calls = plan(items, records_max=400, gas_max=16_000_000)

    assert [len(call.items) for call in calls] == [400, 400, 200]


@pytest.mark.parametrize("action", list(OutboxAction))
def test_every_action_can_be_encoded_and_fits_the_gas_limit(action: OutboxAction) -> None:
    call = Call(action, (an_item(1, 1, action),))

    assert len(call.encode()) > 4
    assert 0 < call.gas < 16_000_000


def test_an_entry_that_lacks_a_word_is_named() -> None:
    sound = an_item(1, 1, OutboxAction.APPEND)
    broken = OutboxItem(1, 2, OutboxAction.APPEND, b"k" * 32, 2, None, b"c" * 32, {})

    assert [item for item, _ in unencodable([sound, broken])] == [broken]


@given(st.integers(1, 10_000))
def test_waits_grow_and_stay_bounded(attempts: int) -> None:
    settings = RelaySettings()

    assert settings.backoff(attempts) <= settings.backoff(attempts + 1) <= settings.backoff_seconds_max
