"""Cells of a tape: what text becomes which value, held against exact fractions, and what is refused instead."""

import math
from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.tape.cells import CellInvalid, value_of
from app.tape.mapping import Rule
from registry.domain.money import MINOR_DIGITS, Money

DIGITS = {"BHD": 3, "CNY": 2, "EUR": 2, "JPY": 0, "UYW": 4}
plain_numbers = st.decimals(min_value=0, max_value=10**12, allow_nan=False, allow_infinity=False, places=None).map(
    lambda number: f"{number:.15f}"
)
short_numbers = st.from_regex(r"[0-9]{1,9}(\.[0-9]{1,12})?", fullmatch=True)
long_tails = st.from_regex(r"[0-9]{1,6}\.[0-9]{2}(4{1,25}[0-9]|9{1,25}|50{0,25}|49{1,25})", fullmatch=True)
scientific = st.from_regex(r"[0-9]{1,6}(\.[0-9]{1,6})?[eE]-?[0-9]", fullmatch=True)
numbers = st.one_of(short_numbers, plain_numbers, long_tails, scientific)


def read(text: str, currency: str = "EUR", agreed_on: date | None = None, **rule: Any) -> object:
    return value_of(Rule(column="cell", **rule), {"cell": text}, currency, agreed_on)


def problem(text: str, **rule: Any) -> CellInvalid:
    with pytest.raises(CellInvalid) as refused:
        read(text, **rule)
    assert refused.value.column == "cell"
    return refused.value


def half_up(value: Fraction) -> int:
    """The nearest whole number, a half away from zero; for values of at least 0."""
    return math.floor(value + Fraction(1, 2))


@given(numbers, st.sampled_from(sorted(DIGITS)))
def test_money_is_the_exact_number_rounded_half_up_to_the_minor_unit(text: str, currency: str) -> None:
    assert read(text, currency, form="money") == Money(half_up(Fraction(text) * 10 ** DIGITS[currency]), currency)


@pytest.mark.parametrize(
    ("text", "minor"), [("29.999999999842", 3000), ("0.005", 1), ("0.00499999999999999999999999999999999", 0), ("0", 0)]
)
def test_binary_fractions_of_a_source_become_what_was_meant(text: str, minor: int) -> None:
    assert read(text, form="money") == Money(minor, "EUR")


@given(numbers, st.integers(0, 12))
def test_a_decimal_of_so_many_places_is_the_exact_number_rounded_half_up(text: str, places: int) -> None:
    found = read(text, form="decimal", places=places)

    assert isinstance(found, Decimal)
    assert Fraction(found) == Fraction(half_up(Fraction(text) * 10**places), 10**places)
    assert found.as_tuple().exponent == -places


@given(numbers, st.sampled_from(["0.01", "12", "100", "0.000001"]))
def test_scale_multiplies_exactly(text: str, scale: str) -> None:
    found = read(text, form="decimal", scale=scale)

    assert isinstance(found, Decimal)
    assert Fraction(found) == Fraction(text) * Fraction(scale)


@given(st.integers(100, 10**9))
def test_the_exponential_of_a_logarithm_is_the_amount_that_was_logged(minor: int) -> None:
    """Fifteen digits of a logarithm give an amount below ten million back to the cent."""
    logged = f"{(Decimal(minor) / 100).ln():.15f}"

    assert read(logged, form="exp_money") == Money(minor, "EUR")


@given(st.integers(-(10**12), 10**12))
def test_a_whole_number_is_read_with_or_without_a_point(number: int) -> None:
    assert read(str(number), form="integer") == number
    assert read(f"{number}.0", form="integer") == number


@given(st.dates(min_value=date(1000, 1, 1)))
def test_a_day_is_itself_and_a_month_is_its_first_day(day: date) -> None:
    assert read(day.isoformat(), form="day") == day
    assert read(day.isoformat()[:7], form="month") == day.replace(day=1)


