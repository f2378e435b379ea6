"""Month stepping over calendar dates; always counted from the first date, so 31 Jan → 28 Feb → 31 Mar."""

from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from typing import ClassVar

from registry.domain.errors import InvalidInput

YEAR_MAX = 9999

_DAYS_IN_MONTH = (31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)


@dataclass(eq=False)
class DateOutOfRange(InvalidInput):
    """A step of months leads outside the years 1 to 9999."""

    start: date
    months: int
    code: ClassVar[str] = "DATE_OUT_OF_RANGE"

    def __str__(self) -> str:
        return f"{self.months} months from {self.start} is outside the calendar; use an earlier date or fewer months."


def is_leap(year: int) -> bool:
    """Whether `year` has a 29 February (Gregorian rule)."""
    return year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)


def days_in_month(year: int, month: int) -> int:
    """The number of days of a month."""
    return 29 if month == 2 and is_leap(year) else _DAYS_IN_MONTH[month - 1]


def add_months(start: date, months: int) -> date:
    """The date `months` later (or earlier), on the same day of the month or the month's last day if it is shorter."""
    year, month = divmod(start.year * 12 + start.month - 1 + months, 12)
    month += 1
    if not 1 <= year <= YEAR_MAX:
        raise DateOutOfRange(start, months)
    day = start.day
    if day > 28:
        day = min(day, days_in_month(year, month))
    return date(year, month, day)


def whole_months(start: date, end: date) -> int | None:
    """How many whole months lie between two dates, stepping from either end; None when it is not a whole number."""
    months = (end.year - start.year) * 12 + end.month - start.month
    if months > 0 and (add_months(start, months) == end or add_months(end, -months) == start):
        return months
    return None


@lru_cache(maxsize=8192)
def due_dates(first: date, count: int) -> tuple[date, ...]:
    """`count` monthly dates, the first being `first`."""
    return tuple(add_months(first, step) for step in range(count))
