"""Sums over many loans for the portfolio view: grouped in SQL, with the actor's sight in every statement."""

from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import Connection, Select, and_, case, func, select, true

from registry.domain.kinds import LoanStatus, RecordKind
from registry.storage.queries_loans import LoanQuery, conditions_of
from registry.storage.queries_sight import Sight, visible_loans
from registry.storage.tables import loan_records, loans

_OWING = (LoanStatus.ACTIVE, LoanStatus.CHARGED_OFF)
_CLOSED_AFTER_DEFAULT = (LoanStatus.CHARGED_OFF, LoanStatus.SETTLED)


@dataclass(frozen=True, slots=True)
class BalanceGroup:
    """Loans alike in currency, product, standing and first unpaid due date; the sum in minor units."""

    currency: str
    product_id: str
    is_owing: bool
    next_unpaid_due_on: date | None
    loans: int
    outstanding_minor: int


@dataclass(frozen=True, slots=True)
class CohortGroup:
    """Loans paid out on one day, charged off on one day (None: not), and unpaid since one day (None: not)."""

    disbursed_on: date
    charged_off_on: date | None
    unpaid_since: date | None
    loans: int


@dataclass(frozen=True, slots=True)
class LargestBorrower:
    """What one borrower owes, in minor units of one currency; who it is, is not told."""

    currency: str
    outstanding_minor: int


def balance_groups(connection: Connection, sight: Sight, query: LoanQuery) -> list[BalanceGroup]:
    """The visible loans, grouped."""
    is_owing = case((loans.c.status.in_([int(status) for status in _OWING]), 1), else_=0)
    groups = (loans.c.currency, loans.c.product_id, is_owing, loans.c.next_unpaid_due_on)
    statement = _visible(sight, query, *groups, func.count(), func.sum(loans.c.outstanding_minor)).group_by(*groups)
    return [
        BalanceGroup(currency, product_id, bool(owing), due_on, int(count), int(owed))
        for currency, product_id, owing, due_on, count, owed in connection.execute(statement)
    ]


def cohort_groups(connection: Connection, sight: Sight, query: LoanQuery) -> list[CohortGroup]:
    """The visible loans that were paid out, by the days that matter to a vintage."""
    charged_off = (
        select(func.min(loan_records.c.effective_on))
        .where(
            loan_records.c.lender_id == loans.c.lender_id,
            loan_records.c.loan_id == loans.c.id,
            loan_records.c.kind == int(RecordKind.CHARGE_OFF),
        )
        .correlate(loans)
        .scalar_subquery()
    )
    stands = loans.c.status.in_([int(status) for status in _CLOSED_AFTER_DEFAULT])
    default_on = case((stands, charged_off), else_=None)
    unpaid = case((loans.c.status == int(LoanStatus.ACTIVE), loans.c.next_unpaid_due_on), else_=None)
    inner = _visible(
        sight, query, loans.c.disbursed_on, default_on.label("charged_off_on"), unpaid.label("unpaid_since")
    )
    rows = inner.where(loans.c.disbursed_on.is_not(None)).subquery()
    groups = (rows.c.disbursed_on, rows.c.charged_off_on, rows.c.unpaid_since)
    statement = select(*groups, func.count()).group_by(*groups)
    return [
        CohortGroup(disbursed_on, charged_off_on, unpaid_since, int(count))
        for disbursed_on, charged_off_on, unpaid_since, count in connection.execute(statement)
    ]


def largest_borrowers(connection: Connection, sight: Sight, query: LoanQuery, most: int) -> list[LargestBorrower]:
    """In each currency the borrowers that owe most, most first."""
    owed = func.sum(loans.c.outstanding_minor)
    by_borrower = _visible(sight, query, loans.c.currency, owed.label("owed")).group_by(
        loans.c.currency, loans.c.lender_id, loans.c.borrower_id
    )
    sums = by_borrower.subquery()
    place = func.row_number().over(partition_by=sums.c.currency, order_by=sums.c.owed.desc())
    ranked = select(sums.c.currency, sums.c.owed, place.label("place")).where(sums.c.owed > 0).subquery()
    statement = select(ranked).where(ranked.c.place <= most).order_by(ranked.c.currency, ranked.c.place)
    return [LargestBorrower(row.currency, int(row.owed)) for row in connection.execute(statement)]


def _visible(sight: Sight, query: LoanQuery, *columns: Any) -> Select[Any]:
    """Of what the actor sees, a lender's portfolio is the claims it owns: a loan it sold is the buyer's."""
    owned = true() if sight.lender_id is None else loans.c.controller_id == sight.lender_id
    return select(*columns).where(and_(visible_loans(sight), owned, *conditions_of(query)))
