"""The waterfall: nothing lost, nothing overpaid, oldest instalment first."""

from hypothesis import given, settings
from hypothesis import strategies as st

from registry.domain.allocation import Allocation, AllocationOrder, Component, Owed, allocate

PART = st.one_of(st.just(0), st.integers(0, 10_000))
ROWS = st.lists(st.builds(Owed, PART, PART, PART, PART), max_size=6)
ORDERS = st.permutations(list(Component)).map(tuple)


def _parts(row: Owed | Allocation) -> dict[Component, int]:
    return {
        Component.PRINCIPAL: row.principal_minor,
        Component.INTEREST: row.interest_minor,
        Component.FEE: row.fees_minor,
        Component.PENALTY: row.penalty_minor,
    }


@settings(max_examples=50)
@given(st.integers(0, 100_000), ROWS, ORDERS)
def test_the_parts_of_a_payment_add_up_to_it(amount: int, rows: list[Owed], order: AllocationOrder) -> None:
    split = allocate(amount, rows, order)
    assert split.total_minor == amount
    assert min(*_parts(split).values(), split.unallocated_minor) >= 0
    owed = sum(sum(_parts(row).values()) for row in rows)
    assert split.unallocated_minor == max(0, amount - owed)


@settings(max_examples=50)
@given(st.integers(0, 100_000), ROWS, ORDERS)
def test_each_unit_goes_to_the_first_open_part_of_the_oldest_instalment(
    amount: int, rows: list[Owed], order: AllocationOrder
) -> None:
    queue = [(component, _parts(row)[component]) for row in rows for component in order]
    expected = dict.fromkeys(Component, 0)
    rest = amount
    for component, owed in queue:
        expected[component] += min(rest, owed)
        rest -= min(rest, owed)
    assert _parts(allocate(amount, rows, order)) == expected


def test_penalty_fee_interest_principal_is_the_order_unless_agreed_otherwise() -> None:
    row = Owed(principal_minor=100, interest_minor=20, fees_minor=10, penalty_minor=5)
    assert allocate(30, [row]) == Allocation(principal_minor=0, interest_minor=15, fees_minor=10, penalty_minor=5)


def test_one_instalment_is_paid_completely_before_the_next() -> None:
    rows = [Owed(principal_minor=100, interest_minor=20), Owed(principal_minor=100, interest_minor=15, penalty_minor=9)]
    assert allocate(125, rows) == Allocation(principal_minor=100, interest_minor=20, penalty_minor=5)
