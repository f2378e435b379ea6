"""Loans as the API reads them: by id or key, in pages, with the actor's sight in every statement."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import date
from enum import Enum
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, Select, and_, false, func, or_, select, tuple_

from registry.domain.kinds import LoanStatus
from registry.storage.queries_keyset import KeyValues, Slice, SortKey, Window, sliced, windowed
from registry.storage.queries_sight import Access, Sight, access_to_loan, visible_loans
from registry.storage.tables import loans

SEARCH_MAX = 120


@dataclass(frozen=True, slots=True)
class FiledLoan:
    """A loan's row with how much of it the reader is shown; amounts in minor units of `currency`, rates as text."""

    lender_id: int
    id: str
    loan_key: bytes
    borrower_id: str
    product_id: str
    application_id: str | None
    decision_id: str | None
    external_reference: str | None
    terms: str
    currency: str
    principal_minor: int
    annual_rate: str
    disclosed_apr: str | None
    term_months: int
    disbursed_on: date | None
    matures_on: date
    controller_id: int
    servicer_id: int
    status: LoanStatus
    next_sequence: int
    head: bytes
    outstanding_minor: int
    next_unpaid_due_on: date | None
    access: Access


@dataclass(frozen=True, slots=True)
class LoanQuery:
    """Which loans: every part narrows. `due_before` keeps those unpaid since before a day; `due_ranges` are the
    half-open day ranges [from, before) of the first unpaid due date, None open, (None, None) also what has none.
    """

    statuses: Collection[LoanStatus] | None = None
    controllers: Collection[int] | None = None
    products: Collection[str] | None = None
    due_before: date | None = None
    due_ranges: Sequence[tuple[date | None, date | None]] | None = None
    disbursed_from: date | None = None
    disbursed_to: date | None = None
    currency: str | None = None
    search: str | None = None
    borrower: tuple[int, str] | None = None
    conditions: Sequence[ColumnElement[bool]] = field(default=())


class LoanSort(Enum):
    """The orders a page of loans can have; each ends with the id, so that no two loans share a place."""

    DISBURSED_ON_ASC = SortKey(loans.c.disbursed_on, is_nullable=True)
    DISBURSED_ON_DESC = SortKey(loans.c.disbursed_on, is_descending=True, is_nullable=True)
    OUTSTANDING_ASC = SortKey(loans.c.outstanding_minor)
    OUTSTANDING_DESC = SortKey(loans.c.outstanding_minor, is_descending=True)
    DAYS_PAST_DUE_DESC = SortKey(loans.c.next_unpaid_due_on, is_nullable=True)
    LOAN_KEY_ASC = SortKey(loans.c.loan_key)

    @property
    def keys(self) -> tuple[SortKey, SortKey]:
        return self.value, SortKey(loans.c.id, is_descending=self.value.is_descending)

    def key_of(self, loan: FiledLoan) -> KeyValues:
        """Where a loan stands in this order."""
        return getattr(loan, str(self.value.column.key)), loan.id


_NAMES = tuple(FiledLoan.__dataclass_fields__)[:-1]


def loans_by_id(connection: Connection, sight: Sight, names: Collection[tuple[int, str]]) -> dict[str, FiledLoan]:
    """The visible ones of these loans, named by (lender, id), by id."""
    rows = connection.execute(_visible(sight).where(*of_loans(loans.c.lender_id, loans.c.id, names)))
    return {row.id: _loan(row) for row in rows}


def loans_by_key(connection: Connection, sight: Sight, keys: Collection[bytes]) -> dict[bytes, FiledLoan]:
    """The visible ones of these loans, by loan key."""
    rows = connection.execute(_visible(sight).where(loans.c.loan_key.in_(keys)))
    return {row.loan_key: _loan(row) for row in rows}


def loans_of_applications(
    connection: Connection, sight: Sight, names: Collection[tuple[int, str]]
) -> dict[str, FiledLoan]:
    """The visible loans that came of these applications, by application id."""
    rows = connection.execute(_visible(sight).where(*of_loans(loans.c.lender_id, loans.c.application_id, names)))
    return {row.application_id: _loan(row) for row in rows}


def page_of_loans(connection: Connection, sight: Sight, query: LoanQuery, sort: LoanSort, window: Window) -> Slice:
    """One page of the visible loans."""
    statement = windowed(_visible(sight).where(*conditions_of(query)), sort.keys, window)
    page = sliced(connection.execute(statement).all(), window)
    return Slice(tuple(_loan(row) for row in page.rows), page.has_next, page.has_previous)


