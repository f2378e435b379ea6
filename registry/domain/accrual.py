"""Interest in the making: what one loan's principal earns from due date to due date, in exact integers."""

from datetime import date

from registry.domain.agreement import AgreementTerms
from registry.domain.calendar import DateOutOfRange, add_months
from registry.domain.rounding import divide
from registry.domain.schedule import period_days

NEVER = date.max


class Accrual:
    """The interest period a loan is in, and what it has borne so far.

    `minor_days` is the sum of principal in minor units × days since the last due date; `next_due` is the day on which
    the period ends. The caller names the principal for each stretch of days.
    """

    __slots__ = (
        "_closed_days", "_days", "_denominator", "_due_on", "_numerator", "_period_days", "_period_start", "_terms",
        "minor_days", "next_due",
    )  # fmt: skip

    def __init__(self, terms: AgreementTerms, due_on: tuple[date, ...]) -> None:
        self._terms = terms
        self._due_on = due_on
        self._numerator, self._denominator = terms.interest_ratio()
        self._days: tuple[int, ...] = ()
        self._period_start = terms.disbursed_on
        self._period_days = 0
        self._closed_days = 0
        self.minor_days = 0
        self.next_due = NEVER

    def copy(self) -> "Accrual":
        other = object.__new__(Accrual)
        for name in Accrual.__slots__:
            setattr(other, name, getattr(self, name))
        return other

    def begin(self, on: date) -> None:
        """Interest runs from the payout."""
        self._days = period_days(self._terms, self._due_on, on)
        self._period_start = on
        self._period_days = self._days[0]
        self.next_due = self._due_on[0]

    def run(self, principal_minor: int, to: date) -> None:
        """Let a principal bear interest up to a day before the due date."""
        gone = self._terms.day_count.elapsed(self._period_start, to, self._period_days)
        self.minor_days += principal_minor * (gone - self._closed_days)
        self._closed_days = gone

    def finish(self, principal_minor: int) -> None:
        """Let a principal bear interest up to the due date; the next period is to be opened then."""
        self.minor_days += principal_minor * (self._period_days - self._closed_days)

    def earned_minor(self) -> int:
        """The interest since the last due date, rounded."""
        return self._interest(self.minor_days)

    def by_due_date_minor(self, principal_minor: int) -> int:
        """The interest of the whole period if the principal stays what it is."""
        return self._interest(self.minor_days + principal_minor * (self._period_days - self._closed_days))

    def of_period_minor(self, row: int, principal_minor: int) -> int:
        """The interest of the period that ends with instalment `row`, on one principal throughout."""
        return self._interest(principal_minor * self._days[row])

    def open(self, row: int, *, owing: bool) -> None:
        """Begin the period that ends with instalment `row`; after the last one by a month, while principal is owed."""
        count = len(self._due_on)
        self.minor_days = 0
        self._closed_days = 0
        self._period_start = self.next_due
        if row < count:
            self.next_due = self._due_on[row]
            self._period_days = self._days[row]
        elif owing:
            self.next_due = self._after_maturity(row - count + 1)
            self._period_days = self._terms.day_count.period_days(row + 1, self._period_start, self.next_due)
        else:
            self.next_due = NEVER

    def end(self) -> None:
        """Nothing accrues any more, and what has is dropped."""
        self.minor_days = 0

    def _interest(self, minor_days: int) -> int:
        if not minor_days:
            return 0
        return divide(minor_days * self._numerator, self._denominator, self._terms.rounding)

    def _after_maturity(self, months: int) -> date:
        try:
            return add_months(self._terms.first_due_on, self._terms.term_months - 1 + months)
        except DateOutOfRange:
            return NEVER
