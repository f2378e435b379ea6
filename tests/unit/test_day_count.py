"""Day counts and month stepping."""

from datetime import date, timedelta
from fractions import Fraction
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from registry.domain.calendar import DateOutOfRange, add_months, due_dates, whole_months
from registry.domain.day_count import DayCount

DAYS = st.dates(date(1990, 1, 1), date(2090, 12, 31))


def test_months_are_stepped_from_the_first_date_not_from_the_one_before() -> None:
    assert due_dates(date(2023, 1, 31), 4) == (
        date(2023, 1, 31),
        date(2023, 2, 28),
        date(2023, 3, 31),
        date(2023, 4, 30),
    )
    assert add_months(date(2024, 1, 31), 1) == date(2024, 2, 29)


@given(DAYS, st.integers(-600, 600))
def test_a_step_of_months_keeps_the_day_or_ends_at_the_end_of_the_month(start: date, months: int) -> None:
    end = add_months(start, months)
    assert (end.year - start.year) * 12 + end.month - start.month == months
    assert end.day == start.day or (end.day < start.day and (end + timedelta(days=1)).day == 1)


def test_a_step_beyond_the_calendar_is_refused() -> None:
    with pytest.raises(DateOutOfRange):
        add_months(date(9999, 12, 1), 1)


@given(DAYS, st.integers(1, 60))
def test_whole_months_are_recognised_from_either_end(start: date, months: int) -> None:
    assert whole_months(start, add_months(start, months)) == months
    assert whole_months(add_months(start, -months), start) == months


def test_an_odd_span_has_no_whole_months() -> None:
    assert whole_months(date(2024, 1, 15), date(2024, 3, 1)) is None
    assert whole_months(date(2024, 1, 15), date(2024, 1, 15)) is None


@given(DAYS, DAYS)
def test_actual_conventions_count_the_nights(start: date, end: date) -> None:
    nights = (end - start) // timedelta(days=1)
    assert DayCount.ACT_360.year_fraction(start, end) == Fraction(nights, 360)
    assert DayCount.ACT_365F.year_fraction(start, end) == Fraction(nights, 365)


@given(DAYS)
def test_a_year_has_360_days_with_30_360(start: date) -> None:
    assert DayCount.THIRTY_360.days(start, add_months(start, 12)) - 360 in {-1, 0}


@given(DAYS, st.integers(0, 400), st.integers(0, 400))
def test_elapsed_days_never_fall_and_never_exceed_the_period(start: date, first: int, second: int) -> None:
    early, late = sorted((start + timedelta(days=first), start + timedelta(days=second)))
    end = late + timedelta(days=1)
    for day_count in DayCount:
        period = day_count.period_days(1, start, end)
        gone = [day_count.elapsed(start, on, period) for on in (early, late)]
        assert 0 <= gone[0] <= gone[1] <= period


def test_every_regular_period_has_thirty_days_with_30_360() -> None:
    dues = due_dates(date(2023, 1, 31), 13)
    assert {DayCount.THIRTY_360.period_days(2, start, end) for start, end in pairwise(dues)} == {30}
    assert DayCount.THIRTY_360.period_days(1, date(2023, 1, 31), date(2023, 2, 28)) == 30
    assert DayCount.THIRTY_360.period_days(1, date(2023, 1, 15), date(2023, 3, 1)) == 46
