"""The gas a record may cost, measured on a devnet of its own."""

import pytest

from benchmarks.gas import DIFFERENT_LOANS_MAX, FOUR_PER_LOAN_MAX, REGISTERING_MAX, Row, measure
from tests.support.devnet import install_tools


@pytest.fixture(scope="module")
def rows() -> list[Row]:
    install_tools()
    return measure()


def _row(rows: list[Row], what: str, items: int) -> Row:
    [found] = [row for row in rows if (row.what, row.items) == (what, items)]
    return found


def test_a_record_in_a_batch_of_100_different_loans_costs_at_most_12500_gas(rows: list[Row]) -> None:
    assert DIFFERENT_LOANS_MAX == 12_500
    assert 0 < _row(rows, "append, different loans", 100).gas_per_item <= 12_500


def test_a_record_in_a_batch_of_25_loans_with_four_each_costs_at_most_7500_gas(rows: list[Row]) -> None:
    assert FOUR_PER_LOAN_MAX == 7_500
    assert 0 < _row(rows, "append, 25 loans × 4 records", 100).gas_per_item <= 7_500


def test_registering_a_loan_in_a_batch_of_100_costs_at_most_50000_gas(rows: list[Row]) -> None:
    assert REGISTERING_MAX == 50_000
    assert 0 < _row(rows, "register loans", 100).gas_per_item <= 50_000


def test_a_transfer_costs_the_same_order_as_two_records_alone(rows: list[Row]) -> None:
    assert _row(rows, "acceptTransfer", 1).gas <= 3 * _row(rows, "append, different loans", 1).gas


def test_gas_stays_within_three_per_cent_of_what_is_published(rows: list[Row]) -> None:
    """Catches a change that costs gas but stays under the limits; update contracts/README.md with the figures."""
    published = {
        ("append, different loans", 100): 11_746,
        ("append, 25 loans × 4 records", 100): 6_177,
        ("register loans", 100): 49_058,
    }
    for (what, items), gas in published.items():
        assert _row(rows, what, items).gas_per_item == pytest.approx(gas, rel=0.03)
