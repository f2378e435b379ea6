"""The rates a loan really costs: internal rates of return, simple and compound annual rates, the EU's APRC.

All solve Σ amount · (1 + X)^−t = 0. Floats only bracket the root; the answer is a decimal of a stated number of
places, accepted when substitution in exact-enough decimals shows the sign change inside its last place. A sum of
powers has as many positive roots as its signs change at most (Descartes' rule for generalised polynomials), so one
change proves a single root; with more the whole range is searched, and no root or several are said, not guessed.

Sources: PBOC Announcement 2021 No. 3 (annualised rates, simple and compound); Directive (EU) 2023/2225 Annex III, as
Directive 2008/48/EC Annex I (APRC); SWD(2012) 128 section 4.1.1 (intervals).
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_HALF_UP, Context, Decimal, localcontext
from enum import StrEnum
from fractions import Fraction
from itertools import pairwise

from registry.domain.agreement import AgreementTerms
from registry.domain.calendar import add_months, is_leap, whole_months
from registry.domain.day_count import DayCount
from registry.domain.schedule import build_schedule

RATE_PLACES = 6

# The search range of X as ln(1 + X): from −99 % to 100 million per cent.
_LOG_MIN, _LOG_MAX = math.log(1e-2), math.log(1e6)
_GRID = 1500
_DIGITS = 40


class RootStatus(StrEnum):
    """Whether the equation has exactly one rate, none in the range searched, or several."""

    FOUND = "FOUND"
    NONE = "NONE"
    SEVERAL = "SEVERAL"


class Period(StrEnum):
    """The regular period that EU intervals are counted in."""

    MONTH = "MONTH"
    YEAR = "YEAR"


@dataclass(frozen=True, slots=True)
class Flow:
    """Money at a time: `years` (or periods) after the start; received and paid amounts have opposite signs."""

    years: Fraction
    amount: Decimal


@dataclass(frozen=True, slots=True)
class RateSolution:
    """The rate as a fraction of one per unit of time, or why there is none; `roots` lists all that were found."""

    status: RootStatus
    roots: tuple[Decimal, ...]

    @property
    def rate(self) -> Decimal | None:
        return self.roots[0] if self.status is RootStatus.FOUND else None


@dataclass(frozen=True, slots=True)
class AnnualRates:
    """One cost in three forms, as fractions: the monthly IRR, 12 times it (simple), and compounded over a year."""

    monthly: Decimal
    simple: Decimal
    compound: Decimal


def internal_rate(flows: Iterable[Flow], places: int = RATE_PLACES) -> RateSolution:
    """The rate per unit of time at which the flows are worth nothing together, rounded half up to `places`."""
    merged: dict[Fraction, Decimal] = {}
    for flow in flows:
        merged[flow.years] = merged.get(flow.years, Decimal(0)) + flow.amount
    times = sorted(time for time, amount in merged.items() if amount)
    amounts = [merged[time] for time in times]
    changes = sum((first > 0) != (second > 0) for first, second in pairwise(amounts))
    if not changes:
        return RateSolution(RootStatus.NONE, ())
    worth = _Worth(times, amounts)
    edges = [_LOG_MIN, _LOG_MAX] if changes == 1 else _grid()
    above = [worth.near(edge) > 0 for edge in edges]
    roots = tuple(
        worth.rounded(worth.root(edges[k], edges[k + 1]), places)
        for k in range(len(edges) - 1)
        if above[k] != above[k + 1]
    )
    status = (RootStatus.NONE, RootStatus.FOUND, RootStatus.SEVERAL)[min(len(roots), 2)]
    return RateSolution(status, roots)


def periodic_rate(amounts: Sequence[Decimal | int], places: int = 10) -> RateSolution:
    """The IRR per period of one amount each period, the first at once."""
    return internal_rate((Flow(Fraction(k), Decimal(amount)) for k, amount in enumerate(amounts)), places)


def dated_rate(
    flows: Sequence[tuple[date, Decimal | int]], day_count: DayCount = DayCount.ACT_365F, places: int = RATE_PLACES
) -> RateSolution:
    """The effective annual rate of dated flows (XIRR), times counted from the earliest date."""
    start = min((on for on, _ in flows), default=date.min)
    return internal_rate((Flow(day_count.year_fraction(start, on), Decimal(a)) for on, a in flows), places)


def annualised(monthly: Decimal, places: int = RATE_PLACES) -> AnnualRates:
    """A monthly rate in its simple and compound annual forms; the law wants to be told which one is shown."""
    with localcontext(Context(prec=_DIGITS)):
        compound = (1 + monthly) ** 12 - 1
        return AnnualRates(monthly, _places(12 * monthly, places), _places(compound, places))


def effective_annual_rate(terms: AgreementTerms, places: int = RATE_PLACES) -> RateSolution:
    """What the agreement costs a year if kept: compound, on the net payout, instalment fees included (APRC)."""
    start, first = terms.disbursed_on, terms.first_due_on
    months = whole_months(start, first)
    head = eu_years(start, first, Period.MONTH) if months is None else Fraction(months, 12)
    flows = [Flow(Fraction(0), Decimal(terms.net_disbursement.minor))]
    rows = build_schedule(terms)
    skipped = terms.term_months - len(rows)
    flows += [
        Flow(head + Fraction(row.number - 1 + skipped, 12), Decimal(-row.total_minor))
        for row in rows
        if row.total_minor
    ]
    return internal_rate(flows, places)


def disclosed_rates(terms: AgreementTerms, places: int = RATE_PLACES) -> AnnualRates | None:
    """The rates to be shown to the borrower; None if the flows have no single rate."""
    annual = effective_annual_rate(terms, places + 6).rate
    if annual is None:
        return None
    with localcontext(Context(prec=_DIGITS)):
        monthly = (1 + annual) ** (Decimal(1) / 12) - 1
        return AnnualRates(_places(monthly, places + 4), _places(12 * monthly, places), _places(annual, places))


def eu_years(start: date, payment: date, period: Period) -> Fraction:
    """The EU interval in years: whole periods counted back from the payment, then days over 365 or 366.

    The days' year is the one that ends where the counting back stops; it has 366 days if a 29 February is in it.
    """
    step = 12 if period is Period.YEAR else 1
    count = 0
    while (earlier := add_months(payment, -step * (count + 1))) >= start:
        count += 1
        if earlier == start:
            break
    stop = add_months(payment, -step * count)
    year = stop.year if (stop.month, stop.day) >= (2, 29) else stop.year - 1
    return Fraction(count * step, 12) + Fraction((stop - start).days, 366 if is_leap(year) else 365)


class _Worth:
    """Present worth of merged flows as a function of the rate, in floats to search and in decimals to prove."""

    def __init__(self, times: Sequence[Fraction], amounts: Sequence[Decimal]) -> None:
        self._unit = math.lcm(*(time.denominator for time in times))
        steps = [int((time - times[0]) * self._unit) for time in times]
        self._gaps = [0, *(second - first for first, second in pairwise(steps))]
        self._amounts = amounts
        self._floats = [(step / self._unit, float(amount)) for step, amount in zip(steps, amounts, strict=True)]

    def near(self, log_growth: float) -> float:
        """The worth at ln(1 + X), in floating point."""
        return math.fsum(amount * math.exp(-years * log_growth) for years, amount in self._floats)

    def root(self, low: float, high: float) -> float:
        """ln(1 + X) of the root between two points of opposite sign: Newton steps, halving when one leaves them."""
        rising = self.near(high) > 0
        at = min(max(low, 0.0), high)
        for _ in range(200):
            worth, slope = self._near_with_slope(at)
            low, high = (at, high) if (worth > 0) != rising else (low, at)
            step = at - worth / slope if slope else low
            step = step if low < step < high else (low + high) / 2
            if abs(step - at) < 1e-15 * max(1.0, abs(at)) or worth == 0:
                break
            at = step
        return at

    def _near_with_slope(self, log_growth: float) -> tuple[float, float]:
        worth = slope = 0.0
        for years, amount in self._floats:
            part = amount * math.exp(-years * log_growth)
            worth += part
            slope -= years * part
        return worth, slope

    def rounded(self, log_growth: float, places: int) -> Decimal:
        """The root as a decimal of `places`, corrected until substitution puts the root inside its last place."""
        unit = Decimal(1).scaleb(-places)
        rate = _places(Decimal(math.expm1(log_growth)), places)
        with localcontext(Context(prec=_DIGITS)):
            below, above = self._sign(rate - unit / 2), self._sign(rate + unit / 2)
            while below == above:
                rate += unit if abs(self._exact(rate + unit)) < abs(self._exact(rate - unit)) else -unit
                below, above = self._sign(rate - unit / 2), self._sign(rate + unit / 2)
            return rate if above else rate + unit

    def _sign(self, rate: Decimal) -> int:
        worth = self._exact(rate)
        return (worth > 0) - (worth < 0)

    def _exact(self, rate: Decimal) -> Decimal:
        step = (1 + rate) ** (Decimal(-1) / self._unit)
        powers: dict[int, Decimal] = {}
        factor, total = Decimal(1), Decimal(0)
        for gap, amount in zip(self._gaps, self._amounts, strict=True):
            if gap not in powers:
                powers[gap] = step**gap if gap else Decimal(1)
            factor *= powers[gap]
            total += amount * factor
        return total


def _grid() -> list[float]:
    """Points of ln(1 + X): even steps, denser around no interest where loans are."""
    width = _LOG_MAX - _LOG_MIN
    coarse = [_LOG_MIN + width * k / _GRID for k in range(_GRID + 1)]
    fine = [-0.5 + k / _GRID for k in range(_GRID + 1)]
    return sorted({*coarse, *fine})


def _places(value: Decimal, places: int) -> Decimal:
    return value.quantize(Decimal(1).scaleb(-places), rounding=ROUND_HALF_UP, context=Context(prec=_DIGITS))