@given(st.dates(date(1950, 1, 1), date(2020, 1, 1)), st.integers(0, 600))
def test_months_before_the_agreement_count_calendar_months(began: date, months: int) -> None:
    later = (began.year * 12 + began.month - 1) + months
    agreed_on = date(later // 12, later % 12 + 1, 1)

    assert read(began.isoformat()[:7], form="months_before_agreement", agreed_on=agreed_on) == months


def test_a_beginning_after_the_agreement_is_no_months() -> None:
    assert read("2020-05", form="months_before_agreement", agreed_on=date(2020, 1, 1)) == 0


@pytest.mark.parametrize("form", ["money", "decimal", "integer", "exp_money", "exp_decimal"])
@pytest.mark.parametrize(
    "text",
    [
        "x",
        "nan",
        "inf",
        "-Infinity",
        "1_000",
        "1,000",
        "1 000",
        "１２",
        "0x10",
        "1e999",
        "12€",
        "--1",
        "1" * 60,
        "1e99",
        ".",
    ],
)
def test_what_is_not_a_number_is_refused_with_its_text(form: str, text: str) -> None:
    assert text[:40] in problem(text, form=form).problem


@given(st.text(max_size=30), st.sampled_from(["money", "decimal", "integer", "exp_decimal", "day", "month"]))
def test_no_text_whatever_raises_anything_but_a_refusal(text: str, form: str) -> None:
    try:
        found = read(text, form=form)
    except CellInvalid:
        return
    assert found is None or isinstance(found, Money | Decimal | int | date)


def test_a_negative_amount_is_refused() -> None:
    assert "negative" in problem("-0.01", form="money").problem


def test_an_amount_beyond_63_bits_is_refused_in_its_column() -> None:
    assert "63 bits" in problem("9" * 18, form="money", currency="BHD").problem


@pytest.mark.parametrize(
    "text",
    ["2011-02-30", "2011-13", "2011", "20110601", "2011-W01", "2011-W01-1", "06/2011", "2011-6", "2011-06-01T00"],
)
def test_only_iso_days_and_months_are_days(text: str) -> None:
    for form in ("day", "month"):
        assert text in problem(text, form=form).problem


@given(st.dictionaries(st.text("abc", min_size=1), st.text("xyz", min_size=1), min_size=1), st.text("abcd", min_size=1))
def test_a_map_translates_its_texts_and_refuses_every_other(table: dict[str, str], text: str) -> None:
    if text in table:
        assert read(text, map=table) == table[text]
    else:
        assert repr(text) in problem(text, map=table).problem


def test_a_text_mapped_to_nothing_says_nothing() -> None:
    assert read("n/a", map={"n/a": "", "1 year": "1"}, form="decimal") is None


def test_an_empty_cell_gives_the_default_or_nothing() -> None:
    assert read("") is None
    assert read("  ", form="money") is None
    assert read("", default="other", map={"A": "own"}) == "other"
    assert read("", default="7", form="integer") == 7


def test_cells_are_read_without_the_blanks_around_them() -> None:
    assert read(" 12.5 ", form="decimal") == Decimal("12.5")


flags = st.sampled_from(["1", "1.0", "true", "True"])
unset = st.sampled_from(["0", "0.0", "false", "False", ""])


@given(st.integers(0, 4), flags, st.lists(unset, min_size=5, max_size=5))
def test_the_one_column_that_is_set_says_what_it_stands_for(at: int, mark: str, cells: list[str]) -> None:
    rule = Rule(one_of={f"c{number}": str(number * 6) for number in range(5)}, form="integer")
    given_cells = {f"c{number}": mark if number == at else text for number, text in enumerate(cells)}

    assert value_of(rule, given_cells, "EUR") == at * 6


def test_no_column_set_is_the_default() -> None:
    rule = Rule(one_of={"a": "x", "b": "y"}, default="z")

    assert value_of(rule, {"a": "0", "b": ""}, "EUR") == "z"
    assert value_of(Rule(one_of={"a": "x"}), {"a": "0"}, "EUR") is None


def test_two_columns_set_contradict_each_other() -> None:
    with pytest.raises(CellInvalid) as refused:
        value_of(Rule(one_of={"a": "x", "b": "y"}), {"a": "1", "b": "1"}, "EUR")

    assert (refused.value.column, "together with a" in refused.value.problem) == ("b", True)


def test_a_set_column_that_is_neither_0_nor_1_is_refused() -> None:
    with pytest.raises(CellInvalid) as refused:
        value_of(Rule(one_of={"a": "x", "b": "y"}), {"a": "1", "b": "yes"}, "EUR")

    assert refused.value.column == "b"


def test_a_constant_needs_no_cell() -> None:
    assert value_of(Rule(constant="2015-01-01", form="day"), {}, "EUR") == date(2015, 1, 1)


def test_the_digits_used_here_are_those_of_iso_4217_as_the_registry_has_them() -> None:
    assert {code: MINOR_DIGITS[code] for code in DIGITS} == DIGITS
