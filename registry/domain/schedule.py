"""The repayment schedule an agreement promises: derived from the terms alone, in integers, and reproducible.

- Equal instalment: A = P / Σ v_k with v_k = Π 1 / (1 + r_j) over the periods j ≤ k. For equal periods this is the
  annuity P·i / (1 − (1 + i)^−n); for actual days and odd first periods it keeps the instalments level.
- Equal principal: P / n each, rounded.
- Interest-only: the principal with the last row. Bullet: one row for both, at maturity.

Interest is rounded once in each row; the last row takes the rest of the principal.
"""

from dataclasses import dataclass
from datetime import date
from itertools import repeat

from registry.domain.agreement import AgreementTerms, RepaymentMethod
from registry.domain.calendar import due_dates
from registry.domain.rounding import divide

# Binary places carried in discount factors: far below half a minor unit for any amount that fits 63 bits.
_SCALE_BITS = 192


@dataclass(frozen=True, slots=True)
class Instalment:
    """One row of a schedule, in minor units; `outstanding_after_minor` is the principal left when it is paid."""

    number: int
    due_on: date
    principal_minor: int
    interest_minor: int
    fees_minor: int
    outstanding_after_minor: int

    @property
    def total_minor(self) -> int:
        return self.principal_minor + self.interest_minor + self.fees_minor


def build_schedule(terms: AgreementTerms) -> tuple[Instalment, ...]:
    """The rows of the agreement, first to last."""
    dues = row_dates(terms)
    days = period_days(terms, dues, terms.disbursed_on)
    numerator, denominator = terms.interest_ratio()
    rounding = terms.rounding
    fee = terms.instalment_fee_minor
    level, step = _level_parts(terms, days, numerator, denominator)
    balance = terms.principal.minor
    last = len(dues) - 1
    rows = []
    for index, due_on in enumerate(dues):
        interest = divide(balance * days[index] * numerator, denominator, rounding)
        fees = fee if balance else 0
        if index == last:
            principal = balance
        elif level is None:
            principal = min(step, balance)
        else:
            principal = min(max(level - interest, 0), balance)
        balance -= principal
        rows.append(Instalment(index + 1, due_on, principal, interest, fees, balance))
    return tuple(rows)


def row_dates(terms: AgreementTerms) -> tuple[date, ...]:
    """The due dates of the rows; a bullet loan has only the last one."""
    dues = due_dates(terms.first_due_on, terms.term_months)
    return dues[-1:] if terms.method is RepaymentMethod.BULLET else dues


def period_days(terms: AgreementTerms, dues: tuple[date, ...], disbursed_on: date) -> tuple[int, ...]:
    """The days of each interest period, the first one running from the payout."""
    starts = (disbursed_on, *dues)
    return tuple(map(terms.day_count.period_days, range(1, len(dues) + 1), starts, dues))


def level_instalment(principal_minor: int, period_ratios: tuple[tuple[int, int], ...], terms: AgreementTerms) -> int:
    """The equal instalment that repays a principal over periods of interest (numerator, denominator) each."""
    scale = 1 << _SCALE_BITS
    factor, total = scale, 0
    for numerator, denominator in period_ratios:
        factor = factor * denominator // (denominator + numerator)
        total += factor
    return divide(principal_minor * scale, total, terms.rounding)


def _level_parts(
    terms: AgreementTerms, days: tuple[int, ...], numerator: int, denominator: int
) -> tuple[int | None, int]:
    """The equal instalment, or None and the equal principal part, of the agreement's method."""
    if terms.method is RepaymentMethod.EQUAL_INSTALMENT:
        ratios = tuple(zip((numerator * count for count in days), repeat(denominator), strict=False))
        return level_instalment(terms.principal.minor, ratios, terms), 0
    if terms.method is RepaymentMethod.EQUAL_PRINCIPAL:
        return None, divide(terms.principal.minor, terms.term_months, terms.rounding)
    return None, 0
