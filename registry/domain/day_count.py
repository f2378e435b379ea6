"""Day-count conventions: how many days lie between two dates, and how many days a year has.

Sources: 30/360 is "Bond Basis", 2006 ISDA Definitions section 4.16(f); ACT/360 is 4.16(e); ACT/365 Fixed is 4.16(d).
"""

from datetime import date
from enum import StrEnum
from fractions import Fraction

from registry.domain.calendar import whole_months


class DayCount(StrEnum):
    """The convention an agreement's interest is counted with."""

    THIRTY_360 = "THIRTY_360"
    ACT_360 = "ACT_360"
    ACT_365F = "ACT_365F"

    @property
    def year_days(self) -> int:
        """The denominator: the days of a year."""
        return 365 if self is DayCount.ACT_365F else 360

    def days(self, start: date, end: date) -> int:
        """The days from `start` to `end` as this convention counts them."""
        if self is DayCount.THIRTY_360:
            return days_30_360(start, end)
        return (end - start).days

    def year_fraction(self, start: date, end: date) -> Fraction:
        """The days over the year, exact."""
        return Fraction(self.days(start, end), self.year_days)

    def period_days(self, number: int, start: date, end: date) -> int:
        """The days of interest period `number` (from 1), which ends on its due date.

        With 30/360 every regular period has 30 days whatever its month, so that its interest is a twelfth of the
        year's; a first period of whole months has 30 for each, and an odd one is counted by the convention.
        """
        if self is not DayCount.THIRTY_360:
            return (end - start).days
        if number > 1:
            return 30
        months = whole_months(start, end)
        return days_30_360(start, end) if months is None else 30 * months

    def elapsed(self, start: date, on: date, period_days: int) -> int:
        """The days of a period of `period_days` that have gone by on a day before its due date."""
        if self is DayCount.THIRTY_360:
            return min(days_30_360(start, on), period_days)
        return (on - start).days


def days_30_360(start: date, end: date) -> int:
    """30/360 Bond Basis: a 31st at the start is a 30th; one at the end too, if the start is then a 30th."""
    first = min(start.day, 30)
    last = 30 if end.day == 31 and first == 30 else end.day
    return 360 * (end.year - start.year) + 30 * (end.month - start.month) + last - first