def count_of_loans(connection: Connection, sight: Sight, query: LoanQuery) -> int:
    """How many visible loans there are in all pages."""
    statement = select(func.count()).select_from(loans).where(visible_loans(sight), *conditions_of(query))
    return int(connection.execute(statement).scalar_one())


def loans_of_borrowers(
    connection: Connection, sight: Sight, names: Collection[tuple[int, str]], size: int, after: str | None
) -> dict[str, tuple[FiledLoan, ...]]:
    """For each borrower its first visible loans behind `after` by id, one more than `size` where there are more."""
    place = func.row_number().over(partition_by=(loans.c.lender_id, loans.c.borrower_id), order_by=loans.c.id)
    inner = _visible(sight).add_columns(place.label("place"))
    inner = inner.where(*of_loans(loans.c.lender_id, loans.c.borrower_id, names))
    if after is not None:
        inner = inner.where(loans.c.id > after)
    ranked = inner.subquery()
    statement = select(ranked).where(ranked.c.place <= size + 1).order_by(ranked.c.id)
    found: dict[str, list[FiledLoan]] = {}
    for row in connection.execute(statement):
        found.setdefault(row.borrower_id, []).append(_loan(row))
    return {borrower_id: tuple(rows) for borrower_id, rows in found.items()}


def counts_of_borrowers(connection: Connection, sight: Sight, names: Collection[tuple[int, str]]) -> dict[str, int]:
    """How many visible loans each borrower has."""
    statement = (
        select(loans.c.borrower_id, func.count().label("loans"))
        .where(visible_loans(sight), *of_loans(loans.c.lender_id, loans.c.borrower_id, names))
        .group_by(loans.c.lender_id, loans.c.borrower_id)
    )
    return {row.borrower_id: int(row.loans) for row in connection.execute(statement)}


def of_loans(lender: Any, identifier: Any, names: Collection[tuple[int, str]]) -> tuple[ColumnElement[bool], ...]:
    """Rows of these (lender, id) pairs. As ids begin with their lender, two plain lists find exactly the pairs."""
    return lender.in_(sorted({name[0] for name in names})), identifier.in_(sorted({name[1] for name in names}))


def conditions_of(query: LoanQuery) -> list[ColumnElement[bool]]:
    """The query as conditions on `loans`."""
    wanted: list[ColumnElement[bool]] = list(query.conditions)
    if query.statuses is not None:
        wanted.append(loans.c.status.in_([int(status) for status in query.statuses]))
    if query.controllers is not None:
        wanted.append(loans.c.controller_id.in_(query.controllers))
    if query.products is not None:
        wanted.append(loans.c.product_id.in_(query.products))
    if query.due_before is not None:
        wanted.append(loans.c.next_unpaid_due_on <= query.due_before)
    if query.due_ranges is not None:
        wanted.append(or_(false(), *(_due_range(*span) for span in query.due_ranges)))
    if query.disbursed_from is not None:
        wanted.append(loans.c.disbursed_on >= query.disbursed_from)
    if query.disbursed_to is not None:
        wanted.append(loans.c.disbursed_on <= query.disbursed_to)
    if query.currency is not None:
        wanted.append(loans.c.currency == query.currency)
    if query.search is not None:
        wanted.append(_found(query.search))
    if query.borrower is not None:
        wanted.append(tuple_(loans.c.lender_id, loans.c.borrower_id) == query.borrower)
    return wanted


def _due_range(since: date | None, before: date | None) -> ColumnElement[bool]:
    due = loans.c.next_unpaid_due_on
    inside = and_(*([due >= since] if since else []), *([due < before] if before else []))
    return or_(due.is_(None), inside) if before is None else inside


def _found(text: str) -> ColumnElement[bool]:
    """The lender's own reference beginning with the text, or exactly the id or the loan key it gives."""
    given = text.strip()[:SEARCH_MAX]
    matches = [loans.c.external_reference.startswith(given, autoescape=True), loans.c.id == given]
    digits = given.removeprefix("0x")
    if len(digits) == 64 and all(digit in "0123456789abcdefABCDEF" for digit in digits):
        matches.append(loans.c.loan_key == bytes.fromhex(digits))
    return or_(*matches)


def _visible(sight: Sight) -> Select[Any]:
    columns = [loans.c[name] for name in _NAMES]
    return select(*columns, access_to_loan(sight).label("access")).where(visible_loans(sight))


def _loan(row: Row[Any]) -> FiledLoan:
    values = {name: getattr(row, name) for name in _NAMES}
    values["status"] = LoanStatus(row.status)
    return FiledLoan(**values, access=Access(row.access))
